"""MNIST digits: a drawing or a photo -> which digit it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import torch
from torch import Tensor

from playground.data import drawings, mnist, pictures
from playground.data.dataset import Dataset, Examples, Scaler
from playground.data.steps import Steps
from playground.fields import Value
from playground.i18n import N_
from playground.projects.base import Exported, Needs, Preset, options_of
from playground.projects.digits import data as digits
from playground.projects.digits.thumbnail import written
from playground.projects.picture import PictureProject, exported
from playground.recipe import Recipe


class Digits(PictureProject):
    """Handwritten digits, 28 x 28: a classification of pictures."""

    name = "digits"
    title = N_("Digits")
    purpose = N_("Draw a digit: the network says which one it is.")
    icon = "draw"
    lessons = ("activations", "forward_pass", "optimizers", "pytorch")
    invitation = N_("Draw a digit, press **Train**, and watch the answer change.")
    labels = digits.LABELS
    folders = {
        word: str(digit)
        for digit, words in enumerate(
            (
                *("zero", "one jeden jedynka", "two dwa dwójka", "three trzy trójka"),
                *("four cztery czwórka", "five pięć piątka", "six sześć szóstka"),
                *("seven siedem siódemka", "eight osiem ósemka", "nine dziewięć dziewiątka"),
            )
        )
        for word in words.split()
    }
    thumbnail = staticmethod(written)
    data_fields = digits.DATA_FIELDS
    neutral = frozenset({"source", "examples", "european", "strokes", "own_copies"})
    rough = Scaler(torch.tensor(33.0), torch.tensor(79.0))
    made = "strokes"  # MNIST is there once, for all runs
    defaults = {
        "architecture": "cnn",
        "channels": (12, 24),
        "kernels": (5, 3),
        "hidden": (96,),
        "optimizer": "adamw",
        "learning_rate": 0.006,
        "weight_decay": 0.01,
        "schedule": "one_cycle",
        "batch_size": 256,
        "epochs": 3,
        "augmentation": 0.7,
    }
    # 4,000 digits make few steps an epoch, so more epochs and smaller batches.
    small = {"batch_size": 128, "epochs": 8}
    presets = (
        Preset(
            "well",
            N_("Works well"),
            N_("A small CNN with augmentation and European handwriting: good on people's digits."),
            {},
        ),
        Preset(
            "lecture",
            N_("As in the lecture"),
            N_("Linear → ReLU → Linear, one hidden layer of 128 neurons, trained with Adam."),
            {
                "architecture": "mlp",
                "hidden": (128,),
                "optimizer": "adam",
                "learning_rate": 0.001,
                "weight_decay": 0.0,
                "schedule": "constant",
                "batch_size": 64,
                "epochs": 5,
                "augmentation": 0.0,
                "data": {"european": False},
            },
        ),
        Preset(
            "small",
            N_("Too small"),
            N_("Two hidden neurons cannot tell ten digits apart, however long they train."),
            {"architecture": "mlp", "hidden": (2,), "augmentation": 0.0},
        ),
        Preset(
            "overfits",
            N_("Overfits"),
            N_(
                "A big network learns 300 digits by heart: it gets every one of them right, but "
                "the validation loss soon rises again."
            ),
            {
                "architecture": "mlp",
                "hidden": (512, 512),
                "optimizer": "adam",
                "learning_rate": 0.001,
                "weight_decay": 0.0,
                "schedule": "constant",
                "batch_size": 32,
                "epochs": 60,
                "augmentation": 0.0,
                "data": {"examples": 300, "european": False},
            },
        ),
        Preset(
            "diverges",
            N_("Diverges"),
            N_(
                "A learning rate a thousand times too large: each step overshoots further, until "
                "the loss is no longer a number (NaN)."
            ),
            {
                "architecture": "mlp",
                "hidden": (128, 128, 128),
                "activation": "leaky_relu",
                "optimizer": "sgd",
                "learning_rate": 10.0,
                "schedule": "constant",
            },
        ),
        Preset(
            "best",
            N_("Best result"),
            N_(
                "A larger CNN with dropout and more European digits: it learns more, and "
                "takes longer."
            ),
            {
                "channels": (32, 64, 128),
                "kernels": (3, 3, 3),
                "strides": (2, 2, 2),
                "hidden": (256,),
                "dropout": 0.2,
                "learning_rate": 0.004,
                "augmentation": 0.8,
                "epochs": 8,
                "data": {"strokes": 30_000},
            },
        ),
    )

    tiny = {
        "data": {"source": "small", "examples": 500, "european": False, "strokes": 100},
        "epochs": 1,
        "architecture": "mlp",
    }

    def load(self, recipe: Recipe, own: Examples | None = None) -> Dataset:
        return digits.load(recipe.data, recipe.augmentation, own)

    def loading(self, recipe: Recipe, own: Examples | None = None) -> Steps[Dataset]:
        return digits.loading(recipe.data, recipe.augmentation, own)

    def available(self, name: str, data: Mapping[str, Value]) -> int | None:
        source = cast(mnist.Source, data["source"])
        return digits.TRAINING[source] if name == "examples" else None

    def encode(self, raw: Any, recipe: Recipe) -> Tensor:
        return drawings.prepare(pictures.opened(raw))

    def input_shape(self, recipe: Recipe) -> tuple[int, ...]:
        return digits.SHAPE

    def recipe(self, **overrides: Any) -> Recipe:
        """As in the base class; the source is the best that this computer has, unless given."""
        data = {"source": mnist.best_source(), **options_of(overrides)}
        if data["source"] == "small":
            overrides = {**self.small, **overrides}
        return super().recipe(data=data, **overrides)

    def exported(self, recipe: Recipe) -> Exported:
        needs: Needs = {"load": digits.load, "prepare": drawings.prepare}
        load = f"found = {{load}}(data, {recipe.augmentation!r}, own)"
        if recipe.data["source"] == "full":
            needs = {**needs, "best_source": mnist.best_source, "folder": mnist.folder}
            load = (
                'if {best_source}() != "full":\n'
                "    MNIST(str({folder}()), download=True)  # once: 12 MB\n" + load
            )
        return exported(needs, load, inputs="{prepare}(picture)")


PROJECT: Final = Digits()
