"""Thinning keeps spikes, smoothing is the plain formula."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.ui.charts import vega

SERIES = st.lists(st.floats(0, 100), min_size=1, max_size=2000)


@given(SERIES)
def test_thinning_keeps_real_points_in_order_and_both_extremes(values: list[float]) -> None:
    kept = vega.thin(values, most=50)
    assert len(kept) <= max(50, 2)
    assert [step for step, _value in kept] == sorted({step for step, _value in kept})
    assert all(values[step - 1] == value for step, value in kept)
    assert {min(values), max(values)} <= {value for _step, value in kept}


@given(SERIES, st.floats(0.1, 0.99))
def test_smoothing_is_an_unbiased_moving_average(values: list[float], memory: float) -> None:
    average = weight = 0.0
    for value, found in zip(values, vega.smooth(values, memory), strict=True):
        average = memory * average + (1 - memory) * value
        weight = memory * weight + (1 - memory)
        assert found == pytest.approx(average / weight, rel=1e-6, abs=1e-9)


def test_nothing_to_smooth() -> None:
    assert vega.smooth([]) == []


def test_the_axis_of_steps_begins_small_and_ends_with_the_run() -> None:
    assert vega.shown(0, 0) == vega.shown(1, 2200) == vega.FIRST
    assert vega.shown(15, 2200) == 30
    assert vega.shown(500, 2200) == 2200
    assert vega.shown(3, 6) == 6


def test_a_name_stands_in_its_own_area_or_nowhere() -> None:
    shares = [[n / 20, 1 - n / 20] for n in range(21)]
    place, middle = vega.free_place(shares, 0, 3) or (0, 0.0)
    assert place > 14
    # Over its whole width it is below the top and above the border to the next area.
    assert 1 - min(shares[n][0] for n in range(place - 3, place + 4)) < middle < 1
    assert vega.free_place([[0.05, 0.95]] * 21, 0, 3) is None
    assert vega.free_place(shares, 0, 11) is None  # wider than the picture
