"""What a run leaves behind: plain data, apart from whoever shows it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from playground.optimizers import Settings
from playground.training import Ending, Epoch, Step

Ended = Literal[Ending, "stopped", "failed"]


@dataclass(frozen=True)
class EpochRow:
    """One epoch's figures. ``train``: running means over its batches. ``validation``: after it."""

    epoch: int
    step: int
    train: dict[str, float]
    validation: dict[str, float]
    wall: float  # seconds since the run's start, pauses included
    training: float  # seconds of training alone


@dataclass(frozen=True)
class Change:
    """A control moved while the run went on; ``step`` is the first step that used ``value``."""

    step: int
    name: str
    value: float
    wall: float
    training: float


@dataclass
class History:
    """Every step's batch loss, every epoch's figures, every change, and how it ended."""

    data: dict[str, str | int] = field(default_factory=dict)  # where the examples came from
    losses: list[float] = field(default_factory=list)  # of the batch, one a step
    figures: dict[str, list[float]] = field(default_factory=dict)  # likewise, by figure's name
    epochs: list[EpochRow] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    wall: float = 0.0
    training: float = 0.0
    ended: Ended | None = None
    reason: str = ""
    _settings: Settings | None = field(default=None, repr=False, compare=False)

    def add(self, event: Step | Epoch, wall: float = 0.0, training: float = 0.0) -> None:
        """Take one event of ``training.fit`` with the seconds at which it came."""
        self.wall, self.training = wall, training
        if isinstance(event, Epoch):
            row = EpochRow(event.number, event.step, event.train, event.validation, wall, training)
            self.epochs.append(row)
            return
        if self._settings is not None and event.settings != self._settings:
            moved = zip(event.settings._fields, event.settings, self._settings, strict=True)
            self.changes += [
                Change(event.number, name, new, wall, training)
                for name, new, old in moved
                if new != old
            ]
        self._settings = event.settings
        if math.isfinite(event.loss):
            self.losses.append(event.loss)
            for name, value in event.figures.items():
                self.figures.setdefault(name, []).append(value)
        else:
            self.ended = "diverged"

    @property
    def steps(self) -> int:
        return len(self.losses)

    def series(self, split: Literal["train", "validation"], figure: str) -> list[float]:
        """One figure ("loss", "accuracy", …) of each epoch on that split."""
        rows: list[dict[str, float]] = [getattr(row, split) for row in self.epochs]
        return [row[figure] for row in rows]

    def copy(self) -> History:
        """A history that no longer grows; rows are frozen, so sharing them is safe."""
        return replace(
            self,
            data=dict(self.data),
            losses=list(self.losses),
            figures={name: list(values) for name, values in self.figures.items()},
            epochs=list(self.epochs),
            changes=list(self.changes),
        )

    def to_dict(self) -> dict[str, Any]:
        values = asdict(self)
        del values["_settings"]
        return values

    def to_json(self) -> str:
        """JSON that :meth:`from_json` reads back to an equal history."""
        return json.dumps(self.to_dict(), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> History:
        values = json.loads(text)
        values["epochs"] = [EpochRow(**row) for row in values["epochs"]]
        values["changes"] = [Change(**change) for change in values["changes"]]
        return cls(**values)
