"""A field: one named value with its range, default, unit and help, said in one place.

The same record describes a hyperparameter of the recipe (and makes its slider), an
option of a project's data generator, and a column of a student's own table (and
checks each cell).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from playground.errors import PlaygroundError
from playground.i18n import N_

Value = int | float | bool | str | tuple[int, ...]
Kind = Literal["integer", "number", "switch", "choice", "integers"]


def shown(value: object) -> str:
    """``value`` as Python writes it, cut to what fits in a sentence."""
    try:
        return repr(value)[:80]
    except (ValueError, RecursionError):  # thousands of digits, or of brackets
        return "…"


def plain(value: object) -> object:
    """``value`` without numpy and pandas: their numbers as numbers, their columns as lists."""
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def _plain(number: float) -> str:
    """A limit as a person writes it: 2147483647, 0.00001."""
    return f"{number:.0f}" if float(number).is_integer() else f"{number:.10f}".rstrip("0")


class FieldError(PlaygroundError):
    """A value that its field does not allow: names the field, the value and the range."""


@dataclass(frozen=True)
class Field:
    """One named value: what it may be, and how to explain it.

    ``integers`` is a tuple of 1 or more whole numbers, each within ``low``..``high``,
    with at most ``longest`` of them. ``stops`` are more stops for a logarithmic slider than
    the usual 1, 2, 3, 5, 10. ``label``, ``help`` and the values of
    ``choice_labels`` are gettext ids. ``aliases`` maps other spellings met in files
    (``"rozmiar"``, ``"mała"``) to the column's name or to one of its choices.
    """

    name: str
    kind: Kind
    default: Value
    label: str
    help: str = ""
    low: float = -math.inf
    high: float = math.inf
    step: float = 1
    log: bool = False
    stops: tuple[float, ...] = ()
    longest: int = 1
    choices: tuple[str, ...] = ()
    choice_labels: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)
    before: Value | None = None  # what was meant before there was this field, if not ``default``

    @property
    def missing(self) -> Value:
        """What something that was written down before there was this field means by its absence."""
        return self.default if self.before is None else self.before

    def check(self, value: object) -> Value:
        """``value`` in this field's own type, if allowed.

        Raises:
            FieldError: naming the field, the value and what is allowed. Nothing is
                repaired silently: 3.5 is not an integer, "3" is not a number, and
                neither is True. Numpy's numbers are numbers, and its arrays are lists.
        """
        value = plain(value)
        if self.kind == "choice":
            if isinstance(value, str) and value in self.choices:
                return value
        elif self.kind == "switch":
            if isinstance(value, bool):
                return value
        elif self.kind == "integers":
            if (
                isinstance(value, list | tuple)
                and 1 <= len(value) <= self.longest
                and all(self._is_integer(v) and self.low <= v <= self.high for v in value)
            ):
                return tuple(int(v) for v in value)
        elif self.kind == "integer":
            if self._is_integer(value) and self.low <= value <= self.high:  # type: ignore[operator]
                return int(value)  # type: ignore[call-overload, no-any-return]
        elif (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and self.low <= value <= self.high  # and so not NaN either
            and abs(value) < math.inf
        ):
            return float(value)
        if self.kind == "integers":
            raise FieldError(
                N_(
                    "{field} is {value}, but must be {allowed}: numbers in brackets, even one "
                    "alone. For example {example}."
                ),
                field=self.name,
                value=shown(value),
                allowed=self.allowed(),
                example=self.default,
            )
        raise FieldError(
            N_("{field} is {value}, but must be {allowed}."),
            field=self.name,
            value=shown(value),
            allowed=self.allowed(),
        )

    def allowed(self) -> str:
        """What the field takes, in symbols that need no translation: ``1, 2 … 6``, ``a | b``."""
        if self.kind == "choice":
            return " | ".join(self.choices)
        if self.kind == "switch":
            return "false | true"
        second = f", {_plain(self.low + 1)}" if self.kind != "number" else ""
        span = f"{_plain(self.low)}{second} … {_plain(self.high)}"
        return f"(1–{self.longest}) × {span}" if self.kind == "integers" else span

    @staticmethod
    def _is_integer(value: object) -> bool:
        if isinstance(value, bool):
            return False
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
