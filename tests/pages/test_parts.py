"""A part of a page that fails is left out, and the rest stands."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from opening import SECONDS, open_page, train, wait_for_data
from streamlit.testing.v1 import AppTest

from playground.ui.charts import vega
from playground.ui.project import (
    baselines,
    code_tab,
    evaluation,
    hints,
    keep_tab,
    page,
    rps_game,
    table_page,
    workbench,
)
from playground.ui.project.inside import tab as inside
from playground.ui.runs import run_table
from playground.ui.shell import parts
from playground.ui.widgets import own_table

TINY = {"examples": "200", "epochs": "2"}
# What draws a part of a project's page, and the part's title.
PARTS: list[tuple[Any, str, str]] = [
    (page, "_presets", "Settings"),
    (workbench, "_buttons", "Buttons"),
    (workbench, "_status", "Progress"),
    (baselines, "best", "Comparison"),
    (vega, "loss_chart", "Charts"),
    (workbench, "_notice", "Notice"),
    (hints, "hints", "Hints"),
    (table_page, "ask", "Try it"),
    (table_page, "sizes", "Examples"),
    (own_table, "_text_column", "Your own rows"),
    (page, "model_table", "Model"),
    (inside.Network, "of", "Network"),
    (evaluation, "regression", "Test"),
    (code_tab, "parts", "Code"),
    (keep_tab, "_bring", "Save"),
]
TABS = {
    "Examples": "dataset",
    "Your own rows": "dataset",
    "Model": "hub",
    "Network": "visibility",
    "Test": "verified",
    "Code": "code",
    "Save": "save",
}


def fails(*values: object, **named: object) -> None:
    raise ZeroDivisionError("of a test")


def open_tab(app: AppTest, stem: str, icon: str) -> None:
    app.session_state[f"{stem}.tabs"] = next(tab.label for tab in app.tabs if icon in tab.label)
    app.run()


@pytest.fixture
def trained() -> AppTest:
    app = open_page("coffee", **TINY)
    wait_for_data(app.session_state["desk"].runs["coffee"])
    app.run()
    assert train(app, "coffee").state == "finished"
    return app


def errors(app: AppTest) -> list[str]:
    return [error.value for error in app.error]


def shows(app: AppTest) -> set[str]:
    """What of the page there is, by what nobody can do without."""
    buttons = {str(button.key) for button in app.button}
    return {
        *(button for button in buttons if button in ("coffee.main", "coffee.reset")),
        *(["charts"] if len(app.get("vega_lite_chart")) >= 2 else []),
        *(["try"] if app.metric else []),
        *(tab.label.partition(" ")[2] for tab in app.tabs),
    }


def test_each_part_of_a_page_may_fail_and_the_rest_stands(
    trained: AppTest, monkeypatch: pytest.MonkeyPatch, broken_parts: list[str]
) -> None:
    whole = shows(trained)
    assert len(whole) == 4 + 6
    loses = {"Buttons": {"coffee.main", "coffee.reset"}, "Charts": {"charts"}, "Try it": {"try"}}
    for where, name, title in PARTS:
        if title in TABS:
            open_tab(trained, "coffee", TABS[title])
        if title == "Test":
            trained.button(key="coffee.test").click().run()
        with monkeypatch.context() as patch:
            patch.setattr(where, name, fails)
            trained.run()
            assert not trained.exception, title
            assert errors(trained) == [
                f"“{title}” is missing because the program made an error there. "
                "The rest of the page works."
            ]
            assert shows(trained) >= whole - loses.get(title, set()), title
        trained.run()
        assert not errors(trained)
        assert shows(trained) == whole
        assert "of a test" in broken_parts.pop()
        assert not broken_parts
    trained.switch_page("pages/runs.py").run()
    for name in ("_table", "_actions", "curves", "_differences"):
        with monkeypatch.context() as patch:
            patch.setattr(run_table, name, fails)
            trained.run()
            assert not trained.exception
            assert len(errors(trained)) == 1
            assert len(trained.tabs) == 2
            broken_parts.clear()


def test_a_run_on_the_desk_that_breaks_a_part_can_be_reset_and_own_rows_removed(
    monkeypatch: pytest.MonkeyPatch, broken_parts: list[str]
) -> None:
    app = open_page("movies", rows="own", epochs="2")
    open_tab(app, "movies", "dataset")
    rows = "age,genre,duration,popularity,likes\n" + "20,comedy,100,50,yes\n" * 60
    app.file_uploader(key="movies.own.file").upload("rows.csv", rows.encode(), "text/csv").run()
    assert train(app, "movies").state == "finished"
    # where no method can be better than the one answer that there is
    assert not app.exception
    assert not errors(app)

    monkeypatch.setattr(hints, "hints", fails)
    monkeypatch.setattr(table_page, "sizes", fails)
    again = open_page("movies", desk=app.query_params["desk"])
    open_tab(again, "movies", "dataset")
    assert len(errors(again)) == 2
    again.button(key="movies.own.clear").click().run()
    assert again.button(key="movies.own.clear").disabled
    again.button(key="movies.reset").click().run()
    assert not again.exception
    assert again.session_state["desk"].runs["movies"].state == "ready"
    assert again.session_state["desk"].runs["movies"].own is None
    broken_parts.clear()


def test_a_view_that_fails_in_its_own_fragment_and_a_game(
    monkeypatch: pytest.MonkeyPatch, broken_parts: list[str]
) -> None:
    monkeypatch.setitem(inside.DRAWN, "gauges", fails)
    monkeypatch.setattr(rps_game, "_choose", fails)
    app = open_page("rps", players="6", rounds="30")
    app.session_state["rps.inside.view"] = "gauges"
    open_tab(app, "rps", "visibility")
    wait_for_data(app.session_state["desk"].runs["rps"])
    app.run()
    assert not app.exception
    assert [error.partition(" is")[0] for error in errors(app)] == [
        "“Game”",
        "“Weights and gradients”",
    ]
    assert len(app.tabs) == 6
    broken_parts.clear()


def test_what_streamlit_raises_passes_through(broken_parts: list[str]) -> None:
    def script() -> None:
        import streamlit as st

        from playground.ui.shell.parts import part

        with part("A"):
            if "again" not in st.session_state:
                st.session_state["again"] = True
                st.rerun()
        with part("B"):
            st.markdown("shown")
            st.stop()
        st.markdown("never")

    app = AppTest.from_function(script, default_timeout=SECONDS).run()
    assert not app.exception
    assert not app.error
    assert [one.value for one in app.markdown] == ["shown"]


def test_the_log_says_it_once(broken_parts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "st", SimpleNamespace(error=lambda *said, **how: None))
    for _time in range(3):
        with parts.part("A"):
            fails()
    assert len(broken_parts) == 1
    assert "Traceback" in broken_parts.pop()
