"""A network or a recipe as a file: to take away, and to bring back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from playground import models
from playground.data.dataset import Examples
from playground.errors import PlaygroundError
from playground.export import onnx_file, weights
from playground.export.weights import SavedNetwork, WeightsError
from playground.i18n import N_
from playground.projects import PROJECTS
from playground.recipe import Recipe
from playground.runtime.run import Run
from playground.ui.project.workbench import predictor_or_message, take_over
from playground.ui.shell import language
from playground.ui.shell.frame import runs, service
from playground.ui.shell.language import _
from playground.ui.shell.problems import plain
from playground.ui.widgets import share_link
from playground.ui.widgets.controls import Panel

Own = Callable[[Recipe], Examples | None]

# Runs as it stands beside the files; the inputs are two blank ones.
READING: Final = """\
import json
import numpy as np
import onnxruntime
from safetensors import safe_open

with safe_open("{name}.safetensors", "np") as file:
    recipe = json.loads(file.metadata()["recipe"])
    weights = {{key: file.get_tensor(key) for key in file.keys()}}

session = onnxruntime.InferenceSession("{name}.onnx")
inputs = np.zeros({shape}, np.{dtype})
(answers,) = session.run(None, {{"input": inputs}})  # {answer}
"""


def offer(run: Run, panel: Panel, own: Own) -> None:
    """Files to download, the upload that reads them back, and the page's link.

    ``own`` gives the student's own examples for a recipe.
    """
    take, bring = st.columns(2, gap="medium")
    with take:
        st.header(_("Take the network with you"), anchor=False)
        _take(run)
    with bring:
        st.header(_("Bring it back"), anchor=False)
        _bring(panel, own)
    share_link.link(panel)


def _take(run: Run) -> None:
    """What is downloaded is made at the click, from the network as it is then."""
    name = run.project.name

    def safetensors() -> bytes:
        # While it trains, the figures may be newer than the weights.
        snapshot = run.snapshot()
        return weights.save(run.predictor(), None if snapshot.active else snapshot.history)

    def onnx() -> bytes:
        return onnx_file.save(run.predictor())

    def recipe() -> bytes:
        return weights.to_json(run.recipe)

    predictor = predictor_or_message(run)
    files = (
        (_("Weights"), safetensors, "safetensors", _WEIGHTS),
        (_("ONNX"), onnx, "onnx", _ONNX),
        (_("Recipe"), recipe, "json", _RECIPE),
    )
    for label, made, ending, sentence in files:
        button, caption = st.columns([1, 3], vertical_alignment="center", wrap=False)
        button.download_button(
            label,
            made,
            f"{name}.{ending}",
            "application/json" if ending == "json" else "application/octet-stream",
            icon=":material/download:",
            key=f"{name}.keep.{ending}",
            on_click="ignore",
            disabled=predictor is None and ending != "json",
            width="stretch",
        )
        caption.caption(_(sentence))
    if predictor is None:
        return
    size = 4 * models.parameters(predictor.model)  # bytes of float32
    if size > weights.MAX_BYTES:
        st.caption(
            _(
                "This network is {size} MB; this page can only load files up to {limit} MB.",
                size=language.number(size / 2**20),
                limit=weights.MAX_BYTES // 2**20,
            )
        )
    with st.expander(_("Read the files in Python"), icon=":material/code:"):
        st.code(reading(run), "python")


_WEIGHTS: Final = N_(
    "All weights and biases as they are now (.safetensors), with the recipe inside. This page can "
    "load it again, and so can PyTorch."
)
_ONNX: Final = N_(
    "The same network for other programs (.onnx): it takes raw inputs and gives the answers that "
    "you see here."
)
_RECIPE: Final = N_(
    "Every setting of this run (.json). Anyone who has it can train the same network again."
)


def reading(run: Run) -> str:
    """A few lines of Python that open both files."""
    project = run.project
    answer = onnx_file.ANSWERS[project.task]
    return READING.format(
        name=project.name,
        shape=(2, *project.input_shape(run.recipe)),
        dtype="uint8" if project.pictures else "float32",
        answer=f"{answer}: {', '.join(project.labels)}" if project.labels else answer,
    )


def _bring(panel: Panel, own: Own) -> None:
    name = panel.project.name
    key = f"{name}.keep.file"
    result = f"{name}.keep.result"  # what the last file was: an error, or what was in it

    def read() -> None:
        file = st.session_state[key]
        st.session_state[result] = None
        if file is None:
            return
        try:
            found = _of(panel, weights.read(file.getvalue()))
        except PlaygroundError as error:
            st.session_state[result] = error
            return
        recipe = found.recipe if isinstance(found, SavedNetwork) else found
        panel.apply(recipe)
        st.session_state[panel.key("preset")] = None
        if isinstance(found, SavedNetwork):
            service().stop(runs()[name])
            take_over(Run.restored(panel.project, recipe, found.weights, found.scaler, own(recipe)))
        st.session_state[result] = found

    st.file_uploader(
        _("A file that was saved here: .safetensors or .json"), key=key, on_change=read
    )
    found = st.session_state.get(result)
    if isinstance(found, PlaygroundError):
        st.error(plain(found.text(_)), icon=":material/report:")
    elif isinstance(found, Recipe):
        st.success(
            _("Settings loaded. Press Train to train the network from scratch."),
            icon=":material/check:",
        )
    elif isinstance(found, SavedNetwork) and runs()[name].from_file:
        st.success(
            _(
                "The network is here, with {n} weights and biases: try it above.",
                n=language.number(runs()[name].parameters),
            ),
            icon=":material/check:",
        )
        _claimed(panel, found)
    else:
        st.caption(
            _(
                "A .safetensors file brings network and settings back, a .json file the settings. "
                "Files are never executed, so files from others are safe."
            )
        )


def _of(panel: Panel, found: SavedNetwork | Recipe) -> SavedNetwork | Recipe:
    """``found``, if it belongs on this page."""
    recipe = found.recipe if isinstance(found, SavedNetwork) else found
    if recipe.project != panel.project.name:
        raise WeightsError(
            N_("This file is for the project “{title}”. Load it on that project's page."),
            title=_(PROJECTS[recipe.project].title),
        )
    return found


def _claimed(panel: Panel, kept: SavedNetwork) -> None:
    """What the file says about its network; nobody here has measured it."""
    if kept.figures is None:
        return
    metric = panel.project.metric
    name, label = metric.name, metric.label
    said = kept.figures.validation
    parts = [_("loss {value}", value=language.number(said["loss"], 4))] if "loss" in said else []
    if name in said:
        value = said[name]
        shown = language.percent(value, 2) if metric.share else language.number(value, 3)
        parts.append(f"{_(label).lower()} {shown}")
    st.caption(
        _(
            "The file says that after epoch {epoch} its validation results were {figures}. Under "
            "“Test” you can measure it yourself.",
            epoch=kept.figures.epoch,
            figures=", ".join(parts),
        )
    )
