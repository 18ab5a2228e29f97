"""What a recipe will take of memory and work: estimated before it is built, refused if too much.

A few sliders at their ends describe a network that no class server holds: four blocks of
128 channels at stride 1 over 64 x 64 pictures put out 8 GB a batch. So memory and work are
counted from the recipe first, on a network without numbers in it.
"""

from __future__ import annotations

import heapq
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import torch
from torch import nn

from playground import limits, models
from playground.i18n import N_
from playground.limits import LimitError, megabytes
from playground.recipe import Recipe

MEMORY: Final = "PLAYGROUND_MEMORY"  # environment: MB for all runs together
RESERVED_BYTES: Final = 3 * 2**30  # bytes for the system, the program and its pages
DEFAULT_MEMORY: Final = 8 * 2**30  # bytes of a machine that does not say how many it has

MEASURED: Final = 6_000  # examples of the largest validation set of pictures; tables cost little
EVAL_BATCH: Final = 1_000  # examples that training.outputs_of measures at a time
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


@dataclass(frozen=True)
class ResourceEstimate:
    """What a recipe takes.

    ``weights``: bytes of all weights with gradients, optimizer and copies. ``signals``:
    bytes of what the layers put out, for a batch or for the examples measured together,
    whichever is more. ``operations``: multiplications and additions at a stretch.
    ``data``: bytes of the examples that are this run's own to hold.
    """

    parameters: int
    weights: int
    signals: int
    operations: int
    data: int = 0

    @property
    def bytes(self) -> int:
        return self.weights + self.signals

    @property
    def over(self) -> ResourceEstimate:
        """What is left of it when the run is over: one copy of the weights, and the examples."""
        return ResourceEstimate(self.parameters, FLOAT * self.parameters, 0, 0, self.data)


def estimate(recipe: Recipe, input_shape: tuple[int, ...], outputs: int) -> ResourceEstimate:
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
    measured = EVAL_BATCH * 3 * net.largest
    # Backward is twice the work of forward: once for the signals, once for the weights.
    examples = max(3 * recipe.batch_size, MEASURED)
    return ResourceEstimate(
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
    found = estimate(recipe, input_shape, outputs)
    if found.bytes > limits.MAX_RUN_BYTES:
        raise LimitError(
            N_(
                "This network would need about {need} MB of memory: {weights} MB for its weights "
                "with gradients, optimizer and copies, {signals} MB for the outputs of its "
                "layers. One run may use {limit} MB: choose fewer channels or neurons, a larger "
                "stride or a smaller batch."
            ),
            need=megabytes(found.bytes),
            weights=megabytes(found.weights),
            signals=megabytes(found.signals),
            limit=megabytes(limits.MAX_RUN_BYTES),
        )
    if found.operations > limits.MAX_OPERATIONS:
        raise LimitError(
            N_(
                "This network would hold up everybody else: a step, or a look at the validation "
                "set, takes about {need} billion multiplications and additions, and {limit} are "
                "allowed. Choose fewer channels, a larger stride or a smaller batch."
            ),
            need=math.ceil(found.operations / 1e9),
            limit=limits.MAX_OPERATIONS // 1_000_000_000,
        )


def peak_bytes(needs: Iterable[ResourceEstimate], at_once: int) -> int:
    """Bytes of runs of which ``at_once`` are in a step at a time: between steps no signals stay.

    Which are in a step is anybody's guess, so those with the largest signals.
    """
    found = list(needs)
    peaks = heapq.nlargest(at_once, (one.signals for one in found))
    return sum(one.weights + one.data for one in found) + sum(peaks)


def check_together(
    new: Iterable[ResourceEstimate], others: Iterable[ResourceEstimate], at_once: int, budget: int
) -> None:
    """Refuse runs that do not fit into ``budget`` bytes beside the ``others``, which train.

    Raises:
        LimitError: naming what they need, what is left, and what to do.
    """
    others = list(others)
    taken = peak_bytes(others, at_once)
    wanted = peak_bytes([*others, *new], at_once)
    if wanted > budget:
        raise LimitError(
            N_(
                "The server has too little memory left: this needs about {need} MB more, but only "
                "{left} of the {limit} MB for everyone's networks are free. Choose a smaller "
                "network, or wait until others have finished."
            ),
            need=megabytes(wanted - taken),
            limit=megabytes(budget),
            left=max(0, budget - taken) // 2**20,
        )


def budget() -> int:
    """Bytes that all live runs of this process may take together.

    ``PLAYGROUND_MEMORY`` says it in MB; else it is the machine's memory less 3 GB for
    everything else, or half of it, where that is more.
    """
    said = os.environ.get(MEMORY, "")
    if said.isdecimal() and int(said):
        return int(said) * 2**20
    machine = memory()
    return max(machine - RESERVED_BYTES, machine // 2)


def memory(root: Path = Path("/")) -> int:
    """Bytes of the machine, or of the container: what its control groups allow, if that is less.

    ``root`` is a parameter for tests.
    """
    try:
        found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    except (AttributeError, ValueError, OSError):  # Windows
        found = [DEFAULT_MEMORY]
    groups = root / "sys/fs/cgroup"
    files = [groups / "memory.max", groups / "memory/memory.limit_in_bytes"]
    for line in _read(root / "proc/self/cgroup").splitlines():
        path = line.rpartition(":")[2].strip("/")  # "0::/system.slice/playground.service"
        for place in (Path(path), *Path(path).parents):
            files += [groups / place / "memory.max"]
    for file in files:
        text = _read(file).strip()  # "max" is no limit
        if text.isdecimal() and int(text):
            found.append(int(text))
    return min(found)


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, ValueError):
        return ""


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
    "ResourceEstimate",
    "budget",
    "check",
    "check_together",
    "estimate",
    "memory",
    "peak_bytes",
]
