"""Where a run's network learns: in this process, or in another (see ``ray_trainer``).

A :class:`Trainer` has the network, the data set and the generator ``training.fit``. Its
owner, a run of the service, asks it for the next events and then for the weights.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Literal, Protocol

from torch import Tensor

from playground import models
from playground.data.dataset import Dataset
from playground.errors import PlaygroundError
from playground.i18n import N_
from playground.projects.base import Project
from playground.recipe import Recipe
from playground.runtime import torch_threads
from playground.training import Controls, Ending, Epoch, Step, fit, steps_per_epoch
from playground.training_state import TrainingState

Timed = tuple[Step | Epoch, float]
"""An event, and when it came: seconds on the clock ``time.monotonic`` of this process."""

Stop = Literal["event", "epoch", "time"]
"""What events a trainer hands over at once: each, up to an epoch, all until the time is up."""


class LostError(PlaygroundError):
    """A trainer in another process is not there any more, and what it held with it."""


def readable(error: Exception) -> PlaygroundError:
    """A sentence for whatever ended a training; what is no known problem goes into the log."""
    if isinstance(error, PlaygroundError):
        return error
    logging.getLogger(__name__).error("A run failed", exc_info=error)
    message = N_("Training stopped because of an error in the program: {reason}")
    return PlaygroundError(message, reason=f"{type(error).__name__}: {error}")


class Trainer(Protocol):
    """One run's training, wherever it is. Used by one thread at a time.

    ``parameters``: how many numbers it changes. ``data``: what :meth:`Dataset.describe`
    says. ``steps_total``: of the whole run. ``ended``: how it ended by itself, if it did.
    ``idle``: seconds of the last :meth:`go` that were no training.
    """

    parameters: int
    data: dict[str, str | int]
    steps_total: int
    ended: Ending | None
    idle: float

    def use_threads(self, count: int) -> None:
        """Compute with so many processor threads from now on, for as long as this is asked."""

    def go(self, seconds: float, stop: Stop) -> Sequence[Timed]:
        """Train on: at least one event; for more, up to ``seconds``, or until ``stop`` says.

        No event at all: it has ended. What goes wrong in the network is raised.
        """

    def weights(self) -> dict[str, Tensor]:
        """A copy of all weights by name, after the last event."""

    def save(self) -> dict[str, Tensor] | None:
        """What the training state saves after the last event, an epoch; None: it went past."""


class LocalTrainer:
    """Training in this process; ``progress`` (see ``TrainingState.save``) is where it begins."""

    def __init__(
        self,
        project: Project,
        recipe: Recipe,
        dataset: Dataset,
        controls: Controls,
        progress: dict[str, Tensor] | None = None,
    ) -> None:
        self._model = project.build(recipe)
        self._progress = TrainingState(self._model, recipe)
        if progress is not None:
            self._progress.load(progress)
        self._events = fit(self._model, dataset, recipe, controls, self._progress)
        self.parameters = models.parameters(self._model)
        self.data = dataset.describe()
        self.steps_total = recipe.epochs * steps_per_epoch(recipe, dataset)
        self.ended: Ending | None = None
        self.idle = 0.0

    def use_threads(self, count: int) -> None:
        torch_threads.use(count)

    def go(self, seconds: float, stop: Stop) -> Sequence[Timed]:
        """One event at a time: between two of them its owner may be told to pause."""
        try:
            return [(next(self._events), time.monotonic())]
        except StopIteration as end:
            self.ended = end.value
            return ()

    def weights(self) -> dict[str, Tensor]:
        return models.state(self._model)

    def save(self) -> dict[str, Tensor]:
        return self._progress.save()
