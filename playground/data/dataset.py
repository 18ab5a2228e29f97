"""The data set: three splits of examples as tensors in memory, and their scaler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, cast

import torch
from torch import Tensor

from playground import limits
from playground.fields import Field, Value
from playground.i18n import N_

Task = Literal["classification", "binary", "regression"]
"""What is asked: which of k classes, yes or no, or how much."""

Augment = Callable[[Tensor, torch.Generator], Tensor]
"""Changes a batch a little: (n, *shape) float in raw units, and a generator -> the same shape."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Inputs with their answers.

    ``inputs`` is (n, *shape): uint8 pictures (0 background, 255 ink) or float32 tables,
    in raw units. ``targets`` is (n,): int64 class numbers, or float32 values (for a
    regression the value itself, for a binary question 0 or 1).
    """

    inputs: Tensor
    targets: Tensor

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.targets):
            raise ValueError(f"{len(self.inputs)} inputs but {len(self.targets)} targets")

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, which: Tensor | slice) -> tuple[Tensor, Tensor]:
        return self.inputs[which], self.targets[which]

    def __add__(self, other: Examples) -> Examples:
        return Examples(
            torch.cat([self.inputs, other.inputs]), torch.cat([self.targets, other.targets])
        )


@dataclass(frozen=True)
class Scaler:
    """Standardisation, fitted on the training split alone: (x - mean) / std.

    For a table ``mean`` and ``std`` are (columns,); for pictures one number each, in
    units of 0..255.
    """

    mean: Tensor
    std: Tensor

    @classmethod
    def fit(cls, examples: Examples) -> Scaler:
        """Mean and standard deviation of the inputs; a column that never varies keeps std 1."""
        inputs = examples.inputs
        if inputs.dtype == torch.uint8:
            # Count each grey value instead of converting 47 million pixels to float.
            counts = torch.bincount(inputs.flatten().int(), minlength=256).double()
            grey = torch.arange(256, dtype=torch.double)
            mean = (counts * grey).sum() / counts.sum()
            std = ((counts * (grey - mean) ** 2).sum() / counts.sum()).sqrt()
        else:
            mean = inputs.double().mean(dim=0)
            std = inputs.double().std(dim=0, correction=0)
        return cls(mean.float(), torch.where(std > 0, std, torch.ones_like(std)).float())

    def __call__(self, inputs: Tensor) -> Tensor:
        """Raw inputs of any number type -> standardised float32 of the same shape."""
        return (inputs.float() - self.mean) / self.std


@dataclass(frozen=True)
class Dataset:
    """Everything a run learns from and is judged by.

    The network's weights follow ``train``; a person chooses settings by looking at
    ``validation``; ``test`` is for the final figure alone.
    """

    train: Examples
    validation: Examples
    test: Examples
    scaler: Scaler
    task: Task = "classification"
    augment: Augment | None = None
    source: str = "generated"
    own: int = 0  # how many of the training examples are the student's own

    @property
    def nbytes(self) -> int:
        """Bytes of all inputs."""
        return sum(part.inputs.nbytes for part in (self.train, self.validation, self.test))

    def describe(self) -> dict[str, str | int]:
        """Where the examples come from and how many there are, for the history."""
        return {
            "source": self.source,
            "train": len(self.train),
            "validation": len(self.validation),
            "test": len(self.test),
            "own": self.own,
        }


OWN_COPIES: Final = Field(
    "own_copies",
    "integer",
    30,
    N_("Repeats of your own pictures"),
    N_("How often each of your own pictures appears per epoch: one among 60,000 hardly counts."),
    low=1,
    high=500,
    log=True,
)


def with_own(dataset: Dataset, data: Mapping[str, Value], own: Examples | None) -> Dataset:
    """``dataset`` with the student's ``own`` pictures in its training split, ``own_copies`` times.

    Validation and test stay as they are, so that figures before and after compare.

    Raises:
        LimitError: these would take more memory than one run's examples may.
    """
    if own is None or not len(own):
        return dataset
    copies = int(cast(int, data["own_copies"]))
    limits.check_data(dataset.train.inputs.nbytes + own.inputs.nbytes * copies)
    repeated = Examples(own.inputs.repeat(copies, 1, 1), own.targets.repeat(copies))
    return replace(dataset, train=dataset.train + repeated, own=len(own))


def split(examples: Examples, shares: tuple[float, float, float], seed: int) -> list[Examples]:
    """Shuffle once with ``seed`` and cut into train, validation and test by ``shares``."""
    order = torch.randperm(len(examples), generator=torch.Generator().manual_seed(seed))
    first = round(len(examples) * shares[0])
    second = first + round(len(examples) * shares[1])
    parts = order[:first], order[first:second], order[second:]
    return [Examples(*examples[part]) for part in parts]
