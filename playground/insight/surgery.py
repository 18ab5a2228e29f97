"""A copy of a network, changed by hand: a neuron switched off, a weight set."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from playground.insight.anatomy import Stage, stages, weights


@dataclass(frozen=True)
class Off:
    """The unit ``unit`` of stage number ``stage`` passes on 0, whatever comes."""

    stage: int
    unit: int


@dataclass(frozen=True)
class SetWeight:
    """One weight of a unit gets ``value``.

    ``weight`` counts the unit's weights from 0, in the order in which they are stored; of
    Maxout first those of its first piece, then those of its second.
    """

    stage: int
    unit: int
    weight: int
    value: float


Edit = Off | SetWeight


class Silence(nn.Module):
    """Some units (neurons, or channels) pass on 0: (n, units, …) -> the same shape."""

    def __init__(self, units: set[int]) -> None:
        super().__init__()
        self.units = sorted(units)

    def forward(self, signal: Tensor) -> Tensor:
        silent = signal.clone()
        silent[:, self.units] = 0
        return silent


def count(model: nn.Sequential, stage: Stage) -> int:
    """How many weights one unit of ``stage`` has, its bias aside."""
    return weights(model, stage)[0].numel() * stage.pieces


def row_and_place(model: nn.Sequential, stage: Stage, unit: int, weight: int) -> tuple[int, int]:
    """Where a unit's weight is stored: the row of the stage's weights, and the place in it."""
    piece, place = divmod(weight, weights(model, stage)[0].numel())
    return piece * stage.units + unit, place


def value(model: nn.Sequential, stage: Stage, unit: int, weight: int) -> float:
    """What one weight is now."""
    row, place = row_and_place(model, stage, unit, weight)
    return float(weights(model, stage).detach()[row].flatten()[place])


@torch.no_grad()
def operated(model: nn.Sequential, edits: Sequence[Edit]) -> nn.Sequential:
    """A copy of ``model`` with all ``edits``, in their order; ``model`` stays as it is."""
    copy = deepcopy(model)
    parts = stages(copy)
    off: dict[int, set[int]] = {}
    for edit in edits:
        stage = parts[edit.stage - 1]
        if isinstance(edit, Off):
            off.setdefault(stage.end, set()).add(edit.unit)
            continue
        matrix = weights(copy, stage)
        row, place = row_and_place(copy, stage, edit.unit, edit.weight)
        # Row by row: a kernel's memory may be ordered by channels last.
        changed = matrix[row].flatten()
        changed[place] = edit.value
        matrix[row] = changed.reshape(matrix[row].shape)
    modules: list[nn.Module] = []
    for place, module in enumerate(copy):
        modules.append(module)
        if place in off:
            modules.append(Silence(off[place]))
    return nn.Sequential(*modules).train(model.training)


def with_edit(edits: Sequence[Edit], new: Edit) -> tuple[Edit, ...]:
    """``edits`` and then ``new``; the same weight set twice in a row counts once."""
    last = edits[-1] if edits else None
    again = (
        isinstance(last, SetWeight)
        and isinstance(new, SetWeight)
        and (last.stage, last.unit, last.weight) == (new.stage, new.unit, new.weight)
    )
    return (*(edits[:-1] if again else edits), new)
