"""The inputs of a table's network as a person calls them: one column, or one a choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from playground.i18n import N_
from playground.projects.base import Project
from playground.projects.rps import Rps
from playground.projects.table import TableProject
from playground.recipe import Recipe

RPS_SIDES = (N_("Player's move, rounds ago: {n}"), N_("Opponent's move, rounds ago: {n}"))
NUMBERED = N_("Input {n}")


@dataclass(frozen=True)
class Input:
    """One input: the encoded columns ``place`` … ``place + width - 1``.

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


def inputs_of(project: Project, recipe: Recipe) -> list[Input]:
    """All inputs of a project without pictures, in the order of the encoded columns."""
    if isinstance(project, TableProject):
        return _of_table(project)
    columns = project.input_shape(recipe)[0]
    if isinstance(project, Rps):
        memory = int(recipe.data["memory"])  # type: ignore[arg-type]
        moves = tuple(project.label_names.values())
        return [
            Input(RPS_SIDES[n // memory], 3 * n, moves, 3, {"n": memory - n % memory})
            for n in range(columns // 3)
        ]
    return [Input(NUMBERED, n, values={"n": n + 1}) for n in range(columns)]


def _of_table(project: TableProject) -> list[Input]:
    found: list[Input] = []
    place = 0
    for column in project.encoder.columns:
        width = len(column.choices) or 1
        options = tuple(column.choice_labels.get(choice, choice) for choice in column.choices)
        if column.kind == "switch":
            options = (N_("no"), N_("yes"))
        found.append(Input(column.label, place, options, width, unit=column.unit))
        place += width
    return found
