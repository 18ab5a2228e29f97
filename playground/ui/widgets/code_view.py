"""Code to read: each line says what it does when one points at it, or taps it."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

KINDS: Final = re.compile(
    r"(?P<comment>#.*)"
    r"|(?P<string>f?\"[^\"]*\")"
    r"|(?P<keyword>\b(?:import|from|for|in|with|if|else|def|return|True|False|None)\b)"
    r"|(?P<number>\b\d+(?:\.\d+)?(?:e-?\d+)?\b)"
    r"|(?P<called>\b\w+(?=\())"
)


@dataclass(frozen=True)
class Row:
    """One line: its text, what it does (with `code` in backticks), and whether it is new."""

    text: str
    why: str = ""
    new: bool = False
    gone: bool = False  # something stood before it that is not there any more


def show(rows: Sequence[Row], first: int = 1) -> None:
    """``rows`` with line numbers from ``first``."""
    st.html(markup(rows, first))


def style() -> None:
    """Once a page, before the first :func:`show`."""


def markup(rows: Sequence[Row], first: int = 1) -> str:
    """HTML whose ``<code>`` elements, one a line, hold the very text of the rows."""
    return (
        f'<div class="code-view">{"".join(map(_row, range(first, first + len(rows)), rows))}</div>'
    )


def _row(number: int, row: Row) -> str:
    marks = "".join(f" {name}" for name in ("new", "gone") if getattr(row, name))
    line = f'<span class="number">{number}</span><code>{_colored(row.text)}</code>'
    if not row.why:
        return f'<div class="line{marks}">{line}</div>'
    # To be focused is what a tap does on a phone, and Tab on a keyboard.
    why = re.sub(r"`([^`]+)`", r"<b>\1</b>", html.escape(row.why))
    note = f'<div class="why" role="note">{why}</div>'
    return f'<div class="line{marks}" tabindex="0">{line}{note}</div>'


def _colored(text: str) -> str:
    """``text`` with its keywords, strings, numbers, comments and calls marked as such."""
    parts: list[str] = []
    end = 0
    for found in KINDS.finditer(text):
        parts.append(html.escape(text[end : found.start()]))
        parts.append(f'<span class="{found.lastgroup}">{html.escape(found[0])}</span>')
        end = found.end()
    return "".join([*parts, html.escape(text[end:])])
