"""Widgets tied to plain values in the session.

Streamlit's browser side knows an option by its *shown* label. Here labels change with the
language, so a widget's own state would be lost, or worse, read back as a label, when
somebody switches. So the truth is a plain value under a key of its own, which also
survives page switches; the widget's key carries the language, and the two are tied.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import streamlit as st

from playground.ui import language

TOLD: Final = "told"  # widget -> until when; in one place, as Streamlit often looks at all of them
TELL: Final = 10.0  # seconds in which a browser is told a value that the program has set


def tied(key: str, default: Any = None, then: Callable[[], None] | None = None) -> dict[str, Any]:
    """``key`` and ``on_change`` for a widget that shows and sets ``st.session_state[key]``.

    ``default`` is the value before anybody chose one; ``then`` is called after each change.
    """
    widget = f"{key}@{language.current()}"
    value = st.session_state.setdefault(key, default)
    # Not at each tick, which would take a slider from the hand. But more than once: a browser
    # that is still loading draws only the last of several runs, and a widget that was not told
    # its value in that one shows, and sends back, its own default.
    until: dict[str, float] = st.session_state.setdefault(TOLD, {})
    if widget not in st.session_state or st.session_state[widget] != value:
        until[widget] = time.monotonic() + TELL
    if time.monotonic() < until.get(widget, 0.0):
        st.session_state[widget] = value

    def copy() -> None:
        st.session_state[key] = st.session_state[widget]
        if then is not None:
            then()

    return {"key": widget, "on_change": copy}
