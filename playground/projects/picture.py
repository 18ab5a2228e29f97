"""Projects whose examples are pictures: what they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch

from playground.data import pictures
from playground.data.dataset import Examples
from playground.data.messages import Problem
from playground.errors import PlaygroundError
from playground.projects.base import Exported, Needs, Project
from playground.recipe import Recipe


class PictureProject(Project):
    """A project whose input is a drawing or a photo, and whose answer is a class."""

    task = "classification"
    pictures = True
    folders: ClassVar[Mapping[str, str]] = {}
    """Other names of a label, as folders have them."""

    def several(self, raw: Any) -> list[Any] | None:
        """As in the base class: many pictures are a list, or one array of N×1×H×W and alike."""
        return pictures.several(raw)

    def read(self, raw: bytes, name: str, recipe: Recipe) -> tuple[Examples, Sequence[Problem]]:
        """The pictures in a ZIP with a folder for each class."""
        found = pictures.load_zip(raw, self.labels, self.folders, name)
        inputs, targets, problems = [], [], list(found.problems)
        for label, file, picture in found.pictures:
            try:
                inputs.append(self.encode(picture, recipe))
                targets.append(self.labels.index(label))
            except PlaygroundError as error:
                problems.append(Problem.of(error, file))
        shape = self.input_shape(recipe)
        stacked = torch.stack(inputs) if inputs else torch.empty(0, *shape, dtype=torch.uint8)
        return Examples(stacked, torch.tensor(targets, dtype=torch.int64)), problems


def exported(needs: Needs, load: str, inputs: str) -> Exported:
    """What a script says of a project with pictures; ``inputs`` encodes ``picture``."""
    return Exported(
        needs,
        load,
        takes="picture",
        says="How likely each class is for an array (H, W) or a PIL image, light or dark ink.",
        inputs=inputs,
        example="test.inputs[0].numpy()",
    )
