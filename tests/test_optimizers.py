from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn, optim
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR, StepLR

from playground import optimizers
from playground.optimizers import Settings
from playground.recipe import FIELDS, Recipe


def weights() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(4, 3, generator=generator))]


def walk(optimizer: optim.Optimizer, parameters: list[nn.Parameter], steps: int = 5) -> None:
    """A few steps on a bowl that is steeper in one direction than in the other."""
    for _ in range(steps):
        optimizer.zero_grad()
        (parameters[0].square() * torch.tensor([1.0, 5.0, 0.1])).sum().backward()
        optimizer.step()


PLAIN: dict[str, Any] = {
    "sgd": lambda p: optim.SGD(p, 0.01, weight_decay=0.1),
    "momentum": lambda p: optim.SGD(p, 0.01, momentum=0.8, weight_decay=0.1),
    "nesterov": lambda p: optim.SGD(p, 0.01, momentum=0.8, nesterov=True, weight_decay=0.1),
    "rmsprop": lambda p: optim.RMSprop(p, 0.01, alpha=0.95, weight_decay=0.1),
    "adam": lambda p: optim.Adam(p, 0.01, (0.7, 0.95), weight_decay=0.1),
    "adamw": lambda p: optim.AdamW(p, 0.01, (0.7, 0.95), weight_decay=0.1),
}


@pytest.mark.parametrize("name", FIELDS["optimizer"].choices)
def test_each_optimizer_takes_torchs_steps(name: str) -> None:
    recipe = Recipe(
        "any",
        optimizer=name,
        learning_rate=0.01,
        weight_decay=0.1,
        momentum=0.8,
        beta1=0.7,
        beta2=0.95,
    )
    mine, plain = weights(), weights()
    walk(optimizers.build(recipe, mine), mine)
    walk(PLAIN[name](plain), plain)
    torch.testing.assert_close(mine, plain)
    assert not torch.equal(mine[0], weights()[0])


def test_sgd_is_the_lectures_formula() -> None:
    mine = weights()
    start = mine[0].detach().clone()
    walk(optimizers.build(Recipe("any", optimizer="sgd", learning_rate=0.1), mine), mine, steps=1)
    gradient = 2 * start * torch.tensor([1.0, 5.0, 0.1])
    torch.testing.assert_close(mine[0].detach(), start - 0.1 * gradient)


@pytest.mark.parametrize("name", ["momentum", "nesterov"])
def test_without_momentum_both_are_plain_sgd(name: str) -> None:
    mine, plain = weights(), weights()
    walk(optimizers.build(Recipe("any", optimizer=name, momentum=0), mine), mine)
    walk(optimizers.build(Recipe("any", optimizer="sgd"), plain), plain)
    assert torch.equal(mine[0], plain[0])


def test_settings_reach_every_step() -> None:
    parameters = weights()
    optimizer = optimizers.build(Recipe("any"), parameters)
    optimizers.apply(optimizer, Settings(0.5, 0.2), 0.1)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.05)
    assert optimizer.param_groups[0]["weight_decay"] == 0.2
    start = parameters[0].detach().clone()
    optimizers.apply(optimizer, Settings(0.0, 0.0), 1.0)
    walk(optimizer, parameters)
    assert torch.equal(parameters[0], start)


def rates(scheduler: Any, optimizer: optim.Optimizer, steps: int) -> list[float]:
    """The learning rates that a torch scheduler gives to ``steps`` steps."""
    found = []
    for step in range(steps):
        found.append(scheduler.get_last_lr()[0])
        optimizer.step()
        if step < steps - 1:
            scheduler.step()
    return found


def factors(recipe: Recipe, steps: int, per_epoch: int) -> list[float]:
    schedule = optimizers.schedule(recipe, steps, per_epoch)
    return [recipe.learning_rate * schedule(step) for step in range(steps)]


@pytest.mark.parametrize("steps", [2, 3, 4, 7, 10, 33, 250])
def test_one_cycle_is_torchs(steps: int) -> None:
    recipe = Recipe("any", schedule="one_cycle", learning_rate=0.02)
    optimizer = optim.SGD(weights(), 1)
    torchs = OneCycleLR(optimizer, max_lr=0.02, total_steps=steps, cycle_momentum=False)
    assert factors(recipe, steps, 1) == pytest.approx(rates(torchs, optimizer, steps), rel=1e-9)


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 250])
def test_every_schedule_stays_within_zero_and_one(steps: int) -> None:
    for name in FIELDS["schedule"].choices:
        schedule = optimizers.schedule(Recipe("any", schedule=name), steps, 1)
        assert all(0 <= schedule(step) <= 1 for step in range(steps)), name


def test_one_cycle_climbs_from_a_25th_to_all_of_it_and_falls_to_almost_nothing() -> None:
    schedule = optimizers.schedule(Recipe("any", schedule="one_cycle"), 100, 10)
    assert schedule(0) == pytest.approx(1 / 25)
    assert schedule(29) == pytest.approx(1)
    assert schedule(99) == pytest.approx(1 / 250_000)
    assert all(schedule(step) < schedule(step + 1) for step in range(29))
    assert all(schedule(step) > schedule(step + 1) for step in range(29, 99))


def test_cosine_is_torchs() -> None:
    recipe = Recipe("any", schedule="cosine", learning_rate=0.3)
    optimizer = optim.SGD(weights(), 0.3)
    torchs = CosineAnnealingLR(optimizer, T_max=40)
    assert factors(recipe, 40, 10) == pytest.approx(rates(torchs, optimizer, 40), rel=1e-6)
    assert optimizers.schedule(recipe, 40, 10)(20) == pytest.approx((1 + math.cos(math.pi / 2)) / 2)


def test_steps_are_torchs_counted_in_epochs() -> None:
    recipe = Recipe(
        "any", schedule="step", step_epochs=2, step_factor=0.1, learning_rate=0.3, epochs=7
    )
    optimizer = optim.SGD(weights(), 0.3)
    torchs = StepLR(optimizer, step_size=2 * 5, gamma=0.1)
    assert factors(recipe, 35, 5) == pytest.approx(rates(torchs, optimizer, 35))


def test_constant_is_constant() -> None:
    assert factors(Recipe("any", learning_rate=0.3), 5, 1) == [0.3] * 5
