"""The numbers on an axis: at least two, within it, written as the language writes them."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.ui.charts import ticks, vega
from playground.ui.charts.vega import Line
from playground.ui.shell import language


@given(st.floats(-6, 8), st.floats(0.02, 20))
def test_a_logarithmic_axis_has_two_numbers_at_least(power: float, decades: float) -> None:
    low = 10.0**power
    high = low * 10.0**decades
    found = ticks.log(low, high)
    assert 2 <= len(found) <= 2 * ticks.MAX_LABELS
    assert found == sorted(set(found))
    assert all(low * (1 - 1e-9) <= value <= high * (1 + 1e-9) for value in found)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_a_linear_axis_too(low: float, span: float) -> None:
    found = ticks.linear(low, low + span)
    assert 2 <= len(found) <= 12
    assert all(low - 1e-6 * span <= value <= low + 1.000001 * span for value in found)


def test_numbers_are_written_as_one_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "current", lambda: "en")
    said = [ticks.written(value) for value in (0, 0.05, 1.5, 1000, 20_000, 1e6, 5e7, -3, 2e-7)]
    assert said == ["0", "0.05", "1.5", "1,000", "20,000", "10⁶", "5·10⁷", "−3", "2·10⁻⁷"]
    monkeypatch.setattr(language, "current", lambda: "pl")
    assert [ticks.written(value) for value in (0.05, 1000, 10_000)] == [
        *("0,05", "1000", "10\u00a0000")
    ]


def test_a_run_that_diverged_has_an_axis() -> None:
    low, high = vega.spread([2.3, 50_000_000.0, math.inf, math.nan], logarithmic=True)
    assert 0 < low < 2.3 < 50_000_000 < high < 1e9
    assert vega.spread([], logarithmic=True)[0] > 0
    assert vega.spread([1.0], logarithmic=False)[0] < 1 < vega.spread([1.0], False)[1]


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=8))
def test_names_of_lines_stand_apart_and_within_the_plot(values: list[float]) -> None:
    height = 180.0
    lines = [Line(f"line {n}", value) for n, value in enumerate(values)]
    texts = [
        layer
        for rule in vega.rules(lines, (0.0, 1.0), height)
        for layer in rule["layer"]
        if layer["mark"]["type"] == "text"
    ]
    assert len(texts) == len(lines)
    places = sorted(
        height * (1 - layer["encoding"]["y"]["datum"]) + layer["mark"]["dy"] for layer in texts
    )
    assert all(b - a >= vega.APART - 1.01 for a, b in itertools.pairwise(places))
    assert places[0] >= -1
    assert places[-1] <= height + 1
    # Right of the plot: no line of the chart is there.
    assert all(layer["encoding"]["x"] == {"value": "width"} for layer in texts)
    assert all(layer["mark"]["align"] == "left" for layer in texts)
