"""Part 4 of 5, the optimizer: how a gradient moves the weights.

SGD walks straight down the gradient: w ← w - lr · g. Momentum keeps some of the last
step, RMSprop and Adam give every weight a step size of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from torch import nn, optim

from playground.recipe import Recipe

Schedule = Callable[[int], float]
"""Step number, counted from 0 -> what the learning rate is multiplied by."""


class Settings(NamedTuple):
    """What may be changed while a run is going."""

    learning_rate: float
    weight_decay: float


def build(recipe: Recipe, parameters: Iterable[nn.Parameter]) -> optim.Optimizer:
    """The recipe's optimizer over ``parameters``.

    ``fused`` does one pass over all weights instead of one a weight matrix: a third
    faster for small networks, on a CPU too.
    """
    rate, decay = recipe.learning_rate, recipe.weight_decay
    betas = recipe.beta1, recipe.beta2
    match recipe.optimizer:
        case "sgd":
            return optim.SGD(parameters, rate, weight_decay=decay, fused=True)
        case "momentum" | "nesterov" if recipe.momentum > 0:
            nesterov = recipe.optimizer == "nesterov"
            return optim.SGD(
                parameters,
                rate,
                momentum=recipe.momentum,
                nesterov=nesterov,
                weight_decay=decay,
                fused=True,
            )
        case "momentum" | "nesterov":  # without momentum both are plain SGD
            return optim.SGD(parameters, rate, weight_decay=decay, fused=True)
        case "rmsprop":
            return optim.RMSprop(parameters, rate, alpha=recipe.beta2, weight_decay=decay)
        case "adam":
            return optim.Adam(parameters, rate, betas, weight_decay=decay, fused=True)
        case "adamw":
            return optim.AdamW(parameters, rate, betas, weight_decay=decay, fused=True)
    raise ValueError(recipe.optimizer)


def apply(optimizer: optim.Optimizer, settings: Settings, factor: float) -> None:
    """Set learning rate (times the schedule's ``factor``) and weight decay for the next step."""
    for group in optimizer.param_groups:
        group["lr"] = settings.learning_rate * factor
        group["weight_decay"] = settings.weight_decay


def schedule(recipe: Recipe, steps: int, steps_per_epoch: int) -> Schedule:
    """The recipe's schedule for a run of ``steps``.

    A factor rather than a torch scheduler, because a person may move the learning rate
    while it runs: the schedule goes on, from the new value.
    """
    match recipe.schedule:
        case "one_cycle":
            return lambda step: one_cycle(step, steps)
        case "cosine":
            return lambda step: cosine(step, steps)
        case "step":
            return lambda step: stairs(
                step, steps_per_epoch * recipe.step_epochs, recipe.step_factor
            )
    return lambda _step: 1.0


def one_cycle(step: int, steps: int) -> float:
    """Up from 1/25 for 30 % of the ``steps``, then down to 1/250,000, both along a cosine.

    Source: Smith, Super-Convergence, 2017, with the defaults of ``OneCycleLR`` in torch.
    """
    peak, last = 0.3 * steps - 1, max(steps - 1, 1)
    if step <= peak:
        return _along(1 / 25, 1, step / peak)
    return _along(1, 1 / 250_000, (step - peak) / max(last - peak, 1))


def cosine(step: int, steps: int) -> float:
    """Down to nothing along half a cosine. Source: Loshchilov and Hutter, SGDR, 2016."""
    return _along(1, 0, step / steps)


def stairs(step: int, every: int, by: float) -> float:
    """Multiplied by ``by`` after ``every`` steps, again and again."""
    return by ** (step // every)


def _along(start: float, end: float, progress: float) -> float:
    """From ``start`` to ``end`` along half a cosine, ``progress`` 0..1."""
    return end + (start - end) * (1 + math.cos(math.pi * min(progress, 1.0))) / 2
