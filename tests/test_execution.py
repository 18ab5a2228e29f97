"""A run's turns, taken by hand: no threads, no service."""

from __future__ import annotations

import torch

from playground.history import History
from playground.projects.base import Project
from playground.runtime.execution import MAX_LOST_TRAINERS, Execution
from playground.runtime.run import Run
from playground.runtime.trainer import LostError, Trainer
from playground.training import fit


def finish(execution: Execution) -> int:
    """Take turns to the end; how many."""
    run = execution.run
    run.state = "waiting"
    count = 0
    while execution.wants:
        execution.turn(0.0)
        count += 1
    return count


def test_turns_give_the_numbers_of_the_bare_loop(bars: Project) -> None:
    run = Run(bars, bars.recipe(dropout=0.2))
    assert finish(Execution(run)) > 12, "a step a turn"
    model, history = bars.build(run.recipe), History()
    for event in fit(model, bars.load(run.recipe), run.recipe):
        history.add(event)
    assert run.state == "finished"
    assert run.snapshot().history.losses == history.losses
    weights = run.predictor().model.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in model.state_dict().items())


def test_it_says_when_there_is_something_worth_keeping(bars: Project) -> None:
    run = Run(bars, bars.recipe(epochs=2))
    run.checkpoint_wanted = True
    run.state = "waiting"
    execution, news = Execution(run), []
    while execution.wants:
        if execution.turn(0.0):
            news.append(run.checkpoint.epoch if run.checkpoint and not run.over else run.state)
    assert news == [1, "finished"]


def test_it_pauses_after_what_was_asked_for(bars: Project) -> None:
    run = Run(bars, bars.recipe())
    run.state = "waiting"
    execution = Execution(run)
    execution.until = "epoch"
    while execution.wants:
        execution.turn(60.0)
    assert run.state == "paused"
    assert [row.epoch for row in run.snapshot().history.epochs] == [1]


def test_a_page_that_wants_the_data_alone_trains_nothing(bars: Project) -> None:
    run = Run(bars, bars.recipe())
    execution = Execution(run)
    execution.wants_data = True
    while execution.wants:
        assert not execution.turn(60.0)
    assert run.loaded
    assert run.state == "ready"
    assert execution.trainer is None


def test_whose_trainer_is_lost_too_often_fails(bars: Project) -> None:
    run = Run(bars, bars.recipe())
    whole = Run(bars, bars.recipe())
    whole.checkpoint_wanted = True
    finish(Execution(whole))
    run.checkpoint = whole.checkpoint
    tried = []

    def nowhere(run: Run) -> Trainer:
        tried.append(run.begins_at)
        raise LostError("It is gone.")

    finish(Execution(run, nowhere))
    assert tried == [None] + [whole.checkpoint] * MAX_LOST_TRAINERS
    assert run.state == run.snapshot().history.ended == "failed"
    assert run.trained, "its last checkpoint's weights stay"
