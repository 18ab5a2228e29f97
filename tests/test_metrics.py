from __future__ import annotations

import pytest
import torch

from playground.metrics import Average, figures, interval


def test_accuracy_is_the_share_of_right_answers() -> None:
    logits = torch.tensor([[2.0, 1.0], [0.0, 3.0], [5.0, -1.0], [0.0, 0.1]])
    assert figures("classification", logits, torch.tensor([0, 1, 1, 1])) == {"accuracy": 0.75}


def test_a_yes_is_a_positive_logit() -> None:
    outputs = torch.tensor([[2.0], [-2.0], [0.5], [-0.5]])
    assert figures("binary", outputs, torch.tensor([1.0, 0.0, 0.0, 1.0])) == {"accuracy": 0.5}


def test_errors_of_a_regression_are_in_its_own_unit() -> None:
    found = figures("regression", torch.tensor([[1.0], [4.0]]), torch.tensor([2.0, 1.0]))
    assert found == {"mae": 2.0, "mse": 5.0}


def test_an_enormous_error_stays_a_number() -> None:
    found = figures("regression", torch.tensor([[1e30]]), torch.tensor([0.0]))
    assert found == pytest.approx({"mae": 1e30, "mse": 1e60})


def test_a_mean_over_batches_weighs_each_by_its_examples() -> None:
    average = Average()
    average.add(30, {"loss": 1.0, "accuracy": 0.5})
    average.add(10, {"loss": 3.0, "accuracy": 1.0})
    assert average.means() == pytest.approx({"loss": 1.5, "accuracy": 0.625})


def test_wilsons_interval() -> None:
    # From the textbook example of 10 of 20; and 0 of n has the upper end z²/(n + z²).
    assert interval(10, 20) == pytest.approx((0.2993, 0.7007), abs=1e-4)
    low, high = interval(0, 100)
    assert low == 0
    assert high == pytest.approx(1.959964**2 / (100 + 1.959964**2), rel=1e-5)
    wide, narrow = interval(98, 100), interval(9800, 10000)
    assert wide[1] - wide[0] > narrow[1] - narrow[0]
    assert interval(9, 10, 0.99)[0] < interval(9, 10)[0]
