"""Formulas with the current numbers put in: LaTeX that shows numbers as the reader writes them."""

from __future__ import annotations

from collections.abc import Iterable

from playground.ui import language


def tex(value: float, digits: int = 2) -> str:
    """A number: 1.50, in Polish 1{,}50 (braces, or LaTeX puts a space behind the comma)."""
    # A value that rounds to zero is zero, not "-0.00".
    value = 0.0 if abs(value) < 0.5 * 10**-digits else value
    text = language.number(value, digits).replace("\N{NO-BREAK SPACE}", r"\,")
    return text.replace(",", "{,}")


def factor(value: float, digits: int = 2) -> str:
    """A number after a sign of multiplication: a negative one stands in brackets."""
    text = tex(value, digits)
    return f"({text})" if text.startswith("-") else text


def term(value: float, digits: int = 2) -> str:
    """A number that goes on a sum: "+ 1.50" or "- 1.50"."""
    text = tex(value, digits)
    return f"- {text[1:]}" if text.startswith("-") else f"+ {text}"


def matrix(rows: Iterable[Iterable[float]], digits: int = 2) -> str:
    """A matrix of numbers."""
    lines = (" & ".join(tex(value, digits) for value in row) for row in rows)
    return r"\begin{bmatrix}" + r" \\ ".join(lines) + r"\end{bmatrix}"


def vector(values: Iterable[float], digits: int = 2) -> str:
    """A column of numbers."""
    return matrix(([value] for value in values), digits)


def aligned(lines: Iterable[str]) -> str:
    """Lines under each other, aligned where they have an ``&``."""
    return r"\begin{aligned}" + r" \\ ".join(lines) + r"\end{aligned}"
