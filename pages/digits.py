"""MNIST digits: see the data, build a network, train it, test it, draw for it."""

import streamlit as st
import torch

from playground.data import drawings
from playground.errors import PlaygroundError
from playground.projects import project
from playground.service import Run
from playground.ui import charts, evaluation, language, pictures
from playground.ui.controls import Panel
from playground.ui.download import offer_mnist
from playground.ui.draw_pad import clear, draw_pad
from playground.ui.language import _
from playground.ui.project_page import begin, project_page
from playground.ui.workbench import predictor_or_message

DIGITS = project("digits")
NAMES = DIGITS.labels
begin(DIGITS)
own = pictures.OwnPictures("digits")


def data(panel: Panel, run: Run) -> None:
    language.prose("digits", "data")
    options, samples = st.columns([1, 2.4], gap="medium")
    with options:
        panel.show("source", "examples", "european", "strokes", "own_copies")
        offer_mnist()
    with samples:
        try:
            dataset = run.dataset()
        except PlaygroundError as error:
            st.error(error.text(_), icon=":material/error:")
            return
        st.markdown(
            _(
                "In use: **{source}**. Train {train}, validation {validation}, test {test}.",
                source=_(panel.fields()["source"].choice_labels[dataset.source]),
                train=language.number(len(dataset.train)),
                validation=language.number(len(dataset.validation)),
                test=language.number(len(dataset.test)),
            )
        )
        # A fixed, even walk through the training data: all classes and both handwritings.
        which = torch.linspace(0, len(dataset.train) - 1, 24).long()
        inputs, targets = dataset.train[which]
        pictures.grid(inputs, [NAMES[int(t)] for t in targets], _("Training picture"))
        counts = torch.bincount(dataset.train.targets, minlength=10).tolist()
        charts.columns(NAMES, counts, _("digit"), _("training examples"), "digits.counts", 170)
        st.subheader(_("Your own drawings"), anchor=False)
        own.show(NAMES, run, st.session_state.get("digits.before"))


def try_it(run: Run) -> None:
    drawing = draw_pad("digits.pad")
    try:
        picture = drawings.prepare(drawing)
    except drawings.EmptyDrawing:
        st.info(
            _("Draw a digit, as you write it. The network answers after each stroke."),
            icon=":material/draw:",
        )
        return
    predictor = predictor_or_message(run)
    if predictor is None:
        return
    answer = predictor.answer(picture)
    seen, said = st.columns([1, 2], vertical_alignment="center")
    seen.image(pictures.enlarged(picture, 84), width=84, alt=_("The 28×28 picture"))
    said.markdown(f"### {answer.label}")
    said.caption(_("What the network sees: 28×28 pixels, cropped and centred."))
    charts.probability_bars(answer.probabilities, {}, "digits.bars")
    keep(picture)


def keep(picture: torch.Tensor) -> None:
    """„It was a …": keep the drawing as an example for the next training."""

    def remember() -> None:
        label = st.session_state["digits.was"]
        if label is not None:
            own.add(picture, int(label))
            clear("digits.pad")
            st.session_state["digits.was"] = None
            st.toast(_("Kept. It joins the training data at the next Train."))

    st.pills(
        _("It was a …"),
        NAMES,
        key="digits.was",
        on_change=remember,
        wrap=True,
        help=_("Keep this drawing as an example of your own handwriting."),
    )


def evaluate(run: Run) -> None:
    result = evaluation.tested(run)
    if result is not None:
        evaluation.classification(result, NAMES)


project_page(DIGITS, try_it=try_it, data=data, evaluate=evaluate, own=own.examples())
