import math

import pytest
import torch

from playground.data.dataset import Examples
from playground.experiments.baselines import FEW, baselines


def grid(seed, n=400):
    """(n, 2) points in -1..1."""
    return torch.rand(n, 2, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def by_name(*args):
    return {found.name: found for found in baselines(*args)}


def test_regression_baselines_on_a_straight_line():
    train, held_out = (Examples(x, 3 * x[:, 0] - x[:, 1] + 5) for x in (grid(0), grid(1)))
    found = by_name(train, held_out, "regression")
    assert list(found) == ["Mean", "Linear regression", "Decision tree"]
    assert found["Linear regression"].figures["mae"] < 1e-5
    error = held_out.targets - train.targets.mean()
    assert found["Mean"].figures["mae"] == pytest.approx(error.abs().mean().item(), rel=1e-4)
    assert found["Mean"].figures["mse"] == pytest.approx(error.square().mean().item(), rel=1e-4)
    assert 0.01 < found["Decision tree"].figures["mae"] < found["Mean"].figures["mae"] / 2
    assert found["Mean"].examples == 400


def xor(seed):
    x = grid(seed)
    return Examples(x, (x[:, 0] * x[:, 1] > 0).float())


def test_a_straight_line_cannot_split_xor_and_a_tree_can():
    found = by_name(xor(0), xor(1), "binary")
    assert found["Logistic regression"].figures["accuracy"] < 0.65
    assert found["Decision tree"].figures["accuracy"] > 0.85


def test_the_majority_answers_with_the_classes_shares():
    train = Examples(grid(0, 100), torch.tensor([2] * 60 + [0] * 30 + [1] * 10))
    held_out = Examples(grid(1, 4), torch.tensor([2, 2, 0, 1]))
    figures = by_name(train, held_out, "classification")["Most frequent class"].figures
    assert figures["accuracy"] == 0.5
    expected = -(2 * math.log(0.6) + math.log(0.3) + math.log(0.1)) / 4
    assert figures["log_loss"] == pytest.approx(expected)


def test_three_bands_are_learned_by_line_and_tree():
    train, held_out = (
        Examples(x, (x[:, 0] > -0.3).long() + (x[:, 0] > 0.3)) for x in (grid(0), grid(1))
    )
    found = by_name(train, held_out, "classification")
    assert found["Logistic regression"].figures["accuracy"] > 0.9
    assert found["Decision tree"].figures["accuracy"] > 0.95


def test_a_class_unseen_in_training_is_a_large_but_finite_loss():
    train = Examples(grid(0, 40), torch.tensor([0, 2] * 20))
    held_out = Examples(grid(1, 1), torch.tensor([1]))
    for found in baselines(train, held_out, "classification"):
        assert found.figures["accuracy"] == 0
        assert found.figures["log_loss"] == pytest.approx(-math.log(1e-7))


def test_one_class_alone_leaves_out_logistic_regression():
    only = Examples(grid(0, 10), torch.ones(10))
    assert list(by_name(only, only, "binary")) == ["Most frequent class", "Decision tree"]


def test_one_example_is_enough_for_a_regression():
    one = Examples(torch.ones(1, 3), torch.tensor([7.0]))
    assert [found.figures["mae"] for found in baselines(one, one, "regression")] == [0, 0, 0]


def test_nothing_to_learn_or_to_judge_gives_no_baselines():
    some = Examples(grid(0, 5), torch.ones(5))
    none = Examples(torch.empty(0, 2), torch.empty(0))
    assert baselines(none, some, "regression") == baselines(some, none, "regression") == []


def test_pictures_are_flattened_and_limited():
    source = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 2, (FEW + 100,), generator=source)
    pictures = torch.randint(0, 50, (FEW + 100, 10, 10), generator=source, dtype=torch.uint8)
    pictures[:, :5] += (100 * labels[:, None, None]).to(torch.uint8)  # bright above: class 1
    examples = Examples(pictures, labels)
    found = by_name(examples, examples, "classification")
    assert found["Logistic regression"].figures["accuracy"] > 0.99
    assert found["Decision tree"].figures["accuracy"] > 0.99
    assert {baseline.examples for baseline in found.values()} == {FEW}


def test_same_examples_same_figures():
    assert baselines(xor(0), xor(1), "binary") == baselines(xor(0), xor(1), "binary")
