"""A student's own table: CSV in and out, every cell checked against its field.

Reading is generous about form (separator, decimal comma, encoding, spelling of headings
and choices) and strict about content: a cell is used or reported, never repaired, and
nothing in a cell is ever evaluated.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Final, cast

from playground.data.cells import (
    MAX_CELL,
    Column,
    Decimal,
    cell_text,
    certain,
    decimal_sign,
    guard,
    read_row,
    unguard,
)
from playground.data.messages import Problem, Sentence, Translate, fold, shown
from playground.errors import PlaygroundError
from playground.fields import Field, Value
from playground.i18n import LANGUAGES, N_, translate

__all__ = ["Table", "check_rows", "csv_bytes", "parse", "template", "to_csv"]

MAX_BYTES: Final = 5_000_000
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 100
MAX_LINES: Final = 50
"""Lines that one row may take, by line breaks in quoted cells, before its quote counts as open."""

SEPARATORS: Final = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Table:
    """What could be read: the rows that can be used, and everything that is wrong.

    ``rows`` map each field's name to a value of the field's type; ``total`` counts the
    rows that were not blank, used or not.
    """

    rows: list[dict[str, Value]]
    problems: list[Problem]
    total: int


def parse(raw: bytes, fields: Sequence[Field], name: str = "", most: float = math.inf) -> Table:
    """Read the CSV file ``raw`` called ``name``.

    The first row that is not blank must name the columns, in any order: each field by
    its name, its label in any language, or an alias. Comma, semicolon, tab or bar separate
    cells. Whether 1,000 is one or a thousand is settled by the other cells, or said. If a
    column is missing or stands twice, no row can be used, but all cells that can be checked
    are. ``most``: what the numbers of a row may add up to.

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
    names = _headings(fields)
    if headings is None or not any(_places(headings, fields).values()):
        if headings is None:
            raise PlaygroundError(
                N_("The first row of {name} must name the columns: {columns}."),
                name=name,
                columns=names,
            )
        raise PlaygroundError(
            N_("The first row of {name} must name the columns: {columns}. It says: {found}."),
            name=name,
            columns=names,
            found=shown(" | ".join(headings), 200),
        )
    if len(headings) > MAX_COLUMNS:
        raise PlaygroundError(
            N_("{name} has {columns} columns; at most {limit} can be read."),
            name=name,
            columns=len(headings),
            limit=MAX_COLUMNS,
        )
    body = list(islice(records, MAX_ROWS + 1))
    if len(body) > MAX_ROWS:
        raise PlaygroundError(
            N_("{name} has more than {limit} rows. Delete the others, then choose it again."),
            name=name,
            limit=MAX_ROWS,
        )
    places = _places(headings, fields)
    problems = _heading_problems(headings, places, fields, heading_row)
    whole = all(len(found) == 1 for found in places.values())
    columns = [
        (Column(field, shown(headings[places[field.name][0]])), places[field.name][0])
        for field in fields
        if places[field.name]
    ]
    decimal = _decimal(columns, (cells for _row, cells in body if cells is not None))
    rows: list[dict[str, Value]] = []
    for row, cells in body:
        if cells is None:
            problems.append(
                Problem(
                    N_("Row {row}: a quotation mark is not closed, or appears inside a cell."),
                    {"row": row},
                    row,
                )
            )
        elif len(cells) != len(headings):
            problems.append(_ragged(row, len(cells), len(headings), separator))
        else:
            read = [(column, cells[at]) for column, at in columns]
            found = _checked(row, read, problems, decimal, most)
            if found is not None and whole:
                rows.append(found)
    if not body:
        problems.append(
            Problem(N_("{name} has headings, but no rows below them."), {"name": name}, value=name)
        )
    return Table(rows, problems, len(body))


def check_rows(
    rows: Sequence[Mapping[str, object]], fields: Sequence[Field], most: float = math.inf
) -> Table:
    """The same checks for rows edited in the page; the first row is row 1.

    Each row maps fields' names to whatever an editor leaves in a cell: a number of any
    type, a text, None or NaN. Rows left empty are skipped, keys that name no field ignored.

    Raises:
        PlaygroundError: if there are more than ``MAX_ROWS`` rows.
    """
    check_count(len(rows))
    columns = [Column(field, Sentence(field.label)) for field in fields]
    texts = [[cell_text(row.get(column.field.name)) for column in columns] for row in rows]
    decimal = _decimal([(column, at) for at, column in enumerate(columns)], texts)
    good: list[dict[str, Value]] = []
    problems: list[Problem] = []
    total = 0
    for number, cells in enumerate(texts, start=1):
        if not any(text.strip() for text in cells):
            continue
        total += 1
        read = list(zip(columns, cells, strict=True))
        found = _checked(number, read, problems, decimal, most)
        if found is not None:
            good.append(found)
    return Table(good, problems, total)


def check_count(count: int) -> None:
    """Refuse more rows than a table may have, before anything is done with them.

    Raises:
        PlaygroundError: naming the limit.
    """
    if count > MAX_ROWS:
        raise PlaygroundError(N_("The table has more than {limit} rows."), limit=MAX_ROWS)


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
    writer.writerow(guard(field.name) for field in fields)
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

    UTF-8 is told by its own rules, which other text all but never meets by chance, UTF-16
    without a mark by the zero byte of each ASCII letter, and the older ones of Central Europe
    by what makes words.
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
            text = raw.decode(_encoding(raw), errors="replace")
    if not text.strip():
        raise PlaygroundError(N_("{name} is empty."), name=name)
    start = text[:10_000]
    strange = sum((c < " " and c not in "\t\r\n") or c == "\ufffd" for c in start)
    if strange > max(5, 0.05 * len(start)):
        raise PlaygroundError(N_("{name} is not a text file."), name=name)
    return text


# What Excel and LibreOffice call Windows, ISO-8859-2, MS-DOS and Macintosh; UTF-8 with a byte
# that is none, so that one cell is unreadable and not all; the likeliest first.
ENCODINGS: Final = ("cp1250", "utf-8-sig", "iso8859_2", "cp852", "mac_latin2")
LETTERS: Final = frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻ")
MARKS: Final = frozenset("“”„’‘–—…°€£²³×−✓✔☑✗✘☐\xa0\u202f")


def _encoding(raw: bytes) -> str:
    """Which of ENCODINGS makes Polish words of the lines that are not ASCII."""
    lines = re.finditer(rb"[^\r\n]*[\x80-\xff][^\r\n]*", raw)
    sample = b"\n".join(line[0][:1000] for line in islice(lines, 300))

    def words(encoding: str) -> int:
        score = 0
        text = sample.decode(encoding, errors="replace")
        for before, letter in pairwise("\n" + text):
            if letter.isascii() or letter in MARKS:
                continue
            broken = letter.isupper() and before.islower()  # piĄtek
            score += 1 if letter in LETTERS and not broken else -1
        return score

    return max(ENCODINGS, key=words)


def _separator(lines: list[str], fields: Sequence[Field]) -> str:
    """The separator that finds most headings and then most rows of the headings' length.

    An Excel file may say it in a first line ``sep=;``, which is taken out of ``lines``.
    """
    said = re.fullmatch(r'"?sep=([,;\t|])"?\s*', lines[0], re.IGNORECASE)
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
        if not lines[at].strip(" \t\r\n\xa0,;|"):
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


@dataclass(frozen=True)
class _Heading(Sentence):
    """A column in a sentence: in English by its name, as in a template; else by its label."""

    name: str = ""

    def text(self, translate: Translate = str) -> str:
        words = translate(self.message)
        return self.name if words == self.message else words


def _heading(field: Field) -> _Heading:
    return _Heading(field.label, name=field.name)


def _headings(fields: Sequence[Field]) -> Sentence:
    return Sentence("{names}", {"names": tuple(map(_heading, fields))})


def _meaning(fields: Sequence[Field]) -> dict[str, str]:
    """What each heading means, as it is folded: by name, by label in any language, by alias."""
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
    return meaning


def _forms(heading: str) -> list[str]:
    """A heading, folded, as it stands and without what is in brackets: "Price (zł)" means price."""
    text = unguard(heading[:MAX_CELL])
    bare = re.sub(r"[(\[][^()\[\]]*[)\]]", " ", text)
    return [fold(text), *(fold(form).rstrip(" ?!:.*") for form in (text, bare))]


def _places(headings: Sequence[str], fields: Sequence[Field]) -> dict[str, list[int]]:
    """For each field's name the positions of the headings that mean it."""
    meaning = _meaning(fields)
    units = {field.name: Column(field, "").units for field in fields}
    places: dict[str, list[int]] = {field.name: [] for field in fields}
    for at, heading in enumerate(headings[: MAX_COLUMNS + 1]):
        for form in _forms(heading):
            head, _space, last = form.rpartition(" ")
            name = meaning.get(form)
            if name is None and last in units.get(meaning.get(head, ""), ()):  # "price PLN"
                name = meaning[head]
            if name is not None:
                places[name].append(at)
                break
    return places


def _heading_problems(
    headings: Sequence[str], places: Mapping[str, list[int]], fields: Sequence[Field], row: int
) -> list[Problem]:
    names = _headings(fields)
    known = {at for found in places.values() for at in found}
    free = [heading for at, heading in enumerate(headings) if at not in known]
    meaning = _meaning(fields)
    problems = []
    for field in fields:
        name, found = field.name, places[field.name]
        values: dict[str, object] = {"column": _heading(field), "columns": names}
        if not found:
            message = N_("Column {column} is missing. Required columns: {columns}.")
            nearest = _nearest([form for form, meant in meaning.items() if meant == name], free)
            if nearest is not None:
                message = N_(
                    "Column {column} is missing. Did you mean “{heading}”? Then call that column "
                    "{column}. Required columns: {columns}."
                )
                values["heading"] = shown(nearest.strip())
            problems.append(Problem(message, values, row, name))
        elif len(found) > 1:
            twice = ", ".join(shown(headings[at]) for at in found)
            message = N_("Column {column} appears more than once: {headings}. Keep one.")
            problems.append(Problem(message, {**values, "headings": twice}, row, name))
    for at, heading in enumerate(headings):
        if at not in known:
            label = shown(heading.strip()) or f"#{at + 1}"
            message = N_("Column {column} is not used. Columns used: {columns}.")
            values = {"column": label, "columns": names}
            problems.append(Problem(message, values, row, label, note=True))
    return problems


def _nearest(forms: Sequence[str], headings: Sequence[str]) -> str | None:
    """Which of ``headings`` is most like one of ``forms``, or has a word of it, if any is."""
    best, found = 0.65, None
    for heading in headings:
        folded = _forms(heading)[-1]
        for form in forms:
            share = difflib.SequenceMatcher(None, folded, form).ratio()
            if len(form) > 2 and set(form.split()) <= set(folded.split()):
                share = max(share, 0.9)
            if share > best:
                best, found = share, heading
    return found


def _ragged(row: int, cells: int, width: int, separator: str) -> Problem:
    message = N_("Row {row} has {cells} cells, but there are {columns} headings.")
    if cells > width and separator == ",":
        message = N_(
            "Row {row} has {cells} cells, but there are {columns} headings. "
            "If numbers have a decimal comma, separate the cells by semicolons."
        )
    return Problem(message, {"row": row, "cells": cells, "columns": width}, row)


# --- Rows ---------------------------------------------------------------------------------


def _decimal(columns: Sequence[tuple[Column, int]], rows: Iterable[Sequence[str]]) -> Decimal:
    """The decimal sign that the cells of the columns of numbers settle."""
    places = [at for column, at in columns if column.numeric]
    return decimal_sign(cells[at] for cells in rows for at in places if at < len(cells))


def _checked(
    row: int,
    cells: Sequence[tuple[Column, str]],
    problems: list[Problem],
    decimal: Decimal,
    most: float,
) -> dict[str, Value] | None:
    """The row's values if its cells, and their sum, are allowed; else ``problems`` grows."""
    found = read_row(row, cells, problems, decimal)
    if found is None or most == math.inf:
        return found
    numbers = [column.field for column, _text in cells if column.numeric]
    total = sum(float(cast(float, found[field.name])) for field in numbers)
    if total <= most + 1e-6:
        return found
    message = N_("Row {row}: the numbers add up to {total} {unit}. At most {most} is possible.")
    values = {
        "row": row,
        "total": f"{total:.10g}",
        "unit": Sentence(numbers[0].unit) if numbers[0].unit else "",
        "most": f"{most:.10g}",
    }
    problems.append(Problem(message, values, row, value=f"{total:.10g}"))
    return None


# --- Writing ----------------------------------------------------------------------------


def _written(value: object, decimal_comma: bool) -> str:
    if value is None:
        return ""
    if hasattr(value, "item"):  # a NumPy or torch number
        value = value.item()
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float):
        text = certain(str(value))
        return text.replace(".", ",") if decimal_comma else text
    return guard(str(value))
