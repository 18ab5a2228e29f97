"""Which recipes a sweep makes, and what it refuses."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import models
from playground.errors import PlaygroundError
from playground.experiments import sweep
from playground.experiments.sweep import MAX_RUNS, MAX_VALUES, axis, cells, fields, grid
from playground.projects import PROJECTS
from playground.projects.base import Project
from playground.recipe import FIELDS, RecipeError

COFFEE = PROJECTS["coffee"]
NUMBERS = {name: field for name, field in fields(PROJECTS["digits"]).items() if not field.choices}


@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_a_sweep_goes_over_numbers_and_choices_of_the_recipe(name: str) -> None:
    project = PROJECTS[name]
    known = fields(project)
    assert set(known) <= set(FIELDS) - {"epochs", "threads"}
    assert {"hidden", "learning_rate", "activation", "batch_size", "seed"} <= set(known)
    assert ("architecture" in known) == project.pictures
    assert ("target" in known) == (project.task != "regression")
    usual = project.recipe()
    for one, field in known.items():
        assert field.kind in ("integer", "number", "choice")
        assert field.name == one
        own = usual.hidden[0] if one == "hidden" else getattr(usual, one)
        assert field.check(own) == own
        if field.kind == "choice":
            assert len(field.choices) > 1


@pytest.mark.parametrize(
    ("name", "low", "high", "count", "expected"),
    [
        ("learning_rate", 0.003, 0.3, 5, (0.003, 0.00949, 0.03, 0.0949, 0.3)),
        ("hidden", 4, 256, 7, (4, 8, 16, 32, 64, 128, 256)),
        ("batch_size", 8, 128, 5, (8, 16, 32, 64, 128)),
        ("dropout", 0, 0.5, 4, (0, 0.167, 0.333, 0.5)),
        ("seed", 0, 5, 6, (0, 1, 2, 3, 4, 5)),
        ("weight_decay", 0, 0.1, 4, (0, 1e-5, 0.001, 0.1)),
        ("weight_decay", 0, 0.1, 2, (0, 0.1)),
        ("weight_decay", 0, 0, 3, (0,)),
        ("weight_decay", 0, 1e-6, 3, (0, 1e-6)),
        ("hidden", 1, 3, 8, (1, 2, 3)),  # there are no more
        ("patience", 0, 2, 6, (0, 1, 2)),
        ("learning_rate", 0.1, 0.1, 5, (0.1,)),
        ("dropout", 0.1, 0.5, 1, (0.1,)),
    ],
)
def test_a_grid(name: str, low: float, high: float, count: int, expected: tuple[float]) -> None:
    found = grid(NUMBERS[name], low, high, count)
    assert found == expected
    kind = int if NUMBERS[name].kind == "integer" else float
    assert all(type(value) is kind for value in found)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(sorted(NUMBERS)),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(2, MAX_VALUES),
)
def test_any_grid_is_in_its_range_in_order_and_each_value_once(
    name: str, first: float, second: float, count: int
) -> None:
    field = NUMBERS[name]
    low, high = sorted(field.low + (field.high - field.low) * share for share in (first, second))
    if field.kind == "integer":
        low, high = round(low), round(high)
    values: tuple[Any, ...] = grid(field, low, high, count)
    assert 1 <= len(values) <= count
    assert list(values) == sorted(set(values))
    assert values[0] == low
    assert values[-1] == high
    assert all(field.check(value) == value for value in values)


@pytest.mark.parametrize("count", [0, -1, MAX_VALUES + 1, 10**9, 2.0, "3", None, True, math.nan])
def test_a_hostile_count_is_refused(count: object) -> None:
    with pytest.raises(PlaygroundError, match="1 to 12 values"):
        grid(NUMBERS["dropout"], 0, 0.5, count)


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (0.5, 0.1),
        (math.nan, 0.5),
        (0, math.inf),
        (-1, 0.5),
        (0, 5),
        ("0", 0.5),
        (None, 0.5),
        (True, 0.5),
        ([0], 0.5),
    ],
)
def test_a_hostile_range_is_refused_by_name(low: object, high: object) -> None:
    with pytest.raises(PlaygroundError, match="dropout"):
        grid(NUMBERS["dropout"], low, high, 4)


def test_an_axis_checks_its_field_and_its_values() -> None:
    assert axis(COFFEE, "loss", ["mse", "l1", "mse"]).values == ("mse", "l1")
    for name in ("epochs", "threads", "augmentation", "architecture", "noise", "__class__", ""):
        with pytest.raises(RecipeError):
            axis(COFFEE, name, [1])
    for values in ([], ["cross_entropy"], ["<script>"], [1]):
        with pytest.raises(PlaygroundError):
            axis(COFFEE, "loss", values)
    with pytest.raises(PlaygroundError):
        axis(COFFEE, "seed", range(MAX_VALUES + 1))


def test_the_cells_are_the_base_with_each_combination() -> None:
    base = COFFEE.recipe(hidden=(8, 8), seed=3, threads=2)
    axes = [axis(COFFEE, "hidden", [4, 16]), axis(COFFEE, "optimizer", ["sgd", "adam", "adamw"])]
    found = cells(COFFEE, base, axes, 7)
    assert [cell.point for cell in found] == [
        (4, "sgd"),
        (4, "adam"),
        (4, "adamw"),
        (16, "sgd"),
        (16, "adam"),
        (16, "adamw"),
    ]
    for cell in found:
        width, optimizer = cell.point
        expected = base.with_(hidden=(width,) * 2, optimizer=optimizer, epochs=7, threads=1)
        assert cell.recipe == expected


def test_too_many_runs_or_weights_and_axes_that_cannot_be() -> None:
    base = COFFEE.recipe()
    six, seven = axis(COFFEE, "seed", range(6)), axis(COFFEE, "hidden", range(1, 8))
    assert len(cells(COFFEE, base, [six, axis(COFFEE, "hidden", range(1, 7))], 1)) == MAX_RUNS
    with pytest.raises(PlaygroundError, match="42 runs"):
        cells(COFFEE, base, [six, seven], 1)
    for axes in ([], [six, six], [six, seven, axis(COFFEE, "loss", ["mse"])]):
        with pytest.raises(PlaygroundError, match="one or two different"):
            cells(COFFEE, base, axes, 1)
    with pytest.raises(PlaygroundError, match="epochs"):
        cells(COFFEE, base, [six], 0)
    large = COFFEE.recipe(hidden=(1024,) * 6)
    with pytest.raises(PlaygroundError, match="million weights"):
        cells(COFFEE, large, [six], 1)


def test_a_combination_that_the_project_refuses(bars: Project) -> None:
    other = PROJECTS["coffee"].recipe()
    with pytest.raises(RecipeError):
        cells(bars, other, [axis(bars, "seed", [0, 1])], 1)


def test_the_count_of_weights_is_the_networks_own(bars: Project) -> None:
    for recipe in (bars.recipe(), bars.recipe(hidden=(3, 5)), bars.recipe(architecture="cnn")):
        assert sweep.parameters(bars, recipe) == models.parameters(bars.build(recipe))
