"""A student's own rows on the page: what is typed, pasted and uploaded, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import streamlit as st
from opening import open_page, wait_for_data
from streamlit.testing.v1 import AppTest

from playground.data import tables
from playground.ui.widgets import own_table

HEAD = "size,extras,takeaway,price\n"


def open_settled(stem: str = "coffee", language: str = "en", **parameters: str) -> AppTest:
    app = open_page(stem, language, **{"examples": "200", **parameters})
    wait_for_data(app.session_state["desk"].runs[stem])
    app.run()
    assert not app.exception
    return app


def upload(app: AppTest, text: str | bytes, name: str = "rows.csv") -> AppTest:
    raw = text.encode() if isinstance(text, str) else text
    app.file_uploader(key="coffee.own.file").upload(name, raw, "text/csv").run()
    assert not app.exception
    return app


def boxes(app: AppTest) -> str:
    kinds = (app.error, app.warning, app.caption)
    return "\n".join(one.value for kind in kinds for one in kind)


class Editor:
    """What a person leaves in the row editor: its cells are the columns of text that it has."""

    def __init__(self, *cells: tuple[str, ...]) -> None:
        self.cells, self.shown, self.config = cells, {}, {}

    def __call__(self, data: Mapping[str, Any], **options: Any) -> Mapping[str, Any]:
        self.shown, self.config = data, options["column_config"]
        if not self.cells:
            return data
        return {
            name: list(values)
            for name, values in zip(data, zip(*self.cells, strict=True), strict=True)
        }


@pytest.mark.parametrize("language", ["en", "pl"])
def test_what_is_typed_or_pasted_is_read_as_an_upload_is(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = Editor(
        ("small", "1", "FAŁSZ", "12,5"),
        ("Duża", "2", "PRAWDA", "12,50 zł"),
        ("M", "0", "TRUE", "9.9"),
        ("średnia", "3", "nie", "0,05"),
    )
    monkeypatch.setattr(st, "data_editor", editor)
    app = open_settled(language=language)
    kinds = {config["type_config"]["type"] for config in editor.config.values()}
    assert kinds == {"text"}  # a column of numbers would make 125 of 12,5
    app.button(key="coffee.own.keep").click().run()
    assert not app.exception
    kept = app.session_state["desk"].runs["coffee"].own
    assert kept.targets.tolist() == pytest.approx([12.5, 12.5, 9.9, 0.05])
    assert kept.inputs[:, 4].tolist() == [0, 1, 1, 0]
    # What the editor then shows is what it would read again.
    editor.cells = ()
    app.run()
    comma = "," if language == "pl" else "."
    assert list(editor.shown["price"]) == [
        text.replace(".", comma) for text in ("12.5", "12.5", "9.9", "0.05")
    ]
    app.button(key="coffee.own.keep").click().run()
    again = app.session_state["desk"].runs["coffee"].own
    assert again.targets.tolist() == kept.targets.tolist()


def test_what_cannot_be_read_is_named_and_stays_in_the_editor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        st, "data_editor", Editor(("small", "1", "no", "1,000"), ("big", "1", "no", "12"))
    )
    app = open_settled()
    app.button(key="coffee.own.keep").click().run()
    assert app.session_state["desk"].runs["coffee"].own is None
    assert "Rows that can be used: 0 of 2. 2 problems." in boxes(app)
    table = next(one.proto.body for one in app.get("html") if "problems" in one.proto.body)
    assert "may mean 1 or 1000" in table
    assert "“big” is not allowed" in table


def test_a_message_that_claims_too_many_rows_is_refused_before_any_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    monkeypatch.setattr(st, "data_editor", lambda data, **options: asked.append(options) or data)
    app = open_settled()
    asked.clear()
    turn = 0
    app.session_state[f"coffee.own.editor.{turn}"] = {"added_rows": [{}] * 100_000}
    app.run()
    assert "more than 20000 rows" in boxes(app)
    assert [options["key"] for options in asked] == [f"coffee.own.editor.{turn + 1}"]


def test_the_rows_of_an_editor_are_gone_through_once() -> None:
    class Once(list):  # type: ignore[type-arg]
        walks = 0

        def __iter__(self) -> Any:
            self.walks += 1
            return super().__iter__()

    column = Once(range(1000))
    assert own_table.rows_of({"a": column})[999] == {"a": 999}
    assert column.walks == 1


def test_the_toast_says_what_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 5)
    app = upload(open_settled(), HEAD + "small,1,no,10.5\n" * 3)
    assert [toast.value for toast in app.toast] == ["3 rows added."]
    upload(app, HEAD + "small,1,no,10.5\n" + "large,1,no,20.5\n" * 3)
    assert [toast.value for toast in app.toast] == [
        "2 rows added. 2 rows left out: at most 5 are saved. 1 of them was there already, and "
        "now counts twice."
    ]
    upload(app, HEAD + "small,2,no,10.5\n")
    assert app.toast[0].value.startswith("0 rows added. 1 row left out")


def test_no_usable_row_is_not_called_usable_and_an_extra_column_is_no_problem() -> None:
    app = upload(open_settled(), HEAD + "huge,1,no,10.5\n" * 300)
    assert "Rows that can be used: 0 of 300. 300 problems." in app.error[0].value
    assert "By column: size 300" in boxes(app)
    upload(app, "id," + HEAD + "1,small,1,no,10.5\n")
    assert not app.error
    assert not app.warning
    assert "Columns that are not used: id." in boxes(app)


@pytest.mark.parametrize("name", ["menu.xlsx", "menu.xls", "menu.ods"])
def test_a_spreadsheet_gets_our_own_sentence(name: str) -> None:
    raw = b"\xd0\xcf\x11\xe0" if name.endswith(".xls") else b"PK\x03\x04"
    app = upload(open_settled(language="pl"), raw + b"....", name)
    assert "CSV" in app.error[0].value
    box = app.file_uploader(key="coffee.own.file")
    assert box.proto.max_upload_size_mb == tables.MAX_BYTES // 1_000_000


@pytest.mark.parametrize("stem", ["coffee", "movies"])
def test_nobody_knows_the_truth_of_own_rows_alone(stem: str) -> None:
    for asked, known in (("both", True), ("own", False)):
        app = open_settled(stem, rows=asked)
        app.session_state[f"{stem}.tabs"] = next(
            tab.label for tab in app.tabs if ":material/verified:" in tab.label
        )
        app.run()
        words = boxes(app) + "\n".join(one.value for one in app.markdown)
        assert ("true" in words) == known
