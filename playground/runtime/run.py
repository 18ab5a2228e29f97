"""A run: one network and its training, as everybody may read it.

Who trains it is the scheduler's affair (``service``, ``execution``).
"""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal

import torch
from torch import nn

from playground.data.dataset import Dataset, Examples, Scaler
from playground.data.steps import Made
from playground.errors import PlaygroundError
from playground.history import History
from playground.optimizers import Settings
from playground.projects.base import Predictor, Project
from playground.recipe import Recipe
from playground.resources import ResourceEstimate
from playground.runtime.run_data import RunData
from playground.training import Controls
from playground.training_state import below

State = Literal[
    "ready", "waiting", "running", "paused", "finished", "stopped", "diverged", "failed"
]
ACTIVE: Final = ("waiting", "running")
OVER: Final = ("finished", "stopped", "diverged", "failed")
Until = Literal["end", "epoch", "batch"]


@dataclass(frozen=True)
class Checkpoint:
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
class StepDelta:
    """What one step did: all weights before and after step number ``step``."""

    step: int
    before: dict[str, torch.Tensor]
    after: dict[str, torch.Tensor]


@dataclass(eq=False)
class CpuAccount:
    """What the runs of one student have had of the workers, whose turns are fair by it.

    Turns alone are not: one of a large network may take seconds where others take a slice,
    and a student may let six runs train at once.
    """

    seconds: float = 0.0  # seconds of a core


@dataclass(frozen=True)
class WeightsView:
    """A run's weights after ``step`` steps (None: as the recipe's seed draws them)."""

    step: int
    weights: dict[str, torch.Tensor] | None
    move: StepDelta | None


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
        shared = like.data if like is not None and self._asks_as(like) else None
        self.data: RunData = RunData(project, recipe, own, shared)
        self.controls = Controls(recipe)
        self.state: State = "ready"
        self.error: PlaygroundError | None = None
        self.pausing_unwatched = False  # paused because nobody looked, for the page to say so
        self.background = False  # gives way to all runs that are not
        self.parameters = 0  # how many numbers training changes; 0 before the first slice
        self.seen = 0.0  # when somebody last looked at it, in the service's time
        self.share = CpuAccount()  # of its own until somebody says whose it is
        self.begins_at: Checkpoint | None = None  # where its next trainer does, if not untrained
        self.checkpoint: Checkpoint | None = None  # the last that was asked for
        self.checkpoint_wanted = False  # take one after the next epoch
        # What only the service and the run's execution change, and while they hold the lock.
        # Everybody else takes a snapshot.
        self.lock = threading.Lock()
        self.history = History(_settings=self.controls.now)  # changes count from here on
        self.steps_total = 0
        self.served = 0.0  # seconds of waiting for a worker and training, without pauses
        self.weights: dict[str, torch.Tensor] | None = None
        self.weights_step = 0  # how many steps they have learned
        self.move: StepDelta | None = None
        self.move_wanted = False  # somebody looks inside and has not got the next one yet

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
        run.state, run.history.ended = "finished", "loaded"
        run.parameters = sum(one.numel() for one in weights.values())
        run.weights, run.data.scaler = weights, scaler
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
        run.state, run.history = snapshot.state, snapshot.history
        run.steps_total, run.served = snapshot.steps_total, snapshot.served
        return run

    @classmethod
    def resumed(
        cls, project: Project, recipe: Recipe, checkpoint: Checkpoint, own: Examples | None = None
    ) -> Run:
        """A paused run that goes on from ``checkpoint``, in a process that did not begin it."""
        run = cls(project, recipe, own)
        run.state, run.checkpoint = "paused", checkpoint
        run.controls.now = checkpoint.settings
        run.go_back(checkpoint)
        run.parameters = sum(one.numel() for one in checkpoint.weights.values())
        run.steps_total, run.served = checkpoint.steps_total, checkpoint.served
        return run

    def go_back(self, checkpoint: Checkpoint) -> None:
        """Take history and weights as they were at ``checkpoint``, to go on from there."""
        self.begins_at = checkpoint
        self.history = replace(checkpoint.history.copy(), _settings=checkpoint.settings)
        self.weights, self.weights_step = checkpoint.weights, self.history.steps
        self.move = None

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def over(self) -> bool:
        return self.state in OVER

    @property
    def threads(self) -> int:
        """How many processor threads it computes with now."""
        found = [one.value for one in self.history.changes if one.name == "threads"]
        return int(found[-1]) if found else max(self.recipe.threads, 1)

    @cached_property
    def need(self) -> ResourceEstimate:
        """The memory and work that it takes, by estimate."""
        return self.project.need(self.recipe, self.own)

    def dataset(self) -> Dataset:
        """The run's data set, loaded at the first call (from a shared cache, if it is there).

        Raises:
            PlaygroundError: data that cannot be had.
        """
        return self.data.whole()

    @property
    def made(self) -> Made | None:
        """How many of its examples are made, while they are."""
        return self.data.made

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
        return self.data.loaded

    @property
    def trained(self) -> bool:
        """Has it a network that is not as it was made?"""
        return self.weights is not None

    @property
    def goes_on_from(self) -> int | None:
        """The epoch after which it waits to go on, as another process had begun it."""
        return self.begins_at.epoch if self.begins_at is not None and not self.over else None

    @property
    def from_file(self) -> bool:
        """Was the network trained elsewhere? Then it answers without its data."""
        return self.data.scaler is not None

    def predictor(self) -> Predictor:
        """The network as it is now (untrained, half-trained, trained), as a copy to ask."""
        weights = self.weights  # replaced as a whole, never changed in place
        if weights is None:
            model = self.project.build(self.recipe)
        else:  # a live view asks for one at each refresh
            model = copy.deepcopy(self._skeleton)
            own = {name: tensor.clone() for name, tensor in weights.items()}
            model.load_state_dict(own, assign=True)
        scaler = self.data.scaler or self._rough or self.dataset().scaler
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

    def published(self) -> WeightsView:
        """The weights as the last slice left them, for somebody who looks inside the network.

        Nothing in them changes later. The next slice will also keep what its first step did
        (one more copy of the weights), for the next look.
        """
        self.move_wanted = True
        with self.lock:
            return WeightsView(self.weights_step, self.weights, self.move)

    def snapshot(self) -> Snapshot:
        """What a page shows, copied in one moment."""
        with self.lock:
            return Snapshot(
                self.state,
                self.recipe,
                self.history.copy(),
                self.steps_total,
                self.served,
                self.error,
                self.pausing_unwatched,
                self.made,
            )


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


__all__ = [
    "ACTIVE",
    "OVER",
    "Checkpoint",
    "CpuAccount",
    "Run",
    "Snapshot",
    "State",
    "StepDelta",
    "Until",
    "WeightsView",
]
