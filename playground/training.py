"""Part 5 of 5, the training loop: the place where a network learns.

``fit`` is an ordinary PyTorch loop that *yields* after every step and every epoch.
Whoever holds it sets the pace: ``list(fit(...))`` runs it to the end, not calling
``next`` is Pause, calling it once is one step, ``close()`` is Stop. It knows no
threads, no screen and no clock.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import nn

from playground import losses, optimizers
from playground.data.dataset import Dataset, Examples
from playground.metrics import Average, figures
from playground.optimizers import Settings
from playground.recipe import Recipe
from playground.stopping import WeightsCopy
from playground.training_state import TrainingState


@dataclass(frozen=True)
class Step:
    """One optimisation step is done. Its figures are the batch's, before the weights moved."""

    number: int  # counted from 1
    loss: float
    settings: Settings  # learning rate (before the schedule) and weight decay it used
    figures: dict[str, float] = field(default_factory=dict)  # accuracy, or mean errors


@dataclass(frozen=True)
class Epoch:
    """One pass over the training examples is done.

    ``train`` are means over the epoch's batches while the weights were moving, with
    dropout and augmentation on; ``validation`` is measured now, with both off.
    """

    number: int  # counted from 1
    step: int
    train: dict[str, float]
    validation: dict[str, float]


Ending = Literal["finished", "diverged", "patience", "target"]
"""Why a run ended by itself: all epochs done, no finite loss, or one of the stop rules."""


def steps_per_epoch(recipe: Recipe, dataset: Dataset) -> int:
    """How many batches the training examples make; the last one may be smaller."""
    return math.ceil(len(dataset.train) / recipe.batch_size)


class Controls:
    """What a person may change while the run goes on; each step reads it anew."""

    def __init__(self, recipe: Recipe) -> None:
        self.now = Settings(recipe.learning_rate, recipe.weight_decay)


def fit(
    model: nn.Module,
    dataset: Dataset,
    recipe: Recipe,
    controls: Controls | None = None,
    progress: TrainingState | None = None,
) -> Generator[Step | Epoch, None, Ending]:
    """Train ``model`` on ``dataset.train`` as ``recipe`` says.

    Yields a :class:`Step` after each batch and an :class:`Epoch` after each epoch. A loss
    that is no longer finite ends the run: the last event carries that loss, the model
    gets the weights of the last finite one back, and the generator returns "diverged".
    The recipe's stop rules may end it too, with "patience" or "target".

    ``progress`` (of the same ``model``) is where it begins, and moves along.
    """
    controls = controls or Controls(recipe)
    loss_function = losses.build(recipe)
    progress = progress or TrainingState(model, recipe)
    optimizer, rules = progress.optimizer, progress.rules
    batches = steps_per_epoch(recipe, dataset)
    factor = optimizers.schedule(recipe, recipe.epochs * batches, batches)
    good = WeightsCopy(model)
    step = progress.step

    for epoch in range(progress.epoch + 1, recipe.epochs + 1):
        if progress.rule is not None:
            return progress.rule
        model.train()
        average = Average()
        order = torch.randperm(len(dataset.train), generator=progress.shuffle)

        for batch in order.split(recipe.batch_size):
            inputs, targets = dataset.train[batch]
            if dataset.augment is not None:
                inputs = dataset.augment(inputs.float(), progress.jitter)
            settings = controls.now
            optimizers.apply(optimizer, settings, factor(step))
            step += 1

            outputs = model(dataset.scaler(inputs))  # forward pass
            loss = loss_function(outputs, targets)  # how wrong?
            value = loss.item()
            if not math.isfinite(value):
                good.restore()
                yield Step(step, value, settings)
                return "diverged"
            good.save()

            optimizer.zero_grad()  # forget the last batch's gradient
            loss.backward()  # backpropagation: the chain rule, from the loss to each weight
            optimizer.step()  # move each weight a little against its gradient

            batch_figures = figures(dataset.task, outputs.detach(), targets)
            average.add(len(batch), {"loss": value, **batch_figures})
            yield Step(step, value, settings, batch_figures)

        validation = evaluate(model, dataset.validation, dataset, recipe)
        if not math.isfinite(validation["loss"]):
            good.restore()
            yield Step(step, validation["loss"], settings)
            return "diverged"
        good.save()
        progress.epoch, progress.step = epoch, step
        progress.rule = rules.broken(validation)
        yield Epoch(epoch, step, average.means(), validation)
    if progress.rule is None:
        rules.keep_best()
    return progress.rule or "finished"


@torch.no_grad()
def outputs_of(model: nn.Module, examples: Examples, dataset: Dataset) -> torch.Tensor:
    """The network's outputs (n, k) for all ``examples``, with dropout off, 1,000 at a time."""
    training = model.training
    model.eval()
    parts = [model(dataset.scaler(part)) for part in examples.inputs.split(1000)]
    model.train(training)
    return torch.cat(parts)


@torch.no_grad()
def evaluate(
    model: nn.Module, examples: Examples, dataset: Dataset, recipe: Recipe
) -> dict[str, float]:
    """Loss and figures of ``model`` over all of ``examples``; the weights do not move."""
    outputs = outputs_of(model, examples, dataset)
    loss = losses.build(recipe)(outputs, examples.targets).item()
    return {"loss": loss, **figures(dataset.task, outputs, examples.targets)}
