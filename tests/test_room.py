"""Who may still start a run: so many a desk, and as much memory as there is for all."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator

import pytest
from wrapped import Gate, Wrapped

from playground import limits, resources
from playground.desks.registry import Desks
from playground.desks.run_list import RunList
from playground.limits import LimitError
from playground.projects.base import Project
from playground.runtime import admission
from playground.runtime.run import Run
from playground.runtime.service import RunService
from playground.storage.store import Store

Wait = Callable[[Callable[[], object]], None]


@pytest.fixture
def idle() -> Iterator[RunService]:
    """A service without workers: what was started waits for ever."""
    service = RunService(workers=0)
    yield service
    service.close()


def of_desk(project: Project, listed: RunList, seed: int = 0) -> Run:
    run = Run(project, project.recipe(seed=seed))
    listed.take(run)
    return run


# --- So many a desk -------------------------------------------------------------------------


def test_one_run_too_many_of_a_desk_is_refused_and_nothing_is_lost(
    bars: Project, idle: RunService
) -> None:
    mine, others = RunList(), RunList()
    runs = [of_desk(bars, mine, seed) for seed in range(limits.MAX_ACTIVE_RUNS + 1)]
    *first, last = runs
    for run in first:
        idle.start(run)
    with pytest.raises(LimitError, match="at most 4 networks at a time, and 4 are training"):
        idle.start(last)
    assert last.state == "ready"
    assert [run.state for run in first] == ["waiting"] * limits.MAX_ACTIVE_RUNS
    idle.start(of_desk(bars, others))  # another desk has its own
    for run in first:
        idle.start(run, "epoch")  # who trains already may be told something else
    idle.pause(first[0])
    idle.start(last)
    with pytest.raises(LimitError):
        idle.start(first[0])
    assert first[0].state == "paused"
    idle.stop(first[1])
    idle.start(first[0])
    assert first[0].active


def test_two_sessions_on_one_desk_count_together(bars: Project, idle: RunService) -> None:
    desks = Desks(Store("sqlite://"))
    try:
        desk = desks.fresh()
        desk.keep()
        assert desk.id is not None
        tabs = [desk, desks.open(desk.id)]
        for seed in range(limits.MAX_ACTIVE_RUNS):
            idle.start(of_desk(bars, tabs[seed % 2].kept, seed))
        for tab in tabs:
            with pytest.raises(LimitError):
                idle.start(of_desk(bars, tab.kept, 9))
    finally:
        desks.close()


def test_a_sweep_counts_apart_and_starts_whole_or_not_at_all(
    bars: Project, idle: RunService
) -> None:
    listed = RunList()
    sweep = [of_desk(bars, listed, seed) for seed in range(limits.MAX_BACKGROUND_RUNS)]
    idle.start_all(sweep, background=True)
    assert all(run.active for run in sweep)
    for seed in range(limits.MAX_ACTIVE_RUNS):
        idle.start(of_desk(bars, listed, seed))
    second = [of_desk(bars, listed, seed) for seed in range(2)]
    with pytest.raises(LimitError, match="at most 36 sweep runs at a time, and 36 are training"):
        idle.start_all(second, background=True)
    assert [run.state for run in second] == ["ready"] * 2
    idle.stop(sweep[0])
    with pytest.raises(LimitError):
        idle.start_all(second, background=True)
    assert [run.state for run in second] == ["ready"] * 2
    idle.stop(sweep[1])
    idle.start_all(second, background=True)
    idle.pause(second[0])
    idle.start(of_desk(bars, listed), background=True)
    with pytest.raises(LimitError, match="sweep runs"):  # also one that was paused
        idle.start(second[0])


# --- As much memory as there is -------------------------------------------------------------


def room_for(project: Project, runs: int, workers: int) -> int:
    """Bytes for so many runs that train, and not for one more."""
    need = project.need(project.recipe())
    return resources.peak_bytes([need] * runs, workers) + need.weights // 2


def test_a_run_that_does_not_fit_is_refused_until_another_has_ended(
    bars: Project, clock: Callable[[], float], wait_until: Wait
) -> None:
    permits = threading.Semaphore(0)
    gated = Wrapped(bars, Gate(permits))
    service = RunService(workers=2, clock=clock, memory=room_for(bars, 2, 2))
    runs = [Run(gated, bars.recipe(seed=seed)) for seed in range(3)]
    try:
        service.start(runs[0])
        service.start(runs[1])
        with pytest.raises(LimitError, match="too little memory left"):
            service.start(runs[2])
        assert runs[2].state == "ready"
        service.pause(runs[0])  # which keeps what it needs to go on
        service.start(runs[0])
        with pytest.raises(LimitError):
            service.start(runs[2])
        service.stop(runs[1])
        permits.release(1_000_000)
        service.start(runs[2])
        wait_until(lambda: runs[0].over and runs[2].over)
        assert [run.state for run in runs] == ["finished", "stopped", "finished"]
    finally:
        permits.release(1_000_000)
        service.close()


def test_a_run_that_is_over_keeps_its_weights_and_no_more(
    bars: Project, service: RunService, wait_until: Wait
) -> None:
    run = Run(bars, bars.recipe())
    run.checkpoint_wanted = True
    service.start(run)
    wait_until(lambda: run.over and run not in service.executions and run.checkpoint is None)
    assert run.predictor().model.state_dict()
    assert run.snapshot().history.steps == 12
    (held,) = admission.held([run])
    assert held.weights == resources.FLOAT * run.parameters
    assert held.signals == 0


def test_what_nobody_holds_any_more_takes_no_room(bars: Project) -> None:
    service = RunService(workers=0, memory=room_for(bars, 1, 0))
    run = Run(bars, bars.recipe())
    service.start(run)
    with pytest.raises(LimitError):
        service.start(Run(bars, bars.recipe()))
    service.stop(run)
    service.queue.waiting.clear()  # as a worker does
    del run
    gc.collect()
    service.start(Run(bars, bars.recipe()))
    service.close()


def test_examples_that_runs_share_count_once(bars: Project) -> None:
    first = Run(bars, bars.recipe())
    same = Run(bars, bars.recipe(hidden=(9,)), like=first)
    other = Run(bars, bars.recipe(seed=1))
    for run in (first, same, other):
        run.dataset()
    size = first.dataset().nbytes
    assert [one.data for one in admission.held([first, same, other])] == [size, 0, size]


def test_one_that_comes_back_from_the_store_counts_once_a_page_shows_it(
    bars: Project, service: RunService, wait_until: Wait
) -> None:
    run = Run(bars, bars.recipe())
    service.start(run)
    wait_until(lambda: run.over)
    network = run.predictor()
    again = Run.restored(bars, run.recipe, network.model.state_dict(), network.scaler)
    assert again not in service.known
    service.look(again)
    assert again in service.known
    ready = Run(bars, bars.recipe())
    service.look(ready)
    assert ready not in service.known
