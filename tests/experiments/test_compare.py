"""What differs between recipes, and curves on one axis; the list of runs and its files."""

from __future__ import annotations

import csv
import gc
import io
import json
import weakref
from collections.abc import Callable

import pytest

from playground.desks import run_list
from playground.desks.run_list import RunEntry, RunList, from_json, to_csv, to_json
from playground.errors import PlaygroundError
from playground.experiments import compare
from playground.experiments.compare import differences, series, thinned
from playground.history import Change, EpochRow, History
from playground.projects import PROJECTS
from playground.projects.base import Project
from playground.recipe import FIELDS, Recipe
from playground.runtime.run import Run, Snapshot
from playground.runtime.service import RunService

Wait = Callable[[Callable[[], object]], None]
COFFEE, DIGITS = PROJECTS["coffee"], PROJECTS["digits"]


def row(epoch: int, loss: float, **more: float) -> EpochRow:
    figures = {"loss": loss, **more}
    return EpochRow(epoch, 10 * epoch, {"loss": loss + 1}, figures, 0.7 * epoch, 0.5 * epoch)


def test_equal_recipes_differ_in_nothing() -> None:
    assert differences([COFFEE.recipe(), COFFEE.recipe(), COFFEE.recipe()]) == {}
    assert differences([]) == {}


def test_differences_in_the_order_of_the_fields_with_a_value_a_recipe() -> None:
    one = COFFEE.recipe(hidden=(8,), learning_rate=0.1, data={"noise": 1.0})
    two = COFFEE.recipe(hidden=(8, 8), learning_rate=0.1, seed=4)
    three = COFFEE.recipe(hidden=(8,), learning_rate=0.1)
    assert list(differences([one, two, three]).items()) == [
        ("hidden", ((8,), (8, 8), (8,))),
        ("seed", (0, 4, 0)),
        ("data.coffee.noise", (1.0, 0.5, 0.5)),
    ]


def test_what_changes_nothing_does_not_differ() -> None:
    flat = DIGITS.recipe(architecture="mlp", channels=(8,), kernels=(3,), strides=(1,))
    found = differences([flat, DIGITS.recipe(architecture="mlp")])
    assert found == {}
    both = differences([flat, DIGITS.recipe()])
    assert both["channels"] == (None, DIGITS.recipe().channels)
    assert set(compare.changed(flat, DIGITS.recipe())) == {"architecture"}


def test_recipes_of_two_projects() -> None:
    found = differences([COFFEE.recipe(), PROJECTS["weekday"].recipe(), DIGITS.recipe()])
    assert found["project"] == ("coffee", "weekday", "digits")
    assert found["data.coffee.noise"] == (0.5, None, None)
    assert found["data.weekday.noise"] == (None, 1.0, None)  # which is no price in złoty


def test_a_data_option_called_like_a_field_is_another_thing() -> None:
    recipe = Recipe("x", {"seed": 7})
    assert compare.values(recipe)["seed"] == 0
    assert compare.values(recipe)["data.x.seed"] == 7
    assert set(FIELDS) < set(compare.values(recipe))


def test_what_changed_from_the_usual() -> None:
    own = COFFEE.recipe(learning_rate=0.5, threads=2, data={"examples": 100})
    assert compare.changed(own, COFFEE.recipe()) == {
        "learning_rate": (0.03, 0.5),
        "data.coffee.examples": (10_000, 100),
    }


def test_series_over_each_axis() -> None:
    history = History(epochs=[row(1, 0.5, accuracy=0.7), row(2, 0.4, accuracy=0.8)])
    assert series(history, "validation", "accuracy", "epoch") == [(1, 0.7), (2, 0.8)]
    assert series(history, "validation", "loss", "step") == [(10, 0.5), (20, 0.4)]
    assert series(history, "train", "loss", "second") == [(0.5, 1.5), (1.0, 1.4)]
    assert series(history, "train", "accuracy", "epoch") == []
    assert series(History(), "train", "loss", "epoch") == []
    assert compare.last(history, "validation", "accuracy") == 0.8
    assert compare.last(history, "validation", "mae") is None
    assert compare.last(History(), "validation", "loss") is None


@pytest.mark.parametrize(("count", "most"), [(0, 5), (1, 5), (5, 5), (500, 7), (501, 300), (3, 0)])
def test_thinned_keeps_the_ends(count: int, most: int) -> None:
    points = [(float(n), n / 2) for n in range(count)]
    found = thinned(points, most)
    assert found[:1] == points[:1]
    assert found[-1:] == points[-1:]
    assert len(found) <= max(most, 1) + 1
    assert set(found) <= set(points)


# --- The list of runs -------------------------------------------------------------------


def over(number: int, recipe: Recipe, history: History, name: str = "") -> RunEntry:
    return RunEntry(number, Snapshot("finished", recipe, history, history.steps), name=name)


def finished(project: Project, service: RunService, wait: Wait, listed: RunList) -> Run:
    run = Run(project, project.recipe())
    listed.take(run)
    service.start(run)
    wait(lambda: run.over)
    return run


def test_a_run_is_listed_once_and_let_go_when_it_is_over(
    bars: Project, service: RunService, wait_until: Wait
) -> None:
    listed = RunList()
    run = Run(bars, bars.recipe())
    one = listed.take(run, shown=False)
    assert one.live
    assert not one.shown
    assert one.parameters == 0
    service.start(run)
    wait_until(lambda: run.over)
    assert listed.take(run) is one
    listed.refresh(service.look)
    assert not one.live
    assert listed.live() == []
    assert one.parameters == 6 * 6 * 8 + 8 + 8 * 3 + 3
    assert one.snapshot == run.snapshot()
    assert [found.number for found in listed.runs] == [1]


def test_a_run_that_is_over_is_let_go(bars: Project, service: RunService, wait_until: Wait) -> None:
    listed = RunList()
    gone = weakref.ref(finished(bars, service, wait_until, listed))
    listed.refresh()
    assert len(listed.runs) == 1
    wait_until(lambda: gc.collect() is not None and gone() is None)


def test_a_deleted_run_does_not_come_back(
    bars: Project, service: RunService, wait_until: Wait
) -> None:
    listed = RunList()
    run = finished(bars, service, wait_until, listed)
    one, other = listed.take(run), listed.take(Run(bars, bars.recipe()))
    listed.delete([one, other])
    assert listed.runs == []
    assert listed.take(run) is one
    assert listed.runs == []
    assert listed.live() == []


def test_the_oldest_that_are_over_are_dropped(
    bars: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_list, "MAX_RUNS", 3)
    listed = RunList()
    live = Run(bars, bars.recipe())
    listed.take(live)
    for number in range(2, 6):
        listed.runs.append(over(number, bars.recipe(), History()))
    listed.refresh()
    assert [one.number for one in listed.runs] == [1, 4, 5]
    assert listed.dropped == 2
    assert listed.take(Run(bars, bars.recipe())).number == 2


def test_curves_that_are_too_large_are_dropped_but_never_the_newest(
    bars: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_list, "MAX_STEPS", 10)
    listed = RunList()
    for number, steps in ((1, 4), (2, 5), (3, 11)):
        listed.runs.append(over(number, bars.recipe(), History(losses=[0.1] * steps)))
    listed.refresh()
    assert [one.number for one in listed.runs] == [3]


def test_a_name_is_one_line_and_short() -> None:
    one = over(1, COFFEE.recipe(), History())
    one.rename("  a\n<b>\tc  ")
    assert one.name == "a <b> c"
    one.rename("x" * 1000)
    assert len(one.name) == run_list.LONGEST
    one.rename(None)
    assert one.name == ""


# --- Files --------------------------------------------------------------------------------

HISTORY = History(
    data={"source": "generated", "train": 70},
    losses=[0.9, 0.8],
    figures={"accuracy": [0.1, 0.2]},
    epochs=[row(1, 0.5, accuracy=0.75), row(2, -0.25, accuracy=0.8)],
    changes=[Change(2, "learning_rate", 0.1, 0.3, 0.2)],
    ended="finished",
)


def test_json_reads_back_to_equal_objects() -> None:
    runs = [
        ("=1+1", over(1, COFFEE.recipe(hidden=(3, 4)), HISTORY)),
        ("żółć", over(2, DIGITS.recipe(), History())),
    ]
    found = from_json(to_json(runs))
    assert found == [(name, one.recipe, one.history) for name, one in runs]
    record = json.loads(to_json(runs))["runs"][0]
    assert Recipe.from_json(json.dumps(record["recipe"])) == runs[0][1].recipe
    assert History.from_json(json.dumps(record["history"])) == HISTORY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "[" * 100_000,
        '{"version": 1}',
        '{"version": 2, "runs": []}',
        '{"version": 1, "runs": 3}',
        '{"version": 1, "runs": [{"name": "a", "recipe": {}}]}',
        '{"version": 1, "runs": [{"name": "a", "recipe": 3, "history": {}}]}',
    ],
)
def test_what_is_no_file_of_runs_is_refused(text: str) -> None:
    with pytest.raises(PlaygroundError):
        from_json(text)


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "a;b\n=c"])
@pytest.mark.parametrize("comma", [False, True])
def test_csv_has_a_row_an_epoch_and_no_formulas(name: str, comma: bool) -> None:
    text = to_csv([(name, over(1, COFFEE.recipe(), HISTORY))], comma)
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";" if comma else ","))
    assert [one["epoch"] for one in rows] == ["1", "2"]
    assert [one["step"] for one in rows] == ["10", "20"]
    numbers = [float(one["validation_loss"].replace(",", ".")) for one in rows]
    assert numbers == [0.5, -0.25]
    assert {one["project"] for one in rows} == {"coffee"}
    assert all(not one["run"].lstrip().startswith(("=", "+", "-", "@")) for one in rows)
    assert "validation_accuracy" in rows[0]


def test_csv_of_runs_with_other_figures_and_of_none() -> None:
    other = History(epochs=[row(1, 0.1, mae=3.0)])
    runs = [("a", over(1, DIGITS.recipe(), HISTORY)), ("b", over(2, COFFEE.recipe(), other))]
    rows = list(csv.DictReader(io.StringIO(to_csv(runs))))
    assert [one["validation_mae"] for one in rows] == ["", "", "3.0"]
    assert to_csv([]).strip() == "run,project,epoch,step,seconds"
