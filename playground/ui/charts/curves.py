"""Lines over one number, for the lesson: fixed axes, so that a slider moves the line alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playground.ui.charts import vega
from playground.ui.shell import palette
from playground.ui.shell.palette import Color

EXTENT = 34  # pixels
Curve = tuple[Sequence[float], Sequence[float]]
"""xs and ys of one line."""


@dataclass(frozen=True)
class Mark:
    """A marked point."""

    x: float
    y: float
    label: str = ""
    color: Color = palette.VALIDATION


def curves(
    lines: Mapping[str, Curve],
    x_title: str,
    y_title: str,
    key: str,
    alt: str,
    x: tuple[float, float],
    y: tuple[float, float],
    points: Sequence[Mark] = (),
    rules: Sequence[vega.Line] = (),
    colors: Mapping[str, Color] | None = None,
    dashed: Sequence[str] = (),
    height: int = 300,
) -> None:
    """Each of ``lines`` (name -> curve) in its colour; a legend if there are several.

    ``points`` are marked on top, ``rules`` are horizontal lines to compare with, and the
    names in ``dashed`` are drawn dashed. A line that leaves the axes' ranges is cut off; a
    marked point out there becomes an arrow at the edge that points to it.
    """
    names = list(lines)
    inks = [(colors or {}).get(name, palette.CLASSES[n % 10]) for n, name in enumerate(names)]
    rows: list[dict[str, Any]] = [
        {"kind": "line", "x": px, "y": py, "name": name, "n": n}
        for name, (xs, ys) in lines.items()
        for n, (px, py) in enumerate(zip(xs, ys, strict=True))
    ]
    rows += [_mark(mark, x, y, height) for mark in points]
    ticks = min(6, height // 50)  # about so many: each with its number
    place = {"x": _axis("x", x, x_title), "y": _axis("y", y, y_title, ticks)}
    # As much room for every axis' numbers: charts one above the other have the same x.
    place["y"]["axis"]["minExtent"] = EXTENT
    legend = {"orient": "top", "offset": 0, "padding": 0, "labelLimit": 400, **vega.STROKES}
    color = {
        "field": "name",
        "type": "nominal",
        "title": None,
        "scale": {"domain": names, "range": inks},
        "legend": legend if len(names) > 1 else None,
    }
    dash = {
        "field": "name",
        "type": "nominal",
        "scale": {
            "domain": names,
            "range": _dashes(names, dashed),
        },
        "title": None,
        "legend": color["legend"],
    }
    own = {"field": "color", "type": "nominal", "scale": None, "legend": None}
    marked = [{"filter": "datum.kind === 'mark'"}]
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "line", "strokeWidth": 2.5, "clip": True},
            "transform": [{"filter": "datum.kind === 'line'"}],
            "encoding": {
                **place,
                "color": color,
                "strokeDash": dash,
                "order": {"field": "n", "type": "quantitative"},
            },
        },
        {
            "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1},
            "transform": marked,
            "encoding": {
                "x": _axis("px", x, x_title),
                "y": _axis("py", y, y_title, ticks),
                "fill": own,
                "shape": {"field": "shape", "type": "nominal", "scale": None, "legend": None},
            },
        },
    ]
    if any(mark.label for mark in points):
        # First a rim of the paper's colour: no line may cross out a number.
        halo = {
            "stroke": palette.PAPER,
            "strokeWidth": 5,
            "strokeJoin": "round",
            "color": palette.PAPER,
        }
        layers += [_label(halo, x, y, x_title, y_title, ticks)]
        layers += [_label({"color": palette.INK}, x, y, x_title, y_title, ticks)]
    layers += vega.rules(rules, y, height - (70 if len(names) > 1 else 46))
    vega.show(rows, {"layer": layers}, height, key, alt)


def _dashes(names: Sequence[str], dashed: Sequence[str]) -> list[list[int]]:
    """A dash for each of ``names``."""
    if dashed:
        return [[6, 4] if name in dashed else palette.SOLID for name in names]
    return palette.dashes(len(names))


def _mark(
    mark: Mark, x: tuple[float, float], y: tuple[float, float], height: int
) -> dict[str, Any]:
    """The row of a marked point: where it lies, and where it is drawn."""
    inside = min(max(mark.x, x[0]), x[1]), min(max(mark.y, y[0]), y[1])
    shape = "circle"
    if mark.y != inside[1]:
        shape = "triangle-up" if mark.y > inside[1] else "triangle-down"
    elif mark.x != inside[0]:
        shape = "triangle-right" if mark.x > inside[0] else "triangle-left"
    # Its label stands above it, or below it at the upper edge; at a side it stands inside.
    above = (y[1] - inside[1]) / (y[1] - y[0]) * height > 40
    across = (inside[0] - x[0]) / (x[1] - x[0])
    return {
        "kind": "mark",
        "x": mark.x,
        "y": mark.y,
        "px": inside[0],
        "py": inside[1],
        "shape": shape,
        "label": mark.label,
        "lift": -14 if above else 16,
        "align": "left" if across < 0.06 else "right" if across > 0.94 else "center",
        "color": mark.color,
    }


def _label(
    look: dict[str, Any],
    x: tuple[float, float],
    y: tuple[float, float],
    x_title: str,
    y_title: str,
    ticks: int,
) -> dict[str, Any]:
    """The names of the marked points."""
    return {
        "mark": {
            "type": "text",
            "dy": {"expr": "datum.lift"},
            "align": {"expr": "datum.align"},
            "fontSize": 13,
            "fontWeight": 600,
            **look,
        },
        "transform": [{"filter": "datum.kind === 'mark'"}],
        "encoding": {
            "x": _axis("px", x, x_title),
            "y": _axis("py", y, y_title, ticks),
            "text": {"field": "label"},
        },
    }


def _axis(field: str, domain: tuple[float, float], title: str, ticks: int = 6) -> dict[str, Any]:
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "scale": {"domain": list(domain), "nice": False, "zero": False},
        "axis": {"tickCount": ticks},
    }
