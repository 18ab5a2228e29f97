"""What all views into a network share: the network as it is now, and what was seen before."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

import streamlit as st
from torch import Tensor, nn

from playground.data.dataset import Dataset
from playground.insight.anatomy import Stage
from playground.insight.layer_stats import Measured
from playground.insight.surgery import Edit
from playground.insight.throttle import Throttle
from playground.projects.base import Input
from playground.projects.table import TableProject
from playground.runtime.run import Run, StepDelta
from playground.ui.shell import language
from playground.ui.shell.language import _

KEPT: Final = 120  # measurements of one run that the session keeps, the latest ones

T = TypeVar("T")


@dataclass
class Look:
    """What the session keeps as long as it looks into one run."""

    run: Run
    paces: dict[str, Throttle] = field(default_factory=dict)
    samples: deque[Measured] = field(default_factory=lambda: deque(maxlen=KEPT))
    edits: tuple[Edit, ...] = ()
    patient: Network | None = None  # the network that they are made to

    @classmethod
    def at(cls, run: Run) -> Look:
        """The present one, or a new one for a new run."""
        key = f"{run.project.name}.inside.look"
        found: Look | None = st.session_state.get(key)
        if found is None or found.run is not run:
            found = st.session_state[key] = cls(run)
        return found


@dataclass(frozen=True)
class Network:
    """The run's network at one moment, as a copy."""

    look: Look
    model: nn.Sequential
    dataset: Dataset
    step: int  # how many steps it has learned
    move: StepDelta | None
    subject: object  # another one when the weights are others

    @classmethod
    def of(cls, run: Run, dataset: Dataset) -> Network:
        published = run.published()
        if published.weights is None:
            model = run.project.build(run.recipe)
        else:
            model = run.project.skeleton(run.recipe)
            copied = {name: tensor.clone() for name, tensor in published.weights.items()}
            model.load_state_dict(copied, assign=True)
        return cls(
            Look.at(run), model.eval(), dataset, published.step, published.move, published.weights
        )

    @property
    def run(self) -> Run:
        return self.look.run

    @property
    def name(self) -> str:
        """What the view's keys begin with."""
        return f"{self.run.project.name}.inside"

    def paced(self, what: str, question: object, work: Callable[[], T]) -> tuple[T, int]:
        """The result of ``work``, as fresh as it may be without slowing the training.

        Also after how many steps the network was that it belongs to.
        """
        pace = self.look.paces.setdefault(what, Throttle())
        return pace(question, self.subject, lambda: (work(), self.step), hurry=not self.run.active)


def stage_names(parts: list[Stage]) -> list[str]:
    """Convolution 1, hidden layer 1, output."""
    names = []
    for stage in parts:
        if stage is parts[-1]:
            names.append(_("Output"))
        elif stage.kind == "conv":
            names.append(_("Convolution {n}", n=stage.number))
        else:
            convolutions = sum(one.kind == "conv" for one in parts)
            names.append(_("Hidden layer {n}", n=stage.number - convolutions))
    return names


def output_names(run: Run) -> list[str]:
    """What each output is called: its class, "yes", or the answer itself."""
    project = run.project
    if project.task == "regression":
        return [_("answer")]
    labels = project.labels if project.task == "classification" else project.labels[1:]
    return [_(project.label_names.get(label, label)) for label in labels]


def input_name(one: Input) -> str:
    """What the reader calls one input of a network."""
    label = one.label
    return _(label, **one.values)


def column_names(run: Run) -> list[str]:
    """What each encoded column of a table is called: „Cup size: small" for a choice."""
    names = []
    for one in run.project.inputs(run.recipe):
        options = [_(option) for option in one.options] if one.width > 1 else []
        names += [f"{input_name(one)}: {option}" for option in options] or [input_name(one)]
    return names


def asked(run: Run) -> Tensor | None:
    """The row that is set where one tries the network (features,); None where there is none."""
    project = run.project
    if not isinstance(project, TableProject):
        return None
    keys = {column.name: f"{project.name}.ask.{column.name}" for column in project.encoder.columns}
    if any(key not in st.session_state for key in keys.values()):
        return None
    return project.encoder.encode({name: st.session_state[key] for name, key in keys.items()})


def short(value: float) -> str:
    """Three digits, whatever the size: 12.3, 0.012, 1.2·10⁻⁵."""
    if not value or not math.isfinite(value):
        return language.number(value)
    power = math.floor(math.log10(abs(value)))
    if -4 < power < 4:
        return language.number(value, max(0, 2 - power))
    raised = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{language.number(value / 10.0**power, 1)}·10{raised}"
