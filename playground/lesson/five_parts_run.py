"""Runs a script of :mod:`five_parts`, and looks at the network it has made.

The script seeds and draws from torch's global generator, as a student's script does. So
scripts run one at a time, in one thread of their own that computes with one processor
thread, and the generator is put back as it was: nothing outside is disturbed, and the
downloaded file prints the same lines.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

import torch
from torch import Tensor, nn

from playground.lesson.five_parts import Choices, Program
from playground.runtime import torch_threads

FILE_NAME: Final = "five_parts.py"
GRID: Final = 61  # places along a side of the picture of two inputs
CURVE: Final = 121  # places along the picture of one input

Span = tuple[float, float]
# What the pictures show, data -> (x, y).
SPANS: Final[Mapping[str, tuple[Span, Span]]] = {
    "rings": ((-1.3, 1.3), (-1.3, 1.3)),
    "xor": ((-1.3, 1.3), (-1.3, 1.3)),
    "price": ((1.0, 5.0), (0.0, 20.0)),
    "wave": ((-1.0, 1.0), (-1.8, 1.8)),
}

# One worker: what waits, waits in turn. It ends with the interpreter, which joins it.
WORKER: Final = ThreadPoolExecutor(1, "five-parts", initializer=torch_threads.use, initargs=(1,))


@dataclass(frozen=True)
class Outcome:
    """What a script printed, and what its network says; plain data, apart from the script."""

    choices: Choices
    lines: tuple[str, ...]  # as printed; none: it has not been trained
    figure: float | None  # validation accuracy (0..1), or mean error
    inputs: Tensor  # (n, 1 or 2): all examples, training first
    targets: Tensor  # (n,): classes 0 and 1, or values
    answers: Tensor  # (GRID, GRID) probability of class 1, rows from low y to high; or (CURVE,)

    @property
    def losses(self) -> list[float]:
        """The loss of each epoch, as printed."""
        return [float(line.rsplit(" ", 1)[1]) for line in self.lines[: self.choices.epochs]]


def run(program: Program) -> Outcome:
    """Run all of ``program.source``.

    The same script gives the same outcome, so one that has run lately is not run again.
    """
    return outcome_of(program.source, program.choices)


def untrained(program: Program) -> Outcome:
    """Run its first two parts: the data, and a network with random weights."""
    return outcome_of(program.untrained, program.choices)


@lru_cache(maxsize=256)
def outcome_of(source: str, choices: Choices) -> Outcome:
    """Run ``source`` on the one thread that is for it."""
    return WORKER.submit(_execute, source, choices).result()


def _execute(source: str, choices: Choices) -> Outcome:
    """In the worker. ``source`` was made from checked choices (see ``five_parts.write``)."""
    printed = io.StringIO()
    names: dict[str, Any] = {"__name__": "__main__", "print": partial(print, file=printed)}
    with torch.random.fork_rng(devices=[]):
        exec(compile(source, FILE_NAME, "exec"), names)
    figure = names.get("accuracy", names.get("error"))
    return Outcome(
        choices,
        tuple(printed.getvalue().splitlines()),
        None if figure is None else float(figure),
        names["X"],
        names["y"].flatten(),
        answers(names["model"], choices),
    )


@torch.no_grad()
def answers(model: nn.Module, choices: Choices) -> Tensor:
    """What ``model`` says all over the picture: see :attr:`Outcome.answers`."""
    x, y = SPANS[choices.data]
    if not choices.classes:
        values: Tensor = model(torch.linspace(*x, CURVE).unsqueeze(1)).squeeze(1)
        return values
    rows, columns = torch.linspace(*y, GRID), torch.linspace(*x, GRID)
    second, first = torch.meshgrid(rows, columns, indexing="ij")
    outputs = model(torch.stack([first, second], dim=2).flatten(0, 1))  # (GRID², 1 or 2)
    match choices.loss:
        case "cross_entropy":
            shares = outputs.softmax(dim=1)[:, 1]
        case "bce":
            shares = outputs.sigmoid().squeeze(1)
        case _:
            shares = outputs.clamp(0, 1).squeeze(1)
    picture: Tensor = shares.reshape(GRID, GRID)
    return picture
