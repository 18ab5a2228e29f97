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
    st.html(STYLE)


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


STYLE: Final = """
<style>
.code-view {
  font-family: "Source Code Pro", ui-monospace, Menlo, Consolas, monospace;
  font-size: 12.5px; line-height: 16.5px; padding: 3px 0; border-radius: 6px;
  background: light-dark(#f0f3f3, #1d272c);
}
.code-view .line { position: relative; display: flex; padding-right: 8px; outline: none;
  border-left: 3px solid transparent; }
.code-view .line[tabindex] { cursor: help; }
.code-view .number { flex: none; width: 2.4em; padding-right: 0.9em; text-align: right;
  user-select: none; color: light-dark(#8a959b, #74828a); }
.code-view code { all: unset; flex: 1; min-width: 0; min-height: 16.5px; white-space: pre-wrap;
  overflow-wrap: anywhere; color: light-dark(#1c2b33, #e6ecee); }
.code-view .comment { color: light-dark(#1f6f8b, #6fc0dc); font-weight: 600; }
.code-view .string { color: light-dark(#8a4b08, #e5b567); }
.code-view .keyword { color: light-dark(#7a2e8e, #d3a1e8); }
.code-view .number:not(:first-child), .code-view code .number { all: unset;
  color: light-dark(#b0320f, #f0946c); }
.code-view .called { color: light-dark(#0b5fa5, #8fc4ee); }
.code-view .line.new { border-left-color: #e08214;
  background: light-dark(#fbe6c8, #4a3713); }
.code-view .line.gone { box-shadow: inset 0 2px 0 -0.5px #e08214; }
.code-view .line[tabindex]:hover, .code-view .line:focus {
  background: light-dark(#d5e6ec, #2b434e); }
.code-view .why { display: none; position: absolute; z-index: 20; top: 100%; left: 2.2em;
  right: 8px; max-width: 34rem; padding: 8px 12px; border-radius: 6px; cursor: auto;
  font-family: "Source Sans", sans-serif; font-size: 15px; line-height: 21px;
  color: light-dark(#1c2b33, #e6ecee); background: light-dark(#ffffff, #12191d);
  border: 1px solid light-dark(#b8c4c8, #4a5c64);
  box-shadow: 0 4px 14px rgb(0 0 0 / 0.22); pointer-events: none; }
.code-view .line:hover .why, .code-view .line:focus .why { display: block; }
/* Further down a block there is room above, and perhaps none below. */
.code-view .line:nth-child(n + 6) .why { top: auto; bottom: 100%; }
/* Only one at a time: what is pointed at goes before what was tapped. */
.code-view:has(.line:hover) .line:focus:not(:hover) .why { display: none; }
@media (max-width: 640px) {
  .code-view { font-size: 11.5px; }
  /* What a long line wraps is set in, so that it does not look like a line of its own. */
  .code-view code { padding-left: 3em; text-indent: -3em; }
  .code-view .why { left: 0; right: 0; }
}
</style>
"""
