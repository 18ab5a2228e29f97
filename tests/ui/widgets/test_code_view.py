"""Code on the page is the very text, whatever colours and explanations it has."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.lesson.five_parts import Choices, write
from playground.ui.widgets.code_view import Row, markup


def text(page: str) -> list[str]:
    """What a reader sees of each line."""
    return [
        html.unescape(re.sub(r"<[^>]+>", "", line))
        for line in re.findall(r"<code>(.*?)</code>", page, re.DOTALL)
    ]


@given(st.lists(st.text(st.characters(blacklist_categories=["Cc", "Cs"])), max_size=5))
def test_no_character_is_lost_or_becomes_markup(lines: list[str]) -> None:
    page = markup([Row(line, why=line) for line in lines])
    assert text(page) == lines


def test_a_script_is_shown_whole() -> None:
    program = write(Choices())
    assert text(markup([Row(line) for line in program.texts()])) == program.texts()


@pytest.mark.parametrize(
    ("code", "marked"),
    [
        ("# a comment for you", [("comment", "# a comment for you")]),
        ("import torch", [("keyword", "import")]),
        ('print(f"x {y:.2f}")', [("called", "print"), ("string", 'f"x {y:.2f}"')]),
        ("lr=1e-05", [("number", "1e-05")]),
        ("x2 = 0.5", [("number", "0.5")]),
    ],
)
def test_what_is_coloured(code: str, marked: list[tuple[str, str]]) -> None:
    line = re.findall(r"<code>(.*?)</code>", markup([Row(code)]))[0]
    found = re.findall(r'<span class="(\w+)">(.*?)</span>', line)
    assert [(kind, html.unescape(word)) for kind, word in found] == marked


def test_marks_and_explanations() -> None:
    page = markup([Row("a", why="Does `b` & c.", new=True), Row("d", gone=True), Row("")], first=7)
    assert 'class="line new" tabindex="0"' in page
    assert 'class="line gone"' in page
    assert "Does <b>b</b> &amp; c." in page
    assert re.findall(r'class="number">(\d+)<', page) == ["7", "8", "9"]
