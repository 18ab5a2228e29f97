"""Hints below the charts: what the run's numbers say, and a button that moves the sliders."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import streamlit as st
from torch import nn

from playground.fields import Value
from playground.insight.hints import (
    Hint,
    Measured,
    Setting,
    Share,
    Situation,
    Standing,
    constant,
    hints,
    measure,
    steady,
)
from playground.recipe import FIELDS, Recipe
from playground.runtime.run import Run, Snapshot
from playground.ui.charts.vega import Line
from playground.ui.shell import language
from playground.ui.shell.language import _
from playground.ui.widgets.controls import Panel
from playground.ui.widgets.recipe_words import exact, layers, written

ICONS: Final = {"alarm": "trending_up", "advice": "lightbulb", "praise": "flag"}
LIVE: Final = {"learning_rate", "weight_decay"}  # a run that goes on takes these at its next step


@dataclass(frozen=True)
class _Seen:
    """What was measured on a run as it stood; kept in the session with that state."""

    run: Run
    steps: int
    over: bool  # early stopping changes the weights once more without a step
    measured: Measured


@dataclass(frozen=True)
class _Blind:
    """What one and the same answer gets on a run's data."""

    run: Run
    figures: Mapping[str, float]


def show(
    panel: Panel,
    recipe: Recipe,
    run: Run,
    snapshot: Snapshot,
    lines: Mapping[str, Sequence[Line]],
    draw_page: Callable[[str], None],
    anew: Callable[[], None],
) -> None:
    """At most two hints about ``snapshot``, each with its button.

    ``recipe`` is what the sliders say now and ``lines`` are the charts' lines to compare
    with. ``draw_page(message)`` makes the sliders follow, and says ``message``. ``anew()``
    trains a new network with them.
    """
    if not snapshot.history.steps or snapshot.state == "failed" or not run.loaded:
        return
    for hint in _standing(run, snapshot, lines):
        _say(hint)
        # A teacher's link may hide a control: it stays as the lesson wants it.
        if hint.changes and all(panel.shows(name) for name in hint.changes):
            _offer(hint, panel, recipe, snapshot, draw_page, anew)


def _standing(run: Run, snapshot: Snapshot, lines: Mapping[str, Sequence[Line]]) -> Sequence[Hint]:
    """What is said, so that it stays while the run goes on."""
    situation = situation_of(run, snapshot, lines)
    key = f"{run.project.name}.hints.standing"
    known: tuple[Run, Standing] | None = st.session_state.get(key)
    before = known[1] if known is not None and known[0] is run else Standing()
    now = steady(before, hints(situation), situation.stage)
    st.session_state[key] = (run, now)
    return now.hints


def situation_of(run: Run, snapshot: Snapshot, lines: Mapping[str, Sequence[Line]]) -> Situation:
    """What the hints are found from."""
    project = run.project
    best = {name: line.value for name, row in lines.items() for line in row if line.best}
    methods = {
        name: {line.label: line.value for line in row if not line.best}
        for name, row in lines.items()
    }
    return Situation(
        snapshot.recipe,
        snapshot.history,
        project.task,
        "over" if snapshot.over else "running" if snapshot.active else "paused",
        _blind(run),
        best,
        methods,
        None if snapshot.active else _measured(run, snapshot),
        [project.label_names.get(label, label) for label in project.labels],
    )


def _blind(run: Run) -> Mapping[str, float]:
    key = f"{run.project.name}.hints.blind"
    known: _Blind | None = st.session_state.get(key)
    if known is None or known.run is not run:
        figures = constant(run.dataset(), run.recipe, len(run.project.labels))
        known = st.session_state[key] = _Blind(run, figures)
    return known.figures


def _measured(run: Run, snapshot: Snapshot) -> Measured:
    """The network on some validation examples, measured once for each state of a run."""
    key = f"{run.project.name}.hints.seen"
    seen: _Seen | None = st.session_state.get(key)
    state = (run, snapshot.history.steps, snapshot.over)
    if seen is None or (seen.run, seen.steps, seen.over) != state:
        model = cast(nn.Sequential, run.predictor().model)
        seen = st.session_state[key] = _Seen(*state, measure(model, run.dataset()))
    return seen.measured


def _say(hint: Hint) -> None:
    values = {name: value_in_words(value) for name, value in hint.values.items()}
    text = _(hint.sentence, **values)
    box = {"alarm": st.error, "advice": st.info, "praise": st.success}[hint.tone]
    box(text, icon=f":material/{ICONS[hint.tone]}:")


def value_in_words(value: int | float | str) -> str:
    """One piece of evidence as the reader writes it."""
    if isinstance(value, str):
        return _(value)
    if isinstance(value, Share):
        return language.percent(value)
    if isinstance(value, Setting):
        return exact(value)
    if isinstance(value, int):
        return language.number(value)
    return language.number(value, _digits(value))


def _digits(value: float) -> int:
    """Decimals that show three significant digits, the zeros in front not counted."""
    return max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0


def _offer(
    hint: Hint,
    panel: Panel,
    recipe: Recipe,
    snapshot: Snapshot,
    draw_page: Callable[[str], None],
    anew: Callable[[], None],
) -> None:
    """The button that makes the change, and from when on it counts."""
    said = ", ".join(setting_in_words(name, value) for name, value in hint.changes.items())
    later = _("Takes effect the next time you press Train or Reset.")
    if not snapshot.over and set(hint.changes) <= LIVE:
        later = _("Takes effect from the next step.")

    def apply() -> None:
        for name, value in hint.changes.items():
            panel.set(name, value)
        draw_page(f"{said}. {later}")

    now = recipe.to_dict()
    done = all(now[name] == value for name, value in hint.changes.items())
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            said,
            icon=":material/check:" if done else ":material/tune:",
            key=f"{panel.project.name}.hint.{hint.rule}",
            disabled=done,
            on_click=apply,
            help=_("Moves the sliders to these values; nothing is started."),
        )
        st.caption(_("Done.") + " " + later if done else later, width="content")
        if snapshot.over or not set(hint.changes) <= LIVE:

            def train() -> None:
                apply()
                anew()

            st.button(
                _("Train from scratch"),
                icon=":material/restart_alt:",
                key=f"{panel.project.name}.anew.{hint.rule}",
                on_click=train,
                help=_("Moves the sliders to these values and trains a new network with them."),
            )


def setting_in_words(name: str, value: Value) -> str:
    """A setting with its new value: "Learning rate: 0.003"."""
    if name == "hidden" and isinstance(value, tuple):
        return layers(value)
    field = FIELDS[name]
    return f"{_(field.label)}: {written(field, value)}"
