import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import PlaygroundError
from playground.fields import FieldError
from playground.projects.movies import data as movies

viewings = st.fixed_dictionaries(
    {
        "age": st.integers(6, 90),
        "genre": st.sampled_from(movies.GENRES),
        "duration": st.integers(60, 240),
        "popularity": st.integers(0, 100),
    }
)
FILM = {"age": 22, "genre": "action", "duration": 100, "popularity": 50}


def test_encoding_is_one_column_a_genre_and_raw_numbers():
    assert len(movies.GENRES) >= 8
    assert movies.FEATURES[:2] == ("age", "genre=action")
    assert movies.encode(FILM).tolist() == [22, 1, *[0] * 8, 100, 50]


@given(st.lists(st.tuples(viewings, st.booleans()), max_size=5))
def test_rows_survive_the_way_into_tensors_and_back(pairs):
    table = [{**row, "likes": likes} for row, likes in pairs]
    examples = movies.examples(table)
    assert examples.targets.dtype == torch.float32
    assert movies.rows(examples) == table


@given(
    viewings,
    st.sampled_from(
        [("age", 5), ("age", 17.5), ("genre", "komedia"), ("duration", 241), ("popularity", -1)]
    ),
)
def test_a_value_out_of_range_is_refused_with_its_column(row, cell):
    with pytest.raises(FieldError, match=cell[0]):
        movies.encode({**row, cell[0]: cell[1]})


def test_missing_and_unknown_columns_are_named():
    with pytest.raises(PlaygroundError, match=r"'gender'\. Did you mean genre"):
        movies.encode({**FILM, "gender": "drama"})
    with pytest.raises(PlaygroundError, match="age is missing"):
        movies.encode({"genre": "drama", "duration": 90, "popularity": 1})


@given(viewings, st.floats(0.1, 5))
def test_the_probability_is_the_documented_formula(row, noise):
    floor, peak, best, width = movies.TASTES[row["genre"]]
    taste = floor + peak * math.exp(-(((row["age"] - best) / width) ** 2))
    young = 1 / (1 + math.exp((row["age"] - 30) / 5))
    score = taste - 2 * young * max(0, row["duration"] - 110) / 30
    score += (row["popularity"] - 50) / 25
    expected = 1 / (1 + math.exp(-score / noise))
    found = movies.probability(movies.encode(row)[None], noise).item()
    assert found == pytest.approx(expected, abs=1e-4)


def likes(**changes):
    return movies.probability(movies.encode({**FILM, **changes})[None], 1).item()


def test_age_and_genre_interact():
    assert likes(age=24, genre="horror") > likes(age=70, genre="horror") + 0.3
    assert likes(age=24, genre="drama") < likes(age=70, genre="drama") - 0.3


def test_long_films_lose_the_young_and_popular_ones_win():
    assert likes(age=15, duration=170) < likes(age=15, duration=100) - 0.3
    assert likes(age=80, duration=170) == pytest.approx(likes(age=80, duration=100), abs=0.01)
    assert likes(popularity=100) > likes(popularity=0)


def test_same_seed_same_answers():
    first, again, other = (movies.generate(50, 1, seed) for seed in (1, 1, 2))
    assert torch.equal(first.inputs, again.inputs)
    assert torch.equal(first.targets, again.targets)
    assert not torch.equal(first.inputs, other.inputs)


def test_no_generated_answer_is_refused_as_a_row():
    examples = movies.generate(1_000, 1, seed=2)
    again = movies.examples(movies.rows(examples))
    assert torch.equal(again.inputs, examples.inputs)
    assert torch.equal(again.targets, examples.targets)


@pytest.mark.parametrize("noise", [0.3, 1, 4])
def test_of_those_who_like_it_with_70_percent_70_percent_do(noise):
    examples = movies.generate(200_000, noise, seed=3)
    chances = movies.probability(examples.inputs, noise)
    for low in torch.arange(0, 1, 0.1).tolist():
        inside = (chances >= low) & (chances < low + 0.1)
        if not inside.any():  # strong moods leave no extreme chances
            continue
        chance, share = chances[inside].mean(), examples.targets[inside].mean()
        assert abs(chance - share) < 5 * (chance * (1 - chance) / inside.sum()).sqrt()


@pytest.mark.parametrize("noise", [0.3, 1, 4])
def test_the_true_probability_reaches_the_bayes_limit_on_other_answers(noise):
    examples = movies.generate(200_000, noise, seed=4)
    chances = movies.probability(examples.inputs, noise)
    limit = movies.limit(noise)
    accuracy = ((chances > 0.5) == (examples.targets == 1)).float().mean()
    # In double, a chance of 1 - 1e-9 stays below 1 and its logarithm finite.
    loss = torch.nn.functional.binary_cross_entropy(
        chances.double().clamp(1e-9, 1 - 1e-9), examples.targets.double()
    )
    assert accuracy == pytest.approx(limit["accuracy"], abs=0.004)
    assert loss == pytest.approx(limit["log_loss"], abs=0.01)


def test_moods_flatten_the_probabilities():
    limits = [movies.limit(noise)["accuracy"] for noise in (0.1, 0.5, 1, 2, 5)]
    assert limits == sorted(limits, reverse=True)
    assert movies.limit(0.1)["accuracy"] > 0.97


@pytest.mark.parametrize("field", [*movies.COLUMNS, movies.TARGET, *movies.DATA_FIELDS])
def test_fields_allow_their_defaults_and_aliases_lead_somewhere(field):
    assert field.check(field.default) == field.default
    assert set(field.aliases.values()) <= {field.name, *field.choices}
    assert set(field.choice_labels) == set(field.choices)
