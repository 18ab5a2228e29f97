import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import dirichlet

from playground.errors import PlaygroundError
from playground.fields import FieldError
from playground.projects.weekday import data as weekday

NAMES = ("morning", "afternoon", "evening", "sleep", "study")
diaries = st.fixed_dictionaries({name: st.floats(0, 24) for name in NAMES})


@given(diaries)
def test_hours_stay_in_their_columns_and_units(row):
    encoded = weekday.encode(row)
    assert encoded.dtype == torch.float32
    assert encoded.tolist() == pytest.approx([row[name] for name in NAMES])


@given(diaries, st.sampled_from(NAMES), st.sampled_from([-0.1, 24.1, True, "7", None]))
def test_hours_outside_a_day_are_refused(row, name, value):
    with pytest.raises(FieldError, match=name):
        weekday.encode({**row, name: value})


def test_missing_and_unknown_columns_are_named():
    row = dict.fromkeys(NAMES, 1.0)
    with pytest.raises(PlaygroundError, match=r"'slep'\. Did you mean sleep"):
        weekday.encode({**row, "slep": 2.0})
    del row["study"]
    with pytest.raises(PlaygroundError, match="study is missing"):
        weekday.encode(row)


def test_rows_survive_the_way_into_tensors_and_back():
    examples = weekday.generate(200, 1, seed=0)
    table = weekday.rows(examples)
    assert list(table[0]) == [*NAMES, "day"]
    assert table[3]["day"] == weekday.DAYS[examples.targets[3]]
    again = weekday.examples(table)
    assert again.targets.dtype == torch.int64
    assert torch.equal(again.targets, examples.targets)
    assert torch.allclose(again.inputs, examples.inputs, atol=0.0051)
    assert weekday.rows(again) == table


def test_same_seed_same_days():
    first, again, other = (weekday.generate(50, 1, seed) for seed in (1, 1, 2))
    assert torch.equal(first.inputs, again.inputs)
    assert torch.equal(first.targets, again.targets)
    assert not torch.equal(first.inputs, other.inputs)


@pytest.mark.parametrize("noise", [0.2, 1, 2])
def test_every_day_has_24_hours_and_every_hour_is_allowed(noise):
    hours = weekday.generate(50_000, noise, seed=2).inputs
    assert hours.dtype == torch.float32
    assert (hours > 0).all()
    assert (hours.sum(dim=1) < 24).all()


@pytest.mark.parametrize("noise", [0.5, 1, 2])
def test_days_have_the_stated_means_and_spreads(noise):
    examples = weekday.generate(140_000, noise, seed=3)
    for number, kinds in enumerate(weekday.PATTERNS):
        hours = examples.inputs[examples.targets == number].double()
        assert 19_000 < len(hours) < 21_000
        means = torch.tensor(kinds, dtype=torch.double)
        variances = means * (24 - means) / (weekday.CONCENTRATION / noise**2 + 1)
        mean = means.mean(dim=0)
        # Within the kinds, and between them.
        spread = (variances.mean(dim=0) + means.var(dim=0, correction=0)).sqrt()
        assert ((hours.mean(dim=0) - mean).abs() < 5 * spread / len(hours) ** 0.5).all()
        assert torch.allclose(hours.std(dim=0), spread, rtol=0.04)


def test_probabilities_are_bayes_rule_over_the_densities():
    hours = weekday.generate(300, 1.5, seed=4).inputs
    shares = np.c_[hours.double().numpy(), 24 - hours.double().sum(dim=1).numpy()] / 24
    days = weekday.shapes(1.5).numpy()
    density = np.array([sum(dirichlet.pdf(shares.T, kind) for kind in day) for day in days]).T
    expected = density / density.sum(axis=1, keepdims=True)
    assert np.allclose(weekday.probabilities(hours, 1.5).numpy(), expected, atol=1e-5)


def test_of_the_days_that_look_70_percent_like_it_70_percent_are_it():
    examples = weekday.generate(200_000, 1, seed=5)
    chances = weekday.probabilities(examples.inputs, 1)
    hit = torch.nn.functional.one_hot(examples.targets, 7).float()
    for low in torch.arange(0, 1, 0.1).tolist():
        inside = (chances >= low) & (chances < low + 0.1)
        chance, share = chances[inside].mean(), hit[inside].mean()
        assert abs(chance - share) < 5 * (chance * (1 - chance) / inside.sum()).sqrt()


@given(st.lists(st.lists(st.floats(0, 24), min_size=5, max_size=5), min_size=1, max_size=5))
def test_probabilities_exist_for_whatever_the_sliders_say(hours):
    chances = weekday.probabilities(torch.tensor(hours), 1)
    assert chances.isfinite().all()
    assert torch.allclose(chances.sum(dim=1), torch.ones(len(hours)))


@pytest.mark.parametrize("noise", [0.5, 1, 2])
def test_the_true_densities_reach_the_bayes_limit_on_other_days(noise):
    examples = weekday.generate(200_000, noise, seed=6)
    chances = weekday.probabilities(examples.inputs, noise)
    limit = weekday.limit(noise)
    accuracy = (chances.argmax(dim=1) == examples.targets).float().mean()
    loss = torch.nn.functional.nll_loss(chances.log(), examples.targets)
    assert accuracy == pytest.approx(limit["accuracy"], abs=0.005)
    assert loss == pytest.approx(limit["log_loss"], abs=0.01)


def test_the_middle_of_the_week_overlaps_and_the_weekend_stands_out():
    examples = weekday.generate(50_000, 1, seed=7)
    guess = weekday.probabilities(examples.inputs, 1).argmax(dim=1)
    middle = (examples.targets >= 1) & (examples.targets <= 3)
    weekend = examples.targets >= 5
    assert (guess == examples.targets)[middle].float().mean() < 0.75
    assert ((guess[middle] >= 1) & (guess[middle] <= 3)).float().mean() > 0.9
    assert (guess[weekend] >= 5).float().mean() > 0.98
    assert 0.8 < (guess == examples.targets)[weekend].float().mean() < 0.95


def test_a_more_irregular_life_is_harder_to_read():
    limits = [weekday.limit(noise)["accuracy"] for noise in (0.2, 0.5, 1, 1.5, 2)]
    assert limits == sorted(limits, reverse=True)


@pytest.mark.parametrize("field", [*weekday.COLUMNS, weekday.TARGET, *weekday.DATA_FIELDS])
def test_fields_allow_their_defaults_and_aliases_lead_somewhere(field):
    assert field.check(field.default) == field.default
    assert set(field.aliases.values()) <= {field.name, *field.choices}
    assert set(field.choice_labels) == set(field.choices)
