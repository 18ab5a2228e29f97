"""The page's address, in which a link finds the same again.

Streamlit makes an entry of the browser's history of each change, so that Back would have to be
pressed once a slider. Our component in the browser stops that, but it is not there yet when a
browser opens its first page: that page's address is left to it, and only if it does not take
it over does Streamlit write it.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs, urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

LEFT: Final = "address.left"  # the query that was left to the browser, and how often it was
TAKEN: Final = "address.taken"  # the browser takes over what is left to it
TRIES: Final = 3


def begin() -> None:
    """At the beginning of a run: has the browser taken over what was left to it?"""
    query, tries = st.session_state.get(LEFT, (None, 0))
    context = get_script_run_ctx()
    if context is None or query is None or TAKEN in st.session_state:
        return
    # What the browser says, which Streamlit itself looks at only when the page changes.
    if parse_qs(context.query_string) == parse_qs(query):
        st.session_state[TAKEN] = True
    elif tries >= TRIES:
        st.session_state[TAKEN] = True
        st.query_params.from_dict(st.query_params.to_dict())


def write(wanted: dict[str, str]) -> None:
    """Let the address say ``wanted`` and nothing else."""
    if st.query_params.to_dict() == wanted:
        return
    if TAKEN in st.session_state:
        st.query_params.from_dict(wanted)
    else:
        _note(wanted)


def update(name: str, value: str | None) -> None:
    """Let the address say ``value`` under ``name``, or nothing there."""
    now = {key: said for key, said in st.query_params.to_dict().items() if key != name}
    write(now if value is None else {**now, name: value})


def leave() -> str | None:
    """At the end of a run: the query that the browser is to take over, if it is left one."""
    context = get_script_run_ctx()
    if context is None or TAKEN in st.session_state:
        return None
    _before, tries = st.session_state.get(LEFT, (None, 0))
    st.session_state[LEFT] = (context.query_string, tries + 1)
    return context.query_string


def _note(wanted: dict[str, str]) -> None:
    """Let this session go on as if the address said so, without telling the browser."""
    context = get_script_run_ctx()
    if context is None:
        return
    with context.session_state.query_params() as found:
        found.clear_with_no_forward_msg(preserve_embed=True)
        for name, value in wanted.items():
            found.set_with_no_forward_msg(name, value)
    context.query_string = urlencode(wanted)


__all__ = ["begin", "leave", "update", "write"]
