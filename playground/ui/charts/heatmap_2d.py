"""A picture over two numbers: what a network says there, or how large a loss is there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from plotly.colors import sample_colorscale

from playground import data_url
from playground.ui.charts import vega
from playground.ui.shell import palette
from playground.ui.shell.palette import Color

# Low to high. "classes": class 0 orange, undecided white, class 1 blue, as points are drawn.
# "density": white where there is nothing.
# "loss": light, so that every line over it is seen; the higher, the darker.
SCHEMES: Final = {
    "classes": [[0.0, "#f6c48c"], [0.5, "#fdfcf9"], [1.0, "#9cc7e6"]],
    "loss": [[0.0, "#fdfdfa"], [0.35, "#dfe6e6"], [1.0, "#a3b1b8"]],
    "density": [[0.0, "#fdfdfa"], [1.0, palette.TRAIN.light]],
}
BANDS: Final = {"loss": 16}  # steps of a scheme: their edges are lines of equal height
INK: Final = palette.INK  # on the picture, which is light on a dark page too
CLASS_COLORS: Final = (palette.CLASSES[5], palette.CLASSES[0])  # of the points of class 0 and 1
CLICKS: Final = 40  # squares along a side that a click is rounded to


@dataclass(frozen=True)
class Dot:
    """A marked point."""

    x: float
    y: float
    color: Color
    label: str = ""
    shape: str = "circle"
    size: int = 70


Span = tuple[float, float]
Path = tuple[Sequence[float], Sequence[float], Color]
"""xs, ys and colour of a line."""


def plane(
    values: Any,
    x: Span,
    y: Span,
    x_title: str,
    y_title: str,
    key: str,
    alt: str,
    points: Sequence[Dot] = (),
    paths: Mapping[str, Path] | None = None,
    low: float = 0.0,
    high: float = 1.0,
    scheme: str = "classes",
    on_click: Callable[[float, float], None] | None = None,
    height: int = 380,
    thin: Collection[str] = (),
) -> None:
    """``values`` (rows: y from low to high, columns: x) as colours from ``low`` to ``high``.

    ``paths`` (name -> line; those in ``thin`` as hairlines) and ``points`` are drawn over it;
    ``on_click`` gets x and y of a place clicked, rounded to a grid of 40×40.
    """
    middle = ((x[0] + x[1]) / 2, (y[0] + y[1]) / 2)
    # An image, not thousands of rectangles: it is small, and smooth when it changes.
    rows: list[dict[str, Any]] = [
        {
            "kind": "image",
            "x": middle[0],
            "y": middle[1],
            "url": _picture(values, low, high, scheme),
        }
    ]
    for name, (xs, ys, color) in (paths or {}).items():
        rows += [
            {
                "kind": "thin" if name in thin else "path",
                "x": px,
                "y": py,
                "n": n,
                "name": name,
                "color": color.light,
            }
            for n, (px, py) in enumerate(zip(xs, ys, strict=True))
        ]
    rows += [
        {
            "kind": "dot",
            "x": dot.x,
            "y": dot.y,
            "color": dot.color.light,
            "label": dot.label,
            # Above the dot, or below it where the picture ends.
            "ly": dot.y + (y[1] - y[0]) * (0.045 if dot.y < y[1] - 0.1 * (y[1] - y[0]) else -0.05),
            "shape": dot.shape,
            "size": dot.size,
        }
        for dot in points
    ]
    place = {"x": _axis("x", x, x_title), "y": _axis("y", y, y_title)}
    drawn = [name for name in paths or {} if name not in thin]
    dash = {
        "field": "name",
        "type": "nominal",
        "scale": {"domain": drawn, "range": palette.dashes(len(drawn))},
        "legend": None,
    }
    own = {"field": "color", "type": "nominal", "scale": None, "legend": None}
    only = {
        kind: [{"filter": f"datum.kind === '{kind}'"}] for kind in ("image", "thin", "path", "dot")
    }
    line = {
        **place,
        "order": {"field": "n", "type": "quantitative"},
        "detail": {"field": "name", "type": "nominal"},
    }
    stroke = {"type": "line", "clip": True, "strokeJoin": "round", "strokeCap": "round"}
    writing = {"type": "text", "fontSize": 12, "fontWeight": 600, "clip": True}
    label = {"x": place["x"], "y": _axis("ly", y, y_title), "text": {"field": "label"}}
    layers: list[dict[str, Any]] = [
        {
            # As wide and high as the plot: width and height of the view itself.
            "mark": {
                "type": "image",
                "aspect": False,
                "width": {"expr": "width"},
                "height": {"expr": "height"},
            },
            "transform": only["image"],
            "encoding": {**place, "url": {"field": "url", "type": "nominal"}},
        },
        {
            "mark": {**stroke, "strokeWidth": 1, "opacity": 0.55},
            "transform": only["thin"],
            "encoding": {**line, "color": own},
        },
        # A rim around each line: where two cross, both are seen.
        {
            "mark": {**stroke, "strokeWidth": 4.5, "color": "white", "opacity": 0.8},
            "transform": only["path"],
            "encoding": line,
        },
        {
            "mark": {**stroke, "strokeWidth": 2.5},
            "transform": only["path"],
            "encoding": {**line, "color": own, "strokeDash": dash},
        },
        {
            "mark": {
                "type": "point",
                "filled": True,
                "opacity": 1,
                "stroke": "white",
                "strokeWidth": 1,
                "clip": True,
            },
            "transform": only["dot"],
            "encoding": {
                **place,
                "fill": own,
                "shape": {"field": "shape", "type": "nominal", "scale": None, "legend": None},
                "size": {"field": "size", "type": "quantitative", "scale": None},
            },
        },
        {
            "mark": {**writing, "stroke": "white", "strokeWidth": 3, "strokeJoin": "round"},
            "transform": only["dot"],
            "encoding": label,
        },
        {"mark": {**writing, "color": INK.light}, "transform": only["dot"], "encoding": label},
    ]
    if on_click:
        layers.append(
            {
                "mark": {"type": "square", "size": 400, "cursor": "crosshair", "tooltip": None},
                "transform": _squares(x, y),
                "encoding": {**place, "opacity": {"value": 0}},
                "params": [
                    {"name": "pick", "select": {"type": "point", "fields": ["x", "y"]}},
                ],
            }
        )

    def clicked(picked: Sequence[dict[str, Any]]) -> None:
        if picked and on_click:
            on_click(round(float(picked[0]["x"]), 6), round(float(picked[0]["y"]), 6))

    # On a canvas: as SVG the squares to click on are 1,681 elements, made anew at each change.
    spec = {"layer": layers, "usermeta": {"embedOptions": {"renderer": "canvas"}}}
    vega.show(rows, spec, height, key, alt, clicked if on_click else None)


def _picture(values: Any, low: float, high: float, scheme: str) -> str:
    """``values`` as a PNG in a URL; the first row (the lowest y) is at the bottom."""
    array = np.asarray(values, dtype=float)
    shares = np.clip((array - low) / (high - low), 0, 1)
    if bands := BANDS.get(scheme):
        shares = np.floor(shares * bands) / bands
    colors = _palette(scheme)
    return data_url.png(colors[np.rint(shares * 255).astype(int)][::-1])


@cache
def _palette(scheme: str) -> NDArray[np.uint8]:
    """256 colours (256, 3)."""
    colors = sample_colorscale(SCHEMES[scheme], np.linspace(0, 1, 256).tolist(), colortype="tuple")
    palette: NDArray[np.uint8] = np.rint(255 * np.asarray(colors)).astype(np.uint8)
    return palette


def _squares(x: Span, y: Span) -> list[dict[str, Any]]:
    """Transforms that make invisible squares to click on: made in the browser, not sent there."""
    transforms: list[dict[str, Any]] = [{"filter": "datum.kind === 'image'"}]
    for name, (low, high) in (("x", x), ("y", y)):
        transforms += [
            {"calculate": f"sequence({CLICKS + 1})", "as": name},
            {"flatten": [name]},
            {"calculate": f"{low} + {(high - low) / CLICKS} * datum.{name}", "as": name},
        ]
    return transforms


def _axis(field: str, domain: Span, title: str) -> dict[str, Any]:
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "scale": {"domain": list(domain), "nice": False, "zero": False},
        "axis": {"tickCount": 5, "grid": False},
    }
