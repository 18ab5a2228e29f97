"""What may have to be written of a desk, as data; ``writing`` does it."""

from __future__ import annotations

from dataclasses import dataclass

from playground.desks.run_list import RunEntry, Unread
from playground.runtime.run import Run


@dataclass(frozen=True)
class Things:
    """To be written down: the things of one kind."""

    kind: str


@dataclass(frozen=True)
class WholeRun:
    """To be written down: a run, with its network or all that it needs to go on."""

    run: Run


@dataclass(frozen=True)
class Remains:
    """To be written down: a run of which only what the list says is left."""

    listed: RunEntry | Unread


@dataclass(frozen=True)
class Labels:
    """To be written down: what the student says about the runs, and which are deleted."""


@dataclass(frozen=True)
class Best:
    """To be put on the class board: what a run that is over brings; None: the best of all."""

    run: Run | None = None


@dataclass(frozen=True)
class Rounds:
    """To be put on the class board: rounds of rock, paper, scissors."""


Job = Things | WholeRun | Remains | Labels | Best | Rounds


__all__ = ["Best", "Job", "Labels", "Remains", "Rounds", "Things", "WholeRun"]
