"""Numbers on a page that add up: a sum written out gives, with the digits shown, what it says.

Each number of a page is a :class:`Number`: it is written with the same digits wherever it
stands. A number that comes from others knows its rule. :class:`Sums` then gives each number as
many digits as its sums need: three that matter to begin with, and more to what a rule is fed
with until a reader with a calculator gets the result as it stands there. Where that would take
too many digits the sign is ≈ instead of =.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from playground.ui.shell import language

DIGITS: Final = 3  # that matter, of a number that is not short
SHORT: Final = 4  # decimals that a number may have to stand there in full
MORE: Final = 4  # digits that a number gets on top at most
SMALL, LARGE = 1e-4, 1e6  # beyond, a power of ten says it better
RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NOISE: Final = 1e-12  # of sums in float64


class Number:
    """A number on a page; read its text when all sums of the page are known."""

    def __init__(
        self,
        sums: Sums,
        value: float,
        digits: int = DIGITS,
        places: int = 0,
        noise: float = NOISE,
        given: bool = False,
    ) -> None:
        self._sums = sums
        self.value = 0.0 if abs(value) < noise else value
        self.given = given
        self.peers: Sequence[Number] = ()  # that get another decimal with it
        self.decimals = max(places, _decimals(self.value, digits))
        self._places = places
        self._short = _short(self.value, 9 if given else SHORT)
        self.sum: Sum | None = None
        self.more = 0

    def like(self, value: float) -> Number:
        """Another number with as many digits."""
        other = self._sums.number(value)
        self._sums.settle()
        other.decimals = self.decimals
        if self._short is not None and round(value, self.decimals) == self.shown:
            other._short = self._short
        return other

    @property
    def exact(self) -> bool:
        """Whether it stands there in full."""
        return self._short is not None

    @property
    def last(self) -> int:
        """How many decimals must be right."""
        return self.decimals if self._short is None else max(self.decimals, self._short)

    @property
    def shown(self) -> float:
        """What a reader sees, as a number."""
        if not math.isfinite(self.value):
            return self.value
        return round(self.value, self.decimals if self._short is None else self._short)

    def finer(self) -> None:
        """Write it with one digit more."""
        before = self.shown
        while self.shown == before and self.more < MORE:
            self.decimals += 1
            self.more += 1

    @property
    def power(self) -> int | None:
        """The power of ten that it is written with, if it needs one."""
        size = abs(self.shown)
        if not math.isfinite(size) or size == 0 or SMALL <= size < LARGE:
            return None
        return math.floor(math.log10(size) + 1e-12)

    def _mantissa(self) -> str:
        power = self.power or 0
        decimals = self.decimals
        if self._short is not None:
            decimals = max(self._short, self._places)
        # Divided in decimals: 1.15e-07 / 1e-07 must not become 1.1499999.
        mantissa = (
            float(f"{self.shown!r}e{-power}")
            if "e" not in repr(self.shown)
            else (self.shown / 10.0**power)
        )
        return language.number(mantissa, max(0, decimals + power))

    @property
    def text(self) -> str:
        """As it stands in a sentence or a drawing."""
        self._sums.settle()
        if not math.isfinite(self.value):
            return "∞" if self.value > 0 else "−∞" if self.value < 0 else "–"
        text, power = self._mantissa(), self.power
        return text if power is None else f"{text} · 10{str(power).translate(RAISED)}"

    @property
    def signed(self) -> str:
        """With its sign, also where it is positive."""
        return self.text if self.shown < 0 else f"+{self.text}"

    @property
    def tex(self) -> str:
        """As it stands in a formula."""
        self._sums.settle()
        if not math.isfinite(self.value):
            return r"-\infty" if self.value < 0 else r"\infty"
        # Braces, or LaTeX puts a space behind the comma.
        text = self._mantissa().replace("\N{NO-BREAK SPACE}", r"\,").replace("\N{MINUS SIGN}", "-")
        text = text.replace(",", "{,}")
        power = self.power
        return text if power is None else rf"{text} \cdot 10^{{{power}}}"

    @property
    def factor(self) -> str:
        """After a sign of multiplication: in brackets if it is negative."""
        return f"({self.tex})" if self.shown < 0 else self.tex

    @property
    def base(self) -> str:
        """Under an exponent: in brackets unless it is a plain number."""
        return f"({self.tex})" if self.shown < 0 or self.power is not None else self.tex

    @property
    def term(self) -> str:
        """On a sum: "+ 1.5" or "- 1.5"."""
        return f"- {self.tex[1:]}" if self.shown < 0 else f"+ {self.tex}"

    @property
    def plus(self) -> str:
        """On a sum and then multiplied: "+ 1.5" or "+ (-1.5)"."""
        return f"+ {self.factor}"

    @property
    def sign(self) -> str:
        """What stands before it, behind its sum: = or ≈, in LaTeX."""
        assert self.sum is not None
        return self.sum.sign


class Sum:
    """A result, and the rule that makes it of others."""

    def __init__(
        self, sums: Sums, result: Number, rule: Callable[..., float], parts: Sequence[Number]
    ) -> None:
        self._sums, self.result, self.rule, self.parts = sums, result, rule, parts

    @property
    def sign(self) -> str:
        self._sums.settle()
        return "=" if self.holds() else r"\approx"

    def holds(self) -> bool:
        """Whether a calculator that is fed with the parts as shown gives the result as shown."""
        calculated = _fed(self.rule, [part.shown for part in self.parts])
        shown = self.result.shown
        if not math.isfinite(calculated) or not math.isfinite(shown):
            return calculated == shown
        half = 0.5 * 10.0**-self.result.last
        return abs(calculated - shown) <= half * (1 + 1e-9) + NOISE * abs(shown)

    def coarsest(self) -> Number | None:
        """The part whose rounding matters most to the result; None if no part can be finer."""
        values = [part.shown for part in self.parts]
        calculated = _fed(self.rule, values)
        far: dict[int, float] = {}
        for place, part in enumerate(self.parts):
            if part.exact or part.more >= MORE:
                continue
            moved = _fed(self.rule, [*values[:place], part.value, *values[place + 1 :]])
            change = abs(moved - calculated)
            far[place] = change if math.isfinite(change) else math.inf
        best = max(far, key=far.__getitem__, default=None)
        return None if best is None or far[best] == 0 else self.parts[best]


class Sums:
    """All numbers of a page that hang together."""

    def __init__(self) -> None:
        self._sums: list[Sum] = []
        self._settled = True

    def given(self, value: float, places: int = 0) -> Number:
        """A number that is not calculated: it stands there in full."""
        return Number(self, float(value), places=places, given=True)

    def number(
        self, value: float, digits: int = DIGITS, places: int = 0, noise: float = NOISE
    ) -> Number:
        """A number whose sum is not shown, with ``places`` decimals at least.

        What is smaller than ``noise`` is an inaccuracy of the computer's, and 0.
        """
        return Number(self, float(value), digits, places, noise)

    def of(
        self,
        rule: Callable[..., float],
        *parts: Number,
        digits: int = DIGITS,
        places: int = 0,
        noise: float = NOISE,
    ) -> Number:
        """The number that ``rule`` makes of ``parts``."""
        value = _fed(rule, [part.value for part in parts])
        result = self.number(value, digits, places, noise)
        result.sum = self.also(result, rule, *parts)
        return result

    def also(self, result: Number, rule: Callable[..., float], *parts: Number) -> Sum:
        """A further sum that gives the same ``result``."""
        made = Sum(self, result, rule, parts)
        self._sums.append(made)
        self._settled = False
        return made

    def shares(self, numbers: Iterable[Number]) -> None:
        """Let ``numbers``, which are shares of 1, have the same decimals and add up to 1."""
        shares = list(numbers)
        whole = Number(self, 1.0)
        for share in shares:
            share.peers = [other for other in shares if other is not share]
        decimals = min(share.decimals for share in shares)
        for share in shares:
            share.decimals = max(decimals, _decimals(share.value, 2))
        whole.decimals = decimals
        self.also(whole, lambda *parts: sum(parts), *shares)

    def settle(self) -> None:
        """Give each number the digits that its sums need."""
        if self._settled:
            return
        self._settled = True
        # Backwards: what a result needs comes before what its parts need. Again, as another
        # digit may spoil a sum that held by luck.
        for _round in range(3):
            before = self._digits()
            for made in reversed(self._sums):
                _refine(made)
            if self._digits() == before:
                return

    def _digits(self) -> list[int]:
        return [part.decimals for made in self._sums for part in made.parts]


def sign_of(results: Iterable[Number]) -> str:
    """What stands before several results in one bracket: = only if all are equal."""
    return "=" if all(result.sign == "=" for result in results) else r"\approx"


def _refine(made: Sum) -> None:
    """Give the parts of one sum more digits until it holds, or leave them as they are."""
    touched = {part: (part.decimals, part.more) for part in _all(made.parts)}
    while not made.holds():
        part = made.coarsest()
        if part is None:
            for one, (decimals, more) in touched.items():
                one.decimals, one.more = decimals, more
            return
        for one in (part, *part.peers):
            one.finer()


def _all(parts: Iterable[Number]) -> set[Number]:
    return {one for part in parts for one in (part, *part.peers)}


def _fed(rule: Callable[..., float], values: Sequence[float]) -> float:
    """What the rule gives; nan where it has no value."""
    try:
        return float(rule(*values))
    except (ValueError, ZeroDivisionError, OverflowError):
        return math.nan


def _decimals(value: float, digits: int) -> int:
    """Decimals with which ``digits`` digits matter; below 0 only where a power is written."""
    if value == 0 or not math.isfinite(value):
        return digits - 1
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    return decimals if abs(value) >= LARGE else max(0, decimals)


def _short(value: float, most: int) -> int | None:
    """As few decimals as say all of it, if ``most`` are enough."""
    if not math.isfinite(value) or abs(value) >= LARGE:
        return None
    for decimals in range(most + 1):
        rounded = round(value, decimals)
        if abs(value - rounded) <= NOISE * max(1.0, abs(value)) and (rounded or not value):
            return decimals
    return None
