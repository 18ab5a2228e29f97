"""The optimizers' page: its numbers follow the dials and are torch's."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
import torch
from opening import open_page
from streamlit.testing.v1 import AppTest

from playground.lesson import descent
from playground.lesson.surfaces import SURFACES
from playground.prose import sections
from playground.ui.charts import plotly_component
from playground.ui.lesson import page as lesson

LANGUAGES = ("en", "pl")
opened = partial(open_page, "optimizers")


def landscapes(app: AppTest) -> list[Any]:
    """The landscape's component, beside that of the whole page."""
    shown = app.get("bidi_component")
    return [element for element in shown if "figure" in json.loads(element.proto.json or "{}")]


def words(app: AppTest) -> str:
    kinds = ("markdown", "caption", "error", "warning", "success")
    return "\n".join(element.value for kind in kinds for element in app.get(kind))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_step_in_the_text_is_torchs(language: str) -> None:
    app = opened(language, follow="momentum", surface="bowl", step="1", momentum="0.5")
    w = torch.nn.Parameter(torch.tensor([-3.5, 1.5], dtype=torch.double))
    sgd = torch.optim.SGD([w], 0.1, momentum=0.5)
    for _ in range(2):
        sgd.zero_grad()
        w.square().sum().backward()
        sgd.step()
    comma = "," if language == "pl" else "."
    said = [f"w{'₁₂'[n]} = {value:.4g}".replace("-", "−") for n, value in enumerate(w.tolist())]
    for text in said:
        assert text.replace(".", comma) in words(app)
    # Another learning rate: another step.
    app.select_slider(key=f"optimizers.learning_rate@{language}").set_value(0.2).run()
    assert not app.exception
    for text in said:
        assert text.replace(".", comma) not in words(app)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("rate", "english", "polish"),
    [
        ("0.01", "Learning rate too small", "Współczynnik uczenia za mały"),
        ("0.5", "Just right", "W sam raz"),
        ("2", "diverges", "rozbiega"),
    ],
)
def test_the_learning_rate_is_judged(rate: str, english: str, polish: str, language: str) -> None:
    app = opened(language, learning_rate=rate)
    assert (english if language == "en" else polish) in words(app)
    # Of the ravine: 2 / 2.
    assert ("2/h = 1.00" if language == "en" else "2/h = 1{,}00") in words(app)


def test_what_leaves_the_picture_is_named() -> None:
    app = opened("en", surface="bowl", learning_rate="10", step="100", follow="nesterov")
    assert "Off the map: SGD (since step 1)" in words(app)
    assert "before the numbers become too large" in words(app)


@pytest.mark.parametrize("follow", ["sgd", "momentum", "nesterov", "rmsprop", "adam"])
@pytest.mark.parametrize("surface", SURFACES)
def test_every_optimizer_on_every_surface(surface: str, follow: str) -> None:
    app = opened("pl", surface=surface, follow=follow, step="7", learning_rate="3")
    assert not app.exception


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_landscape_stays_and_its_ways_grow(language: str) -> None:
    app = opened(language, view="solid", surface="saddle", learning_rate="0.2", step="50")
    ((before,), (after,)) = (
        landscapes(app),
        landscapes(app.slider(key=f"optimizers.step@{language}").set_value(51).run()),
    )
    assert not app.exception
    assert before.proto.id == after.proto.id
    ways = [json.loads(shown.proto.json)["figure"]["data"][1]["x"] for shown in (before, after)]
    track = next(way for way in descent.race("saddle", (-3.5, 1.5), 0.2, 0.9) if way.name == "sgd")
    assert ways[1] == pytest.approx([x for x, _ in track.upto(51).points], abs=1e-4)
    assert ways[0] == ways[1][:-1]


def test_the_landscape_is_turned_by_its_slider() -> None:
    app = opened("en", view="solid", surface="bowl", learning_rate="10", step="50")
    assert len(app.get("vega_lite_chart")) == 1
    app.slider(key="optimizers.turned@en").set_value(90).run()
    assert not app.exception
    (shown,) = landscapes(app)
    eye = json.loads(shown.proto.json)["figure"]["layout"]["scene"]["camera"]["eye"]
    assert eye["x"] == pytest.approx(0, abs=1e-9)
    assert eye["y"] > 1
    assert not landscapes(opened("en"))


def test_a_browser_that_cannot_load_the_landscape_gets_a_plain_chart() -> None:
    app = opened("pl", view="solid")
    app.session_state[plotly_component.FAILED] = True
    app.run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    assert not landscapes(app)


def test_another_surface_starts_where_its_trouble_is_but_a_link_decides() -> None:
    app = opened("en", surface="saddle", w1="1", w2="-1")
    assert (app.session_state["optimizers.w1"], app.session_state["optimizers.w2"]) == (1, -1)
    app.selectbox(key="optimizers.surface@en").select("valleys").run()
    assert not app.exception
    start = (app.session_state["optimizers.w1"], app.session_state["optimizers.w2"])
    assert start == SURFACES["valleys"].start


def test_steps_forth_and_back() -> None:
    app = opened("en")
    app.button(key="optimizers.step.next").click().run()
    assert app.session_state["optimizers.step"] == 31
    app.button(key="optimizers.step.back").click().run()
    assert app.session_state["optimizers.step"] == 30
    assert app.query_params.get("step") is None


def test_hostile_parameters_are_named() -> None:
    app = opened("en", surface="<script>", learning_rate="1e999", w1="nan", step="-1", follow="x")
    said = " ".join(warning.value for warning in app.warning)
    for name in ("surface", "learning_rate", "w1", "step", "follow"):
        assert f"({name})" in said
    assert app.session_state["optimizers.surface"] == "ravine"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_self_check_explains(language: str) -> None:
    app = opened(language)
    questions = lesson.questions(sections("optimizers", language)["check"])
    assert len(questions) == len(app.radio) == 3
    for radio, question in zip(app.radio, questions, strict=True):
        right = next(n for n, choice in enumerate(question.choices) if choice.right)
        radio.set_value(right).run()
        assert question.choices[right].why in words(app)
