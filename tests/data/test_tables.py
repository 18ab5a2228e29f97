from __future__ import annotations

import csv
import io
import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.data import cells, tables
from playground.data.messages import Sentence, fold, shown
from playground.data.tables import check_rows, csv_bytes, parse, template, to_csv
from playground.errors import PlaygroundError
from playground.fields import Field

SIZE = Field(
    name="size",
    kind="choice",
    default="medium",
    label="Cup size",
    choices=("small", "medium", "large"),
    choice_labels={"small": "Small cup"},
    aliases={"rozmiar": "size", "mała": "small", "średnia": "medium", "duża": "large"},
)
EXTRAS = Field(
    name="extras", kind="integer", default=0, label="Extras", low=0, high=3,
    aliases={"dodatki": "extras"},
)  # fmt: skip
TAKEAWAY = Field(
    name="takeaway", kind="switch", default=False, label="Takeaway",
    aliases={"na wynos": "takeaway", "mit": "true"},
)  # fmt: skip
PRICE = Field(
    name="price", kind="number", default=12.5, label="Price", low=0, high=2000, unit="zł",
    aliases={"cena": "price"},
)  # fmt: skip
COFFEE = (SIZE, EXTRAS, TAKEAWAY, PRICE)
ROW = {"size": "small", "extras": 2, "takeaway": True, "price": 12.5}


def one(text: str, fields=COFFEE) -> dict:
    """The row of a file that holds one good row and no problem."""
    table = parse(text.encode(), fields)
    assert table.problems == []
    assert len(table.rows) == 1
    return table.rows[0]


def price(cell: str):
    """What a price cell is read as; None if it is refused."""
    table = parse(f"price\n{cell}\n".encode(), [PRICE])
    assert len(table.rows) + len(table.problems) == 1
    return table.rows[0]["price"] if table.rows else None


@pytest.mark.parametrize(
    "text",
    [
        "size,extras,takeaway,price\nsmall,2,1,12.50\n",
        "size;extras;takeaway;price\nsmall;2;1;12,50\n",
        "size\textras\ttakeaway\tprice\nsmall\t2\t1\t12,50",
        'size,extras,takeaway,price\r\nsmall,2,1,"12,50"\r\n',
        "size,extras,takeaway,price\rsmall,2,1,12.50\r",
        "sep=;\nsize;extras;takeaway;price\nsmall;2;1;12,50\n",
        "\n\nprice;takeaway;extras;size\n\n12,50 zł;tak;2;mała\n;;;\n\n",
        "Rozmiar; Dodatki ;NA WYNOS;Cena (zł)\nMALA;2;Prawda;12,50\n",
        '"Cup size","extras","takeaway","price"\n"Small Cup", "2", "yes", "12.50 PLN"\n',
        "size,extras,takeaway,price,,\nsmall,2,mit,12.5,,\n",
        "size;extras;takeaway;price;\nsmall;2;true;12,5\n",
    ],
)
def test_forms_of_the_same_row(text: str) -> None:
    assert one(text) == ROW


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "cp1250", "utf-16", "utf-16-le", "utf-16-be"],
)
def test_encodings(encoding: str) -> None:
    raw = "rozmiar;dodatki;takeaway;cena\nśrednia;1;nie;9,99 zł\nduża;0;tak;7\n".encode(encoding)
    table = parse(raw, COFFEE)
    assert table.problems == []
    assert [row["size"] for row in table.rows] == ["medium", "large"]
    assert table.rows[0]["price"] == pytest.approx(9.99)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12,50", 12.5),
        ("12.50", 12.5),
        ("12,50 zł", 12.5),
        ("12,50zl", 12.5),
        ("PLN", None),
        ("1 234,5", 1234.5),
        ("1\u00a0234,5 zł", 1234.5),
        ("1\u202f234", 1234),
        ("1.234,5", 1234.5),
        ('"1,234.5"', 1234.5),
        (",5", 0.5),
        ("1e3", 1000),
        ("+7", 7),
        ("−0", 0),
        ("-1", None),
        ("2001", None),
        ("12 50", None),
        ("1 23,5", None),
        ("1,2,3", None),
        ("12 h", None),
        ("=1+1", None),
        ("=12.5", None),
        ("01.05.2024", None),
        ("2024-05-01", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("0x10", None),
        ("1_000", None),
        ("١٢", None),
        ("12\x00", None),
        ("true", None),
        ("9" * 5000, None),
        ("0" * 300, None),
    ],
)
def test_numbers(cell: str, value: float | None) -> None:
    assert price(cell) == value


def test_all_problems_are_reported_and_good_rows_used() -> None:
    table = parse(
        b"size;extras;takeaway;price\n"
        b"huge;7;maybe;free\n"  # four wrong cells
        b"small;2;1;12,50\n"
        b"\n"
        b"small;2;1\n"  # ragged
        b"small;;1;1,5\n"  # an empty cell
        b"large;1,5;0;=A1\n",
        COFFEE,
    )
    assert table.rows == [ROW]
    assert [(p.row, p.column, p.value) for p in table.problems] == [
        (2, "size", "huge"),
        (2, "extras", "7"),
        (2, "takeaway", "maybe"),
        (2, "price", "free"),
        (5, "", ""),
        (6, "extras", ""),
        (7, "extras", "1,5"),
        (7, "price", "=A1"),
    ]
    assert [p.text() for p in table.problems[:2]] == [
        "Row 2, column size: “huge” is not allowed. Allowed: Small cup, medium, large.",
        "Row 2, column extras: “7” is not allowed. Allowed: a whole number from 0 to 3.",
    ]
    assert table.problems[4].text() == "Row 5 has 3 cells, but there are 4 headings."
    assert "empty" in table.problems[5].text()
    assert (len(table.rows), table.total) == (1, 5)
    assert sum(not problem.note for problem in table.problems) == 8
    columns = [problem.column for problem in table.problems if problem.column]
    assert Counter(columns) == {"extras": 3, "price": 2, "size": 1, "takeaway": 1}


def test_problem_speaks_the_readers_language() -> None:
    polish = {
        "Row {row}, column {column}: “{value}” is not allowed. Allowed: {allowed}.": (
            "Wiersz {row}, kolumna {column}: wartość „{value}” jest niedozwolona. "
            "Dozwolone: {allowed}."
        ),
        "Small cup": "Mały kubek",
    }
    problem = parse(b"rozmiar\nhuge\n", [SIZE]).problems[0]
    assert problem.text(lambda message: polish.get(message, message)) == (
        "Wiersz 2, kolumna rozmiar: wartość „huge” jest niedozwolona. "
        "Dozwolone: Mały kubek, medium, large."
    )


def test_missing_extra_and_duplicate_columns() -> None:
    table = parse(b"size,rozmiar,colour,,price\nsmall,small,red,1,5\nsmall,small,red,1,x\n", COFFEE)
    assert table.rows == []
    assert table.total == 2
    texts = [p.text() for p in table.problems]
    assert texts[0].startswith("Column size appears more than once: size, rozmiar.")
    assert texts[1].startswith("Column extras is missing.")
    assert texts[2].startswith("Column takeaway is missing.")
    assert texts[3].startswith("Column colour is not used.")
    assert texts[4].startswith("Column #4 is not used.")
    assert texts[5].startswith("Row 3, column price: “x”")
    assert len(texts) == 6


def test_an_extra_column_does_not_hinder() -> None:
    table = parse(b'note,price\n"a, b\nand a line",3\nx,4\n', [PRICE])
    assert [row["price"] for row in table.rows] == [3, 4]
    assert [p.column for p in table.problems] == ["note"]


def test_decimal_commas_between_commas_get_a_hint() -> None:
    table = parse(b"extras,price\n1,12,50\n2,3\n", [EXTRAS, PRICE])
    assert len(table.rows) == 1
    assert "semicolons" in table.problems[0].text()


@pytest.mark.parametrize(
    ("text", "bad_rows", "good"),
    [
        ('extras,price\n1,2\n"1,2\n1,3\n1,4\n', [3], 3),
        ('extras,price\n"1"x,2\n1,3\n', [2], 1),
        ('extras,price\n1,"2\n1,"3\n1,4', [2, 3], 1),
        ('extras,price\n1,2\n"', [3], 1),
    ],
)
def test_broken_quotes_cost_their_own_row_only(text: str, bad_rows: list[int], good: int) -> None:
    table = parse(text.encode(), [EXTRAS, PRICE])
    assert [p.row for p in table.problems] == bad_rows
    assert "quotation mark" in table.problems[0].text()
    assert len(table.rows) == good


def test_quotes_that_swallow_each_other_stay_cheap() -> None:
    # Each row opens a quote that all later rows keep open: n * n without MAX_LINES.
    table = parse(b"extras,price\n" + b'x","\n' * 15_000, [EXTRAS, PRICE])
    assert len(table.problems) == 15_000


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b" \r\n\n  ", "is empty"),
        (b"\x00" * 50, "is not a text file"),
        (bytes(range(256)) * 4, "is not a text file"),
        (b"PK\x03\x04....", "Save it as CSV"),
        (b"small,2,1,12.50\n", "must name the columns: size, extras, takeaway, price"),
        (b'"size,extras\n', "must name the columns"),
        (b",;,;\n", "must name the columns"),
        (b"sep=;\n", "must name the columns"),
        (b"size," * 200, "at most 100"),
        (b"price\n" + b"1\n" * (tables.MAX_ROWS + 1), "more than 20000 rows"),
        (b"price\n" + b" " * tables.MAX_BYTES, "larger than 5 MB"),
    ],
)
def test_files_refused_as_a_whole(raw: bytes, words: str) -> None:
    with pytest.raises(PlaygroundError, match=words) as caught:
        parse(raw, COFFEE, "café.csv")
    assert "café.csv" in str(caught.value)


def test_headings_without_rows() -> None:
    table = parse(b"price\n\n", [PRICE], "mine.csv")
    assert [p.text() for p in table.problems] == ["mine.csv has headings, but no rows below them."]


def test_ten_thousand_rows_with_a_thousand_bad_cells() -> None:
    good = "small;2;1;12,50\n"
    bad = "small;2;1;12,50 euro\n"
    raw = "size;extras;takeaway;price\n" + (good * 9 + bad) * 1000
    table = parse(raw.encode(), COFFEE)
    assert len(table.rows) == 9_000
    assert [p.row for p in table.problems] == list(range(11, 10_002, 10))


def test_every_cell_may_be_wrong() -> None:
    table = parse(b"price\n" + b"=1\n" * tables.MAX_ROWS, [PRICE])
    assert table.rows == []
    assert len(table.problems) == tables.MAX_ROWS


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for data in (raw, b"size,extras,takeaway,price\n" + raw, "\ufeffcena;x\n".encode() + raw):
        try:
            table = parse(data, COFFEE, "x")
        except PlaygroundError:
            continue
        rows = [p.row for p in table.problems if p.row is not None]
        assert all(a <= b for a, b in pairwise(rows))
        assert all(p.text() for p in table.problems)
        for row in table.rows:
            assert all(field.check(row[field.name]) == row[field.name] for field in COFFEE)


CSV_LIKE = st.text(st.sampled_from("\",;\t\r\n\x00 =-+'0123.eEłzsmall") | st.characters())


@given(CSV_LIKE)
@settings(max_examples=100, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    raw = ("size,price\n" + text).encode("utf-8", errors="surrogatepass")
    try:
        table = parse(raw, [SIZE, PRICE])
    except PlaygroundError:  # so many control characters that it counts as no text
        return
    assert table.total >= len(table.rows)


NUMBER = Field("n", "number", 0.0, "N", low=-1e6, high=1e6)
WHOLE = Field("w", "integer", 0, "W", low=-1000, high=1000)
ODD = Field(
    "=k", "choice", "a", "K",
    choices=("a", "=1+1", "'=x", "@b;=c", "\t-d", "e\n+f", '"g"', "'h", "i,'=j", "-", "sci-fi"),
)  # fmt: skip
rows_of_all_kinds = st.lists(
    st.fixed_dictionaries(
        {
            "n": st.floats(-1e6, 1e6),
            "w": st.integers(-1000, 1000),
            "=k": st.sampled_from(ODD.choices),
            "takeaway": st.booleans(),
        }
    ),
    min_size=1,
    max_size=8,
)


@given(rows_of_all_kinds, st.booleans())
@settings(deadline=None)
def test_round_trip(rows: list[dict], decimal_comma: bool) -> None:
    fields = [NUMBER, WHOLE, ODD, TAKEAWAY]
    table = parse(csv_bytes(to_csv(rows, fields, decimal_comma)), fields)
    assert table.problems == []
    assert table.rows == rows


@given(st.text(st.sampled_from("=+-@'\t\r\n,;\" aż＝") | st.characters(codec="utf-8")))
@settings(max_examples=100, deadline=None)
def test_no_text_becomes_a_formula(text: str) -> None:
    guarded = cells.guard(text)
    assert cells.unguard(guarded) == text
    field = Field("note", "choice", text, "Note", choices=(text,))
    for delimiter in ",;\t":  # the file's separator, and what another spreadsheet may take
        for decimal_comma in (False, True):
            written = to_csv([{"note": text}], [field], decimal_comma)
            for line in csv.reader(io.StringIO(written, newline=""), delimiter=delimiter):
                assert not any(cell[:1] in tuple("=+-@＝＋－＠") for cell in line)


def test_numbers_stay_numbers_for_a_spreadsheet() -> None:
    rows = [{"n": -0.5, "w": np.int64(-3)}, {"n": np.float32(0.25), "w": None}]
    assert to_csv(rows, [NUMBER, WHOLE]) == "n,w\r\n-0.5,-3\r\n0.25,\r\n"
    assert to_csv(rows, [NUMBER, WHOLE], decimal_comma=True) == "n;w\r\n-0,5;-3\r\n0,25;\r\n"
    assert csv_bytes("ł").startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("decimal_comma", [False, True])
def test_template_is_a_good_table(decimal_comma: bool) -> None:
    table = parse(csv_bytes(template(COFFEE, decimal_comma)), COFFEE)
    assert table.problems == []
    assert table.rows == [{"size": "medium", "extras": 0, "takeaway": False, "price": 12.5}]


def test_rows_from_an_editor() -> None:
    table = check_rows(
        [
            {"size": "small", "extras": np.int64(2), "takeaway": np.bool_(True), "price": 12.5},
            {"size": "mała", "extras": 2.0, "takeaway": 1.0, "price": "12,50 zł", "index": 3},
            {"size": None, "extras": math.nan, "takeaway": None, "price": ""},
            {"size": "small", "extras": math.nan, "takeaway": False},
            {"size": 3, "extras": True, "takeaway": "?", "price": math.inf},
        ],
        COFFEE,
    )
    assert table.rows == [ROW, ROW]
    assert table.total == 4
    assert [(p.row, p.column) for p in table.problems] == [
        (4, "extras"),
        (4, "price"),
        (5, "size"),
        (5, "extras"),
        (5, "takeaway"),
        (5, "price"),
    ]
    assert table.problems[0].text() == (
        "Row 4, column Extras: the cell is empty. Allowed: a whole number from 0 to 3."
    )


def test_too_many_rows_from_an_editor() -> None:
    with pytest.raises(PlaygroundError, match="more than 20000 rows"):
        check_rows([{}] * (tables.MAX_ROWS + 1), COFFEE)


def test_a_field_of_many_values_is_no_column() -> None:
    layers = Field("layers", "integers", (3,), "Layers", low=1, high=9, longest=2)
    with pytest.raises(ValueError, match="one value"):
        check_rows([], [layers])


def test_words() -> None:
    assert fold("  Trójkąt_ŁÓDŹ ") == "trojkat lodz"
    assert fold("trójkąt") == "trojkat"  # as macOS writes it, ó in two characters
    assert fold("C++") != fold("C#")
    assert shown("a\nb\x00c") == "a b c"
    assert shown("x" * 100) == "x" * 60 + "…"
    assert str(Sentence("{a}", {"a": (Sentence("b"), "c{")})) == "b, c{"
