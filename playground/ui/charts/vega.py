"""Charts that tick: plain Vega-Lite specs, which update in place instead of flickering.

Every chart has axis titles, a fixed height, and an ``alt`` that says what it shows, with numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import streamlit as st
from scipy.signal import lfilter

from playground.history import History
from playground.metrics import is_share
from playground.ui.charts import ticks
from playground.ui.shell import language, palette
from playground.ui.shell.language import _
from playground.ui.shell.palette import Color

HEIGHT: Final = 250  # pixels of a progress chart, axes and legend included
# For a mark that is drawn once, not once a row. (Data of its own would get lost: Streamlit
# hands Vega one data set.)
ONCE: Final = [
    {"window": [{"op": "row_number", "as": "n"}]},
    {"filter": "datum.n === 1"},
]
FEW: Final = 30  # points of a line that are drawn as dots, too
POINTS: Final = 300  # of one line at most: more cannot be seen
FONT: Final = '"Source Sans", sans-serif'  # as the page's
STROKES: Final = {"symbolType": "stroke", "symbolSize": 400, "symbolStrokeWidth": 2.5}
"""A legend of lines, so long that one sees their dashes."""
Y_AXIS: Final = 46  # pixels of the numbers beside it: charts below each other begin at one place
LETTER: Final = 0.025  # half its width, of a narrow plot's
APART: Final = 12  # pixels between two of these names


_TEXT: Final = {"labelColor": palette.QUIET, "titleColor": palette.QUIET, "labelFontSize": 12}
STYLE: Final = {
    "font": FONT,
    # Vega would name each mark by its numbers, in English. The whole chart has its ``alt``.
    "aria": False,
    "mark": {"aria": False},
    "padding": 2,
    "axis": {
        **_TEXT,
        "titleFontSize": 12,
        "titlePadding": 6,
        "gridColor": palette.GRID,
        "domainColor": palette.LIMIT,
        "tickColor": palette.LIMIT,
    },
    "legend": {**_TEXT, "titleFontSize": 12},
    "title": {"color": palette.INK},
}


@dataclass(frozen=True)
class Line:
    """A horizontal line to compare with: the best possible, or a baseline."""

    label: str
    value: float
    best: bool = False  # the best possible
    end_of: Color | None = None  # no line at all, but the name of a curve that ends here


def thin(values: Sequence[float], most: int = POINTS) -> list[tuple[int, float]]:
    """(step, value) pairs, steps counted from 1: all of them, or each bucket's least and most.

    Means would hide spikes, and a spike is what a student should see.
    """
    if len(values) <= most:
        return list(enumerate(values, start=1))
    size = -(-2 * len(values) // most)
    array = np.asarray(values)
    array = np.pad(array, (0, -len(array) % size), mode="edge").reshape(-1, size)
    first = np.arange(len(array)) * size
    ends = np.stack([array.argmin(axis=1), array.argmax(axis=1)])
    kept = np.unique(np.minimum(first + ends, len(values) - 1))
    return [(int(index) + 1, values[index]) for index in kept]


def smooth(values: Sequence[float], memory: float = 0.95) -> list[float]:
    """Exponential moving average, without the bias towards its start (as Adam corrects it)."""
    if not values:
        return []
    average = lfilter([1 - memory], [1, -memory], values)
    weight = 1 - memory ** np.arange(1, len(values) + 1)
    smoothed: list[float] = (average / weight).tolist()
    return smoothed


def loss_chart(
    history: History,
    steps: int,
    key: str,
    lines: Sequence[Line] = (),
    unit: str = "",
    logarithmic: bool = False,
    beside: Sequence[Line] = (),
) -> None:
    """Loss of each batch, smoothed, and on the validation set after each epoch.

    ``beside`` are the lines of both charts that stand together: a step is at one place in both.
    """
    title = _("Loss") + (f" [{unit}]" if unit else "")
    _progress_chart(history.losses, history, "loss", title, steps, key, lines, logarithmic, beside)


def metric_chart(
    history: History,
    figure: str,
    title: str,
    steps: int,
    key: str,
    lines: Sequence[Line] = (),
    logarithmic: bool = False,
    beside: Sequence[Line] = (),
) -> None:
    """One figure (accuracy, mean error) on batches, smoothed, and on the validation set."""
    values = history.figures.get(figure, [])
    logarithmic = logarithmic and not is_share(figure)
    _progress_chart(values, history, figure, title, steps, key, lines, logarithmic, beside)


FIRST: Final = 20  # steps that an axis begins with, for who goes batch by batch


def shown(done: int, total: int) -> int:
    """Steps that the axis shows: few at first, so that single ones are seen; then the whole run."""
    if total and done > 2 * FIRST:
        return total
    return min(max(FIRST, 2 * done), total or FIRST)


def moved(history: History) -> list[tuple[int, float]]:
    """Where somebody moved the learning rate: step and new value, the last three."""
    found = [one for one in history.changes if one.name == "learning_rate"]
    return [(change.step, change.value) for change in found[-3:]]


def written(rate: float) -> str:
    """A learning rate with all its digits."""
    digits = len(f"{rate:.10f}".rstrip("0").partition(".")[2])
    return language.number(rate, digits)


def _mark(step: int, text: str) -> dict[str, Any]:
    """A vertical line at ``step``, and what happened there."""
    here: dict[str, Any] = {"x": {"datum": step}, "color": None}
    said = {"type": "text", "align": "left", "dx": 3, "fontSize": 12, "text": text}
    return {
        "transform": ONCE,
        "layer": [
            {"mark": {"type": "rule", "color": palette.LIMIT}, "encoding": {**here, "y": None}},
            {
                "mark": {**said, "baseline": "top", "color": palette.LIMIT},
                "encoding": {**here, "y": {"value": 2}},
            },
        ],
    }


def _progress_chart(
    values: Sequence[float],
    history: History,
    figure: str,
    title: str,
    steps: int,
    key: str,
    lines: Sequence[Line],
    logarithmic: bool,
    beside: Sequence[Line],
) -> None:
    batch, train, validation = _("batch"), _("train (smoothed)"), _("validation")
    thinned = thin(values)
    smoothed = smooth(values)
    # A smoothed line needs no spikes kept: every n-th point draws it.
    stride = max(1, len(smoothed) // POINTS)
    parts = (
        ([x for x, _y in thinned], [y for _x, y in thinned]),
        (range(1, len(smoothed) + 1, stride), smoothed[::stride]),
        ([row.step for row in history.epochs], [row.validation[figure] for row in history.epochs]),
    )
    xs = np.concatenate([np.asarray(x, dtype=np.int32) for x, _y in parts])
    ys = np.concatenate([np.asarray(y, dtype=np.float32) for _x, y in parts])
    if logarithmic:  # a logarithm knows no zero
        ys = np.maximum(ys, 1e-6)
    which = np.repeat(np.arange(3, dtype=np.int8), [len(x) for x, _y in parts])
    # Columns, not a row a point: a twentieth of the time, and a quarter of the bytes.
    names = pa.DictionaryArray.from_arrays(which, pa.array([batch, train, validation]))
    rows = pa.Table.from_pydict({"x": xs, "y": ys, "c": names}) if len(xs) else None
    share = is_share(figure)
    if share:
        span = (_lowest(ys), 1.0)
        marked = ticks.linear(*span)
        axis = ticks.axis(marked, [language.percent(value, 0) for value in marked])
        lines = [line for line in lines if line.value >= span[0]]
    else:
        span = spread([*ys.tolist(), *(line.value for line in lines)], logarithmic)
        axis = ticks.axis((ticks.log if logarithmic else ticks.linear)(*span))
    y = {
        "field": "y",
        "type": "quantitative",
        "title": title,
        "scale": {"type": "log" if logarithmic else "linear", "domain": span, "nice": False},
        "axis": axis | {"minExtent": Y_AXIS, "maxExtent": Y_AXIS},
    }
    legend = figure == "loss"  # one serves both charts
    series = {
        "field": "c",
        "type": "nominal",
        "title": None,
        "scale": {
            "domain": [batch, train, validation],
            "range": [palette.BATCH, palette.TRAIN, palette.VALIDATION],
        },
        "legend": {"orient": "top", "direction": "horizontal", "offset": 0, "padding": 0}
        if legend
        else None,
    }
    # A run that ended early fills its axis: a few steps of a thousand would be a hairline.
    last = max(history.steps if history.ended else steps, 1)
    across = [value for value in ticks.linear(0, last, 6) if value.is_integer()]
    x = {
        "field": "x",
        "type": "quantitative",
        "title": _("step"),
        "scale": {"domain": [0, last], "nice": False},
        "axis": ticks.axis(across),
    }
    of = {name: {"filter": f"datum.c === {name!r}"} for name in (batch, train, validation)}
    # A line of one point is not seen, so the first batches are dots as well.
    dots = {"point": {"size": 20, "filled": True}} if len(values) <= FEW else {}
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "line", "strokeWidth": 1, **dots}, "transform": [of[batch]]},
        {"mark": {"type": "line", "strokeWidth": 2.5}, "transform": [of[train]]},
        {
            "mark": {"type": "line", "strokeWidth": 2.5, "point": {"size": 45, "filled": True}},
            "transform": [of[validation]],
        },
    ]
    layers += rules(lines, span, HEIGHT - (72 if legend else 48), logarithmic, beside)
    for step, rate in moved(history):
        layers.append(_mark(step, f"→ {written(rate)}"))
    spec = {
        "encoding": {"x": x, "y": y, "color": series},
        "layer": layers,
        "padding": {"left": 2, "top": 8, "bottom": 2, "right": 8},
    }
    show(rows, spec, HEIGHT, key, _told(history, figure, title, lines))


def _told(history: History, figure: str, title: str, lines: Sequence[Line]) -> str:
    """What a progress chart shows, in words."""

    def said(value: float) -> str:
        return language.percent(value) if is_share(figure) else ticks.written(value)

    if not history.steps:
        told = [_("{title} by step: nothing is trained yet.", title=title)]
    elif not history.epochs:
        told = [
            _(
                "{title} by step: after step {n} the first epoch is not finished yet.",
                title=title,
                n=language.number(history.steps),
            )
        ]
    else:
        of = [row.validation[figure] for row in history.epochs]
        best = (max if is_share(figure) else min)(of)
        told = [
            _(
                "{title} by step, on validation: {first} after the first epoch, {last} after "
                "epoch {n}, the best of them {best}.",
                title=title,
                first=said(of[0]),
                last=said(of[-1]),
                n=language.number(len(of)),
                best=said(best),
            )
        ]
    if lines:
        compared = ", ".join(f"{line.label} {said(line.value)}" for line in lines)
        told.append(_("To compare: {lines}.", lines=compared))
    return " ".join(told)


def _lowest(ys: npt.NDArray[np.float32]) -> float:
    """Where an accuracy axis begins: at the bottom, or higher once all is above that."""
    lowest = ys[len(ys) // 4 :].min(initial=np.inf) if len(ys) else 0.0
    return 0.9 if lowest > 0.92 else 0.5 if lowest > 0.55 else 0.0


def spread(values: Sequence[float], logarithmic: bool) -> tuple[float, float]:
    """From where to where an axis goes that shows ``values``, which may be none."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite, default=0.1), max(finite, default=10.0)
    if logarithmic:
        low = max(low, 1e-6)
        high = max(high, 1.5 * low)
        margin = (high / low) ** 0.05
        return low / margin, high * margin
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return (0.0 if 0 <= low < 2 * margin else low - margin), high + margin


def rules(
    lines: Sequence[Line],
    span: tuple[float, float],
    height: float,
    logarithmic: bool = False,
    beside: Sequence[Line] = (),
) -> list[dict[str, Any]]:
    """Horizontal lines to compare with, their names right of the plot, none on another.

    ``span`` is that of the axis, and ``height`` about that of the plot, in pixels. The names
    take the room that those of the lines ``beside``, in a neighbouring chart, would take, too.
    """
    scale = math.log if logarithmic else float
    low, high = (scale(end) for end in span)
    inside = [line for line in lines if span[0] <= line.value <= span[1]]
    # From the top; a name stands at its line, or as far below as those above it need.
    ordered = sorted(inside, key=lambda line: -line.value)
    places = [height * (high - scale(line.value)) / (high - low) for line in ordered]
    names = list(places)
    for n in range(1, len(names)):
        names[n] = max(names[n], names[n - 1] + APART)
    for n in reversed(range(len(names))):  # but all within the plot
        lowest = height if n == len(names) - 1 else names[n + 1] - APART
        names[n] = min(names[n], lowest)
    layers: list[dict[str, Any]] = []
    if beside:
        longest = max((line.label for line in beside), key=len)
        spacer = {"type": "text", "align": "left", "dx": 5, "fontSize": 12, "text": longest}
        middle = {"x": {"value": "width"}, "y": {"value": 0}, "color": None}
        layers.append({"transform": ONCE, "mark": {**spacer, "opacity": 0}, "encoding": middle})
    for line, place, name in zip(ordered, places, names, strict=True):
        color = palette.BEST if line.best else palette.LIMIT
        value = {"datum": line.value}
        lift = round(name - place)
        nothing = {"color": None, "strokeDash": None, "shape": None}
        edge = {"y": value, "x": {"value": "width"}, **nothing}
        text = {"type": "text", "align": "left", "baseline": "middle", "fontSize": 12, "dy": lift}
        if line.end_of is None:
            drawn = {"type": "rule", "strokeDash": [2, 3] if line.best else [6, 4], "color": color}
            parts = [
                {"mark": drawn, "encoding": {"y": value, "x": None, **nothing}},
                {"mark": {**text, "dx": 5, "text": line.label, "color": color}, "encoding": edge},
            ]
        else:
            dot = {"type": "square", "color": line.end_of, "size": 60, "xOffset": 8}
            quiet = {**text, "dx": 16, "text": line.label, "color": palette.QUIET}
            parts = [
                {"mark": {**dot, "yOffset": lift, "opacity": 1}, "encoding": edge},
                {"mark": quiet, "encoding": edge},
            ]
        layers.append({"transform": ONCE, "layer": parts})
    return layers


def probability_bars(
    probabilities: Mapping[str, float],
    names: Mapping[str, str],
    key: str,
    height: int | None = None,
    texts: Sequence[str] | None = None,
) -> None:
    """One bar a class, the likeliest in the accent colour if it is one; always 0 to 100 %.

    ``texts`` stand at the bars, instead of whole percentages that add up to 100.
    """
    most = max(probabilities.values())
    likeliest = [label for label, share in probabilities.items() if share == most]
    written = texts or [f"{whole}%" for whole in language.hundred(list(probabilities.values()))]
    rows = [
        {"name": names.get(label, label), "p": share, "text": text, "best": [label] == likeliest}
        for (label, share), text in zip(probabilities.items(), written, strict=True)
    ]
    order = [row["name"] for row in rows]
    y = {
        "field": "name",
        "type": "nominal",
        "sort": order,
        "title": None,
        "axis": {
            "labelFontSize": 13,
            "ticks": False,
            "domain": False,
            "labelOverlap": False,
            "labelFlush": False,
        },
    }
    x = {
        "field": "p",
        "type": "quantitative",
        "title": _("probability"),
        "scale": {"domain": [0, 1.12]},
        "axis": {"format": "%", "values": [0, 0.5, 1], "grid": False},
    }
    color = {"condition": {"test": "datum.best", "value": palette.ACCENT}, "value": palette.BAR}
    spec = {
        "encoding": {"y": y, "x": x},
        "layer": [
            {"mark": {"type": "bar", "cornerRadiusEnd": 3}, "encoding": {"color": color}},
            {
                "mark": {
                    "type": "text",
                    "align": "left",
                    "dx": 4,
                    "color": palette.QUIET,
                    "fontWeight": {"expr": "datum.best ? 700 : 400"},
                },
                "encoding": {"text": {"field": "text"}},
            },
        ],
    }
    said = ", ".join(f"{row['name']} {row['text']}" for row in rows)
    alt = _("Probabilities: {names}", names=said)
    show(rows, spec, height or 62 + (18 if len(rows) > 7 else 22) * len(rows), key, alt)


def columns(
    names: Sequence[str],
    values: Sequence[float],
    x_title: str,
    y_title: str,
    key: str,
    height: int = 220,
) -> None:
    """A column a name, in the given order."""
    rows = [{"name": name, "value": value} for name, value in zip(names, values, strict=True)]
    spec = {
        "mark": {"type": "bar", "color": palette.TRAIN, "cornerRadiusEnd": 3},
        "encoding": {
            "x": {
                "field": "name",
                "type": "nominal",
                "sort": list(names),
                "title": x_title,
                "axis": {"labelAngle": 0 if len(names) < 11 else -40},
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": y_title,
                "scale": {"domain": [0, 1.05 * max([*values, 1])]},
                "axis": ticks.axis([0, *ticks.linear(0, max([*values, 2]), 4)[1:]]),
            },
        },
    }
    said = ", ".join(
        f"{name} {ticks.written(value)}" for name, value in zip(names, values, strict=True)
    )
    show(rows, spec, height, key, f"{y_title} · {x_title}: {said}")


def show(
    rows: list[dict[str, Any]] | pa.Table | None,
    spec: Mapping[str, Any],
    height: int,
    key: str,
    alt: str,
    on_pick: Callable[[Sequence[dict[str, Any]]], None] | None = None,
) -> None:
    """Show a spec at a fixed height; the key keeps the element in place when it ticks.

    ``on_pick`` is called with the rows that a click chose, in a spec with a selection
    parameter "pick".
    """
    config = {**STYLE, **spec.get("config", {})}
    if language.current() == "pl":
        number = {"decimal": ",", "thousands": "\u00a0", "grouping": [3], "currency": ["", " zł"]}
        config["locale"] = {"number": number}
    whole = palette.resolved({"height": height, **spec, "config": config})
    options: dict[str, Any] = {}
    if on_pick is not None:

        def picked() -> None:
            on_pick(st.session_state[key].selection.pick)

        options = {"on_select": picked, "selection_mode": "pick"}
    table = rows if isinstance(rows, pa.Table) else _table(palette.resolved(rows or []))
    st.vega_lite_chart(table, whole, key=key, alt=alt, height="content", width="stretch", **options)


def _table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """The rows by columns.

    Streamlit would take a list of rows through pandas, at ten times the cost. Vega needs at
    least one row to know its fields.
    """
    names = dict.fromkeys(name for row in rows for name in row) or ["none"]
    return pa.table({name: [row.get(name) for row in rows or [{}]] for name in names})


def compare_lines(
    rows: list[dict[str, Any]],
    x_title: str,
    y_title: str,
    names: Sequence[str],
    key: str,
    height: int = 220,
) -> None:
    """Learned lines, beside true points where all rows (x, line: its name, learned) have true."""
    color = {
        "field": "line",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(names), "range": list(palette.CLASSES[: len(names)])},
        "legend": {"orient": "top", "offset": 0, "padding": 0, **STROKES},
    }
    dash = {
        "field": "line",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(names), "range": list(palette.DASHES[: len(names)])},
    }
    xs = [row["x"] for row in rows]
    known = all("true" in row for row in rows)
    drawn = ("learned", "true") if known else ("learned",)
    span = spread([row[which] for row in rows for which in drawn], False)
    x = {
        "field": "x",
        "type": "quantitative",
        "title": x_title,
        "scale": {"domain": [min(xs), max(xs)], "nice": False, "padding": 6},
        "axis": ticks.axis([v for v in ticks.linear(min(xs), max(xs), 4) if float(v).is_integer()]),
    }

    def y(field: str) -> dict[str, Any]:
        return {
            "field": field,
            "type": "quantitative",
            "title": y_title,
            "scale": {"domain": span, "nice": False},
            "axis": ticks.axis(ticks.linear(*span)),
        }

    crosses = {
        "mark": {"type": "point", "shape": "cross", "size": 60, "filled": True},
        "encoding": {"y": y("true")},
    }
    spec = {
        "encoding": {"x": x, "color": color},
        "layer": [
            {
                "mark": {"type": "line", "strokeWidth": 2.5},
                "encoding": {"y": y("learned"), "strokeDash": dash},
            },
            *([crosses] if known else []),
        ],
    }
    said = []
    for name in names:
        of = sorted((row for row in rows if row["line"] == name), key=lambda row: row["x"])
        if of:
            ends = (
                ticks.written(row["learned"])
                + (f" ({ticks.written(row['true'])})" if known else "")
                for row in of
            )
            said.append(f"{name}: {', '.join(ends)}")
    alt = _(
        "{y} by {x}, the network's answers. {lines}", y=y_title, x=x_title, lines="; ".join(said)
    )
    if known:
        alt = _(
            "{y} by {x}, the network's answers and, in brackets, the truth. {lines}",
            y=y_title,
            x=x_title,
            lines="; ".join(said),
        )
    show(rows, spec, height, key, alt)


def shares_over(
    xs: Sequence[float],
    shares: Sequence[Sequence[float]],
    names: Sequence[str],
    x_title: str,
    marked: float,
    key: str,
    height: int = 210,
) -> None:
    """How the probabilities (a row an x, a column a name) change along x, stacked to 100 %."""
    rows: list[dict[str, Any]] = [
        {"x": x, "p": share, "name": name, "order": order}
        for x, line in zip(xs, shares, strict=True)
        for order, (name, share) in enumerate(zip(names, line, strict=True))
    ]
    colors = dict(zip(names, palette.CLASSES, strict=False))
    # Each name stands in its area, where there is room: colours alone would not tell seven apart.
    # The areas lie one on another from the top, in the order of the names.
    told = []
    for place, name in enumerate(names):
        told.append(
            f"{name} {language.percent(shares[0][place], 0)}–"
            f"{language.percent(shares[-1][place], 0)}"
        )
        if room := free_place(shares, place, round(LETTER * len(name) * len(xs))):
            rows.append({"lx": xs[room[0]], "ly": room[1], "label": name})
    across = ticks.axis(ticks.linear(xs[0], xs[-1], 6))
    x: dict[str, Any] = {"type": "quantitative", "title": x_title, "axis": across}
    x["scale"] = {"domain": [xs[0], xs[-1]], "nice": False}
    y = {
        "type": "quantitative",
        "title": _("probability"),
        "axis": {"format": "%", "values": [0, 0.5, 1]},
        "scale": {"domain": [0, 1]},
    }
    area = [{"filter": "isValid(datum.p)"}]
    layers: list[dict[str, Any]] = [
        {
            # A rim between areas.
            "mark": {"type": "area", "stroke": palette.PAPER, "strokeWidth": 1.5},
            "transform": area,
            "encoding": {
                "x": {**x, "field": "x"},
                "y": {**y, "field": "p", "stack": True},
                "order": {"field": "order", "type": "quantitative", "sort": "descending"},
                "color": {
                    "field": "name",
                    "type": "nominal",
                    "title": None,
                    "scale": {"domain": list(names), "range": list(colors.values())},
                    "legend": {"columns": 1, "symbolSize": 80, "symbolStrokeWidth": 0},
                },
            },
        },
        {
            "mark": {"type": "rule", "strokeWidth": 4, "color": palette.PAPER},
            "transform": ONCE,
            "encoding": {"x": {"datum": marked}},
        },
        {
            "mark": {"type": "rule", "strokeWidth": 2, "color": palette.INK, "strokeDash": [4, 3]},
            "transform": ONCE,
            "encoding": {"x": {"datum": marked}},
        },
    ]
    if any("label" in row for row in rows):
        text = {"type": "text", "fontWeight": 600, "fontSize": 12}
        at: dict[str, Any] = {
            "x": {**x, "field": "lx"},
            "y": {**y, "field": "ly"},
            "text": {"field": "label", "type": "nominal"},
        }
        only = [{"filter": "isValid(datum.label)"}]
        halo = {"stroke": palette.PAPER, "strokeWidth": 4, "strokeJoin": "round"}
        layers += [
            {"mark": {**text, **halo}, "transform": only, "encoding": at},
            {"mark": {**text, "color": palette.INK}, "transform": only, "encoding": at},
        ]
    alt = _(
        "Probabilities from {x} {low} to {high}: {names}",
        x=x_title,
        low=ticks.written(xs[0]),
        high=ticks.written(xs[-1]),
        names=", ".join(told),
    )
    show(rows, {"layer": layers}, height, key, alt)


def free_place(
    shares: Sequence[Sequence[float]], place: int, half: int
) -> tuple[int, float] | None:
    """Where a name of ``half`` its width to either side lies in its area alone, if anywhere."""
    best, found = 0.12, None  # of the height: the name's own
    for n in range(half, len(shares) - half):
        around = shares[n - half : n + half + 1]
        top = min(1 - sum(line[:place]) for line in around)
        bottom = max(1 - sum(line[: place + 1]) for line in around)
        if top - bottom > best:
            best, found = top - bottom, (n, (top + bottom) / 2)
    return found


def heat_map(
    shares: Sequence[Sequence[float]],
    xs: Sequence[int],
    ys: Sequence[str],
    title: str,
    x_title: str,
    y_title: str,
    key: str,
    height: int = 300,
) -> None:
    """Probabilities (a row a y, a column an x) as colours from 0 to 100 %."""
    rows = [
        {"x": x, "y": y, "p": share}
        for y, line in zip(ys, shares, strict=True)
        for x, share in zip(xs, line, strict=True)
    ]
    spec = {
        "title": {"text": title, "fontSize": 13},
        "mark": "rect",
        "encoding": {
            "x": {
                "field": "x",
                "type": "ordinal",
                "title": x_title,
                "axis": {"labelAngle": 0, "labelOverlap": True},
            },
            "y": {"field": "y", "type": "nominal", "sort": list(ys), "title": y_title},
            "color": {
                "field": "p",
                "type": "quantitative",
                "title": _("probability"),
                "scale": {"domain": [0, 1], "scheme": "viridis"},
                "legend": {"format": "%"},
            },
        },
    }
    alt = _(
        "{title}: from {low} to {high}; by {x} and {y}",
        title=title,
        low=language.percent(min(map(min, shares)), 0),
        high=language.percent(max(map(max, shares)), 0),
        x=x_title,
        y=y_title,
    )
    show(rows, spec, height, key, alt)
