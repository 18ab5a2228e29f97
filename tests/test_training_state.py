"""A run that goes on from an epoch gives the numbers of one that was never broken."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from safetensors import torch as safetensors

from playground import models
from playground.projects.base import Project
from playground.training import Epoch, Step, fit
from playground.training_state import TrainingState

Event = Step | Epoch


def unbroken(project: Project, recipe: Any) -> tuple[list[Event], dict[str, torch.Tensor]]:
    model = project.build(recipe)
    return list(fit(model, project.load(recipe), recipe)), models.state(model)


def after_a_break(
    project: Project, recipe: Any, epoch: int
) -> tuple[list[Event], dict[str, torch.Tensor]]:
    """The events up to ``epoch``, and those of another process that goes on from there."""
    model, events = project.build(recipe), []
    progress = TrainingState(model, recipe)
    for event in fit(model, project.load(recipe), recipe, progress=progress):
        events.append(event)
        if isinstance(event, Epoch) and event.number == epoch:
            saved = safetensors.save(progress.save())
            break
    else:
        pytest.fail("the epoch never came")
    fresh = project.build(recipe)
    later = TrainingState(fresh, recipe)
    later.load(safetensors.load(saved))
    events += list(fit(fresh, project.load(recipe), recipe, progress=later))
    return events, models.state(fresh)


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "adam", "dropout": 0.3},
        {"optimizer": "adamw", "weight_decay": 0.01, "schedule": "one_cycle"},
        {"optimizer": "sgd", "schedule": "step", "step_epochs": 1},
        {"optimizer": "momentum", "schedule": "cosine"},
        {"optimizer": "nesterov"},
        {"optimizer": "rmsprop", "activation": "maxout"},
        {"architecture": "cnn", "optimizer": "adam", "channels": (4, 6)}
        | {"kernels": (3, 3), "strides": (1, 2), "dropout": 0.2},
        {"architecture": "cnn", "optimizer": "momentum", "channels": (4,)}
        | {"kernels": (3,), "strides": (2,)},
    ],
    ids=lambda changes: "-".join(map(str, list(changes.values())[:2])),
)
@pytest.mark.parametrize("epoch", [1, 3])
def test_the_same_numbers(bars: Project, changes: dict[str, Any], epoch: int) -> None:
    recipe = bars.recipe(epochs=4, batch_size=8, **changes)
    events, weights = unbroken(bars, recipe)
    found, now = after_a_break(bars, recipe, epoch)
    assert found == events
    assert all(torch.equal(now[name], weights[name]) for name in weights)


def test_the_stop_rules_remember(bars: Project) -> None:
    recipe = bars.recipe(epochs=60, patience=3, learning_rate=0.05, data={"noise": 0.95})
    events, weights = unbroken(bars, recipe)
    last = [event for event in events if isinstance(event, Epoch)][-1]
    assert 3 < last.number < 60, "the rule has something to do"
    for epoch in (last.number - 2, last.number - 1, last.number):
        found, now = after_a_break(bars, recipe, epoch)
        assert found == events
        assert all(torch.equal(now[name], weights[name]) for name in weights)


def test_divergence_gives_the_same_weights_back(regression: Project) -> None:
    recipe = regression.recipe(optimizer="sgd", learning_rate=0.5, epochs=60)
    events, weights = unbroken(regression, recipe)
    epochs = [event for event in events if isinstance(event, Epoch)]
    assert 1 <= len(epochs) < 60, "it diverges after its first epoch"
    found, now = after_a_break(regression, recipe, epochs[-1].number)
    assert [str(event) for event in found] == [str(event) for event in events]  # nan is not nan
    assert all(torch.equal(now[name], weights[name]) for name in weights)


def test_what_was_saved_does_not_change_with_what_comes(bars: Project) -> None:
    recipe = bars.recipe(epochs=2)
    model = bars.build(recipe)
    progress = TrainingState(model, recipe)
    saved = before = None
    for event in fit(model, bars.load(recipe), recipe, progress=progress):
        if isinstance(event, Epoch) and saved is None:
            saved = progress.save()
            before = {name: one.clone() for name, one in saved.items()}
    assert saved is not None
    assert before is not None
    assert all(torch.equal(saved[name], before[name]) for name in saved)


def test_what_is_of_another_network_is_refused(bars: Project) -> None:
    recipe = bars.recipe()
    saved = TrainingState(bars.build(recipe), recipe).save()
    other = recipe.with_(hidden=(9,))
    with pytest.raises(RuntimeError):
        TrainingState(bars.build(other), other).load(saved)
