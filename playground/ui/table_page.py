"""What the pages of table projects share: data, comparison lines, evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast
from zlib import crc32

import streamlit as st

from playground.baselines import Baseline, baselines
from playground.data import tables
from playground.data.dataset import Examples
from playground.errors import PlaygroundError
from playground.fields import Field, Value
from playground.metrics import figures
from playground.projects.table import TableProject
from playground.service import Run
from playground.ui import language
from playground.ui.charts import Line
from playground.ui.controls import Panel, control
from playground.ui.evaluation import Tested
from playground.ui.language import _
from playground.ui.own_table import OwnTable
from playground.ui.workbench import FIGURES, dataset_or_message, sizes

ROWS: Final = 200  # of the data that the page shows; the download has all


def data(panel: Panel, run: Run, own: OwnTable) -> None:
    """The rows that the network learns from, how they are standardised, and the own ones."""
    project = own.project
    options, preview = st.columns([1, 2.4], gap="medium")
    with options:
        panel.show(*(field.name for field in project.data_fields))
    with preview:
        dataset = dataset_or_message(run)
        if dataset is not None:
            sizes(dataset)
            _preview(own, dataset.train)
            st.markdown("**" + _("Standardisation") + "**")
            st.caption(
                _(
                    "Before the network sees a row, each column loses its mean and is divided by "
                    "its spread, both taken from the training rows alone. So hours and minutes, "
                    "small and large numbers count alike."
                )
            )
            st.dataframe(
                {
                    _("Input"): _features(project),
                    _("Mean"): [_three_digits(value) for value in dataset.scaler.mean.tolist()],
                    _("Spread"): [_three_digits(value) for value in dataset.scaler.std.tolist()],
                },
                hide_index=True,
                height=200,
            )
    st.subheader(_("Your own rows"), anchor=False)
    own.show()


def _features(project: TableProject) -> list[str]:
    """The encoded columns as a person calls them: „Cup size: small" for a choice."""
    names = []
    for column in project.encoder.columns:
        choices = [_(column.choice_labels.get(choice, choice)) for choice in column.choices]
        names += [f"{_(column.label)}: {choice}" for choice in choices] or [_(column.label)]
    return names


def _shown(field: Field, value: Value) -> Value:
    """One cell as the reader writes it."""
    if field.kind == "choice":
        return _(field.choice_labels.get(str(value), str(value)))
    return language.number(float(cast(float, value)), 2) if field.kind == "number" else value


def _preview(own: OwnTable, train: Examples) -> None:
    first = Examples(train.inputs[:ROWS], train.targets[:ROWS])
    rows = own.project.encoder.rows(first)
    columns: dict[str, list[Any]] = {}
    for field in own.fields:
        title = _(field.label) + (f" [{_(field.unit)}]" if field.unit else "")
        columns[title] = [_shown(field, row[field.name]) for row in rows]
    st.dataframe(columns, hide_index=True, height=210)

    def table() -> bytes:
        everything = own.project.encoder.rows(train)
        comma = language.current() == "pl"
        return tables.csv_bytes(tables.to_csv(everything, own.fields, comma))

    st.download_button(
        _("Download the training rows"),
        table,
        f"{own.project.name}-train.csv",
        "text/csv",
        icon=":material/download:",
        key=f"{own.project.name}.download",
        on_click="ignore",
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _compared(
    project: str, options: tuple[tuple[str, Value], ...], seed: int, _run: Run, split: str, own: int
) -> list[Baseline]:
    """The baselines on a run's own split; cached by everything that the split depends on."""
    dataset = _run.dataset()
    return baselines(dataset.train, getattr(dataset, split), dataset.task)


def compared(run: Run, split: str) -> list[Baseline]:
    """Baselines that learned from the run's training split, measured on ``split``."""
    options = tuple(sorted(run.recipe.data.items()))
    own = 0 if run.own is None else crc32(run.own.inputs.numpy().tobytes())
    return _compared(run.project.name, options, run.recipe.seed, run, split, own)


def noise_of(run: Run) -> float:
    return cast(float, run.recipe.data["noise"])


def limit_of(run: Run) -> Mapping[str, float]:
    """The best figures that any model could reach on a table project's generated rows."""
    return cast(TableProject, run.project).limit(noise_of(run))


def lines(
    run: Run, limit: Callable[[Run], Mapping[str, float]] = limit_of
) -> dict[str, Sequence[Line]]:
    """The best possible, and the baselines, as lines on the charts of the validation split."""
    project = run.project
    found: dict[str, list[Line]] = {}
    if run.recipe.data["rows"] != "own":  # nobody knows the truth behind a student's own rows
        for figure, value in limit(run).items():
            name = "loss" if figure in ("log_loss", "mse") else figure
            label = _("noise floor") if project.task == "regression" else _("Bayes limit")
            if name != "loss" or run.recipe.loss in ("cross_entropy", "bce", "mse"):
                found.setdefault(name, []).append(Line(label, value, best=True))
    if not run.loaded:
        return dict(found)
    try:
        rows = compared(run, "validation")
    except PlaygroundError:
        return dict(found)  # the page says it where the data is shown
    figure = FIGURES[project.task][0]
    for row in rows:
        found.setdefault(figure, []).append(Line(_(row.name), row.figures[figure]))
    return dict(found)


def comparison(result: Tested, limit: Callable[[Run], Mapping[str, float]] = limit_of) -> None:
    """The network beside the baselines and the best possible, all on the test split."""
    run = result.run
    project = run.project
    own_figures = figures(result.dataset.task, result.outputs, result.dataset.test.targets)
    shown = ("mae", "mse") if project.task == "regression" else ("accuracy",)
    rows: list[tuple[str, Mapping[str, float]]] = [(_("this network"), own_figures)]
    rows += [(_(baseline.name), baseline.figures) for baseline in compared(run, "test")]
    best = {} if run.recipe.data.get("rows") == "own" else limit(run)
    if best:  # nobody knows it for a student's own rows, nor for pictures
        rows.append((_("the best any model could do"), best))
    titles = {"mae": _("Mean error [zł]"), "mse": _("MSE [zł²]"), "accuracy": _("Accuracy")}
    table: dict[str, list[Any]] = {_("On the test rows"): [name for name, row in rows]}
    for figure in shown:
        values = [row[figure] for name, row in rows]
        written = language.percent if figure == "accuracy" else _three_digits
        table[titles[figure]] = [written(value) for value in values]
    st.dataframe(table, hide_index=True)


def _three_digits(value: float) -> str:
    return language.number(value, 3)


def ask(project: TableProject, places: int = 1) -> dict[str, Value]:
    """One control a column, ``places`` beside each other; the row that they make."""
    row: dict[str, Value] = {}
    beside = st.columns(places)
    for number, column in enumerate(project.encoder.columns):
        key = f"{project.name}.ask.{column.name}"
        st.session_state.setdefault(key, column.default)
        with beside[number % places]:
            control(column, key)
        row[column.name] = st.session_state[key]
    return row
