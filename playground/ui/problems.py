"""Everything that is wrong with what somebody uploaded, at once, in one table."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground.data.problems import Problem
from playground.ui import language
from playground.ui.language import _


def show_problems(problems: Sequence[Problem]) -> None:
    """All ``problems`` in a table: they quote the student's own text, so never as Markdown."""
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
    st.dataframe(table, hide_index=True, height=min(38 + 35 * len(problems), 250))
