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
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Final, Literal

import torch
from torch import nn

from playground import models, threads
from playground.data.dataset import Dataset, Examples
from playground.errors import PlaygroundError
from playground.history import History
from playground.i18n import N_
from playground.optimizers import Settings
from playground.projects.base import Predictor, Project
from playground.recipe import Recipe
from playground.training import Controls, Ending, Epoch, Step, fit, steps_per_epoch

SLICE: Final = 0.05  # seconds a run keeps a worker
PAUSE_AFTER: Final = 60.0  # seconds without a look until a run pauses by itself
STOP_AFTER: Final = 1800.0  # seconds without a look until it stops for good

State = Literal[
    "ready", "waiting", "running", "paused", "finished", "stopped", "diverged", "failed"
]
ACTIVE: Final = ("waiting", "running")
OVER: Final = ("finished", "stopped", "diverged", "failed")
Until = Literal["end", "epoch", "batch"]


class Run:
    """One network and its training, to be steered through :class:`RunService`.

    ``state``: *ready* (untrained), *waiting* (wants a worker, whose first slice loads the
    data), *running*, *paused*, or over: *finished*, *stopped*, *diverged*, *failed*.

    ``like``: another run of this project, whose data set this one shares where both ask for
    the same.
    """

    def __init__(
        self,
        project: Project,
        recipe: Recipe,
        own: Examples | None = None,
        like: Run | None = None,
    ) -> None:
        self.project = project
        self.recipe = recipe
        self.own = own
        self._like = like if like is not None and self._asks_as(like) else None
        self.controls = Controls(recipe)
        self.state: State = "ready"
        self.error: PlaygroundError | None = None
        self.pausing_unwatched = False  # paused because nobody looked, for the page to say so
        self.background = False  # gives way to all runs that are not
        self.parameters = 0  # how many numbers training changes; 0 before the first slice
        self.seen = time.monotonic()
        self._lock = threading.Lock()
        self._history = History(_settings=self.controls.now)  # changes count from here on
        self._until: Until | None = "end"  # None: what was asked for is done
        self._model: nn.Sequential | None = None
        self._dataset: Dataset | None = None
        self._data_lock = threading.Lock()
        self._loading = False
        self._loaded = threading.Event()  # a worker has tried to load the data set
        self._weights: dict[str, torch.Tensor] | None = None
        self._events: Generator[Step | Epoch, None, Ending] | None = None
        self._started: float | None = None
        self._queued = 0.0  # when it last began to wait for a worker
        self._served = 0.0  # seconds of waiting for a worker and training, without pauses
        self._steps_total = 0

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def over(self) -> bool:
        return self.state in OVER

    def dataset(self) -> Dataset:
        """The run's data set, loaded at the first call (from a shared cache, if it is there).

        Raises:
            PlaygroundError: data that cannot be had.
        """
        with self._data_lock:
            if self._dataset is None:
                shared = None if self._like is None else self._like.dataset()
                self._dataset = shared or self.project.load(self.recipe, self.own)
            return self._dataset

    def _asks_as(self, other: Run) -> bool:
        """Does ``other`` learn from the same examples, drawn and augmented in the same way?"""
        mine, theirs = self.recipe, other.recipe
        same = ("project", "data", "seed", "augmentation")
        return self.own is other.own and all(
            getattr(mine, name) == getattr(theirs, name) for name in same
        )

    @property
    def loaded(self) -> bool:
        """Is the data set here, or known not to be had, so that asking for it takes no time?"""
        return self._dataset is not None or self._loaded.is_set()

    def predictor(self) -> Predictor:
        """The network as it is now (untrained, half-trained, trained), as a copy to ask."""
        model = self.project.build(self.recipe)
        weights = self._weights  # replaced as a whole, never changed in place
        if weights is not None:
            model.load_state_dict(weights)
        return Predictor(self.project, self.recipe, model.eval(), self.dataset().scaler)

    def snapshot(self) -> Snapshot:
        """What a page shows, copied in one moment."""
        with self._lock:
            return Snapshot(
                self.state,
                self.recipe,
                self._history.copy(),
                self._steps_total,
                self._served,
                self.error,
                self.pausing_unwatched,
            )

    # What follows is called by the service and its workers alone.

    def _prepare(self) -> None:
        """Load, build and start the generator: work of the first slice, as it may take seconds."""
        dataset = self.dataset()
        model = self.project.build(self.recipe)
        self._model = model
        self._events = fit(model, dataset, self.recipe, self.controls)
        with self._lock:
            self.parameters = models.parameters(model)
            self._history.data = dataset.describe()
            self._steps_total = self.recipe.epochs * steps_per_epoch(self.recipe, dataset)
            self._started = time.monotonic()

    def _slice(self, seconds: float) -> None:
        """Train for about ``seconds``, at most until what was asked for is done."""
        threads.use(max(self.recipe.threads, 1))
        if self._events is None:
            self._prepare()
        assert self._events is not None
        assert self._started is not None
        assert self._model is not None
        begun = time.monotonic()
        trained = self._history.training
        ended: Ending | None = None
        while self.active and self._until is not None:
            try:
                event = next(self._events)
            except StopIteration as end:
                ended = end.value
                break
            now = time.monotonic()
            with self._lock:
                self._history.add(event, now - self._started, trained + now - begun)
                if self._reached(event):
                    self._until = None  # unless start() asks for more before the slice is over
            if now - begun > seconds:
                break
        self._weights = models.state(self._model)
        with self._lock:
            self._served += time.monotonic() - self._queued
            if self.over:
                return  # stopped in the meantime
            if ended is not None:
                self._history.ended = ended
                self.state = "diverged" if ended == "diverged" else "finished"
            elif self._until is None and self.active:
                self.state = "paused"

    def _reached(self, event: Step | Epoch) -> bool:
        """Is what was asked for done? After the last epoch there is only the end to come."""
        if isinstance(event, Epoch):
            return self._until == "epoch" and event.number < self.recipe.epochs
        return self._until == "batch"


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment; nothing in it changes any more."""

    state: State
    recipe: Recipe
    history: History
    steps_total: int
    served: float = 0.0  # wall-clock seconds in which it wanted a worker, others' turns included
    error: PlaygroundError | None = None
    pausing_unwatched: bool = False

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def over(self) -> bool:
        return self.state in OVER

    @property
    def steps_per_second(self) -> float:
        """Steps per second as a student sees them: the turns of other runs included."""
        return self.history.steps / self.served if self.served else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Wall-clock seconds to the end if it goes on as it went; None before the first step."""
        if not self.steps_per_second:
            return None
        return (self.steps_total - self.history.steps) / self.steps_per_second


@dataclass
class RunService:
    """Starts, pauses, resumes and stops runs; ``close`` (or the main thread's end) ends it.

    ``clock`` is a parameter for tests, which move time instead of waiting for it.
    """

    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    pause_after: float = PAUSE_AFTER
    stop_after: float = STOP_AFTER
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        threads.default_to_one()
        self._queue: deque[Run] = deque()  # active runs that no worker holds, oldest turn first
        self._held: dict[int, Run] = {}  # runs that a worker holds, by their id
        self._watched: list[Run] = []  # every run that is not over
        self._wake = threading.Condition()
        self._closed = False
        self._threads: list[threading.Thread] = []

    def start(self, run: Run, until: Until = "end", background: bool = False) -> None:
        """Let a ready or paused run train, to its end or for one more epoch or batch.

        ``background``: from its first start on, behind all runs that are not.
        """
        with self._wake, run._lock:
            if run.over or self._closed:
                return
            if run.state == "ready":
                run.background = background
                count = run.recipe.threads or (1 if background else self._spare_threads())
                run.recipe = run.recipe.with_(threads=count)
                self._watched.append(run)
            run._until = until
            run.pausing_unwatched = False
            run.seen = self.clock()
            if run.state not in ACTIVE:
                run.state = "waiting" if run._events is None else "running"
                self._enqueue(run)
            self._ensure_workers()

    def load(self, run: Run, patience: float = 0.3) -> bool:
        """Let a worker load the data of an untrained run; True if it is there by now.

        A page asks this before it needs the data: most sets are there within
        ``patience`` seconds, and a page does not stand still for the others.
        """
        with self._wake:
            if not (run.loaded or run._loading or run.over or self._closed):
                run._loading = True
                self._enqueue(run)
                self._ensure_workers()
        return run.loaded or run._loaded.wait(patience)

    def pause(self, run: Run) -> None:
        """Hold a run after the step it is in; nothing of it is lost."""
        with self._wake, run._lock:
            if run.active:
                run.state = "paused"

    def stop(self, run: Run, reason: str = "") -> None:
        """End a run for good; its network stays usable."""
        with self._wake, run._lock:
            if not run.over:
                run.state = "stopped"
                run._history.ended, run._history.reason = "stopped", reason
                self._forget(run)

    def change(self, run: Run, settings: Settings) -> None:
        """Learning rate and weight decay from the next step on."""
        run.controls.now = settings

    def look(self, run: Run) -> Snapshot:
        """A snapshot, and the sign that somebody still watches."""
        run.seen = self.clock()
        return run.snapshot()

    @property
    def active(self) -> int:
        """How many runs want a worker now, not counting those in the background.

        About as many pages refresh: the runs of a sweep share one.
        """
        with self._wake:
            return sum(run.active and not run.background for run in self._watched)

    def sweep(self) -> None:
        """Pause active runs that nobody looked at for a while, and stop them later."""
        with self._wake:  # held to the end, so that nobody starts one in between
            for run in list(self._watched):
                seconds = self.clock() - run.seen
                if seconds > self.stop_after:
                    self.stop(run, N_("Nobody was watching."))
                elif seconds > self.pause_after and run.active:
                    self.pause(run)
                    run.pausing_unwatched = True

    def close(self) -> None:
        """Stop all workers and wait for them; runs stay as they are."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join()

    def _spare_threads(self) -> int:
        """All cores for a run that is alone; one each where several share the machine."""
        return 1 if any(run.active for run in self._watched) else self.workers

    def _enqueue(self, run: Run) -> None:
        if run not in self._queue and id(run) not in self._held:
            run._queued = time.monotonic()
            self._queue.append(run)
            self._wake.notify_all()  # not every worker may take every run

    def _forget(self, run: Run) -> None:
        if run in self._watched:
            self._watched.remove(run)

    def _ensure_workers(self) -> None:
        while len(self._threads) < self.workers:
            first = not self._threads
            thread = threading.Thread(target=self._work, args=(first,), name="training")
            self._threads.append(thread)
            thread.start()

    def _work(self, first: bool) -> None:
        # Not daemons: a thread inside torch while the interpreter exits aborts the process.
        # So each looks now and then whether the main thread, the server, is still there.
        main = threading.main_thread()
        while main.is_alive():
            with self._wake:
                if self._closed:
                    return
                run = self._next(first)
                if run is None:
                    self._wake.wait(timeout=0.5)
                    run = self._next(first)
            while run is not None:
                self._turn(run)
                self.sweep()
                if not self._keep(run):
                    run = None
            self.sweep()

    def _next(self, first: bool) -> Run | None:
        """Take the run that has waited longest, of those that this worker may train.

        Runs with helper threads are for the first worker alone: the helpers stay with the
        worker that called them, and two sets of them are more than the machine has cores.
        Runs in the background are for nobody while another run waits.
        """
        waiting = [run for run in self._queue if not run.background]
        if not waiting and self._core_free():
            waiting = list(self._queue)
        for run in waiting:
            if first or run.recipe.threads <= 1:
                self._queue.remove(run)
                self._held[id(run)] = run
                if self._queue:
                    self._wake.notify_all()  # who sleeps may now take one from the background
                return run
        return None

    def _core_free(self) -> bool:
        """Do the runs that workers hold, the background aside, leave a core?"""
        held = (run for run in self._held.values() if not run.background)
        return sum(max(run.recipe.threads, 1) for run in held) < self.workers

    def _gives_way(self, run: Run) -> bool:
        """Is there one in the queue for which ``run`` makes room, after a turn?"""
        if run.background:
            return bool(self._queue) or not self._core_free()
        return any(not other.background for other in self._queue)

    def _keep(self, run: Run) -> bool:
        """After a turn: may the worker go on with ``run``? Else it goes back into the queue.

        Where nobody waits, it may: a run's memory and helper threads belong to its worker,
        and moving them to another after each slice cost a fifth of the speed.
        """
        with self._wake:
            if run.active and not self._gives_way(run) and not self._closed:
                return threading.main_thread().is_alive()
            self._held.pop(id(run), None)
            self._wake.notify_all()  # a core is free
            if run.active:
                self._enqueue(run)
            elif run.over:
                self._forget(run)
            return False

    def _turn(self, run: Run) -> None:
        """One slice of one run; whatever goes wrong in it is that run's own end."""
        with run._lock:
            if run.state == "waiting":
                run.state = "running"
        try:
            if run._loading:
                self._load(run)
            elif run.active:
                run._slice(SLICE)
        except PlaygroundError as error:
            self._fail(run, error)
        except Exception as error:
            logging.getLogger(__name__).exception("A run failed")
            message = N_("Training stopped because of an error in the program: {reason}")
            self._fail(run, PlaygroundError(message, reason=f"{type(error).__name__}: {error}"))

    @staticmethod
    def _load(run: Run) -> None:
        try:
            run.dataset()
        except PlaygroundError:
            pass  # whoever asks for the data set is told, at once
        finally:
            run._loading = False
            run._loaded.set()

    @staticmethod
    def _fail(run: Run, error: PlaygroundError) -> None:
        with run._lock:
            run.state, run.error = "failed", error
            run._history.ended, run._history.reason = "failed", str(error)
