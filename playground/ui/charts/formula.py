"""Formulas with the current numbers put in: LaTeX that shows numbers as the reader writes them."""

from __future__ import annotations

from collections.abc import Iterable

from playground.ui.charts.sums import Number
from playground.ui.shell import language


def tex(value: float, digits: int = 2) -> str:
    """A number: 1.50, in Polish 1{,}50 (braces, or LaTeX puts a space behind the comma)."""
    # A value that rounds to zero is zero, not "-0.00".
    value = 0.0 if abs(value) < 0.5 * 10**-digits else value
    text = language.number(value, digits).replace("\N{NO-BREAK SPACE}", r"\,")
    return text.replace("\N{MINUS SIGN}", "-").replace(",", "{,}")


def matrix(rows: Iterable[Iterable[Number]]) -> str:
    """A matrix of numbers."""
    lines = (" & ".join(value.tex for value in row) for row in rows)
    return r"\begin{bmatrix}" + r" \\ ".join(lines) + r"\end{bmatrix}"


def vector(values: Iterable[Number]) -> str:
    """A column of numbers."""
    return matrix([value] for value in values)


def aligned(lines: Iterable[str]) -> str:
    """Lines under each other, aligned where they have an ``&``."""
    return r"\begin{aligned}" + r" \\ ".join(lines) + r"\end{aligned}"
