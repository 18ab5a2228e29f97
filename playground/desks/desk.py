"""A desk: one student's place, with everything of theirs that outlives a page.

Its id is unguessable and stands in the address of their pages; whoever has the address
has the desk. All tabs of a desk share one :class:`Desk`, so that a reload finds a run
that still trains, and two tabs cannot overwrite each other.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from playground.desks.jobs import Job, Labels, Rounds, Things
from playground.desks.run_list import RunEntry, RunList
from playground.desks.stored import Stored
from playground.desks.stored_run import Label, label_of
from playground.runtime.run import Run
from playground.storage.codecs import Codec
from playground.storage.errors import StoreError
from playground.storage.records import Glance, Member
from playground.storage.schema import EXAMPLES

T = TypeVar("T")


class Home(Protocol):
    """What a desk needs of where it stands (see ``registry``)."""

    clock: Callable[[], float]

    def meet(self, desk: Desk) -> None:
        """Know a desk that has no id yet."""

    def welcome(self, desk: Desk) -> None:
        """Hold a desk that has just got its id."""

    def follow(self, run: Run, desk: Desk) -> None:
        """Keep what becomes of ``run``; those of a sweep at their end alone."""

    def write(self, desk: Desk, job: Job) -> None:
        """Write this down soon; what has to be written twice is written once."""


class Desk:
    """What one student has: the present run of each project, all runs, and own things.

    It has an ``id`` from the moment when there is something worth keeping. ``lock`` is for
    whoever changes a list that another tab may change too.
    """

    def __init__(self, home: Home) -> None:
        self.id: str | None = None
        self.runs: dict[str, Run] = {}  # by project
        self.kept = RunList()
        self.live: dict[str, Any] = {}  # what its tabs share, and nobody stores
        self.deleted = False  # or another server has it: it is not here any more
        self.moved = False
        self.problem: StoreError | None = None  # what of this desk alone cannot be kept
        self.member: Member | None = None  # of the class board
        self.tabs: set[str] = set()  # the browser sessions that have opened it
        self.seen = home.clock()
        self.lock = threading.RLock()
        self._home = home
        self.stored = Stored()
        # Things by kind, and the kinds by name, of those that were asked for.
        self.lists: dict[str, list[Any]] = {}
        self.kinds: dict[str, Codec[Any]] = {}
        self._versions: Counter[str] = Counter()  # of things, by kind
        self._derived: dict[str, tuple[object, Any]] = {}
        home.meet(self)

    def things(self, kind: Codec[T]) -> list[T]:
        """The desk's own things of one kind, in their order; only :meth:`put` changes them."""
        with self.lock:
            if kind.name not in self.lists:
                raw = self.stored.raw.pop(kind.name, ())
                found = [kind.read(content) for content in raw]
                self.lists[kind.name] = [one for one in found if one is not None]
                # One that did not read back, as it may be a newer program's, stays stored behind
                # those that did. It leaves a gap, and what follows is written anew.
                self.stored.foreign[kind.name] = [
                    content for content, one in zip(raw, found, strict=True) if one is None
                ]
                gap = next((n for n, one in enumerate(found) if one is None), len(found))
                self.stored.written[kind.name] = found[:gap]
            self.kinds[kind.name] = kind
            return self.lists[kind.name]

    def put(self, kind: Codec[T], things: Iterable[T]) -> None:
        """These things instead of those of their kind; they must not change any more."""
        with self.lock:
            self.things(kind)
            self.lists[kind.name] = list(things)
            if not self.lists[kind.name]:  # all of them are to go
                self.stored.foreign[kind.name] = []
            self._versions[kind.name] += 1
        if self.lists[kind.name] or self.id is not None:
            self.keep()
            self._home.write(self, Things(kind.name))

    def derived(self, kind: Codec[Any], how: object, make: Callable[[], T]) -> T:
        """What ``make`` makes of the things of ``kind``: the same until they or ``how`` change."""
        with self.lock:
            state = (self._versions[kind.name], how)
            found = self._derived.get(kind.name)
            if found is None or found[0] != state:
                found = self._derived[kind.name] = (state, make())
            made: T = found[1]
            return made

    def take(self, run: Run, shown: bool = True) -> RunEntry:
        """List ``run``, which has begun, and keep what becomes of it."""
        with self.lock:
            kept = self.kept.take(run, shown)
        self.keep()
        self._home.follow(run, self)
        return kept

    def keep(self) -> None:
        """There is something worth keeping: from now on the desk has an id."""
        with self.lock:
            if self.id is None and not self.deleted:
                self.id = secrets.token_urlsafe(16)
                self._home.welcome(self)

    def sync(self) -> None:
        """Write down what the student did to the list of runs: names, ticks, deletions, a sweep."""
        self.seen = self._home.clock()
        for run in self.kept.live():
            self.take(run)
        if self.id is not None and not self.deleted:
            with self.lock:
                labels = self.listed()
                if any(labels.get(known) != label for known, label in self.stored.labels.items()):
                    self._home.write(self, Labels())

    def played(self, outcome: int) -> None:
        """A round of rock, paper, scissors: 0 a tie, 1 the student won, 2 the predictor won."""
        with self.lock:
            if self.member is None:
                return
            score = self.member.score
            name = ("drawn", "won", "lost")[outcome]
            score = replace(score, **{name: getattr(score, name) + 1})
            self.member = replace(self.member, score=score)
            self._home.write(self, Rounds())

    def glance(self) -> Glance:
        """What may be said of the desk to whoever has not opened it yet."""
        with self.lock:
            kinds: list[Mapping[str, Sequence[Any]]] = [self.lists, self.stored.raw]
            things = sum(
                len(found)
                for things in kinds
                for kind, found in things.items()
                if not kind.startswith(EXAMPLES)
            )
            runs = len(self.kept.runs) + len(self.kept.unread)
            return Glance(runs, things, max(0.0, self._home.clock() - self.seen))

    @property
    def busy(self) -> bool:
        """Does one of its runs train, or wait for someone to go on with it?"""
        return any(run.state in ("waiting", "running", "paused") for run in self.kept.live())

    def label(self, kept: RunEntry) -> Label:
        """What is to be stored of what the student says about ``kept``."""
        current = any(self.kept.of(run) is kept for run in list(self.runs.values()))
        return Label(kept.name, kept.shown, current)

    def listed(self) -> dict[str, Label]:
        """The label of each run, by its id, that is stored and still listed."""
        ids = self.stored.ids
        labels = {ids[kept]: self.label(kept) for kept in self.kept.runs if kept in ids}
        for unread in self.kept.unread:
            row = self.stored.unread[ids[unread]]
            labels[row.id] = label_of(row)
        return labels


__all__ = ["Desk", "Home"]
