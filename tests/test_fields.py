from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import PlaygroundError
from playground.fields import Field, FieldError

WHOLE = Field("size", "integer", 3, "Size", low=1, high=6)
NUMBER = Field("rate", "number", 0.5, "Rate", low=0, high=1)
SWITCH = Field("on", "switch", True, "On")
CHOICE = Field("kind", "choice", "a", "Kind", choices=("a", "b"))
SEVERAL = Field("layers", "integers", (4,), "Layers", low=1, high=9, longest=3)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("field", "given_value", "expected"),
    [
        (WHOLE, 1, 1),
        (WHOLE, 6, 6),
        (WHOLE, 2.0, 2),  # JSON from a browser has one kind of number
        (NUMBER, 0, 0.0),
        (NUMBER, 1, 1.0),
        (NUMBER, 0.25, 0.25),
        (SWITCH, False, False),
        (CHOICE, "b", "b"),
        (SEVERAL, [1, 2.0, 9], (1, 2, 9)),
        (SEVERAL, (5,), (5,)),
    ],
)
def test_allowed_values_come_back_in_the_fields_own_type(
    field: Field, given_value: object, expected: object
) -> None:
    value = field.check(given_value)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (WHOLE, 0),
        (WHOLE, 7),
        (WHOLE, 3.5),
        (WHOLE, True),
        (WHOLE, "3"),
        (WHOLE, math.inf),
        (WHOLE, math.nan),
        (WHOLE, None),
        (NUMBER, -0.001),
        (NUMBER, 1.001),
        (NUMBER, math.nan),
        (NUMBER, math.inf),
        (NUMBER, True),
        (NUMBER, "0.5"),
        (SWITCH, 1),
        (SWITCH, "true"),
        (CHOICE, "c"),
        (CHOICE, ["a"]),
        (SEVERAL, ()),
        (SEVERAL, (1, 2, 3, 4)),
        (SEVERAL, (0,)),
        (SEVERAL, (10,)),
        (SEVERAL, 4),
        (SEVERAL, "4"),
        (SEVERAL, (True,)),
    ],
)
def test_other_values_are_refused_by_field_value_and_range(field: Field, value: object) -> None:
    with pytest.raises(FieldError) as error:
        field.check(value)
    assert error.value.values["field"] == field.name
    for part in (field.name, repr(value), field.allowed()):
        assert part in str(error.value)


@given(ANYTHING)
def test_no_value_whatever_raises_anything_else(value: object) -> None:
    for field in (WHOLE, NUMBER, SWITCH, CHOICE, SEVERAL):
        try:
            checked = field.check(value)
        except FieldError:
            continue
        assert field.check(checked) == checked


@pytest.mark.parametrize("field", [WHOLE, NUMBER, SEVERAL, CHOICE], ids=lambda field: field.kind)
@pytest.mark.parametrize(
    "value",
    [10**400, [10**400], -(10**400), 10**5000],
    ids=["plus", "list", "minus", "unprintable"],
)
def test_a_number_too_long_for_a_float_is_refused_like_any_other(
    field: Field, value: object
) -> None:
    with pytest.raises(FieldError):
        field.check(value)


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(FieldError) as error:
        WHOLE.check("x" * 10_000)
    assert len(str(error.value)) < 200


def test_what_is_allowed_is_said_in_symbols() -> None:
    assert WHOLE.allowed() == "1, 2 … 6"
    assert NUMBER.allowed() == "0 … 1"
    assert SWITCH.allowed() == "false | true"
    assert CHOICE.allowed() == "a | b"
    assert SEVERAL.allowed() == "(1–3) × 1, 2 … 9"


def test_an_error_speaks_the_readers_language() -> None:
    error = PlaygroundError("There is no {what}.", what="{x} Kraków")
    assert str(error) == "There is no {x} Kraków."
    assert error.text(lambda message: "Nie ma {what}.") == "Nie ma {x} Kraków."
