"""A playground for neural networks: real PyTorch, small enough to read.

    import playground

    run = playground.train("digits", epochs=2, seed=0)
    run.history.series("validation", "accuracy")
    run.predict(picture).label

Read the five parts in the order of the lecture: ``data``, ``models``, ``losses``,
``optimizers``, ``training``.
"""

from __future__ import annotations

import os
import time

# Torch's helper threads spin while they wait for each other, for a millisecond and more,
# and where a browser or another student's run needs that core, a step takes several times
# as long. Not to spin at all costs half the speed of a run that is alone. So: spin briefly.
# GNU's OpenMP reads this once, so it stands before torch's first import.
os.environ.setdefault("GOMP_SPINCOUNT", "30000")

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from playground.data.dataset import Dataset, Examples
from playground.errors import PlaygroundError
from playground.history import History
from playground.projects import PROJECTS, project
from playground.projects.base import Answer, Predictor, Project
from playground.recipe import Recipe
from playground.training import Epoch, Step, evaluate, fit, steps_per_epoch

__all__ = [
    "PROJECTS",
    "Answer",
    "History",
    "PlaygroundError",
    "Project",
    "Recipe",
    "Trained",
    "project",
    "train",
]


@dataclass(frozen=True)
class Trained:
    """A run that is over: what it was, what happened, and the network to use."""

    recipe: Recipe
    history: History
    model: nn.Module
    dataset: Dataset

    def test(self) -> dict[str, float]:
        """Loss and figures on the test set, which nothing was chosen by."""
        return evaluate(self.model, self.dataset.test, self.dataset, self.recipe)

    def predict(self, raw: Any) -> Answer:
        """The network's answer to what a person gives: a drawing, a photo, a row of values.

        Raises:
            PlaygroundError: an input that cannot be one (an empty drawing, a value out of
                range), and why.
        """
        kind = project(self.recipe.project)
        return Predictor(kind, self.recipe, self.model, self.dataset.scaler).predict(raw)


def train(
    name: str,
    own: Examples | None = None,
    watch: Callable[[Step | Epoch, int], None] | None = None,
    **overrides: Any,
) -> Trained:
    """Train the project ``name`` to the end and return the finished run.

    ``overrides`` are fields of :class:`Recipe`, for example ``epochs=2, seed=0``, or
    ``preset="best"`` to start from one of the project's presets. ``own`` examples join
    the training data; ``watch`` is called with each event of the training loop and the run's
    total number of steps.

    Raises:
        RecipeError: an unknown project, preset or field; the error names the nearest.
        FieldError: a value out of its field's range.
    """
    kind = project(name)
    preset = overrides.pop("preset", None)
    recipe = kind.preset(preset, **overrides) if preset else kind.recipe(**overrides)
    return run(recipe, own, watch)


def run(
    recipe: Recipe,
    own: Examples | None = None,
    watch: Callable[[Step | Epoch, int], None] | None = None,
) -> Trained:
    """Train exactly what ``recipe`` says; see :func:`train`."""
    kind = project(recipe.project)
    recipe = kind.check(recipe)
    if not recipe.threads:
        recipe = recipe.with_(threads=os.cpu_count() or 1)
    before = torch.get_num_threads()
    torch.set_num_threads(recipe.threads)
    try:
        dataset = kind.load(recipe, own)
        model = kind.build(recipe)
        history = History(data=dataset.describe())
        total = recipe.epochs * steps_per_epoch(recipe, dataset)
        started = time.monotonic()
        events = fit(model, dataset, recipe)
        while history.ended is None:
            try:
                event = next(events)
            except StopIteration as end:
                history.ended = end.value
                break
            seconds = time.monotonic() - started
            history.add(event, seconds, seconds)
            if watch is not None:
                watch(event, total)
    finally:
        torch.set_num_threads(before)
    return Trained(recipe, history, model.eval(), dataset)
