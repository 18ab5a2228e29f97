"""Circle, square or triangle: a drawing or a photo -> the figure."""

from __future__ import annotations

from typing import Any, Final, cast

import torch
from torch import Tensor

from playground import limits
from playground.data import pictures
from playground.data.dataset import OWN_COPIES, Dataset, Examples, Scaler, with_own
from playground.data.steps import Steps, finish
from playground.i18n import N_
from playground.projects.base import Exported, Preset
from playground.projects.picture import PictureProject, exported
from playground.projects.shapes import data
from playground.projects.shapes.thumbnail import figures
from playground.recipe import Recipe

# To draw a picture of that many pixels a side, and to photograph one; measured, n = 1,000
# each, one thread of a two-core laptop that five others shared.
MILLISECONDS: Final = {28: (0.6, 13.0), 64: (3.1, 17.4)}


class Shapes(PictureProject):
    """Drawn and photographed shapes: a classification of pictures."""

    name = "shapes"
    title = N_("Circle, square, triangle")
    purpose = N_("Draw or photograph a shape: the network says which one it is.")
    icon = "interests"
    labels = data.LABELS
    label_names = {label: label for label in data.LABELS}
    folders = {
        word: label
        for label, words in {
            "circle": "circles round rounds koło koła kółko kółka okrąg okręgi kółeczka kolo",
            "square": "squares kwadrat kwadraty kwadracik kwadraciki",
            "triangle": "triangles trójkąt trójkąty trójkącik trójkąciki",
        }.items()
        for word in words.split()
    }
    thumbnail = staticmethod(figures)
    data_fields = (*data.DATA_FIELDS, OWN_COPIES)
    neutral = frozenset({"own_copies"})
    rough = Scaler(torch.tensor(62.0), torch.tensor(95.0))
    defaults = {
        "architecture": "cnn",
        "channels": (24, 48, 96),
        "kernels": (3, 3, 3),
        "strides": (2, 2, 2),
        "hidden": (128,),
        "optimizer": "adamw",
        "learning_rate": 0.003,
        "weight_decay": 0.01,
        "schedule": "one_cycle",
        "batch_size": 64,
        "epochs": 10,
        "augmentation": 0.2,
    }
    presets = (
        Preset(
            "well",
            N_("Works well"),
            N_("Three convolution blocks and 16,000 drawn pictures: good on people's drawings."),
            {},
        ),
        Preset(
            "small",
            N_("Too small"),
            N_("One channel and two neurons: it cannot see corners and gets many wrong."),
            {
                "channels": (1,),
                "kernels": (3,),
                "strides": (3,),
                "hidden": (2,),
                "epochs": 8,
                "data": {"examples": 4_000},
            },
        ),
        Preset(
            "overfits",
            N_("Overfits"),
            N_(
                "320 pictures, no augmentation, 60 epochs: the network learns them all by heart "
                "and only guesses new ones."
            ),
            {
                "learning_rate": 0.001,
                "weight_decay": 0.0,
                "schedule": "constant",
                "epochs": 60,
                "augmentation": 0.0,
                "data": {"examples": 400},
            },
        ),
        Preset(
            "diverges",
            N_("Diverges"),
            N_(
                "SGD with a huge learning rate: within one epoch the loss is no longer a "
                "number (NaN)."
            ),
            {
                "optimizer": "sgd",
                "learning_rate": 10.0,
                "schedule": "constant",
                "epochs": 5,
                "data": {"examples": 4_000},
            },
        ),
    )

    tiny = {"data": {"examples": 300, "photo": 0.0}, "epochs": 1, "architecture": "mlp"}

    def load(self, recipe: Recipe, own: Examples | None = None) -> Dataset:
        return finish(self.loading(recipe, own))

    def loading(self, recipe: Recipe, own: Examples | None = None) -> Steps[Dataset]:
        base = yield from data.loading(recipe.data, recipe.augmentation, recipe.seed)
        return with_own(base, recipe.data, own)

    def check(self, recipe: Recipe) -> Recipe:
        """As in the base class; and drawing its pictures must not take too long.

        Raises:
            LimitError: it would.
        """
        recipe = super().check(recipe)
        drawn, photographed = MILLISECONDS[self.size(recipe)]
        each = drawn + (photographed - drawn) * cast(float, recipe.data["photo"])
        limits.check_drawing(cast(int, recipe.data["examples"]), each)
        return recipe

    def encode(self, raw: Any, recipe: Recipe) -> Tensor:
        return data.encode(pictures.opened(raw), self.size(recipe))

    def input_shape(self, recipe: Recipe) -> tuple[int, ...]:
        return self.size(recipe), self.size(recipe)

    @staticmethod
    def size(recipe: Recipe) -> int:
        """Width and height of a picture, in pixels."""
        return int(str(recipe.data["size"]))

    def exported(self, recipe: Recipe) -> Exported:
        return exported(
            {"load": data.load, "encode": data.encode, "with_own": with_own},
            f"found = {{load}}(data, {recipe.augmentation!r}, seed)\n"
            "found = {with_own}(found, data, own)",
            inputs=f"{{encode}}(picture, {self.size(recipe)})",
        )


PROJECT: Final = Shapes()
