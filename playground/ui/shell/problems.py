"""Everything that is wrong with what somebody uploaded, at once, in one table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Final

import streamlit as st

from playground.data.messages import Problem, Sentence
from playground.data.tables import Table
from playground.ui.shell import language
from playground.ui.shell.language import _

SHOWN: Final = 200  # problems; more tell nobody more
TABLE: Final = """
<style>
.problems { max-height: 260px; overflow: auto; }
.problems table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
.problems :is(th, td) { text-align: left; vertical-align: top; padding: 4px 10px 4px 0;
  border-bottom: 1px solid rgb(128 128 128 / 0.3); overflow-wrap: anywhere; }
.problems :is(th, td):last-child { min-width: 14rem; }
</style>
"""


def show_problems(problems: Sequence[Problem], table: Table | None = None) -> None:
    """All ``problems``, and how much of the ``table`` they were found in can be used.

    They quote the student's own text, so it is never shown as Markdown.
    """
    for problem in problems:
        if problem.row is None and not problem.column and len(problems) == 1:
            # A whole file: its reason is the message.
            st.error(plain(problem.text(_)), icon=":material/report:")
            return
    notes = [problem for problem in problems if problem.note]
    wrong = [problem for problem in problems if not problem.note]
    if wrong and table is not None:
        count = language.counted("{n} problem.", "{n} problems.", len(wrong))
        usable = _(
            "Rows that can be used: {good} of {total}.",
            good=language.number(len(table.rows)),
            total=language.number(table.total),
        )
        box = st.warning if table.rows else st.error
        box(f"{usable} {count}", icon=":material/report:")
    elif wrong:
        said = language.counted(
            "{n} problem. The rest can be used.",
            "{n} problems. The rest can be used.",
            len(wrong),
        )
        st.warning(said, icon=":material/report:")
    if wrong:
        _table(wrong)
    if notes:
        names = ", ".join(plain(problem.value or problem.column) for problem in notes)
        st.caption(":material/info: " + _("Columns that are not used: {names}.", names=names))


def _table(problems: Sequence[Problem]) -> None:
    """A row a problem, whose sentence wraps: in HTML, for a data frame cuts it."""
    places = any(problem.row is not None for problem in problems)
    titles = [_("Row"), _("Column")] if places else []
    titles += [_("Value"), _("What is wrong")]
    rows = []
    for problem in problems[:SHOWN]:
        cells = [problem.value, problem.text(_)]
        if places:
            column = problem.values.get("column", problem.column)
            name = column.text(_) if isinstance(column, Sentence) else str(column)
            cells = ["" if problem.row is None else str(problem.row), name, *cells]
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th scope='col'>{escape(title)}</th>" for title in titles)
    st.html(
        f"{TABLE}<div class='problems' tabindex='0'><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
    if len(problems) > SHOWN:
        columns = Counter(problem.column for problem in problems if problem.column).most_common(5)
        often = ", ".join(f"{plain(name)} {language.number(n)}" for name, n in columns)
        st.caption(
            _(
                "The first {n} are shown. By column: {often}.",
                n=language.number(SHOWN),
                often=often or "–",
            )
        )


def warned(about: object, text: str, icon: str, key: str) -> None:
    """A warning above what one works with, which stays until its reader closes it.

    One that went by itself would move all that is below, under somebody's hand. ``about`` is
    what it says; anything else that stands under ``key`` later is not closed with it.
    """
    closed = f"{key}.closed"
    if st.session_state.get(closed) is about:
        return

    def close() -> None:
        st.session_state[closed] = about

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.warning(text, icon=f":material/{icon}:")
        st.button(_("Close"), type="tertiary", key=f"{key}.close", on_click=close)


def plain(text: str) -> str:
    """``text``, which quotes a stranger, so that Markdown shows it as it is.

    Addresses in it become links even where their signs are escaped, so that a stranger's link
    would stand in our own words; an invisible joiner in front of the telling sign prevents it.
    """
    text = re.sub(r"(?=://|@)|(?<=www)(?=\.)", "\N{WORD JOINER}", text, flags=re.IGNORECASE)
    return re.sub(r"([\\`*_{}\[\]()#+!|<>~$:])", r"\\\1", text)
