"""Early stopping and a target: when a run ends before its last epoch, and with which weights."""

from __future__ import annotations

import pytest
from torch import nn

import playground
from playground.projects import project
from playground.recipe import Recipe, RecipeError
from playground.stopping import StopRules


def rules(**fields: float) -> tuple[StopRules, nn.Linear]:
    model = nn.Linear(1, 1, bias=False)
    return StopRules(Recipe("coffee").with_(**fields), model), model


def test_patience_ends_after_so_many_epochs_without_a_new_best_and_goes_back_to_it() -> None:
    stop, model = rules(patience=2)
    said = []
    for epoch, loss in enumerate([0.5, 0.3, 0.4, 0.3, 0.2]):
        nn.init.constant_(model.weight, epoch)
        said.append(stop.broken({"loss": loss}))
        if said[-1]:
            break
    assert said == [None, None, None, "patience"]  # an equal loss is no new best
    assert model.weight.item() == 1


def test_without_patience_nothing_is_given_back() -> None:
    stop, model = rules()
    for epoch, loss in enumerate([0.1, 0.5, 0.6, 0.7]):
        nn.init.constant_(model.weight, epoch)
        assert stop.broken({"loss": loss}) is None
    stop.keep_best()
    assert model.weight.item() == 3


def test_a_target_is_reached_from_the_first_epoch_that_is_as_good() -> None:
    stop, _model = rules(target=0.9)
    assert stop.broken({"loss": 1.0, "accuracy": 0.899}) is None
    assert stop.broken({"loss": 1.0, "accuracy": 0.9}) == "target"


def test_a_real_run_overfits_stops_and_keeps_its_best_epoch() -> None:
    changes = {"data": {"examples": 80, "noise": 1.5}, "hidden": (64,), "learning_rate": 0.02}
    run = playground.train(
        "coffee", batch_size=8, epochs=60, patience=4, schedule="constant", **changes
    )
    losses = run.history.series("validation", "loss")
    best = min(range(len(losses)), key=losses.__getitem__)
    assert run.history.ended == "patience"
    assert len(losses) == best + 1 + 4 < 60
    again = playground.evaluate(run.model, run.dataset.validation, run.dataset, run.recipe)
    assert again["loss"] == pytest.approx(losses[best], rel=1e-6)


def test_patience_does_not_change_what_is_trained_before() -> None:
    options = {"data": {"examples": 100}, "epochs": 3}
    plain = playground.train("coffee", **options)
    patient = playground.train("coffee", patience=3, **options)
    assert plain.history.losses == patient.history.losses
    assert patient.history.ended == "finished"


def test_a_real_run_ends_at_its_target() -> None:
    run = playground.train("weekday", data={"examples": 1000}, target=0.3, epochs=50)
    accuracy = run.history.series("validation", "accuracy")
    assert run.history.ended == "target"
    assert accuracy[-1] >= 0.3
    assert all(value < 0.3 for value in accuracy[:-1])


def test_a_regression_has_no_accuracy_to_reach() -> None:
    with pytest.raises(RecipeError, match="coffee has no accuracy"):
        project("coffee").recipe(target=0.5)
