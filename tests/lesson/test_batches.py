"""Dealing cards, a batch's noise, and overfitting, against torch and against theory."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from playground import models, training
from playground.data.dataset import Dataset, Scaler
from playground.lesson import batches
from playground.seeds import generator


@given(st.integers(1, 60), st.integers(1, 60), st.booleans(), st.integers(0, 99))
def test_an_epoch_uses_each_card_once(n: int, batch: int, shuffle: bool, seed: int) -> None:
    dealt = batches.deal(n, batch, 2, shuffle, seed)
    for epoch in dealt:
        assert sorted(card for part in epoch for card in part) == list(range(n))
        assert len(epoch) == batches.steps_per_epoch(n, batch) == math.ceil(n / batch)
        assert all(len(part) == batch for part in epoch[:-1])
    if not shuffle:
        assert dealt[0] == dealt[1]
        assert dealt[0][0] == list(range(min(n, batch)))


def test_it_is_dealt_as_the_training_loop_deals() -> None:
    source = generator(7, "shuffle")
    orders = [torch.randperm(24, generator=source).tolist() for _ in range(2)]
    dealt = batches.deal(24, 5, 2, True, 7)
    assert [[card for part in epoch for card in part] for epoch in dealt] == orders
    assert orders[0] != orders[1]


def test_receipts_follow_the_coffee_projects_rule() -> None:
    # A medium coffee costs 12 zł and 2 zł an extra.
    w1, w2 = batches.best()
    assert w1 == pytest.approx(2, abs=0.5)
    assert w2 == pytest.approx(12, abs=1)
    lowest = float(batches.loss(torch.tensor(batches.best(), dtype=torch.double)))
    assert lowest == pytest.approx(batches.NOISE**2, rel=0.3)
    assert batches.gradients(torch.tensor(batches.best())).mean(0).abs().max() < 1e-5


@settings(max_examples=25, deadline=None)
@given(st.floats(-5, 20), st.floats(-5, 20), st.lists(st.integers(0, 127), min_size=1, max_size=9))
def test_a_batchs_gradient_is_the_mean_of_its_receipts(
    w1: float, w2: float, batch: list[int]
) -> None:
    w = torch.tensor([w1, w2], dtype=torch.double, requires_grad=True)
    extras, prices = batches.receipts()[torch.tensor(batch)]
    functional.mse_loss(w[0] * extras + w[1], prices).backward()
    torch.testing.assert_close(batches.gradients(w.detach())[batch].mean(0), w.grad)


def test_the_loss_over_many_places_is_torchs() -> None:
    w = torch.tensor([[2.0, 12.0], [0.0, 0.0]], dtype=torch.double)
    extras, prices = batches.receipts()[:]
    wanted = [functional.mse_loss(a * extras + b, prices) for a, b in w]
    torch.testing.assert_close(batches.loss(w), torch.stack(wanted))


@pytest.mark.parametrize("size", batches.SIZES)
def test_the_spread_is_what_theory_says(size: int) -> None:
    w = torch.tensor([3.9, 8.0], dtype=torch.double)
    measured, expected = batches.spread(w, size), batches.expected_spread(w, size)
    assert measured == pytest.approx(expected, rel=0.12, abs=1e-9)
    if size == batches.RECEIPTS:
        assert measured == pytest.approx(0, abs=1e-9)


def test_the_whole_deck_at_once_is_gradient_descent() -> None:
    start, rate = (3.9, 8.0), 0.05
    path = batches.descend(start, batches.RECEIPTS, rate, 3, 0)
    w = torch.tensor(start, dtype=torch.double)
    for point in path[1:]:
        w = w - rate * batches.gradients(w).mean(0)
        assert point == pytest.approx(tuple(w.tolist()), rel=1e-9)
    assert len(path) == 4


def test_a_path_has_a_point_a_step_or_ends_where_it_diverges() -> None:
    assert len(batches.descend((3.9, 8.0), 8, 0.03, 2, 0)) == 2 * 16 + 1
    short = batches.descend((3.9, 8.0), 8, 0.5, 5, 0)
    assert len(short) < 5 * 16 + 1
    assert all(math.isfinite(weight) for point in short for weight in point)


def test_an_epoch_takes_time() -> None:
    assert batches.epoch_seconds(64, times=1) > 0


def test_a_large_network_overfits_few_examples() -> None:
    run = batches.overfit(64, 16, 0)
    assert len(run.train_loss) == len(run.validation_loss) == batches.EPOCHS + 1
    assert run.curves.shape == (batches.EPOCHS + 1, batches.PLACES)
    assert run.validation_loss[run.best] == min(run.validation_loss)
    assert 0 < run.best < batches.EPOCHS / 2
    # The end: far under the noise on its own examples, far over its best on others.
    assert run.train_loss[-1] < batches.SCATTER**2 / 4
    assert run.validation_loss[-1] > 1.3 * run.validation_loss[run.best]


def test_it_is_what_the_apps_own_loop_does() -> None:
    run = batches.overfit(8, 12, 1, epochs=20)
    recipe = batches.recipe(8, 20, 1)
    scaler = Scaler.fit(run.train)
    dataset = Dataset(run.train, run.validation, run.validation, scaler, task="regression")
    model = models.build(recipe, (1,), 1)
    steps, epochs = [], []
    for event in training.fit(model, dataset, recipe):
        (epochs if isinstance(event, training.Epoch) else steps).append(event)
    assert run.train_loss[:-1] == pytest.approx([step.loss for step in steps], rel=1e-4)
    validation = [epoch.validation["loss"] for epoch in epochs]
    assert run.validation_loss[1:] == pytest.approx(validation, rel=1e-4)
    places = torch.linspace(-batches.REACH, batches.REACH, batches.PLACES)[:, None]
    with torch.no_grad():
        curve = model(scaler(places)).squeeze(1)
    torch.testing.assert_close(run.curves[-1], curve, rtol=1e-3, atol=1e-4)


def test_a_run_repeats() -> None:
    first, again = (batches.overfit.__wrapped__(4, 8, 3, epochs=5) for _ in range(2))
    assert first.train_loss == again.train_loss
    assert torch.equal(first.curves, again.curves)
    assert first.parameters == (1 * 4 + 4) + (4 * 4 + 4) + (4 + 1)
    assert batches.overfit(4, 8, 3, epochs=5) is batches.overfit(4, 8, 3, epochs=5)
