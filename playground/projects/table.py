"""Projects whose examples are rows of a table, from somewhere or generated."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar, Final, cast

from torch import Tensor

from playground.data import tables
from playground.data.dataset import Dataset, Examples, Scaler, Task, split
from playground.data.encoder import Encoder, encoded
from playground.data.messages import Problem
from playground.errors import PlaygroundError
from playground.fields import Field, Value
from playground.i18n import N_
from playground.projects.base import Exported, Input, Needs, Preset, Project
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
        "Your own rows are added to the training set only, so validation and test stay comparable. "
        "With “my own only” they are split into all three sets."
    ),
    choices=("both", "generated", "own"),
    choice_labels={
        "both": N_("generated and my own"),
        "generated": N_("generated only"),
        "own": N_("my own only"),
    },
)


class TableProject(Project):
    """A project made of an :class:`Encoder` and rows, beside which a student may have their own."""

    encoder: ClassVar[Encoder]

    @property
    def unit(self) -> str:
        return self.encoder.target.unit if self.task == "regression" else ""

    @property
    def answer(self) -> str:
        """What its answer is called in code, with its unit."""
        target = self.encoder.target
        return f"{target.name} [{target.unit}]" if target.unit else target.name

    def knows_truth(self, recipe: Recipe) -> bool:
        """Is there a rule behind the examples?"""
        return False

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

    def read(self, raw: bytes, name: str, recipe: Recipe) -> tuple[Examples, Sequence[Problem]]:
        """The rows of a CSV file with the project's columns."""
        table = tables.parse(raw, (*self.encoder.columns, self.encoder.target), name)
        return self.encoder.examples(table.rows), table.problems

    def inputs(self, recipe: Recipe) -> list[Input]:
        found: list[Input] = []
        place = 0
        for column in self.encoder.columns:
            width = len(column.choices) or 1
            options = tuple(column.choice_labels.get(choice, choice) for choice in column.choices)
            if column.kind == "switch":
                options = (N_("no"), N_("yes"))
            found.append(Input(column.label, place, options, width, unit=column.unit))
            place += width
        return found

    def _exported(self, needs: Needs, load: str) -> Exported:
        row = {column.name: column.default for column in self.encoder.columns}
        what = "How likely a yes is" if self.task == "binary" else "The answer"
        return Exported(
            {**needs, "encoded": encoded},
            f"found = {load}",
            takes="**row",
            says=f"{what} for one row, by the names of its columns: {self.answer}.",
            inputs="{encoded}(columns, row)",
            example=", ".join(f"{name}={value!r}".replace("'", '"') for name, value in row.items()),
        )


class RealTable(TableProject):
    """A table that somebody has collected; nobody knows the truth behind it."""

    @staticmethod
    @abstractmethod
    def rows() -> Examples:
        """All rows that there are."""

    def load(self, recipe: Recipe, own: Examples | None = None) -> Dataset:
        return load_rows(self.rows, self.task, recipe.data, recipe.seed, own)

    def exported(self, recipe: Recipe) -> Exported:
        if recipe.data["rows"] == "own":
            return self._exported({"load": alone}, f'{{load}}("{self.task}", seed, own)')
        needs: Needs = {"load": load_rows, "rows": self.rows}
        return self._exported(needs, f'{{load}}({{rows}}, "{self.task}", data, seed, own)')


class GeneratedTable(TableProject):
    """A table that a generator makes, which knows its own truth."""

    @staticmethod
    @abstractmethod
    def generate(n: int, noise: float, seed: int, /) -> Examples:
        """``n`` examples with that much noise."""

    @staticmethod
    @abstractmethod
    def limit(noise: float, /) -> Mapping[str, float]:
        """The best figures that any model could reach at that noise."""

    def load(self, recipe: Recipe, own: Examples | None = None) -> Dataset:
        return load(self.generate, self.task, recipe.data, recipe.seed, own)

    def knows_truth(self, recipe: Recipe) -> bool:
        # Nobody knows the truth behind a student's own rows.
        return recipe.data["rows"] != "own"

    def best(self, recipe: Recipe, split: str) -> Mapping[str, float]:
        known = self.knows_truth(recipe)
        return self.limit(cast(float, recipe.data["noise"])) if known else {}

    def exported(self, recipe: Recipe) -> Exported:
        if recipe.data["rows"] == "own":
            return self._exported({"load": load}, f'{{load}}(None, "{self.task}", data, seed, own)')
        needs: Needs = {"load": load, "generate": self.generate}
        return self._exported(needs, f'{{load}}({{generate}}, "{self.task}", data, seed, own)')


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
    if data["rows"] == "own":
        return alone(task, seed, own)
    examples, noise = cast(int, data["examples"]), cast(float, data["noise"])
    return joined(_generated(generate, task, examples, noise, seed), data, own)


def load_rows(
    rows: Callable[[], Examples],
    task: Task,
    data: Mapping[str, Value],
    seed: int,
    own: Examples | None = None,
) -> Dataset:
    """As :func:`load`, of all the rows that there are."""
    if data["rows"] == "own":
        return alone(task, seed, own)
    return joined(_all(rows, task, seed), data, own)


def alone(task: Task, seed: int, own: Examples | None) -> Dataset:
    """The student's own rows and no others."""
    count = 0 if own is None else len(own)
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
    return Dataset(train, validation, test, Scaler.fit(train), task, source="own", own=count)


def joined(base: Dataset, data: Mapping[str, Value], own: Examples | None) -> Dataset:
    """``base``, with the student's own rows in its training split where these are asked for."""
    if own is None or not len(own) or data["rows"] != "both":
        return base
    train = base.train + own
    return replace(base, train=train, scaler=Scaler.fit(train), own=len(own))


@lru_cache(maxsize=16)
def _generated(generate: Generate, task: Task, examples: int, noise: float, seed: int) -> Dataset:
    """The part of a data set that all sessions share."""
    train, validation, test = split(generate(examples, noise, seed), SHARES, seed)
    return Dataset(train, validation, test, Scaler.fit(train), task)


@lru_cache(maxsize=16)
def _all(rows: Callable[[], Examples], task: Task, seed: int) -> Dataset:
    """The same of a table that is there."""
    train, validation, test = split(rows(), SHARES, seed)
    return Dataset(train, validation, test, Scaler.fit(train), task, source="table")


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
