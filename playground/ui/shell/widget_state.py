"""Widgets tied to plain values in the session.

Streamlit's browser side knows an option by its *shown* label. Here labels change with the
language, so a widget's own state would be lost, or worse, read back as a label, when
somebody switches. So the truth is a plain value under a key of its own, which also
survives page switches; the widget's key carries the language, and the two are tied.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from playground.ui.shell import language, telling

if TYPE_CHECKING:
    from streamlit.elements.lib.mutable_tab_container import TabContainer


def bind(key: str, default: Any = None, then: Callable[[], None] | None = None) -> dict[str, Any]:
    """``key`` and ``on_change`` for a widget that shows and sets ``st.session_state[key]``.

    ``default`` is the value before anybody chose one; ``then`` is called after each change.
    """
    widget = f"{key}@{language.current()}"
    value = st.session_state.setdefault(key, default)
    telling.tell(widget, value)

    def copy() -> None:
        telling.heard(widget)
        st.session_state[key] = st.session_state[widget]
        if then is not None:
            then()

    return {"key": widget, "on_change": copy}


def tabs_by_icon(titles: Mapping[str, str], key: str) -> Sequence[TabContainer]:
    """Tabs with these icons and titles; the open one stays open in another language.

    Streamlit knows a tab by its label, whose icon is the same in every language.
    """
    labels = {icon: f":material/{icon}: {title}" for icon, title in titles.items()}
    opened = re.match(r":material/(\w+):", st.session_state.get(key) or "")
    if opened and opened[1] in labels:
        st.session_state[key] = labels[opened[1]]
    return st.tabs(list(labels.values()), on_change="rerun", key=key)
