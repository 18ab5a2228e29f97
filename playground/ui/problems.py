"""Everything that is wrong with what somebody uploaded, at once, in one table."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st

from playground.data.problems import Problem
from playground.ui import language
from playground.ui.language import _


def show_problems(problems: Sequence[Problem]) -> None:
    """All ``problems`` in a table: they quote the student's own text, so never as Markdown."""
    for problem in problems:
        if problem.row is None and not problem.column and len(problems) == 1:
            # A whole file: its reason is the message.
            st.error(plain(problem.text(_)), icon=":material/report:")
            return
    if not problems:
        return
    st.warning(
        language.counted(
            "{n} problem. What has none can be used.",
            "{n} problems. What has none can be used.",
            len(problems),
        ),
        icon=":material/report:",
    )
    table: dict[str, list[object]] = {}
    if any(problem.row is not None for problem in problems):
        table[_("Row")] = [problem.row for problem in problems]
        table[_("Column")] = [problem.column for problem in problems]
    table[_("Value")] = [problem.value for problem in problems]
    table[_("What is wrong")] = [problem.text(_) for problem in problems]
    st.dataframe(
        table,
        hide_index=True,
        row_height=56,  # so that a sentence wraps instead of losing its end
        height=min(38 + 56 * len(problems), 260),
        column_config={
            _("Row"): st.column_config.Column(width=60),
            _("Column"): st.column_config.Column(width=100),
            _("Value"): st.column_config.Column(width=130),
        },
    )


def plain(text: str) -> str:
    """``text``, which quotes a stranger, so that Markdown shows it as it is.

    Addresses in it become links even where their signs are escaped, so that a stranger's link
    would stand in our own words; an invisible joiner in front of the telling sign prevents it.
    """
    text = re.sub(r"(?=://|@)|(?<=www)(?=\.)", "\N{WORD JOINER}", text, flags=re.IGNORECASE)
    return re.sub(r"([\\`*_{}\[\]()#+!|<>~$:])", r"\\\1", text)
