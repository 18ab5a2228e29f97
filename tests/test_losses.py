from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional

from playground import losses
from playground.recipe import FIELDS, Recipe


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 3


LOGITS, CLASSES = noise(20, 5), torch.arange(20) % 5
VALUES, TARGETS = noise(20, 1), noise(20, seed=1)
YES = (TARGETS > 0).float()


def loss(name: str, **settings: Any) -> losses.Loss:
    return losses.build(Recipe("any", loss=name, **settings))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_is_torchs_on_logits(smoothing: float) -> None:
    mine = loss("cross_entropy", label_smoothing=smoothing)(LOGITS, CLASSES)
    assert mine == functional.cross_entropy(LOGITS, CLASSES, label_smoothing=smoothing)


def test_cross_entropy_is_minus_the_log_of_the_right_ones_probability() -> None:
    right = LOGITS.softmax(dim=1)[torch.arange(20), CLASSES]
    torch.testing.assert_close(loss("cross_entropy")(LOGITS, CLASSES), -right.log().mean())


def test_mse_one_hot_is_the_distance_of_probabilities_from_one_hot_answers() -> None:
    mine = loss("mse_one_hot")(LOGITS, CLASSES)
    torch.testing.assert_close(mine, ((LOGITS.softmax(1) - torch.eye(5)[CLASSES]) ** 2).mean())
    perfect = torch.eye(5)[CLASSES] * 1000
    assert loss("mse_one_hot")(perfect, CLASSES) == 0


def test_regression_losses_are_torchs_and_do_not_broadcast() -> None:
    flat = VALUES[:, 0]
    assert loss("mse")(VALUES, TARGETS) == functional.mse_loss(flat, TARGETS)
    assert loss("l1")(VALUES, TARGETS) == functional.l1_loss(flat, TARGETS)
    for delta in (0.5, 2.0):
        mine = loss("huber", huber_delta=delta)(VALUES, TARGETS)
        assert mine == functional.huber_loss(flat, TARGETS, delta=delta)


def test_a_yes_no_question_uses_binary_cross_entropy() -> None:
    mine = loss("bce")(VALUES, YES)
    assert mine == functional.binary_cross_entropy_with_logits(VALUES[:, 0], YES)


def test_every_loss_fits_exactly_one_task() -> None:
    fitting = [name for names in losses.CHOICES.values() for name in names]
    assert sorted(fitting) == sorted(FIELDS["loss"].choices)


def test_answers_are_probabilities_or_values() -> None:
    probabilities = losses.answer("classification", LOGITS)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(20))
    assert torch.equal(probabilities.argmax(dim=1), LOGITS.argmax(dim=1))
    yes = losses.answer("binary", VALUES)
    assert yes.shape == (20,)
    torch.testing.assert_close(yes, 1 / (1 + torch.exp(-VALUES[:, 0])))
    assert torch.equal(losses.answer("regression", VALUES), VALUES[:, 0])
