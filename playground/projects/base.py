"""A project binds the five parts to one question: its data, its defaults, its encoder."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from playground import losses, models, resources
from playground.data.dataset import Dataset, Examples, Scaler, Task
from playground.data.messages import Problem
from playground.data.steps import Steps
from playground.fields import Field, Value
from playground.i18n import N_
from playground.metrics import PRIMARY, Metric
from playground.recipe import Recipe, RecipeError, unknown
from playground.resources import ResourceEstimate


@dataclass(frozen=True)
class Preset:
    """A recipe worth trying: what it changes from the default, and a sentence why."""

    name: str
    label: str
    sentence: str
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """What the network says about one input.

    ``label`` and ``probabilities`` (by label, sum 1) for a classification or a yes-no
    question; ``value`` for a regression.
    """

    label: str | None = None
    probabilities: Mapping[str, float] | None = None
    value: float | None = None


@dataclass(frozen=True)
class Input:
    """One input as a person calls it: the encoded columns ``place`` … ``place + width - 1``.

    ``label`` is a gettext id whose places ``values`` fill, ``options`` those of its choices
    (of a switch, no and yes); empty for a number. ``unit`` is the number's.
    """

    label: str
    place: int
    options: tuple[str, ...] = ()
    width: int = 1
    values: Mapping[str, int] = field(default_factory=dict)
    unit: str = ""

    def along(self, low: float, high: float, steps: int) -> Tensor:
        """(steps, width): from ``low`` to ``high``, or one choice after another in equal bands."""
        if not self.options:
            return torch.linspace(low, high, steps)[:, None]
        bands = torch.arange(steps) * len(self.options) // steps
        return bands[:, None].float() if self.width == 1 else torch.eye(self.width)[bands]


Needs = Mapping[str, Callable[..., Any]]
"""Functions of the package by the name that a text uses for each."""


@dataclass(frozen=True)
class Exported:
    """What an exported script says of a project, and whose source it takes along.

    ``load`` are the lines that make the data set ``found``; ``takes``, ``says``, ``inputs`` and
    ``example`` are its function ``ask``: its arguments, its docstring, the encoded input made of
    them, and a call's. A function of ``needs`` is written ``{name}``, as its name in the script
    may be another.
    """

    needs: Needs
    load: str
    takes: str
    says: str
    inputs: str
    example: str


class Project(ABC):
    """One question to a network, and all that is said about it.

    A project is a folder: its class in ``__init__.py``, its data, its longer texts in
    ``en.md`` and ``pl.md``. Subclasses fill in the class variables and the abstract methods.
    """

    name: ClassVar[str]
    """Also its folder's, its page's (``pages/<name>.py``) and that of what is stored of it."""
    title: ClassVar[str]
    purpose: ClassVar[str]
    icon: ClassVar[str]  # a Material symbol
    lessons: ClassVar[tuple[str, ...]] = ()  # pages of the lesson that end with a link to it
    invitation: ClassVar[str] = ""  # what to do with it on the start page's tour, if it is there
    task: ClassVar[Task]
    labels: ClassVar[tuple[str, ...]] = ()  # by class number; for a yes-no question (no, yes)
    label_names: ClassVar[Mapping[str, str]] = {}  # gettext ids, where a label is not plain
    calibrated: ClassVar[str] = N_("Calibration: of those given 70%, are 70% a yes?")
    """What a yes-no question's calibration curve asks."""
    data_fields: ClassVar[tuple[Field, ...]] = ()
    pictures: ClassVar[bool] = False  # whether a CNN makes sense
    rough: ClassVar[Scaler | None] = None
    """About what its data's scaler is, for a network that is asked before they are there."""
    made: ClassVar[str] = "examples"  # the data option that says how many are made for a run
    defaults: ClassVar[Mapping[str, Any]] = {}
    presets: ClassVar[tuple[Preset, ...]] = ()
    tiny: ClassVar[Mapping[str, Any]] = {}
    """What makes of a recipe one that trains in a second: to see that all parts fit."""
    neutral: ClassVar[frozenset[str]] = frozenset()
    """Data options that change what a network learns from or looks at, not what it is measured on.
    """
    amounts: ClassVar[frozenset[str]] = frozenset({"examples"})
    """Data options of which more makes a larger validation set of the same kind."""

    @property
    def folder(self) -> Path:
        """Where its texts lie."""
        return Path(__file__).parent / self.name

    @staticmethod
    @abstractmethod
    def thumbnail() -> str:
        """Its picture on the start page: the inside of an SVG, see :mod:`.sketch`."""

    def css(self) -> str:
        """What its page adds to the house's style."""
        return ""

    @property
    def metric(self) -> Metric:
        """By which its networks are compared."""
        return PRIMARY[self.task]

    @property
    def unit(self) -> str:
        """Of what a regression predicts, as a gettext id; "" where there is none."""
        return ""

    @abstractmethod
    def load(self, recipe: Recipe, own: Examples | None = None) -> Dataset:
        """The data set that ``recipe`` asks for, with the student's ``own`` examples joined."""

    def loading(self, recipe: Recipe, own: Examples | None = None) -> Steps[Dataset]:
        """:meth:`load` in small steps, where it takes long; here in one."""
        yield from ()
        return self.load(recipe, own)

    def available(self, name: str, data: Mapping[str, Value]) -> int | None:
        """How many there are where ``data`` has an option ``name`` "at most so many"; else None."""
        return None

    @abstractmethod
    def encode(self, raw: Any, recipe: Recipe) -> Tensor:
        """What a person gives -> one input (*input_shape) in raw units.

        Raises:
            PlaygroundError: something that cannot be an input, and why.
        """

    @abstractmethod
    def input_shape(self, recipe: Recipe) -> tuple[int, ...]:
        """Shape of one input."""

    @abstractmethod
    def exported(self, recipe: Recipe) -> Exported:
        """What a script needs that trains ``recipe`` without the playground."""

    @abstractmethod
    def read(self, raw: bytes, name: str, recipe: Recipe) -> tuple[Examples, Sequence[Problem]]:
        """A person's own examples in a file, as ``recipe`` wants them, and what cannot be used."""

    def several(self, raw: Any) -> list[Any] | None:
        """The inputs in ``raw`` where it is many at once, for :meth:`encode`; None for one.

        Many rows are a data frame, a list of rows, or a two-dimensional array.
        """
        if hasattr(raw, "iloc") and hasattr(raw, "columns"):
            return list(raw.to_dict("records"))
        if getattr(raw, "ndim", 0) == 2:
            return list(raw)
        rows = isinstance(raw, list | tuple) and all(
            isinstance(one, Mapping | list | tuple) or getattr(one, "ndim", 0) == 1 for one in raw
        )
        return list(raw) if rows else None

    def typed(self, text: str) -> Any:
        """What stands behind ``name=`` on a command line, as :meth:`encode` takes it."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return text
        return value if isinstance(value, int | float | bool) else text

    def inputs(self, recipe: Recipe) -> list[Input]:
        """All inputs of a project without pictures, in the order of the encoded columns."""
        columns = self.input_shape(recipe)[0]
        return [Input(N_("Input {n}"), n, values={"n": n + 1}) for n in range(columns)]

    def best(self, recipe: Recipe, split: str) -> Mapping[str, float]:
        """The best figures that any model could reach on ``split``; empty where nobody knows.

        ``split`` is "train", "validation" or "test"; the figures are named as in the
        history ("accuracy", "mae", "mse"), or "log_loss".
        """
        return {}

    def recipe(self, **overrides: Any) -> Recipe:
        """The project's default recipe with ``overrides``, checked.

        Raises:
            RecipeError, FieldError, LimitError: as :class:`Recipe` and :meth:`check`.
        """
        options: dict[str, Value] = {field.name: field.default for field in self.data_fields}
        default = Recipe(self.name, options).with_(**self.defaults)
        return self.check(default.with_(**overrides))

    def preset(self, name: str, **overrides: Any) -> Recipe:
        """The default recipe with the changes of the preset ``name``, then ``overrides``."""
        by_name = {preset.name: preset for preset in self.presets}
        if not isinstance(name, str) or name not in by_name:
            raise unknown(name, by_name)
        changes = by_name[name].changes
        data = {**changes.get("data", {}), **options_of(overrides)}
        return self.recipe(**{**changes, **overrides, "data": data})

    def opened(self, recipe: Recipe) -> Recipe:
        """A ``recipe`` that was written down, perhaps before some data options were added.

        Not held against the limits, which may have become tighter since.

        Raises:
            RecipeError, FieldError: as :meth:`check`, missing options aside.
        """
        before = {field.name: field.missing for field in self.data_fields}
        return self._fitting(recipe.with_(data={**before, **recipe.data}))

    def check(self, recipe: Recipe) -> Recipe:
        """``recipe`` if this project can run it.

        Raises:
            RecipeError, FieldError: data options that are unknown, missing or out of
                range; a loss for another kind of question; a CNN where there is no picture.
            LimitError: a network that takes more than one run may.
        """
        recipe = self._fitting(recipe)
        resources.check(recipe, self.input_shape(recipe), self.outputs)
        return recipe

    def _fitting(self, recipe: Recipe) -> Recipe:
        """``recipe`` with its options checked, if it is one of this project, whatever it takes."""
        if recipe.project != self.name:
            raise RecipeError(
                N_("This recipe is for {found}, not for {expected}."),
                found=recipe.project,
                expected=self.name,
            )
        fields = {field.name: field for field in self.data_fields}
        for name in recipe.data:
            if name not in fields:
                raise unknown(name, fields)
        for name in fields:
            if name not in recipe.data:
                raise RecipeError(N_("The recipe lacks {field}."), field=f"data.{name}")
        checked = {name: fields[name].check(value) for name, value in recipe.data.items()}
        if recipe.loss not in losses.CHOICES[self.task]:
            raise RecipeError(
                N_("The loss {loss} does not fit {project}; these do: {known}."),
                loss=recipe.loss,
                project=self.name,
                known=", ".join(losses.CHOICES[self.task]),
            )
        if recipe.architecture == "cnn" and not self.pictures:
            raise RecipeError(
                N_("A CNN needs pictures, and {project} has none: choose mlp."), project=self.name
            )
        if recipe.target and self.task == "regression":
            raise RecipeError(
                N_("{project} has no accuracy to reach: leave target at 0."), project=self.name
            )
        return recipe.with_(data=checked)

    def need(self, recipe: Recipe, own: Examples | None = None) -> ResourceEstimate:
        """What the recipe takes with the student's ``own`` examples, before anything is made."""
        shape = self.input_shape(recipe)
        examples = int(cast(int, recipe.data.get(self.made, 0)))
        if own is not None:
            examples += len(own) * int(cast(int, recipe.data.get("own_copies", 1)))
        size = math.prod(shape) * (1 if self.pictures else resources.FLOAT)
        return replace(resources.estimate(recipe, shape, self.outputs), data=examples * size)

    def build(self, recipe: Recipe) -> nn.Sequential:
        """The recipe's untrained network for this project."""
        return models.build(recipe, self.input_shape(recipe), self.outputs)

    def skeleton(self, recipe: Recipe) -> nn.Sequential:
        """The layers of that network, without numbers in them."""
        return models.skeleton(recipe, self.input_shape(recipe), self.outputs)

    @property
    def outputs(self) -> int:
        return len(self.labels) if self.task == "classification" else 1


def options_of(overrides: dict[str, Any]) -> Mapping[str, Any]:
    """Take the data options out of ``overrides``.

    Raises:
        RecipeError: they are no mapping.
    """
    data = overrides.pop("data", {})
    if not isinstance(data, Mapping):
        raise RecipeError(N_("A recipe needs a project's name and its data options."))
    return data


@dataclass(frozen=True)
class Predictor:
    """A network together with everything needed to ask it a person's question."""

    project: Project
    recipe: Recipe
    model: nn.Module
    scaler: Scaler

    @torch.no_grad()
    def ask(self, inputs: Tensor) -> Tensor:
        """Encoded (n, *input_shape) -> probabilities (n, k), of a yes (n,), or values (n,)."""
        self.model.eval()
        return losses.answer(self.project.task, self.model(self.scaler(inputs)))

    def predict(self, raw: Any) -> Answer:
        """The network's answer to what a person gives.

        Raises:
            PlaygroundError: from the project's encoder.
        """
        return self.answer(self.project.encode(raw, self.recipe))

    def answer(self, encoded: Tensor) -> Answer:
        """The network's answer to one encoded input (*input_shape)."""
        result = self.ask(encoded.unsqueeze(0))[0]
        if self.project.task == "regression":
            return Answer(value=result.item())
        if self.project.task == "binary":
            result = torch.stack([1 - result, result])
        shares: list[float] = result.tolist()
        probabilities = dict(zip(self.project.labels, shares, strict=True))
        return Answer(max(probabilities, key=probabilities.__getitem__), probabilities)
