"""A loss over two weights as a landscape to turn, with ways down on it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go
import streamlit as st

from playground.ui.plane import SCHEMES, Span

DISTANCE: Final = 1.53  # of the eye from the middle, seen from above
LIFT: Final = 0.01  # of the height: a line lies on the surface, not in it

Way = tuple[Sequence[float], Sequence[float], Sequence[float], str]
"""xs, ys, heights and colour of a line."""


def show(
    heights: Any,
    x: Span,
    y: Span,
    top: float,
    titles: tuple[str, str, str],
    ways: Mapping[str, Way],
    key: str,
    turned: float = 230,
    height: int = 430,
) -> None:
    """``heights`` (rows: y from low to high, columns: x) with ``ways`` (name -> line) on it.

    ``titles`` are those of x, y and height, which goes to ``top``. What of a way is outside
    is not drawn. It is seen from ``turned`` degrees, counted from the x axis towards the y axis;
    a mouse can turn it, until the next rerun makes the chart anew.
    """
    count = len(heights)
    grid = [[low + (high - low) * n / (count - 1) for n in range(count)] for low, high in (x, y)]
    figure = go.Figure(
        go.Surface(
            x=grid[0],
            y=grid[1],
            z=heights,
            colorscale=SCHEMES["loss"],
            showscale=False,
            contours={"z": {"show": True, "color": "#7d8a92", "size": top / 14, "end": top}},
            lighting={"ambient": 0.75, "diffuse": 0.5, "specular": 0.05},
            hoverinfo="skip",
        )
    )
    for name, (xs, ys, zs, color) in ways.items():
        inside = [
            (px, py, pz + LIFT * top)
            for px, py, pz in zip(xs, ys, zs, strict=True)
            if x[0] <= px <= x[1] and y[0] <= py <= y[1]
        ]
        if not inside:
            continue
        line = dict(zip("xyz", zip(*inside, strict=True), strict=True))
        style = {"color": color, "width": 6}
        figure.add_scatter3d(
            **line, mode="lines", name=name, line=style, showlegend=False, hoverinfo="name"
        )
        end = {axis: places[-1:] for axis, places in line.items()}
        figure.add_scatter3d(
            **end,
            mode="markers",
            name=name,
            marker={"color": color, "size": 5},
            showlegend=False,
            hoverinfo="name",
        )
    names = ("xaxis", "yaxis", "zaxis")
    axes: dict[str, Any] = {
        axis: {"title": title} for axis, title in zip(names, titles, strict=True)
    }
    axes["zaxis"]["range"] = [0, top]
    cos, sin = math.cos(math.radians(turned)), math.sin(math.radians(turned))
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        scene={
            **axes,
            "aspectratio": {"x": 1, "y": 1, "z": 0.6},
            "camera": {"eye": {"x": DISTANCE * cos, "y": DISTANCE * sin, "z": 1.35}},
        },
    )
    st.plotly_chart(figure, key=key, config={"displayModeBar": False}, width="stretch")


__all__ = ["Way", "show"]
