"""When a browser is told the value of a widget."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from playground.ui.shell.telling import TOLD


def _script() -> None:
    import streamlit as st

    from playground.ui.shell import language, telling

    telling.begin()
    widget = f"slider@{language.current()}"
    telling.tell(widget, 5)
    st.session_state["told now"] = widget in st.session_state[telling.TOLD]


def test_who_comes_back_to_a_language_is_told_anew() -> None:
    """The server may still have the widget, where the browser has forgotten it."""
    app = AppTest.from_function(_script)
    app.query_params["lang"] = "en"
    app.run()
    assert app.session_state["told now"]
    app.session_state[TOLD] = {}  # the browser has shown that it knows it
    app.run()
    assert not app.session_state["told now"]
    app.query_params["lang"] = "pl"
    app.run()
    assert app.session_state["told now"]
    app.session_state[TOLD] = {}
    app.query_params["lang"] = "en"
    app.run()
    assert app.session_state["told now"]
    assert not app.exception
