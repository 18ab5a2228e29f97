"""A convolution drawn: the picture with its window, the output, one output pixel opened up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from torch import Tensor

from playground.lesson.convolution import KERNEL, Pixel
from playground.ui.charts import vega
from playground.ui.charts.sums import Number
from playground.ui.shell import language, palette
from playground.ui.shell.language import _
from playground.ui.widgets.controls import short

HEIGHT: Final = 330
INK: Final = "#22282c"
NEGATIVE: Final = "#f0a850"
POSITIVE: Final = "#6aaed6"
WHITE: Final = "#fdfcf9"


def picture(image: Tensor, row: int, column: int, key: str) -> None:
    """The picture, and where the kernel lies on it."""
    shade = {"domain": [0, 1], "range": [WHITE, INK]}
    layers = [
        _squares(shade),
        _frame("datum.row === {r} && datum.column === {c}", row, column, KERNEL),
    ]
    alt = _(
        "The picture; the kernel covers rows {row} to {last_row}, columns {column} to {last}",
        row=row + 1,
        last_row=row + KERNEL,
        column=column + 1,
        last=column + KERNEL,
    )
    vega.show(_rows(image), _spec(layers, image.shape[0]), HEIGHT, key, alt)


def output(
    out: Tensor, row: int, column: int, key: str, on_click: Callable[[int, int], None]
) -> None:
    """The output with its numbers: blue is positive, orange negative."""
    squares = _squares(_diverging(float(out.abs().max())))
    squares["mark"]["cursor"] = "pointer"
    squares["params"] = [{"name": "pick", "select": {"type": "point", "fields": ["row", "column"]}}]
    # A selection must not fade what is not selected.
    squares["encoding"]["opacity"] = {"value": 1}
    small = out.shape[0] > 8
    layers = [
        squares,
        _writing("text", 9 if small else 13, 0),
        _frame("datum.row === {r} && datum.column === {c}", row, column, 1),
    ]
    rows = _rows(out)
    for cell in rows:
        cell["text"] = _number(cell["value"], 1 if small else 2)

    def clicked(picked: Sequence[dict[str, Any]]) -> None:
        if picked:
            on_click(int(picked[0]["row"]), int(picked[0]["column"]))

    alt = _(
        "The output; in row {row}, column {column} it is {value}",
        row=row + 1,
        column=column + 1,
        value=_number(float(out[row, column]), 2),
    )
    vega.show(rows, _spec(layers, out.shape[0]), HEIGHT, key, alt, clicked)


def opened(
    pixel: Pixel, key: str, products: Sequence[Number], total: Number, ninths: bool = False
) -> None:
    """The nine products behind one output pixel; with ``ninths`` each weight is written as /9."""
    rows = _rows(pixel.products)
    parts = zip(pixel.patch.flatten().tolist(), pixel.kernel.flatten().tolist(), strict=True)
    for cell, product, (value, weight) in zip(rows, products, parts, strict=True):
        times = short(weight)
        times = "/ 9" if ninths else f"· ({times})" if weight < 0 else f"· {times}"
        cell["text"] = f"{short(value)} {times}"
        cell["product"] = f"= {product.text}"
    largest = max(1.0, float(pixel.kernel.abs().max()))
    layers = [
        _squares(_diverging(largest)),
        _writing("text", 13, -9),
        _writing("product", 13, 10, bold=True),
    ]
    alt = _("Nine products; their sum and the bias make {value}", value=total.text)
    vega.show(rows, _spec(layers, KERNEL), 210, key, alt)


def _number(value: float, digits: int) -> str:
    """A value that rounds to zero is zero, not "-0.00"."""
    return language.number(round(value, digits) + 0.0, digits)


def _rows(values: Tensor) -> list[dict[str, Any]]:
    return [
        {"row": row, "column": column, "x": column + 0.5, "y": row + 0.5, "value": value}
        for row, line in enumerate(values.tolist())
        for column, value in enumerate(line)
    ]


def _squares(scale: dict[str, Any]) -> dict[str, Any]:
    return {
        "mark": {"type": "rect", "stroke": palette.LIMIT, "strokeWidth": 0.4},
        "transform": [
            {"calculate": "datum.column + 1", "as": "right"},
            {"calculate": "datum.row + 1", "as": "bottom"},
        ],
        "encoding": {
            "x": _axis("column"),
            "x2": {"field": "right"},
            "y": _axis("row"),
            "y2": {"field": "bottom"},
            "color": {"field": "value", "type": "quantitative", "scale": scale, "legend": None},
        },
    }


def _frame(test: str, row: int, column: int, side: int) -> dict[str, Any]:
    """A thick frame around the square, or squares, that begin at ``row`` and ``column``."""
    return {
        "mark": {
            "type": "rect",
            "fillOpacity": 0,
            "stroke": palette.NEGATIVE.light,
            "strokeWidth": 4,
        },
        "transform": [
            {"filter": test.format(r=row, c=column)},
            {"calculate": f"datum.column + {side}", "as": "right"},
            {"calculate": f"datum.row + {side}", "as": "bottom"},
        ],
        "encoding": {
            "x": _axis("column"),
            "x2": {"field": "right"},
            "y": _axis("row"),
            "y2": {"field": "bottom"},
        },
    }


def _writing(field: str, size: int, dy: int, bold: bool = False) -> dict[str, Any]:
    """Text in the middle of each square; squares are light on both themes, so it is dark."""
    weight = 700 if bold else 400
    mark = {"type": "text", "fontSize": size, "dy": dy, "fontWeight": weight, "color": INK}
    # What is clicked is the square.
    mark["interactive"] = False
    return {
        "mark": mark,
        "encoding": {"x": _axis("x"), "y": _axis("y"), "text": {"field": field}},
    }


def _diverging(most: float) -> dict[str, Any]:
    most = most or 1.0
    return {"domain": [-most, 0, most], "range": [NEGATIVE, WHITE, POSITIVE], "interpolate": "rgb"}


def _spec(layers: list[dict[str, Any]], side: int) -> dict[str, Any]:
    domain = [0, side]
    for layer in layers:
        layer["encoding"]["x"]["scale"] = {"domain": domain, "nice": False}
        layer["encoding"]["y"]["scale"] = {"domain": domain, "nice": False, "reverse": True}
    return {"layer": layers, "config": {"view": {"stroke": None}}}


def _axis(field: str) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "axis": None}
