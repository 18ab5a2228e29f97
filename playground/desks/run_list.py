"""The runs that a session keeps: a list of bounded size, and its way out as CSV and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec

from playground.data import tables
from playground.errors import PlaygroundError
from playground.fields import Field
from playground.history import History, HistorySchema
from playground.i18n import N_
from playground.projects import PROJECTS
from playground.recipe import Recipe
from playground.runtime.run import CpuAccount, Run, Snapshot
from playground.versions import Step, upgraded

MAX_RUNS: Final = 200
MAX_STEPS: Final = 2_000_000
"""Of all kept runs together: each step's loss and figures take some 64 bytes."""
LONGEST: Final = 60  # letters of a run's name
VERSION: Final = 1
UPGRADES: Final[dict[int, Step]] = {}
"""By version of a file of runs: from its plain values to those of the next."""

Look = Callable[[Run], Snapshot]


@dataclass(eq=False)
class RunEntry:
    """One run of the list: its last snapshot, and the run itself while that may still go on.

    A run that is over is let go, with its data set and its network; what remains is data.
    """

    number: int  # in the session, from 1
    snapshot: Snapshot
    run: Run | None = None
    name: str = ""  # as the student calls it
    shown: bool = True  # among the curves
    parameters: int = 0  # weights and biases; 0 while nobody knows

    @property
    def recipe(self) -> Recipe:
        return self.snapshot.recipe

    @property
    def history(self) -> History:
        return self.snapshot.history

    @property
    def live(self) -> bool:
        """May it still go on?"""
        return self.run is not None

    def rename(self, name: object) -> None:
        """Take a name on one line, cut to what a table shows; "" is none."""
        self.name = one_line(name or "")[:LONGEST]

    def refresh(self, look: Look = Run.snapshot) -> None:
        """Look at the run once more; let it go if it is over."""
        if self.run is None:
            return
        over = self.run.over  # asked first: what comes after is its last
        self.snapshot = look(self.run)
        self.parameters = self.run.parameters
        if over:
            self.run = None


@dataclass(eq=False)
class Unread:
    """A stored run of another version of this program, which nobody can read here."""

    number: int
    name: str = ""


@dataclass
class RunList:
    """All runs that a session has begun, oldest first, up to a limit."""

    runs: list[RunEntry] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)  # they count, too
    count: int = 0  # of all that ever were here
    dropped: int = 0  # because there were too many
    share: CpuAccount = field(
        default_factory=CpuAccount
    )  # of the workers, for all of them together
    # By run, so that none is taken twice, nor once more after it was deleted.
    _seen: WeakKeyDictionary[Run, RunEntry] = field(default_factory=WeakKeyDictionary)

    def take(self, run: Run, shown: bool = True) -> RunEntry:
        """List ``run``, unless it has been; if there are too many, the oldest go."""
        if run in self._seen:
            return self._seen[run]
        self.count += 1
        self.share.seconds = max(self.share.seconds, run.share.seconds)
        run.share = self.share
        kept = RunEntry(self.count, run.snapshot(), run, shown=shown)
        self._seen[run] = kept
        self.runs.append(kept)
        kept.refresh()
        self._drop()
        return kept

    def restore(self, kept: RunEntry) -> None:
        """List a run of an earlier time, after all others; its number and run are its own."""
        self.count = max(self.count, kept.number)
        if kept.run is not None:
            self._seen[kept.run] = kept
        self.runs.append(kept)

    def bring_unread(self, unread: Unread) -> None:
        """Say that there is a run of another version; it keeps its number."""
        self.count = max(self.count, unread.number)
        self.unread.append(unread)

    def of(self, run: Run) -> RunEntry | None:
        """The entry of ``run``, while it is listed."""
        kept = self._seen.get(run)
        return kept if kept in self.runs else None

    def refresh(self, look: Look = Run.snapshot) -> None:
        """Look at all that may still go on; with ``RunService.look`` they count as watched."""
        for kept in self.runs:
            kept.refresh(look)
        self._drop()

    def delete(self, chosen: Iterable[RunEntry]) -> None:
        """Forget ``chosen``, for good; one that still trains goes on unlisted."""
        numbers = set()
        for kept in chosen:
            numbers.add(kept.number)
            kept.refresh()
            kept.run = None
        self.runs = [kept for kept in self.runs if kept.number not in numbers]

    def live(self) -> list[Run]:
        """The runs that may still go on."""
        return [kept.run for kept in self.runs if kept.run is not None]

    def _drop(self) -> None:
        """Drop the oldest that are over while the list is too long or its curves too large."""
        steps = sum(kept.history.steps for kept in self.runs)
        while len(self.runs) + len(self.unread) > MAX_RUNS or steps > MAX_STEPS:
            # Never the newest: a run that is too large alone is still worth a look.
            oldest = next((kept for kept in self.runs[:-1] if not kept.live), None)
            if oldest is None:
                return
            self.runs.remove(oldest)
            self.dropped += 1
            steps -= oldest.history.steps


def one_line(text: object) -> str:
    """``text`` on one line, as any file and any page can hold it.

    A browser may send half of a sign (a lone surrogate), which nothing can write down.
    """
    return " ".join(re.sub("[\0\ud800-\udfff]", "", str(text)).split())


# --- Out, and in again ------------------------------------------------------------------


def to_csv(runs: Sequence[tuple[str, RunEntry]], decimal_comma: bool = False) -> str:
    """A row an epoch of each (name, run), as CSV; names that look like formulas are defused.

    Columns: run, project, epoch, step, seconds (of training alone), and each figure of
    the training batches' means and of the validation set. ``decimal_comma`` as a Polish
    spreadsheet wants it, see :func:`playground.data.tables.to_csv`.
    """
    rows: list[dict[str, object]] = []
    for name, kept in runs:
        for row in kept.history.epochs:
            place = {"run": name, "project": kept.recipe.project, "epoch": row.epoch}
            figures = {f"train_{figure}": value for figure, value in row.train.items()}
            figures |= {f"validation_{figure}": value for figure, value in row.validation.items()}
            rows.append({**place, "step": row.step, "seconds": row.training, **figures})
    headings = ["run", "project", "epoch", "step", "seconds"]
    headings += [key for row in rows for key in row]
    fields = [Field(name, "number", 0.0, name) for name in dict.fromkeys(headings)]
    return tables.to_csv(rows, fields, decimal_comma)


def to_json(runs: Sequence[tuple[str, RunEntry]]) -> str:
    """Name, recipe and history of each run, which :func:`from_json` reads back."""
    records = [
        {"name": name, "recipe": kept.recipe.to_dict(), "history": kept.history.to_dict()}
        for name, kept in runs
    ]
    return json.dumps({"version": VERSION, "runs": records}, allow_nan=False)


class RunSchema(msgspec.Struct):
    """One run in a file of runs."""

    recipe: dict[str, Any]  # which reads itself
    history: HistorySchema
    name: str = ""


class RunsSchema(msgspec.Struct):
    """A file of runs, as :func:`to_json` writes it."""

    version: int
    runs: list[RunSchema]


def from_json(text: str) -> list[tuple[str, Recipe, History]]:
    """What :func:`to_json` wrote, now or in an earlier version: (name, recipe, history) of each.

    Raises:
        PlaygroundError: it is no such file; a recipe in it is none (as
            :meth:`Recipe.from_dict` says).
    """
    try:
        plain = msgspec.json.decode(text, type=dict[str, Any])
        found = msgspec.convert(upgraded(plain, VERSION, UPGRADES), RunsSchema)
        if found.version != VERSION:
            raise ValueError(found.version)
        return [
            (one_line(one.name), _opened(Recipe.from_dict(one.recipe)), one.history.history())
            for one in found.runs
        ]
    except PlaygroundError:
        raise  # it says itself what is wrong
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PlaygroundError(
            N_("This is not a file of runs: {reason}."), reason=f"{type(error).__name__}: {error}"
        ) from error


def _opened(recipe: Recipe) -> Recipe:
    kind = PROJECTS.get(recipe.project)
    return recipe if kind is None else kind.opened(recipe)
