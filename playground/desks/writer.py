"""The one thread that writes desks into the store: no page and no training waits for a disk."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from playground.desks.desk import Desk
from playground.desks.jobs import Best, Job, Labels, Remains, Rounds, Things, WholeRun
from playground.desks.writing import write
from playground.storage.errors import (
    DeskFullError,
    MovedError,
    NoDeskError,
    RefusedError,
    StoreError,
)
from playground.storage.store import Store

RETRY: Final = 3.0  # seconds until a database that failed is asked again
TRIES: Final = 3  # times that a failing database is asked once the server ends
QUIET: Final = 60.0  # seconds without writing until the file is made whole
SOON: Final = 1.0  # seconds between two tries to do so
SHARE: Final = 0.05  # of one core's time that goes into writing down runs that still train
REST: Final = 0.5  # seconds between two of them at least, as each may be a megabyte


class Writer:
    """Write jobs down, what is final first, and again where the database failed.

    ``problem`` is why nothing can be written at the moment. ``changed`` guards its jobs, and
    whatever its owner wants to change in the same moment.

    ``all_desks`` gives those that are here. ``moved`` is told of a desk that another server has.
    ``now_and_then`` is called once a minute, or every ``often`` seconds.
    """

    def __init__(
        self,
        store: Store,
        all_desks: Callable[[], list[Desk]],
        moved: Callable[[Desk], None],
        now_and_then: Callable[[], None],
        often: float = 60.0,
    ) -> None:
        self.store = store
        self.problem: StoreError | None = None
        self.changed = threading.Condition()
        self.generation = 0  # of the database that knows what is written
        self._all_desks, self._moved = all_desks, moved
        self._now_and_then, self._often = now_and_then, min(60.0, often)
        self._jobs: dict[tuple[Desk, Job], None] = {}  # in the order in which they came
        self._refused: dict[tuple[Desk, Job], None] = {}  # as their desk is full
        self._thread: threading.Thread | None = None
        self._not_before = {"anything": 0.0, "checkpoint": 0.0}  # on a clock that ticks
        self._working = False
        self._closed = False

    # --- From any thread ----------------------------------------------------------------------

    def add(self, desk: Desk, job: Job) -> None:
        """Write this down soon; what has to be written twice is written once."""
        with self.changed:
            if desk.deleted or self._closed:
                return
            self._jobs[desk, job] = None
            self.begin()
            self.changed.notify_all()

    def begin(self) -> None:
        """Let the thread run that writes, and looks after the database's file."""
        with self.changed:
            if self._thread is None and not self._closed:
                # Said outright, as Streamlit's threads are daemons and hand that on.
                self._thread = threading.Thread(target=self._work, name="keeping", daemon=False)
                self._thread.start()

    def waiting(self) -> set[Desk]:
        """The desks of which something is not written."""
        with self.changed:
            return {desk for desk, _job in [*self._jobs, *self._refused]}

    def drop(self, gone: Callable[[Desk], bool], refused: bool = True) -> None:
        """Write nothing more of desks that are ``gone``."""
        with self.changed:
            for pending in (self._jobs, self._refused) if refused else (self._jobs,):
                for job in [job for job in pending if gone(job[0])]:
                    del pending[job]

    def flush(self, patience: float = 30.0) -> bool:
        """Wait until all is written that can be; is nothing left?"""
        with self.changed:
            return self.changed.wait_for(
                lambda: not self._jobs and not self._working, timeout=patience
            )

    def close(self) -> None:
        """Write what is left, and end."""
        with self.changed:
            self._closed = True
            self.changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        self.store.close()

    # --- The thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        # No daemon, for the same reason as the training service's workers.
        main = threading.main_thread()
        pruned = looked = time.monotonic()
        failed = 0
        while True:
            with self.changed:
                ending = self._closed or not main.is_alive()
                job = self._next(hurry=ending)
                if job is None:
                    if ending:
                        break
                    self.changed.wait(timeout=0.5)
                self._working = job is not None
            if job is not None:
                done = self._do(*job)
                with self.changed:
                    self._working = False
                    self.changed.notify_all()
                failed = 0 if done else failed + 1
                if ending and failed >= TRIES:
                    break  # what cannot be written now never will be
                if ending and not done:
                    time.sleep(min(RETRY, 0.1))
            now = time.monotonic()
            if now - looked > min(QUIET, SOON):
                looked = now
                self._look_after(now)
            if time.monotonic() - pruned > self._often:
                pruned = time.monotonic()
                self._now_and_then()
        if not main.is_alive():
            self.store.close()

    def _look_after(self, now: float) -> None:
        """Notice a file that went away; make the file whole when nobody writes."""
        store = self.store
        with suppress(StoreError):  # who writes will hear of it
            store.look()
            if store.generation != self.generation:
                self._begin_again()
            if store.overdue or (store.unsettled and now - store.wrote > QUIET):
                store.settle()

    def _next(self, hurry: bool) -> tuple[Desk, Job] | None:
        """Take a job: what is final first, then runs that go on, if they had not much time yet."""
        now = time.monotonic()
        if not hurry and now < self._not_before["anything"]:
            return None
        jobs = [job for job in self._jobs if not _lasting(job[1])]
        if not jobs and (hurry or now >= self._not_before["checkpoint"]):
            jobs = list(self._jobs)
        if not jobs:
            return None
        del self._jobs[jobs[0]]
        return jobs[0]

    def _do(self, desk: Desk, job: Job) -> bool:
        """Write one thing down; False where it has to be tried again."""
        lasting, begun = _lasting(job), time.thread_time()
        try:
            if self.store.generation != self.generation:
                self._begin_again()
            with desk.stored.pen:
                smaller = write(self.store, desk, job)
        except DeskFullError as error:
            desk.problem = error
            with self.changed:
                self._refused[desk, job] = None
            return True
        except MovedError:
            if self.store.generation != self.generation:  # the file is another, not the server
                self._again(desk, job, None)
                return False
            self._moved(desk)
            return True
        except NoDeskError:
            if self.store.generation == self.generation:
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
            with self.changed:
                for refused in [one for one in self._refused if one[0] is desk]:
                    del self._refused[refused]
                    self._jobs[refused] = None
        if lasting:
            taken = time.thread_time() - begun  # the disk may be slow as it likes
            rest = max(taken * (1 / SHARE - 1), REST)
            self._not_before["checkpoint"] = time.monotonic() + rest
        return True

    def _again(self, desk: Desk, job: Job, error: StoreError | None) -> None:
        with self.changed:
            if not desk.deleted:
                self._jobs.setdefault((desk, job))
            if error is not None:
                self.problem = error
                self._not_before["anything"] = time.monotonic() + RETRY

    def _begin_again(self) -> None:
        """The database is another, as the old one is gone: write down all that is here."""
        with self.changed:
            if self.generation == self.store.generation:
                return
            self.generation = self.store.generation
            desks = self._all_desks()
        for desk in desks:
            with desk.lock:
                desk.stored.forget()
                jobs = _everything(desk)
            for job in jobs:
                self.add(desk, job)


def _lasting(job: Job) -> bool:
    """A run that goes on, and will come again."""
    return isinstance(job, WholeRun) and not job.run.over


def _everything(desk: Desk) -> list[Job]:
    runs = {*desk.runs.values(), *desk.kept.live()}
    whole = {desk.kept.of(run) for run in runs}
    jobs: list[Job] = [Things(kind) for kind in [*desk.lists, *desk.stored.raw]]
    jobs += [WholeRun(run) for run in runs]
    jobs += [Remains(kept) for kept in desk.kept.runs if kept not in whole]
    jobs += [Remains(unread) for unread in desk.kept.unread]
    if desk.member is not None:
        jobs += [Best(), Rounds()]
    return [*jobs, Labels()]


__all__ = ["Writer"]
