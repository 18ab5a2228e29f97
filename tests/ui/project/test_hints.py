"""Hints on a project's page: said in both languages, and a button that moves the sliders."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from opening import SECONDS, open_page, wait_for_data
from streamlit.testing.v1 import AppTest
from torch import nn

from playground.data.dataset import Dataset
from playground.insight.hints import Measured, Setting, Share, measure
from playground.runtime.run import Run
from playground.ui.project import hints

DIVERGES = {
    "optimizer": "sgd",
    "learning_rate": "0.3",
    "schedule": "constant",
    "examples": "400",
    "epochs": "3",
}
SATURATES = {"activation": "tanh", "learning_rate": "3", "examples": "2000", "epochs": "2"}


def open_settled(stem: str, language: str, **parameters: str) -> AppTest:
    app = open_page(stem, language, **parameters)
    wait_for_data(app.session_state["desk"].runs[stem])
    return app.run()


def trained(app: AppTest, stem: str, button: str = "main") -> AppTest:
    """Press Train (or another button) and come back when the run stands still."""
    app.button(key=f"{stem}.{button}").click().run()
    run: Run = app.session_state["desk"].runs[stem]
    deadline = time.monotonic() + SECONDS
    while run.active and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not run.active
    return app.run()


def buttons(app: AppTest) -> list[str]:
    return [str(button.key) for button in app.button if ".hint." in str(button.key)]


@pytest.mark.parametrize(
    ("language", "word", "label"),
    [
        ("en", "Diverged", "Learning rate: 0.03"),
        ("pl", "Rozbieżność", "Współczynnik uczenia: 0,03"),
    ],
)
def test_the_button_moves_the_slider_and_trains_nothing(
    language: str, word: str, label: str
) -> None:
    app = trained(open_settled("coffee", language, **DIVERGES), "coffee")
    assert app.error[0].value.startswith(word)
    button = app.button(key="coffee.hint.diverged")
    assert button.label == label
    button.click().run()
    assert not app.exception
    assert app.session_state["coffee.learning_rate"] == 0.03
    assert app.select_slider(key=f"coffee.learning_rate@{language}").value == 0.03
    assert "learning_rate" not in app.query_params  # the project's own value
    assert label in app.toast[0].value
    assert app.session_state["desk"].runs["coffee"].state == "diverged"
    assert app.button(key="coffee.hint.diverged").disabled
    # The next run has the new value, and its own hints.
    trained(app, "coffee")
    assert app.session_state["desk"].runs["coffee"].recipe.learning_rate == 0.03


def test_measured_once_a_state_and_never_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []

    def counted(model: nn.Sequential, data: Dataset) -> Measured:
        measured.append(model)
        return measure(model, data)

    monkeypatch.setattr(hints, "measure", counted)
    app = open_settled("weekday", "en", **SATURATES)
    assert measured == []
    trained(app, "weekday", "batch")
    assert len(measured) == 1
    app.run()
    assert len(measured) == 1
    trained(app, "weekday")
    before = len(measured)
    assert buttons(app) == ["weekday.hint.saturated"]
    app.run()
    assert len(measured) == before
    run = app.session_state["desk"].runs["weekday"]
    running = replace(run.snapshot(), state="running")
    monkeypatch.setattr(hints, "_blind", lambda run: {})
    assert hints.situation_of(run, running, {}).measured is None
    assert len(measured) == before


def test_a_paused_run_takes_a_learning_rate_at_its_next_step() -> None:
    app = open_settled("weekday", "pl", **{**SATURATES, "learning_rate": "0.02"}, weight_decay="1")
    trained(app, "weekday", "epoch")
    run: Run = app.session_state["desk"].runs["weekday"]
    assert run.state == "paused"
    seen = app.session_state["weekday.hints.seen"]
    # As if nearly all answers were one class, which this weight decay would be to blame for.
    share = [0.96, 0.04, *[0.0] * 5]
    app.session_state["weekday.hints.seen"] = replace(
        seen, measured=replace(seen.measured, answers=share)
    )
    app.run()
    assert buttons(app) == ["weekday.hint.collapsed"]
    assert any("Prawie zawsze ta sama odpowiedź" in info.value for info in app.info)
    assert any("poniedziałek" in info.value for info in app.info)
    app.button(key="weekday.hint.collapsed").click().run()
    assert any("następnego kroku" in caption.value for caption in app.caption)
    assert run.controls.now.weight_decay == 0


def test_what_a_lesson_hides_is_not_offered() -> None:
    app = trained(open_settled("coffee", "en", **DIVERGES, show="epochs"), "coffee")
    assert app.error[0].value.startswith("Diverged")
    assert buttons(app) == []


def test_no_hint_before_the_first_step() -> None:
    app = open_settled("movies", "en")
    assert buttons(app) == []
    assert not app.success


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1234, "1,234"),
        (Share(0.4567), "45.7%"),
        (Setting(0.0001), "0.0001"),
        (Setting(0.3), "0.3"),
        (0.049123, "0.0491"),
        (236.05, "236"),
        (0.0, "0"),
    ],
)
def test_evidence_is_written_as_what_it_is(
    value: Any, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints.language, "current", lambda: "en")
    assert hints.value_in_words(value) == written


def test_every_changed_setting_has_a_name_and_a_written_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hints.language, "current", lambda: "pl")
    assert hints.setting_in_words("hidden", (16, 16)) == "2 warstwy ukryte: 16, 16"
    assert hints.setting_in_words("hidden", (16,)) == "Warstwa ukryta: 16 neuronów"
    assert (
        hints.setting_in_words("activation", "leaky_relu") == "Funkcja aktywacji: Leaky ReLU (0,1)"
    )
    assert hints.setting_in_words("patience", 5) == "Cierpliwość: 5"


def test_a_fix_that_waits_for_the_next_training_trains_in_one_press() -> None:
    app = trained(open_settled("coffee", "en", **DIVERGES), "coffee")
    before: Run = app.session_state["desk"].runs["coffee"]
    app.button(key="coffee.anew.diverged").click().run()
    run: Run = app.session_state["desk"].runs["coffee"]
    assert not app.exception
    assert run is not before
    assert run.state != "ready"
    assert run.recipe.learning_rate == 0.03
    assert app.session_state["coffee.learning_rate"] == 0.03


def test_a_paused_run_whose_settings_changed_is_trained_anew_or_goes_on() -> None:
    app = trained(open_settled("coffee", "en", examples="2000", epochs="3"), "coffee", "batch")
    run: Run = app.session_state["desk"].runs["coffee"]
    assert app.button(key="coffee.main").label == "Resume"
    app.select_slider(key="coffee.epochs@en").set_value(2).run()
    assert app.button(key="coffee.main").label == "Train from scratch"
    assert any("Changed: Epochs" in caption.value for caption in app.caption)
    assert app.button(key="coffee.resume").label == "Resume"
    trained(app, "coffee")
    anew: Run = app.session_state["desk"].runs["coffee"]
    assert anew is not run
    assert anew.recipe.epochs == 2
    assert run.state == "stopped"
