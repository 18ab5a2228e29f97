"""Projects whose examples are rows of a table: coffee, weekday, movies."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar, Final, cast

from torch import Tensor

from playground.data.columns import Encoder
from playground.data.dataset import Dataset, Examples, Scaler, Task, split
from playground.errors import PlaygroundError
from playground.fields import Field, Value
from playground.i18n import N_
from playground.projects.base import Preset, Project
from playground.recipe import Recipe

SHARES: Final = (0.7, 0.15, 0.15)  # of train, validation and test
FEWEST: Final = 20  # own rows that can be split into three

Generate = Callable[[int, float, int], Examples]
"""(how many, noise, seed) -> examples."""

OWN_ROWS: Final = Field(
    "rows",
    "choice",
    "both",
    N_("Rows"),
    N_(
        "Your own rows join the training split, so that validation and test stay comparable; or "
        "they are used alone, and split into all three."
    ),
    choices=("both", "generated", "own"),
    choice_labels={
        "both": N_("generated and my own"),
        "generated": N_("generated only"),
        "own": N_("my own only"),
    },
)


class TableProject(Project):
    """A project made of an :class:`Encoder` and a generator that knows its own truth."""

    encoder: ClassVar[Encoder]

    @staticmethod
    @abstractmethod
    def generate(n: int, noise: float, seed: int, /) -> Examples:
        """``n`` examples with that much noise."""

    @staticmethod
    @abstractmethod
    def limit(noise: float, /) -> Mapping[str, float]:
        """The best figures that any model could reach at that noise."""

    @property
    def unit(self) -> str:
        return self.encoder.target.unit if self.task == "regression" else ""

    def load(self, recipe: Recipe, own: Examples | None = None) -> Dataset:
        return load(self.generate, self.task, recipe.data, recipe.seed, own)

    def best(self, recipe: Recipe, split: str) -> Mapping[str, float]:
        # Nobody knows the truth behind a student's own rows.
        alone = recipe.data["rows"] == "own"
        return {} if alone else self.limit(cast(float, recipe.data["noise"]))

    def encode(self, raw: Any, recipe: Recipe) -> Tensor:
        """A row as ``{column: value}``, or the values in order -> (features,) float32.

        Raises:
            PlaygroundError: a column missing or unknown, or a value not allowed.
        """
        encoded = self.encoder.encode(raw)
        if self.encoder.total(encoded) > self.encoder.most + 1e-6:
            raise PlaygroundError(
                N_("The numbers of this row add up to {total}. At most {most} is possible."),
                total=f"{self.encoder.total(encoded):.10g}",
                most=f"{self.encoder.most:.10g}",
            )
        return encoded

    def input_shape(self, recipe: Recipe) -> tuple[int, ...]:
        return (len(self.encoder.features),)


def load(
    generate: Generate,
    task: Task,
    data: Mapping[str, Value],
    seed: int,
    own: Examples | None = None,
) -> Dataset:
    """Generated rows, or the student's own, or both, split 70 / 15 / 15.

    Raises:
        PlaygroundError: own rows alone are asked for, but there are fewer than 20.
    """
    count = 0 if own is None else len(own)
    if data["rows"] == "own":
        if own is None or count < FEWEST:
            raise PlaygroundError(
                N_(
                    "Training on only your own rows needs at least {least} of them, and there are "
                    "{n}. Add some, or use generated rows too."
                ),
                least=FEWEST,
                n=count,
            )
        train, validation, test = split(own, SHARES, seed)
        scaler = Scaler.fit(train)
        return Dataset(train, validation, test, scaler, task, source="own", own=count)
    examples, noise = cast(int, data["examples"]), cast(float, data["noise"])
    base = _generated(generate, task, examples, noise, seed)
    if own is None or not count or data["rows"] == "generated":
        return base
    train = base.train + own
    return replace(base, train=train, scaler=Scaler.fit(train), own=count)


@lru_cache(maxsize=16)
def _generated(generate: Generate, task: Task, examples: int, noise: float, seed: int) -> Dataset:
    """The part of a data set that all sessions share."""
    train, validation, test = split(generate(examples, noise, seed), SHARES, seed)
    return Dataset(train, validation, test, Scaler.fit(train), task)


# One neuron, which a ReLU could switch off for good: then nothing at all is learned.
SMALL: Final[Mapping[str, Any]] = {"hidden": (1,), "activation": "leaky_relu"}
OVERFITS: Final[Mapping[str, Any]] = {
    "hidden": (256, 256),
    "optimizer": "adam",
    "learning_rate": 0.003,
    "schedule": "constant",
}


def presets(
    well: str,
    small: str,
    over: tuple[Mapping[str, Any], str],
    diverging: tuple[Mapping[str, Any], str],
) -> tuple[Preset, ...]:
    """The four that every table project has, each with its own sentence and changes."""
    return (
        Preset("well", N_("Works well"), well, {}),
        Preset("small", N_("Too small"), small, SMALL),
        Preset("overfits", N_("Overfits"), over[1], {**OVERFITS, **over[0]}),
        Preset("diverges", N_("Diverges"), diverging[1], diverging[0]),
    )
