"""The runs of a session: a table to name and tick them, their curves, what differs."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final
from zlib import crc32

import pandas as pd
import streamlit as st

from playground.data import tables
from playground.desks import run_list as kept_runs
from playground.desks.run_list import LONGEST, MAX_RUNS, RunEntry, RunList
from playground.experiments import compare
from playground.experiments.compare import Over, Split
from playground.i18n import N_
from playground.metrics import is_share
from playground.projects import PROJECTS
from playground.projects.base import Project
from playground.recipe import Recipe
from playground.runtime.run import Snapshot
from playground.ui.charts import ticks, vega
from playground.ui.charts.vega import Line
from playground.ui.project import baselines, workbench
from playground.ui.project.workbench import ENDINGS, refresh_interval
from playground.ui.shell import frame, language, palette
from playground.ui.shell.language import _
from playground.ui.shell.parts import part
from playground.ui.shell.problems import plain
from playground.ui.shell.widget_state import bind
from playground.ui.widgets import recipe_words as words
from playground.ui.widgets.recipe_words import unit_of

# In a table there is room for a word.
STATES: Final = {**workbench.STATES, "ready": N_("Untrained"), "waiting": N_("Waiting")}
ORDERS: Final = {"newest": N_("newest first"), "best": N_("best on validation first")}
OVERS: Final = {"epoch": N_("epoch"), "step": N_("step"), "second": N_("seconds of training")}
ALL: Final = "all"
DRAWN: Final = len(palette.CLASSES)  # curves that colours can tell apart
LONGEST_BESIDE: Final = 18  # letters of a name at the end of a curve
POINTS: Final = 3000  # of all curves of a chart together
FASTEST: Final = 1.0  # seconds between refreshes of the table
TURN: Final = "runs.turn"  # counts what changed the table from outside of it


def show() -> None:
    """The whole list: it refreshes while one of its runs is active."""
    listed = frame.kept()
    active = any(run.active for run in listed.live())
    interval = max(refresh_interval() or 0, FASTEST) if active else None

    @frame.fragment(run_every=interval)
    def live() -> None:
        listed = frame.kept()
        listed.refresh(frame.service().look)
        _unread(listed)
        if listed.runs:
            _list()
        else:
            nothing_yet()
        if active != any(run.active for run in listed.live()):
            st.rerun()  # the timer belongs to the whole page

    live()


def nothing_yet() -> None:
    """What a page of runs says before there is one."""
    language.prose("runs", "empty")
    with st.container(horizontal=True):
        for stem, title, icon in frame.PAGES[frame.PROJECT_PAGES]:
            st.page_link(f"pages/{stem}.py", label=_(title), icon=f":material/{icon}:")


def _unread(listed: RunList) -> None:
    """What to say of runs that another version of this program has stored."""
    if not listed.unread:
        return

    def delete() -> None:
        frame.kept().unread.clear()

    names = ", ".join(plain(one.name) or _("Run {n}", n=one.number) for one in listed.unread)
    said = language.counted(
        "{n} run was made by another version of this program, and this version cannot show it. It "
        "stays saved. Open it in the version that made it:",
        "{n} runs were made by another version of this program, and this version cannot show them. "
        "They stay saved. Open them in the version that made them:",
        len(listed.unread),
    )
    with st.container(horizontal=True, vertical_alignment="center", key="runs.unread"):
        st.markdown(f":material/history: {said} {names}.", width="stretch")
        with st.popover(_("Delete …"), icon=":material/delete:", key="runs.unread.delete"):
            st.markdown(_("Delete them for good? This cannot be undone."))
            st.button(
                _("Delete them"), type="primary", key="runs.unread.delete.yes", on_click=delete
            )


def _list() -> None:
    listed = frame.kept()
    order = _order(listed.runs)
    names = name_all(listed.runs)
    with part(_("Runs")):
        _table(order, names)
    if listed.dropped:
        said = language.counted(
            "A desk keeps only its newest runs; {n} older one was deleted.",
            "A desk keeps only its newest runs; {n} older ones were deleted.",
            listed.dropped,
        )
        st.caption(":material/info: " + said)
    chosen = [one for one in order if one.shown]
    with part(_("Actions")):
        _actions(chosen, names)
    words.restored()
    drawn = chosen[:DRAWN]
    if len(chosen) > DRAWN:
        st.caption(_("Curves of the first {n} of {all} ticked runs.", n=DRAWN, all=len(chosen)))
    if any(one.history.epochs for one in drawn):
        with part(_("Charts")):
            curves(drawn, names)
    else:
        st.caption(_("Tick runs with at least one finished epoch to see their curves."))
    with part(_("Differences")):
        _differences(drawn, names)


# --- Which runs, and what they are called -------------------------------------------------


def _order(runs: Sequence[RunEntry]) -> list[RunEntry]:
    """The runs of the project that is asked for, in the order that is asked for."""
    projects = list(dict.fromkeys(one.recipe.project for one in runs))
    titles = {ALL: _("all projects")} | {name: _(PROJECTS[name].title) for name in projects}
    if st.session_state.get("runs.project") not in titles:
        st.session_state["runs.project"] = ALL
    orders = {name: _(label) for name, label in ORDERS.items()}
    places = st.columns([1, 1, 3], vertical_alignment="bottom")
    places[0].selectbox(
        _("Project"), list(titles), format_func=titles.__getitem__, **bind("runs.project", ALL)
    )
    places[1].selectbox(
        _("Order"), list(orders), format_func=orders.__getitem__, **bind("runs.order", "newest")
    )
    places[2].caption(
        _(
            "Double-click a name to change it. Results are from the last epoch. Parameters are "
            "weights and biases. A desk keeps your newest {n} runs.",
            n=MAX_RUNS,
        )
    )
    wanted = st.session_state["runs.project"]
    found = [one for one in reversed(runs) if wanted in (ALL, one.recipe.project)]
    return sorted(found, key=_rank) if st.session_state["runs.order"] == "best" else found


def _rank(one: RunEntry) -> tuple[bool, bool, float]:
    """Best first: by accuracy, then those with a mean error, last those without a figure."""
    metric = PROJECTS[one.recipe.project].metric
    found = compare.last(one.history, "validation", metric.name)
    if found is None:
        return True, True, 0.0
    higher = metric.higher_is_better
    return False, not metric.share, -found if higher else found


def name_all(runs: Sequence[RunEntry]) -> dict[int, str]:
    """What each run (by its number) is called, no two alike."""
    names: dict[int, str] = {}
    taken = set()
    for one in runs:
        name = one.name or _("Run {n}", n=one.number)
        if name in taken:
            name = f"{name} ({one.number})"
        taken.add(name)
        names[one.number] = name
    return names


# --- The table ----------------------------------------------------------------------------


def figure_of(project: Project, value: float | None) -> str:
    """The project's figure in words: 98.5%, or 0.41 zł."""
    if value is None:
        return "–"
    if project.metric.share:
        return language.percent(value, 2)
    return f"{language.number(value, 3)} {unit_of(project)}".strip()


def state_of(snapshot: Snapshot) -> str:
    """Where a run stands, in a word or two."""
    label = ENDINGS.get(snapshot.history.ended or "", STATES[snapshot.state])
    return _(label)


def frame_of(order: Sequence[RunEntry], names: Mapping[int, str]) -> pd.DataFrame:
    """The table's rows, in words; only "shown" and "name" are for editing."""
    rows = []
    for one in order:
        project, history = PROJECTS[one.recipe.project], one.history
        figure = project.metric.name
        losses = [compare.last(history, split, "loss") for split in ("validation", "train")]
        rows.append(
            {
                "shown": one.shown,
                "name": names[one.number],
                "project": _(project.title),
                "state": state_of(one.snapshot),
                "epochs": f"{len(history.epochs)} / {one.recipe.epochs}",
                "figure": figure_of(project, compare.last(history, "validation", figure)),
                "validation": _four_digits(losses[0]),
                "train": _four_digits(losses[1]),
                "parameters": language.number(one.parameters) if one.parameters else "–",
                "seconds": language.seconds(history.training),
                "changes": words.changes(one),
            }
        )
    return pd.DataFrame(rows)


def _four_digits(value: float | None) -> str:
    return "–" if value is None else language.number(value, 4)


def _table(order: Sequence[RunEntry], names: Mapping[int, str]) -> None:
    numbers = ",".join(str(one.number) for one in order)
    # A place in the table means a run, so another order is another table.
    turn = st.session_state.setdefault(TURN, 0)
    key = f"runs.table.{language.current()}.{turn}.{crc32(numbers.encode())}"

    def edited() -> None:
        apply_edits(order, st.session_state[key]["edited_rows"])

    text = st.column_config.TextColumn
    table = frame_of(order, names)
    st.data_editor(
        table,
        key=key,
        on_change=edited,
        hide_index=True,
        height=min(38 + 35 * max(len(order), 1), 318),
        disabled=[name for name in table.columns if name not in ("shown", "name")],
        alt=_("The runs on your desk"),
        column_config={
            "shown": st.column_config.CheckboxColumn(
                _("Show"),
                width=80,
                help=_("Tick a run to draw its curves, compare it, export it or delete it."),
            ),
            "name": text(_("Name"), width=170, max_chars=LONGEST),
            "project": text(_("Project"), width=175),
            "state": text(_("State"), width=140),
            "epochs": text(_("Epochs"), width=80, alignment="right"),
            "figure": text(
                _("Validation"),
                width=95,
                alignment="right",
                help=_("Accuracy, or the mean error of a regression, on the validation set."),
            ),
            "validation": text(_("Validation loss"), width=115, alignment="right"),
            "train": text(
                _("Training loss"),
                width=105,
                alignment="right",
                help=_("Mean loss of the last epoch's batches, measured during training."),
            ),
            "parameters": text(_("Parameters"), width=95, alignment="right"),
            "seconds": text(
                _("Trained for"), width=95, alignment="right", help=_("Training alone, no pauses.")
            ),
            "changes": text(_("Changed settings (defaults in brackets)"), width=480),
        },
    )


def apply_edits(order: Sequence[RunEntry], edits: Mapping[int, Mapping[str, Any]]) -> None:
    """What somebody typed and ticked in the table, by row, taken into the runs."""
    for place, cells in edits.items():
        if not 0 <= place < len(order):
            continue
        one = order[place]
        if "shown" in cells:
            one.shown = bool(cells["shown"])
        if "name" in cells:
            one.rename(cells["name"])
            if one.name != cells["name"]:  # the table shows what was typed: draw it anew
                _anew()


def _anew() -> None:
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1


# --- What to do with the ticked ones ------------------------------------------------------


def _actions(chosen: Sequence[RunEntry], names: Mapping[int, str]) -> None:
    def tick(shown: bool) -> None:
        for one in frame.kept().runs:
            one.shown = shown
        _anew()

    def delete() -> None:
        for one in chosen:
            if one.run is not None:
                frame.service().stop(one.run)
        frame.kept().delete(chosen)

    def csv() -> bytes:
        comma = language.current() == "pl"
        return tables.csv_bytes(kept_runs.to_csv(picked, comma))

    picked = [(names[one.number], one) for one in chosen]
    some = bool(chosen)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.button(
            _("Tick all"), icon=":material/done_all:", key="runs.all", on_click=tick, args=(True,)
        )
        st.button(
            _("Untick all"),
            icon=":material/remove_done:",
            key="runs.none",
            on_click=tick,
            args=(False,),
            disabled=not some,
        )
        st.download_button(
            _("Epochs as CSV"),
            csv,
            "runs.csv",
            "text/csv",
            icon=":material/download:",
            key="runs.csv",
            on_click="ignore",
            disabled=not some,
            help=_("One row per epoch of each ticked run, for a spreadsheet."),
        )
        st.download_button(
            _("Runs as JSON"),
            lambda: kept_runs.to_json(picked).encode(),
            "runs.json",
            "application/json",
            icon=":material/download:",
            key="runs.json",
            on_click="ignore",
            disabled=not some,
            help=_("All settings and every training step of each ticked run."),
        )
        with st.popover(
            _("Delete …"), icon=":material/delete:", disabled=not some, key="runs.delete"
        ):
            st.markdown(
                language.counted(
                    "Delete {n} ticked run from this list? If it is still training, it will be "
                    "stopped.",
                    "Delete {n} ticked runs from this list? Runs that are still training will be "
                    "stopped.",
                    len(chosen),
                )
            )
            st.button(_("Delete"), type="primary", key="runs.delete.yes", on_click=delete)
        options = [one.number for one in chosen]
        newest = max(options, default=None)
        known = st.session_state.get("runs.restore") in options
        # The newest, until somebody chooses another; and again once a newer one is there.
        before = st.session_state.get("runs.restore.newest", 0)
        if not known or max(options) > before:
            st.session_state["runs.restore"] = newest
            st.session_state["runs.restore.newest"] = max(options, default=before)
        st.selectbox(
            _("Settings of"),
            options,
            format_func=dict(names).__getitem__,
            disabled=not some,
            width=220,
            **bind("runs.restore"),
        )
        restore = st.button(
            _("Load these settings"),
            icon=":material/tune:",
            key="runs.restore.go",
            disabled=not some,
            help=_("Sets the project's sliders to this run's settings; nothing is trained."),
        )
    if restore and some:
        wanted = st.session_state["runs.restore"]
        words.restore(next(one.recipe for one in chosen if one.number == wanted))


# --- Curves -------------------------------------------------------------------------------


def curves(drawn: Sequence[RunEntry], names: Mapping[int, str]) -> None:
    """The figures and the loss of ``drawn`` on one axis, each run in its colour."""
    overs = {name: _(label) for name, label in OVERS.items()}
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.segmented_control(
            _("Horizontal axis"),
            list(overs),
            format_func=overs.__getitem__,
            required=True,
            **bind("runs.over", "epoch"),
        )
        st.toggle(
            _("Show training curves (dashed)"),
            **bind("runs.train", False),
            help=_("The mean over each epoch's batches, while the weights moved."),
        )
        st.toggle(_("Logarithmic loss axis"), **bind("runs.log", True))
    over: Over = st.session_state["runs.over"]
    splits: tuple[Split, ...] = ("validation", "train")
    splits = splits if st.session_state["runs.train"] else splits[:1]
    charts_of = {PROJECTS[one.recipe.project].metric for one in drawn}
    places = st.columns(len(charts_of) + 1, gap="medium")
    for place, metric in zip(places, sorted(charts_of, key=lambda one: one.name), strict=False):
        of = [one for one in drawn if PROJECTS[one.recipe.project].metric == metric]
        label = metric.label
        title = _("{figure} on validation", figure=_(label))
        units = {unit_of(PROJECTS[one.recipe.project]) for one in of} - {""}
        title += f" [{', '.join(sorted(units))}]" if units else ""
        with place:
            _chart(drawn, of, names, metric.name, splits, over, title)
    with places[-1]:
        title = _("Loss on validation")
        _chart(drawn, drawn, names, "loss", splits, over, title)
        losses = {one.recipe.loss for one in drawn}
        if len(losses) > 1:
            said = ", ".join(words.value("loss", loss) for loss in sorted(losses))
            st.caption(
                ":material/warning: "
                + _("Values of different loss functions cannot be compared: {names}.", names=said)
            )


def limits(recipe: Recipe) -> dict[str, float]:
    """The best possible figures on validation, where the project knows them; "loss" too."""
    usual = PROJECTS[recipe.project].recipe()
    # They depend on the data alone, so that runs on the same data share them.
    found = dict(baselines.best(usual.with_(data=recipe.data, seed=recipe.seed), "validation"))
    for name in ("log_loss", "mse"):
        if name in found and baselines.is_limit_of(recipe):
            found["loss"] = found[name]
    return found


def _limit_lines(of: Sequence[RunEntry], figure: str) -> list[Line]:
    """Each known limit once; with the project's name if they have several."""
    several = len({one.recipe.project for one in of}) > 1
    lines: dict[tuple[str, float], Line] = {}
    for one in of:
        found = limits(one.recipe).get(figure)
        if found is None:
            continue
        project = PROJECTS[one.recipe.project]
        metric = project.metric
        label = _(metric.limit)
        label += f" ({_(project.title)})" if several else ""
        lines[project.name, found] = Line(label, found, best=True)
    return list(lines.values())[:3]


def _chart(
    drawn: Sequence[RunEntry],
    of: Sequence[RunEntry],
    names: Mapping[int, str],
    figure: str,
    splits: Sequence[Split],
    over: Over,
    title: str,
) -> None:
    """One figure of the runs ``of``, in their colours among ``drawn``."""
    labels = {"validation": _("validation"), "train": _("train")}
    rows: list[dict[str, Any]] = []
    most = max(2, POINTS // max(1, len(of) * len(splits)))
    logarithmic = not is_share(figure) and bool(st.session_state["runs.log"])
    for one in of:
        for split in splits:
            points = compare.thinned(compare.series(one.history, split, figure, over), most)
            rows += [
                {"x": x, "y": max(y, 1e-6) if logarithmic else y}
                | {"run": names[one.number], "split": labels[split]}
                for x, y in points
            ]
    over_label = OVERS[over]
    lines = _limit_lines(of, figure)
    colors = {one.number: palette.CLASSES[n] for n, one in enumerate(drawn[:DRAWN])}
    for one in of:
        if curve := compare.series(one.history, "validation", figure, over):
            short = textwrap.shorten(names[one.number], LONGEST_BESIDE, placeholder="…")
            lines.append(Line(short, curve[-1][1], end_of=colors[one.number]))
    drawn_ys = [row["y"] for row in rows]
    span = vega.spread([*drawn_ys, *(line.value for line in lines)], logarithmic)
    marked = (ticks.log if logarithmic else ticks.linear)(*span)
    spoken = [language.percent(v, 1 if span[1] - span[0] < 0.1 else 0) for v in marked]
    axis = ticks.axis(marked, spoken if is_share(figure) else None)
    scale = {"type": "log" if logarithmic else "linear", "domain": span, "nice": False}
    last = max((row["x"] for row in rows), default=1.0)
    first = 0.0 if over != "epoch" else min(1.0, last - 1)
    x: dict[str, Any] = {
        "field": "x",
        "type": "quantitative",
        "title": _(over_label),
        "scale": {"domain": [first, last], "nice": False},
        "axis": ticks.axis([v for v in ticks.linear(first, last, 6) if v.is_integer()] or [last]),
    }
    domain = [names[one.number] for one in drawn]
    encoding: dict[str, Any] = {
        "x": x,
        "y": {
            "field": "y",
            "type": "quantitative",
            "title": title,
            "scale": scale,
            "axis": axis,
        },
        "color": {
            "field": "run",
            "type": "nominal",
            "title": None,
            "scale": {"domain": domain, "range": list(colors.values())},
            "legend": None,  # each curve has its name at its end
        },
        "strokeDash": {
            "field": "split",
            "type": "nominal",
            "title": None,
            "scale": {"domain": list(labels.values()), "range": [[1, 0], [5, 3]]},
            "legend": None,
        },
    }
    few = max((len(one.history.epochs) for one in of), default=0) <= 30
    mark: dict[str, Any] = {"type": "line", "strokeWidth": 2.2, "tooltip": True}
    if few:
        mark["point"] = {"size": 30, "filled": True}
    layers: list[dict[str, Any]] = [{"mark": mark}]
    layers += vega.rules(lines, span, 275, logarithmic)
    vega.show(
        rows,
        {
            "encoding": encoding,
            "layer": layers,
            "padding": {"left": 2, "top": 8, "bottom": 2, "right": 8},
        },
        330,
        f"runs.chart.{figure}",
        _("{title}, one line per run: {names}", title=title, names=_ends(of, names, figure)),
    )


def _ends(of: Sequence[RunEntry], names: Mapping[int, str], figure: str) -> str:
    """Each run's name with its last figure."""
    said = []
    for one in of:
        last = compare.last(one.history, "validation", figure)
        value = "–" if last is None else ticks.written(last)
        said.append(f"{names[one.number]} {value}")
    return ", ".join(said)


# --- What differs -------------------------------------------------------------------------


def _differences(chosen: Sequence[RunEntry], names: Mapping[int, str]) -> None:
    st.header(_("What differs"), anchor=False)
    if len(chosen) < 2:
        st.caption(_("Tick two or more runs to see how their settings differ."))
        return
    found = compare.differences([one.recipe for one in chosen])
    if not found:
        st.caption(_("Nothing: these runs have the same settings."))
        return
    heading = _("Setting")
    while heading in names.values():
        heading += " "
    table: dict[str, list[str]] = {heading: [words.title(name) for name in found]}
    for place, one in enumerate(chosen):
        table[names[one.number]] = [words.value(name, row[place]) for name, row in found.items()]
    st.dataframe(table, hide_index=True, alt=_("What differs between the ticked runs"))
