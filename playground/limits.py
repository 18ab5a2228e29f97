"""What one run may take: refused before anything is made, with the figure and the way out.

A few sliders at their ends describe a network that no class server holds: four blocks of
128 channels at stride 1 over 64 x 64 pictures put out 8 GB a batch. So memory and work are
counted from the recipe first, on a network without numbers in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import torch
from torch import nn

from playground import models
from playground.errors import PlaygroundError
from playground.i18n import N_
from playground.recipe import Recipe

MOST_BYTES: Final = 2**30
"""Of one run at its peak. As many runs peak at a time as there are workers: one a core."""

MOST_OPERATIONS: Final = 200_000_000_000
"""Multiplications and additions at a stretch: a step, or a look at the validation set.

A worker goes on to the next student's run only after one of them. One core of a busy
laptop makes 10 to 20 thousand million a second, so that is 10 to 20 seconds.
"""

MOST_DRAWING: Final = 100
"""Seconds of a busy core that drawing a data set may take; meanwhile it is one worker less."""

MEASURED: Final = 6_000  # examples of the largest validation set of pictures; tables cost little
TOGETHER: Final = 1_000  # examples that training.outputs_of measures at a time
FLOAT: Final = 4  # bytes of a float32

# What the estimates depend on, besides the data's options.
FIELDS: Final = (
    "architecture",
    "hidden",
    "channels",
    "kernels",
    "strides",
    "activation",
    "dropout",
    "optimizer",
    "batch_size",
)

_NETWORK: Final = tuple(name for name in FIELDS if name not in ("optimizer", "batch_size"))

# Numbers that an optimizer remembers for each weight.
_REMEMBERED: Final = {"sgd": 0, "momentum": 1, "nesterov": 1, "rmsprop": 1, "adam": 2, "adamw": 2}
# Weight and gradient; the last finite and the best weights; those that the page shows and
# those that will replace them; the page's own network.
_COPIES: Final = 7
# What is kept after an epoch, to go on from: the weights, the best ones.
_KEPT: Final = 2


class LimitError(PlaygroundError):
    """A run that would take more than one run may."""


@dataclass(frozen=True)
class Need:
    """What a recipe takes.

    ``weights``: bytes of all weights with gradients, optimizer and copies. ``signals``:
    bytes of what the layers put out, for a batch or for the examples measured together,
    whichever is more. ``operations``: multiplications and additions at a stretch.
    """

    parameters: int
    weights: int
    signals: int
    operations: int

    @property
    def bytes(self) -> int:
        return self.weights + self.signals


def need(recipe: Recipe, input_shape: tuple[int, ...], outputs: int) -> Need:
    """Count what ``recipe`` would take for inputs of that shape; no memory is used for it.

    Signals: backpropagation keeps each layer's output of the whole batch, and handles two
    gradients of the largest beside them; measuring holds a layer's input, output and what
    comes of it. Measured peaks stay below: 472 of an estimated 735 MB, 946 of 1,470 MB, 215 of
    359 MB (28 x 28 pictures: two blocks of 64 channels at stride 1 with batches of 256, the
    same with Maxout and dropout, six layers of 1,024 with batches of 1,024; torch 2.14, one
    thread, a run without a page).
    """
    network = {name: getattr(recipe, name) for name in _NETWORK}
    net = _net(Recipe("", **network), input_shape, outputs)
    copies = _COPIES + _KEPT + 2 * _REMEMBERED[recipe.optimizer]  # remembered, and kept
    trained = recipe.batch_size * (net.outputs + 2 * net.largest)
    measured = TOGETHER * 3 * net.largest
    # Backward is twice the work of forward: once for the signals, once for the weights.
    examples = max(3 * recipe.batch_size, MEASURED)
    return Need(
        net.parameters,
        FLOAT * copies * net.parameters,
        FLOAT * max(trained, measured),
        2 * net.products * examples,
    )


def check(recipe: Recipe, input_shape: tuple[int, ...], outputs: int) -> None:
    """Refuse what one run may not take.

    Raises:
        LimitError: naming the figure, the limit, and what to make smaller.
    """
    found = need(recipe, input_shape, outputs)
    if found.bytes > MOST_BYTES:
        raise LimitError(
            N_(
                "This network would need about {need} MB of memory: {weights} MB for its weights "
                "with gradients, optimizer and copies, {signals} MB for what its layers put out. "
                "One run may take {limit} MB: choose fewer channels or neurons, a larger stride "
                "or a smaller batch."
            ),
            need=_mega(found.bytes),
            weights=_mega(found.weights),
            signals=_mega(found.signals),
            limit=_mega(MOST_BYTES),
        )
    if found.operations > MOST_OPERATIONS:
        raise LimitError(
            N_(
                "This network would hold up everybody else: a step, or a look at the validation "
                "set, takes about {need} thousand million multiplications and additions, and "
                "{limit} are allowed. Choose fewer channels, a larger stride or a smaller batch."
            ),
            need=math.ceil(found.operations / 1e9),
            limit=MOST_OPERATIONS // 1_000_000_000,
        )


def check_drawing(pictures: int, milliseconds: float) -> None:
    """Refuse a data set of so many ``pictures`` that take a core so long each.

    Raises:
        LimitError: naming the time, the limit, and what to change.
    """
    seconds = pictures * milliseconds / 1000
    if seconds > MOST_DRAWING:
        raise LimitError(
            N_(
                "Drawing {pictures} such pictures would take about {seconds} seconds, and "
                "{limit} are allowed: choose fewer, smaller ones, or fewer photos."
            ),
            pictures=pictures,
            seconds=round(seconds),
            limit=MOST_DRAWING,
        )


def _mega(count: int) -> int:
    return math.ceil(count / 2**20)


@dataclass(frozen=True)
class _Net:
    """A network's counts for one example: numbers that its layers put out, and products."""

    parameters: int
    outputs: int  # of all layers
    largest: int  # of the largest one
    products: int  # a weight times an input


@lru_cache(maxsize=256)
def _net(recipe: Recipe, input_shape: tuple[int, ...], outputs: int) -> _Net:
    model = models.skeleton(recipe, input_shape, outputs).eval()
    signal = torch.empty(1, *input_shape, device="meta")
    sizes = [signal.numel()]
    products = 0
    for module in model:
        signal = module(signal)
        size = signal.numel()
        pieces = module.pieces if isinstance(module, models.Maxout) else module
        if isinstance(pieces, nn.Linear | nn.Conv2d):
            # A window's weights are used once a place; a picture has height times width of them.
            places = math.prod(signal.shape[2:])
            products += pieces.weight.numel() * places
        if isinstance(module, models.Maxout):
            sizes.append(2 * size)
        if isinstance(module, models.Dropout):
            sizes += [size, size]  # which neurons stay, and the product with it
        if not isinstance(module, nn.Flatten | nn.Unflatten):  # these copy nothing
            sizes.append(size)
    return _Net(models.parameters(model), sum(sizes), max(sizes), products)


__all__ = [
    "FIELDS",
    "MOST_BYTES",
    "MOST_DRAWING",
    "MOST_OPERATIONS",
    "LimitError",
    "Need",
    "check",
    "check_drawing",
    "need",
]
