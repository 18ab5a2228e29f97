"""What of a loss and its ways is drawn as a landscape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from playground.ui.charts import heatmap_2d, plotly_component, surface_3d
from playground.ui.shell.palette import Color

SPAN = (-4.0, 4.0)
TITLES = ("w1", "w2", "loss")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Receives each figure instead of the page."""
    figures: list[dict[str, Any]] = []
    monkeypatch.setattr(plotly_component, "show", lambda drawn, *_: figures.append(drawn))
    return figures


def show(heights: np.ndarray, ways: dict[str, surface_3d.Way], turned: float = 0) -> None:
    surface_3d.show(heights, SPAN, SPAN, 16.0, TITLES, ways, "key", "alt", turned)


def test_rows_run_along_y_and_colours_follow_the_root(shown: list[dict[str, Any]]) -> None:
    heights = np.array([[0.0, 1.0, 4.0], [16.0, 9.0, 2.25]])
    show(heights, {})
    (ground,) = shown[0]["data"]
    assert (ground["x"], ground["y"]) == ([-4, 0, 4], [-4, 4])
    assert ground["z"] == heights.tolist()
    assert ground["surfacecolor"] == [[0, 0.25, 0.5], [1, 0.75, 0.375]]


def test_colours_are_steps_each_begun_by_a_line(shown: list[dict[str, Any]]) -> None:
    show(np.ones((2, 2)), {})
    scale = shown[0]["data"][0]["colorscale"]
    places, colors = zip(*scale, strict=True)
    assert places[0] == 0
    assert places[-1] == 1
    assert list(places) == sorted(places)
    steps = heatmap_2d.BANDS["loss"]
    assert colors.count(surface_3d.LINE) == 2 * (steps - 1)
    assert len(set(colors)) == steps + 1


def test_what_is_outside_is_not_drawn(shown: list[dict[str, Any]]) -> None:
    ways = {
        "in": ([0.0, 1.0, 9.0], [0.0, 2.0, 0.0], [3.0, 5.0, 81.0], Color("#123456", "#ffffff")),
        "out": ([5.0], [0.0], [25.0], Color("#654321", "#ffffff")),
    }
    show(np.ones((2, 2)), ways)
    _, line, ends = shown[0]["data"]
    lift = surface_3d.LIFT * 16
    assert (line["name"], line["x"], line["y"]) == ("in", (0, 1), (0, 2))
    assert line["z"] == pytest.approx((3 + lift, 5 + lift))
    assert (ends["x"], ends["y"], ends["text"]) == ((1,), (2,), ("in",))
    assert ends["marker"]["color"] == ("#123456",)


def test_the_camera_is_kept_until_the_slider_turns_it(shown: list[dict[str, Any]]) -> None:
    for turned in (30, 30, 90):
        show(np.ones((2, 2)), {}, turned)
    scenes = [drawn["layout"]["scene"] for drawn in shown]
    assert scenes[0] == scenes[1]
    assert scenes[1]["uirevision"] != scenes[2]["uirevision"]
    eye = scenes[2]["camera"]["eye"]
    assert (eye["x"], eye["y"]) == pytest.approx((0, surface_3d.DISTANCE))
