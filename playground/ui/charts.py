"""Charts that tick: plain Vega-Lite specs, which update in place instead of flickering.

Colours mean the same everywhere: train is blue, validation orange, a limit or baseline
grey. Every chart has axis titles and an ``alt`` text, and a fixed height.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import streamlit as st
from scipy.signal import lfilter

from playground.history import History
from playground.ui import language
from playground.ui.language import _

BATCH: Final = "#9bbdd4"
TRAIN: Final = "#2f7fb5"
VALIDATION: Final = "#e08214"
LIMIT: Final = "#8a939b"
BEST: Final = "#3a9d6e"
ACCENT: Final = "#2f8fae"
# Okabe and Ito's colours, which colour-blind people can tell apart.
CLASSES: Final = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#999933",
    "#882255",
    "#44aa99",
    "#777777",
)
HEIGHT: Final = 250  # pixels of a progress chart, axes and legend included
# For a mark that is drawn once, not once a row. (Data of its own would get lost: Streamlit
# hands Vega one data set.)
ONCE: Final = [
    {"window": [{"op": "row_number", "as": "n"}]},
    {"filter": "datum.n === 1"},
]
POINTS: Final = 300  # of one line at most: more cannot be seen


@dataclass(frozen=True)
class Line:
    """A horizontal line to compare with: the best possible, or a baseline."""

    label: str
    value: float
    best: bool = False  # the best possible: its name stands on the side that nobody reaches


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
) -> None:
    """Loss of each batch, smoothed, and on the validation set after each epoch."""
    title = _("Loss") + (f" [{unit}]" if unit else "")
    _progress_chart(history.losses, history, "loss", title, steps, key, lines, logarithmic)


def figure_chart(
    history: History,
    figure: str,
    title: str,
    steps: int,
    key: str,
    lines: Sequence[Line] = (),
    logarithmic: bool = False,
) -> None:
    """One figure (accuracy, mean error) on batches, smoothed, and on the validation set."""
    values = history.figures.get(figure, [])
    logarithmic = logarithmic and figure != "accuracy"
    _progress_chart(values, history, figure, title, steps, key, lines, logarithmic)


def _progress_chart(
    values: Sequence[float],
    history: History,
    figure: str,
    title: str,
    steps: int,
    key: str,
    lines: Sequence[Line],
    logarithmic: bool,
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
    share = figure == "accuracy"
    scale: dict[str, Any] = {"zero": False, "nice": True}
    axis: dict[str, Any] = {"format": "%" if share else "~g", "tickCount": 5}
    if share:
        scale = {"domain": [_lowest(ys), 1]}
        lines = [line for line in lines if line.value >= scale["domain"][0]]
    elif logarithmic:
        scale = {"type": "log", "nice": False, "padding": 6}
        if rows is None:
            scale["domain"] = [0.1, 10]
        axis = {"format": "~g", "labelOverlap": True}
        axis["values"] = [d * 10.0**power for power in range(-6, 10) for d in (1, 2, 5)]
    y = {
        "field": "y",
        "type": "quantitative",
        "title": title,
        "scale": scale,
        "axis": axis,
    }
    series = {
        "field": "c",
        "type": "nominal",
        "title": None,
        "scale": {"domain": [batch, train, validation], "range": [BATCH, TRAIN, VALIDATION]},
        "legend": {"orient": "top", "direction": "horizontal", "offset": 0, "padding": 0}
        if figure == "loss"
        else None,  # one legend serves both charts
    }
    x = {
        "field": "x",
        "type": "quantitative",
        "title": _("step"),
        "scale": {"domain": [0, max(steps, 1)], "nice": False},
        "axis": {"tickCount": 6, "format": "d"},
    }
    of = {name: {"filter": f"datum.c === {name!r}"} for name in (batch, train, validation)}
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "line", "strokeWidth": 1, "opacity": 0.7}, "transform": [of[batch]]},
        {"mark": {"type": "line", "strokeWidth": 2.5}, "transform": [of[train]]},
        {
            "mark": {"type": "line", "strokeWidth": 2.5, "point": {"size": 45, "filled": True}},
            "transform": [of[validation]],
        },
    ]
    layers += [rule(line, share, place) for place, line in enumerate(lines)]
    spec = {"encoding": {"x": x, "y": y, "color": series}, "layer": layers}
    latest = f"{history.epochs[-1].validation[figure]:.4g}" if history.epochs else "-"
    show(
        rows,
        spec,
        HEIGHT,
        key,
        _("{title} over the steps; on the validation set now {latest}", title=title, latest=latest),
    )


def _lowest(ys: npt.NDArray[np.float32]) -> float:
    """Where an accuracy axis begins: at the bottom, or higher once all is above that."""
    lowest = ys[len(ys) // 4 :].min(initial=np.inf) if len(ys) else 0.0
    return 0.9 if lowest > 0.92 else 0.5 if lowest > 0.55 else 0.0


def rule(line: Line, higher_is_better: bool, place: int) -> dict[str, Any]:
    """One horizontal line with its name, each at another ``place`` so that none covers another."""
    value = {"datum": line.value}
    color = BEST if line.best else LIMIT
    above = line.best == higher_is_better
    text = {
        "type": "text",
        "align": "right",
        "dx": -2 - 110 * place,
        "fontSize": 11,
        "text": line.label,
    }
    return {
        "transform": ONCE,
        "layer": [
            {
                "mark": {"type": "rule", "strokeDash": [5, 4], "color": color},
                "encoding": {"y": value, "x": None, "color": None},
            },
            {
                "mark": {**text, "dy": -6 if above else 8, "color": color},
                "encoding": {"y": value, "x": {"value": "width"}, "color": None},
            },
        ],
    }


def probability_bars(
    probabilities: Mapping[str, float],
    names: Mapping[str, str],
    key: str,
    height: int | None = None,
) -> None:
    """One bar a class, the likeliest in the accent colour; always 0 to 100 %."""
    best = max(probabilities, key=probabilities.__getitem__)
    rows = [
        {
            "name": names.get(label, label),
            "p": share,
            "text": language.percent(share, 0),
            "best": label == best,
        }
        for label, share in probabilities.items()
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
    color = {"condition": {"test": "datum.best", "value": ACCENT}, "value": BATCH}
    spec = {
        "encoding": {"y": y, "x": x},
        "layer": [
            {"mark": {"type": "bar", "cornerRadiusEnd": 3}, "encoding": {"color": color}},
            {
                "mark": {"type": "text", "align": "left", "dx": 4, "color": "#7d8a92"},
                "encoding": {"text": {"field": "text"}},
            },
        ],
    }
    name = names.get(best, best)
    alt = _("Probabilities; the likeliest is {name}", name=name)
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
        "mark": {"type": "bar", "color": TRAIN, "cornerRadiusEnd": 3},
        "encoding": {
            "x": {
                "field": "name",
                "type": "nominal",
                "sort": list(names),
                "title": x_title,
                "axis": {"labelAngle": 0 if len(names) < 11 else -40},
            },
            "y": {"field": "value", "type": "quantitative", "title": y_title},
        },
    }
    show(rows, spec, height, key, f"{y_title} · {x_title}")


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
    config: dict[str, Any] = {"font": "sans-serif", "axis": {"titlePadding": 6}, "padding": 2}
    config |= spec.get("config", {})
    if language.current() == "pl":
        number = {"decimal": ",", "thousands": "\u00a0", "grouping": [3], "currency": ["", " zł"]}
        config["locale"] = {"number": number}
    whole = {"height": height, **spec, "config": config}
    options: dict[str, Any] = {}
    if on_pick is not None:

        def picked() -> None:
            on_pick(st.session_state[key].selection.pick)

        options = {"on_select": picked, "selection_mode": "pick"}
    table = rows if isinstance(rows, pa.Table) else _table(rows or [])
    st.vega_lite_chart(table, whole, key=key, alt=alt, height="content", width="stretch", **options)


def _table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """The rows by columns: Streamlit would take a list of rows through pandas, at ten times the
    cost. Vega needs at least one row to know its fields."""
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
    """Learned lines beside true points: rows with x, line (its name), learned and true."""
    color = {
        "field": "line",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(names), "range": list(CLASSES[: len(names)])},
        "legend": {"orient": "top", "offset": 0, "padding": 0},
    }
    x = {
        "field": "x",
        "type": "quantitative",
        "title": x_title,
        "axis": {"tickMinStep": 1, "tickCount": 4},
    }

    def y(field: str) -> dict[str, Any]:
        scale = {"zero": False}
        return {"field": field, "type": "quantitative", "title": y_title, "scale": scale}

    spec = {
        "encoding": {"x": x, "color": color},
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 2.5}, "encoding": {"y": y("learned")}},
            {
                "mark": {"type": "point", "shape": "cross", "size": 60, "filled": True},
                "encoding": {"y": y("true")},
            },
        ],
    }
    show(rows, spec, height, key, f"{y_title} · {x_title}")


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
    rows = [
        {"x": x, "p": share, "name": name, "order": order}
        for x, line in zip(xs, shares, strict=True)
        for order, (name, share) in enumerate(zip(names, line, strict=True))
    ]
    spec = {
        "layer": [
            {
                "mark": {"type": "area", "opacity": 0.85},
                "encoding": {
                    "x": {"field": "x", "type": "quantitative", "title": x_title},
                    "y": {
                        "field": "p",
                        "type": "quantitative",
                        "stack": True,
                        "title": _("probability"),
                        "axis": {"format": "%", "values": [0, 0.5, 1]},
                        "scale": {"domain": [0, 1]},
                    },
                    "order": {"field": "order", "type": "quantitative"},
                    "color": {
                        "field": "name",
                        "type": "nominal",
                        "title": None,
                        "scale": {"domain": list(names), "range": list(CLASSES[: len(names)])},
                        "legend": {"columns": 1, "labelFontSize": 11, "symbolSize": 60},
                    },
                },
            },
            {
                "mark": {"type": "rule", "strokeWidth": 2, "color": LIMIT, "strokeDash": [4, 3]},
                "encoding": {"x": {"datum": marked}},
            },
        ]
    }
    show(rows, spec, height, key, f"{_('probability')} · {x_title}")


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
    show(rows, spec, height, key, f"{title}: {x_title}")
