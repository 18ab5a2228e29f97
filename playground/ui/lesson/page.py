"""What the pages of the lesson share: a question, dials, things to try, a self-check."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from playground import prose
from playground.fields import Field
from playground.projects import PROJECTS
from playground.ui.shell import frame, language
from playground.ui.shell.language import _
from playground.ui.shell.widget_state import bind
from playground.ui.widgets.controls import Dials

ANSWER: Final = re.compile(r"- \[(?P<mark>[ x])\] (?P<text>.+?) :: (?P<why>.+)")


@dataclass(frozen=True)
class Choice:
    """One answer of the self-check, and why it is right or wrong."""

    text: str
    why: str
    right: bool


@dataclass(frozen=True)
class Question:
    """A question of the self-check, and its answers to choose from."""

    text: str
    choices: tuple[Choice, ...]


def questions(markdown: str) -> list[Question]:
    """The self-check of a page, written as a heading a question and a task list of answers.

    Raises:
        ValueError: a line that is neither, or a question without exactly one right answer.
    """
    found: list[tuple[str, list[Choice]]] = []
    for line in filter(None, markdown.splitlines()):
        answer = ANSWER.fullmatch(line)
        if line.startswith("### "):
            found.append((line[4:], []))
        elif answer and found:
            found[-1][1].append(Choice(answer["text"], answer["why"], answer["mark"] == "x"))
        else:
            raise ValueError(f"neither a question nor an answer: {line}")
    for text, choices in found:
        if sum(choice.right for choice in choices) != 1:
            raise ValueError(f"not exactly one right answer: {text}")
    return [Question(text, tuple(choices)) for text, choices in found]


def begin(stem: str, question: str, fields: Iterable[Field]) -> Dials:
    """Begin the page ``pages/{stem}.py``: its title, its ``question``, and its dials."""
    title = next(title for name, title, _icon in frame.PAGES[frame.LESSON_PAGES] if name == stem)
    frame.page(title, question)
    return Dials(stem, fields)


def views(dials: Dials, name: str) -> str:
    """Which sub-topic is shown: the choice field ``name`` as a row of buttons."""
    field = dials.by_name[name]
    labels = {choice: _(field.choice_labels[choice]) for choice in field.choices}
    st.segmented_control(
        _(field.label),
        field.choices,
        format_func=labels.__getitem__,
        required=True,
        label_visibility="collapsed",
        **bind(dials.key(name)),
    )
    return str(dials[name])


def finish(stem: str, dials: Dials) -> None:
    """End it: what to try, the self-check, the project where it matters, the next lesson."""
    with st.container(key="lesson"):  # by which style.css knows a lesson
        st.divider()
    sections = prose.sections(stem, language.current())
    trying, checking = st.columns(2, gap="large")
    with trying:
        st.header(_("Try"), anchor=False)
        st.markdown(sections["try"])
        _links(stem)
    with checking:
        st.header(_("Check yourself"), anchor=False)
        for number, question in enumerate(questions(sections["check"])):
            _ask(question, dials.key(f"check.{number}"))
    dials.write()


def _ask(question: Question, key: str) -> None:
    """One question; whatever is chosen is explained."""
    labels = {place: choice.text for place, choice in enumerate(question.choices)}
    st.radio(
        question.text,
        list(labels),
        index=None,
        format_func=labels.__getitem__,
        **bind(key),
    )
    place = st.session_state[key]
    if place is not None:
        choice = question.choices[place]
        if choice.right:
            st.success(choice.why, icon=":material/check:")
        else:
            st.warning(choice.why, icon=":material/undo:")


def _links(stem: str) -> None:
    pages = frame.PAGES[frame.LESSON_PAGES]
    place = [name for name, _title, _icon in pages].index(stem)
    for project in PROJECTS.values():
        if stem in project.lessons:
            st.page_link(
                f"pages/{project.name}.py",
                label=_("See it at work: {project}", project=_(project.title)),
                icon=":material/experiment:",
            )
    if place + 1 < len(pages):
        name, title, _icon = pages[place + 1]
        st.page_link(
            f"pages/{name}.py",
            label=_("Next: {title}", title=_(title)),
            icon=":material/arrow_forward:",
        )


def stepper(dials: Dials, name: str, labels: Sequence[str]) -> int:
    """Walk through ``labels`` by buttons or a slider; returns the place, counted from 0.

    ``name`` is an integer field; a place beyond the last label (the steps have become
    fewer since) counts as the last.
    """
    last = len(labels) - 1
    place = min(int(dials[name]), last)

    def go(to: int) -> None:
        dials.set(name, to)

    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.button(
        _("Back"),
        icon=":material/chevron_left:",
        key=f"{dials.key(name)}.back",
        on_click=go,
        args=(place - 1,),
        disabled=place == 0,
    )
    slide = row.container()
    row.button(
        _("Next"),
        icon=":material/chevron_right:",
        icon_position="right",
        key=f"{dials.key(name)}.next",
        on_click=go,
        args=(place + 1,),
        disabled=place == last,
    )
    if last > 0:
        dials.set(name, place)
        slide.slider(labels[place], 0, last, **bind(dials.key(name)))
    return place
