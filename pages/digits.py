"""MNIST digits: see the data, build a network, train it, test it, draw for it."""

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
from playground.ui.project.try_picture import ask_about, drawn
from playground.ui.project.workbench import dataset_or_message, sizes
from playground.ui.shell import language
from playground.ui.shell.language import _
from playground.ui.shell.parts import part
from playground.ui.widgets import own_pictures
from playground.ui.widgets.controls import Panel
from playground.ui.widgets.mnist_download import offer_mnist

DIGITS = cast(PictureProject, project("digits"))
begin(DIGITS)
own = own_pictures.OwnPictures(DIGITS)


def data(panel: Panel, run: Run) -> None:
    language.prose("digits", "data")
    options, samples = st.columns([1, 2.4], gap="medium")
    with options:
        panel.show("source", "examples", "european", "strokes", "own_copies")
        offer_mnist()
    with samples, part(_("Examples")):
        dataset = dataset_or_message(run)
        if dataset is None:
            return
        source = panel.by_name["source"].choice_labels[dataset.source]
        st.markdown(_("In use: **{source}**", source=_(source)))
        sizes(dataset)
        drawn_ones = cast(int, run.recipe.data["strokes"]) if run.recipe.data["european"] else 0
        if drawn_ones:
            st.caption(
                _(
                    "A program drew {n} of the training examples, the way Poles write digits. It "
                    "draws 1 and 7 most often, because they differ most from MNIST's.",
                    n=language.number(drawn_ones),
                )
            )
        own_pictures.samples(dataset.train, own.names)
        counts = torch.bincount(dataset.train.targets, minlength=10).tolist()
        vega.columns(own.names, counts, _("digit"), _("training examples"), "digits.counts", 190)
        st.header(_("Your own drawings"), anchor=False)
        own.show(run, st.session_state.get("digits.before"))


def try_it(run: Run) -> None:
    drawing: Any = drawn("digits")
    if drawing is None:
        st.info(
            _("Draw a digit the way you write it. The network answers after every stroke."),
            icon=":material/draw:",
        )
        return
    ask_about(drawing, run, own, _("What the network sees: 28×28 pixels, cropped and centred."))


def evaluate(run: Run) -> None:
    result = evaluation.tested(run)
    if result is not None:
        evaluation.classification(result, own.names)
        # Each baseline sees the pixels as a list of numbers, of at most 2,000 pictures.
        comparison(result)


project_page(DIGITS, try_it=try_it, data=data, evaluate=evaluate, own=own.examples)
