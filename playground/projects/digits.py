"""MNIST digits: a drawing or a photo -> which digit it is."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from playground.data import digits, drawings, mnist
from playground.data.dataset import Dataset, Examples
from playground.i18n import N_
from playground.projects.base import Project
from playground.recipe import Recipe


class Digits(Project):
    name = "digits"
    title = N_("Digits")
    purpose = N_("Draw a digit: the network says which one it is.")
    task = "classification"
    labels = digits.LABELS
    data_fields = digits.DATA_FIELDS
    pictures = True
    defaults = {
        "architecture": "cnn",
        "channels": (16, 32),
        "hidden": (128,),
        "optimizer": "adamw",
        "learning_rate": 0.004,
        "weight_decay": 0.01,
        "schedule": "one_cycle",
        "batch_size": 256,
        "epochs": 4,
        "augmentation": 0.5,
    }
    presets = ()

    def load(self, recipe: Recipe, own: Examples | None = None) -> Dataset:
        return digits.load(recipe.data, recipe.augmentation, own)

    def encode(self, raw: Any, recipe: Recipe) -> Tensor:
        return drawings.prepare(raw)

    def input_shape(self, recipe: Recipe) -> tuple[int, ...]:
        return digits.SHAPE

    def recipe(self, **overrides: Any) -> Recipe:
        """As in the base class; the source is the best that this computer has."""
        data = {"source": mnist.best_source(), **overrides.pop("data", {})}
        return super().recipe(data=data, **overrides)
