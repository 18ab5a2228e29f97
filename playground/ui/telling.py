"""Telling a browser the value of a widget that the program has set.

Not at each tick, which would take a slider from the hand. But more than once: a browser that is
still loading draws only the last of several runs, and a widget that was not told its value in
that one shows, and sends back, its own default. Once the browser has answered with a value of
its own, it knows the widget: from then on it is told nothing, or it would take back a key that
was pressed while this run was under way.
"""

from __future__ import annotations

import time
from typing import Any, Final

import streamlit as st

TOLD: Final = "told"  # widget -> until when; in one place, as Streamlit often looks at all of them
# Seconds in which a browser is told a value that the program has set: as long as a phone on a
# slow line needs for its first page.
TELL: Final = 30.0


def tell(widget: str, value: Any) -> None:
    """Before the widget of this key is drawn: it is to show ``value``."""
    until: dict[str, float] = st.session_state.setdefault(TOLD, {})
    if widget not in st.session_state or st.session_state[widget] != value:
        until[widget] = time.monotonic() + TELL
    if time.monotonic() < until.get(widget, 0.0):
        st.session_state[widget] = value


def heard(widget: str) -> None:
    """In the widget's callback: the browser has sent a value of its own."""
    st.session_state.setdefault(TOLD, {}).pop(widget, None)


__all__ = ["heard", "tell"]
