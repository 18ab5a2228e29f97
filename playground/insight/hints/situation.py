"""The facts that the rules judge, and the few figures that several of them need."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Final, Literal

import numpy as np

from playground.data.dataset import Task
from playground.fields import Value
from playground.history import EpochRow, History
from playground.insight.hints.measure import Measured
from playground.metrics import PRIMARY, is_share
from playground.recipe import Recipe

Stage = Literal["running", "paused", "over"]
Tone = Literal["alarm", "advice", "praise"]


class Share(float):
    """A number 0..1 to be written as a percentage."""


class Setting(float):
    """A number that somebody has set, to be written with all its digits."""


@dataclass(frozen=True)
class Hint:
    """One sentence about a run, and the settings that would help.

    ``sentence`` is a gettext id whose ``{named}`` places ``values`` fill: an ``int`` is a
    count, a :class:`Share` a percentage, a :class:`Setting` a slider's number, any other
    ``float`` wants three significant digits, and a ``str`` is itself a gettext id.
    ``changes`` are recipe fields with their new values; empty where there is nothing to
    change.
    """

    rule: str
    sentence: str
    values: Mapping[str, int | float | str]
    changes: Mapping[str, Value] = field(default_factory=dict)
    tone: Tone = "advice"


# Of the blind figure. A shorter way is none: the two may be the same figure, summed up in two
# kinds of floats, and the rules divide by its length.
LEAST_WAY: Final = 1e-3


@dataclass(frozen=True)
class Goal:
    """A figure on the validation set between what ignoring the inputs gets and the best known."""

    figure: str  # "loss", "accuracy" or "mae"
    blind: float
    best: float
    method: str = ""  # the simple method that reached ``best``; "": the best possible

    @property
    def worth(self) -> bool:
        """Is ``best`` so much better than ``blind`` that there is a way to go?"""
        gain = self.best - self.blind if is_share(self.figure) else self.blind - self.best
        return gain > LEAST_WAY * abs(self.blind)

    def left(self, value: float) -> float:
        """How much of the way is still to go: 1 as good as blind, 0 as good as the best."""
        return (value - self.best) / (self.blind - self.best)


@dataclass(frozen=True)
class Trend:
    """How the batch loss came down: means over a tenth of the steps, half way and at the end.

    ``share`` is the part of the whole fall that came in the second half. ``sure``: it is no
    matter of which examples were drawn, for it is more than three standard errors, or the
    validation loss (always of the same examples) fell in each of the last epochs.
    """

    start: float
    middle: float
    end: float
    share: float
    sure: bool


# Below and above these, a learning rate is unusual for its optimizer: PyTorch's default is
# 0.001 for Adam, AdamW and 0.01 for RMSprop; SGD needs about ten times as much as Adam, and
# momentum 0.9 multiplies a step by up to ten. The projects' own recipes lie inside.
USUAL: Final[Mapping[str, tuple[float, float]]] = {
    "sgd": (0.01, 1.0),
    "momentum": (0.001, 0.1),
    "nesterov": (0.001, 0.1),
    "rmsprop": (0.0003, 0.03),
    "adam": (0.0003, 0.05),
    "adamw": (0.0003, 0.05),
}


@dataclass(frozen=True)
class Situation:
    """A run at one moment, in plain numbers.

    ``blind``: figures on the validation set of one and the same answer to everything, see
    ``measure.constant``. ``best``: figures of the best that any model could expect, where
    that is known. ``methods``: by figure, what simple methods reach on the validation set.
    ``measured`` is None while the run trains. ``labels`` are names (gettext ids) by class.
    """

    recipe: Recipe
    history: History
    task: Task
    stage: Stage = "over"
    blind: Mapping[str, float] = field(default_factory=dict)
    best: Mapping[str, float] = field(default_factory=dict)
    methods: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    measured: Measured | None = None
    labels: Sequence[str] = ()

    @property
    def figure(self) -> str:
        return PRIMARY[self.task].name

    @property
    def examples(self) -> int:
        """How many validation examples there are."""
        return int(self.history.data.get("validation", 0))

    @property
    def training_examples(self) -> int:
        return int(self.history.data.get("train", 0))

    @property
    def last(self) -> EpochRow | None:
        """The epoch whose weights the network has: with patience, in the end the best one."""
        epochs = self.history.epochs
        if not epochs:
            return None
        if self.recipe.patience and self.history.ended in ("finished", "patience"):
            return min(epochs, key=lambda row: row.validation["loss"])
        return epochs[-1]

    @cached_property
    def goal(self) -> Goal | None:
        """Measured by the loss where its limit is known, else by the figure that people read."""
        for name in ("loss", self.figure):
            if name in self.blind and name in self.best:
                goal = Goal(name, self.blind[name], self.best[name])
                if goal.worth:
                    return goal
        others = self.methods.get(self.figure, {})
        if not others or self.figure not in self.blind:
            return None
        choose = max if PRIMARY[self.task].higher_is_better else min
        method = choose(others, key=others.__getitem__)
        goal = Goal(self.figure, self.blind[self.figure], others[method], method)
        # A method that is no better than a constant answer is no goal.
        return goal if goal.worth else None

    @property
    def rate(self) -> float:
        """The learning rate (before the schedule) of the last step."""
        moved = [change.value for change in self.history.changes if change.name == "learning_rate"]
        return moved[-1] if moved else self.recipe.learning_rate

    @property
    def steps_per_epoch(self) -> int:
        return self.history.epochs[0].step if self.history.epochs else 0

    @cached_property
    def trend(self) -> Trend | None:
        """How the batch loss came down so far; None with fewer than 10 steps."""
        losses = self.history.losses
        width = len(losses) // 10
        if not width:
            return None
        half = len(losses) // 2
        parts = losses[:width], losses[half - width // 2 :][:width], losses[-width:]
        start, middle, end = (float(np.mean(part)) for part in parts)
        # A regression that starts from zero first learns the mean. That part of the way is
        # no achievement, and may be a hundred times as long as the rest.
        blind = self.blind.get("loss", math.inf)
        if end < blind:
            start, middle = min(start, blind), min(middle, blind)
        fall = start - end
        noise = math.sqrt(float(np.var(parts[1]) + np.var(parts[2])) / max(width - 1, 1))
        sure = (width > 1 and middle - end > 3 * noise) or self._steadily
        return Trend(start, middle, end, (middle - end) / fall if fall > 0 else 0.0, sure)

    @property
    def _steadily(self) -> bool:
        """Did the validation loss fall in each epoch of the second half, four at least?

        By chance four would in one run out of 16, twelve (of 24 epochs) in one of 4,096.
        """
        values = [row.validation["loss"] for row in self.history.epochs]
        recent = values[(len(values) - 1) // 2 :]
        return len(recent) > 4 and all(b < a for a, b in pairwise(recent))
