"""Runs in the background: behind all others, fair among themselves, with the same numbers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import holding
import pytest
import torch
from torch import nn
from wrapped import Gate, Wrapped

from playground.history import History
from playground.projects.base import Project
from playground.recipe import Recipe
from playground.runtime import service as service_module
from playground.runtime.run import Run
from playground.runtime.service import RunService
from playground.training import fit

Wait = Callable[[Callable[[], object]], None]


class Gated(Wrapped):
    """Another project whose steps wait for permits."""

    def __init__(self, inner: Project, permits: threading.Semaphore) -> None:
        super().__init__(inner)
        self.permits = permits
        self.passed: list[int] = []  # seeds of the runs, in the order of their steps

    def build(self, recipe: Recipe) -> nn.Sequential:
        return super().build(recipe).append(Gate(self.permits, self.passed, recipe.seed))


@pytest.fixture
def permits() -> Iterator[threading.Semaphore]:
    return threading.Semaphore(0)


@pytest.fixture
def gated(bars: Project, permits: threading.Semaphore) -> Gated:
    return Gated(bars, permits)


@pytest.fixture
def one_worker(
    permits: threading.Semaphore, clock: Callable[[], float], monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunService]:
    """A service with one worker whose turns are one step; its runs may end at the end."""
    monkeypatch.setattr(service_module, "SLICE", 0.0)
    service = RunService(workers=1, clock=clock)
    yield service
    permits.release(1_000_000)
    service.close()


@pytest.fixture
def two_workers(
    permits: threading.Semaphore, clock: Callable[[], float], monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunService]:
    monkeypatch.setattr(service_module, "SLICE", 0.0)
    service = RunService(workers=2, clock=clock)
    yield service
    permits.release(1_000_000)
    service.close()


def run_of(project: Project, inner: Project, seed: int, **more: int) -> Run:
    return Run(project, inner.recipe(seed=seed, epochs=50, **more))


def test_background_runs_take_turns_fairly(
    gated: Gated,
    bars: Project,
    one_worker: RunService,
    permits: threading.Semaphore,
    wait_until: Wait,
) -> None:
    for seed in range(5):
        one_worker.start(run_of(gated, bars, seed), background=True)
    permits.release(15)
    wait_until(lambda: len(gated.passed) == 15)
    assert gated.passed == [*range(5)] * 3


def test_others_come_first_and_the_background_goes_on_after_them(
    gated: Gated,
    bars: Project,
    one_worker: RunService,
    permits: threading.Semaphore,
    wait_until: Wait,
) -> None:
    behind = [run_of(gated, bars, seed) for seed in (1, 2)]
    for run in behind:
        one_worker.start(run, background=True)
    permits.release(4)
    wait_until(lambda: len(gated.passed) == 4)
    assert gated.passed == [1, 2, 1, 2]
    front = [run_of(gated, bars, seed) for seed in (10, 11)]
    for run in front:
        one_worker.start(run)
    permits.release(9)
    wait_until(lambda: len(gated.passed) == 13)
    # A fifth step, of run 1, may have begun before, and was waiting for its permit.
    later = gated.passed[5:] if gated.passed[4] == 1 else gated.passed[4:]
    assert later[:8] == [10, 11] * 4
    for run in front:
        one_worker.pause(run)
    # The step that was under way, maybe; then the background alone.
    permits.release(7)
    wait_until(lambda: len(gated.passed) == 20)
    assert {1, 2} == set(gated.passed[-6:])
    assert one_worker.active == 0
    assert all(run.active for run in behind)


def test_a_core_that_is_free_is_for_the_background(
    gated: Gated,
    bars: Project,
    two_workers: RunService,
    permits: threading.Semaphore,
    wait_until: Wait,
) -> None:
    free = Gated(bars, threading.Semaphore(1_000_000))
    held, behind = run_of(gated, bars, 10, threads=1), run_of(free, bars, 1)
    two_workers.start(held)  # whose first step gets no permit
    wait_until(lambda: holding.held(two_workers, held))
    two_workers.start(behind, background=True)
    assert two_workers.active == 1
    wait_until(lambda: behind.over)
    assert gated.passed == []


def test_a_run_with_all_cores_is_left_alone(
    gated: Gated,
    bars: Project,
    two_workers: RunService,
    permits: threading.Semaphore,
    wait_until: Wait,
) -> None:
    front, behind = run_of(gated, bars, 10, threads=2), run_of(gated, bars, 1)
    two_workers.start(front)
    permits.release(3)
    wait_until(lambda: len(gated.passed) == 3)
    two_workers.start(behind, background=True)
    permits.release(20)
    wait_until(lambda: len(gated.passed) == 23)
    assert set(gated.passed) == {10}
    assert behind.state == "waiting"
    two_workers.stop(front)
    permits.release(5)
    wait_until(lambda: 1 in gated.passed)


def test_a_background_run_has_one_thread_and_stays_behind(
    bars: Project, service: RunService, wait_until: Wait
) -> None:
    run = Run(bars, bars.recipe(threads=0))
    service.start(run, "epoch", background=True)
    wait_until(lambda: run.state == "paused")
    assert run.recipe.threads == 1
    service.start(run)  # resumed
    assert run.background
    wait_until(lambda: run.over)
    model, history = bars.build(run.recipe), History()
    for event in fit(model, bars.load(run.recipe), run.recipe):
        history.add(event)
    assert run.snapshot().history.losses == history.losses
    weights = run.predictor().model.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in model.state_dict().items())
    assert run.parameters == sum(value.numel() for value in weights.values())


def test_a_data_set_is_loaded_once_for_those_who_ask_for_the_same(
    gated: Gated, bars: Project
) -> None:
    first = run_of(gated, bars, 0)
    same = [Run(gated, bars.recipe(hidden=(n,)), like=first) for n in range(1, 5)]
    assert {id(run.dataset()) for run in [*same, first]} == {id(first.dataset())}
    assert gated.loads == 1
    own = bars.load(bars.recipe()).test
    others = [
        Run(gated, bars.recipe(seed=1), like=first),
        Run(gated, bars.recipe(augmentation=0.5), like=first),
        Run(gated, bars.recipe(data={"noise": 0.1}), like=first),
        Run(gated, bars.recipe(), own, like=first),
    ]
    assert id(first.dataset()) not in {id(run.dataset()) for run in others}
    assert gated.loads == 5
