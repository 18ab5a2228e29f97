"""A desk: one student's place, with everything of theirs that outlives a page.

Its id is unguessable and stands in the address of their pages; whoever has the address
has the desk. All tabs of a desk share one :class:`Desk`, so that a reload finds a run
that still trains, and two tabs cannot overwrite each other. :class:`Desks` holds the
desks of this process and writes what changes into the store, from a thread of its own:
no page and no training waits for a disk.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

from safetensors import torch as safetensors

from playground.board import nicknames, ranking
from playground.data.dataset import Examples
from playground.errors import PlaygroundError
from playground.export import weights
from playground.export.weights import BROKEN
from playground.history import History
from playground.i18n import N_
from playground.keepsakes import Kind, pack, unpack
from playground.kept import Kept, RunList, Unread
from playground.optimizers import Settings
from playground.projects import PROJECTS, opened
from playground.recipe import Recipe
from playground.service import OVER, Milestone, Run, Snapshot
from playground.store import (
    EXAMPLES,
    ID,
    BoardFullError,
    DeskFullError,
    Glance,
    Member,
    MovedError,
    NicknameError,
    NoDeskError,
    RefusedError,
    Row,
    Store,
    StoreError,
)
from playground.training import Controls

RETRY: Final = 3.0  # seconds until a database that failed is asked again
TRIES: Final = 3  # times that a failing database is asked once the server ends
QUIET: Final = 60.0  # seconds without writing until the file is made whole
SOON: Final = 1.0  # seconds between two tries to do so
SHARE: Final = 0.05  # of one core's time that goes into writing down runs that still train
REST: Final = 0.5  # seconds between two of them at least, as each may be a megabyte
# Seconds after its last page until a desk leaves the memory.
FORGET: Final = float(os.environ.get("PLAYGROUND_FORGET_AFTER", "1800"))
FORGET_UNKEPT: Final = 7200.0  # the same for one that could not be written down
JOINS: Final = 120  # desks that join the class board at once with nothing to show yet
JOINS_A_SECOND: Final = 1.0  # and later on
RESTARTED: Final = N_("The server was restarted.")

T = TypeVar("T")
Label = tuple[str, bool, bool]
Job = tuple[str, object]
"""What to write: ("thing", its kind), ("run", the run), ("labels", None).

To the class board: ("board", a run that is over, or None for all of them), ("score", None).
"""


class Desk:
    """What one student has: the present run of each project, all runs, and own things.

    It has an ``id`` from the moment when there is something worth keeping. ``lock`` is for
    whoever changes a list that another tab may change too.
    """

    def __init__(self, home: Desks) -> None:
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
        self._pen = threading.Lock()  # held by whoever writes or deletes what the store has
        self._stored = False
        self._joined = False  # does the store know of ``member``?
        self._kinds: dict[str, Kind[Any]] = {}
        self._things: dict[str, list[Any]] = {}
        # What the store has: of things the very objects, so that equal ones are not compared.
        self._raw: dict[str, Sequence[bytes]] = {}
        self._written: dict[str, list[Any]] = {}
        self._labels: dict[str, Label] = {}
        self._versions: Counter[str] = Counter()  # of things, by kind
        self._foreign: dict[str, list[bytes]] = {}  # things, by kind, that nobody here can read
        self._derived: dict[str, tuple[object, Any]] = {}
        self._examples: set[str] = set()
        self._ids: WeakKeyDictionary[Kept | Unread, str] = WeakKeyDictionary()
        self._unread: dict[str, Row] = {}  # runs of another version as they are stored, by id
        home.meet(self)

    def things(self, kind: Kind[T]) -> list[T]:
        """The desk's own things of one kind, in their order; only :meth:`put` changes them."""
        with self.lock:
            if kind.name not in self._things:
                raw = self._raw.pop(kind.name, ())
                found = [kind.read(content) for content in raw]
                self._things[kind.name] = [one for one in found if one is not None]
                # One that did not read back, as it may be a newer program's, stays stored behind
                # those that did. It leaves a gap, and what follows is written anew.
                self._foreign[kind.name] = [
                    content for content, one in zip(raw, found, strict=True) if one is None
                ]
                gap = next((n for n, one in enumerate(found) if one is None), len(found))
                self._written[kind.name] = found[:gap]
            self._kinds[kind.name] = kind
            return self._things[kind.name]

    def put(self, kind: Kind[T], things: Iterable[T]) -> None:
        """These things instead of those of their kind; they must not change any more."""
        with self.lock:
            self.things(kind)
            self._things[kind.name] = list(things)
            if not self._things[kind.name]:  # all of them are to go
                self._foreign[kind.name] = []
            self._versions[kind.name] += 1
        if self._things[kind.name] or self.id is not None:
            self.keep()
            self._home.write(self, ("thing", kind.name))

    def derived(self, kind: Kind[Any], how: object, make: Callable[[], T]) -> T:
        """What ``make`` makes of the things of ``kind``: the same until they or ``how`` change."""
        with self.lock:
            state = (self._versions[kind.name], how)
            found = self._derived.get(kind.name)
            if found is None or found[0] != state:
                found = self._derived[kind.name] = (state, make())
            made: T = found[1]
            return made

    def take(self, run: Run, shown: bool = True) -> Kept:
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
                labels = self._listed()
                if any(labels.get(known) != label for known, label in self._labels.items()):
                    self._home.write(self, ("labels", None))

    def played(self, outcome: int) -> None:
        """A round of rock, paper, scissors: 0 a tie, 1 the student won, 2 the predictor won."""
        with self.lock:
            if self.member is None:
                return
            score = self.member.score
            name = ("drawn", "won", "lost")[outcome]
            score = replace(score, **{name: getattr(score, name) + 1})
            self.member = replace(self.member, score=score)
            self._home.write(self, ("score", None))

    def glance(self) -> Glance:
        """What may be said of the desk to whoever has not opened it yet."""
        with self.lock:
            kinds: list[Mapping[str, Sequence[Any]]] = [self._things, self._raw]
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

    def _label(self, kept: Kept) -> Label:
        current = any(self.kept.of(run) is kept for run in list(self.runs.values()))
        return kept.name, kept.shown, current

    def _listed(self) -> dict[str, Label]:
        """The label of each run, by its id, that is stored and still listed."""
        labels = {
            self._ids[kept]: self._label(kept) for kept in self.kept.runs if kept in self._ids
        }
        for unread in self.kept.unread:
            row = self._unread[self._ids[unread]]
            labels[row.id] = row.name, row.shown, row.current
        return labels


class Desks:
    """The desks of this process, and the one thread that writes them down.

    ``problem`` is why nothing can be kept at the moment. ``clock`` is a parameter for tests.
    """

    def __init__(
        self, store: Store | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.store = store or Store()
        self.clock = clock
        self.problem: StoreError | None = None
        self._held: dict[str, Desk] = {}
        self._all: WeakValueDictionary[str, Desk] = WeakValueDictionary()
        self._met: WeakSet[Desk] = WeakSet()  # also those that have no id yet
        self._owner: WeakKeyDictionary[Run, Desk] = WeakKeyDictionary()
        self._jobs: dict[tuple[Desk, Job], None] = {}  # in the order in which they came
        self._refused: dict[tuple[Desk, Job], None] = {}  # as their desk is full
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._generation = 0
        self._not_before = {"anything": 0.0, "milestone": 0.0}  # on a clock that ticks
        self._working = False
        self._closed = False
        self._joins = float(JOINS)  # that may come now
        self._joined_at = clock()

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
        with self._changed:
            found = self._all.get(asked)
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
        contents = self.store.load(asked)
        desk = Desk(self)
        desk.id, desk._stored = asked, claimed
        desk.member, desk._joined = contents.member, contents.member is not None
        desk._raw = dict(contents.things)
        desk._examples = {kind for kind in contents.things if kind.startswith(EXAMPLES)}
        for row in contents.runs:
            self._unpack(desk, row)
        with self._changed:  # another tab may have been quicker
            desk = self._all.setdefault(asked, desk)
            self._held[asked] = desk
        for run in desk.runs.values():
            self._owner[run] = desk
        self._begin()
        return desk

    def knows(self, asked: str) -> Glance | None:
        """What may be said of the desk of that id, which nobody opens by this; None: it is gone.

        Raises:
            StoreError: the store cannot be read now, so that nobody knows.
        """
        if not ID.fullmatch(asked):
            return None
        with self._changed:
            found = self._all.get(asked)
        if found is not None and not self._elsewhere(found):
            return found.glance()
        try:
            return self.store.glance(asked)
        except NoDeskError:
            return None

    def _elsewhere(self, desk: Desk) -> bool:
        """Has another server opened ``desk``, so that what is known of it here is old?"""
        assert desk.id is not None
        try:
            moved = desk._stored and self.store.elsewhere(desk.id)
        except StoreError:
            return False
        if self.store.generation != self._generation:
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

    def delete(self, desk: Desk) -> None:
        """The desk with all its data, for good; whoever calls it has stopped its runs.

        Raises:
            StoreError: it is gone from this process, but the store cannot be written now.
        """
        with self._changed:
            desk.deleted = True
            for pending in (self._jobs, self._refused):
                for job in [job for job in pending if job[0] is desk]:
                    del pending[job]
            if desk.id is not None:
                self._all.pop(desk.id, None)
                self._held.pop(desk.id, None)
        if desk.id is not None:
            with desk._pen:
                self.store.delete(desk.id)
            self._begin()
            with suppress(StoreError):  # it is deleted; the thread tries once more
                self.store.settle()

    def notice(self, run: Run) -> None:
        """From the training service: ``run`` has reached a milestone or its end."""
        desk = self._owner.get(run)
        if desk is not None:
            self._note(desk, run)

    # --- The class board --------------------------------------------------------------------

    def join(self, desk: Desk, nickname: str) -> None:
        """Put the desk on the class board, with the best of its runs; from now on it is kept.

        Raises:
            PlaygroundError: no nickname (see :mod:`playground.board.nicknames`), or another's.
            StoreError: the board cannot be written now, or too many join.
        """
        name = nicknames.nickname(nickname)
        self._let_join(desk)
        desk.keep()
        if desk.id is None or desk.deleted:
            return
        with desk._pen:
            if not desk._stored or self.store.generation != self._generation:
                self.store.create(desk.id)
                desk._stored = True
            member = self._joining(desk.id, name)
            with desk.lock:
                if desk.member is not None and desk.member.handle == member.handle:
                    # Only the name is new; rounds may not be written down yet.
                    member = replace(member, score=desk.member.score)
                desk.member = member
            desk._joined = True
        self.write(desk, ("board", None))

    def _let_join(self, desk: Desk) -> None:
        """So that nobody fills the board with nicknames: who comes with a run always may.

        Raises:
            NicknameError: too many others have come without one.
        """
        if desk.member is not None or any(one.history.epochs for one in desk.kept.runs):
            return
        with self._changed:
            now = self.clock()
            more = (now - self._joined_at) * JOINS_A_SECOND
            self._joins, self._joined_at = min(self._joins + more, float(JOINS)), now
            if self._joins < 1:
                raise NicknameError(
                    N_(
                        "Too many people are joining the class board right now. Train a network, "
                        "then join: anyone who has trained one gets in. Or try again in a minute."
                    )
                )
            self._joins -= 1

    def _joining(self, desk: str, name: str) -> Member:
        """Put ``desk`` on the board; if it is full, in place of one that has nothing to show."""
        try:
            return self.store.join(desk, name, nicknames.folded(name))
        except BoardFullError:
            gone = self.store.make_room()
            if gone is None:
                raise
        self._off_the_board(gone)
        return self.store.join(desk, name, nicknames.folded(name))

    def _off_the_board(self, name: str) -> None:
        """Let the desk of that id know, if it is here, that it does not stand there any more."""
        with self._changed:
            desk = self._all.get(name)
        if desk is not None:
            with desk.lock:
                desk.member = None

    def leave(self, desk: Desk) -> None:
        """Take the desk off the class board, with all that stands there of it.

        Raises:
            StoreError: the board cannot be written now, and it still stands there.
        """
        if desk.id is not None:
            with desk._pen:
                self.store.leave(desk.id)
                with desk.lock:
                    desk.member = None

    def unname(self, handle: str) -> None:
        """Take a member's nickname away, for the teacher; their figures stay.

        Raises:
            StoreError: the board cannot be written now.
        """
        name = self.store.unname(handle)
        with self._changed:
            desk = None if name is None else self._all.get(name)
        if desk is not None:
            with desk.lock:
                if desk.member is not None:
                    desk.member = replace(desk.member, nickname=None)

    def expel(self, handle: str | None = None) -> None:
        """Take a member off the board, for the teacher; None: everybody.

        Raises:
            StoreError: the board cannot be written now.
        """
        for name in self.store.expel(handle):
            self._off_the_board(name)

    def meet(self, desk: Desk) -> None:
        with self._changed:
            self._met.add(desk)

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

    # --- For desks --------------------------------------------------------------------------

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
            run.milestone_wanted = not run.background

    def _note(self, desk: Desk, run: Run) -> None:
        self.write(desk, ("run", run))
        if desk.member is not None and run.over:
            self.write(desk, ("board", run))

    def write(self, desk: Desk, job: Job) -> None:
        """Write this down soon; what has to be written twice is written once."""
        with self._changed:
            if desk.deleted or self._closed:
                return
            self._jobs[desk, job] = None
            self._begin()
            self._changed.notify_all()

    def _begin(self) -> None:
        """Let the thread run that writes, and looks after the database's file."""
        with self._changed:
            if self._thread is None and not self._closed:
                # Said outright, as Streamlit's threads are daemons and hand that on.
                self._thread = threading.Thread(target=self._work, name="keeping", daemon=False)
                self._thread.start()

    # --- The thread that writes ---------------------------------------------------------------

    def flush(self, patience: float = 30.0) -> bool:
        """Wait until all is written that can be; is nothing left?"""
        with self._changed:
            return self._changed.wait_for(
                lambda: not self._jobs and not self._working, timeout=patience
            )

    def close(self) -> None:
        """Write what is left, and end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        self.store.close()

    def _work(self) -> None:
        # No daemon, for the same reason as the training service's workers.
        main = threading.main_thread()
        pruned = looked = time.monotonic()
        failed = 0
        while True:
            with self._changed:
                ending = self._closed or not main.is_alive()
                job = self._next(hurry=ending)
                if job is None:
                    if ending:
                        break
                    self._changed.wait(timeout=0.5)
                self._working = job is not None
            if job is not None:
                done = self._do(*job)
                with self._changed:
                    self._working = False
                    self._changed.notify_all()
                failed = 0 if done else failed + 1
                if ending and failed >= TRIES:
                    break  # what cannot be written now never will be
                if ending and not done:
                    time.sleep(min(RETRY, 0.1))
            now = time.monotonic()
            if now - looked > min(QUIET, SOON):
                looked = now
                self._look_after(now)
            if time.monotonic() - pruned > min(60.0, FORGET):
                pruned = time.monotonic()
                self.prune()
        if not main.is_alive():
            self.store.close()

    def _look_after(self, now: float) -> None:
        """Notice a file that went away; make the file whole when nobody writes."""
        store = self.store
        with suppress(StoreError):  # who writes will hear of it
            store.look()
            if store.generation != self._generation:
                self._begin_again()
            if store.overdue or (store.unsettled and now - store.wrote > QUIET):
                store.settle()

    def _next(self, hurry: bool) -> tuple[Desk, Job] | None:
        """Take a job: what is final first, then runs that go on, if they had not much time yet."""
        now = time.monotonic()
        if not hurry and now < self._not_before["anything"]:
            return None
        jobs = [job for job in self._jobs if not self._lasting(job)]
        if not jobs and (hurry or now >= self._not_before["milestone"]):
            jobs = list(self._jobs)
        if not jobs:
            return None
        del self._jobs[jobs[0]]
        return jobs[0]

    @staticmethod
    def _lasting(job: tuple[Desk, Job]) -> bool:
        """A run that goes on, and will come again."""
        return isinstance(job[1][1], Run) and not job[1][1].over

    def _do(self, desk: Desk, job: Job) -> bool:
        """Write one thing down; False where it has to be tried again."""
        lasting, begun = self._lasting((desk, job)), time.thread_time()
        try:
            if self.store.generation != self._generation:
                self._begin_again()
            with desk._pen:
                smaller = self._write(desk, job)
        except DeskFullError as error:
            desk.problem = error
            with self._changed:
                self._refused[desk, job] = None
            return True
        except MovedError:
            if self.store.generation != self._generation:  # the file is another, not the server
                self._again(desk, job, None)
                return False
            self._moved(desk)
            return True
        except NoDeskError:
            if self.store.generation == self._generation:
                desk.deleted = True  # by another server
                return True
            self._again(desk, job, None)
            return False
        except StoreError as error:
            if not isinstance(error, RefusedError):
                self._again(desk, job, error)
                return False
            logging.getLogger(__name__).exception("The database refuses something of a desk")
            return True
        except Exception:
            logging.getLogger(__name__).exception("Something of a desk cannot be written down")
            return True
        self.problem = None
        if desk.problem is not None and smaller:
            desk.problem = None
            with self._changed:
                for refused in [one for one in self._refused if one[0] is desk]:
                    del self._refused[refused]
                    self._jobs[refused] = None
        if lasting:
            taken = time.thread_time() - begun  # the disk may be slow as it likes
            rest = max(taken * (1 / SHARE - 1), REST)
            self._not_before["milestone"] = time.monotonic() + rest
        return True

    def _again(self, desk: Desk, job: Job, error: StoreError | None) -> None:
        with self._changed:
            if not desk.deleted:
                self._jobs.setdefault((desk, job))
            if error is not None:
                self.problem = error
                self._not_before["anything"] = time.monotonic() + RETRY

    def _begin_again(self) -> None:
        """The database is another, as the old one is gone: write down all that is here."""
        with self._changed:
            if self._generation == self.store.generation:
                return
            self._generation = self.store.generation
            desks = [*self._all.values()]
        for desk in desks:
            with desk.lock:
                desk._stored = desk._joined = False
                desk._written, desk._labels, desk._examples = {}, {}, set()
                kinds = [*desk._things, *desk._raw]
                runs = {*desk.runs.values(), *desk.kept.live()}
                whole = {desk.kept.of(run) for run in runs}
                jobs: list[Job] = [("thing", kind) for kind in kinds]
                jobs += [("run", run) for run in runs]
                jobs += [("row", kept) for kept in desk.kept.runs if kept not in whole]
                jobs += [("row", unread) for unread in desk.kept.unread]
                if desk.member is not None:
                    jobs += [("board", None), ("score", None)]
            for job in [*jobs, ("labels", None)]:
                self.write(desk, job)

    def _write(self, desk: Desk, job: Job) -> bool:
        """Write ``job`` down; may the desk have become smaller?"""
        assert desk.id is not None
        if desk.deleted:
            return False
        if not desk._stored:
            self.store.create(desk.id)
            desk._stored = True
        what, which = job
        if what == "thing":
            return self._write_things(desk, str(which))
        if what in ("board", "score"):
            self._write_board(desk, what, which if isinstance(which, Run) else None)
            return False
        if isinstance(which, Run):
            self._write_run(desk, which)
            return False
        if isinstance(which, Kept | Unread):
            self._write_row(desk, which)
            return False
        return self._write_labels(desk)

    def _write_things(self, desk: Desk, name: str) -> bool:
        assert desk.id is not None
        with desk.lock:
            before = desk._written.get(name, [])
            raw = desk._raw.get(name)
            foreign = desk._foreign.get(name, [])
            things = list(raw if raw is not None else [*desk._things.get(name, []), *foreign])
            kind = None if raw is not None else desk._kinds.get(name)
        news = {
            place: one
            for place, one in enumerate(things)
            if place >= len(before) or before[place] is not one
        }
        own = len(things) if kind is None else len(things) - len(foreign)
        contents = {
            place: one if kind is None or place >= own else kind.encode(one)
            for place, one in news.items()
        }
        self.store.put(desk.id, name, contents, len(things))
        if raw is None:
            desk._written[name] = things
        return len(things) < len(before)

    def _write_labels(self, desk: Desk) -> bool:
        assert desk.id is not None
        with desk.lock:
            labels = desk._listed()
        gone = [run for run in desk._labels if run not in labels]
        if gone:
            self.store.delete_runs(desk.id, gone)
        for run in gone:
            del desk._labels[run]
            desk._unread.pop(run, None)
        moved = False
        for run, label in labels.items():
            if run in desk._labels and desk._labels[run] != label:
                self.store.label_run(desk.id, run, *label)
                desk._labels[run] = label
                moved = True
        return bool(gone) or moved

    def _write_run(self, desk: Desk, run: Run) -> None:
        assert desk.id is not None
        with desk.lock:
            kept = desk.kept.of(run)
            if kept is None:  # deleted in the meantime
                return
            label = desk._label(kept)
            run_id = desk._ids.setdefault(kept, secrets.token_hex(8))
        row = _row(run, kept, run_id, label)
        if row is None:
            return
        if label[2] and run.own is not None:
            name, content = pack(run.own)
            row = replace(row, own=EXAMPLES + name)
            if row.own not in desk._examples:
                self.store.put(desk.id, row.own, {0: content}, 1)
                desk._examples.add(row.own)
        self.store.save_run(desk.id, row)
        desk._labels[run_id] = label
        if not run.over:
            run.milestone_wanted = True

    def _write_row(self, desk: Desk, listed: Kept | Unread) -> None:
        """Write down a run of which only what the list says is left."""
        assert desk.id is not None
        with desk.lock:
            if listed not in desk.kept.runs and listed not in desk.kept.unread:
                return  # deleted in the meantime
            run_id = desk._ids.setdefault(listed, secrets.token_hex(8))
            if isinstance(listed, Unread):
                row = desk._unread[run_id]
            else:
                row = _remains(listed, run_id, desk._label(listed))
        self.store.save_run(desk.id, row)
        desk._labels[run_id] = row.name, row.shown, row.current

    def _write_board(self, desk: Desk, what: str, run: Run | None) -> None:
        """Say something of the desk on the class board, if it is still there."""
        assert desk.id is not None
        with desk.lock:
            member = desk.member
            kept = list(desk.kept.runs)
        if member is None:
            return
        if not desk._joined:  # the database is another by now
            name = member.nickname
            again = self.store.join(desk.id, name, None if name is None else nicknames.folded(name))
            with desk.lock:
                if desk.member is not None:
                    desk.member = replace(desk.member, handle=again.handle)
            self.store.post(desk.id, list(member.figures.values()), ranking.rank)
            desk._joined = True
        there: Member | None
        if what == "score":
            there = member if self.store.set_score(desk.id, member.score) else None
        else:
            runs = (
                [_last(one) for one in kept] if run is None else [(run.snapshot(), run.parameters)]
            )
            best = ranking.best(runs, member.figures)
            if not best:
                return
            there = self.store.post(desk.id, best, ranking.rank)
        with desk.lock:
            if there is None or desk.member is None:
                desk.member = None
            else:  # the name may have been taken away in the meantime, and rounds thrown
                desk.member = replace(desk.member, figures=there.figures)

    def prune(self) -> None:
        """Forget desks that nobody has open, once they are written down."""
        with self._changed:
            waiting = {job[0] for job in [*self._jobs, *self._refused]}
            for name, desk in list(self._held.items()):
                alone = self.clock() - desk.seen
                kept = desk not in waiting and alone > FORGET
                if not desk.busy and (kept or alone > FORGET_UNKEPT):
                    del self._held[name]
            for job in [job for job in self._jobs if job[0].id not in self._held]:
                if self.clock() - job[0].seen > FORGET_UNKEPT:
                    del self._jobs[job]

    # --- From the store -----------------------------------------------------------------------

    def _unpack(self, desk: Desk, row: Row) -> None:
        """List a stored run; what its project's page showed stands there again."""
        try:
            recipe = opened(row.recipe)
            history = History.from_json(row.history)
        except (PlaygroundError, *BROKEN):
            unread = Unread(row.number, row.name)  # of another version of this program
            desk.kept.bring_unread(unread)
            desk._ids[unread] = row.id
            desk._unread[row.id] = row
            desk._labels[row.id] = (row.name, row.shown, row.current)
            return
        state: Any = row.state if row.state in OVER else "stopped"
        snapshot = Snapshot(
            state=state,
            recipe=recipe,
            history=history,
            steps_total=row.steps_total,
            served=row.served,
        )
        run: Run | None = None
        if row.current:
            try:
                run = _revived(recipe, snapshot, row, _own(desk, row))
            except (PlaygroundError, *BROKEN):
                run = None
        if row.state not in OVER and (run is None or run.over):
            history.ended, history.reason = "stopped", RESTARTED
        kept = Kept(row.number, snapshot, run, row.name, row.shown, row.parameters)
        desk.kept.bring(kept)
        desk._ids[kept] = row.id
        if run is not None:
            desk.runs[recipe.project] = run
            run.milestone_wanted = not run.over
        desk._labels[row.id] = (row.name, row.shown, row.current)
        kept.refresh()


def _row(run: Run, kept: Kept, run_id: str, label: Label) -> Row | None:
    """What to store of ``run`` now; None while there is nothing."""
    over = run.over  # asked first: what comes after is its last
    name, shown, current = label
    network = progress = None
    if over:
        snapshot = run.snapshot()
        state, history = snapshot.state, snapshot.history
        steps_total, served = snapshot.steps_total, snapshot.served
        network = _network(run) if current else None
    else:
        milestone = run.milestone
        if milestone is None:
            return None
        state, history = "running", milestone.history
        steps_total, served = milestone.steps_total, milestone.served
        if current:
            settings = json.dumps(milestone.settings)
            progress = safetensors.save(milestone.progress, {"settings": settings})
    return Row(
        run_id,
        kept.number,
        name,
        shown,
        current,
        state,
        run.recipe.to_json(),
        history.to_json(),
        run.parameters,
        steps_total,
        served,
        network=network,
        progress=progress,
    )


def _remains(kept: Kept, run_id: str, label: Label) -> Row:
    """What to store of a run that is over, and of which no network is here any more."""
    snapshot = kept.snapshot
    name, shown, _current = label
    return Row(
        run_id,
        kept.number,
        name,
        shown,
        False,
        snapshot.state,
        snapshot.recipe.to_json(),
        snapshot.history.to_json(),
        kept.parameters,
        snapshot.steps_total,
        snapshot.served,
    )


def _last(kept: Kept) -> tuple[Snapshot, int]:
    """The last snapshot and the parameters of a listed run, which a page may be letting go."""
    run = kept.run
    return (kept.snapshot, kept.parameters) if run is None else (run.snapshot(), run.parameters)


def _network(run: Run) -> bytes | None:
    """The network of a run that is over; None if it never had one, or it is no number."""
    if not run.trained:
        return None
    return weights.save(run.predictor())


def _own(desk: Desk, row: Row) -> Examples | None:
    content = desk._raw.get(row.own)
    return unpack(content[0]) if content else None


def _revived(recipe: Recipe, snapshot: Snapshot, row: Row, own: Examples | None) -> Run | None:
    """The run itself, if its network was stored, or if it can still go on."""
    project = PROJECTS[recipe.project]
    if row.network is not None:
        found = weights.load(row.network, limited=False)
        return Run.remembered(project, recipe, found.weights, found.scaler, snapshot, own)
    if row.progress is None:
        return None
    project.check(recipe)  # it would train, and so what holds for all that train holds for it
    length = int.from_bytes(row.progress[:8], "little")
    said = json.loads(row.progress[8 : 8 + length])["__metadata__"]
    milestone = Milestone(
        safetensors.load(row.progress),
        snapshot.history,
        _settings(recipe, json.loads(said["settings"])),
        row.steps_total,
        row.served,
    )
    return Run.resumed(project, recipe, milestone, own)


def _settings(recipe: Recipe, saved: list[float]) -> Settings:
    """The controls as they stood; one that is newer than what was saved stands as in the recipe."""
    usual = Controls(recipe).now
    if len(saved) > len(usual):
        raise ValueError("the controls of another version")
    return usual._replace(**dict(zip(Settings._fields, saved, strict=False)))
