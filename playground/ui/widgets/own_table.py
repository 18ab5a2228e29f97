"""The student's own rows: uploaded as CSV or typed into the page, checked, kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from playground.data import tables
from playground.data.cells import MAX_CELL, Column
from playground.data.dataset import Examples
from playground.data.messages import Problem
from playground.errors import PlaygroundError
from playground.projects.table import TableProject
from playground.recipe import Recipe
from playground.storage.codecs import StoredRun, table
from playground.ui.shell import desk_menu, language
from playground.ui.shell.language import _
from playground.ui.shell.problems import show_problems


class OwnTable:
    """The student's own rows of one project. They join the next training."""

    def __init__(self, project: TableProject) -> None:
        self.project = project
        self.key = f"{project.name}.own"
        self.fields = (*project.encoder.columns, project.encoder.target)
        self.kind = table(self.key, self.fields)  # one thing: all rows
        self.columns = [(field.name, Column(field, "")) for field in self.fields]
        self.most = project.encoder.most

    @property
    def rows(self) -> list[StoredRun]:
        """All of them, whichever tab of this desk they came from."""
        return next(iter(desk_menu.here().things(self.kind)), [])

    def examples(self, recipe: Recipe) -> Examples | None:
        """The rows as examples, the same object until they change; None where there are none."""
        rows = self.rows
        if not rows:
            return None
        return desk_menu.here().derived(self.kind, "examples", lambda: self._encoded(rows))

    def _encoded(self, rows: list[StoredRun]) -> Examples:
        return self.project.encoder.examples(rows)

    def keep(self, rows: list[StoredRun]) -> None:
        """Use ``rows`` from now on, and no others."""
        desk_menu.here().put(self.kind, [rows] if rows else [])
        desk_menu.in_address()

    def begin_again(self) -> None:
        """Let the editor start from the rows that are in use; a new key drops its changes."""
        self._start()
        st.session_state[f"{self.key}.turn"] = st.session_state.get(f"{self.key}.turn", 0) + 1

    def _start(self) -> None:
        st.session_state[f"{self.key}.start"] = self._texts()
        st.session_state[f"{self.key}.reads"] = language.current()  # whoever they are written for

    def _texts(self) -> list[dict[str, str]]:
        """The rows as the reader writes them.

        As text, for a column of numbers in the browser makes 125 of 12,5, and one of yes and
        no forgets what it does not know, before anybody here has seen it.
        """
        return [
            {name: column.write(row[name], language.current()) for name, column in self.columns}
            for row in self.rows
        ]

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
                found = tables.parse(file.getvalue(), self.fields, file.name, self.most)
            except PlaygroundError as error:
                self._say([Problem.of(error, file.name)])
                return
            self._say(found.problems, found)
            if found.rows:
                self._add(found.rows)

        st.file_uploader(
            _(
                "Your own rows as a CSV file (at most {rows} rows)",
                rows=language.number(tables.MAX_ROWS),
            ),
            # Those of spreadsheets too, so that our own sentence says what to do with them.
            type=["csv", "txt", "tsv", "xlsx", "xls", "ods"],
            key=key,
            on_change=read,
            max_upload_size=tables.MAX_BYTES // 1_000_000,
        )
        show_problems(*st.session_state.get(f"{self.key}.problems", ([], None)))

    def _say(self, problems: Sequence[Problem], table: tables.Table | None = None) -> None:
        """Show these problems until the next file, or the next press of a button."""
        st.session_state[f"{self.key}.problems"] = (list(problems), table)

    def _add(self, rows: list[StoredRun]) -> None:
        """Keep ``rows`` too, as far as there is room, and say what became of them."""
        with desk_menu.here().lock:
            before = self.rows
            kept = rows[: max(tables.MAX_ROWS - len(before), 0)]
            there = set(map(self._cells, before))
            self.keep([*before, *kept])
        self.begin_again()
        said = [language.counted("{n} row added.", "{n} rows added.", len(kept))]
        if len(kept) < len(rows):
            left = language.counted("{n} row left out", "{n} rows left out", len(rows) - len(kept))
            most = language.number(tables.MAX_ROWS)
            said.append(_("{rows}: at most {most} are saved.", rows=left, most=most))
        twice = sum(self._cells(row) in there for row in kept)
        if twice:
            said.append(
                language.counted(
                    "{n} of them was there already, and now counts twice.",
                    "{n} of them were there already, and now count twice.",
                    twice,
                )
            )
        st.toast(" ".join(said), duration="long" if len(said) > 1 else "short")

    def _cells(self, row: StoredRun) -> tuple[object, ...]:
        return tuple(row[field.name] for field in self.fields)

    def _edit(self) -> None:
        st.caption(
            _("Or type them here, into the empty row at the bottom. Then press “Save these rows”.")
        )
        turn = st.session_state.get(f"{self.key}.turn", 0)
        changes: Mapping[str, Any] = st.session_state.get(f"{self.key}.editor.{turn}") or {}
        # What the editor starts from; its changes are kept by Streamlit under its key.
        if f"{self.key}.start" not in st.session_state:
            self._start()
        other = st.session_state[f"{self.key}.reads"] != language.current()
        if other and not any(changes.values()):  # else they would be lost
            self.begin_again()
            turn = st.session_state[f"{self.key}.turn"]
        found: list[dict[str, str]] = st.session_state[f"{self.key}.start"]
        try:  # before anything is done with them: the browser says how many there are
            tables.check_count(len(found) + len(changes.get("added_rows", ())))
        except PlaygroundError as error:
            self._say([Problem.of(error)])
            self.begin_again()
            st.rerun()
        start = found or [{name: "" for name, _column in self.columns}]
        edited = st.data_editor(
            {name: [row[name] for row in start] for name, _column in self.columns},
            num_rows="dynamic",
            hide_index=True,
            column_config={name: _text_column(column) for name, column in self.columns},
            key=f"{self.key}.editor.{turn}",
            height=230,
        )
        with st.container(horizontal=True):
            if st.button(_("Save these rows"), icon=":material/check:", key=f"{self.key}.keep"):
                checked = tables.check_rows(rows_of(edited), self.fields, self.most)
                self._say(checked.problems, checked)
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
                self._say([])
                self.keep([])
                self.begin_again()
                st.rerun()
            st.caption(
                language.counted("{n} row of your own", "{n} rows of your own", len(self.rows))
            )


def rows_of(edited: Any) -> list[Mapping[str, object]]:
    """The editor's table (columns by name, or a data frame) as rows."""
    columns = {name: list(values) for name, values in dict(edited).items()}
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _text_column(column: Column) -> Any:
    """A column to type into; what may stand there is said when one points at its heading."""
    field = column.field
    return st.column_config.TextColumn(
        _(field.label) + (f" [{_(field.unit)}]" if field.unit else ""),
        help=_("Allowed: {what}.", what=column.allowed.text(_)),
        max_chars=MAX_CELL,
    )
