"""The formulas written by hand say what torch says, in value and in slope."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from playground import losses
from playground.lesson import loss_curves

NUMBERS = st.floats(-20, 20, allow_nan=False).map(lambda x: round(x, 3))
DELTAS = st.floats(0.1, 10).map(lambda x: round(x, 2))
LOGITS = st.lists(NUMBERS, min_size=2, max_size=5)
TRUTHS = st.lists(st.floats(0, 100).map(lambda x: round(x, 2)), min_size=1, max_size=9)


def close(expected: object) -> object:
    return pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(NUMBERS, NUMBERS, DELTAS)
def test_regression_by_hand(answer: float, truth: float, delta: float) -> None:
    by_hand = {
        "mse": loss_curves.squared(answer - truth),
        "l1": loss_curves.absolute(answer - truth),
        "huber": loss_curves.huber(answer - truth, delta),
    }
    for kind in loss_curves.REGRESSION:
        by_torch = loss_curves.at(loss_curves.of_prediction(kind, truth, delta), answer)
        assert by_hand[kind] == close(by_torch)


@given(LOGITS, st.integers(0, 4))
def test_cross_entropy_by_hand(logits: list[float], truth: int) -> None:
    truth %= len(logits)
    loss, gradient = loss_curves.cross_entropy(logits, truth)
    found = loss_curves.classify(logits, truth)
    assert loss == close(found.loss)
    assert gradient == close(list(found.gradient))
    assert loss_curves.softmax(logits) == close(list(found.shares))
    assert found.powers == close(tuple(map(math.exp, logits)))


@given(LOGITS, st.integers(0, 4))
def test_softmax_twice_is_softmax_twice(logits: list[float], truth: int) -> None:
    truth %= len(logits)
    found = loss_curves.classify(logits, truth)
    again = loss_curves.cross_entropy(found.shares, truth)[0]
    assert found.loss_twice == close(again)
    # Whatever the logits: never less than this, so the loss cannot say "well done".
    least = math.log(math.e + len(logits) - 1) - 1
    assert found.loss_twice >= least - 1e-9
    assert sum(found.gradient_twice) == close(0.0)


@given(LOGITS, st.integers(0, 4), st.booleans())
def test_a_logits_slope_is_its_part_of_the_gradient(
    logits: list[float], truth: int, twice: bool
) -> None:
    truth %= len(logits)
    found = loss_curves.classify(logits, truth)
    loss = loss_curves.of_logit("cross_entropy", logits, truth, twice=twice)
    value, slope = loss_curves.at(loss, logits[truth])
    assert value == close(found.loss_twice if twice else found.loss)
    assert slope == close((found.gradient_twice if twice else found.gradient)[truth])


@given(NUMBERS, st.booleans())
def test_binary_cross_entropy_by_hand(z: float, yes: bool) -> None:
    by_torch = loss_curves.at(loss_curves.of_yes(yes=yes), z)
    p = 1 / (1 + math.exp(-z))
    by_hand = (-math.log(p if yes else 1 - p), p - yes)
    assert by_hand == pytest.approx(by_torch, abs=1e-6)


@given(NUMBERS)
def test_mse_on_softmax_by_hand(z: float) -> None:
    by_torch = loss_curves.at(loss_curves.of_logit("mse_one_hot", [z, 0.0], 0), z)
    assert loss_curves.softmax_squared(z) == close(by_torch)


@given(NUMBERS)
def test_the_slopes_of_the_race_are_autograds(z: float) -> None:
    for kind, slope in loss_curves.SLOPES.items():
        loss = loss_curves.of_logit(kind, [z, 0.0], 0)
        assert slope(z) == close(loss_curves.at(loss, z)[1])


@given(TRUTHS, DELTAS, st.floats(-1, 1))
def test_no_other_constant_is_better(truths: list[float], delta: float, beside: float) -> None:
    for kind in loss_curves.REGRESSION:
        best = loss_curves.best_constant(kind, truths, delta)
        loss = loss_curves.of_constant(kind, truths, delta)
        (here, there), _slopes = loss_curves.trace(loss, [best, best + beside])
        assert here <= there + 1e-9


def test_a_curve_is_the_mean_over_the_batch() -> None:
    truths = [13.0, 14.5, 40.0]
    values, slopes = loss_curves.trace(loss_curves.of_constant("mse", truths), [10.0, 20.0])
    for x, value, slope in zip((10.0, 20.0), values, slopes, strict=True):
        hand = [loss_curves.squared(x - truth) for truth in truths]
        assert value == close(sum(v for v, _s in hand) / 3)
        assert slope == close(sum(s for _v, s in hand) / 3)


@given(NUMBERS, NUMBERS, st.floats(-30, 30))
def test_a_tangent_goes_through_its_point(x: float, value: float, slope: float) -> None:
    xs, ys = loss_curves.tangent(x, value, slope, reach=1.5, rise=4)
    assert sum(xs) / 2 == close(x)
    assert sum(ys) / 2 == close(value)
    assert ys[1] - ys[0] == close(slope * (xs[1] - xs[0]))
    assert abs(ys[1] - ys[0]) <= 8 + 1e-9


def test_the_race_is_torchs_gradient_descent() -> None:
    for kind in loss_curves.SLOPES:
        z = torch.tensor([[-3.0, 0.0]], dtype=torch.double)
        step = 0
        while z.softmax(dim=1)[0, 0] < 0.9:
            leaf = z[0, 0].clone().requires_grad_()
            outputs = torch.stack([leaf, leaf * 0]).unsqueeze(0)
            loss = {"cross_entropy": functional.cross_entropy, "mse_one_hot": losses.mse_one_hot}
            value = loss[kind](outputs, torch.tensor([0]))
            (slope,) = torch.autograd.grad(value, leaf)
            z[0, 0] -= slope
            step += 1
        assert loss_curves.steps_to(kind, -3.0, 0.9, rate=1.0, most=5000) == step
    assert loss_curves.steps_to("mse_one_hot", -8.0, 0.9, rate=1.0, most=50) is None
    assert loss_curves.steps_to("cross_entropy", 5.0, 0.9, rate=1.0, most=50) == 0


def test_ten_small_losses_are_small() -> None:
    assert len(loss_curves.SMALL) == 10
    assert sum(-math.log(p) for p in loss_curves.SMALL) < -math.log(0.3)


def test_a_confident_mistake_pulls_about_ten_times_as_hard_as_a_nearly_right_answer() -> None:
    """And costs more than all ten of them: both are said beside the picture."""
    curve = loss_curves.of_yes(yes=True)
    wrong, slope = (line[0] for line in loss_curves.trace(curve, [-4.0]))
    nearly = loss_curves.trace(curve, [math.log(p / (1 - p)) for p in loss_curves.SMALL])
    assert wrong > 3 * sum(nearly[0])
    assert slope / (sum(nearly[1]) / 10) == pytest.approx(10, rel=0.1)
