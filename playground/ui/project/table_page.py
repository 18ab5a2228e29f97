"""What the pages of table projects share: their data, and a row to ask about."""

from __future__ import annotations

from typing import Any, Final, cast

import streamlit as st

from playground.data import tables
from playground.data.dataset import Examples
from playground.fields import Field, Value
from playground.projects.table import TableProject
from playground.runtime.run import Run
from playground.ui.project.workbench import dataset_or_message, sizes
from playground.ui.shell import language
from playground.ui.shell.language import _
from playground.ui.shell.parts import part
from playground.ui.widgets.controls import Panel, control
from playground.ui.widgets.own_table import OwnTable as OwnTable

ROWS: Final = 200  # of the data that the page shows; the download has all


def data(panel: Panel, run: Run, own: OwnTable) -> None:
    """The rows that the network learns from, how they are standardised, and the own ones."""
    project = own.project
    options, preview = st.columns([1, 2.4], gap="medium")
    with options:
        panel.show(*(field.name for field in project.data_fields))
    with preview, part(_("Examples")):
        dataset = dataset_or_message(run)
        if dataset is not None:
            sizes(dataset)
            _preview(own, dataset.train)
            st.markdown("**" + _("Standardisation") + "**")
            st.caption(
                _(
                    "We subtract each column's mean and divide by its standard deviation. Both "
                    "come from the training rows only. So large and small numbers count alike."
                )
            )
            st.dataframe(
                {
                    _("Input"): _features(project),
                    _("Mean"): [
                        language.number(value, 3) for value in dataset.scaler.mean.tolist()
                    ],
                    _("Standard deviation"): [
                        language.number(value, 3) for value in dataset.scaler.std.tolist()
                    ],
                },
                hide_index=True,
                height=200,
            )
    st.header(_("Your own rows"), anchor=False)
    with part(_("Your own rows")):
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


def noise_of(run: Run) -> float:
    """How noisy the generated rows of a run are."""
    return cast(float, run.recipe.data["noise"])


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
