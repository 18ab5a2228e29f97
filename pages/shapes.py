"""Circle, square, triangle: pictures that a person draws, photographs or uploads."""

from typing import Any, cast

import streamlit as st
import torch

from playground.projects import project
from playground.projects.picture import PictureProject
from playground.runtime.run import Run
from playground.ui.charts import vega
from playground.ui.project import evaluation
from playground.ui.project.baselines import comparison
from playground.ui.project.page import begin, project_page
from playground.ui.project.try_picture import ask_about, drawn, photographed
from playground.ui.project.workbench import dataset_or_message, sizes
from playground.ui.shell import language
from playground.ui.shell.language import _
from playground.ui.shell.parts import part
from playground.ui.shell.widget_state import bind
from playground.ui.widgets import own_pictures
from playground.ui.widgets.controls import Panel

SHAPES = cast(PictureProject, project("shapes"))
begin(SHAPES)
own = own_pictures.OwnPictures(SHAPES)


def data(panel: Panel, run: Run) -> None:
    language.prose("shapes", "data")
    options, samples = st.columns([1, 2.4], gap="medium")
    with options:
        panel.show("examples", "size", "wobble", "filled", "photo", "own_copies")
    with samples, part(_("Examples")):
        dataset = dataset_or_message(run)
        if dataset is None:
            return
        sizes(dataset)
        own_pictures.samples(dataset.train, own.names)
        counts = torch.bincount(dataset.train.targets, minlength=3).tolist()
        vega.columns(own.names, counts, _("shape"), _("training examples"), "shapes.counts", 190)
    st.header(_("Your own pictures"), anchor=False)
    own.upload()
    own.show(run, st.session_state.get("shapes.before"))


def try_it(run: Run) -> None:
    ways = {"draw": _("Draw"), "photo": _("File"), "camera": _("Camera")}
    way = st.segmented_control(
        _("How"),
        list(ways),
        format_func=ways.__getitem__,
        required=True,
        label_visibility="collapsed",
        **bind("shapes.way", "draw"),
    )
    picture: Any = drawn("shapes") if way == "draw" else photographed("shapes", way)
    if picture is None:
        st.info(
            _("Show it a circle, a square or a triangle: draw it, choose a file or take a photo."),
            icon=":material/draw:",
        )
        return
    ask_about(
        picture,
        run,
        own,
        _("What the network sees: just the shape, stretched to fill the square."),
    )


def evaluate(run: Run) -> None:
    result = evaluation.tested(run)
    if result is not None:
        evaluation.classification(result, own.names)
        # Each baseline sees the pixels as a list of numbers, of at most 2,000 pictures.
        comparison(result)


project_page(SHAPES, try_it=try_it, data=data, evaluate=evaluate, own=own.examples)
