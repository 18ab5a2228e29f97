"""The runs page: the list of a session's runs, and a sweep from start to end."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from opening import SECONDS, open_page
from streamlit.testing.v1 import AppTest

from playground.desks.run_list import MAX_RUNS, RunEntry, RunList
from playground.history import EpochRow, History
from playground.projects import PROJECTS
from playground.recipe import Recipe
from playground.runtime.run import Snapshot
from playground.ui.runs import run_table, sweep


def open_runs(language: str = "en", runs: list[RunEntry] | None = None, **state: Any) -> AppTest:
    known = {key.replace("_", "."): value for key, value in state.items()}
    app = open_page("runs", language, known)
    if runs is None:
        return app
    listed(app).runs, listed(app).count = runs, len(runs)
    return app.run()


def listed(app: AppTest) -> RunList:
    """The session's own list."""
    found: RunList = app.session_state["desk"].kept
    return found


def kept(number: int, recipe: Recipe, *losses: float, **more: Any) -> RunEntry:
    """A run that is over, with an epoch for each of ``losses``."""
    figure = "mae" if PROJECTS[recipe.project].task == "regression" else "accuracy"
    rows = [
        EpochRow(n, 10 * n, {"loss": loss, figure: loss}, {"loss": loss, figure: loss}, n, n)
        for n, loss in enumerate(losses, start=1)
    ]
    history = History(losses=[*losses] * 10, epochs=rows, ended="finished", training=3.0)
    return RunEntry(number, Snapshot("finished", recipe, history, history.steps), **more)


def several() -> list[RunEntry]:
    coffee, digits = PROJECTS["coffee"], PROJECTS["digits"]
    return [
        kept(1, coffee.recipe(hidden=(8,)), 0.9, 0.5),
        kept(2, coffee.recipe(learning_rate=0.1, data={"noise": 1.0}), 0.8, 0.4, parameters=1225),
        kept(3, digits.recipe(seed=7), 0.5, 0.75),
        kept(4, PROJECTS["rps"].recipe(data={"players": 6, "rounds": 30}), 0.5, 0.45),
        kept(5, PROJECTS["movies"].recipe(), shown=False),
    ]


def text(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.success, app.error)
    return "\n".join(element.value for kind in kinds for element in kind)


@pytest.mark.parametrize("language", ["en", "pl"])
def test_before_anything_was_trained(language: str) -> None:
    app = open_runs(language)
    assert not app.exception
    assert {"en": "There are no runs", "pl": "nie ma jeszcze żadnego"}[language] in text(app)
    assert len(app.get("page_link")) == len(PROJECTS)
    assert not app.dataframe


@pytest.mark.parametrize("language", ["en", "pl"])
def test_the_table_the_curves_and_what_differs(language: str) -> None:
    app = open_runs(language, several())
    assert not app.exception
    table = app.dataframe[0].value
    assert table["shown"].tolist() == [False, True, True, True, True]
    assert table["epochs"].tolist() == ["0 / 15", "2 / 15", "2 / 8", "2 / 20", "2 / 20"]
    comma = {"en": ".", "pl": ","}[language]
    assert table["figure"].tolist()[2:] == [
        f"75{comma}00%",
        f"0{comma}400 zł",
        f"0{comma}500 zł",
    ]
    assert table["parameters"].tolist()[3] == {"en": "1,225", "pl": "1225"}[language]
    assert f"0{comma}1 (0{comma}03)" in table["changes"][3]
    assert len(app.get("vega_lite_chart")) == 3  # accuracy, mean error, loss
    differing = app.dataframe[1].value
    assert list(differing.columns[1:]) == table["name"].tolist()[1:]
    assert {"en": "Learning rate", "pl": "Współczynnik uczenia"}[language] in differing.iloc[
        :, 0
    ].tolist()
    assert {"en": "cannot be compared", "pl": "nie da się porównać"}[language] in text(app)


def test_the_projects_known_limit_is_a_line() -> None:
    app = open_runs("en", several())
    specs = [chart.proto.spec for chart in app.get("vega_lite_chart")]
    assert any("noise floor" in spec for spec in specs)
    assert any("Bayes limit" in spec for spec in specs)
    # Two of the ticked runs have their own noise, and so their own floor.
    assert max(spec.count("noise floor") for spec in specs) == 2


def test_the_best_first_and_one_project_alone() -> None:
    app = open_runs("en", several(), runs_order="best")
    assert app.dataframe[0].value["name"].tolist() == ["Run 3", "Run 4", "Run 2", "Run 1", "Run 5"]
    app = open_runs("en", several(), runs_project="coffee")
    assert app.dataframe[0].value["name"].tolist() == ["Run 2", "Run 1"]
    assert len(app.get("vega_lite_chart")) == 2
    app = open_runs("en", several(), runs_project="<script>")
    assert not app.exception
    assert len(app.dataframe[0].value) == 5


def test_what_is_typed_and_ticked_in_the_table() -> None:
    runs = several()
    order = list(reversed(runs))
    run_table.apply_edits(
        order, {0: {"shown": True, "name": "=1+1"}, 4: {"name": "  two\nlines "}, 99: {"name": "x"}}
    )
    assert order[0].shown
    assert (order[0].name, order[4].name) == ("=1+1", "two lines")
    run_table.apply_edits(order, {0: {"name": None}})
    assert order[0].name == ""


def test_names_that_are_alike_stay_apart_and_hostile_ones_are_only_text() -> None:
    runs = several()
    for one in runs[:3]:
        one.rename("<script>alert('x')</script> **b** $x$")
    runs[3].rename("Setting")
    app = open_runs("en", runs)
    assert not app.exception
    names = app.dataframe[0].value["name"].tolist()
    assert len(set(names)) == 5
    assert all("script" in name for name in names[2:])
    assert len(app.dataframe[1].value.columns) == 5


def test_restore_puts_the_recipe_on_the_sliders() -> None:
    runs = several()
    app = open_runs("en", runs)
    app.selectbox(key="runs.restore@en").select(2).run()
    app.button(key="runs.restore.go").click().run()
    assert not app.exception
    assert "The sliders of **Coffee price** have these settings now." in text(app)
    assert [link.proto.page for link in app.get("page_link")] == ["coffee"]
    assert app.session_state["coffee.learning_rate"] == 0.1
    assert app.session_state["coffee.noise"] == 1.0
    app.switch_page("pages/coffee.py").run()
    assert not app.exception
    restored = app.session_state["desk"].runs["coffee"]
    assert restored.state == "ready"
    assert restored.recipe == runs[1].recipe


def test_delete_forgets_the_ticked_ones() -> None:
    app = open_runs("en", several())
    app.button(key="runs.delete.yes").click().run()
    assert not app.exception
    assert [one.number for one in listed(app).runs] == [5]
    app.button(key="runs.all").click().run()
    assert listed(app).runs[0].shown
    app.button(key="runs.delete.yes").click().run()
    assert not app.exception
    assert listed(app).runs == []
    assert "There are no runs" in text(app)


def test_tick_none_draws_nothing() -> None:
    app = open_runs("en", several())
    app.button(key="runs.none").click().run()
    assert not app.exception
    assert not app.get("vega_lite_chart")
    assert app.button(key="runs.restore.go").disabled


def test_a_full_list_draws_as_many_as_colours_tell_apart_and_says_what_was_dropped() -> None:
    recipe = PROJECTS["weekday"].recipe()
    runs = [kept(n, recipe.with_(seed=n), 0.5) for n in range(1, MAX_RUNS + 3)]
    app = open_runs("en", runs)
    assert not app.exception
    assert len(app.dataframe[0].value) == MAX_RUNS
    assert "2 older ones were deleted" in text(app)
    assert f"Curves of the first 10 of {MAX_RUNS} ticked runs." in text(app)


def finish(app: AppTest, name: str) -> None:
    app.button(key=f"{name}.main").click().run()
    run = app.session_state["desk"].runs[name]
    wait(lambda: run.over)
    app.run()


def wait(happened: Any) -> None:
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)


SMALL = {"examples": "100", "epochs": "2"}


def test_runs_of_a_project_page_are_listed_also_after_a_reset() -> None:
    app = open_page("coffee", **SMALL)
    finish(app, "coffee")
    app.button(key="coffee.reset").click().run()
    finish(app, "coffee")
    app.switch_page("pages/runs.py").run()
    assert not app.exception
    assert app.dataframe[0].value["name"].tolist() == ["Run 2", "Run 1"]
    assert app.dataframe[0].value["state"].tolist() == ["Finished"] * 2
    # A list that was emptied stays empty, though the page still has its run.
    app.button(key="runs.delete.yes").click().run()
    app.run()
    assert not app.exception
    assert not app.dataframe


# --- The sweep ----------------------------------------------------------------------------


def open_sweep(language: str = "en", **state: Any) -> AppTest:
    app = open_runs(language)
    app.session_state["runs.tabs"] = app.tabs[1].label
    app.session_state["sweep.project"] = "coffee"
    app.session_state["coffee.examples"] = 100
    app.session_state["sweep.coffee.epochs"] = 2
    for key, value in state.items():
        app.session_state[f"sweep.coffee.{key.replace('__', '.')}"] = value
    return app.run()


def labels(language: str) -> dict[str, str]:
    return {
        "en": {"best": "Best on validation so far", "runs": "6 runs (3 × 2)"},
        "pl": {"best": "Dotąd najlepszy na walidacji", "runs": "6 treningów (3 × 2)"},
    }[language]


@pytest.mark.parametrize("language", ["en", "pl"])
def test_a_small_sweep_from_start_to_end(language: str) -> None:
    app = open_sweep(
        language,
        learning_rate__low=0.001,
        learning_rate__high=0.1,
        learning_rate__count=3,
        second="optimizer",
        optimizer__values=["sgd", "adam"],
    )
    assert not app.exception
    assert labels(language)["runs"] in text(app)
    assert not app.get("vega_lite_chart")
    app.button(key="sweep.start").click().run()
    assert not app.exception
    assert app.button(key="sweep.start").disabled or not app.session_state["sweep"].active
    found: sweep.Sweep = app.session_state["sweep"]
    wait(lambda: not found.active)
    app.run()
    assert not app.exception
    assert not app.button(key="sweep.start").disabled
    points = [(rate, rule) for rate in (0.001, 0.01, 0.1) for rule in ("sgd", "adam")]
    assert [cell.point for cell, _one in found.runs] == points
    usual = PROJECTS["coffee"].recipe(data={"examples": 100})
    for cell, one in found.runs:
        rate, rule = cell.point
        expected = usual.with_(learning_rate=rate, optimizer=rule, epochs=2, threads=1)
        assert one.recipe == expected
        assert one.history.ended == "finished"
        assert not one.live
        assert not one.shown
    assert len(app.get("vega_lite_chart")) == 2
    assert labels(language)["best"] in text(app)
    cells = json.loads(app.get("vega_lite_chart")[0].proto.spec)["layer"][0]
    assert cells["params"][0]["name"] == "pick"

    # Any cell goes back to the sliders, with the threads open again.
    app.selectbox(key=f"sweep.cell@{language}").select(3).run()
    app.button(key="sweep.restore").click().run()
    assert not app.exception
    assert app.session_state["coffee.learning_rate"] == 0.01
    assert app.session_state["coffee.optimizer"] == "adam"
    assert app.session_state["coffee.threads"] == 0

    # The sweep's runs stand in the table.
    app.session_state["runs.tabs"] = app.tabs[0].label
    app.run()
    assert not app.exception
    assert len(app.dataframe[0].value) == 6
    assert not app.dataframe[0].value["shown"].any()


def test_a_sweep_can_be_stopped_and_another_begun() -> None:
    app = open_sweep(epochs=500, seed__count=4, first="seed", batch_size__low=8)
    app.session_state["coffee.examples"] = 50_000
    app.run()
    app.button(key="sweep.start").click().run()
    first: sweep.Sweep = app.session_state["sweep"]
    assert first.active
    assert len(first.runs) == 4
    app.button(key="sweep.stop").click().run()
    assert not app.exception
    assert not first.active
    assert {one.snapshot.state for _cell, one in first.runs} == {"stopped"}
    app.session_state["coffee.examples"] = 100
    app.session_state["sweep.coffee.epochs"] = 1
    app.run()
    app.button(key="sweep.start").click().run()
    second: sweep.Sweep = app.session_state["sweep"]
    assert second is not first
    wait(lambda: not second.active)
    app.run()
    assert not app.exception
    assert len(app.session_state["desk"].kept.runs) == 8


def test_a_sweep_that_diverges_says_so_in_its_cells() -> None:
    app = open_sweep(learning_rate__low=10, learning_rate__high=10, learning_rate__count=2)
    app.session_state["coffee.optimizer"] = "sgd"
    app.session_state["coffee.schedule"] = "constant"
    app.session_state["coffee.examples"] = 2000
    app.run()
    app.button(key="sweep.start").click().run()
    found: sweep.Sweep = app.session_state["sweep"]
    wait(lambda: not found.active)
    app.run()
    assert not app.exception
    ((_cell, one),) = found.runs
    assert one.snapshot.state == "diverged"
    assert found.best() is None
    assert app.button(key="sweep.restore").disabled


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"learning_rate__low": 0.1, "learning_rate__high": 0.001}, "Swap the two"),
        ({"first": "optimizer", "optimizer__values": []}, "1 to 12 values, not 0"),
        (
            {"first": "seed", "seed__high": 11, "seed__count": 12, "second": "optimizer"},
            "72 runs",
        ),
    ],
)
def test_a_grid_that_cannot_be_is_explained_and_not_started(
    state: dict[str, Any], said: str
) -> None:
    app = open_sweep(**state)
    assert not app.exception
    assert said in app.error[0].value
    assert app.button(key="sweep.start").disabled


def test_hostile_choices_fall_back() -> None:
    app = open_sweep(first="__class__", second="learning_rate")
    assert not app.exception
    assert app.session_state["sweep.coffee.first"] == "learning_rate"
    assert app.session_state["sweep.coffee.second"] == ""


@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_every_hyperparameter_of_every_project_can_be_chosen(name: str) -> None:
    app = open_runs("en")
    app.session_state["runs.tabs"] = app.tabs[1].label
    app.session_state["sweep.project"] = name
    app.run()
    options = app.selectbox(key=f"sweep.{name}.first@en").options
    assert len(options) > 8
    for place in range(len(options)):
        app.selectbox(key=f"sweep.{name}.first@en").select_index(place).run()
        assert not app.exception, options[place]
        assert not app.error, options[place]
        assert not app.button(key="sweep.start").disabled
