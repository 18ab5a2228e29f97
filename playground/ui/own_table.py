"""The student's own rows: uploaded as CSV or typed into the page, checked, kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from playground.data import tables
from playground.data.dataset import Examples
from playground.data.problems import Problem
from playground.errors import PlaygroundError
from playground.fields import Field
from playground.keepsakes import Row, table
from playground.projects.table import TableProject
from playground.recipe import Recipe
from playground.ui import desk, language
from playground.ui.language import _
from playground.ui.problems import show_problems


class OwnTable:
    """The student's own rows of one project. They join the next training."""

    def __init__(self, project: TableProject) -> None:
        self.project = project
        self.key = f"{project.name}.own"
        self.fields = (*project.encoder.columns, project.encoder.target)
        self.kind = table(self.key, self.fields)  # one thing: all rows
        # What the editor starts from; its changes are kept by Streamlit under its key.
        self.start: list[Row] = st.session_state.setdefault(f"{self.key}.start", self.rows)

    @property
    def rows(self) -> list[Row]:
        """All of them, whichever tab of this desk they came from."""
        return next(iter(desk.here().things(self.kind)), [])

    def examples(self, recipe: Recipe) -> Examples | None:
        """The rows as examples, the same object until they change; None where there are none."""
        rows = self.rows
        if not rows:
            return None
        return desk.here().derived(self.kind, "examples", lambda: self._encoded(rows))

    def _encoded(self, rows: list[Row]) -> Examples:
        return self.project.encoder.examples(rows)

    def keep(self, rows: list[Row]) -> None:
        """Use ``rows`` from now on, and no others."""
        desk.here().put(self.kind, [rows] if rows else [])
        desk.in_address()

    def begin_again(self) -> None:
        """Let the editor start from the rows that are in use; a new key drops its changes."""
        self.start = st.session_state[f"{self.key}.start"] = self.rows
        st.session_state[f"{self.key}.turn"] = st.session_state.get(f"{self.key}.turn", 0) + 1

    def show(self) -> None:
        """Upload, template, editor, and every problem found."""
        upload, template = st.columns([2.4, 1], vertical_alignment="bottom", gap="medium")
        with upload:
            self._upload()
        with template:
            st.download_button(
                _("Download an empty table"),
                tables.csv_bytes(tables.template(self.fields, language.current() == "pl")),
                f"{self.project.name}.csv",
                "text/csv",
                icon=":material/download:",
                key=f"{self.key}.template",
                help=_("A CSV file with the right headings and one row to replace."),
                on_click="ignore",
            )
        self._edit()

    def _upload(self) -> None:
        key = f"{self.key}.file"

        def read() -> None:
            file = st.session_state[key]
            if file is None:
                return
            try:
                found = tables.parse(file.getvalue(), self.fields, file.name)
            except PlaygroundError as error:
                st.session_state[f"{self.key}.problems"] = [Problem.of(error, file.name)]
                return
            st.session_state[f"{self.key}.problems"] = found.problems
            if found.rows:
                with desk.here().lock:
                    self.keep([*self.rows, *found.rows][: tables.MAX_ROWS])
                self.begin_again()
                st.toast(_("{n} rows added.", n=language.number(len(found.rows))))

        st.file_uploader(
            _(
                "Your own rows as a CSV file (at most {rows} rows, {size} MB)",
                rows=language.number(tables.MAX_ROWS),
                size=tables.MAX_BYTES // 1_000_000,
            ),
            type=["csv", "txt", "tsv"],
            key=key,
            on_change=read,
        )
        show_problems(st.session_state.get(f"{self.key}.problems", []))

    def _edit(self) -> None:
        st.caption(
            _(
                "Or type them here: an empty row at the bottom waits for the next. Then press "
                "“Keep these rows”."
            )
        )
        blank: dict[str, Any] = {field.name: None for field in self.fields}
        start: list[dict[str, Any]] = self.start or [blank]
        edited = st.data_editor(
            {field.name: [row[field.name] for row in start] for field in self.fields},
            num_rows="dynamic",
            hide_index=True,
            column_config={field.name: _column(field) for field in self.fields},
            key=f"{self.key}.editor.{st.session_state.get(f'{self.key}.turn', 0)}",
            height=230,
        )
        with st.container(horizontal=True):
            if st.button(_("Keep these rows"), icon=":material/check:", key=f"{self.key}.keep"):
                checked = tables.check_rows(_rows(edited), self.fields)
                st.session_state[f"{self.key}.problems"] = checked.problems
                self.keep(checked.rows)
                if not checked.problems:  # else the wrong rows stay, to be put right
                    self.begin_again()
                st.rerun()
            if st.button(
                _("Remove all"),
                icon=":material/delete:",
                key=f"{self.key}.clear",
                disabled=not self.rows,
            ):
                st.session_state[f"{self.key}.problems"] = []
                self.keep([])
                self.begin_again()
                st.rerun()
            st.caption(
                language.counted("{n} row of your own", "{n} rows of your own", len(self.rows))
            )


def _rows(edited: Any) -> list[Mapping[str, object]]:
    """The editor's table (columns by name, or a data frame) as rows."""
    columns = dict(edited)
    count = len(next(iter(columns.values()), []))
    return [{name: list(values)[i] for name, values in columns.items()} for i in range(count)]


def _column(field: Field) -> Any:
    """The editor's own first check of a column, as far as it has one."""
    label = _(field.label) + (f" [{_(field.unit)}]" if field.unit else "")
    if field.kind == "choice":
        return st.column_config.SelectboxColumn(
            label,
            options=list(field.choices),
            format_func=lambda choice: _(field.choice_labels.get(str(choice), str(choice))),
        )
    if field.kind == "switch":
        return st.column_config.CheckboxColumn(label)
    step = 1 if field.kind == "integer" else None
    return st.column_config.NumberColumn(
        label, min_value=field.low, max_value=field.high, step=step
    )
