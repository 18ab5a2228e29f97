"""The desks of this process: who has which open, found by id, and forgotten in time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

from playground.desks import stored_run
from playground.desks.class_board import ClassBoard
from playground.desks.desk import Desk
from playground.desks.jobs import Best, Job, WholeRun
from playground.desks.run_list import Unread
from playground.desks.writer import Writer
from playground.i18n import N_
from playground.runtime.run import Run
from playground.storage.errors import NoDeskError, StoreError
from playground.storage.records import Glance, Row, StoredDesk
from playground.storage.schema import EXAMPLES
from playground.storage.store import ID, Store

# Seconds after its last page until a desk leaves the memory.
FORGET: Final = float(os.environ.get("PLAYGROUND_FORGET_AFTER", "1800"))
FORGET_UNKEPT: Final = 7200.0  # the same for one that could not be written down


class Desks:
    """The desks of this process; :attr:`board` is the class board on which some of them stand.

    ``clock`` is a parameter for tests.
    """

    def __init__(
        self, store: Store | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.store = store or Store()
        self.clock = clock
        self._held: dict[str, Desk] = {}
        self._all: WeakValueDictionary[str, Desk] = WeakValueDictionary()
        self._met: WeakSet[Desk] = WeakSet()  # also those that have no id yet
        self._owner: WeakKeyDictionary[Run, Desk] = WeakKeyDictionary()
        self.writer = Writer(self.store, self._here, self._moved, self.prune, often=FORGET)
        # One lock: a desk is deleted, and what was to be written of it, in one moment.
        self._changed = self.writer.changed
        self.board = ClassBoard(self.writer, self._find, clock)

    @property
    def problem(self) -> StoreError | None:
        """Why nothing can be kept at the moment."""
        return self.writer.problem

    def flush(self, patience: float = 30.0) -> bool:
        """Wait until all is written that can be; is nothing left?"""
        return self.writer.flush(patience)

    def close(self) -> None:
        """Write what is left, and end."""
        self.writer.close()

    # --- For pages --------------------------------------------------------------------------

    def fresh(self) -> Desk:
        """A desk for somebody who has none; nothing is stored before there is something."""
        return Desk(self)

    def open(self, asked: str) -> Desk:
        """The desk of that id, from this process or from the store.

        Raises:
            NoDeskError: there is none; nobody's address looks like that, or it was deleted.
            StoreError: the store cannot be read now.
        """
        if not ID.fullmatch(asked):
            raise NoDeskError(N_("There is no such desk."), passing=False)
        found = self._find(asked)
        if found is not None and not self._elsewhere(found):
            found.seen = self.clock()
            return found
        try:
            self.store.claim(asked)
            claimed = True
        except NoDeskError:
            raise
        except StoreError:  # it may be read all the same
            claimed = False
        desk = self._unpacked(asked, claimed, self.store.load(asked))
        with self._changed:  # another tab may have been quicker
            desk = self._all.setdefault(asked, desk)
            self._held[asked] = desk
        for run in desk.runs.values():
            self._owner[run] = desk
        self.writer.begin()
        return desk

    def knows(self, asked: str) -> Glance | None:
        """What may be said of the desk of that id, which nobody opens by this; None: it is gone.

        Raises:
            StoreError: the store cannot be read now, so that nobody knows.
        """
        if not ID.fullmatch(asked):
            return None
        found = self._find(asked)
        if found is not None and not self._elsewhere(found):
            return found.glance()
        try:
            return self.store.glance(asked)
        except NoDeskError:
            return None

    def delete(self, desk: Desk) -> None:
        """The desk with all its data, for good; whoever calls it has stopped its runs.

        Raises:
            StoreError: it is gone from this process, but the store cannot be written now.
        """
        with self._changed:
            desk.deleted = True
            self.writer.drop(lambda one: one is desk)
            if desk.id is not None:
                self._all.pop(desk.id, None)
                self._held.pop(desk.id, None)
        if desk.id is not None:
            with desk.stored.pen:
                self.store.delete(desk.id)
            self.writer.begin()
            with suppress(StoreError):  # it is deleted; the thread tries once more
                self.store.settle()

    def open_ones(self, here: Callable[[str], bool]) -> list[Desk]:
        """The desks that a browser session has open of which ``here`` says that it is there."""
        with self._changed:
            met = list(self._met)
        found = []
        for desk in met:
            with desk.lock:
                desk.tabs = {tab for tab in desk.tabs if here(tab)}
                if desk.tabs and not desk.deleted:
                    found.append(desk)
        return found

    # --- For desks, as their home -----------------------------------------------------------

    def meet(self, desk: Desk) -> None:
        """Know a desk that has no id yet."""
        with self._changed:
            self._met.add(desk)

    def welcome(self, desk: Desk) -> None:
        """Hold a desk that has just got its id."""
        assert desk.id is not None
        with self._changed:
            self._all[desk.id] = self._held[desk.id] = desk

    def follow(self, run: Run, desk: Desk) -> None:
        """Keep what becomes of ``run``; those of a sweep at their end alone."""
        if self._owner.get(run) is desk:
            return
        self._owner[run] = desk
        if run.over:
            self._note(desk, run)
        else:
            run.checkpoint_wanted = not run.background

    def write(self, desk: Desk, job: Job) -> None:
        """Write this down soon; what has to be written twice is written once."""
        self.writer.add(desk, job)

    # --- For the training service -----------------------------------------------------------

    def notice(self, run: Run) -> None:
        """From the training service: ``run`` has reached a checkpoint or its end."""
        desk = self._owner.get(run)
        if desk is not None:
            self._note(desk, run)

    def _note(self, desk: Desk, run: Run) -> None:
        self.write(desk, WholeRun(run))
        if desk.member is not None and run.over:
            self.write(desk, Best(run))

    # --- Which are here ---------------------------------------------------------------------

    def _find(self, asked: str) -> Desk | None:
        with self._changed:
            return self._all.get(asked)

    def _here(self) -> list[Desk]:
        return [*self._all.values()]

    def _elsewhere(self, desk: Desk) -> bool:
        """Has another server opened ``desk``, so that what is known of it here is old?"""
        assert desk.id is not None
        try:
            moved = desk.stored.there and self.store.elsewhere(desk.id)
        except StoreError:
            return False
        if self.store.generation != self.writer.generation:
            return False  # the file is another, and not the server; the thread sees to it
        if moved:
            self._moved(desk)
        return moved

    def _moved(self, desk: Desk) -> None:
        """Nothing more of ``desk`` is written here; its tabs here will hear of it."""
        desk.moved = desk.deleted = True
        with self._changed:
            for held in (self._all, self._held):
                if held.get(str(desk.id)) is desk:
                    del held[str(desk.id)]

    def prune(self) -> None:
        """Forget desks that nobody has open, once they are written down."""
        with self._changed:
            waiting = self.writer.waiting()
            for name, desk in list(self._held.items()):
                alone = self.clock() - desk.seen
                kept = desk not in waiting and alone > FORGET
                if not desk.busy and (kept or alone > FORGET_UNKEPT):
                    del self._held[name]
            self.writer.drop(
                lambda one: one.id not in self._held and self.clock() - one.seen > FORGET_UNKEPT,
                refused=False,
            )

    # --- From the store -----------------------------------------------------------------------

    def _unpacked(self, name: str, claimed: bool, contents: StoredDesk) -> Desk:
        desk = Desk(self)
        desk.id, desk.member = name, contents.member
        stored = desk.stored
        stored.there, stored.joined = claimed, contents.member is not None
        stored.raw = dict(contents.things)
        stored.examples = {kind for kind in contents.things if kind.startswith(EXAMPLES)}
        for row in contents.runs:
            self._unpack(desk, row)
        return desk

    def _unpack(self, desk: Desk, row: Row) -> None:
        """List a stored run; what its project's page showed stands there again."""
        stored = desk.stored
        own = stored.raw.get(row.own)
        listed = stored_run.from_row(row, own[0] if own else None)
        stored.ids[listed] = row.id
        stored.labels[row.id] = stored_run.label_of(row)
        if isinstance(listed, Unread):
            desk.kept.bring_unread(listed)
            stored.unread[row.id] = row
            return
        desk.kept.restore(listed)
        if (run := listed.run) is not None:
            desk.runs[listed.recipe.project] = run
            run.checkpoint_wanted = not run.over
        listed.refresh()


__all__ = ["FORGET", "Desks"]
