"""A loss over two weights as a landscape to turn, with ways down on it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import numpy as np
from plotly.colors import sample_colorscale

from playground.ui.charts import plotly_component
from playground.ui.charts.heatmap_2d import BANDS, SCHEMES, Span
from playground.ui.shell import language
from playground.ui.shell.palette import Color

DISTANCE: Final = 1.53  # of the eye from the middle, seen from above
LIFT: Final = 0.01  # of the height: a line lies on the surface, not in it
END_LIFT: Final = 0.04  # its mark stands on the surface, which would cut a lower one
DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash")  # Plotly's, as palette.DASHES
LINE: Final = "#74828a"  # of equal height
TEXELS: Final = 256  # into which Plotly samples a colour scale: a line is one of them

Way = tuple[Sequence[float], Sequence[float], Sequence[float], Color]
"""xs, ys, heights and colour of a line."""


def show(
    heights: Any,
    x: Span,
    y: Span,
    top: float,
    titles: tuple[str, str, str],
    ways: Mapping[str, Way],
    key: str,
    alt: str,
    turned: float = 230,
    height: int = 430,
) -> None:
    """``heights`` (rows: y from low to high, columns: x) with ``ways`` (name -> line) on it.

    ``titles`` are those of x, y and height, which goes from 0 to ``top``. What of a way is outside
    is not drawn. It is seen from ``turned`` degrees, counted from the x axis towards the y axis;
    a mouse can turn it on, until ``turned`` is another.
    """
    drawn = {
        "data": [_ground(np.asarray(heights), x, y, top), *_lines(ways, x, y, top)],
        "layout": _layout(titles, top, turned),
    }
    plotly_component.show(drawn, key, alt, height)


def _ground(heights: np.ndarray[Any, Any], x: Span, y: Span, top: float) -> dict[str, Any]:
    """The surface, in the colours that :func:`plane.plane` gives the roots of the heights."""
    rows, columns = heights.shape
    digits = 4 - math.ceil(math.log10(top))  # enough to draw, and short to send
    return {
        "type": "surface",
        "x": np.linspace(*x, columns).round(4).tolist(),
        "y": np.linspace(*y, rows).round(4).tolist(),
        "z": heights.round(digits).tolist(),
        "surfacecolor": np.sqrt(np.clip(heights / top, 0, 1)).round(3).tolist(),
        "cmin": 0,
        "cmax": 1,
        "colorscale": _bands(),
        "showscale": False,
        "lighting": {"ambient": 0.8, "diffuse": 0.4, "specular": 0.03},
        "hoverinfo": "skip",
    }


@cache
def _bands() -> list[list[Any]]:
    """The colours of a loss in steps, each step begun by a line: the lines of equal height."""
    count = BANDS["loss"]
    scale: list[list[Any]] = []
    for n, color in enumerate(
        sample_colorscale(SCHEMES["loss"], [n / count for n in range(count)])
    ):
        line = n / count + 1 / TEXELS if n else 0
        scale += [[n / count, LINE], [line, LINE]] if n else []
        scale += [[line, color], [(n + 1) / count, color]]
    return scale


def _lines(ways: Mapping[str, Way], x: Span, y: Span, top: float) -> list[dict[str, Any]]:
    """A line a way, and one trace with the place where each of them is now."""
    lines: list[dict[str, Any]] = []
    ends: list[tuple[Any, ...]] = []
    for n, (name, (xs, ys, zs, color)) in enumerate(ways.items()):
        dash = DASHES[n % len(DASHES)] if len(ways) > 2 else DASHES[0]
        ink = color.light  # as the ground is light on both themes
        inside = [
            (round(px, 4), round(py, 4), round(pz + LIFT * top, 4))
            for px, py, pz in zip(xs, ys, zs, strict=True)
            if x[0] <= px <= x[1] and y[0] <= py <= y[1]
        ]
        if not inside:
            continue
        lines.append(
            {
                "type": "scatter3d",
                "mode": "lines",
                "name": name,
                **dict(zip("xyz", zip(*inside, strict=True), strict=True)),
                "line": {"color": ink, "width": 6, "dash": dash},
                "hoverinfo": "name",
                "showlegend": False,
            }
        )
        px, py, pz = inside[-1]
        ends.append((px, py, round(pz + (END_LIFT - LIFT) * top, 4), name, ink))
    if ends:
        xs, ys, zs, names, colors = zip(*ends, strict=True)
        lines.append(
            {
                "type": "scatter3d",
                "mode": "markers",
                "x": xs,
                "y": ys,
                "z": zs,
                "text": names,
                "marker": {"color": colors, "size": 5},
                "hoverinfo": "text",
                "showlegend": False,
            }
        )
    return lines


def _layout(titles: tuple[str, str, str], top: float, turned: float) -> dict[str, Any]:
    x, y, z = titles
    # The name of the height would leave a narrow picture: it stands in its corner.
    corner = {"text": f"↑ {z}", "x": 0, "y": 1, "xref": "paper", "yref": "paper"}
    axes: dict[str, Any] = {
        "xaxis": {"title": {"text": x}},
        "yaxis": {"title": {"text": y}},
        "zaxis": {"title": {"text": ""}, "range": [0, top]},
    }
    cos, sin = math.cos(math.radians(turned)), math.sin(math.radians(turned))
    return {
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "separators": language.number(0.5, 1)[1] + " ",
        "annotations": [{**corner, "xanchor": "left", "showarrow": False}],
        "scene": {
            **axes,
            "aspectratio": {"x": 1, "y": 1, "z": 0.6},
            "camera": {
                "eye": {"x": DISTANCE * cos, "y": DISTANCE * sin, "z": 1.35},
                "center": {"x": 0, "y": 0, "z": -0.1},
            },
            "uirevision": turned,
        },
    }


__all__ = ["Way", "show"]
