"""Many runs side by side in one process.

A few worker threads, one a core, take the active runs in turn, a slice of about 50 ms
each, so that thirty students on two cores all see their network learn and the web
server keeps breathing. A worker is the only one that touches a run's generator and
weights; everybody else reads what it publishes after each slice.

Runs in the *background* (those of a sweep) take turns among themselves, with what the
others leave: a worker trains one only while no other run waits and a core is free.
"""

from __future__ import annotations

import copy
import logging
import math
import os
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Literal
from weakref import WeakSet

import torch
from torch import nn

from playground import limits, resources, threads
from playground.data.dataset import Dataset, Examples, Scaler
from playground.data.steps import Made, Steps
from playground.errors import PlaygroundError
from playground.history import History
from playground.i18n import N_
from playground.optimizers import Settings
from playground.progress import below
from playground.projects.base import Predictor, Project
from playground.recipe import Recipe
from playground.resources import Need
from playground.trainer import Here, LostError, Stop, Trainer, readable
from playground.training import Controls, Epoch, Step

SLICE: Final = 0.05  # seconds a run keeps a worker
# Seconds without a look until a run pauses by itself, and until it stops for good.
PAUSE_AFTER: Final = float(os.environ.get("PLAYGROUND_PAUSE_AFTER", "60"))
STOP_AFTER: Final = float(os.environ.get("PLAYGROUND_STOP_AFTER", "1800"))
LEAVE_AFTER: Final = 10.0  # seconds without a look after which data for a page are not made
GAP: Final = 30.0  # seconds in which no worker looked at the clock: more, and it has jumped
MOST_REST: Final = 0.25  # seconds between two slices that others may have
ROUND: Final = 0.1  # seconds of work by which one student's runs may be ahead of another's
MOST_MADE: Final = 4  # data sets that are under way at a time: half made they take most memory

MOST_LOST: Final = 3  # times that a run whose trainer was lost goes on from its last milestone

State = Literal[
    "ready", "waiting", "running", "paused", "finished", "stopped", "diverged", "failed"
]
ACTIVE: Final = ("waiting", "running")
OVER: Final = ("finished", "stopped", "diverged", "failed")
Until = Literal["end", "epoch", "batch"]


@dataclass(frozen=True)
class Milestone:
    """A run just after one of its epochs: enough to go on from there with the same numbers.

    ``progress`` is what :meth:`Progress.save` gave; ``settings`` the controls' last ones.
    """

    progress: dict[str, torch.Tensor]
    history: History
    settings: Settings
    steps_total: int
    served: float = 0.0

    @property
    def epoch(self) -> int:
        return self.history.epochs[-1].epoch

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        """The network's, by name."""
        return below(self.progress, "model.")


@dataclass(frozen=True)
class Move:
    """What one step did: all weights before and after step number ``step``."""

    step: int
    before: dict[str, torch.Tensor]
    after: dict[str, torch.Tensor]


@dataclass(eq=False)
class Share:
    """What the runs of one student have had of the workers, whose turns are fair by it.

    Turns alone are not: one of a large network may take seconds where others take a slice,
    and a student may let six runs train at once.
    """

    used: float = 0.0  # seconds of a core


@dataclass(frozen=True)
class Published:
    """A run's weights after ``step`` steps (None: as the recipe's seed draws them)."""

    step: int
    weights: dict[str, torch.Tensor] | None
    move: Move | None


class Run:
    """One network and its training, to be steered through :class:`RunService`.

    ``state``: *ready* (untrained), *waiting* (wants a worker, whose first slices load the
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
        self.seen = 0.0  # when somebody last looked at it, in the service's time
        self.share = Share()  # of its own until somebody says whose it is
        self._lock = threading.Lock()
        self._history = History(_settings=self.controls.now)  # changes count from here on
        self._until: Until | None = "end"  # None: what was asked for is done
        self._dataset: Dataset | None = None
        self._data_lock = threading.Lock()
        self._loading = False  # a page wants the data set
        self._steps: Steps[Dataset] | None = None  # while it is being made
        self.made: Made | None = None  # how far that is
        self._loaded = threading.Event()  # a worker has tried to load the data set
        self._weights: dict[str, torch.Tensor] | None = None
        self._weights_step = 0  # how many steps they have learned
        self._move: Move | None = None
        self._move_wanted = False  # somebody looks inside and has not got the next one yet
        self._scaler: Scaler | None = None  # of a network from a file, instead of the data's
        self._trainer: Trainer | None = None  # while it trains, or may again
        self._lost = 0  # how many times its trainer was
        self._started: float | None = None
        self._queued = 0.0  # when it last began to wait for a worker
        self._served = 0.0  # seconds of waiting for a worker and training, without pauses
        self._lends = False  # its threads were given because it was alone: it may lose them
        self._crowded = False  # it is not alone any more
        self._steps_total = 0
        self.begins_at: Milestone | None = None  # instead of the untrained network
        self.milestone: Milestone | None = None  # the last that was asked for
        self.milestone_wanted = False  # take one after the next epoch

    @classmethod
    def restored(
        cls,
        project: Project,
        recipe: Recipe,
        weights: dict[str, torch.Tensor],
        scaler: Scaler,
        own: Examples | None = None,
    ) -> Run:
        """A run that begins at its end: a network that was trained elsewhere, ready to be asked.

        ``weights`` fit the recipe's network. ``scaler`` is the one that it learned with,
        whatever ``own`` examples are here.
        """
        run = cls(project, recipe, own)
        run.state, run._history.ended = "finished", "loaded"
        run.parameters = sum(one.numel() for one in weights.values())
        run._weights, run._scaler = weights, scaler
        return run

    @classmethod
    def remembered(
        cls,
        project: Project,
        recipe: Recipe,
        weights: dict[str, torch.Tensor],
        scaler: Scaler,
        snapshot: Snapshot,
        own: Examples | None = None,
    ) -> Run:
        """A run that is over, as its last ``snapshot`` says, in a process that did not train it."""
        run = cls.restored(project, recipe, weights, scaler, own)
        run.state, run._history = snapshot.state, snapshot.history
        run._steps_total, run._served = snapshot.steps_total, snapshot.served
        return run

    @classmethod
    def resumed(
        cls, project: Project, recipe: Recipe, milestone: Milestone, own: Examples | None = None
    ) -> Run:
        """A paused run that goes on from ``milestone``, in a process that did not begin it."""
        run = cls(project, recipe, own)
        run.state, run.begins_at, run.milestone = "paused", milestone, milestone
        run.controls.now = milestone.settings
        run._history = replace(milestone.history.copy(), _settings=milestone.settings)
        run._weights = milestone.weights
        run.parameters = sum(one.numel() for one in run._weights.values())
        run._steps_total, run._served = milestone.steps_total, milestone.served
        return run

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def over(self) -> bool:
        return self.state in OVER

    @property
    def threads(self) -> int:
        """How many processor threads it computes with now."""
        found = [one.value for one in self._history.changes if one.name == "threads"]
        return int(found[-1]) if found else max(self.recipe.threads, 1)

    @cached_property
    def need(self) -> Need:
        """The memory and work that it takes, by estimate."""
        return self.project.need(self.recipe, self.own)

    def dataset(self) -> Dataset:
        """The run's data set, loaded at the first call (from a shared cache, if it is there).

        Raises:
            PlaygroundError: data that cannot be had.
        """
        while (found := self._made_further()) is None:
            pass
        return found

    def _made_further(self) -> Dataset | None:
        """One step towards the data set; the data set, once it is there."""
        with self._data_lock:
            if self._dataset is not None:
                return self._dataset
            steps = self._steps or self._making()
            try:
                self._steps, self.made = steps, next(steps)
            except StopIteration as end:
                dataset: Dataset = end.value
                if self._scaler is not None:
                    dataset = replace(dataset, scaler=self._scaler)
                self._dataset = dataset
                self._let_go()
            except BaseException:
                self._let_go()
                raise
            return self._dataset

    def _making(self) -> Steps[Dataset]:
        like = self._like
        if like is None:
            return (yield from self.project.loading(self.recipe, self.own))
        while (found := like._made_further()) is None:
            if like.made is not None:
                yield like.made
        return found

    def _let_go(self) -> None:
        """Forget what is half made."""
        self._steps = self.made = None

    def _asks_as(self, other: Run) -> bool:
        """Does ``other`` learn from the same examples, drawn and augmented in the same way?"""
        mine, theirs = self.recipe, other.recipe
        same = ("project", "data", "seed", "augmentation")
        return (
            self.own is other.own
            and not other.from_file
            and all(getattr(mine, name) == getattr(theirs, name) for name in same)
        )

    @property
    def loaded(self) -> bool:
        """Is the data set here, or known not to be had, so that asking for it takes no time?"""
        return self._dataset is not None or self._loaded.is_set()

    @property
    def trained(self) -> bool:
        """Has it a network that is not as it was made?"""
        return self._weights is not None

    @property
    def goes_on_from(self) -> int | None:
        """The epoch after which it waits to go on, as another process had begun it."""
        waits = self.begins_at is not None and self._trainer is None and not self.over
        return self.begins_at.epoch if waits and self.begins_at is not None else None

    @property
    def from_file(self) -> bool:
        """Was the network trained elsewhere? Then it answers without its data."""
        return self._scaler is not None

    def predictor(self) -> Predictor:
        """The network as it is now (untrained, half-trained, trained), as a copy to ask."""
        weights = self._weights  # replaced as a whole, never changed in place
        if weights is None:
            model = self.project.build(self.recipe)
        else:  # a live view asks for one at each refresh
            model = copy.deepcopy(self._skeleton)
            own = {name: tensor.clone() for name, tensor in weights.items()}
            model.load_state_dict(own, assign=True)
        scaler = self._scaler or self._rough or self.dataset().scaler
        return Predictor(self.project, self.recipe, model.eval(), scaler)

    @property
    def answers(self) -> bool:
        """Can it be asked without waiting for its data?"""
        return self.loaded or self.from_file or self._rough is not None

    @property
    def _rough(self) -> Scaler | None:
        """What an untrained network, which only guesses, may do with until its data are there."""
        return None if self.loaded or self.trained else self.project.rough

    @cached_property
    def _skeleton(self) -> nn.Sequential:
        return self.project.skeleton(self.recipe)

    def published(self) -> Published:
        """The weights as the last slice left them, for somebody who looks inside the network.

        Nothing in them changes later. The next slice will also keep what its first step did
        (one more copy of the weights), for the next look.
        """
        self._move_wanted = True
        with self._lock:
            return Published(self._weights_step, self._weights, self._move)

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
                self.made,
            )

    # What follows is called by the service and its workers alone.

    def _prepare(self, begin: Begin) -> None:
        """Load, build and start the generator: work of the first slice, as it may take seconds."""
        trainer = begin(self)
        wall = self.begins_at.history.wall if self.begins_at is not None else 0.0
        with self._lock:
            self._trainer = trainer
            self.parameters = trainer.parameters
            self._history.data = dict(trainer.data)
            self._steps_total = trainer.steps_total
            self._started = time.monotonic() - wall
            self._queued = time.monotonic()  # its data took time, which is no steps' time

    def _slice(self, seconds: float, begin: Begin) -> bool:
        """Train for about ``seconds``, at most until what was asked for is done.

        Is there something new worth keeping: a milestone, or the end?
        """
        if self._crowded and self.threads > 1 and not self._validates_next():
            # Not in between: a script repeats this before the step that the history names.
            with self._lock:
                self._history.changed("threads", 1)
        if self._trainer is None:
            self._prepare(begin)
        assert self._trainer is not None
        assert self._started is not None
        trainer = self._trainer
        trainer.use_threads(self.threads)
        begun = now = time.monotonic()
        trained = self._history.training
        unmoved = self._weights or trainer.weights() if self._move_wanted else None
        reached = self.milestone
        while self.active and self._until is not None and now - begun <= seconds:
            stop: Stop = "event" if unmoved is not None else self._stop_at()
            events = trainer.go(seconds - (now - begun), stop)
            begun += trainer.idle
            for event, now in events:
                with self._lock:
                    self._history.add(event, now - self._started, trained + now - begun)
                    if self._reached(event):
                        self._until = None  # unless start() asks for more before it is over
                    if isinstance(event, Epoch) and self._worth_a_milestone():
                        self._reach_milestone(trainer, now - begun)
                if unmoved is not None and isinstance(event, Step) and math.isfinite(event.loss):
                    self._move = Move(event.number, unmoved, trainer.weights())
                    self._move_wanted, unmoved = False, None
            if trainer.ended is not None:
                break
        weights, ended = trainer.weights(), trainer.ended
        with self._lock:
            self._weights, self._weights_step = weights, self._history.steps
            served = time.monotonic()
            self._served += served - self._queued
            self._queued = served  # its worker may go on with it at once
            if self.over:
                return True  # stopped in the meantime
            if ended is not None:
                self._history.ended = ended
                self.state = "diverged" if ended == "diverged" else "finished"
            elif self._until is None and self.active:
                self.state = "paused"
            return self.over or self.milestone is not reached

    def _validates_next(self) -> bool:
        """Is an epoch's last step done, and its validation not?"""
        steps, epochs = self._history.steps, self._history.epochs
        if not self._steps_total or steps % (self._steps_total // self.recipe.epochs):
            return False
        return steps > (epochs[-1].step if epochs else 0)

    def _worth_a_milestone(self) -> bool:
        """An epoch has ended: does somebody wait for a milestone, or will it stand still here?"""
        return self.milestone_wanted or (self.milestone is not None and self._until is None)

    def _reach_milestone(self, trainer: Trainer, seconds: float) -> None:
        """Copy everything, as an epoch has just ended; ``seconds`` of the slice are over."""
        progress = trainer.save()
        if progress is None:
            return  # asked for too late: after the next epoch
        self.milestone_wanted = False
        self.milestone = Milestone(
            progress,
            self._history.copy(),
            self.controls.now,
            self._steps_total,
            self._served + seconds,
        )

    def _stop_at(self) -> Stop:
        """Where there is something to be done before it trains on, or it must not go further."""
        if self._until == "batch":
            return "event"
        return "epoch" if self._until == "epoch" or self.milestone_wanted else "time"

    def _go_back(self) -> bool:
        """After the loss of its trainer: to the last milestone, to go on from there, if it may."""
        milestone = self.milestone
        with self._lock:
            if self.over:
                return True  # stopped in the meantime
            if milestone is None or self._lost >= MOST_LOST:
                return False
            self._lost += 1
            self._trainer, self.begins_at = None, milestone
            self._history = replace(milestone.history.copy(), _settings=milestone.settings)
            self._weights, self._weights_step = milestone.weights, self._history.steps
            self._move = None
        return True

    def _reached(self, event: Step | Epoch) -> bool:
        """Is what was asked for done? After the last epoch there is only the end to come."""
        if isinstance(event, Epoch):
            return self._until == "epoch" and event.number < self.recipe.epochs
        return self._until == "batch"


Begin = Callable[[Run], Trainer]


def here(run: Run) -> Trainer:
    """A trainer of ``run`` in this process and thread."""
    threads.use(run.threads)
    begins_at = run.begins_at
    progress = None if begins_at is None else begins_at.progress
    return Here(run.project, run.recipe, run.dataset(), run.controls, progress)


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
    made: Made | None = None  # how many of its examples are made, while they are

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
    ``notice`` is told of a run that has reached a milestone or its end, by whoever brought
    that about (a worker, a page) and while no lock is held.
    ``begin`` says where a run trains. ``rest``: seconds that a worker leaves the machine to
    others after a slice, as it is now. ``most_threads``: that one which is alone may use, by
    default as many as there are workers. ``memory``: bytes for all runs together, as
    :mod:`playground.limits` estimates them.
    """

    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    pause_after: float = PAUSE_AFTER
    stop_after: float = STOP_AFTER
    clock: Callable[[], float] = time.monotonic
    notice: Callable[[Run], None] = lambda _run: None
    begin: Begin = here
    rest: Callable[[], float] = lambda: 0.0
    most_threads: int | None = None
    memory: int = field(default_factory=resources.budget)

    def __post_init__(self) -> None:
        threads.default_to_one()
        self._queue: deque[Run] = deque()  # active runs that no worker holds, oldest turn first
        self._held: dict[int, Run] = {}  # runs that a worker holds, by their id
        self._watched: list[Run] = []  # every run that is not over
        # Every run that holds memory: those that train, and those that a page still shows.
        self._known: WeakSet[Run] = WeakSet()
        self._wake = threading.Condition()
        self._time, self._looked = 0.0, self.clock()  # see _now()
        self._closed = False
        self._threads: list[threading.Thread] = []

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
            self._admit(needs, background)
            for run in runs:
                self._start(run, until, background)

    def _admit(self, needs: Mapping[Run, Need], background: bool) -> None:
        """Is there room for those that do not train yet?"""
        new = [run for run in needs if not (run.over or run.active)]
        counts = Counter((run.share, run.background or background) for run in new)
        for (share, behind), count in counts.items():
            mine = (run for run in self._watched if run.share is share and run.active)
            limits.check_active(count, sum(run.background == behind for run in mine), behind)
        fresh = [run for run in new if run not in self._watched]  # the others have their room
        if fresh:
            held = self._taken(self._known - {*fresh})
            resources.check_together(map(needs.__getitem__, fresh), held, self.workers, self.memory)

    @staticmethod
    def _taken(runs: Iterable[Run]) -> Iterator[Need]:
        """What ``runs`` hold by now; a data set that several share counts once."""
        seen: set[int] = set()
        for run in runs:
            need, dataset = run.need.over if run.over else run.need, run._dataset
            if dataset is not None:
                place = dataset.train.inputs.data_ptr()
                need = replace(need, data=0 if place in seen else dataset.nbytes)
                seen.add(place)
            yield need

    def _start(self, run: Run, until: Until, background: bool) -> None:
        with run._lock:
            if run.over or self._closed:
                return
            self._known.add(run)
            if run.state == "ready":
                run.background = background
                run._lends = not run.recipe.threads
                count = run.recipe.threads or (1 if background else self._spare_threads())
                run.recipe = run.recipe.with_(threads=count)
            if run not in self._watched:  # a ready one, or one that another process began
                self._watched.append(run)
            run._until = until
            run.pausing_unwatched = False
            run.seen = self._now()
            if run.state not in ACTIVE:
                self._crowd(run)
                self._level(run)
                run.state = "waiting" if run._trainer is None else "running"
                self._enqueue(run)
            self._ensure_workers()

    def load(self, run: Run, patience: float = 0.3) -> bool:
        """Let a worker load the data of a run that does not train; True if it is there by now.

        A page asks this before it needs the data: most sets are there within
        ``patience`` seconds, and a page does not stand still for the others.
        """
        with self._wake:
            run.seen = self._now()
            if not (run.loaded or run._loading or self._closed):
                run._loading = True
                self._level(run)
                self._enqueue(run)
                self._ensure_workers()
        return run.loaded or run._loaded.wait(patience)

    def leave(self, run: Run) -> None:
        """No page wants the data of ``run`` any more, as another has taken its place."""
        with self._wake:
            run._loading = False
            if not run.active:
                self._left(run)

    def _left(self, run: Run) -> None:
        """Who only waited for data that nobody wants, waits no more."""
        run._loading = False
        if run in self._queue:
            self._queue.remove(run)
        if id(run) not in self._held:  # else its worker lets go of them
            run._let_go()

    def pause(self, run: Run) -> None:
        """Hold a run after the step it is in; nothing of it is lost."""
        with self._wake, run._lock:
            if run.active:
                run.state = "paused"

    def stop(self, run: Run, reason: str = "") -> None:
        """End a run for good; its network stays usable."""
        if self._stop(run, reason):
            self._tell(run)

    def _stop(self, run: Run, reason: str) -> bool:
        """Stop a run, if it is not over; is it news?"""
        with self._wake, run._lock:
            if run.over:
                return False
            run.state = "stopped"
            run._history.ended, run._history.reason = "stopped", reason
            self._forget(run)
            return True

    def change(self, run: Run, settings: Settings) -> None:
        """Learning rate and weight decay from the next step on."""
        run.controls.now = settings

    def look(self, run: Run) -> Snapshot:
        """A snapshot, and the sign that somebody still watches."""
        with self._wake:
            run.seen = self._now()
            if run.state != "ready":
                self._known.add(run)
        return run.snapshot()

    @property
    def active(self) -> int:
        """How many runs want a worker now, not counting those in the background.

        About as many pages refresh: the runs of a sweep share one.
        """
        with self._wake:
            return sum(run.active and not run.background for run in self._watched)

    def sweep(self) -> None:
        """Pause active runs that nobody looked at for a while, and stop them later.

        Nor are data made for a page that is not there any more.
        """
        stopped = []
        with self._wake:  # held to the end, so that nobody starts one in between
            now = self._now()
            for run in list(self._watched):
                seconds = now - run.seen
                if seconds > self.stop_after:
                    if self._stop(run, N_("Nobody was watching.")):
                        stopped.append(run)
                elif seconds > self.pause_after and run.active:
                    self.pause(run)
                    run.pausing_unwatched = True
            for run in [*self._queue, *self._held.values()]:
                if run._loading and now - run.seen > LEAVE_AFTER and not run.active:
                    self._left(run)
        for run in stopped:
            self._tell(run)

    def _now(self) -> float:
        """Seconds in which somebody could have watched: the clock, without its jumps.

        While a laptop sleeps nobody looks at a run and none trains, and some systems count
        that time; a clock that goes back would leave runs alone for as long.
        """
        now = self.clock()
        self._time += min(max(now - self._looked, 0.0), GAP)
        self._looked = now
        return self._time

    def close(self) -> None:
        """Stop all workers and wait for them; runs stay as they are."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join()

    def _spare_threads(self) -> int:
        """All cores for a run that is alone; one each where several share the machine."""
        if any(run.active for run in self._watched):
            return 1
        return self.most_threads or self.workers

    def _enqueue(self, run: Run) -> None:
        if run not in self._queue and id(run) not in self._held:
            run._queued = time.monotonic()
            self._queue.append(run)
            self._wake.notify_all()  # not every worker may take every run

    def _forget(self, run: Run) -> None:
        if run in self._watched:
            self._watched.remove(run)
        if id(run) not in self._held:
            # Nobody needs what they hold, the weights aside.
            run._trainer = run.milestone = run.begins_at = None

    def _ensure_workers(self) -> None:
        while len(self._threads) < self.workers:
            first = not self._threads
            # Said outright, as Streamlit's threads are daemons and hand that on.
            thread = threading.Thread(
                target=self._work, args=(first,), name="training", daemon=False
            )
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
                begun = time.monotonic()
                self._turn(run)
                seconds = time.monotonic() - begun
                if (rest := self.rest()) > 0:
                    time.sleep(min(rest, MOST_REST))
                self.sweep()
                if not self._keep(run, seconds):
                    run = None
            self.sweep()

    def _next(self, first: bool) -> Run | None:
        """Take the run that has waited longest, of those that this worker may train.

        Those of a student who has had more of the workers than others wait for these, and
        one worker is kept free of loading data.
        Runs with helper threads are for the first worker alone: the helpers stay with the
        worker that called them, and two sets of them are more than the machine has cores.
        Runs in the background are for nobody while another run waits.
        """
        waiting = [run for run in self._queue if not run.background]
        waiting.sort(key=lambda run: run.share.used // ROUND)
        if not waiting and self._core_free():
            waiting = list(self._queue)
        for run in waiting:
            if (first or run.threads <= 1) and not self._must_wait(run):
                self._queue.remove(run)
                self._held[id(run)] = run
                if self._queue:
                    self._wake.notify_all()  # who sleeps may now take one from the background
                return run
        return None

    def _must_wait(self, run: Run) -> bool:
        """Drawing a data set may take a minute: one worker of several always trains.

        Nor are many begun before the first are done.
        """
        if run.loaded:
            return False
        loading = sum(not held.loaded for held in self._held.values())
        begun = sum(
            one._steps is not None and one.background <= run.background  # else it waits for us
            for one in [*self._queue, *self._held.values()]
        )
        return 0 < self.workers - 1 <= loading or (run._steps is None and begun >= MOST_MADE)

    def _core_free(self) -> bool:
        """Do the runs that workers hold, the background aside, leave a core?"""
        held = (run for run in self._held.values() if not run.background)
        return sum(run.threads for run in held) < self.workers

    def _gives_way(self, run: Run) -> bool:
        """Is there one in the queue for which ``run`` makes room, after a turn?"""
        if run.background:
            return bool(self._queue) or not self._core_free()
        return any(not other.background for other in self._queue)

    def _crowd(self, run: Run) -> None:
        """Who was alone and had all cores is not any more: one thread each is best for all."""
        if not run.background:
            for other in self._watched:
                other._crowded = other._crowded or (
                    other is not run and other._lends and other.active
                )

    def _level(self, run: Run) -> None:
        """Who comes begins level with the others: nobody saves up turns."""
        others = [one for one in [*self._queue, *self._held.values()] if not one.background]
        used = [other.share.used for other in others if other.share is not run.share]
        mine = any(other.share is run.share for other in others)
        if used and not mine:
            run.share.used = max(run.share.used, min(used))

    def _keep(self, run: Run, seconds: float) -> bool:
        """After a turn of so many ``seconds``: may the worker go on with ``run``?

        Else it goes back into the queue.

        Where nobody waits, it may: a run's memory and helper threads belong to its worker,
        and moving them to another after each slice cost a fifth of the speed.
        """
        with self._wake:
            if not run.background:  # else it has had what nobody wanted
                run.share.used += seconds * run.threads
            wants = run.active or run._loading
            if wants and not self._gives_way(run) and not self._closed:
                return threading.main_thread().is_alive()
            self._held.pop(id(run), None)
            self._wake.notify_all()  # a core is free
            if wants:
                self._enqueue(run)
            elif run.over:
                self._forget(run)
            if not wants:
                run._let_go()
            return False

    def _turn(self, run: Run) -> None:
        """One slice of one run; whatever goes wrong in it is that run's own end."""
        # Elsewhere the data are made there; here in slices, so that others come in between.
        loads = run._loading or (run.active and self.begin is here and not run.loaded)
        try:
            if loads:
                self._load(run)
                if not run.loaded:
                    return
            with run._lock:
                if run.state == "waiting":
                    run.state = "running"
            if run.active and run._slice(SLICE, self.begin):
                self._tell(run)
        except LostError as error:
            if not run._go_back():
                self._fail(run, error)
        except Exception as error:
            self._fail(run, readable(error))

    def _tell(self, run: Run) -> None:
        """Tell of ``run``; what goes wrong there must not end a worker, whom all runs need."""
        try:
            self.notice(run)
        except Exception:
            logging.getLogger(__name__).exception("Nobody could be told of a run")

    def _load(self, run: Run) -> None:
        """Go on making the data of ``run``, for a slice."""
        until = time.monotonic() + SLICE
        try:
            while run._made_further() is None:
                if time.monotonic() > until or not (run._loading or run.active):
                    return
        except PlaygroundError:
            pass  # whoever asks for the data set is told, at once
        except BaseException:
            self._end_loading(run)
            raise
        self._end_loading(run)

    @staticmethod
    def _end_loading(run: Run) -> None:
        run._loading = False
        run._loaded.set()

    def _fail(self, run: Run, error: PlaygroundError) -> None:
        with run._lock:
            run.state, run.error = "failed", error
            run._history.ended, run._history.reason = "failed", str(error)
        self._tell(run)
