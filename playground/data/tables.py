"""A student's own table: CSV in and out, every cell checked against its field.

Reading is generous about form (separator, decimal comma, encoding, spelling of headings
and choices) and strict about content: a cell is used or reported, never repaired, and
nothing in a cell is ever evaluated.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from playground.data.problems import Problem, Sentence, fold, shown
from playground.errors import PlaygroundError
from playground.fields import Field, FieldError, Value
from playground.i18n import LANGUAGES, N_, translate

__all__ = ["Table", "check_rows", "csv_bytes", "parse", "template", "to_csv"]

MAX_BYTES: Final = 5_000_000
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 100
MAX_CELL: Final = 200
"""Characters in a cell that is used; a longer one is reported as not allowed."""
MAX_LINES: Final = 50
"""Lines that one row may take, by line breaks in quoted cells, before its quote counts as open."""
LARGEST: Final = 1e9
"""No number beyond ±LARGEST is taken, whatever the field says: float32 must stay exact enough."""

SEPARATORS: Final = (",", ";", "\t")
YES: Final = frozenset({"1", "1.0", "true", "yes", "y", "tak", "t", "prawda"})
NO: Final = frozenset({"0", "0.0", "false", "no", "n", "nie", "f", "falsz"})
ZLOTY: Final = frozenset({"zl", "pln", "zloty", "zlote", "zlotych"})
MISSING: Final = frozenset({"None", "nan", "NaT", "<NA>"})
"""How str() writes what Python, NumPy and pandas put in a cell left empty."""


@dataclass(frozen=True)
class Table:
    """What could be read: the rows that can be used, and everything that is wrong.

    ``rows`` map each field's name to a value of the field's type; ``total`` counts the
    rows that were not blank, used or not.
    """

    rows: list[dict[str, Value]]
    problems: list[Problem]
    total: int

    @property
    def summary(self) -> Sentence:
        """One line above the list of problems, which may be long."""
        return Sentence(
            N_("Rows that can be used: {good} of {total}. Problems: {problems}."),
            {"good": len(self.rows), "total": self.total, "problems": len(self.problems)},
        )

    @property
    def by_column(self) -> dict[str, int]:
        """How many problems each column has, the worst column first."""
        return dict(Counter(p.column for p in self.problems if p.column).most_common())


def parse(raw: bytes, fields: Sequence[Field], name: str = "") -> Table:
    """Read the CSV file ``raw`` called ``name``.

    The first row that is not blank must name the columns, in any order: each field by
    its name, its label in any language, or an alias. Comma, semicolon or tab separate
    cells. A lone comma in a number is a decimal comma. If a column is missing or stands
    twice, no row can be used, but all cells that can be checked are.

    Raises:
        PlaygroundError: if the file as a whole is no table: empty, above a limit, not
            text, or without headings. What is wrong inside a table is in
            ``Table.problems``, all of it, in the order of rows and columns.
    """
    name = shown(name) or "CSV"
    lines = list(io.StringIO(_decode(raw, name), newline=""))
    separator = _separator(lines, fields)
    records = _records(lines, separator)
    heading_row, headings = next(records, (1, None))
    if headings is None or not any(_places(headings, fields).values()):
        raise PlaygroundError(
            N_("The first row of {name} must name the columns: {columns}."),
            name=name,
            columns=", ".join(field.name for field in fields),
        )
    if len(headings) > MAX_COLUMNS:
        raise PlaygroundError(
            N_("{name} has {columns} columns; at most {limit} can be read."),
            name=name,
            columns=len(headings),
            limit=MAX_COLUMNS,
        )
    places = _places(headings, fields)
    problems = _heading_problems(headings, places, fields, heading_row)
    whole = all(len(found) == 1 for found in places.values())
    columns = [
        (_Column(field, shown(headings[places[field.name][0]])), places[field.name][0])
        for field in fields
        if places[field.name]
    ]
    rows: list[dict[str, Value]] = []
    total = 0
    for row, cells in records:
        total += 1
        if total > MAX_ROWS:
            raise PlaygroundError(
                N_("{name} has more than {limit} rows."), name=name, limit=MAX_ROWS
            )
        if cells is None:
            problems.append(
                Problem(
                    N_("Row {row}: a quotation mark is not closed, or stands inside a cell."),
                    {"row": row},
                    row,
                )
            )
        elif len(cells) != len(headings):
            problems.append(_ragged(row, len(cells), len(headings), separator))
        else:
            found = _read_row(row, [(column, cells[at]) for column, at in columns], problems)
            if found is not None and whole:
                rows.append(found)
    if total == 0:
        problems.append(
            Problem(N_("{name} has headings, but no rows below them."), {"name": name}, value=name)
        )
    return Table(rows, problems, total)


def check_rows(rows: Sequence[Mapping[str, object]], fields: Sequence[Field]) -> Table:
    """The same checks for rows edited in the page; the first row is row 1.

    Each row maps fields' names to whatever an editor leaves in a cell: a number of any
    type, a text, None or NaN. Rows left empty are skipped, keys that name no field ignored.

    Raises:
        PlaygroundError: if there are more than ``MAX_ROWS`` rows.
    """
    if len(rows) > MAX_ROWS:
        raise PlaygroundError(N_("The table has more than {limit} rows."), limit=MAX_ROWS)
    columns = [_Column(field, Sentence(field.label)) for field in fields]
    good: list[dict[str, Value]] = []
    problems: list[Problem] = []
    total = 0
    for number, row in enumerate(rows, start=1):
        cells = [(column, _cell_text(row.get(column.field.name))) for column in columns]
        if not any(text.strip() for _, text in cells):
            continue
        total += 1
        found = _read_row(number, cells, problems)
        if found is not None:
            good.append(found)
    return Table(good, problems, total)


def to_csv(
    rows: Sequence[Mapping[str, object]], fields: Sequence[Field], decimal_comma: bool = False
) -> str:
    """``rows`` as CSV text with the fields' names as headings; :func:`parse` reads it back.

    ``decimal_comma`` is what a Polish spreadsheet expects: 12,5 and semicolons between
    cells. A switch is 0 or 1. Text that a spreadsheet would run as a formula gets an
    apostrophe before it; numbers stay numbers, negative ones too.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if decimal_comma else ",")
    writer.writerow(_guard(field.name) for field in fields)
    for row in rows:
        writer.writerow(_written(row.get(field.name), decimal_comma) for field in fields)
    return out.getvalue()


def csv_bytes(text: str) -> bytes:
    """``text`` for a download: UTF-8 with the byte-order mark that Excel needs for ą and ł."""
    return text.encode("utf-8-sig", errors="replace")


def template(fields: Sequence[Field], decimal_comma: bool = False) -> str:
    """A CSV to fill in: the headings and one example row, made of the fields' defaults."""
    return to_csv([{field.name: field.default for field in fields}], fields, decimal_comma)


# --- From bytes to rows of text ---------------------------------------------------------


def _decode(raw: bytes, name: str) -> str:
    """The file's text, whatever encoding it was saved in.

    UTF-8 is told from Windows-1250 by its own rules, which other text all but never
    meets by chance. UTF-16 without a mark is told by the zero byte of each ASCII letter.
    """
    if len(raw) > MAX_BYTES:
        raise PlaygroundError(
            N_("{name} is larger than {limit} MB."), name=name, limit=f"{MAX_BYTES / 1e6:g}"
        )
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise PlaygroundError(
            N_("{name} is not a CSV file but a spreadsheet or an archive. Save it as CSV first."),
            name=name,
        )
    head = raw[:1000]
    half = len(head) // 2
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw.decode("utf-16", errors="replace")
    elif half and head[1::2].count(0) > 0.7 * half:
        text = raw.decode("utf-16-le", errors="replace")
    elif half and head[0::2].count(0) > 0.7 * half:
        text = raw.decode("utf-16-be", errors="replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("cp1250", errors="replace")
    if not text.strip():
        raise PlaygroundError(N_("{name} is empty."), name=name)
    start = text[:10_000]
    strange = sum((c < " " and c not in "\t\r\n") or c == "\ufffd" for c in start)
    if strange > max(5, 0.05 * len(start)):
        raise PlaygroundError(N_("{name} is not a text file."), name=name)
    return text


def _separator(lines: list[str], fields: Sequence[Field]) -> str:
    """The separator that finds most headings and then most rows of the headings' length.

    An Excel file may say it in a first line ``sep=;``, which is taken out of ``lines``.
    """
    said = re.fullmatch(r'"?sep=([,;\t])"?\s*', lines[0], re.IGNORECASE)
    if said:
        del lines[0]
        return said[1]

    def fits(separator: str) -> tuple[int, int]:
        rows = [cells for _, cells in _records(lines[:50], separator) if cells is not None]
        if not rows:
            return 0, 0
        known = sum(map(bool, _places(rows[0], fields).values()))
        return known, sum(len(row) == len(rows[0]) for row in rows)

    return max(SEPARATORS, key=fits)


def _records(lines: list[str], separator: str) -> Iterator[tuple[int, list[str] | None]]:
    """(row number, cells) of each row that is not blank; None for cells if quotes are broken.

    Rows are numbered as a spreadsheet shows them: blank ones count, and a row whose
    quoted cells hold line breaks counts once. After broken quotes reading goes on in
    the next line. All rows have at least as many cells as the first, if the rest of the
    first, and of them, is empty: spreadsheets leave separators behind.
    """
    at = row = width = 0
    while at < len(lines):
        row += 1
        if not lines[at].strip(" \t\r\n\xa0,;"):
            at += 1
            continue
        reader = csv.reader(
            lines[at : at + MAX_LINES], delimiter=separator, skipinitialspace=True, strict=True
        )
        try:
            cells = next(reader)
        except csv.Error:
            at += 1
            yield row, None
            continue
        at += reader.line_num
        while len(cells) > width and not cells[-1].strip():
            del cells[-1]
        if not any(cell.strip() for cell in cells):
            continue
        width = width or len(cells)
        yield row, cells


# --- Headings ---------------------------------------------------------------------------


def _places(headings: Sequence[str], fields: Sequence[Field]) -> dict[str, list[int]]:
    """For each field's name the positions of the headings that mean it."""
    meaning: dict[str, str] = {}
    for field in fields:
        meaning.setdefault(fold(field.name), field.name)
    for field in fields:
        for language in LANGUAGES:
            meaning.setdefault(fold(translate(field.label, language)), field.name)
        for alias, meant in field.aliases.items():
            if meant == field.name:
                meaning.setdefault(fold(alias), field.name)
    meaning.pop("", None)
    places: dict[str, list[int]] = {field.name: [] for field in fields}
    for at, heading in enumerate(headings[: MAX_COLUMNS + 1]):
        text = _unguard(heading[:MAX_CELL])
        # "Price (zł)" means price.
        bare = re.sub(r"[(\[][^()\[\]]*[)\]]", " ", text)
        name = meaning.get(fold(text)) or meaning.get(fold(bare))
        if name is not None:
            places[name].append(at)
    return places


def _heading_problems(
    headings: Sequence[str], places: Mapping[str, list[int]], fields: Sequence[Field], row: int
) -> list[Problem]:
    names = ", ".join(field.name for field in fields)
    problems = []
    for name, found in places.items():
        if not found:
            message = N_("Column {column} is missing. Needed are: {columns}.")
            problems.append(Problem(message, {"column": name, "columns": names}, row, name))
        elif len(found) > 1:
            twice = ", ".join(shown(headings[at]) for at in found)
            message = N_("Column {column} stands there more than once: {headings}. Keep one.")
            problems.append(Problem(message, {"column": name, "headings": twice}, row, name))
    known = {at for found in places.values() for at in found}
    for at, heading in enumerate(headings):
        if at not in known:
            label = shown(heading.strip()) or f"#{at + 1}"
            message = N_("Column {column} is not used. Used are: {columns}.")
            problems.append(Problem(message, {"column": label, "columns": names}, row, label))
    return problems


def _ragged(row: int, cells: int, width: int, separator: str) -> Problem:
    message = N_("Row {row} has {cells} cells, but there are {columns} headings.")
    if cells > width and separator == ",":
        message = N_(
            "Row {row} has {cells} cells, but there are {columns} headings. "
            "If numbers have a decimal comma, separate the cells by semicolons."
        )
    return Problem(message, {"row": row, "cells": cells, "columns": width}, row)


# --- Cells ------------------------------------------------------------------------------


class _Column:
    """One field's column: how its cells are read, and what is said of a wrong one."""

    def __init__(self, field: Field, title: str | Sentence) -> None:
        if field.kind == "integers":
            raise ValueError(f"{field.name}: a table's cell holds one value")
        self.field = field
        self.title = title
        self.units = _units(field)
        self.spellings: dict[str, Value] = {}
        if field.kind == "choice":
            self.spellings = _choice_spellings(field)
        elif field.kind == "switch":
            self.spellings = _switch_spellings(field)
        self.allowed = _allowed(field)

    def read(self, text: str) -> Value | None:
        """The cell's value, or None if the field does not allow it."""
        text = _unguard(text.strip())
        if len(text) > MAX_CELL:
            return None
        if self.spellings:
            exact = self.spellings.get(text)
            return self.spellings.get(fold(text)) if exact is None else exact
        value = _number(text, self.units)
        if value is None or abs(value) > LARGEST:
            return None
        try:
            return self.field.check(value)
        except FieldError:
            return None

    def problem(self, row: int, text: str) -> Problem:
        """The sentence about the cell ``text``, which :meth:`read` refused."""
        value = shown(text.strip())
        message = N_("Row {row}, column {column}: “{value}” is not allowed. Allowed: {allowed}.")
        if not value:
            message = N_("Row {row}, column {column}: the cell is empty. Allowed: {allowed}.")
        values = {"row": row, "column": self.title, "value": value, "allowed": self.allowed}
        return Problem(message, values, row, self.field.name, value)


def _read_row(
    row: int, cells: Sequence[tuple[_Column, str]], problems: list[Problem]
) -> dict[str, Value] | None:
    """The row's values if all its cells are allowed; else None, and ``problems`` grows."""
    values: dict[str, Value] = {}
    for column, text in cells:
        value = column.read(text)
        if value is None:
            problems.append(column.problem(row, text))
        else:
            values[column.field.name] = value
    return values if len(values) == len(cells) else None


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


def _units(field: Field) -> frozenset[str]:
    """What may stand after a number of this field: nothing, or its unit in any language."""
    units = {fold(translate(field.unit, language)) if field.unit else "" for language in LANGUAGES}
    return frozenset({""} | units | (ZLOTY if units & ZLOTY else frozenset()))


_NUMBER: Final = re.compile(
    r"""(?P<sign>[+-]?)
        (?P<whole>  [0-9]{1,3}(?:\ [0-9]{3})+           # 1 234 or 1 234,5
                  | [0-9]{1,3}(?:,[0-9]{3})+(?=\.)      # 1,234.5
                  | [0-9]{1,3}(?:\.[0-9]{3})+(?=,)      # 1.234,5
                  | [0-9]*)
        (?:[.,](?P<part>[0-9]+))?
        (?P<power>[eE][+-]?[0-9]{1,3})?
        \ ?(?P<unit>[^0-9.,+-].*)?""",
    re.VERBOSE,
)


def _number(text: str, units: frozenset[str]) -> float | None:
    """The number that ``text`` writes, with decimal point or comma and one of ``units``."""
    # \s covers the no-break and the narrow space, which separate thousands in Polish.
    match = _NUMBER.fullmatch(re.sub(r"\s", " ", text).replace("−", "-"))
    if match is None or fold(match["unit"] or "") not in units:
        return None
    whole, part = re.sub(r"[ .,]", "", match["whole"]), match["part"] or ""
    if not whole + part:
        return None
    return float(f"{match['sign']}{whole or 0}.{part or 0}{match['power'] or ''}")


def _cell_text(value: object) -> str:
    """A cell of an editor as text; empty where nothing was entered."""
    if isinstance(value, str):
        return value
    text = str(value)
    return "" if text in MISSING else text


# --- Writing ----------------------------------------------------------------------------

# A spreadsheet takes a cell for a formula if it begins with one of these (also full
# width), and may drop a tab or line break before it. A text can begin a cell inside too,
# where a spreadsheet set to another separator than the file's cuts it.
_SIGN: Final = r"[=+\-@＝＋－＠]"
_STARTS: Final = rf"(?=[\s']*{_SIGN}|'*[\t\r\n])"
_STARTS_INSIDE: Final = rf"(?='*{_SIGN})"
_UNGUARDED: Final = re.compile(rf"\A{_STARTS}|(?<=[,;\t\r\n\"]){_STARTS_INSIDE}")
_GUARDED: Final = re.compile(rf"\A'{_STARTS}|(?<=[,;\t\r\n\"])'{_STARTS_INSIDE}")


def _guard(text: str) -> str:
    """``text`` with an apostrophe wherever a spreadsheet could see a formula begin."""
    return _UNGUARDED.sub("'", text)


def _unguard(text: str) -> str:
    """What :func:`_guard` was given."""
    return _GUARDED.sub("", text) if "'" in text else text


def _written(value: object, decimal_comma: bool) -> str:
    if value is None:
        return ""
    if hasattr(value, "item"):  # a NumPy or torch number
        value = value.item()
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float):
        return str(value).replace(".", ",") if decimal_comma else str(value)
    return _guard(str(value))
