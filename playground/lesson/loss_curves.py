"""Losses over one number that is moved by hand: how large, and which way is down.

Values come from the real functions in :mod:`playground.losses`, slopes from autograd.
The formulas that the lesson writes out stand here by hand as well (``squared``, …,
``softmax_squared``); a test compares each with torch, value and slope.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final

import torch
from torch import Tensor

from playground import losses
from playground.recipe import Recipe

REGRESSION: Final = ("mse", "l1", "huber")
SMALL: Final = tuple(round(0.85 + 0.01 * n, 2) for n in range(10))
"""What ten examples give to their right answers: all fairly sure, none quite."""

OfOne = Callable[[Tensor], Tensor]
"""A number () -> its loss ()."""


def trace(loss: OfOne, xs: Sequence[float]) -> tuple[list[float], list[float]]:
    """``loss`` at each of ``xs``, and its slope there by autograd."""
    places = torch.tensor(xs, dtype=torch.double, requires_grad=True)
    values = torch.stack([loss(x) for x in places])
    # Each value depends on its own place alone, so the gradient of their sum is every slope.
    (slopes,) = torch.autograd.grad(values.sum(), places)
    return values.tolist(), slopes.tolist()


def at(loss: OfOne, x: float) -> tuple[float, float]:
    """``loss`` at ``x``, and its slope there by autograd."""
    values, slopes = trace(loss, [x])
    return values[0], slopes[0]


def tangent(
    x: float, value: float, slope: float, reach: float, rise: float
) -> tuple[list[float], list[float]]:
    """The ends of a line through (x, value), ``reach`` to each side but at most ``rise`` up."""
    half = min(reach, rise / abs(slope)) if slope else reach
    return [x - half, x + half], [value - slope * half, value + slope * half]


# --- Regression ---------------------------------------------------------------------------


def of_prediction(kind: str, truth: float, delta: float = 1.0) -> OfOne:
    """The loss ``kind`` (of :data:`REGRESSION`) of predicting a number instead of ``truth``."""
    return of_constant(kind, [truth], delta)


def of_constant(kind: str, truths: Sequence[float], delta: float = 1.0) -> OfOne:
    """The mean loss of one and the same answer for all ``truths``."""
    loss = losses.build(Recipe("", loss=kind, huber_delta=delta))
    targets = torch.tensor(truths, dtype=torch.double)  # (n,)
    return lambda answer: loss(answer.expand(len(targets), 1), targets)


def squared(error: float) -> tuple[float, float]:
    """e² and its slope 2e."""
    return error**2, 2 * error


def absolute(error: float) -> tuple[float, float]:
    """|e| and its slope, the sign of e (0 in the kink, as torch has it)."""
    return abs(error), float((error > 0) - (error < 0))


def huber(error: float, delta: float) -> tuple[float, float]:
    """e²/2 up to δ, then a straight line δ(|e| - δ/2): never steeper than δ.

    Source: Huber, Robust estimation of a location parameter, 1964.
    """
    if abs(error) <= delta:
        return error**2 / 2, error
    return delta * (abs(error) - delta / 2), math.copysign(delta, error)


def best_constant(kind: str, truths: Sequence[float], delta: float = 1.0) -> float:
    """The one answer with the smallest mean loss: mean, median, or something between."""
    if kind == "mse":
        return fmean(truths)
    if kind == "l1":
        return float(median(truths))
    # Huber's slope grows with the answer, so its zero is found by halving.
    low, high = min(truths), max(truths)
    for _ in range(60):
        middle = (low + high) / 2
        if sum(huber(middle - truth, delta)[1] for truth in truths) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


# --- Classification -----------------------------------------------------------------------


@dataclass(frozen=True)
class Classified:
    """What cross entropy makes of logits (k,); every tuple has one number a class."""

    powers: tuple[float, ...]  # e^z
    shares: tuple[float, ...]  # softmax
    loss: float
    gradient: tuple[float, ...]  # of the loss by each logit
    loss_twice: float  # the same where somebody has put a softmax before the loss
    gradient_twice: tuple[float, ...]


def classify(logits: Sequence[float], truth: int) -> Classified:
    """Cross entropy and its gradient, by torch, for one example of class ``truth``."""
    leaf = torch.tensor([logits], dtype=torch.double, requires_grad=True)  # (1, k)
    target = torch.tensor([truth])
    loss = losses.build(Recipe("", loss="cross_entropy"))
    once, twice = loss(leaf, target), loss(leaf.softmax(dim=1), target)
    gradients = [torch.autograd.grad(value, leaf)[0][0] for value in (once, twice)]
    return Classified(
        tuple(leaf[0].exp().tolist()),
        tuple(losses.answer("classification", leaf)[0].tolist()),
        once.item(),
        tuple(gradients[0].tolist()),
        twice.item(),
        tuple(gradients[1].tolist()),
    )


def of_logit(kind: str, logits: Sequence[float], truth: int, *, twice: bool = False) -> OfOne:
    """The loss ``kind`` of one example over the logit of its true class, the others fixed.

    ``twice`` puts a softmax before the loss, as a common bug does.
    """
    loss = losses.build(Recipe("", loss=kind))
    fixed = torch.tensor(logits, dtype=torch.double)
    target = torch.tensor([truth])
    own = torch.arange(len(logits)) == truth

    def at_logit(z: Tensor) -> Tensor:
        outputs = torch.where(own, z, fixed).unsqueeze(0)  # (1, k)
        return loss(outputs.softmax(dim=1) if twice else outputs, target)

    return at_logit


def of_yes(*, yes: bool) -> OfOne:
    """Binary cross entropy of one answer over its logit."""
    loss = losses.build(Recipe("", loss="bce"))
    target = torch.tensor([float(yes)], dtype=torch.double)
    return lambda z: loss(z.view(1, 1), target)


def softmax(logits: Sequence[float]) -> list[float]:
    """e^z over the sum of all e^z."""
    powers = [math.exp(z) for z in logits]
    return [power / sum(powers) for power in powers]


def cross_entropy(logits: Sequence[float], truth: int) -> tuple[float, list[float]]:
    """-ln p of the true class, and its slope by each logit: p - y, where y is 1 or 0.

    Source: Bishop, Pattern Recognition and Machine Learning, 2006, equation 4.109.
    """
    shares = softmax(logits)
    return -math.log(shares[truth]), [p - (n == truth) for n, p in enumerate(shares)]


def softmax_squared(z: float) -> tuple[float, float]:
    """(p - 1)² with p = sigmoid(z), and its slope 2(p - 1)·p(1 - p).

    That is the MSE of softmax(z, 0) against (1, 0): both classes are off by p - 1. The
    last factor is sigmoid's own slope, and it is nearly zero where p is near 0 *or* 1.
    """
    p = 1 / (1 + math.exp(-z))
    return (p - 1) ** 2, 2 * (p - 1) * p * (1 - p)


# --- Why not MSE --------------------------------------------------------------------------

SLOPES: Final[dict[str, Callable[[float], float]]] = {
    "cross_entropy": lambda z: cross_entropy([z, 0.0], 0)[1][0],
    "mse_one_hot": lambda z: softmax_squared(z)[1],
}


def steps_to(kind: str, z: float, share: float, rate: float, most: int) -> int | None:
    """Steps z <- z - rate * slope until the right one of two has ``share``; None: over ``most``."""
    goal = math.log(share / (1 - share))
    for step in range(most + 1):
        if z >= goal:
            return step
        z -= rate * SLOPES[kind](z)
    return None
