from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn, optim
from torch.nn import functional

from playground import losses, models
from playground.data.augment import Augmentation
from playground.data.dataset import Dataset, Examples
from playground.history import Change, History
from playground.optimizers import Settings
from playground.projects.base import Project
from playground.recipe import FIELDS, Recipe
from playground.seeds import generator
from playground.training import (
    Controls,
    Ending,
    Epoch,
    Step,
    evaluate,
    fit,
    outputs_of,
    steps_per_epoch,
)


def trained(project: Project, recipe: Recipe) -> tuple[list[Step | Epoch], nn.Sequential]:
    """Run to the end: everything that was yielded, and the network."""
    model = project.build(recipe)
    return list(fit(model, project.load(recipe), recipe)), model


def ending(
    run: Generator[Step | Epoch, None, Ending],
) -> Generator[Step | Epoch | Ending, None, None]:
    """All events of ``run``, and at last how it ended."""
    ended = yield from run
    yield ended


def losses_of(events: list[Step | Epoch]) -> list[float]:
    return [event.loss for event in events if isinstance(event, Step)]


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def plain_loop(
    model: nn.Module,
    dataset: Dataset,
    recipe: Recipe,
    optimizer: optim.Optimizer,
    scheduler: Any = None,
) -> list[float]:
    """The loop as everybody writes it."""
    shuffle = generator(recipe.seed, "shuffle")
    inputs = (dataset.train.inputs.float() - dataset.scaler.mean) / dataset.scaler.std
    values = []
    for _ in range(recipe.epochs):
        order = torch.randperm(len(inputs), generator=shuffle)
        for start in range(0, len(order), recipe.batch_size):
            batch = order[start : start + recipe.batch_size]
            loss = functional.cross_entropy(model(inputs[batch]), dataset.train.targets[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            values.append(loss.item())
    return values


def plain_model(weights: nn.Module) -> nn.Sequential:
    """A network of plain torch with the same weights as the project's."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 3))
    model.load_state_dict(weights.state_dict())
    return model


OPTIMIZERS: dict[str, Callable[[nn.Module], optim.Optimizer]] = {
    "sgd": lambda model: optim.SGD(model.parameters(), lr=0.05, fused=True),
    "adam": lambda model: optim.Adam(model.parameters(), lr=0.05, fused=True),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_loop_gives_the_same_numbers_as_plain_torch(bars: Project, name: str) -> None:
    recipe = bars.recipe(optimizer=name, learning_rate=0.05, epochs=3, batch_size=16, seed=4)
    dataset = bars.load(recipe)
    plain = plain_model(bars.build(recipe))
    expected = plain_loop(plain, dataset, recipe, OPTIMIZERS[name](plain))
    events, model = trained(bars, recipe)
    assert losses_of(events) == expected
    assert same_weights(model, plain)
    assert expected[-1] < expected[0] / 2


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_one_cycle_goes_as_with_torchs_scheduler(bars: Project, name: str) -> None:
    recipe = bars.recipe(optimizer=name, learning_rate=0.05, epochs=3, schedule="one_cycle")
    dataset = bars.load(recipe)
    plain = plain_model(bars.build(recipe))
    optimizer = OPTIMIZERS[name](plain)
    steps = recipe.epochs * steps_per_epoch(recipe, dataset)
    scheduler = optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.05, total_steps=steps, cycle_momentum=False
    )
    used: list[float] = []
    optimizer.register_step_pre_hook(lambda o, *_: used.append(o.param_groups[0]["lr"]))

    class ButLast:
        """Torch's scheduler counts one step too few for being called after the last one."""

        def step(self) -> None:
            if len(used) < steps:
                scheduler.step()

    expected = plain_loop(plain, dataset, recipe, optimizer, ButLast())
    events, model = trained(bars, recipe)
    assert losses_of(events) == pytest.approx(expected, rel=1e-4)
    for mine, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


def test_events_come_in_order_with_true_numbers(bars: Project) -> None:
    recipe = bars.recipe(batch_size=40, epochs=2)
    events, model = trained(bars, recipe)
    dataset = bars.load(recipe)
    assert steps_per_epoch(recipe, dataset) == 3  # 40 + 40 + 10
    kinds = [type(event).__name__ for event in events]
    assert kinds == ["Step", "Step", "Step", "Epoch"] * 2
    steps = [event for event in events if isinstance(event, Step)]
    epochs = [event for event in events if isinstance(event, Epoch)]
    assert [step.number for step in steps] == [1, 2, 3, 4, 5, 6]
    assert [(epoch.number, epoch.step) for epoch in epochs] == [(1, 3), (2, 6)]
    weighted = sum(n * step.loss for n, step in zip((40, 40, 10), steps[3:], strict=True)) / 90
    assert epochs[1].train["loss"] == pytest.approx(weighted)
    assert epochs[1].validation == evaluate(model, dataset.validation, dataset, recipe)


def test_a_batch_larger_than_the_data_is_one_step_an_epoch(bars: Project) -> None:
    events, _ = trained(bars, bars.recipe(batch_size=1024, epochs=2))
    assert len(losses_of(events)) == 2


def test_it_finishes(bars: Project) -> None:
    recipe = bars.recipe(epochs=1)
    run = fit(bars.build(recipe), bars.load(recipe), recipe)
    assert [*ending(run)][-1] == "finished"


@pytest.mark.parametrize("architecture", ["mlp", "cnn"])
@pytest.mark.parametrize("activation", FIELDS["activation"].choices)
def test_every_activation_learns(bars: Project, architecture: str, activation: str) -> None:
    recipe = bars.recipe(
        architecture=architecture,
        channels=(4,),
        kernels=(3,),
        strides=(2,),
        activation=activation,
        epochs=6,
    )
    events, _ = trained(bars, recipe)
    last = events[-1]
    assert isinstance(last, Epoch)
    assert last.validation["loss"] < 0.9  # from ln 3 = 1.1
    assert last.validation["accuracy"] > 0.6


@pytest.mark.parametrize("optimizer", FIELDS["optimizer"].choices)
@pytest.mark.parametrize("schedule", FIELDS["schedule"].choices)
def test_every_optimizer_learns_on_every_schedule(
    bars: Project, optimizer: str, schedule: str
) -> None:
    rate = 0.2 if optimizer == "sgd" else 0.02
    recipe = bars.recipe(optimizer=optimizer, schedule=schedule, learning_rate=rate, epochs=4)
    events, _ = trained(bars, recipe)
    assert losses_of(events)[-1] < 0.8 * losses_of(events)[0]


@pytest.mark.parametrize("loss", losses.CHOICES["classification"])
def test_every_loss_of_a_classification_learns(bars: Project, loss: str) -> None:
    events, _ = trained(bars, bars.recipe(loss=loss, label_smoothing=0.1, epochs=4))
    assert losses_of(events)[-1] < losses_of(events)[0]


@pytest.mark.parametrize("loss", losses.CHOICES["regression"])
def test_every_loss_of_a_regression_learns(regression: Project, loss: str) -> None:
    recipe = regression.recipe(loss=loss, learning_rate=0.02, epochs=10)
    events, _ = trained(regression, recipe)
    rows = [event for event in events if isinstance(event, Epoch)]
    assert rows[-1].validation["mae"] < 0.5 * rows[0].validation["mae"]


def test_a_yes_no_question_learns(yes_no: Project) -> None:
    events, _ = trained(yes_no, yes_no.recipe(learning_rate=0.02, epochs=10))
    last = events[-1]
    assert isinstance(last, Epoch)
    assert last.validation["accuracy"] > 0.85


STIRRED = {"dropout": 0.3, "augmentation": 0.5, "seed": 11}


def stirred(project: Project, recipe: Recipe) -> tuple[list[Step | Epoch], nn.Sequential]:
    """A run with everything random in it: weights, order, dropout, augmentation."""
    dataset = replace(project.load(recipe), augment=Augmentation.of(recipe.augmentation))
    model = project.build(recipe)
    return list(fit(model, dataset, recipe)), model


def test_the_same_recipe_gives_the_same_numbers_and_touches_no_global_generator(
    bars: Project,
) -> None:
    recipe = bars.recipe(**STIRRED)
    before = torch.get_rng_state()
    first, one = stirred(bars, recipe)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(5)  # whatever else draws in between
    second, other = stirred(bars, recipe)
    assert first == second
    assert same_weights(one, other)


def test_another_seed_gives_other_numbers(bars: Project) -> None:
    first, _ = stirred(bars, bars.recipe(**STIRRED))
    second, _ = stirred(bars, bars.recipe(**{**STIRRED, "seed": 12}))
    assert all(a != b for a, b in zip(losses_of(first), losses_of(second), strict=True))


def test_the_seed_shuffles_too(bars: Project) -> None:
    one, other = bars.recipe(seed=1), bars.recipe(seed=2)
    dataset, model, twin = bars.load(one), bars.build(one), bars.build(one)
    first = list(fit(model, dataset, one))
    second = list(fit(twin, dataset, other))
    assert losses_of(first)[0] != losses_of(second)[0]


def test_training_leaves_the_shared_data_as_it_is(bars: Project) -> None:
    recipe = bars.recipe(**STIRRED)
    dataset = replace(bars.load(recipe), augment=Augmentation.of(0.5))
    tensors = [
        tensor
        for examples in (dataset.train, dataset.validation, dataset.test)
        for tensor in (examples.inputs, examples.targets)
    ] + [dataset.scaler.mean, dataset.scaler.std]
    copies = [tensor.clone() for tensor in tensors]
    versions = [tensor._version for tensor in tensors]
    list(fit(bars.build(recipe), dataset, recipe))
    assert all(torch.equal(now, then) for now, then in zip(tensors, copies, strict=True))
    assert [tensor._version for tensor in tensors] == versions


def test_divergence_keeps_the_last_finite_weights(regression: Project) -> None:
    recipe = regression.recipe(optimizer="sgd", learning_rate=10, epochs=50)
    dataset = regression.load(recipe)
    model = regression.build(recipe)
    run = fit(model, dataset, recipe)
    after: list[dict[str, torch.Tensor]] = [models.state(model)]
    events: list[Step | Epoch] = []
    ended = None
    for event in ending(run):
        if isinstance(event, str):
            ended = event
            continue
        events.append(event)
        if isinstance(event, Step):
            after.append(models.state(model))
    assert ended == "diverged"
    values = losses_of(events)
    assert all(map(math.isfinite, values[:-1]))
    assert not math.isfinite(values[-1])
    # after[n] is what step n left. The last finite loss was that of the last step but one,
    # computed with the weights that the step before it had left.
    good, now = after[len(values) - 2], models.state(model)
    assert all(torch.equal(now[name], good[name]) for name in now)
    assert all(weights.isfinite().all() for weights in now.values())


def test_a_validation_loss_that_is_no_number_is_divergence_too(regression: Project) -> None:
    recipe = regression.recipe()
    dataset = regression.load(recipe)
    far = Examples(dataset.validation.inputs, torch.full((30,), 1e30))
    history = History()
    for event in fit(regression.build(recipe), replace(dataset, validation=far), recipe):
        history.add(event)
    assert history.ended == "diverged"
    assert history.epochs == []
    assert history.steps == steps_per_epoch(recipe, dataset)


@pytest.mark.parametrize("loss", losses.CHOICES["regression"])
@pytest.mark.parametrize("rate", [0.1, 1.0, 10.0])
def test_whatever_happens_the_history_is_json(regression: Project, loss: str, rate: float) -> None:
    for optimizer in ("sgd", "nesterov"):
        recipe = regression.recipe(loss=loss, optimizer=optimizer, learning_rate=rate, epochs=20)
        recipe = recipe.with_(hidden=(8, 8, 8), activation="none")
        history = History()
        for event in fit(regression.build(recipe), regression.load(recipe), recipe):
            history.add(event)
        assert History.from_json(history.to_json()) == history


def test_controls_change_the_next_step_and_are_recorded(bars: Project) -> None:
    recipe = bars.recipe(optimizer="sgd", learning_rate=0.1)
    controls = Controls(recipe)
    model = bars.build(recipe)
    run = fit(model, bars.load(recipe), recipe, controls)
    history = History()
    for _ in range(3):
        history.add(next(run))
    controls.now = Settings(0.0, 0.0)
    before = models.state(model)
    history.add(next(run))
    assert all(torch.equal(before[name], now) for name, now in model.state_dict().items())
    controls.now = Settings(0.5, 0.01)
    event = next(run)
    history.add(event)
    assert isinstance(event, Step)
    assert event.settings == Settings(0.5, 0.01)
    assert not all(torch.equal(before[name], now) for name, now in model.state_dict().items())
    assert history.changes == [
        Change(4, "learning_rate", 0.0, 0, 0),
        Change(5, "learning_rate", 0.5, 0, 0),
        Change(5, "weight_decay", 0.01, 0, 0),
    ]


def test_a_changed_rate_goes_on_along_the_schedule(bars: Project) -> None:
    recipe = bars.recipe(optimizer="sgd", learning_rate=0.1, schedule="cosine", batch_size=45)
    controls, model = Controls(recipe), bars.build(recipe)
    run = fit(model, bars.load(recipe), recipe, controls)  # 4 steps
    next(run)
    twice = Controls(recipe)
    twin = bars.build(recipe)
    other = fit(twin, bars.load(recipe), recipe, twice)
    next(other)
    controls.now, twice.now = Settings(0.1, 0.0), Settings(0.2, 0.0)
    before = models.state(model)
    next(run), next(other)
    for name, start in before.items():
        step = model.state_dict()[name] - start
        torch.testing.assert_close(twin.state_dict()[name] - start, 2 * step, rtol=1e-3, atol=1e-6)


def test_closing_it_in_the_middle_stops_it_and_keeps_the_network(bars: Project) -> None:
    recipe = bars.recipe()
    model, dataset = bars.build(recipe), bars.load(recipe)
    run = fit(model, dataset, recipe)
    for _ in range(4):
        next(run)
    run.close()
    weights = models.state(model)
    assert list(run) == []
    assert all(torch.equal(weights[name], now) for name, now in model.state_dict().items())
    assert evaluate(model, dataset.test, dataset, recipe)["loss"] > 0


def test_not_asking_is_a_pause(bars: Project) -> None:
    recipe = bars.recipe()
    expected, _ = trained(bars, recipe)
    runs = [fit(bars.build(recipe), bars.load(recipe), recipe) for _ in range(3)]
    # Three runs taken in turn, a step each, do not disturb one another.
    for turn in zip(*runs, strict=True):
        assert turn[0] == turn[1] == turn[2] == expected.pop(0)
    assert expected == []


def test_measuring_turns_dropout_off_and_leaves_the_network_as_it_was(bars: Project) -> None:
    recipe = bars.recipe(dropout=0.5)
    model, dataset = bars.build(recipe), bars.load(recipe)
    model.train()
    first = evaluate(model, dataset.test, dataset, recipe)
    assert first == evaluate(model, dataset.test, dataset, recipe)
    assert model.training
    assert all(weights.grad is None for weights in model.parameters())


def test_outputs_do_not_depend_on_how_they_are_cut(bars: Project) -> None:
    recipe = bars.recipe()
    model, dataset = bars.build(recipe), bars.load(recipe)
    many = Examples(dataset.train.inputs.repeat(25, 1, 1), dataset.train.targets.repeat(25))
    outputs = outputs_of(model, many, dataset)
    assert outputs.shape == (2250, 3)
    torch.testing.assert_close(outputs[:90], outputs_of(model, dataset.train, dataset))
    torch.testing.assert_close(outputs[-90:], outputs[:90])
