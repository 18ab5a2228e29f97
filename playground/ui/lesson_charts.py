"""Lines over one number, for the lesson: fixed axes, so that a slider moves the line alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playground.ui import charts, palette
from playground.ui.palette import Color

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
    rules: Sequence[charts.Line] = (),
    colors: Mapping[str, Color] | None = None,
    dashed: Sequence[str] = (),
    height: int = 300,
) -> None:
    """Each of ``lines`` (name -> curve) in its colour; a legend if there are several.

    ``points`` are marked on top, ``rules`` are horizontal lines to compare with, and the
    names in ``dashed`` are drawn dashed. What leaves the axes' ranges is cut off.
    """
    names = list(lines)
    inks = [(colors or {}).get(name, palette.CLASSES[n % 10]) for n, name in enumerate(names)]
    rows: list[dict[str, Any]] = [
        {"kind": "line", "x": px, "y": py, "name": name, "n": n}
        for name, (xs, ys) in lines.items()
        for n, (px, py) in enumerate(zip(xs, ys, strict=True))
    ]
    rows += [
        {"kind": "mark", "x": mark.x, "y": mark.y, "label": mark.label, "color": mark.color}
        for mark in points
    ]
    ticks = min(6, height // 50)  # about so many: each with its number
    place = {"x": _axis("x", x, x_title), "y": _axis("y", y, y_title, ticks)}
    legend = {"orient": "top", "offset": 0, "padding": 0, "labelLimit": 400, "symbolType": "stroke"}
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
            "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1, "clip": True},
            "transform": marked,
            "encoding": {**place, "fill": own},
        },
        {
            "mark": {
                "type": "text",
                "dy": -14,
                "fontSize": 13,
                "fontWeight": 600,
                "color": palette.INK,
                "clip": True,
            },
            "transform": marked,
            "encoding": {**place, "text": {"field": "label"}},
        },
    ]
    layers += charts.rules(rules, y, height - (70 if len(names) > 1 else 46))
    charts.show(rows, {"layer": layers}, height, key, alt)


def _dashes(names: Sequence[str], dashed: Sequence[str]) -> list[list[int]]:
    """A dash for each of ``names``: of three or more lines, each has one of its own.

    Two are told apart by their colours alone, by everybody.
    """
    if dashed or len(names) < 3:
        return [[6, 4] if name in dashed else [1, 0] for name in names]
    return [palette.DASHES[n % len(palette.DASHES)] for n, _name in enumerate(names)]


def _axis(field: str, domain: tuple[float, float], title: str, ticks: int = 6) -> dict[str, Any]:
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "scale": {"domain": list(domain), "nice": False, "zero": False},
        "axis": {"tickCount": ticks},
    }
