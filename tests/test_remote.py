"""Training on Ray: the same numbers as without, and what happens when an actor dies.

One small Ray on this machine for all of it; skipped where Ray is not installed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import holding
import pytest
import torch
from wrapped import Broken, Wrapped

from playground.data.dataset import Examples
from playground.errors import PlaygroundError
from playground.history import History
from playground.optimizers import Settings
from playground.projects import PROJECTS
from playground.projects.base import Project
from playground.runtime import ray_trainer
from playground.runtime.run import Run
from playground.runtime.service import RunService

ray = pytest.importorskip("ray", reason="Ray is not installed (requirements-ray.txt)")

Wait = Callable[[Callable[[], object]], None]


@pytest.fixture(scope="module")
def cluster(data_folder: object) -> Iterator[ray_trainer.Cluster]:
    found = ray_trainer.Cluster("local", 2, num_cpus=2, object_store_memory=80 * 2**20)
    yield found
    found.close()


@pytest.fixture
def there(cluster: ray_trainer.Cluster, bars: Project) -> Iterator[RunService]:
    for kind in (type(bars), Wrapped):  # an actor cannot import what stands in tests alone
        ray.cloudpickle.register_pickle_by_value(sys.modules[kind.__module__])
    running = cluster.service()
    yield running
    running.close()


def figures(history: History) -> tuple[Any, ...]:
    """All that does not depend on the clock."""
    epochs = [(row.epoch, row.step, row.train, row.validation) for row in history.epochs]
    changes = [(one.step, one.name, one.value) for one in history.changes]
    return history.data, history.losses, history.figures, epochs, changes, history.ended


def same(one: Run, other: Run) -> bool:
    """The same numbers, to the last digit?"""
    mine, theirs = (run.predictor().model.state_dict() for run in (one, other))
    return figures(one.snapshot().history) == figures(other.snapshot().history) and all(
        torch.equal(mine[name], theirs[name]) for name in theirs
    )


def idle(service: RunService, *runs: Run) -> Callable[[], bool]:
    return lambda: all(holding.idle(service, run) for run in runs)


def train(service: RunService, wait: Wait, *runs: Run) -> None:
    for run in runs:
        service.start(run)
    wait(idle(service, *runs))


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_history_as_in_this_process(
    there: RunService, service: RunService, bars: Project, wait_until: Wait, threads: int
) -> None:
    # Little, as two threads on a busy machine wait for each other.
    recipes = [
        bars.recipe(optimizer="adam", dropout=0.2, threads=threads, epochs=4, patience=2),
        PROJECTS["coffee"].recipe(epochs=1, batch_size=512, threads=threads),
        PROJECTS["digits"].recipe(
            architecture="cnn", channels=(8, 8), batch_size=1024, epochs=1, threads=threads
        ),
    ]
    own = Examples(torch.full((3, 28, 28), 9, dtype=torch.uint8), torch.tensor([1, 2, 3]))
    for recipe in recipes:
        mine = own if recipe.project == "digits" else None
        pair = [Run(PROJECTS[recipe.project], recipe, mine) for _ in range(2)]
        for run, where in zip(pair, (there, service), strict=True):
            train(where, wait_until, run)
            assert run.state == "finished", run.error
        assert same(*pair)
        history = pair[0].snapshot().history
        assert 0 < history.training <= history.wall
        assert history.steps == pair[0].snapshot().steps_total or recipe.patience
        assert history.data["own"] == (0 if mine is None else 3)
        assert pair[0].parameters == pair[1].parameters


def test_one_batch_one_epoch_pause_and_the_rest(
    there: RunService, service: RunService, bars: Project, wait_until: Wait
) -> None:
    run, whole = (Run(bars, bars.recipe(epochs=4)) for _ in range(2))  # of 6 steps each
    for until, count in (("batch", 1), ("batch", 2), ("epoch", 6), ("batch", 7), ("epoch", 12)):
        there.start(run, until)  # type: ignore[arg-type]
        wait_until(idle(there, run))
        assert run.state == "paused"
        assert run.snapshot().history.steps == count
    for _ in range(5):
        there.start(run)
        there.pause(run)
    wait_until(idle(there, run))
    train(there, wait_until, run)
    train(service, wait_until, whole)
    assert same(run, whole)


def test_a_change_of_the_controls_counts_and_stands_in_the_history(
    there: RunService, service: RunService, bars: Project, wait_until: Wait
) -> None:
    pair = [Run(bars, bars.recipe(epochs=2)) for _ in range(2)]
    for run, where in zip(pair, (there, service), strict=True):
        where.start(run, "batch")
        wait_until(idle(where, run))
        where.change(run, Settings(0.5, 0.01))
        train(where, wait_until, run)
    assert same(*pair)
    assert len(pair[0].snapshot().history.changes) == 2


def test_who_looks_inside_gets_one_move(there: RunService, bars: Project, wait_until: Wait) -> None:
    run = Run(bars, bars.recipe())
    for step in (1, 2):
        assert run.published().step == step - 1
        there.start(run, "batch")
        wait_until(idle(there, run))
        move = run.published().move
        assert move is not None
        assert move.step == step
        assert run.published().weights is not None
        for name, after in (run.published().weights or {}).items():
            assert torch.equal(move.after[name], after)
            assert not torch.equal(move.before[name], after)


def test_a_checkpoint_goes_on_in_another_process(
    there: RunService, service: RunService, bars: Project, wait_until: Wait
) -> None:
    recipe = bars.recipe(epochs=3, dropout=0.2, optimizer="adam")
    begun, whole = Run(bars, recipe), Run(bars, recipe)
    begun.checkpoint_wanted = True
    there.start(begun, "epoch")
    wait_until(idle(there, begun))
    assert begun.checkpoint is not None
    train(service, wait_until, whole)
    for where in (there, service):
        resumed = Run.resumed(bars, recipe, begun.checkpoint)
        train(where, wait_until, resumed)
        assert same(resumed, whole)


def test_whatever_goes_wrong_ends_its_own_run_alone(
    there: RunService, service: RunService, bars: Project, regression: Project, wait_until: Wait
) -> None:
    recipe = bars.recipe(epochs=3)
    known = PlaygroundError("The table {name} is empty.", name="mine.csv")
    good, alone = Run(bars, recipe), Run(bars, recipe)
    third = Broken(RuntimeError("The {cat} sat on the cable"), step=3)
    broken = Run(Wrapped(bars, third), recipe)
    empty = Run(Wrapped(bars, load_error=known), recipe)
    wild = regression.recipe(optimizer="sgd", learning_rate=10, epochs=50)
    diverging, same_there = Run(regression, wild), Run(regression, wild)
    train(there, wait_until, broken, empty, good, diverging)
    train(service, wait_until, alone, same_there)
    assert same(good, alone)
    assert same(diverging, same_there)
    assert diverging.state == "diverged"
    history = broken.snapshot().history
    assert (broken.state, history.steps) == ("failed", 2)
    assert "RuntimeError: The {cat} sat on the cable" in history.reason
    assert "The table mine.csv is empty." in str(empty.error)


def test_stop_is_for_good_and_its_actor_forgets_the_run(
    there: RunService, cluster: ray_trainer.Cluster, bars: Project, wait_until: Wait
) -> None:
    run = Run(bars, bars.recipe(epochs=500, batch_size=1))
    there.start(run)
    wait_until(lambda: run.snapshot().history.steps > 3)
    execution = there.executions[run]
    assert isinstance(execution.trainer, ray_trainer.RayTrainer)
    name = execution.trainer._name
    (post,) = (one for one in cluster.posts if name in one.held)
    there.stop(run, "Enough.")
    wait_until(idle(there, run))
    assert run.snapshot().history.reason == "Enough."
    assert run.trained
    wait_until(lambda: execution.trainer is None)
    assert name not in post.held
    asked = ("go", name, 0.0, "time", Settings(0.1, 0.0), 1)
    assert post.call(*asked, post.unneeded()) is None  # dropped with the next call


def test_a_run_whose_actor_dies_goes_on_from_its_checkpoint_or_says_so(
    there: RunService,
    service: RunService,
    cluster: ray_trainer.Cluster,
    bars: Project,
    wait_until: Wait,
) -> None:
    recipe = bars.recipe(epochs=4, dropout=0.2, optimizer="adam")
    kept, forgotten, elsewhere, whole = (Run(bars, recipe) for _ in range(4))
    kept.checkpoint_wanted = True
    for post in cluster.posts:
        post.held.clear()  # what earlier tests have left
    for run in (kept, elsewhere, forgotten):  # the first and the third in one actor
        there.start(run, "epoch")
        wait_until(idle(there, run))
        there.start(run, "batch")
        wait_until(idle(there, run))
    first, other = cluster.posts
    assert (len(first.held), len(other.held)) == (2, 1)
    ray.kill(first._actor, no_restart=False)
    train(there, wait_until, kept, forgotten, elsewhere)
    train(service, wait_until, whole)
    assert same(kept, whole)
    assert same(elsewhere, whole)
    assert forgotten.state == "failed"
    assert "is no longer available" in str(forgotten.error)
    assert forgotten.trained  # what it had learned is still here


def test_no_core_or_no_cluster_or_no_ray_is_said(
    cluster: ray_trainer.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PlaygroundError, match=r"No Ray cluster answers at local"):
        ray_trainer.Cluster("local")  # this process has one already
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PlaygroundError, match=r"not installed: pip install -r requirements-ray"):
        ray_trainer.service("local")


def test_a_cluster_that_is_gone_ends_runs_with_a_sentence(
    there: RunService, cluster: ray_trainer.Cluster, bars: Project, wait_until: Wait
) -> None:
    """The last test of this file: the actors do not come back."""
    run = Run(bars, bars.recipe(epochs=4))
    run.checkpoint_wanted = True
    there.start(run, "epoch")
    wait_until(idle(there, run))
    for post in cluster.posts:
        ray.kill(post._actor, no_restart=True)
    late = Run(bars, bars.recipe())
    train(there, wait_until, run, late)
    for one in (run, late):
        assert one.state == "failed"
        assert "is no longer available" in one.snapshot().history.reason
    assert len(run.snapshot().history.epochs) == 1
