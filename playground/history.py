"""What a run leaves behind: plain data, apart from whoever shows it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import msgspec

from playground.errors import PlaygroundError
from playground.i18n import N_
from playground.optimizers import Settings
from playground.recipe import unknown
from playground.training import Ending, Epoch, Step

Ended = Literal[Ending, "stopped", "failed", "loaded"]
"""How a run came to its end; *loaded*: its network was trained elsewhere, see ``weights``."""


class HistoryError(PlaygroundError):
    """A text that is no history of a run."""


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

    def changed(self, name: str, value: float) -> None:
        """Note a change that the next step is the first to feel."""
        self.changes.append(Change(self.steps + 1, name, value, self.wall, self.training))

    @property
    def steps(self) -> int:
        return len(self.losses)

    def series(self, split: Literal["train", "validation"], figure: str) -> list[float]:
        """One figure ("loss", "accuracy", …) of each epoch on that split.

        Raises:
            RecipeError: another split or figure, with the nearest. The test set is not
                measured after each epoch, but once: ``run.test()``.
        """
        if split not in ("train", "validation"):
            raise unknown(split, ["train", "validation"])
        if self.epochs and figure not in self.epochs[0].validation:
            raise unknown(figure, self.epochs[0].validation)
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
        """Plain values of its own, which do not change with the history."""
        values = vars(self.copy())
        del values["_settings"]
        # Not asdict() for all: it would look at each of the many losses.
        values["epochs"] = [asdict(row) for row in self.epochs]
        values["changes"] = [asdict(change) for change in self.changes]
        return values

    def to_json(self) -> str:
        """JSON that :meth:`from_json` reads back to an equal history."""
        return json.dumps(self.to_dict(), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> History:
        """Read :meth:`to_json`'s text, believing nothing of it.

        Raises:
            HistoryError: it is something else, or a value in it is.
        """
        try:
            return msgspec.json.decode(text, type=HistorySchema).history()
        except (ValueError, RecursionError) as error:
            raise HistoryError(
                N_("This is not a run history: {reason}."),
                reason=f"{type(error).__name__}: {error}"[:200],
            ) from error


class EpochSchema(msgspec.Struct, forbid_unknown_fields=True):
    """An :class:`EpochRow` as JSON has it."""

    epoch: int
    step: int
    train: dict[str, float]
    validation: dict[str, float]
    wall: float
    training: float


class ChangeSchema(msgspec.Struct, forbid_unknown_fields=True):
    """A :class:`Change` as JSON has it."""

    step: int
    name: str
    value: float
    wall: float
    training: float


class HistorySchema(msgspec.Struct, forbid_unknown_fields=True):
    """A :class:`History` as JSON has it: the types, and what an earlier version did not write.

    A new field has a default here, which is what it was before. Numbers are finite, as JSON
    has no others.
    """

    data: dict[str, int | str] = {}
    losses: list[float] = []
    figures: dict[str, list[float]] = {}
    epochs: list[EpochSchema] = []
    changes: list[ChangeSchema] = []
    wall: float = 0.0
    training: float = 0.0
    ended: Ended | None = None
    reason: str = ""

    def history(self) -> History:
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        values["epochs"] = [EpochRow(**msgspec.structs.asdict(row)) for row in self.epochs]
        values["changes"] = [Change(**msgspec.structs.asdict(one)) for one in self.changes]
        return History(**values)
