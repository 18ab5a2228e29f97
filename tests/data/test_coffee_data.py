import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import PlaygroundError
from playground.fields import FieldError
from playground.projects.coffee import data as coffee

coffees = st.fixed_dictionaries(
    {
        "size": st.sampled_from(coffee.SIZES),
        "extras": st.integers(0, 3),
        "takeaway": st.booleans(),
    }
)
sold = st.lists(
    st.tuples(coffees, st.integers(0, 100_000)).map(lambda c: {**c[0], "price": c[1] / 100}),
    max_size=5,
)


def test_encoding_is_one_column_a_size_and_raw_numbers():
    assert coffee.FEATURES == ("size=small", "size=medium", "size=large", "extras", "takeaway")
    encoded = coffee.encode({"takeaway": True, "extras": 3, "size": "large"})
    assert encoded.dtype == torch.float32
    assert encoded.tolist() == [0, 0, 1, 3, 1]


@pytest.mark.parametrize("given_value", [1, 1.0, True])
def test_a_switch_may_be_given_as_a_number(given_value):
    row = {"size": "small", "extras": 0, "takeaway": given_value}
    assert coffee.encode(row)[-1] == 1


@given(sold)
def test_rows_survive_the_way_into_tensors_and_back(table):
    examples = coffee.examples(table)
    assert examples.inputs.shape == (len(table), len(coffee.FEATURES))
    assert coffee.rows(examples) == table


def test_no_rows_are_an_empty_tensor():
    assert coffee.encode_rows([]).shape == (0, 5)


@given(coffees, st.sampled_from(["size", "extras", "takeaway"]))
def test_a_missing_column_is_named(row, name):
    del row[name]
    with pytest.raises(PlaygroundError, match=f"column {name} is missing"):
        coffee.encode(row)


def test_an_empty_row_names_what_is_missing():
    with pytest.raises(PlaygroundError, match="column size is missing"):
        coffee.encode({})


def test_an_unknown_column_names_the_nearest():
    row = {"size": "small", "extra": 1, "takeaway": False}
    with pytest.raises(PlaygroundError, match=r"no column 'extra'\. Did you mean extras"):
        coffee.encode(row)


@pytest.mark.parametrize("name", ["", "{}", "日本", 7])
def test_any_unknown_column_is_an_error_that_can_be_read(name):
    with pytest.raises(PlaygroundError, match="Did you mean"):
        coffee.encode({name: 1})


@given(
    coffees,
    st.one_of(
        st.tuples(
            st.just("extras"), st.integers().filter(lambda n: not 0 <= n <= 3) | st.just(1.5)
        ),
        st.tuples(st.just("extras"), st.sampled_from([True, "1", None, math.nan, math.inf])),
        st.tuples(st.just("size"), st.sampled_from(["", "Small", "mała", "smal", 0, None])),
        st.tuples(st.just("takeaway"), st.sampled_from([2, -1, 0.5, "yes", None, math.nan])),
    ),
)
def test_a_value_out_of_range_is_refused_with_its_column(row, cell):
    name, value = cell
    with pytest.raises(FieldError, match=name):
        coffee.encode({**row, name: value})


def test_the_answer_of_a_row_is_checked_too():
    row = {"size": "small", "extras": 0, "takeaway": False}
    with pytest.raises(FieldError, match="price"):
        coffee.examples([{**row, "price": -1}])
    with pytest.raises(PlaygroundError, match="price is missing"):
        coffee.examples([row])


def test_the_price_rule_by_hand():
    rows = [
        {"size": "small", "extras": 0, "takeaway": False},
        {"size": "medium", "extras": 2, "takeaway": True},
        {"size": "large", "extras": 3, "takeaway": False},
    ]
    assert coffee.price(coffee.encode_rows(rows)).tolist() == [9, 12 + 2 * 2 + 1, 15 + 3 * 3.5]


def test_extras_cost_more_in_a_large_cup():
    by_size = coffee.price(coffee.encode_rows(coffee.menu())).view(3, 4, 2)
    extra = by_size[:, 1] - by_size[:, 0]
    assert (extra[2] > extra[1]).all()


def test_the_menu_is_every_coffee_once():
    assert len({tuple(row.values()) for row in coffee.menu()}) == 24


def test_same_seed_same_receipts():
    first, again, other = (coffee.generate(50, 0.5, seed) for seed in (1, 1, 2))
    assert torch.equal(first.inputs, again.inputs)
    assert torch.equal(first.targets, again.targets)
    assert not torch.equal(first.targets, other.targets)


def test_generated_prices_are_whole_grosze_around_the_rule():
    examples = coffee.generate(100_000, 0.5, seed=3)
    assert examples.inputs.dtype == examples.targets.dtype == torch.float32
    grosze = examples.targets.double() * 100
    assert torch.allclose(grosze, grosze.round(), atol=1e-3)
    error = examples.targets - coffee.price(examples.inputs)
    for row in coffee.menu():
        same = (examples.inputs == coffee.encode(row)).all(dim=1)
        assert 3_500 < same.sum() < 5_000  # 100,000 / 24 = 4,167
        assert abs(error[same].mean()) < 5 * 0.5 / same.sum().sqrt()


# 0.004 zł is less than a grosz: most of that noise disappears by rounding.
@pytest.mark.parametrize("noise", [0.004, 0.01, 0.05, 0.5, 1.5])
def test_the_rule_itself_reaches_the_noise_floor(noise):
    examples = coffee.generate(200_000, noise, seed=4)
    error = examples.targets.double() - coffee.price(examples.inputs).double()
    floor = coffee.limit(noise)
    assert error.square().mean() == pytest.approx(floor["mse"], rel=0.02)
    assert error.abs().mean() == pytest.approx(floor["mae"], rel=0.02)


def test_the_noise_floor_is_the_textbooks():
    floor = coffee.limit(0.5)
    assert floor["mse"] == pytest.approx(0.5**2 + 0.01**2 / 12, rel=1e-6)  # Sheppard
    assert floor["mae"] == pytest.approx(0.5 * math.sqrt(2 / math.pi), rel=1e-4)
    assert coffee.limit(0) == {"mse": 0, "mae": 0}


def test_without_noise_the_price_is_the_rule():
    examples = coffee.generate(100, 0, seed=0)
    assert torch.equal(examples.targets, coffee.price(examples.inputs))


def test_no_generated_receipt_is_refused_as_a_row():
    most = next(field for field in coffee.DATA_FIELDS if field.name == "noise").high
    examples = coffee.generate(2_000, most, seed=5)
    again = coffee.examples(coffee.rows(examples))
    assert torch.equal(again.inputs, examples.inputs)
    assert torch.equal(again.targets, examples.targets)


@pytest.mark.parametrize("field", [*coffee.COLUMNS, coffee.TARGET, *coffee.DATA_FIELDS])
def test_fields_allow_their_defaults_and_aliases_lead_somewhere(field):
    assert field.check(field.default) == field.default
    answers = ("true", "false") if field.kind == "switch" else field.choices
    assert set(field.aliases.values()) <= {field.name, *answers}
    assert set(field.choice_labels) == set(field.choices)
