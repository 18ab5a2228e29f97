"""What the store takes and gives: plain frozen records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """One run as it is stored.

    ``network``: a safetensors file of :func:`playground.export.weights.save`.
    ``progress``: one of what :meth:`playground.training_state.Progress.save` gave, while the
    run can still go on. ``own``: the kind of thing that its own examples are.
    """

    id: str
    number: int
    name: str
    shown: bool
    current: bool  # its project's page shows it
    state: str
    recipe: str
    history: str
    parameters: int
    steps_total: int
    served: float
    own: str = ""
    network: bytes | None = None
    progress: bytes | None = None

    @property
    def bytes(self) -> int:
        blobs = len(self.network or b"") + len(self.progress or b"")
        return len(self.recipe) + len(self.history) + blobs


@dataclass(frozen=True)
class BoardEntry:
    """What one run reached on the validation set, as the class board says it.

    ``value``: accuracy (0..1), or the mean error in the target's unit. ``best``: the same of
    the best possible model, where it is known. ``examples``: how many validation examples.
    ``seconds``: of training alone. ``at``: when it came to the board, in Unix time.
    ``other``: JSON of the data options that make it another task than the others'; "" if none.
    """

    project: str
    value: float
    best: float | None
    examples: int
    parameters: int
    seconds: float
    steps: int
    at: float
    other: str = ""


@dataclass(frozen=True)
class Score:
    """Rounds of rock, paper, scissors: won by the student, by the predictor, and drawn."""

    won: int = 0
    lost: int = 0
    drawn: int = 0

    @property
    def rounds(self) -> int:
        return self.won + self.lost + self.drawn


@dataclass(frozen=True)
class Member:
    """One desk on the class board, which never says whose it is.

    ``handle`` stands for it there. ``nickname`` is None once the teacher has taken it away.
    """

    handle: str
    nickname: str | None
    joined: float
    score: Score = field(default_factory=Score)
    figures: Mapping[str, BoardEntry] = field(default_factory=dict)  # by project


@dataclass(frozen=True)
class StoredDesk:
    """All that one desk has: its runs by number, its things by kind, in their order."""

    runs: Sequence[Row]
    things: Mapping[str, Sequence[bytes]]
    member: Member | None = None  # of the class board


@dataclass(frozen=True)
class Glance:
    """What may be said of a desk before it is opened.

    ``runs``: how many are listed. ``things``: own pictures, tables and games. ``ago``: seconds
    since it was last used.
    """

    runs: int
    things: int
    ago: float


__all__ = ["BoardEntry", "Glance", "Member", "Row", "Score", "StoredDesk"]
