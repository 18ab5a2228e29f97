"""Try it with a picture: draw, upload or photograph one, and see what the network says."""

from __future__ import annotations

from typing import Any

import streamlit as st
from torch import Tensor

from playground import data_url
from playground.data.drawings import EmptyDrawing, has_ink
from playground.data.pictures import ENDINGS
from playground.errors import PlaygroundError
from playground.runtime.run import Run
from playground.ui.charts import vega
from playground.ui.project import workbench
from playground.ui.project.verdict import GUESSING, verdict
from playground.ui.project.workbench import predictor_or_message
from playground.ui.shell import browser
from playground.ui.shell.language import _
from playground.ui.shell.problems import plain
from playground.ui.shell.widget_state import bind
from playground.ui.widgets import own_pictures
from playground.ui.widgets.draw_pad import clear, draw_pad


def tried(run: Run) -> Tensor | None:
    """The picture that the network was last shown here (h, w), if it is there and still fits."""
    picture: Tensor | None = st.session_state.get(f"{run.project.name}.tried")
    fits = picture is not None and tuple(picture.shape) == run.project.input_shape(run.recipe)
    return picture if fits else None


def drawn(name: str) -> Any:
    """A canvas; what is on it (H, W, 4), or None as long as there is no ink."""
    st.session_state[f"{name}.tried"] = None
    drawing = draw_pad(f"{name}.pad")
    return drawing if has_ink(drawing) else None


def photographed(name: str, way: str) -> Any:
    """A file or a camera picture, upright; None (and why, if it cannot be read) without one."""
    st.session_state[f"{name}.tried"] = None
    if way == "camera":
        file = st.camera_input(_("Take a photo"), key=f"{name}.try.camera")
        st.caption(_("No camera, or the browser blocks it? Choose a file or draw instead."))
    else:
        file = st.file_uploader(_("A picture"), type=ENDINGS, key=f"{name}.try.file")
    if file is None:
        return None
    picture = own_pictures.photo(file.getvalue(), file.name)
    if picture is not None:
        st.image(picture, width=160, alt=_("Your picture"))
    return picture


def ask_about(raw: Any, run: Run, own: own_pictures.OwnPictures, seen_as: str) -> None:
    """What the network sees of ``raw``, its answer and all probabilities; „It was a …".

    ``seen_as`` says how the picture was prepared.
    """
    name = run.project.name
    try:
        picture = run.project.encode(raw, run.recipe)
    except EmptyDrawing as error:
        st.info(plain(error.text(_)))
        return
    except PlaygroundError as error:
        st.error(plain(error.text(_)), icon=":material/broken_image:")
        return
    st.session_state[f"{name}.tried"] = picture
    predictor = predictor_or_message(run)
    if predictor is None:
        return
    answer = predictor.answer(picture)
    assert answer.label is not None
    assert answer.probabilities is not None
    names = dict(zip(run.project.labels, own.names, strict=True))
    seen, said = st.columns([1, 2], vertical_alignment="center", wrap=False)
    shown = data_url.png(own_pictures.enlarged(picture, 84))
    seen.image(shown, width=84, alt=_("What the network sees"))
    said.markdown(verdict(answer.probabilities, names, run.trained))
    said.caption(seen_as if run.trained else _(GUESSING))
    browser.say_answer(names[answer.label], answer.probabilities[answer.label])
    vega.probability_bars(answer.probabilities, names, f"{name}.bars")

    def keep() -> None:
        label = st.session_state[f"{name}.was"]
        if label is not None:
            own.add(raw, run.project.labels.index(label))
            clear(f"{name}.pad")
            st.session_state[f"{name}.was"] = None
            # The Data tab shows it, and the next run learns from it.
            workbench.refresh_page(_("Saved. It will be used the next time you press Train."))

    st.pills(
        _("It was a …"),
        run.project.labels,
        format_func=names.__getitem__,
        wrap=True,
        help=_("Save it as an example: the next training learns from it too."),
        **bind(f"{name}.was", then=keep),
    )
