"""For pictures: which pixels mattered for the network's answer."""

from __future__ import annotations

from typing import Final

import streamlit as st
from torch import Tensor

from playground import losses
from playground.insight import saliency
from playground.runtime.run import Run
from playground.ui.charts import pixels as tints
from playground.ui.charts import vega
from playground.ui.project.inside import picture_source
from playground.ui.project.inside.session import Network, output_names
from playground.ui.shell import language
from playground.ui.shell.language import _
from playground.ui.shell.widget_state import bind

SHOWN: Final = 280  # pixels of a picture's side
COVER: Final = 7  # a picture's side is so many of the covered squares


def source(run: Run) -> bool:
    """Whose picture; True if it may change at any moment."""
    return picture_source.choose(run)


def view(network: Network) -> None:
    """The picture, beside it what each pixel did, and what the network says."""
    controls, seen, mattered, said = st.columns([1.1, 1, 1, 1.2], gap="medium")
    names = output_names(network.run)
    ways = {"gradient": _("Gradient × pixel"), "occlusion": _("Cover a part")}
    answers = {"": _("the network's answer"), **{str(n): name for n, name in enumerate(names)}}
    with controls:
        language.prose("inside", "pixels")
        picture = picture_source.picture(network)
        way_key, for_key = f"{network.name}.saliency", f"{network.name}.evidence"
        st.segmented_control(
            _("Method"),
            list(ways),
            format_func=ways.__getitem__,
            required=True,
            **bind(way_key, "gradient"),
        )
        st.selectbox(
            _("Evidence for"), list(answers), format_func=answers.__getitem__, **bind(for_key, "")
        )
    way, wanted = st.session_state[way_key], st.session_state[for_key]
    question = (way, wanted, picture.numpy().tobytes())
    (shares, output, evidence), step = network.paced(
        "pixels", question, lambda: explain(network, picture, way, wanted)
    )
    with seen:
        st.markdown("**" + _("The picture") + "**")
        _show(tints.grey(picture), _("What the network sees"))
        st.caption(_("Weights after step {n}.", n=language.number(step)))
    with mattered:
        title = _("Evidence for: {answer}", answer=names[output])
        st.markdown(f"**{title}**")
        _show(tints.signed(evidence), title)
        st.caption(_("Blue: evidence for it. Orange: evidence against it."))
    with said:
        labels = network.run.project.labels
        vega.probability_bars(
            dict(zip(labels, shares, strict=True)),
            dict(zip(labels, names, strict=True)),
            f"{network.name}.bars",
        )


def explain(
    network: Network, picture: Tensor, way: str, wanted: str
) -> tuple[list[float], int, Tensor]:
    """The probabilities, the output that is explained, and the evidence (h, w) for it."""
    model, scaler = network.model, network.dataset.scaler
    outputs = model(scaler(picture.unsqueeze(0))).detach()
    shares: list[float] = losses.answer(network.run.project.task, outputs)[0].tolist()
    output = int(wanted) if wanted else int(outputs[0].argmax())
    if way == "gradient":
        return shares, output, saliency.gradient_times_pixel(model, scaler, picture, output)
    side = max(1, picture.shape[0] // COVER)
    covered = saliency.occlusion(model, scaler, picture, output, side, max(1, side // 2))
    return shares, output, covered


def _show(pixels: tints.Pixels, alt: str) -> None:
    st.image(tints.larger(pixels, SHOWN), width=SHOWN, alt=alt)
