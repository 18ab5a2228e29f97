"""A sweep: the same run over a grid of one or two hyperparameters, all else being equal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Any, Final, cast

from playground import losses, models
from playground.errors import PlaygroundError
from playground.fields import Field, Value, shown
from playground.i18n import N_
from playground.projects.base import Project
from playground.recipe import FIELDS, Recipe, unknown

MAX_RUNS: Final = 36
MAX_VALUES: Final = 12  # of one hyperparameter
MAX_WEIGHTS: Final = 20_000_000
"""Of all networks together: with gradients, Adam's averages and copies some 0.5 GB."""

# Epochs are the same for all, and the service decides about threads.
_LEFT_OUT: Final = ("epochs", "threads")
WIDTH: Final = replace(
    FIELDS["hidden"],
    kind="integer",
    default=128,
    label=N_("Neurons in each hidden layer"),
    help=N_("Every hidden layer gets this many neurons; the number of layers stays the same."),
    log=True,
    longest=1,
)
_SMALLEST: Final = 1e-5  # above 0, on a logarithmic scale that begins there


@dataclass(frozen=True)
class Axis:
    """One hyperparameter and the values that it takes, each once."""

    field: Field
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Cell:
    """One run of a sweep: the value on each axis, and the recipe that they make."""

    point: tuple[Value, ...]
    recipe: Recipe


def fields(project: Project) -> dict[str, Field]:
    """What a sweep of ``project`` may go over: the recipe's numbers and choices.

    Their defaults are the project's own. Data options are not among them: figures on
    different validation examples do not compare.
    """
    usual = project.recipe()
    found: dict[str, Field] = {}
    for name, field in FIELDS.items():
        if name == "hidden":
            found[name] = replace(WIDTH, default=usual.hidden[0])
        elif field.kind in ("integer", "number", "choice") and name not in _LEFT_OUT:
            field = replace(field, default=getattr(usual, name))
            if name == "loss":
                field = replace(field, choices=losses.CHOICES[project.task])
            found[name] = field
    if not project.pictures:
        del found["architecture"], found["augmentation"]
    if project.task == "regression":
        del found["target"]
    return {name: field for name, field in found.items() if field.kind != "choice" or _many(field)}


def _many(field: Field) -> bool:
    return len(field.choices) > 1


def grid(field: Field, low: object, high: object, count: object) -> tuple[Value, ...]:
    """``count`` values of a number ``field`` from ``low`` to ``high``, both of them included.

    Evenly spaced, on a logarithmic scale where the field is; rounded to three digits, or to
    whole numbers, so a narrow range may give fewer. A logarithm knows no 0: a range from
    there has 0, and the rest from 0.00001 on (1 for whole numbers).

    Raises:
        PlaygroundError: a limit that the field does not allow, a range upside down, or
            a count that is not 1 … 12.
    """
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_VALUES:
        raise PlaygroundError(
            N_("A hyperparameter takes 1 to {most} values, not {count}."),
            most=MAX_VALUES,
            count=shown(count),
        )
    first, end = (float(cast(float, field.check(limit))) for limit in (low, high))
    if first > end:
        raise PlaygroundError(
            N_(
                "{field}: the range runs from {low} to {high}, but “From” must be the "
                "smaller. Swap the two."
            ),
            field=field.name,
            low=shown(low),
            high=shown(high),
        )
    if not field.log:
        return _distinct(field, [first, *_between(first, end, count), end], count)
    if first > 0:
        logs = _between(math.log(first), math.log(end), count)
        return _distinct(field, [first, *map(math.exp, logs), end], count)
    smallest = 1.0 if field.kind == "integer" else min(_SMALLEST, end)
    if count <= 2 or end <= smallest:
        return _distinct(field, [0.0, end], count)
    return (field.check(0), *grid(field, smallest, end, count - 1))


def _between(first: float, end: float, count: int) -> list[float]:
    """What lies between, where ``count`` values are evenly spaced from ``first`` to ``end``."""
    return [first + (end - first) * index / (count - 1) for index in range(1, count - 1)]


def _distinct(field: Field, values: Sequence[float], count: int) -> tuple[Value, ...]:
    """``values`` as the field takes them, each once; the ends are exact."""
    ends = (values[0], values[-1])
    rounded = [v if v in ends else _round(v, field.kind == "integer") for v in values]
    inside = [min(max(value, ends[0]), ends[1]) for value in rounded]
    return tuple(field.check(value) for value in sorted(set(inside))[:count])


def _round(value: float, whole: bool) -> float:
    return round(value) if whole else float(f"{value:.3g}")


def axis(project: Project, name: str, values: Sequence[object]) -> Axis:
    """The axis of the field ``name`` with ``values``, in their order.

    Raises:
        RecipeError: a field that no sweep of this project goes over, with the nearest.
        PlaygroundError: no value, too many, or one that the field does not allow.
    """
    known = fields(project)
    if name not in known:
        raise unknown(name, known)
    checked = tuple(dict.fromkeys(known[name].check(value) for value in values))
    if not 1 <= len(checked) <= MAX_VALUES:
        raise PlaygroundError(
            N_("A hyperparameter takes 1 to {most} values, not {count}."),
            most=MAX_VALUES,
            count=len(checked),
        )
    return Axis(known[name], checked)


def cells(project: Project, base: Recipe, axes: Sequence[Axis], epochs: int) -> list[Cell]:
    """``base`` with each combination of the axes' values, the last axis moving fastest.

    Each trains ``epochs`` epochs with one processor thread.

    Raises:
        PlaygroundError: not one or two different hyperparameters, too many runs, or
            networks that are too large together.
        RecipeError, FieldError: a combination that cannot be.
    """
    names = [axis.field.name for axis in axes]
    if not 1 <= len(names) <= 2 or len(set(names)) < len(names):
        raise PlaygroundError(N_("A sweep varies one or two different hyperparameters."))
    points = list(product(*(axis.values for axis in axes)))
    if len(points) > MAX_RUNS:
        raise PlaygroundError(
            N_(
                "That makes {count} runs, but a sweep can have at most {most}: choose fewer values."
            ),
            count=len(points),
            most=MAX_RUNS,
        )
    found = []
    for point in points:
        changes: dict[str, Any] = dict(zip(names, point, strict=True))
        if "hidden" in changes:
            changes["hidden"] = (changes["hidden"],) * len(base.hidden)
        recipe = base.with_(epochs=epochs, threads=1, **changes)
        found.append(Cell(point, project.check(recipe)))
    weights = sum(parameters(project, cell.recipe) for cell in found)
    if weights > MAX_WEIGHTS:
        raise PlaygroundError(
            N_(
                "Together these networks have {count} million weights, but a sweep can have at "
                "most {most} million: choose fewer or smaller ones."
            ),
            count=math.ceil(weights / 1e6),
            most=MAX_WEIGHTS // 1_000_000,
        )
    return found


_NETWORK: Final = ("architecture", "hidden", "channels", "kernels", "strides", "activation")


def parameters(project: Project, recipe: Recipe) -> int:
    """How many weights and biases the recipe's network has."""
    usual = project.recipe()
    # Only what decides about it, so that one count serves all who ask for such a network.
    network = {name: getattr(recipe, name) for name in _NETWORK}
    return _parameters(project, usual.with_(data=recipe.data, **network))


@lru_cache(maxsize=256)
def _parameters(project: Project, recipe: Recipe) -> int:
    return models.parameters(project.skeleton(recipe))
