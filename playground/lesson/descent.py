"""Walks down a loss surface: what torch's own optimizers do with two weights, step by step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal

import torch
from torch import Tensor, nn

from playground import optimizers
from playground.lesson.surfaces import SPAN, SURFACES, Place
from playground.recipe import FIELDS, Recipe

NAMES: Final = ("sgd", "momentum", "nesterov", "rmsprop", "adam")
STEPS: Final = 100
LOST: Final = 1e4  # a weight beyond this (the picture ends at 4) will not come back

CALM: Final = 0.9  # momentum that is worth a try where there is more
BETTER: Final = 0.99  # of the loss that is left: lower than that is better


def recipe(name: str, learning_rate: float, momentum: float) -> Recipe:
    """What :func:`playground.optimizers.build` makes optimizer ``name`` of.

    RMSprop's average forgets ten times as fast as Adam's, as by default in torch: it starts
    at zero and is not corrected for that, so with 0.999 its first steps would be 30 times the
    learning rate.
    """
    return Recipe(
        project="optimizers",
        optimizer=name,
        learning_rate=learning_rate,
        momentum=momentum,
        beta2=0.99 if name == "rmsprop" else 0.999,
    )


@dataclass(frozen=True)
class Track:
    """One optimizer's way: entry k of each list is how things stand after k steps.

    ``memory`` is the optimizer's own state after k steps by torch's names
    (``momentum_buffer``, ``square_avg``, ``exp_avg``, ``exp_avg_sq``); none before the first.
    The lists end before a weight gets beyond :data:`LOST` or is not finite, which step
    ``lost`` would do.
    """

    name: str
    recipe: Recipe
    points: Sequence[Place]
    losses: Sequence[float]
    gradients: Sequence[Place]
    memory: Sequence[dict[str, Place]]
    lost: int | None = None

    def outside(self, low: float, high: float) -> int | None:
        """The step since which it has been out of ``low``..``high``; None if it is inside."""
        inside = [low <= x <= high and low <= y <= high for x, y in self.points]
        if inside[-1]:
            return self.lost
        last = max((k for k, here in enumerate(inside) if here), default=-1)
        return last + 1

    def upto(self, step: int) -> Track:
        """The same way as it was after ``step`` steps."""
        end = step + 1
        lost = self.lost if self.lost is not None and self.lost <= step else None
        return Track(
            self.name,
            self.recipe,
            self.points[:end],
            self.losses[:end],
            self.gradients[:end],
            self.memory[:end],
            lost,
        )


@lru_cache(maxsize=64)  # a slider that walks along the tracks does not make them anew
def race(
    surface: str,
    start: Place,
    learning_rate: float,
    momentum: float,
    names: tuple[str, ...] = NAMES,
    steps: int = STEPS,
) -> tuple[Track, ...]:
    """The ways of the optimizers ``names`` over ``steps`` steps. Shared: do not change."""
    return walk(surface, start, [recipe(name, learning_rate, momentum) for name in names], steps)


def walk(
    surface: str, start: Place, recipes: Sequence[Recipe], steps: int = STEPS
) -> tuple[Track, ...]:
    """Descend from ``start`` once for each of ``recipes``.

    Each optimizer has two weights of its own. Their losses are added up for one
    ``backward()``: a sum's gradient is each part's own, and it takes a quarter of the time.
    """
    value = SURFACES[surface].value
    weights = [nn.Parameter(torch.tensor(start, dtype=torch.double)) for _ in recipes]
    runners = [
        optimizers.build(one, [weight]) for one, weight in zip(recipes, weights, strict=True)
    ]
    points, losses, gradients = [], [], []  # of each step: (optimizers, 2), (optimizers,), …
    memory: list[list[dict[str, Place]]] = []
    for _ in range(steps + 1):
        places = torch.stack(list(weights))
        loss = value(places)
        for runner in runners:
            runner.zero_grad()
        loss.sum().backward()
        points.append(places.detach())
        losses.append(loss.detach())
        gradients.append(torch.stack([_gradient(weight) for weight in weights]))
        memory.append(
            [_state(runner, weight) for runner, weight in zip(runners, weights, strict=True)]
        )
        for runner in runners:
            runner.step()
    ways = torch.stack(points, 1).tolist()
    heights = torch.stack(losses, 1).tolist()
    slopes = torch.stack(gradients, 1).tolist()
    tracks = []
    for n, one in enumerate(recipes):
        end = next((k for k, place in enumerate(ways[n]) if not _sane(place)), None)
        tracks.append(
            Track(
                one.optimizer,
                one,
                [(x, y) for x, y in ways[n][:end]],
                heights[n][:end],
                [(x, y) for x, y in slopes[n][:end]],
                [states[n] for states in memory[:end]],
                end,
            )
        )
    return tuple(tracks)


@dataclass(frozen=True)
class Update:
    """One step by the optimizer's formula, with its numbers; pairs, one number a weight.

    ``old`` and ``new`` are the memory before and after (``v``; ``s``; ``m`` and ``s``),
    ``corrected`` Adam's two averages without their start at zero, ``after`` the new weights.
    """

    step: int  # counted from 1
    before: Place
    gradient: Place
    old: dict[str, Place]
    new: dict[str, Place]
    corrected: dict[str, Place]
    after: Place


EPSILON: Final = 1e-8  # torch's default for RMSprop and Adam


def by_hand(track: Track, step: int) -> Update:
    """The step from ``step`` to ``step + 1``, by the formulas of torch's documentation.

    SGD: w - lr·g. Momentum: v = μv + g, w - lr·v. Nesterov: w - lr·(g + μv). RMSprop:
    s = αs + (1 - α)g², w - lr·g/(√s + ε). Adam (Kingma and Ba, 2015): m = β₁m + (1 - β₁)g,
    s = β₂s + (1 - β₂)g², both divided by 1 - βᵗ, and w - lr·m/(√s + ε).
    """
    w, g = track.points[step], track.gradients[step]
    rate, mu = track.recipe.learning_rate, track.recipe.momentum
    beta1, beta2 = track.recipe.beta1, track.recipe.beta2

    def kept(name: str) -> Place:
        return track.memory[step].get(name, (0.0, 0.0))

    old: dict[str, Place] = {}
    new: dict[str, Place] = {}
    corrected: dict[str, Place] = {}
    direction = g
    match track.name:
        case "momentum" | "nesterov":
            # Without momentum torch keeps none, and by the formula it is the last gradient.
            last = track.gradients[step - 1] if mu == 0 and step else (0.0, 0.0)
            old = {"v": track.memory[step].get("momentum_buffer", last)}
            new = {"v": _mix(mu, old["v"], 1, g)}
            direction = _mix(1, g, mu, new["v"]) if track.name == "nesterov" else new["v"]
        case "rmsprop":
            old = {"s": kept("square_avg")}
            new = {"s": _mix(beta2, old["s"], 1 - beta2, _squared(g))}
            direction = _scaled(g, new["s"])
        case "adam":
            old = {"m": kept("exp_avg"), "s": kept("exp_avg_sq")}
            new = {
                "m": _mix(beta1, old["m"], 1 - beta1, g),
                "s": _mix(beta2, old["s"], 1 - beta2, _squared(g)),
            }
            corrected = {
                "m": _mix(1 / (1 - beta1 ** (step + 1)), new["m"], 0, g),
                "s": _mix(1 / (1 - beta2 ** (step + 1)), new["s"], 0, g),
            }
            direction = _scaled(corrected["m"], corrected["s"])
    return Update(step + 1, w, g, old, new, corrected, _mix(1, w, -rate, direction))


def _mix(a: float, first: Place, b: float, second: Place) -> Place:
    return a * first[0] + b * second[0], a * first[1] + b * second[1]


def _squared(pair: Place) -> Place:
    return pair[0] ** 2, pair[1] ** 2


def _scaled(pair: Place, squares: Place) -> Place:
    return (
        pair[0] / (math.sqrt(squares[0]) + EPSILON),
        pair[1] / (math.sqrt(squares[1]) + EPSILON),
    )


def _gradient(weight: nn.Parameter) -> Tensor:
    assert weight.grad is not None
    return weight.grad.clone()


def _state(runner: torch.optim.Optimizer, weight: nn.Parameter) -> dict[str, Place]:
    """The pairs of numbers that the optimizer remembers of ``weight``."""
    state = runner.state.get(weight, {})
    pairs = {name: kept.tolist() for name, kept in state.items() if isinstance(kept, Tensor)}
    return {name: (kept[0], kept[1]) for name, kept in pairs.items() if isinstance(kept, list)}


def _sane(place: Sequence[float]) -> bool:
    return all(math.isfinite(weight) and abs(weight) <= LOST for weight in place)


def limit(name: str, momentum: float, curvature: float) -> float | None:
    """The learning rate from which on ``name`` is thrown out of a bottom of this curvature.

    On a parabola of curvature h, SGD multiplies the distance to the bottom by 1 - lr·h at
    each step, which grows from lr = 2/h on; with momentum μ the step is a recurrence of
    second order, which grows from 2(1 + μ)/h on, Nesterov's from 2(1 + μ)/((1 + 2μ)h) on
    (Polyak, 1964; Nesterov, 1983). None: RMSprop and Adam, whose steps do not grow with the
    gradient.
    """
    match name:
        case "sgd":
            return 2 / curvature
        case "momentum":
            return 2 * (1 + momentum) / curvature
        case "nesterov":
            return 2 * (1 + momentum) / ((1 + 2 * momentum) * curvature)
    return None


@dataclass(frozen=True)
class Verdict:
    """What became of a whole track, and what would have done better.

    right: it came to rest. detour: so it did, but left :data:`SPAN` on its way. lost: it is
    out of :data:`SPAN`. restless: it jumps and does not come closer. large, small: a smaller
    or a larger learning rate ends lower. momentum: less momentum does, or it has been at half
    of this loss before and has rolled on. stuck: the ground is flat, but not at a lowest
    place. best: none of that helps. ``better`` is the track that ends lower, if one was found.
    """

    kind: Literal[
        "right", "detour", "lost", "restless", "large", "small", "momentum", "stuck", "best"
    ]
    better: Track | None = None


def judge(surface: str, track: Track) -> Verdict:
    """Judge a whole track by experiment: half and twice its learning rate, and less momentum.

    A rule of thumb that looks at one track alone calls too small what jumps to and fro
    between two points, and blames the learning rate where momentum is to blame.
    """
    if settled(track) is not None:
        return Verdict("right" if all(_inside(place) for place in track.points) else "detour")
    left = _left(track)
    one = track.recipe
    tried = _others(surface, track.points[0], track.name, one.learning_rate, one.momentum)
    found = {
        kind: other
        for kind, other in tried.items()
        if _left(other) < BETTER * left and not (kind == "small" and math.isinf(left))
    }
    kind = min(found, key=lambda name: _left(found[name]), default=None)
    better = None if kind is None else found[kind]
    if kind == "momentum" or ("momentum" in tried and min(track.losses) < left / 2 < math.inf):
        return Verdict("momentum", found.get("momentum"))
    if kind == "small":
        return Verdict("small", better)
    if math.isinf(left):
        return Verdict("lost", better)
    if _jumps(track):
        return Verdict("restless", better)
    if kind == "large":
        return Verdict("large", better)
    flat = math.hypot(*track.gradients[-1]) < 0.1
    return Verdict("stuck" if flat else "best")


@lru_cache(maxsize=64)
def _others(
    surface: str, start: Place, name: str, rate: float, momentum: float
) -> Mapping[str, Track]:
    """What else to try: half the learning rate, twice as much, less momentum."""
    others = {"large": recipe(name, rate / 2, momentum)}
    if 2 * rate <= FIELDS["learning_rate"].high:
        others["small"] = recipe(name, 2 * rate, momentum)
    if name in ("momentum", "nesterov") and momentum > 0:
        others["momentum"] = recipe(name, rate, CALM if momentum > CALM else momentum / 2)
    return dict(zip(others, walk(surface, start, [*others.values()]), strict=True))


def _inside(place: Place) -> bool:
    return all(SPAN[0] <= weight <= SPAN[1] for weight in place)


def _left(track: Track) -> float:
    """The loss at its end; infinite out of :data:`SPAN`."""
    return math.inf if track.outside(*SPAN) is not None else track.losses[-1]


def _jumps(track: Track) -> bool:
    """Whether the last steps turn back and back again, and do not get shorter."""
    tail = track.points[-21:]
    moves = [(x2 - x, y2 - y) for (x, y), (x2, y2) in pairwise(tail)]
    turns = sum(a * c + b * d < 0 for (a, b), (c, d) in pairwise(moves))
    lengths = [math.hypot(*move) for move in moves]
    shrinks = max(lengths[-5:]) < 0.9 * max(lengths[:5])
    return turns >= len(moves) / 4 and not shrinks and max(lengths) > 0.01


def settled(track: Track, share: float = 0.01, quiet: int = 10) -> int | None:
    """The first step after which the loss stays under ``share`` of the first one.

    None if it has not done so for the last ``quiet`` steps.
    """
    bound = max(share * track.losses[0], 1e-9)
    above = [k for k, loss in enumerate(track.losses) if loss > bound]
    step = above[-1] + 1 if above else 0
    return step if step + quiet <= len(track.losses) else None


__all__ = [
    "BETTER", "CALM", "LOST", "NAMES", "STEPS", "Track", "Update", "Verdict", "by_hand", "judge",
    "limit", "race", "settled", "walk",
]  # fmt: skip
