"""One cell of a table: what its text means to its column, and what is said where it means nothing.

A cell is read as a person means it, or it is refused with the reason; a text that could
mean two numbers is never decided in silence.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from playground.data.messages import Problem, Sentence, fold, shown
from playground.fields import Field, FieldError, Value
from playground.i18n import LANGUAGES, N_, translate

MAX_CELL: Final = 200
"""Characters in a cell that is used; a longer one is reported as not allowed."""
LARGEST: Final = 1e9
"""No number beyond ±LARGEST is taken, whatever the field says: float32 must stay exact enough."""

Decimal = Literal[",", ".", ""]
"""The decimal sign of a table; "": its cells do not say."""

YES: Final = frozenset({"1", "1.0", "true", "yes", "y", "tak", "t", "prawda", "x", "✓", "✔", "☑"})
NO: Final = frozenset({"0", "0.0", "false", "no", "n", "nie", "f", "falsz", "✗", "✘", "☐"})
UNITS: Final[Mapping[str, frozenset[str]]] = {
    "zł": frozenset({"zl", "pln", "zloty", "zlote", "zlotych"}),
    "$": frozenset({"$", "usd", "dollar", "dollars"}),
    "€": frozenset({"€", "eur", "euro"}),
    "h": frozenset({"h", "hr", "hrs", "hour", "hours", "godz", "godzina", "godziny", "godzin"}),
    "min": frozenset({"min", "mins", "minute", "minutes", "minuta", "minuty", "minut"}),
    "years": frozenset({"years", "year", "yrs", "lat", "lata", "rok"}),
    "%": frozenset({"%", "percent", "procent"}),
}
"""How units are written, as :func:`fold` leaves them and without a full stop behind."""
COINS: Final = frozenset({"zł", "$", "€"})  # whose round amounts are written 12,-
YES_WORD, NO_WORD = N_("yes"), N_("no")
MISSING: Final = frozenset({"None", "nan", "NaT", "<NA>"})
"""How str() writes what Python, NumPy and pandas put in a cell left empty."""

NOT_ALLOWED: Final = N_("Row {row}, column {column}: “{value}” is not allowed. Allowed: {allowed}.")
EMPTY: Final = N_("Row {row}, column {column}: the cell is empty. Allowed: {allowed}.")
NEAR: Final = N_(
    "Row {row}, column {column}: “{value}” is not allowed. Did you mean “{nearest}”? "
    "Allowed: {allowed}."
)
TWO_WAYS: Final = N_(
    "Row {row}, column {column}: “{value}” may mean {small} or {large}. Write it without the "
    "comma or point, or with two decimals."
)
OTHER_UNIT: Final = N_(
    "Row {row}, column {column}: “{value}” is in {unit}, but this column is in {wanted}. "
    "Allowed: {allowed}."
)
NO_UNIT: Final = N_(
    "Row {row}, column {column}: “{value}” has a unit ({unit}), but this column has none. Write "
    "only the number. Allowed: {allowed}."
)


@dataclass(frozen=True)
class Refused:
    """Why a cell is not used: a sentence, and what fills it besides row, column and value."""

    message: str = NOT_ALLOWED
    values: Mapping[str, object] | None = None


class Column:
    """One field's column: how its cells are read, and what is said of a wrong one."""

    def __init__(self, field: Field, title: str | Sentence) -> None:
        if field.kind == "integers":
            raise ValueError(f"{field.name}: a table's cell holds one value")
        self.field = field
        self.title = title
        self.unit = _unit_of(field)
        self.units = _units(field) | UNITS.get(self.unit, frozenset())
        self.spellings: dict[str, Value] = {}
        if field.kind == "choice":
            self.spellings = _choice_spellings(field)
        elif field.kind == "switch":
            self.spellings = _switch_spellings(field)
        self.allowed = _allowed(field)

    @property
    def numeric(self) -> bool:
        return not self.spellings

    def read(self, text: str, decimal: Decimal = "") -> Value | Refused:
        """The cell's value, or why it has none. ``decimal`` is the sign that the table uses."""
        text = unguard(text.strip())
        if not text:
            return Refused(EMPTY)
        if len(text) > MAX_CELL:
            return Refused()
        if self.spellings:
            found = self.spellings.get(text)
            found = self.spellings.get(fold(text)) if found is None else found
            found = self.spellings.get(fold(text).rstrip(".")) if found is None else found
            return self._near(text) if found is None else found
        value = self._number(_plain(text), decimal)
        return value if isinstance(value, Refused) else self._checked(value)

    def write(self, value: Value, language: str) -> str:
        """``value`` for a reader of ``language``; :meth:`read` gives it back."""
        if self.field.kind == "choice":
            label = translate(self.field.choice_labels.get(str(value), str(value)), language)
            return label if self.read(label) == value else str(value)
        if self.field.kind == "switch":
            return translate(YES_WORD if value else NO_WORD, language)
        number = cast(float, value)
        text = certain(f"{number:.0f}" if float(number).is_integer() else repr(number))
        return text.replace(".", ",") if language == "pl" else text

    def problem(self, row: int, text: str, why: Refused) -> Problem:
        """The sentence about the cell ``text``, which :meth:`read` refused."""
        value = shown(text.strip())
        values = {"row": row, "column": self.title, "value": value, "allowed": self.allowed}
        return Problem(why.message, {**values, **(why.values or {})}, row, self.field.name, value)

    def _checked(self, value: float) -> Value | Refused:
        if abs(value) > LARGEST:
            return Refused()
        try:
            return self.field.check(value)
        except FieldError:
            return Refused()

    def _near(self, text: str) -> Refused:
        """Something else than any spelling: like which of them?"""
        if self.field.kind != "choice" or len(text) < 4:
            return Refused()
        near = difflib.get_close_matches(fold(text), self.spellings, n=1, cutoff=0.75)
        if not near:
            return Refused()
        choice = str(self.spellings[near[0]])
        label = self.field.choice_labels.get(choice)
        return Refused(NEAR, {"nearest": choice if label is None else Sentence(label)})

    def _number(self, text: str, decimal: Decimal) -> float | Refused:
        """The number that ``text`` writes, in the column's own unit."""
        if self.unit in COINS:
            text = re.sub(r"(?<=\d) ?[.,] ?[-–—]{1,2}(?= ?[^\d]*$)", "", text)  # 12,- zł
            coins = re.fullmatch(r"([0-9 ]+?) ?(\D+?) ?([0-9]{1,2}) ?gr\.?", text)
            if coins and self._is_mine(coins[2]):
                text = f"{coins[1]}.{coins[3]:0>2}"
        if self.unit in ("h", "min"):
            hours = _hours(text, self.unit == "h")
            if hours is not None:
                return hours if self.unit == "h" else round(hours * 60, 9)
        match = _NUMBER.fullmatch(text)
        if match is None:
            return Refused()
        small, large = _readings(match, decimal)
        if small is None and large is None:
            return Refused()  # there are no digits
        wanted = self._unit(match["before"] or "", match["after"] or "")
        if isinstance(wanted, Refused):
            return wanted
        if small is None:
            return cast(float, large) * wanted
        # A column of numbers below 1,000 has no thousands: 7.250 hours are seven and a quarter.
        short = self.field.kind == "number" and max(-self.field.low, self.field.high) < 1000
        if large is None or short:
            return small * wanted
        return Refused(TWO_WAYS, {"small": f"{small:.10g}", "large": f"{large:.10g}"})

    def _unit(self, before: str, after: str) -> float | Refused:
        """What the number is to be multiplied by; refused: a unit that is not the column's."""
        found = [one for one in (before, after) if one.strip()]
        foreign = [one.strip() for one in found if not self._is_mine(one)]
        if len(found) == 2 and not foreign and before.strip():
            return Refused()  # zł 12 zł
        if not foreign:
            return 1.0
        if not self.unit and len(foreign) == 1 and _bare(foreign[0]) in UNITS["%"]:
            if self.field.high == 100:
                return 1.0
            if self.field.high == 1:
                return 0.01
        unit = foreign[0]
        if not re.fullmatch(r"[^\W\d_]{1,10}\.?|[$€£%]|[^\W\d_]{1,6}[²³/%][^\W\d_]{0,6}", unit):
            return Refused()
        if self.field.unit:
            return Refused(OTHER_UNIT, {"unit": unit, "wanted": Sentence(self.field.unit)})
        return Refused(NO_UNIT, {"unit": unit})

    def _is_mine(self, unit: str) -> bool:
        return _bare(unit) in self.units


def read_row(
    row: int,
    cells: Sequence[tuple[Column, str]],
    problems: list[Problem],
    decimal: Decimal = "",
) -> dict[str, Value] | None:
    """The row's values if all its cells are allowed; else None, and ``problems`` grows."""
    values: dict[str, Value] = {}
    for column, text in cells:
        value = column.read(text, decimal)
        if isinstance(value, Refused):
            problems.append(column.problem(row, text, value))
        else:
            values[column.field.name] = value
    return values if len(values) == len(cells) else None


def decimal_sign(texts: Iterable[str]) -> Decimal:
    """The decimal sign that a table's numbers settle, by those that can mean one thing only."""
    signs: Counter[str] = Counter()
    for text in texts:
        if "," in text or "." in text:
            found = _SIGNS.search(_plain(text))
            if found is not None:
                sign = found.lastgroup
                signs[{"comma": ",", "point": ".", "commas": ".", "points": ","}[str(sign)]] += 1
    if len(signs) != 1:
        return ""
    return "," if "," in signs else "."


def cell_text(value: object) -> str:
    """A cell of an editor, or of a list of rows in Python, as text; empty where there is nothing.

    A number is a number already, and is written so that it means this one only.
    """
    if isinstance(value, str):
        return value
    text = str(value)
    return "" if text in MISSING else certain(text)


def certain(text: str) -> str:
    """A number in Python's spelling, with a zero more where its point could part thousands."""
    return text + "0" if _GROUP.fullmatch(text) else text


# --- Words ------------------------------------------------------------------------------


def _choice_spellings(field: Field) -> dict[str, Value]:
    """Every way to write each choice: itself, its label in any language, its aliases."""
    spellings: dict[str, Value] = {choice: choice for choice in field.choices}
    for choice in field.choices:
        spellings.setdefault(fold(choice), choice)
    for choice in field.choices:
        for language in LANGUAGES:
            label = translate(field.choice_labels.get(choice, choice), language)
            spellings.setdefault(fold(label), choice)
    for alias, choice in field.aliases.items():
        if choice in field.choices:
            spellings.setdefault(fold(alias), choice)
    return spellings


def _switch_spellings(field: Field) -> dict[str, Value]:
    spellings: dict[str, Value] = {**dict.fromkeys(YES, True), **dict.fromkeys(NO, False)}
    for alias, meant in field.aliases.items():
        if meant in ("true", "false"):
            spellings[fold(alias)] = meant == "true"
        elif meant == field.name:  # "na wynos" in the column "Na wynos"
            spellings.setdefault(fold(alias), True)
    return spellings


def _allowed(field: Field) -> Sentence:
    if field.kind == "choice":
        labels = field.choice_labels
        names = tuple(Sentence(labels[c]) if c in labels else c for c in field.choices)
        return Sentence("{choices}", {"choices": names})
    if field.kind == "switch":
        return Sentence(N_("yes or no (1 or 0)"))
    message = N_("a number from {low} to {high}")
    if field.kind == "integer":
        message = N_("a whole number from {low} to {high}")
    low, high = max(field.low, -LARGEST), min(field.high, LARGEST)
    return Sentence(message, {"low": f"{low:.10g}", "high": f"{high:.10g}"})


# --- Numbers and their units ------------------------------------------------------------

_NUMBER: Final = re.compile(
    r"""(?P<before>[^\W\d_]{1,10}\.?\ ?|[$€£]\ ?)?
        (?P<sign>[+-]?)
        (?P<whole>  [0-9]{1,3}(?:\ [0-9]{3})+           # 1 234 or 1 234,5
                  | [0-9]{1,3}(?:,[0-9]{3})+(?=\.)      # 1,234.5
                  | [0-9]{1,3}(?:\.[0-9]{3})+(?=,)      # 1.234,5
                  | [0-9]{1,3}(?:,[0-9]{3}){2,}         # 1,234,567
                  | [0-9]{1,3}(?:\.[0-9]{3}){2,}        # 1.234.567
                  | [0-9]*)
        (?:(?P<point>[.,])(?P<part>[0-9]+))?
        (?P<power>[eE][+-]?[0-9]{1,3})?
        (?P<after>\ ?[^0-9.,+\-\ ].*)?""",
    re.VERBOSE,
)
# One sign with three digits behind it, and one to three before: 1,000 is one, or a thousand.
_GROUP: Final = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}")
_SIGNS: Final = re.compile(
    r"""(?<![0-9.,])
        (?: [0-9]{1,3} (?: (?P<commas>(?:,[0-9]{3})+\.[0-9]+ | (?:,[0-9]{3}){2,})
                         | (?P<points>(?:\.[0-9]{3})+,[0-9]+ | (?:\.[0-9]{3}){2,}))
          | (?:[0-9]{1,3}(?:\ [0-9]{3})+ | [0-9]*)
            (?: (?P<comma>,(?:[0-9]{1,2} | [0-9]{4,})) | (?P<point>\.(?:[0-9]{1,2} | [0-9]{4,}))))
        (?![0-9.,])
    """,
    re.VERBOSE,
)
"""A number whose decimal sign is beyond doubt: one or two digits behind it, four or more, or both
signs in one number."""


def _plain(text: str) -> str:
    # \s covers the no-break and the narrow space, which separate thousands in Polish.
    return re.sub(r"\s+", " ", text).replace("−", "-").strip()


def _readings(match: re.Match[str], decimal: Decimal) -> tuple[float | None, float | None]:
    """The number with a decimal sign, and with a sign between thousands, as far as it is either."""
    whole, part = match["whole"], match["part"] or ""
    digits = re.sub(r"[ .,]", "", whole)
    if not digits + part:
        return None, None
    small = float(f"{match['sign']}{digits or 0}.{part or 0}{match['power'] or ''}")
    two_ways = len(part) == 3 and re.fullmatch("[1-9][0-9]{0,2}", whole) and match["power"] is None
    if not two_ways:
        return small, None
    large = float(f"{match['sign']}{digits}{part}")
    if decimal:
        return (small, None) if match["point"] == decimal else (None, large)
    return small, large


def _hours(text: str, clock: bool) -> float | None:
    """The hours in 1:30 (where that is a ``clock`` of hours), 1h 50min, 3,25 godz., 110 minutes."""
    if clock and (found := re.fullmatch(r"([0-9]{1,3}):([0-5][0-9]) ?(\D*)", text)):
        return _sum(found[1], found[2]) if _bare(found[3]) in {"", *UNITS["h"]} else None
    found = re.fullmatch(
        r"([0-9]+(?:[.,][0-9]{1,2})?) ?([^\W\d_]+\.?)(?: ?([0-9]{1,2}) ?(\D*))?", text
    )
    if found is None:
        return None
    number, unit, minutes, rest = found.groups()
    if minutes is None:
        value = float(number.replace(",", "."))
        if _bare(unit) in UNITS["min"]:
            return value / 60
        return value if _bare(unit) in UNITS["h"] else None
    if _bare(unit) not in UNITS["h"]:
        return None
    whole = number.isdecimal() and int(minutes) < 60 and _bare(rest) in {"", *UNITS["min"]}
    return _sum(number, minutes) if whole else None


def _sum(hours: str, minutes: str) -> float:
    return int(hours) + int(minutes) / 60


def _bare(unit: str) -> str:
    return fold(unit).rstrip(".").rstrip()


def _units(field: Field) -> frozenset[str]:
    """What may stand after a number of this field: nothing, or its unit in any language."""
    units = {fold(translate(field.unit, language)) if field.unit else "" for language in LANGUAGES}
    return frozenset({""} | units)


def _unit_of(field: Field) -> str:
    """Which of UNITS the field's is; "" for none of them."""
    units = _units(field) - {""}
    return next((name for name, spelled in UNITS.items() if units & spelled), "")


# --- Texts that a spreadsheet would run -------------------------------------------------

# A spreadsheet takes a cell for a formula if it begins with one of these (also full
# width), and may drop a tab or line break before it. A text can begin a cell inside too,
# where a spreadsheet set to another separator than the file's cuts it.
_SIGN: Final = r"[=+\-@＝＋－＠]"
_STARTS: Final = rf"(?=[\s']*{_SIGN}|'*[\t\r\n])"
_STARTS_INSIDE: Final = rf"(?='*{_SIGN})"
_UNGUARDED: Final = re.compile(rf"\A{_STARTS}|(?<=[,;\t\r\n\"]){_STARTS_INSIDE}")
_GUARDED: Final = re.compile(rf"\A'{_STARTS}|(?<=[,;\t\r\n\"])'{_STARTS_INSIDE}")


def guard(text: str) -> str:
    """``text`` with an apostrophe wherever a spreadsheet could see a formula begin."""
    return _UNGUARDED.sub("'", text)


def unguard(text: str) -> str:
    """What :func:`guard` was given."""
    return _GUARDED.sub("", text) if "'" in text else text
