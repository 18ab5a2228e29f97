"""What a run publishes for those who look inside it."""

from __future__ import annotations

from collections.abc import Callable

import torch

from playground.projects.base import Project
from playground.runtime.run import Run
from playground.runtime.service import RunService
from playground.training import Step, fit

Wait = Callable[[Callable[[], object]], None]


def one_step(service: RunService, run: Run, wait_until: Wait) -> None:
    service.start(run, "batch")
    wait_until(lambda: run.state == "paused")


def test_an_untrained_run_publishes_no_weights(bars: Project) -> None:
    published = Run(bars, bars.recipe()).published()
    assert (published.step, published.weights, published.move) == (0, None, None)


def test_a_look_asks_for_what_the_next_step_does(
    service: RunService, bars: Project, wait_until: Wait
) -> None:
    run = Run(bars, bars.recipe())
    one_step(service, run, wait_until)
    assert run.published().move is None  # nobody had asked
    one_step(service, run, wait_until)
    published = run.published()
    assert published.step == 2
    assert published.move is not None
    assert published.move.step == 2

    model = bars.build(run.recipe)
    events = fit(model, bars.load(run.recipe), run.recipe)
    steps: list[dict[str, torch.Tensor]] = []
    for event in events:
        if isinstance(event, Step):
            steps.append({name: one.clone() for name, one in model.state_dict().items()})
        if len(steps) == 2:
            break
    assert published.weights is not None
    for name, weights in steps[1].items():
        assert torch.equal(published.move.before[name], steps[0][name])
        assert torch.equal(published.move.after[name], weights)
        assert torch.equal(published.weights[name], weights)


def test_the_first_step_moves_the_first_weights(
    service: RunService, bars: Project, wait_until: Wait
) -> None:
    run = Run(bars, bars.recipe())
    run.published()
    one_step(service, run, wait_until)
    move = run.published().move
    assert move is not None
    first = bars.build(run.recipe).state_dict()
    assert all(torch.equal(move.before[name], one) for name, one in first.items())
