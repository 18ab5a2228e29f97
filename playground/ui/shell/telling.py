"""Telling a browser the value of a widget that the program has set.

Not at each tick, which would take a slider from the hand. But more than once: a browser that is
still loading draws only the last of several runs, and a widget that was not told its value in
that one shows, and sends back, its own default. So it is told until the browser has shown that
it knows the widget, by sending a value for it: from then on it is told nothing, or it would take
back a key that was pressed while this run was under way. In another language, or on another page,
it forgets what it knew: whoever comes back is told anew. (Streamlit forgets too, but not if the run
in between was cut off; all sliders stood at their lowest end then.)
"""

from __future__ import annotations

import time
from typing import Any, Final

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from playground.ui.shell import language

TOLD: Final = "told"  # widget -> until when; in one place, as Streamlit often looks at all of them
# Seconds in which it is told at most: as long as a phone on a slow line needs for its first page.
TELL: Final = 30.0
STAY: Final = "told.stay"  # (language, page, how many of these there were)
STAYS: Final = "told.stays"  # widget -> in which of them it was drawn last
ASKED: Final = "told.asked"  # (what a browser said of itself at the last run, did it ask for it?)


def begin(part: bool = False) -> None:
    """At the beginning of a run: was it the browser that asked for it, or the program itself?

    A run that the program asks for hands on the very object that the browser had sent. A
    ``part`` of the page begins a run only where it is drawn alone.
    """
    context = get_script_run_ctx()
    if part and (context is None or not context.fragment_ids_this_run):
        return
    if not part:
        here = (language.current(), None if context is None else context.page_script_hash)
        *last, number = st.session_state.get(STAY, (None, None, 0))
        st.session_state[STAY] = (*here, number if (*last,) == here else number + 1)
    said = None if context is None else context.context_info
    before, _asked = st.session_state.get(ASKED, (None, False))
    st.session_state[ASKED] = (said, said is not None and said is not before)


def tell(widget: str, value: Any) -> None:
    """Before the widget of this key is drawn: it is to show ``value``."""
    until: dict[str, float] = st.session_state.setdefault(TOLD, {})
    stays: dict[str, int] = st.session_state.setdefault(STAYS, {})
    *_here, stay = st.session_state.get(STAY, (None, None, 0))
    known = widget in until and _known(widget)
    back = stays.get(widget) != stay
    stays[widget] = stay
    if back or widget not in st.session_state or st.session_state[widget] != value:
        until[widget] = time.monotonic() + TELL
    elif known:
        del until[widget]
    if time.monotonic() < until.get(widget, 0.0):
        st.session_state[widget] = value


def heard(widget: str) -> None:
    """In the widget's callback: the browser has sent a value of its own."""
    st.session_state.setdefault(TOLD, {}).pop(widget, None)


def _known(widget: str) -> bool:
    """Has the browser sent a value for the widget with this very run?"""
    context = get_script_run_ctx()
    _said, asked = st.session_state.get(ASKED, (None, False))
    if context is None or not asked:
        return False
    # Streamlit has no other way to ask. Where this one is gone, time decides.
    state = getattr(context.session_state, "_state", None)
    sent = getattr(getattr(state, "_new_widget_state", None), "states", {})
    ids = getattr(getattr(state, "_key_id_mapper", None), "get_id_from_key", None)
    return ids is not None and ids(widget, None) in sent


__all__ = ["begin", "heard", "tell"]
