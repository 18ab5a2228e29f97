from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Protocol

import holding
import pytest
import torch
from holding import waits
from torch import nn
from wrapped import Broken, Gate, Wrapped

from playground import models
from playground.data.dataset import Dataset, Examples, Scaler
from playground.data.steps import Steps
from playground.errors import PlaygroundError
from playground.history import Change, History
from playground.optimizers import Settings
from playground.projects.base import Project
from playground.recipe import Recipe
from playground.runtime import fair_queue
from playground.runtime import service as service_module
from playground.runtime.execution import Execution
from playground.runtime.run import Run, Snapshot
from playground.runtime.service import RunService
from playground.training import fit, steps_per_epoch

Wait = Callable[[Callable[[], object]], None]


class MovableClock(Protocol):
    now: float


@pytest.fixture
def permits(service: RunService) -> Iterator[threading.Semaphore]:
    """Permits for a gate; at the end everybody may pass, so that the service can close."""
    semaphore = threading.Semaphore(0)
    yield semaphore
    semaphore.release(1_000_000)


@pytest.fixture
def gate(permits: threading.Semaphore) -> Gate:
    return Gate(permits)


@pytest.fixture
def gated(bars: Project, gate: Gate) -> Project:
    return Wrapped(bars, gate)


def bare(project: Project, recipe: Recipe) -> tuple[History, nn.Sequential]:
    """The same run without a service."""
    model, history = project.build(recipe), History()
    for event in fit(model, project.load(recipe), recipe):
        history.add(event)
    return history, model


def same_numbers(run: Run, project: Project) -> bool:
    """Did the service give exactly what the bare loop gives?"""
    expected, model = bare(project, run.recipe)
    found = run.snapshot().history
    weights = run.predictor().model.state_dict()
    return (
        found.losses == expected.losses
        and found.figures == expected.figures
        and [(row.epoch, row.train, row.validation) for row in found.epochs]
        == [(row.epoch, row.train, row.validation) for row in expected.epochs]
        and all(torch.equal(weights[name], value) for name, value in model.state_dict().items())
    )


def idle(service: RunService, run: Run) -> Callable[[], bool]:
    """Has every worker let go of ``run``, so that nothing of it moves any more?"""
    return lambda: holding.idle(service, run)


def steps(run: Run) -> int:
    return run.snapshot().history.steps


def test_many_runs_finish_with_the_numbers_of_the_bare_loop(
    bars: Project, service: RunService, wait_until: Wait
) -> None:
    runs = [
        Run(bars, bars.recipe(seed=seed, dropout=0.2, optimizer=optimizer, batch_size=8))
        for seed in range(6)
        for optimizer in ("sgd", "adam")
    ]
    for run in runs:
        service.start(run)
    wait_until(lambda: all(service.look(run).over for run in runs))
    for run in runs:
        snapshot = run.snapshot()
        assert snapshot.state == snapshot.history.ended == "finished"
        assert snapshot.history.steps == snapshot.steps_total == 24
        assert snapshot.history.data["train"] == 90
        assert same_numbers(run, bars)
    assert service.active == 0
    assert service.executions == {}


def test_turns_are_fair(
    bars: Project,
    gated: Project,
    permits: threading.Semaphore,
    clock: Callable[[], float],
    monkeypatch: pytest.MonkeyPatch,
    wait_until: Wait,
) -> None:
    monkeypatch.setattr(service_module, "SLICE", 0.0)  # a turn is one step
    service = RunService(workers=1, clock=clock)
    runs = [Run(gated, bars.recipe(seed=seed)) for seed in range(5)]
    try:
        for run in runs:
            service.start(run)
        permits.release(15)
        wait_until(lambda: sum(map(steps, runs)) == 15)
        assert [steps(run) for run in runs] == [3] * 5
    finally:
        permits.release(1_000_000)
        service.close()


def test_a_worker_makes_room_for_others_after_each_slice(
    bars: Project, wait_until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "SLICE", 0.0)  # each step is one
    monkeypatch.setattr(service_module, "MAX_REST", 1e-4)  # whatever was asked for
    asked: list[int] = []

    def rest() -> float:
        asked.append(run.snapshot().history.steps)
        return 3600.0

    service = RunService(workers=1, rest=rest)
    run = Run(bars, bars.recipe(epochs=2, threads=1))
    service.start(run)
    wait_until(lambda: run.over)
    service.close()
    assert same_numbers(run, bars)
    assert asked == sorted(asked)
    assert len(asked) >= run.snapshot().history.steps


def test_a_run_waits_until_its_data_is_there(
    gated: Project,
    bars: Project,
    service: RunService,
    permits: threading.Semaphore,
    wait_until: Wait,
) -> None:
    run = Run(gated, bars.recipe())
    assert run.snapshot() == Snapshot("ready", run.recipe, History(), 0)
    service.start(run)
    wait_until(lambda: run.snapshot().steps_total == 12)
    assert run.snapshot().state == "running"
    assert service.active == 1
    permits.release(100)
    wait_until(lambda: run.over)


def test_pause_holds_after_the_step_it_is_in_and_resume_loses_nothing(
    gated: Project,
    bars: Project,
    service: RunService,
    permits: threading.Semaphore,
    wait_until: Wait,
) -> None:
    run = Run(gated, bars.recipe())
    service.start(run)
    permits.release(3)
    wait_until(lambda: steps(run) == 3)  # and it is in its 4th
    service.pause(run)
    assert run.snapshot().state == "paused"
    permits.release(100)
    wait_until(idle(service, run))
    assert steps(run) == 4
    service.pause(run)
    service.start(run)
    wait_until(lambda: run.over)
    assert same_numbers(run, bars)


def test_pause_and_resume_while_a_step_goes_on(
    gated: Project,
    bars: Project,
    service: RunService,
    permits: threading.Semaphore,
    wait_until: Wait,
) -> None:
    run = Run(gated, bars.recipe())
    service.start(run)
    permits.release(1)
    wait_until(lambda: steps(run) == 1)
    for _ in range(5):
        service.pause(run)
        service.start(run)
    permits.release(100)
    wait_until(lambda: run.over)
    assert same_numbers(run, bars)


def test_one_batch_and_one_epoch_are_exact(
    bars: Project, service: RunService, wait_until: Wait
) -> None:
    run = Run(bars, bars.recipe(epochs=4))  # of 6 steps each
    expected = [("batch", 1), ("batch", 2), ("epoch", 6), ("epoch", 12), ("batch", 13)]
    for until, count in expected:
        service.start(run, until)  # type: ignore[arg-type]
        wait_until(idle(service, run))
        assert run.state == "paused"
        assert steps(run) == count
    assert len(run.snapshot().history.epochs) == 2
    service.start(run)
    wait_until(lambda: run.over)
    assert same_numbers(run, bars)


@pytest.mark.parametrize(("until", "presses"), [("epoch", 2), ("batch", 13)])
def test_going_by_hand_ends_as_finished_too(
    bars: Project, service: RunService, wait_until: Wait, until: Any, presses: int
) -> None:
    # The 13th press of "one batch" finds none left: it measures the last epoch and ends.
    run = Run(bars, bars.recipe())
    for _ in range(presses):
        service.start(run, until)
        wait_until(idle(service, run))
    assert run.state == "finished"
    assert same_numbers(run, bars)


def test_stop_is_for_good_and_keeps_the_network(
    gated: Project,
    bars: Project,
    service: RunService,
    permits: threading.Semaphore,
    wait_until: Wait,
) -> None:
    run = Run(gated, bars.recipe())
    service.start(run)
    permits.release(5)
    wait_until(lambda: steps(run) == 5)
    service.stop(run, "Enough.")
    snapshot = run.snapshot()
    assert (snapshot.state, snapshot.history.ended) == ("stopped", "stopped")
    assert snapshot.history.reason == "Enough."
    permits.release(100)
    wait_until(idle(service, run))
    service.start(run)
    service.pause(run)
    service.stop(run, "Again.")
    assert run.snapshot().state == "stopped"
    assert run.snapshot().history.reason == "Enough."
    assert steps(run) == 6
    predicted = run.predictor()
    untrained = bars.build(run.recipe).state_dict()
    assert any(
        not torch.equal(value, untrained[name])
        for name, value in predicted.model.state_dict().items()
    )
    assert predicted.predict(torch.zeros(6, 6)).label in bars.labels


def test_a_run_can_be_stopped_before_its_first_step(
    bars: Project, service: RunService, wait_until: Wait
) -> None:
    run = Run(bars, bars.recipe())
    service.stop(run)
    service.start(run)
    assert run.snapshot().state == "stopped"
    assert steps(run) == 0


def test_an_exception_ends_its_own_run_alone(
    bars: Project, service: RunService, wait_until: Wait
) -> None:
    recipe = bars.recipe(epochs=5)
    known = PlaygroundError("The table {name} is empty.", name="mine.csv")
    fault = RuntimeError("The {cat} sat on the cable")
    broken = Run(Wrapped(bars, Broken(fault, step=3)), recipe)
    without_data = Run(Wrapped(bars, load_error=known), recipe)
    crashing = Run(Wrapped(bars, load_error=KeyError("x")), recipe)
    good = [Run(bars, recipe), Run(bars, recipe)]
    runs = [good[0], broken, without_data, crashing, good[1]]
    for run in runs:
        service.start(run)
    wait_until(lambda: all(run.over for run in runs))
    wait_until(lambda: all(idle(service, run)() for run in runs))
    for run, reason, count in (
        (broken, "RuntimeError: The {cat} sat on the cable", 2),
        (without_data, "The table mine.csv is empty.", 0),
        (crashing, "KeyError: 'x'", 0),
    ):
        snapshot = run.snapshot()
        assert snapshot.state == snapshot.history.ended == "failed"
        assert reason in str(snapshot.error)
        assert snapshot.history.reason == str(snapshot.error)
        assert snapshot.history.steps == count
    assert without_data.error is known
    assert all(same_numbers(run, bars) for run in good)
    assert service.executions == {}


def test_divergence_ends_a_run_and_keeps_finite_weights(
    regression: Project, service: RunService, wait_until: Wait
) -> None:
    run = Run(regression, regression.recipe(optimizer="sgd", learning_rate=10, epochs=50))
    service.start(run)
    wait_until(lambda: run.over)
    snapshot = run.snapshot()
    assert snapshot.state == snapshot.history.ended == "diverged"
    assert all(w.isfinite().all() for w in run.predictor().model.state_dict().values())


def test_a_change_of_the_controls_counts_from_the_next_step(
    gated: Project,
    gate: Gate,
    bars: Project,
    service: RunService,
    permits: threading.Semaphore,
    wait_until: Wait,
) -> None:
    run = Run(gated, bars.recipe())
    service.start(run)
    permits.release(2)
    wait_until(lambda: gate.came == 3)  # with the old ones
    service.change(run, Settings(0.5, 0.01))
    permits.release(100)
    wait_until(lambda: run.over)
    changes = run.snapshot().history.changes
    assert [(c.step, c.name, c.value) for c in changes] == [
        (4, "learning_rate", 0.5),
        (4, "weight_decay", 0.01),
    ]
    assert all(0 <= change.training <= change.wall for change in changes)


def test_a_change_before_the_first_step_is_recorded_too(
    bars: Project, service: RunService, wait_until: Wait
) -> None:
    run = Run(bars, bars.recipe(epochs=1))
    service.change(run, Settings(0.02, 0.0))
    service.start(run)
    wait_until(lambda: run.over)
    (change,) = run.snapshot().history.changes
    assert isinstance(change, Change)
    assert (change.step, change.name, change.value) == (1, "learning_rate", 0.02)


def endless(project: Project) -> Run:
    """A run that outlasts its test."""
    return Run(project, project.recipe(epochs=500, batch_size=1))


def let_pass(service: RunService, clock: MovableClock, seconds: float, *watched: Run) -> None:
    """Time in which somebody looks at ``watched`` alone."""
    for _ in range(round(seconds)):
        clock.now += 1
        service.reap_idle()
        for run in watched:
            service.look(run)


def test_a_run_that_nobody_watches_pauses_and_later_stops(
    bars: Project, service: RunService, clock: MovableClock, wait_until: Wait
) -> None:
    watched, left = endless(bars), endless(bars)
    service.start(watched)
    service.start(left)
    wait_until(lambda: steps(watched) and steps(left))
    let_pass(service, clock, service.pause_after - 1)
    assert watched.active
    assert left.active
    let_pass(service, clock, 2, watched)
    assert watched.active
    snapshot = left.snapshot()
    assert (snapshot.state, snapshot.pausing_unwatched) == ("paused", True)
    wait_until(idle(service, left))
    before = steps(left)

    service.start(left)  # somebody is back
    assert not left.snapshot().pausing_unwatched
    wait_until(lambda: steps(left) > before)
    let_pass(service, clock, service.stop_after - 1, watched)
    assert not left.over
    service.look(watched)
    clock.now += 2
    wait_until(lambda: left.over)  # the workers look themselves
    assert left.snapshot().state == "stopped"
    assert left.snapshot().history.reason == "Nobody was watching."
    assert watched.active


def test_a_paused_run_that_nobody_watches_stops_too(
    bars: Project, service: RunService, clock: MovableClock, wait_until: Wait
) -> None:
    run = endless(bars)
    service.start(run)
    service.pause(run)
    let_pass(service, clock, service.pause_after + 1)
    assert not run.snapshot().pausing_unwatched  # a person paused it
    let_pass(service, clock, service.stop_after)
    assert run.snapshot().state == "stopped"


def test_snapshots_agree_with_themselves_while_training_goes_on(
    bars: Project, service: RunService, wait_until: Wait
) -> None:
    runs = [Run(bars, bars.recipe(seed=seed, epochs=30, batch_size=8)) for seed in range(3)]
    for run in runs:
        service.start(run)
    kept: list[tuple[Snapshot, str]] = []

    def check() -> bool:
        for run in runs:
            snapshot = service.look(run)
            history = snapshot.history
            assert len(history.figures.get("accuracy", [])) == history.steps
            assert [row.epoch for row in history.epochs] == [*range(1, len(history.epochs) + 1)]
            assert len(history.epochs) in (history.steps // 12, (history.steps - 1) // 12)
            assert (history.ended == "finished") == snapshot.over
            assert history.training <= history.wall or history.training == pytest.approx(
                history.wall
            )
            if snapshot.over:
                assert history.steps == snapshot.steps_total
            if len(kept) < 50:
                kept.append((snapshot, history.to_json()))
            run.predictor().predict(torch.zeros(6, 6))
        return all(run.over for run in runs)

    wait_until(check)
    assert all(snapshot.history.to_json() == then for snapshot, then in kept)


def test_who_sees_it_finished_gets_the_finished_network(
    bars: Project, service: RunService, wait_until: Wait
) -> None:
    for seed in range(5):
        run = Run(bars, bars.recipe(seed=seed))
        service.start(run)
        wait_until(partial(getattr, run, "over"))
        assert same_numbers(run, bars)


def test_speed_and_time_left() -> None:
    recipe = Recipe("bars")
    history = History(losses=[1.0] * 30, training=3.0, wall=6.0)
    snapshot = Snapshot("running", recipe, history, steps_total=50, served=3.0)
    assert snapshot.steps_per_second == 10
    assert snapshot.seconds_left == 2
    assert (snapshot.active, snapshot.over) == (True, False)
    fresh = Snapshot("ready", recipe, History(), 0)
    assert fresh.steps_per_second == 0
    assert fresh.seconds_left is None


def test_a_run_alone_gets_all_threads_and_the_next_one(
    bars: Project, gated: Project, service: RunService
) -> None:
    recipe = bars.recipe(threads=0)
    alone, second = Run(gated, recipe), Run(gated, recipe)
    fixed = Run(gated, recipe.with_(threads=3))
    for run in (alone, second, fixed):
        service.start(run)
    assert [run.recipe.threads for run in (alone, second, fixed)] == [2, 1, 3]


def test_close_ends_the_threads_and_leaves_runs_as_they_are(
    bars: Project, service: RunService, wait_until: Wait
) -> None:
    runs = [endless(bars) for _ in range(3)]
    for run in runs:
        service.start(run)
    wait_until(lambda: all(steps(run) for run in runs))
    threads = list(service.threads)
    assert [thread.name for thread in threads] == ["training"] * 2
    service.close()
    assert not any(thread.is_alive() for thread in threads)
    counts = [steps(run) for run in runs]
    late = endless(bars)
    service.start(late)
    assert [steps(run) for run in runs] == counts
    assert late.state == "ready"
    service.close()


class Publishing:
    """Holds a worker in the moment between a slice's last step and saying how it ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.there, self.go = threading.Event(), threading.Event()
        copy = models.state

        def state(model: nn.Module) -> dict[str, Any]:
            self.there.set()
            assert self.go.wait(60)
            return copy(model)

        monkeypatch.setattr(models, "state", state)


@pytest.fixture
def publishing(monkeypatch: pytest.MonkeyPatch, service: RunService) -> Iterator[Publishing]:
    moment = Publishing(monkeypatch)
    yield moment
    moment.go.set()


@pytest.mark.parametrize("first", ["batch", "epoch"])
def test_train_pressed_in_the_last_moment_of_one_batch_is_not_lost(
    bars: Project, service: RunService, publishing: Publishing, wait_until: Wait, first: Any
) -> None:
    run = Run(bars, bars.recipe())
    service.start(run, first)
    assert publishing.there.wait(60)
    service.start(run)
    publishing.go.set()
    wait_until(idle(service, run))
    assert run.state == "finished"


def test_stop_pressed_in_the_last_moment_stays_stopped(
    bars: Project, service: RunService, publishing: Publishing, wait_until: Wait
) -> None:
    run = Run(bars, bars.recipe())
    service.start(run)
    assert publishing.there.wait(60)
    service.stop(run)
    assert run.snapshot().state == "stopped"
    publishing.go.set()
    wait_until(idle(service, run))
    assert run.snapshot().state == run.snapshot().history.ended == "stopped"


def test_resume_pressed_while_it_finishes_does_not_bring_it_back(
    bars: Project, service: RunService, publishing: Publishing, wait_until: Wait
) -> None:
    run = Run(bars, bars.recipe())
    service.start(run)
    assert publishing.there.wait(60)
    service.pause(run)
    main, still = threading.current_thread(), service.clock

    def meanwhile() -> float:
        # Called in the middle of start(): the worker says "finished", if it is let.
        if threading.current_thread() is main:
            publishing.go.set()
            finished = threading.Event()
            for _ in range(100):
                if run.state == "finished" or finished.wait(0.002):
                    break
        return still()

    service.clock = meanwhile
    service.start(run)
    service.clock = still
    wait_until(idle(service, run))
    assert run.state == "finished"
    assert steps(run) == steps_per_epoch(run.recipe, bars.load(run.recipe)) * 2


def test_a_run_that_was_alone_lends_its_threads_from_the_next_step_on(
    bars: Project, wait_until: Wait
) -> None:
    """Its first slice is over, so this is decided without a clock."""
    service = RunService(workers=2)
    alone, chosen, other = (
        Run(bars, bars.recipe(threads=threads, epochs=3)) for threads in (0, 2, 0)
    )
    try:
        for run in (alone, chosen):
            service.start(run, "batch")
            wait_until(idle(service, run))
            assert run.threads == 2
        other.state = "running"  # somebody trains, and no worker is asked to
        service.executions[other] = Execution(other)
        alone.state = chosen.state = "running"
        service._crowd(other)
        alone.state = chosen.state = "paused"
        other.state = "paused"
        for run in (alone, chosen):
            service.start(run, "batch")
            wait_until(idle(service, run))
        changes = [(one.step, one.name, one.value) for one in alone.snapshot().history.changes]
        assert changes == [(2, "threads", 1)]
        assert (alone.threads, alone.recipe.threads) == (1, 2)
        assert chosen.threads == 2  # its owner asked for two
    finally:
        service.close()


class Drawn(Wrapped):
    """Data in ``count`` steps, each with a permit."""

    def __init__(self, inner: Project, permits: threading.Semaphore, count: int = 100) -> None:
        super().__init__(inner)
        self.permits, self.count, self.steps = permits, count, 0

    def loading(self, recipe: Recipe, own: Examples | None = None) -> Steps[Dataset]:
        for done in range(self.count):
            yield done, self.count
            assert self.permits.acquire(timeout=60)
            self.steps += 1
        return self.load(recipe, own)


def test_data_that_nobody_wants_any_more_are_not_made(
    bars: Project,
    service: RunService,
    clock: MovableClock,
    permits: threading.Semaphore,
    wait_until: Wait,
) -> None:
    replaced, deserted, looked_at = (Run(Drawn(bars, permits), bars.recipe()) for _ in range(3))
    for run in (replaced, deserted, looked_at):
        service.load(run, patience=0)
    wait_until(lambda: replaced.snapshot().made == (0, 100))
    service.leave(replaced)
    clock.now += service_module.LEAVE_AFTER + 1
    service.look(looked_at)
    service.reap_idle()
    assert not waits(service, deserted)
    permits.release(150)
    wait_until(lambda: looked_at.loaded)
    assert not waits(service, replaced)
    assert replaced.made is None
    assert replaced.project.steps <= 1  # type: ignore[attr-defined]
    assert not replaced.loaded
    # Who comes back gets them all the same.
    permits.release(200)
    service.load(deserted, patience=0)
    service.start(replaced)
    wait_until(lambda: deserted.loaded and replaced.over)
    assert same_numbers(replaced, bars)


def test_a_small_data_set_comes_before_the_end_of_a_large_one(
    bars: Project,
    service: RunService,
    permits: threading.Semaphore,
    wait_until: Wait,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service_module, "SLICE", 0.0)  # a turn is one step
    monkeypatch.setattr(fair_queue, "ROUND", 1e-6)
    large = Run(Drawn(bars, permits, 1000), bars.recipe())
    small = Run(Drawn(bars, permits, 5), bars.recipe())
    service.load(large, patience=0)
    wait_until(lambda: large.made is not None)
    service.load(small, patience=0)
    permits.release(500)
    wait_until(lambda: small.loaded)
    assert not large.loaded


def test_a_worker_lets_go_of_data_that_a_page_has_made_in_the_meantime(
    bars: Project, clock: MovableClock, permits: threading.Semaphore, wait_until: Wait
) -> None:
    service = RunService(workers=1, clock=clock)
    run = Run(Drawn(bars, permits, 5), bars.recipe())
    try:
        service.load(run, patience=0)
        wait_until(lambda: run.made is not None)  # the worker is inside
        permits.release(5)
        run.dataset()
        wait_until(lambda: not waits(service, run))
        other = Run(bars, bars.recipe())
        service.start(other)  # with the only worker
        wait_until(lambda: other.over)
    finally:
        permits.release(1000)
        service.close()


def test_a_pause_while_data_are_made_holds_and_the_numbers_stay(
    bars: Project, service: RunService, permits: threading.Semaphore, wait_until: Wait
) -> None:
    run = Run(Drawn(bars, permits, 5), bars.recipe())
    service.start(run)
    permits.release(2)
    wait_until(lambda: run.snapshot().made == (2, 5))
    assert run.state == "waiting"
    service.pause(run)
    permits.release(100)
    wait_until(idle(service, run))
    assert run.state == "paused"
    service.start(run)
    wait_until(lambda: run.over)
    assert same_numbers(run, bars)


def test_the_time_in_which_data_are_made_slows_no_step(
    bars: Project, service: RunService, permits: threading.Semaphore, wait_until: Wait
) -> None:
    """Else a page says "0 steps/s, 9 min left" after the first step."""
    run = Run(Drawn(bars, permits, 5), bars.recipe())
    begun = time.monotonic()
    service.start(run)
    wait_until(lambda: run.made is not None)
    making = time.monotonic() - begun
    permits.release(100)
    wait_until(lambda: run.over)
    assert 0 < run.snapshot().served <= time.monotonic() - begun - making


def test_the_service_closes_while_data_are_made(
    bars: Project, clock: Callable[[], float], wait_until: Wait
) -> None:
    class Endless(Wrapped):
        def loading(self, recipe: Recipe, own: Examples | None = None) -> Steps[Dataset]:
            while True:
                yield 1, 2

    service = RunService(workers=2, clock=clock)
    run = Run(Endless(bars), bars.recipe())
    service.start(run)
    wait_until(lambda: run.made is not None)
    service.close()
    assert not run.loaded


def test_an_untrained_network_answers_before_its_data_are_there(bars: Project) -> None:
    class Guessing(Wrapped):
        rough = Scaler(torch.tensor(100.0), torch.tensor(90.0))

    run = Run(Guessing(bars), bars.recipe())
    assert run.answers
    assert run.predictor().predict(torch.zeros(6, 6)).label in bars.labels
    assert not run.loaded
    run.dataset()
    assert run.predictor().scaler is run.dataset().scaler
    assert not Run(bars, bars.recipe()).answers
