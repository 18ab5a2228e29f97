"""Many runs side by side in one process.

A few worker threads, one a core, take the active runs in turn, a slice of about 50 ms
each, so that thirty students on two cores all see their network learn and the web
server keeps breathing. A worker is the only one that touches a run's generator and
weights; everybody else reads what it publishes after each slice.

Runs in the *background* (those of a sweep) take turns among themselves, with what the
others leave: a worker trains one only while no other run waits and a core is free.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakSet

from playground import resources
from playground.i18n import N_
from playground.optimizers import Settings
from playground.runtime import admission, torch_threads
from playground.runtime.execution import Begin, Execution, local_trainer
from playground.runtime.fair_queue import FairQueue
from playground.runtime.run import ACTIVE, Run, Snapshot, Until

SLICE: Final = 0.05  # seconds a run keeps a worker
# Seconds without a look until a run pauses by itself, and until it stops for good.
PAUSE_AFTER: Final = float(os.environ.get("PLAYGROUND_PAUSE_AFTER", "60"))
STOP_AFTER: Final = float(os.environ.get("PLAYGROUND_STOP_AFTER", "1800"))
LEAVE_AFTER: Final = 10.0  # seconds without a look after which data for a page are not made
GAP: Final = 30.0  # seconds in which no worker looked at the clock: more, and it has jumped
MAX_REST: Final = 0.25  # seconds between two slices that others may have


@dataclass
class RunService:
    """Starts, pauses, resumes and stops runs; ``close`` (or the main thread's end) ends it.

    ``clock`` is a parameter for tests, which move time instead of waiting for it.
    ``notice`` is told of a run that has reached a checkpoint or its end, by whoever brought
    that about (a worker, a page) and while no lock is held.
    ``begin`` says where a run trains. ``rest``: seconds that a worker leaves the machine to
    others after a slice, as it is now. ``most_threads``: that one which is alone may use, by
    default as many as there are workers. ``memory``: bytes for all runs together, as
    :mod:`playground.resources` estimates them.

    ``queue``: whose turn it is. ``executions``: of every run that has begun and is not over.
    """

    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    pause_after: float = PAUSE_AFTER
    stop_after: float = STOP_AFTER
    clock: Callable[[], float] = time.monotonic
    notice: Callable[[Run], None] = lambda _run: None
    begin: Begin = local_trainer
    rest: Callable[[], float] = lambda: 0.0
    most_threads: int | None = None
    memory: int = field(default_factory=resources.budget)

    def __post_init__(self) -> None:
        torch_threads.default_to_one()
        self.queue: FairQueue[Execution] = FairQueue(self.workers)
        self.executions: dict[Run, Execution] = {}
        # Every run that holds memory: those that train, and those that a page still shows.
        self.known: WeakSet[Run] = WeakSet()
        self.threads: list[threading.Thread] = []  # of the workers
        self._wake = threading.Condition()  # guards all of that
        self._time, self._looked = 0.0, self.clock()  # see _now()
        self._closed = False

    # --- For pages --------------------------------------------------------------------------

    def start(self, run: Run, until: Until = "end", background: bool = False) -> None:
        """Let a ready or paused run train, to its end or for one more epoch or batch.

        ``background``: from its first start on, behind all runs that are not.

        Raises:
            LimitError: its student has too many that train, or memory is short; the run
                stays as it is.
        """
        self.start_all([run], until, background)

    def start_all(
        self, runs: Sequence[Run], until: Until = "end", background: bool = False
    ) -> None:
        """Start all of them, or none.

        Raises:
            LimitError: as :meth:`start`.
        """
        needs = {run: run.need for run in runs}  # counted before anybody is kept waiting
        with self._wake:
            admission.check_active(needs, self.executions, background)
            # Those that have begun have their room.
            fresh = [run for run in needs if admission.is_new(run) and run not in self.executions]
            admission.check_memory(
                [needs[run] for run in fresh], self.known - {*fresh}, self.workers, self.memory
            )
            for run in runs:
                self._start(run, until, background)

    def _start(self, run: Run, until: Until, background: bool) -> None:
        with run.lock:
            if run.over or self._closed:
                return
            self.known.add(run)
            execution = self._execution(run)
            if run.state == "ready":
                run.background = background
                execution.lends = not run.recipe.threads
                count = run.recipe.threads or (1 if background else self._spare_threads())
                run.recipe = run.recipe.with_(threads=count)
            self.executions[run] = execution
            execution.until = until
            run.pausing_unwatched = False
            run.seen = self._now()
            if run.state not in ACTIVE:
                self._crowd(run)
                self.queue.level(execution)
                run.state = "waiting" if execution.trainer is None else "running"
                self._enqueue(execution)
            self._ensure_workers()

    def load(self, run: Run, patience: float = 0.3) -> bool:
        """Let a worker load the data of a run that does not train; True if it is there by now.

        A page asks this before it needs the data: most sets are there within
        ``patience`` seconds, and a page does not stand still for the others.
        """
        with self._wake:
            run.seen = self._now()
            execution = self._execution(run)
            if not (run.loaded or execution.wants_data or self._closed):
                execution.wants_data = True
                self.queue.level(execution)
                self._enqueue(execution)
                self._ensure_workers()
        return run.data.wait(patience)

    def leave(self, run: Run) -> None:
        """No page wants the data of ``run`` any more, as another has taken its place."""
        with self._wake:
            execution = self._execution(run)
            execution.wants_data = False
            if not run.active:
                self._leave(execution)

    def pause(self, run: Run) -> None:
        """Hold a run after the step it is in; nothing of it is lost."""
        with self._wake, run.lock:
            if run.active:
                run.state = "paused"

    def stop(self, run: Run, reason: str = "") -> None:
        """End a run for good; its network stays usable."""
        if self._stop(run, reason):
            self._tell(run)

    def _stop(self, run: Run, reason: str) -> bool:
        """Stop a run, if it is not over; is it news?"""
        with self._wake, run.lock:
            if run.over:
                return False
            run.state = "stopped"
            run.history.ended, run.history.reason = "stopped", reason
            self._forget(self._execution(run))
            return True

    def change(self, run: Run, settings: Settings) -> None:
        """Learning rate and weight decay from the next step on."""
        run.controls.now = settings

    def look(self, run: Run) -> Snapshot:
        """A snapshot, and the sign that somebody still watches."""
        with self._wake:
            run.seen = self._now()
            if run.state != "ready":
                self.known.add(run)
        return run.snapshot()

    @property
    def active(self) -> int:
        """How many runs want a worker now, not counting those in the background.

        About as many pages refresh: the runs of a sweep share one.
        """
        with self._wake:
            return sum(run.active and not run.background for run in self.executions)

    def reap_idle(self) -> None:
        """Pause active runs that nobody looked at for a while, and stop them later.

        Nor are data made for a page that is not there any more.
        """
        stopped = []
        with self._wake:  # held to the end, so that nobody starts one in between
            now = self._now()
            for run in list(self.executions):
                seconds = now - run.seen
                if seconds > self.stop_after:
                    if self._stop(run, N_("Nobody was watching.")):
                        stopped.append(run)
                elif seconds > self.pause_after and run.active:
                    self.pause(run)
                    run.pausing_unwatched = True
            for one in list(self.queue):
                left = now - one.run.seen > LEAVE_AFTER
                if one.wants_data and left and not one.run.active:
                    self._leave(one)
        for run in stopped:
            self._tell(run)

    def close(self) -> None:
        """Stop all workers and wait for them; runs stay as they are."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        for thread in self.threads:
            thread.join()

    # --- What they change: called while the lock is held --------------------------------------

    def _now(self) -> float:
        """Seconds in which somebody could have watched: the clock, without its jumps.

        While a laptop sleeps nobody looks at a run and none trains, and some systems count
        that time; a clock that goes back would leave runs alone for as long.
        """
        now = self.clock()
        self._time += min(max(now - self._looked, 0.0), GAP)
        self._looked = now
        return self._time

    def _execution(self, run: Run) -> Execution:
        """The execution of ``run``, a new one if nobody knows of any."""
        found = self.executions.get(run)
        if found is None:  # it may only load its data
            found = next((one for one in self.queue if one.run is run), None)
        return found or Execution(run, self.begin)

    def _enqueue(self, execution: Execution) -> None:
        if self.queue.add(execution):
            execution.queued = time.monotonic()
            self._wake.notify_all()  # not every worker may take every run

    def _leave(self, execution: Execution) -> None:
        """Who only waited for data that nobody wants, waits no more."""
        execution.wants_data = False
        self.queue.remove(execution)
        if execution not in self.queue.held:  # else its worker lets go of them
            execution.run.data.let_go()

    def _forget(self, execution: Execution) -> None:
        """Let go of a run that is over; its worker, if one has it, does so after its turn."""
        run = execution.run
        self.executions.pop(run, None)
        if execution not in self.queue.held:
            # Nobody needs what they hold, the weights aside.
            execution.trainer = run.checkpoint = run.begins_at = None

    def _spare_threads(self) -> int:
        """All cores for a run that is alone; one each where several share the machine."""
        if any(run.active for run in self.executions):
            return 1
        return self.most_threads or self.workers

    def _crowd(self, run: Run) -> None:
        """Who was alone and had all cores is not any more: one thread each is best for all."""
        if not run.background:
            for other, execution in self.executions.items():
                if other is not run and execution.lends and other.active:
                    execution.crowded = True

    # --- The workers --------------------------------------------------------------------------

    def _ensure_workers(self) -> None:
        while len(self.threads) < self.workers:
            first = not self.threads
            # Said outright, as Streamlit's threads are daemons and hand that on.
            thread = threading.Thread(
                target=self._work, args=(first,), name="training", daemon=False
            )
            self.threads.append(thread)
            thread.start()

    def _work(self, first: bool) -> None:
        # Not daemons: a thread inside torch while the interpreter exits aborts the process.
        # So each looks now and then whether the main thread, the server, is still there.
        main = threading.main_thread()
        while main.is_alive():
            with self._wake:
                if self._closed:
                    return
                execution = self._take(first)
                if execution is None:
                    self._wake.wait(timeout=0.5)
                    execution = self._take(first)
            while execution is not None:
                begun = time.monotonic()
                if execution.turn(SLICE):
                    self._tell(execution.run)
                seconds = time.monotonic() - begun
                if (rest := self.rest()) > 0:
                    time.sleep(min(rest, MAX_REST))
                self.reap_idle()
                if not self._keep(execution, seconds):
                    execution = None
            self.reap_idle()

    def _take(self, first: bool) -> Execution | None:
        execution = self.queue.take(first)
        if execution is not None and self.queue.waiting:
            self._wake.notify_all()  # who sleeps may now take one from the background
        return execution

    def _keep(self, execution: Execution, seconds: float) -> bool:
        """After a turn of so many ``seconds``: may the worker go on with it? Else it goes back."""
        run = execution.run
        with self._wake:
            if self.queue.keeps(execution, seconds) and not self._closed:
                return threading.main_thread().is_alive()
            if self.queue.give_back(execution):
                execution.queued = time.monotonic()
            else:
                if run.over:
                    self._forget(execution)
                run.data.let_go()
            self._wake.notify_all()  # a core is free
            return False

    def _tell(self, run: Run) -> None:
        """Tell of ``run``; what goes wrong there must not end a worker, whom all runs need."""
        try:
            self.notice(run)
        except Exception:
            logging.getLogger(__name__).exception("Nobody could be told of a run")


__all__ = ["RunService"]
