"""What stands in a cell is read as a person means it, or refused with the reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.data.cells import Column, Refused, decimal_sign
from playground.data.encoder import Encoder
from playground.data.tables import check_rows, parse
from playground.errors import PlaygroundError
from playground.fields import Field
from playground.projects.coffee import data as coffee
from playground.projects.movies import data as movies
from playground.projects.weekday import data as weekday

ENCODERS = {"coffee": coffee.ENCODER, "weekday": weekday.ENCODER, "movies": movies.ENCODER}
FIELDS = {
    field.name: field
    for encoder in ENCODERS.values()
    for field in (*encoder.columns, encoder.target)
}
SHARE = Field("share", "number", 0.5, "Share", low=0, high=1)
PRICE = FIELDS["price"]
EURO = Field("euro", "number", 1.0, "Price", low=0, high=5000, unit="€")


def read(field: Field | str, text: str, decimal: str = "") -> object:
    column = Column(FIELDS[field] if isinstance(field, str) else field, "column")
    return column.read(text, decimal)  # type: ignore[arg-type]


def said(field: Field | str, text: str) -> str:
    column = Column(FIELDS[field] if isinstance(field, str) else field, "column")
    why = column.read(text)
    assert isinstance(why, Refused)
    return column.problem(2, text, why).text()


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("price", "zł 12", 12),
        ("price", "PLN 12,50", 12.5),
        ("price", "12,50 zl.", 12.5),
        ("price", "12,-", 12),
        ("price", "12.- zł", 12),
        ("price", "12,-- zł", 12),
        ("price", "12 zł 50 gr", 12.5),
        ("price", "12 zł 5 gr.", 12.05),
        ("price", "0,125", 0.125),
        ("price", "12,1250", 12.125),
        ("price", "1 000", 1000),
        (EURO, "€3.50", 3.5),
        (EURO, "3,50 €", 3.5),
        (EURO, "1,234.50 EUR", 1234.5),
        ("popularity", "50 %", 50),
        ("popularity", "50%", 50),
        (SHARE, "62%", 0.62),
        ("morning", "1:30", 1.5),
        ("morning", "07:45", 7.75),
        ("morning", "7:30 h", 7.5),
        ("morning", "1h 50min", pytest.approx(1 + 50 / 60)),
        ("morning", "7h30", 7.5),
        ("morning", "7h 30m", None),
        ("morning", "1 godz. 30 min.", 1.5),
        ("morning", "3,25 godz.", 3.25),
        ("morning", "7.5 h", 7.5),
        ("morning", "110 minutes", pytest.approx(110 / 60)),
        ("morning", "90 min", 1.5),
        ("morning", "7.250", 7.25),
        ("morning", "1:75", None),
        ("morning", "25:00", None),
        ("duration", "110 minutes", 110),
        ("duration", "1h 50min", 110),
        ("duration", "1,5 h", 90),
        ("duration", "2 godziny", 120),
        ("duration", "1:50", None),
        ("age", "17 lat", 17),
        ("age", "17 years", 17),
        ("takeaway", "x", True),
        ("takeaway", "✓", True),
        ("takeaway", "PRAWDA", True),
        ("takeaway", "na wynos", True),
        ("takeaway", "FAŁSZ", False),
        ("takeaway", "Na miejscu", False),
        ("takeaway", "nie", False),
        ("likes", "lubi", True),
        ("size", "Średnia", "medium"),
        ("size", "L", "large"),
        ("size", "250 ml", None),
        ("day", "pon", "monday"),
        ("day", "pon.", "monday"),
        ("day", "Tues", "tuesday"),
        ("day", "śr.", "wednesday"),
        ("day", "Weds", "wednesday"),
        ("day", "Thur", "thursday"),
        ("day", "Thurs", "thursday"),
        ("day", "PIĄTEK", "friday"),
        ("day", "3", None),
    ],
)
def test_what_a_person_writes(field: Field | str, text: str, value: object) -> None:
    found = read(field, text)
    assert isinstance(found, Refused) if value is None else found == value


@pytest.mark.parametrize("text", ["1,000", "1.000", "999,125", "1.000 zł", "+1,500"])
def test_a_number_that_may_be_two_is_refused_with_both(text: str) -> None:
    sentence = said("price", text)
    digits = text.strip("+ zł")
    whole, part = digits[0:-4], digits[-3:]
    assert f" {float(whole + '.' + part):g} or {whole}{part}." in sentence


@pytest.mark.parametrize(
    ("decimal", "text", "value"),
    [(",", "1,000", 1), (",", "1.000", 1000), (".", "1.000", 1), (".", "1,000", 1000)],
)
def test_the_other_cells_settle_the_decimal_sign(decimal: str, text: str, value: float) -> None:
    assert read("price", text, decimal) == value
    other = f"12{decimal}5"
    table = parse(f"extras;price\n1;{other}\n1;{text}\n".encode(), [FIELDS["extras"], PRICE])
    assert [row["price"] for row in table.rows] == [12.5, value]
    rows = [{"price": other}, {"price": text}]
    checked = check_rows(rows, [FIELDS["price"]])
    assert [row["price"] for row in checked.rows] == [12.5, value]


@pytest.mark.parametrize(
    ("texts", "sign"),
    [
        (["1,5"], ","),
        (["1.25"], "."),
        (["1 234,5"], ","),
        (["1,234.5"], "."),
        (["1.234.567"], ","),
        (["12,50 zł", "3"], ","),
        (["1,000", "2.000"], ""),
        (["1,5", "1.5"], ""),
        (["01.05.2024"], ""),
        ([], ""),
    ],
)
def test_decimal_sign(texts: list[str], sign: str) -> None:
    assert decimal_sign(texts) == sign


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("price", "12 EUR", "“12 EUR” is in EUR, but this column is in zł."),
        ("price", "$12", "“$12” is in $, but this column is in zł."),
        ("price", "12 h", "is in h"),
        ("morning", "3 km", "is in km, but this column is in h."),
        ("extras", "2 szt", "has a unit (szt), but this column has none"),
        ("day", "frday", "Did you mean “Friday”?"),
        ("day", "Piatek?", "Did you mean “Friday”?"),
        ("size", "250 ml", "Allowed: small, medium, large."),
        ("extras", "", "the cell is empty"),
        ("price", "free", "“free” is not allowed"),
    ],
)
def test_the_trouble_is_named(field: str, text: str, words: str) -> None:
    assert words in said(field, text)


@given(st.sampled_from(sorted(ENCODERS)), st.sampled_from(["en", "pl"]), st.data())
def test_what_the_editor_shows_is_read_back(name: str, language: str, data: st.DataObject) -> None:
    encoder: Encoder = ENCODERS[name]
    fields = (*encoder.columns, encoder.target)
    row = {field.name: data.draw(values(field)) for field in fields}
    for field in fields:
        column = Column(field, "")
        text = column.write(row[field.name], language)
        assert column.read(text) == row[field.name]
        for decimal in (".", ","):  # whatever the other cells say, if they say what this does
            if decimal == ("," if language == "pl" else "."):
                assert column.read(text, decimal) == row[field.name]


def values(field: Field) -> st.SearchStrategy[object]:
    if field.kind == "choice":
        return st.sampled_from(field.choices)
    if field.kind == "switch":
        return st.booleans()
    if field.kind == "integer":
        return st.integers(int(field.low), int(field.high))
    three = st.integers(int(field.low) * 1000, int(field.high) * 1000).map(lambda n: n / 1000)
    return three | st.floats(field.low, field.high)


WORDS = ["poniedziałek", "środa", "piątek", "niedziela", "czwartek"]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "cp1250", "iso8859_2", "cp852", "mac_latin2", "utf-16"],
)
def test_every_way_that_a_polish_spreadsheet_saves(encoding: str) -> None:
    columns = "rano;popołudnie;wieczór;sen;nauka;dzień"
    rows = [f"1,5;2;3;7;6;{day}" for day in WORDS]
    raw = "\r\n".join([columns, *rows]).encode(encoding)
    fields = (*weekday.ENCODER.columns, weekday.ENCODER.target)
    table = parse(raw, fields, "dni.csv", weekday.ENCODER.most)
    assert table.problems == []
    assert len(table.rows) == len(WORDS)
    assert parse("rozmiar\nmała\n".encode(encoding), [FIELDS["size"]]).rows == [{"size": "small"}]


def test_one_byte_that_is_no_utf_8_costs_one_cell() -> None:
    raw = "rozmiar\nmała\nśrednia\nduża\n".encode() + b"ma\xb3a\n" + "średnia\n".encode() * 5
    table = parse(raw, [FIELDS["size"]])
    assert [problem.row for problem in table.problems] == [5]
    assert len(table.rows) == 8


def test_bars_between_cells() -> None:
    table = parse(b"size|extras|takeaway|price\nsmall|1|no|12.50\n", coffee_fields())
    assert table.problems == []
    assert table.rows[0]["price"] == 12.5


def coffee_fields() -> tuple[Field, ...]:
    return (*coffee.ENCODER.columns, coffee.ENCODER.target)


def test_a_day_has_24_hours() -> None:
    fields = (*weekday.ENCODER.columns, weekday.ENCODER.target)
    names = ",".join(field.name for field in fields)
    raw = f"{names}\n12,12,12,12,12,monday\n4,4,4,6,6,monday\n".encode()
    table = parse(raw, fields, "days.csv", weekday.ENCODER.most)
    assert len(table.rows) == 1
    (problem,) = table.problems
    assert problem.row == 2
    assert problem.text() == "Row 2: the numbers add up to 60 h. At most 24 is possible."
    again = check_rows([{**table.rows[0], "sleep": "24"}], fields, weekday.ENCODER.most)
    assert len(again.problems) == 1


@pytest.mark.parametrize(
    ("headings", "missing", "nearest"),
    [
        ("age,genre,duration,popularity,liked", "likes", "liked"),
        ("wiek,gatunek,czas,popularność,polubił_film", "likes", "polubił_film"),
        ("cup_size,extras,takeaway,cena brutto", "price", "cena brutto"),
        ("rozmiar,ilość dodatków,na wynos,cena", "extras", "ilość dodatków"),
    ],
)
def test_a_heading_that_is_nearly_one(headings: str, missing: str, nearest: str) -> None:
    encoder = coffee.ENCODER if "cena" in headings else movies.ENCODER
    table = parse(f"{headings}\n1,2,3,4\n".encode(), (*encoder.columns, encoder.target))
    first = table.problems[0]
    assert (first.column, first.note) == (missing, False)
    assert f"Did you mean “{nearest}”? Then call that column {missing}." in first.text()


@pytest.mark.parametrize(
    "headings", ["cup_size,extras,Na wynos?,price_pln", "size;extras;takeaway;Cena zł"]
)
def test_headings_with_a_unit_or_a_question_mark(headings: str) -> None:
    separator = ";" if ";" in headings else ","
    row = separator.join(["small", "1", "no", "12"])
    assert parse(f"{headings}\n{row}\n".encode(), coffee_fields()).problems == []


def test_an_extra_column_is_a_note_and_a_first_row_without_headings_is_quoted() -> None:
    table = parse(b"id,size,extras,takeaway,price\n1,small,1,no,12\n", coffee_fields())
    assert [problem.note for problem in table.problems] == [True]
    assert not [problem for problem in table.problems if not problem.note]
    with pytest.raises(PlaygroundError, match=r"It says: Cennik 2026\."):
        parse(b"Cennik 2026\n\nsize,extras\n", coffee_fields())


def test_polish_sentences_name_polish_columns() -> None:
    from playground.i18n import translate

    def polish(message: str) -> str:
        return translate(message, "pl")

    table = parse("rozmiar;cena\nmała;12\n".encode(), coffee_fields())
    sentence = table.problems[0].text(polish)
    assert "Brakuje kolumny Dodatki" in sentence
    assert "extras" not in sentence
    with pytest.raises(PlaygroundError) as caught:
        parse(b"x\n1\n", coffee_fields(), "a.csv")
    assert "Cena" in caught.value.text(polish)
