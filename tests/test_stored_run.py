"""A run as a row and back: one codec, without a store."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from playground.data.dataset import Examples
from playground.desks.run_list import RunEntry, RunList, Unread
from playground.desks.stored_run import RESTARTED, Label, from_row, remains_to_row, to_row
from playground.projects.base import Project
from playground.runtime.execution import Execution
from playground.runtime.run import Run, Until
from playground.storage.codecs import pack

SHOWN = Label("mine", True, True)


def trained(project: Project, until: Until = "end", own: Examples | None = None) -> Run:
    run = Run(project, project.recipe(epochs=3), own)
    run.checkpoint_wanted = True
    run.state = "waiting"
    execution = Execution(run)
    execution.until = until
    while execution.wants:
        execution.turn(60.0)
    return run


def listed(run: Run) -> RunEntry:
    return RunList().take(run)


def test_a_run_that_is_over_comes_back_whole(bars: Project) -> None:
    run = trained(bars)
    row = to_row(run, listed(run), "r", SHOWN)
    assert row is not None
    assert row.progress is None
    found = from_row(row)
    assert isinstance(found, RunEntry)
    assert (found.number, found.name, found.shown) == (1, "mine", True)
    assert found.parameters == run.parameters
    assert found.snapshot == run.snapshot()
    assert found.run is not None
    then, now = (one.predictor().model.state_dict() for one in (run, found.run))
    assert all(torch.equal(then[name], now[name]) for name in then)


def test_a_run_that_no_page_shows_is_its_recipe_and_curves(bars: Project) -> None:
    run = trained(bars)
    kept = listed(run)
    row = to_row(run, kept, "r", SHOWN._replace(current=False))
    assert row is not None
    assert row.network is None
    assert row == remains_to_row(kept, "r", SHOWN)
    found = from_row(row)
    assert isinstance(found, RunEntry)
    assert found.run is None
    assert found.snapshot == run.snapshot()


def test_a_run_that_waits_goes_on_from_its_checkpoint(bars: Project) -> None:
    run = trained(bars, "epoch")
    row = to_row(run, listed(run), "r", SHOWN)
    assert row is not None
    assert row.network is None
    found = from_row(row)
    assert isinstance(found, RunEntry)
    assert found.run is not None
    assert (found.run.state, found.run.goes_on_from) == ("paused", 1)


def test_before_its_first_checkpoint_there_is_nothing_to_store(bars: Project) -> None:
    run = Run(bars, bars.recipe())
    assert to_row(run, listed(run), "r", SHOWN) is None


def test_a_row_whose_network_cannot_be_read_keeps_its_curves(bars: Project) -> None:
    run = trained(bars)
    row = to_row(run, listed(run), "r", SHOWN)
    assert row is not None
    found = from_row(replace(row, network=b"nothing"))
    assert isinstance(found, RunEntry)
    assert found.run is None
    assert found.snapshot == run.snapshot()


def test_a_run_whose_own_examples_cannot_be_read_does_not_go_on_without(bars: Project) -> None:
    own = Examples(torch.zeros(2, 6, 6, dtype=torch.uint8), torch.tensor([0, 1]))
    run = trained(bars, "epoch", own)
    row = to_row(run, listed(run), "r", SHOWN)
    assert row is not None
    whole, broken = from_row(row, pack(own)[1]), from_row(row, b"nothing")
    assert isinstance(whole, RunEntry)
    assert whole.run is not None
    assert whole.run.own is not None
    assert isinstance(broken, RunEntry)
    assert broken.run is None
    assert broken.history.reason == RESTARTED


@pytest.mark.parametrize("change", [{"recipe": "{"}, {"history": "[]"}, {"history": '{"x": 1}'}])
def test_a_row_that_nobody_can_read_is_listed_as_such(
    bars: Project, change: dict[str, str]
) -> None:
    run = trained(bars)
    row = to_row(run, listed(run), "r", SHOWN)
    assert row is not None
    found = from_row(replace(row, **change))  # type: ignore[arg-type]
    assert isinstance(found, Unread)
    assert (found.number, found.name) == (1, "mine")
