"""The training of one run, a slice at a time, as its scheduler owns it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

from playground.errors import PlaygroundError
from playground.runtime import torch_threads
from playground.runtime.run import Checkpoint, CpuAccount, Run, StepDelta, Until
from playground.runtime.trainer import LocalTrainer, LostError, Stop, Trainer, readable
from playground.training import Epoch, Step

MAX_LOST_TRAINERS: Final = (
    3  # times that a run whose trainer was lost goes on from its last checkpoint
)

Begin = Callable[[Run], Trainer]
"""Where a run trains: makes its trainer."""


def local_trainer(run: Run) -> Trainer:
    """Make a trainer of ``run`` in this process and thread."""
    torch_threads.use(run.threads)
    progress = None if run.begins_at is None else run.begins_at.progress
    return LocalTrainer(run.project, run.recipe, run.dataset(), run.controls, progress)


class Execution:
    """Train a run by turns: its trainer, and what was asked of it.

    One worker at a time calls :meth:`turn`, and what that changes in the run it changes under
    the run's lock. All else belongs to the scheduler, under its own lock.
    """

    def __init__(self, run: Run, begin: Begin = local_trainer) -> None:
        self.run = run
        self.until: Until | None = "end"  # None: what was asked for is done
        self.wants_data = False  # a page wants the data set
        self.lends = False  # its threads were given because it was alone: it may lose them
        self.crowded = False  # it is not alone any more
        self.queued = 0.0  # when it last began to wait for a worker
        self.trainer: Trainer | None = None  # once its first slice has begun
        self._begin = begin
        self._lost = 0  # how many times its trainer was
        self._started = 0.0  # on a clock that ticks, pauses included

    # What the queue asks.

    @property
    def background(self) -> bool:
        return self.run.background

    @property
    def share(self) -> CpuAccount:
        return self.run.share

    @property
    def threads(self) -> int:
        return self.run.threads

    @property
    def wants(self) -> bool:
        """Does it want a worker?"""
        return self.run.active or self.wants_data

    @property
    def loaded(self) -> bool:
        return self.run.loaded

    @property
    def loading(self) -> bool:
        """Are its data half made?"""
        return self.run.data.begun

    # What a worker does.

    def turn(self, seconds: float) -> bool:
        """Load or train for about ``seconds``; whatever goes wrong is this run's own end.

        Is there something new worth keeping: a checkpoint, or the end?
        """
        run = self.run
        # Elsewhere the data are made there; here in slices, so that others come in between.
        loads = self.wants_data or (run.active and self._begin is local_trainer and not run.loaded)
        try:
            if loads:
                self._load(seconds)
                if not run.loaded:
                    return False
            with run.lock:
                if run.state == "waiting":
                    run.state = "running"
            return run.active and self._slice(seconds)
        except LostError as error:
            return not self._go_back() and self._fail(error)
        except Exception as error:
            return self._fail(readable(error))

    def _load(self, seconds: float) -> None:
        """Go on making the data, for a slice."""
        end = time.monotonic() + seconds
        try:
            while self.run.data.further() is None:
                if time.monotonic() > end or not self.wants:
                    return
        except PlaygroundError:
            pass  # whoever asks for the data set is told, at once
        except BaseException:
            self._end_loading()
            raise
        self._end_loading()

    def _end_loading(self) -> None:
        self.wants_data = False
        self.run.data.end()

    def _prepare(self) -> Trainer:
        """Load, build and start the generator: work of the first slice, as it may take seconds."""
        run = self.run
        trainer = self._begin(run)
        wall = run.begins_at.history.wall if run.begins_at is not None else 0.0
        with run.lock:
            self.trainer, run.begins_at = trainer, None
            run.parameters = trainer.parameters
            run.history.data = dict(trainer.data)
            run.steps_total = trainer.steps_total
            self._started = time.monotonic() - wall
            self.queued = time.monotonic()  # its data took time, which is no steps' time
        return trainer

    def _slice(self, seconds: float) -> bool:
        """Train for about ``seconds``, at most until what was asked for is done."""
        run = self.run
        if self.crowded and run.threads > 1 and not self._validates_next():
            # Not in between: a script repeats this before the step that the history names.
            with run.lock:
                run.history.changed("threads", 1)
        trainer = self.trainer or self._prepare()
        trainer.use_threads(run.threads)
        begun = now = time.monotonic()
        trained = run.history.training
        unmoved = run.weights or trainer.weights() if run.move_wanted else None
        reached = run.checkpoint
        while run.active and self.until is not None and now - begun <= seconds:
            stop: Stop = "event" if unmoved is not None else self._stop_at()
            events = trainer.go(seconds - (now - begun), stop)
            begun += trainer.idle
            for event, now in events:
                with run.lock:
                    run.history.add(event, now - self._started, trained + now - begun)
                    if self._reached(event):
                        self.until = None  # unless start() asks for more before it is over
                    if isinstance(event, Epoch) and self._worth_a_checkpoint():
                        self._reach_checkpoint(trainer, now - begun)
                if unmoved is not None and isinstance(event, Step) and math.isfinite(event.loss):
                    run.move = StepDelta(event.number, unmoved, trainer.weights())
                    run.move_wanted, unmoved = False, None
            if trainer.ended is not None:
                break
        weights, ended = trainer.weights(), trainer.ended
        with run.lock:
            run.weights, run.weights_step = weights, run.history.steps
            served = time.monotonic()
            run.served += served - self.queued
            self.queued = served  # its worker may go on with it at once
            if run.over:
                return True  # stopped in the meantime
            if ended is not None:
                run.history.ended = ended
                run.state = "diverged" if ended == "diverged" else "finished"
            elif self.until is None and run.active:
                run.state = "paused"
            return run.over or run.checkpoint is not reached

    def _validates_next(self) -> bool:
        """Is an epoch's last step done, and its validation not?"""
        run = self.run
        steps, epochs = run.history.steps, run.history.epochs
        if not run.steps_total or steps % (run.steps_total // run.recipe.epochs):
            return False
        return steps > (epochs[-1].step if epochs else 0)

    def _worth_a_checkpoint(self) -> bool:
        """An epoch has ended: does somebody wait for a checkpoint, or will it stand still here?"""
        run = self.run
        return run.checkpoint_wanted or (run.checkpoint is not None and self.until is None)

    def _reach_checkpoint(self, trainer: Trainer, seconds: float) -> None:
        """Copy everything, as an epoch has just ended; ``seconds`` of the slice are over."""
        progress = trainer.save()
        if progress is None:
            return  # asked for too late: after the next epoch
        run = self.run
        run.checkpoint_wanted = False
        run.checkpoint = Checkpoint(
            progress,
            run.history.copy(),
            run.controls.now,
            run.steps_total,
            run.served + seconds,
        )

    def _stop_at(self) -> Stop:
        """Where there is something to be done before it trains on, or it must not go further."""
        if self.until == "batch":
            return "event"
        return "epoch" if self.until == "epoch" or self.run.checkpoint_wanted else "time"

    def _reached(self, event: Step | Epoch) -> bool:
        """Is what was asked for done? After the last epoch there is only the end to come."""
        if isinstance(event, Epoch):
            return self.until == "epoch" and event.number < self.run.recipe.epochs
        return self.until == "batch"

    def _go_back(self) -> bool:
        """After the loss of its trainer: to the last checkpoint, to go on from there, if it may."""
        run, checkpoint = self.run, self.run.checkpoint
        with run.lock:
            if run.over:
                return True  # stopped in the meantime
            if checkpoint is None or self._lost >= MAX_LOST_TRAINERS:
                return False
            self._lost += 1
            self.trainer = None
            run.go_back(checkpoint)
        return True

    def _fail(self, error: PlaygroundError) -> bool:
        """End the run with ``error``; that is news."""
        run = self.run
        with run.lock:
            run.state, run.error = "failed", error
            run.history.ended, run.history.reason = "failed", str(error)
        return True


__all__ = ["Begin", "Execution", "local_trainer"]
