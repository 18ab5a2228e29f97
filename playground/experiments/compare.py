"""Several runs beside each other: what differs between their recipes, and their curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from playground.fields import Value
from playground.history import History
from playground.recipe import FIELDS, Recipe

Over = Literal["epoch", "step", "second"]
"""What a curve runs over: epochs, optimisation steps, or seconds of training alone."""
Split = Literal["train", "validation"]
OPTION: Final = "data."
"""Comes before the name of a data option and that of its project: ``data.coffee.noise``."""


def values(recipe: Recipe) -> dict[str, Value]:
    """All that ``recipe`` says, by name: ``"project"``, its fields, its data options.

    An option may be called like a field, or like another project's that means another thing.
    """
    everything: dict[str, Value] = {"project": recipe.project}
    everything |= {name: getattr(recipe, name) for name in FIELDS}
    start = f"{OPTION}{recipe.project}."
    return everything | {start + name: value for name, value in recipe.data.items()}


def differences(recipes: Sequence[Recipe]) -> dict[str, tuple[Value | None, ...]]:
    """By name, what ``recipes`` do not all agree on: a value for each, in their order.

    None where a recipe has no such option, as it is another project's, or where it changes
    nothing: a fully connected network has no kernels.
    """
    tables = [
        {name: value for name, value in values(recipe).items() if recipe.uses(name)}
        for recipe in recipes
    ]
    names = list(dict.fromkeys(name for table in tables for name in table))
    rows = {name: tuple(table.get(name) for table in tables) for name in names}
    return {name: row for name, row in rows.items() if any(value != row[0] for value in row[1:])}


def changed(recipe: Recipe, usual: Recipe) -> Mapping[str, tuple[Value | None, Value | None]]:
    """By name, (usual, own) where ``recipe`` differs from ``usual`` in what it teaches.

    The number of threads is left out: it is the machine's, and moves the last digit only.
    """
    found = differences([usual, recipe])
    return {
        name: (row[0], row[1])
        for name, row in found.items()
        if name != "threads" and row[1] is not None
    }


def series(history: History, split: Split, figure: str, over: Over) -> list[tuple[float, float]]:
    """(place, value) of one figure after each epoch; "train" is the mean of its batches.

    Epochs that do not have that figure are left out.
    """
    points: list[tuple[float, float]] = []
    for row in history.epochs:
        found = row.validation if split == "validation" else row.train
        if figure in found:
            place = {"epoch": row.epoch, "step": row.step, "second": row.training}[over]
            points.append((float(place), found[figure]))
    return points


def thinned(points: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """At most about ``most`` of ``points``: every n-th, and always the last."""
    stride = max(1, -(-len(points) // max(most, 1)))
    kept = list(points[::stride])
    if points and kept[-1] != points[-1]:
        kept.append(points[-1])
    return kept


def last(history: History, split: Split, figure: str) -> float | None:
    """The figure after the last epoch, if there is one."""
    if not history.epochs:
        return None
    row = history.epochs[-1]
    return (row.validation if split == "validation" else row.train).get(figure)
