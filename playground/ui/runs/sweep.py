"""A sweep on the page: choose a grid, start it, watch its heat map and curves fill in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import streamlit as st

from playground.data.dataset import Examples
from playground.desks.run_list import RunEntry
from playground.errors import PlaygroundError
from playground.experiments import compare, sweep
from playground.experiments.sweep import Axis, Cell
from playground.fields import Field, Value
from playground.limits import LimitError
from playground.projects import PROJECTS
from playground.projects.base import Project
from playground.recipe import DEPENDS, FIELDS, Recipe
from playground.runtime.run import Run
from playground.ui.charts import ticks, vega
from playground.ui.project.workbench import refresh_interval
from playground.ui.runs import run_table
from playground.ui.shell import frame, language, palette
from playground.ui.shell.language import _
from playground.ui.shell.parts import part
from playground.ui.shell.problems import plain
from playground.ui.shell.widget_state import bind
from playground.ui.widgets import recipe_words as words
from playground.ui.widgets.controls import NEURONS, stops, written

SWEEP: Final = "sweep"  # the session's latest
REFUSED: Final = "sweep.refused"  # why it was not started, to be said once
CELL: Final = "sweep.cell"  # which of its runs is chosen
BEST: Final = -1  # whichever is the best so far
NONE: Final = ""
ROW: Final = 46  # pixels of the heat map
POINTS: Final = 3000  # of all curves together
WAITING: Final = "…"
INKS: Final = {"dark": "#000000", "light": "#ffffff"}  # on bright and on dark cells
DARK_BELOW: Final = 0.44  # of the way: darker cells have light text
# Of a curve's dashes, as many as a hyperparameter has values: (drawn, left out) pixels.
DASHES: Final = (
    (1, 0),
    (8, 3),
    (4, 3),
    (2, 2),
    (8, 3, 2, 3),
    (12, 4),
    (1, 3),
    (4, 6),
    (8, 2, 2, 2, 2, 2),
    (12, 2, 4, 2),
    (2, 6),
    (16, 4, 1, 4),
)


@dataclass(frozen=True)
class Sweep:
    """A sweep that was started: its grid, and a run a cell."""

    project: Project
    axes: tuple[Axis, ...]
    runs: tuple[tuple[Cell, RunEntry], ...]

    @property
    def active(self) -> bool:
        return any(one.run is not None and one.run.active for _cell, one in self.runs)

    @property
    def paused(self) -> list[Run]:
        return [
            one.run for _cell, one in self.runs if one.run is not None and one.run.state == "paused"
        ]

    def figure(self, one: RunEntry) -> float | None:
        """The validation figure after the last epoch that the run has trained, unless it failed."""
        if one.snapshot.state in ("diverged", "failed"):
            return None
        return compare.last(one.history, "validation", self.project.metric.name)

    def best(self) -> int | None:
        """The place of the best figure so far."""
        found = {n: self.figure(one) for n, (_cell, one) in enumerate(self.runs)}
        known = {n: value for n, value in found.items() if value is not None}
        if not known:
            return None
        choose = max if self.project.metric.higher_is_better else min
        return choose(known, key=known.__getitem__)

    def name(self, cell: Cell) -> str:
        """A cell by its values: „Learning rate 0.03 · Batch size 64"."""
        return " · ".join(
            f"{_(axis.field.label)} {words.written(axis.field, value)}"
            for axis, value in zip(self.axes, cell.point, strict=True)
        )


def show() -> None:
    """Settings (left), what came of it (right)."""
    left, right = st.columns([1, 2.4], gap="medium")
    with left:
        _settings()
    with right:
        _results()


# --- What to sweep ------------------------------------------------------------------------


def base_of(project: Project) -> Recipe:
    """The settings on the project's sliders.

    Before anybody has seen them in this session, those of its present run, else its usual ones.
    """
    run = frame.runs().get(project.name)
    usual = project.recipe() if run is None else run.recipe

    def now(name: str, default: Value) -> Any:
        return st.session_state.get(f"{project.name}.{name}", default)

    values = {name: now(name, getattr(usual, name)) for name in FIELDS}
    blocks = len(values["channels"])
    for name in ("kernels", "strides"):
        values[name] = (values[name] + (values[name][-1],) * blocks)[:blocks]
    data = {name: now(name, value) for name, value in usual.data.items()}
    return project.check(usual.with_(data=data, **values))


def own_of(project: Project, base: Recipe) -> Examples | None:
    """The student's own examples, as the project's present run has them."""
    run = frame.runs().get(project.name)
    # Where the data options differ, own examples may have another shape.
    return run.own if run is not None and run.recipe.data == base.data else None


def _settings() -> None:
    titles = {name: _(project.title) for name, project in PROJECTS.items()}
    begun = [name for name, run in frame.runs().items() if run.state != "ready"]
    start = begun[-1] if begun else next(iter(PROJECTS))
    st.selectbox(
        _("Project"), list(titles), format_func=titles.__getitem__, **bind("sweep.project", start)
    )
    project = PROJECTS[st.session_state["sweep.project"]]
    try:
        base = base_of(project)
        axes = _axes(project, base)
        epochs = _epochs(project, base)
        cells = sweep.cells(project, base, axes, epochs)
    except PlaygroundError as error:
        st.error(plain(error.text(_)), icon=":material/error:")
        cells = []

    def start_all() -> None:
        own = own_of(project, base)
        runs: list[Run] = []
        for cell in cells:
            runs.append(Run(project, cell.recipe, own, like=runs[0] if runs else None))
        taken = [frame.kept().take(run, shown=False) for run in runs]
        if not _start(runs, background=True):
            frame.kept().delete(taken)
            return
        st.session_state[SWEEP] = Sweep(project, tuple(axes), tuple(zip(cells, taken, strict=True)))
        st.session_state[CELL] = BEST

    running: Sweep | None = st.session_state.get(SWEEP)
    busy = running is not None and (running.active or bool(running.paused))
    if cells:
        said = language.counted("{n} run", "{n} runs", len(cells))
        if len(axes) == 2:
            said += f" ({len(axes[0].values)} × {len(axes[1].values)})"
        st.caption(
            said + ". " + _("All other settings come from the sliders on the project's page.")
        )
    st.button(
        _("Start the sweep"),
        icon=":material/play_arrow:",
        type="primary",
        key="sweep.start",
        on_click=start_all,
        disabled=not cells or busy,
        help=_("The runs of a sweep train side by side and give way to runs on the project pages."),
    )
    _say_refused()


def _say_refused() -> None:
    refused: LimitError | None = st.session_state.pop(REFUSED, None)
    if refused is not None:
        st.error(refused.text(_), icon=":material/block:")


def _start(runs: Sequence[Run], background: bool = False) -> bool:
    """Start all of them; or none, and why stands below the button."""
    try:
        frame.service().start_all(runs, background=background)
    except LimitError as error:
        st.session_state[REFUSED] = error
        return False
    return True


def _axes(project: Project, base: Recipe) -> list[Axis]:
    known = sweep.fields(project)
    first = _choose(_("Hyperparameter"), project, known, base, None)
    assert first is not None
    axes = [_values(project, known[first])]
    second = _choose(_("Second hyperparameter"), project, known, base, first)
    if second is not None:
        axes.append(_values(project, known[second]))
    return axes


def _choose(
    label: str, project: Project, known: Mapping[str, Field], base: Recipe, other: str | None
) -> str | None:
    """Which hyperparameter; the second may be none, and not the same."""
    names = [name for name in known if name != other and _sensible(name, base, other)]
    key = f"sweep.{project.name}.{'first' if other is None else 'second'}"
    labels = {name: _(known[name].label) for name in names}
    usual = "learning_rate"
    if other is not None:
        labels = {NONE: _("none")} | labels
        usual = NONE
    if st.session_state.get(key, usual) not in labels:
        st.session_state[key] = usual if usual in labels else next(iter(labels))
    st.selectbox(label, list(labels), format_func=labels.__getitem__, **bind(key, usual))
    return st.session_state[key] or None


def _sensible(name: str, base: Recipe, other: str | None) -> bool:
    """Does it change anything beside the other settings?"""
    return base.uses(name) or DEPENDS[name][0] == other


def _values(project: Project, field: Field) -> Axis:
    """A range and how many, or a choice of choices."""
    key = f"sweep.{project.name}.{field.name}"
    if field.kind == "choice":
        labels = {choice: _(field.choice_labels.get(choice, choice)) for choice in field.choices}
        st.multiselect(
            _("Values"),
            list(labels),
            format_func=labels.__getitem__,
            help=_(field.help),
            **bind(f"{key}.values", list(labels)),
        )
        return sweep.axis(project, field.name, st.session_state[f"{key}.values"])
    options = offered(field)
    low, high = usual_range(field, options)
    texts = written(options)
    ends = (_("From"), f"{key}.low", low), (_("To"), f"{key}.high", high)
    for place, (label, end, usual) in zip(st.columns(2), ends, strict=True):
        place.select_slider(
            label, options, format_func=texts, help=_(field.help), **bind(end, usual)
        )
    st.slider(
        _("How many values"),
        2,
        sweep.MAX_VALUES,
        help=_(
            "The values are evenly spaced. If the slider is logarithmic, each is the same "
            "number of times the one before."
        ),
        **bind(f"{key}.count", 5 if field.log or field.name == "seed" else 4),
    )
    low, high = st.session_state[f"{key}.low"], st.session_state[f"{key}.high"]
    values = sweep.grid(field, low, high, st.session_state[f"{key}.count"])
    st.caption(" · ".join(words.written(field, value) for value in values))
    return sweep.axis(project, field.name, values)


def offered(field: Field) -> list[float]:
    """What a range of a number ``field`` may begin and end with."""
    if field.name == "hidden":
        return list(NEURONS)
    if field.log:
        return stops(field)
    whole = field.kind == "integer"
    if whole and field.high - field.low > 1000:  # the seed
        return list(range(int(field.low), int(field.low) + sweep.MAX_RUNS))
    count = min(round((field.high - field.low) / field.step), 40)
    places = [field.low + (field.high - field.low) * n / count for n in range(count + 1)]
    return sorted({round(p) for p in places} if whole else {round(p, 9) for p in places})


def usual_range(field: Field, options: Sequence[float]) -> tuple[float, float]:
    """A first range: around the project's own value on a logarithmic scale, else all of it."""
    if field.name == "seed":
        return options[0], options[4]
    default = float(cast(float, field.default))
    if not field.log:
        return options[0], options[-1]
    if not default:
        return options[0], min(options, key=lambda value: abs(value - 0.1))
    factor = 4 if field.kind == "integer" else 10  # five steps: powers of two, halves of ten
    low = min(options, key=lambda value: abs(value - default / factor))
    return low, min(options, key=lambda value: abs(value - default * factor))


def _epochs(project: Project, base: Recipe) -> int:
    key = f"sweep.{project.name}.epochs"
    usual = base.epochs
    options = sorted({*stops(FIELDS["epochs"]), usual, st.session_state.get(key, usual)})
    field = FIELDS["epochs"]
    st.select_slider(
        _(field.label),
        options,
        format_func=written(options),
        help=_(field.help),
        **bind(key, usual),
    )
    return int(st.session_state[key])


# --- What comes of it ---------------------------------------------------------------------


def _results() -> None:
    now: Sweep | None = st.session_state.get(SWEEP)
    if now is None:
        language.prose("runs", "sweep")
        return
    found = now
    active = found.active
    interval = refresh_interval() if active else None

    @frame.fragment(run_every=interval)
    def live() -> None:
        frame.kept().refresh(frame.service().look)
        _progress(found)
        picked = st.session_state.get(CELL, BEST)
        chosen = found.best() if picked == BEST else picked
        with part(_("Heat map")):
            _heat_map(found, chosen)
            _cell(found, chosen)
        with part(_("Charts")):
            _curves(found, chosen)
        if active != found.active:
            st.rerun()  # the timer belongs to the whole page

    live()


def _progress(found: Sweep) -> None:
    def stop() -> None:
        for _cell, one in found.runs:
            if one.run is not None:
                frame.service().stop(one.run)

    def resume() -> None:
        _start(found.paused)

    over = sum(not one.live for _cell, one in found.runs)
    share = sum(
        1.0 if not one.live else len(one.history.epochs) / one.recipe.epochs
        for _cell, one in found.runs
    )
    text = _("{done} of {all} runs finished", done=over, all=len(found.runs))
    if found.paused and not found.active:
        text += " · " + _("paused, because nobody was watching")
    elif found.active and frame.service().active:
        text += " · " + _("runs on project pages come first")
    bar, buttons = st.columns([3, 1.3], vertical_alignment="center")
    bar.progress(share / len(found.runs), text=f"{_(found.project.title)} · {text}")
    with buttons, st.container(horizontal=True, gap="small", horizontal_alignment="right"):
        if found.paused and not found.active:
            st.button(
                _("Resume"), icon=":material/play_arrow:", key="sweep.resume", on_click=resume
            )
        st.button(
            _("Stop"),
            icon=":material/stop:",
            key="sweep.stop",
            on_click=stop,
            disabled=not found.active and not found.paused,
            help=_("End all runs of this sweep; their results stay in the table."),
        )
    _say_refused()


def _text(found: Sweep, one: RunEntry) -> str:
    """What stands in a cell."""
    if one.snapshot.state in ("diverged", "failed"):
        return run_table.state_of(one.snapshot)
    value = found.figure(one)
    if value is None:
        return WAITING if one.live else "–"
    figure = run_table.figure_of(found.project, value)
    return figure if not one.live else f"{figure} {WAITING}"


def _heat_map(found: Sweep, chosen: int | None) -> None:
    """A cell a run: its validation figure after the last epoch that it has trained."""
    metric = found.project.metric
    label, lower = metric.label, not metric.higher_is_better
    across, down = found.axes[0], found.axes[1] if len(found.axes) == 2 else None
    known = [v for _cell, one in found.runs if (v := found.figure(one)) is not None]
    # Errors on a logarithmic scale: else one run that learned nothing makes all others alike.
    low, high = max(min(known, default=0.1), 1e-6), max(known, default=1.0)
    rows: list[dict[str, Any]] = []
    for n, (cell, one) in enumerate(found.runs):
        value = found.figure(one)
        bright = value is not None and _share(value, low, high, lower) > DARK_BELOW
        rows.append(
            {
                "n": n,
                "x": words.written(across.field, cell.point[0]),
                "y": words.written(down.field, cell.point[1]) if down else "",
                "v": value,
                "text": _text(found, one),
                "ink": "grey" if value is None else "dark" if bright else "light",
                "chosen": n == chosen,
                "tip": f"{found.name(cell)}: {_text(found, one)}",
            }
        )
    place: dict[str, Any] = {
        "x": {
            "field": "x",
            "type": "ordinal",
            "sort": [words.written(across.field, value) for value in across.values],
            "title": _(across.field.label),
            "axis": {"labelAngle": 0, "labelOverlap": True, "labelLimit": 110},
            "scale": {"paddingInner": 0.03, "paddingOuter": 0.02},
        },
        "y": {
            "field": "y",
            "type": "ordinal",
            "sort": [words.written(down.field, value) for value in down.values] if down else [""],
            "title": _(down.field.label) if down else None,
            "axis": {"labelLimit": 110} if down else None,
            "scale": {"paddingInner": 0.06, "paddingOuter": 0.04},
        },
    }
    color: dict[str, Any] = {
        "field": "v",
        "type": "quantitative",
        "scale": {
            "type": "log" if lower else "linear",
            "scheme": "viridis",
            "reverse": lower,
            "domain": [low, max(high, 1.001 * low)],
        },
        "legend": None,
    }
    spec = {
        "encoding": place,
        "layer": [
            {
                # "invalid": or a cell without a figure would be left out.
                "mark": {"type": "rect", "cursor": "pointer", "cornerRadius": 3, "invalid": None},
                "params": [{"name": "pick", "select": {"type": "point", "fields": ["n"]}}],
                "encoding": {
                    "color": {
                        "condition": {"test": "!isValid(datum.v)", "value": palette.GRID},
                        **color,
                    },
                    "stroke": {
                        "condition": {"test": "datum.chosen", "value": palette.VALIDATION},
                        "value": "transparent",
                    },
                    "strokeWidth": {"value": 4},
                    "tooltip": {"field": "tip"},
                    "opacity": {"value": 1},  # a selection must not fade the others
                },
            },
            {
                "mark": {"type": "text", "fontSize": 12, "tooltip": None},
                "encoding": {
                    "text": {"field": "text"},
                    "color": {
                        "condition": [
                            {"test": f"datum.ink === {ink!r}", "value": color}
                            for ink, color in INKS.items()
                        ],
                        "value": palette.LIMIT,
                    },
                },
            },
        ],
    }

    def pick(picked: Sequence[dict[str, Any]]) -> None:
        if picked and 0 <= int(picked[0]["n"]) < len(found.runs):
            st.session_state[CELL] = int(picked[0]["n"])

    title = _("{figure} on validation", figure=_(label))
    unit = words.unit_of(found.project)
    st.markdown(f"**{title}" + (f" [{unit}]" if unit else "") + "**")
    height = ROW * (len(down.values) if down else 1) + 66
    alt = _(
        "{figure} on validation, one cell per run: {cells}",
        figure=_(label),
        cells="; ".join(row["tip"] for row in rows),
    )
    vega.show(rows, spec, height, "sweep.heat", alt, pick)
    st.caption(
        _(
            "Each cell shows a run's result after its last finished epoch. Brighter is better. "
            "Click a cell to choose it. The test set is not touched."
        )
    )


def _share(value: float, low: float, high: float, lower: bool) -> float:
    """Where a figure stands between the worst (0) and the best (1)."""
    if high <= low:
        return 0.0
    if lower:
        return math.log(high / max(value, low)) / math.log(high / low)
    return (value - low) / (high - low)


def _cell(found: Sweep, chosen: int | None) -> None:
    """The chosen cell, and the way of its settings back to the sliders."""
    names = {n: found.name(cell) for n, (cell, _one) in enumerate(found.runs)}
    best = found.best()
    which, go = st.columns([2.2, 1], vertical_alignment="bottom")
    which.selectbox(
        _("Chosen run"),
        [BEST, *names],
        format_func=({BEST: _("the best so far")} | names).__getitem__,
        **bind(CELL, BEST),
    )
    pressed = go.button(
        _("Load these settings"),
        icon=":material/tune:",
        key="sweep.restore",
        disabled=chosen is None,
        width="stretch",
        help=_("Sets the project's sliders to this run's settings; nothing is trained."),
    )
    if pressed and chosen is not None:
        # How many threads it had, behind all others, is nothing that a student chose.
        words.restore(found.runs[chosen][1].recipe.with_(threads=0))
    words.restored()
    if best is not None:
        cell, one = found.runs[best]
        said = _(
            "Best on validation so far: **{name}**, {figure}. It was picked because of this score, "
            "so the score is a little too good. For an honest number, use the test set once, at "
            "the end.",
            name=found.name(cell),
            figure=run_table.figure_of(found.project, found.figure(one)),
        )
        st.markdown(said)


def _curves(found: Sweep, chosen: int | None) -> None:
    """The validation figure of each run over its epochs."""
    metric = found.project.metric
    figure, label = metric.name, metric.label
    unit = words.unit_of(found.project)
    across, down = found.axes[0], found.axes[1] if len(found.axes) == 2 else None
    lower = not metric.higher_is_better
    most = max(2, POINTS // len(found.runs))
    rows: list[dict[str, Any]] = []
    for n, (cell, one) in enumerate(found.runs):
        curve = compare.thinned(compare.series(one.history, "validation", figure, "epoch"), most)
        first = words.written(across.field, cell.point[0])
        second = words.written(down.field, cell.point[1]) if down else ""
        rows += [
            {"x": x, "y": max(y, 1e-6) if lower else y, "n": n, "chosen": n == chosen}
            | {"first": first, "second": second}
            for x, y in curve
        ]
    several = across.field.kind == "choice"
    names = [words.written(across.field, value) for value in across.values]
    colors: dict[str, Any] = {"domain": names}
    inks = palette.CLASSES[: len(names)] if several else palette.ramp(len(names))
    colors["range"] = list(inks)
    legend = {"orient": "bottom", "columns": 4, "titleLimit": 300, "labelLimit": 90}
    legend |= {"symbolType": "stroke", "symbolStrokeWidth": 3, "symbolSize": 300, "offset": 4}
    limit = run_table.limits(found.runs[0][1].recipe).get(figure)
    known = [row["y"] for row in rows] + ([limit] if limit is not None else [])
    span = vega.spread(known, lower) if known or lower else (0.0, 1.0)
    marked = (ticks.log if lower else ticks.linear)(*span)
    digits = 1 if span[1] - span[0] < 0.1 else 0
    spoken = None if lower else [language.percent(value, digits) for value in marked]
    end = max((float(row["x"]) for row in rows), default=2.0)
    scale = {"type": "log" if lower else "linear", "domain": span, "nice": False}
    begin = min(1.0, end - 1)
    encoding: dict[str, Any] = {
        "x": {
            "field": "x",
            "type": "quantitative",
            "title": _("epoch"),
            "scale": {"domain": [begin, end], "nice": False},
            "axis": ticks.axis([v for v in ticks.linear(begin, end, 6) if v.is_integer()]),
        },
        "y": {
            "field": "y",
            "type": "quantitative",
            "title": _("{figure} on validation", figure=_(label)) + (f" [{unit}]" if unit else ""),
            "scale": scale,
            "axis": ticks.axis(marked, spoken),
        },
        "detail": {"field": "n"},
        "color": {
            "field": "first",
            "type": "ordinal" if not several else "nominal",
            "sort": names,
            "title": _(across.field.label),
            "scale": colors,
            "legend": legend,
        },
        "strokeWidth": {"condition": {"test": "datum.chosen", "value": 4}, "value": 1.6},
    }
    if down:
        seconds = [words.written(down.field, value) for value in down.values]
        encoding["strokeDash"] = {
            "field": "second",
            "type": "nominal",
            "sort": seconds,
            "title": _(down.field.label),
            "scale": {"domain": seconds, "range": list(DASHES[: len(seconds)])},
            "legend": legend | {"symbolStrokeColor": palette.LIMIT, "symbolStrokeWidth": 2},
        }
    points = {"size": 18, "filled": True}  # which would hide what a legend's dashes look like
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "line", "tooltip": True} | ({} if down else {"point": points}),
            "encoding": encoding,
        }
    ]
    named: list[vega.Line] = []
    if limit is not None and rows:
        name = _("noise floor") if lower else _("Bayes limit")
        named = [vega.Line(name, limit, best=True)]
        layers += vega.rules(named, span, 270, logarithmic=lower)
    padding = {"left": 2, "top": 8, "bottom": 2, "right": 8}
    alt = _(
        "{figure} on validation by epoch, one line per run, and where it ends: {lines}",
        figure=_(label),
        lines="; ".join(f"{found.name(cell)}: {_text(found, one)}" for cell, one in found.runs),
    )
    spec = {"layer": layers, "padding": padding}
    vega.show(rows, spec, 380, "sweep.curves", alt)
