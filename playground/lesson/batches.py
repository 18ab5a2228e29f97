"""Epochs and batches: how examples are dealt, how noisy a batch's gradient is, overfitting."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from playground import models, optimizers
from playground.data.dataset import Examples, Scaler
from playground.projects.coffee import data as coffee
from playground.recipe import Recipe
from playground.seeds import generator

# --- Dealing --------------------------------------------------------------------------


def steps_per_epoch(n: int, batch: int) -> int:
    """How many batches ``n`` examples make: n / batch, rounded up for what is left over."""
    return math.ceil(n / batch)


def deal(n: int, batch: int, epochs: int, shuffle: bool, seed: int) -> list[list[list[int]]]:
    """The numbers of the examples: by epoch, by batch.

    Drawn as the training loop does: one generator for all epochs, one permutation an epoch.
    """
    source = generator(seed, "shuffle")
    dealt = []
    for _ in range(epochs):
        order = torch.randperm(n, generator=source) if shuffle else torch.arange(n)
        dealt.append([part.tolist() for part in order.split(batch)])
    return dealt


# --- The noise of a batch's gradient ---------------------------------------------------

RECEIPTS: Final = 128
NOISE: Final = 2.0  # zł, around the rule
SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128)


@lru_cache(maxsize=1)
def receipts() -> Examples:
    """Medium coffees in the café: extras (n,) and prices (n,), by the coffee project's rule."""
    menu = [{"size": "medium", "extras": k, "takeaway": False} for k in range(4)]
    rule = coffee.price(coffee.encode_rows(menu))
    source = generator(0, "receipts")
    extras = torch.randint(4, (RECEIPTS,), generator=source)
    prices = rule[extras] + NOISE * torch.randn(RECEIPTS, generator=source)
    return Examples(extras.double(), prices.double())


def loss(w: Tensor) -> Tensor:
    """The mean squared error of price = w₁ · extras + w₂: weights (…, 2) -> losses (…)."""
    extras, prices = receipts()[:]
    errors = w[..., :1] * extras + w[..., 1:] - prices
    return errors.square().mean(-1)


def gradients(w: Tensor) -> Tensor:
    """The gradient at ``w`` (2,) of each receipt alone: (n, 2). A batch's is their mean.

    Of (w₁x + w₂ - y)² by w₁: 2 (w₁x + w₂ - y) x, by w₂: 2 (w₁x + w₂ - y).
    """
    extras, prices = receipts()[:]
    doubled = 2 * (w[0] * extras + w[1] - prices)
    return torch.stack([doubled * extras, doubled], -1)


@lru_cache(maxsize=1)
def best() -> tuple[float, float]:
    """The weights of the lowest loss, by least squares."""
    extras, prices = receipts()[:]
    columns = torch.stack([extras, torch.ones_like(extras)], -1)
    w1, w2 = torch.linalg.lstsq(columns, prices).solution.tolist()
    return w1, w2


@lru_cache(maxsize=128)
def descend(
    start: tuple[float, float], batch: int, learning_rate: float, epochs: int, seed: int
) -> tuple[tuple[float, float], ...]:
    """SGD on the receipts: the weights at the start and after each step. Ends if it diverges."""
    examples = receipts()
    w = nn.Parameter(torch.tensor(start, dtype=torch.double))
    recipe = Recipe(project="batches", optimizer="sgd", learning_rate=learning_rate)
    optimizer = optimizers.build(recipe, [w])
    path = [start]
    for epoch in deal(len(examples), batch, epochs, True, seed):
        for part in epoch:
            extras, prices = examples[torch.tensor(part)]
            optimizer.zero_grad()
            functional.mse_loss(w[0] * extras + w[1], prices).backward()
            optimizer.step()
            w1, w2 = w.tolist()
            if not math.hypot(w1, w2) < 1e6:
                return tuple(path)
            path.append((w1, w2))
    return tuple(path)


def spread(w: Tensor, batch: int, orders: int = 64) -> float:
    """How far a batch's gradient lies from that of all receipts: the root mean square.

    Measured over ``orders`` shuffled epochs.
    """
    each = gradients(w)
    source = generator(0, "spread")
    drawn = torch.stack([torch.randperm(len(each), generator=source) for _ in range(orders)])
    means = each[drawn].unflatten(1, (-1, batch)).mean(2)  # (orders, batches, 2)
    return float((means - each.mean(0)).square().sum(-1).mean().sqrt())


def expected_spread(w: Tensor, batch: float) -> float:
    """What theory says of :func:`spread`: σ/√batch · √((n - batch)/(n - 1)).

    σ is the spread of single receipts. The second root is there because a shuffled epoch
    draws without putting back (Cochran, Sampling Techniques, 1977, theorem 2.2): of all n
    together nothing is left to chance.
    """
    each = gradients(w)
    n = len(each)
    sigma = (each - each.mean(0)).square().sum(-1).mean().sqrt()
    return float(sigma) / math.sqrt(batch) * math.sqrt((n - batch) / (n - 1))


def epoch_seconds(batch: int, times: int = 3) -> float:
    """The shortest time of one epoch of :func:`descend`, measured here and now.

    The shortest, because whatever else the computer does only adds to it.
    """
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        descend.__wrapped__((0.0, 0.0), batch, 1e-3, 1, 0)
        taken.append(time.perf_counter() - began)
    return min(taken)


# --- Overfitting -----------------------------------------------------------------------

EPOCHS: Final = 200
VALIDATION: Final = 100
SCATTER: Final = 0.4
REACH: Final = 3.0
PLACES: Final = 101  # of a curve

Fit = Literal["underfits", "fits", "overfits"]


def rule(x: Tensor) -> Tensor:
    """What the examples scatter around."""
    return torch.sin(1.5 * x)


def scattered(n: int, seed: int, purpose: str) -> Examples:
    """``n`` examples: inputs (n, 1) in ±REACH, targets (n,) with noise."""
    source = generator(seed, purpose)
    x = (2 * torch.rand(n, 1, generator=source) - 1) * REACH
    return Examples(x, rule(x).squeeze(1) + SCATTER * torch.randn(n, generator=source))


@lru_cache(maxsize=1)
def floor() -> float:
    """The validation loss of the rule itself: what is left is the noise of these examples."""
    held_back = scattered(VALIDATION, 0, "validation")
    return float((rule(held_back.inputs).squeeze(1) - held_back.targets).square().mean())


@dataclass(frozen=True)
class Overfit:
    """A run that went on too long. Entry k of each list is after k epochs."""

    train: Examples
    validation: Examples
    train_loss: Sequence[float]
    validation_loss: Sequence[float]
    curves: Tensor  # (epochs + 1, PLACES): what the network said over -REACH … REACH
    parameters: int

    @property
    def best(self) -> int:
        """The epoch with the lowest validation loss."""
        return min(range(len(self.validation_loss)), key=self.validation_loss.__getitem__)

    @property
    def fit(self) -> Fit:
        """What the losses at the end say, beside the noise that no network can learn.

        underfits: not even the training examples are learned. overfits: validation was better
        before, or is far above training and noise. fits: neither.
        """
        noise = SCATTER**2
        train, end = self.train_loss[-1], self.validation_loss[-1]
        if train > 1.5 * noise:
            return "underfits"
        by_heart = train < end / 2 and end > 1.25 * noise
        return "overfits" if by_heart or end > 1.25 * self.validation_loss[self.best] else "fits"


@lru_cache(maxsize=64)  # a slider that walks along the epochs does not train anew
def overfit(neurons: int, examples: int, seed: int, epochs: int = EPOCHS) -> Overfit:
    """Train two hidden layers of ``neurons`` on few noisy examples. Shared: do not change.

    The numbers of the app's own loop, sooner: all examples are one batch, so the forward pass of
    an epoch tells the training loss before it, and validation and curve are one more pass.
    """
    train, held_back = scattered(examples, seed, "train"), scattered(VALIDATION, 0, "validation")
    settings = recipe(neurons, epochs, seed)
    model = models.build(settings, (1,), 1)
    optimizer = optimizers.build(settings, model.parameters())
    scaler = Scaler.fit(train)
    places = torch.linspace(-REACH, REACH, PLACES)[:, None]
    inputs, others = scaler(train.inputs), scaler(torch.cat([held_back.inputs, places]))
    losses: list[Tensor] = []
    looks: list[Tensor] = []
    for epoch in range(epochs + 1):
        loss = functional.mse_loss(model(inputs).squeeze(1), train.targets)
        losses.append(loss.detach())
        with torch.no_grad():
            looks.append(model(others).squeeze(1))
        if epoch < epochs:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    answers, curves = torch.stack(looks).split([VALIDATION, PLACES], 1)
    return Overfit(
        train,
        held_back,
        torch.stack(losses).tolist(),
        (answers - held_back.targets).square().mean(1).tolist(),
        curves,
        models.parameters(model),
    )


def recipe(neurons: int, epochs: int, seed: int) -> Recipe:
    """How :func:`overfit` trains, as a recipe."""
    return Recipe(
        project="batches",
        hidden=(neurons, neurons),
        activation="tanh",
        loss="mse",
        optimizer="adam",
        learning_rate=0.03,
        batch_size=1024,
        epochs=epochs,
        seed=seed,
    )
