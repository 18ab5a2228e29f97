"""A project binds the five parts to one question: its data, its defaults, its encoder."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from playground import losses, models, resources
from playground.data import pictures
from playground.data.dataset import Dataset, Examples, Scaler, Task
from playground.data.steps import Steps
from playground.fields import Field, Value
from playground.i18n import N_
from playground.recipe import Recipe, RecipeError, unknown
from playground.resources import Need


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


class Project(ABC):
    """One question to a network. Subclasses fill in the class variables and three methods."""

    name: ClassVar[str]
    title: ClassVar[str]
    purpose: ClassVar[str]
    task: ClassVar[Task]
    labels: ClassVar[tuple[str, ...]] = ()  # by class number; for a yes-no question (no, yes)
    label_names: ClassVar[Mapping[str, str]] = {}  # gettext ids, where a label is not plain
    folders: ClassVar[Mapping[str, str]] = {}  # other names of a label, as folders have them
    calibrated: ClassVar[str] = N_("Calibration: of those given 70%, are 70% a yes?")
    """What a yes-no question's calibration curve asks."""
    data_fields: ClassVar[tuple[Field, ...]] = ()
    pictures: ClassVar[bool] = False  # whether a CNN makes sense
    rough: ClassVar[Scaler | None] = None
    """About what its data's scaler is, for a network that is asked before they are there."""
    made: ClassVar[str] = "examples"  # the data option that says how many are made for a run
    defaults: ClassVar[Mapping[str, Any]] = {}
    presets: ClassVar[tuple[Preset, ...]] = ()

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

    def several(self, raw: Any) -> list[Any] | None:
        """The inputs in ``raw`` where it is many at once, for :meth:`encode`; None for one.

        Many rows are a data frame, a list of rows, or a two-dimensional array; many
        pictures a list of them, or one array of N×1×H×W and alike.
        """
        if self.pictures:
            return pictures.several(raw)
        if hasattr(raw, "iloc") and hasattr(raw, "columns"):
            return list(raw.to_dict("records"))
        if getattr(raw, "ndim", 0) == 2:
            return list(raw)
        rows = isinstance(raw, list | tuple) and all(
            isinstance(one, Mapping | list | tuple) or getattr(one, "ndim", 0) == 1 for one in raw
        )
        return list(raw) if rows else None

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

    def need(self, recipe: Recipe, own: Examples | None = None) -> Need:
        """What the recipe takes with the student's ``own`` examples, before anything is made."""
        shape = self.input_shape(recipe)
        examples = int(cast(int, recipe.data.get(self.made, 0)))
        if own is not None:
            examples += len(own) * int(cast(int, recipe.data.get("own_copies", 1)))
        size = math.prod(shape) * (1 if self.pictures else resources.FLOAT)
        return replace(resources.need(recipe, shape, self.outputs), data=examples * size)

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
