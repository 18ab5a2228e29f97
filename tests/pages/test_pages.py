"""Every page, in both languages, as its script runs; drawing is stood in for."""

from __future__ import annotations

import json
import time

import pytest
from opening import data_url, open_page, tiny, train, wait_for_data
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from playground.projects import PROJECTS
from playground.recipe import FIELDS
from playground.ui.shell import frame
from playground.ui.widgets import draw_pad

PAGES = [stem for entries in frame.PAGES.values() for stem, _title, _icon in entries]
LANGUAGES = ("en", "pl")
SECONDS = 60


@pytest.fixture(autouse=True)
def empty_canvas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_pad, "canvas", lambda **options: None)


def seven() -> Image.Image:
    picture = Image.new("RGB", (252, 252), "black")
    ImageDraw.Draw(picture).line([(60, 60), (190, 60), (110, 210)], "white", 16, joint="curve")
    return picture


def open_settled(stem: str, language: str, **parameters: str) -> AppTest:
    return settled(open_page(stem, language, **parameters))


def settled(app: AppTest) -> AppTest:
    """The page once its data set is there, which a browser's timer would wait for."""
    runs = app.session_state["desk"].runs if "desk" in app.session_state else {}
    if any(not run.loaded for run in runs.values()):
        for run in runs.values():
            wait_for_data(run)
        app.run()
    return app


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stem", PAGES)
def test_page_shows_without_an_exception(stem: str, language: str) -> None:
    app = open_settled(stem, language)
    assert not app.exception
    assert app.title[0].value
    assert not app.error


@pytest.mark.parametrize("stem", PAGES)
def test_the_two_languages_differ(stem: str) -> None:
    english, polish = (open_settled(stem, language) for language in LANGUAGES)
    said = [(app.title[0].value, app.markdown[0].value) for app in (english, polish)]
    assert said[0] != said[1]  # a neuron is „neuron", but its question is asked in Polish


@pytest.mark.parametrize("stem", sorted(PROJECTS))
def test_hostile_parameters_are_named_and_the_page_works(stem: str) -> None:
    app = open_settled(stem, "en", learning_rate="1e999", epochs="<script>", hidden="0,0", loss="x")
    assert not app.exception
    said = " ".join(warning.value for warning in app.warning)
    for name in ("learning_rate", "epochs", "hidden", "loss"):
        assert name in said
    assert app.session_state[f"{stem}.epochs"] == PROJECTS[stem].recipe().epochs


def test_a_link_moves_the_sliders() -> None:
    app = open_settled("digits", "en", epochs="3", hidden="32,16", architecture="mlp")
    assert not app.warning
    assert app.session_state["digits.hidden"] == (32, 16)
    assert app.session_state["digits.epochs"] == 3
    assert app.query_params["hidden"] == "32,16"


def test_an_unknown_language_falls_back() -> None:
    app = open_settled("digits", "xx")
    assert not app.exception
    assert app.title[0].value == "Digits"


def test_a_drawing_gets_a_prediction_from_an_untrained_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(draw_pad, "canvas", lambda **options: data_url(seven()))
    app = open_settled("digits", "en", architecture="mlp", hidden="8", european="false")
    assert not app.exception
    assert any("It is only guessing" in caption.value for caption in app.caption)
    assert any(":gray[" in heading.value for heading in app.markdown)


def finish(app: AppTest, stem: str) -> None:
    """Press Train and come back when the run is over."""
    run = train(app, stem)
    assert run.state == "finished", run.error


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stem", sorted(PROJECTS))
def test_train_and_measure_on_the_test_set(
    stem: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draw_pad, "canvas", lambda **options: data_url(seven()))
    app = open_settled(stem, language, **tiny(stem))
    tabs = [tab.label for tab in app.tabs]
    for label in tabs[1:]:
        app.session_state[f"{stem}.tabs"] = label
        app.run()
        assert not app.exception
    app.session_state[f"{stem}.tabs"] = next(tab for tab in tabs if ":material/verified:" in tab)
    finish(app, stem)
    assert not app.exception
    app.button(key=f"{stem}.test").click().run()
    assert not app.exception
    assert app.metric, "the test's figures are shown"
    # Looking at it once more does not measure again, and a new run starts from its own data.
    app.button(key=f"{stem}.reset").click().run()
    assert not app.exception
    assert app.session_state["desk"].runs[stem].state == "ready"


def test_presets_move_the_sliders_and_train_nothing() -> None:
    for stem, kind in PROJECTS.items():
        app = open_settled(stem, "en")
        for preset in kind.presets:
            app.selectbox(key=f"{stem}.preset@en").select(preset.name).run()
            assert not app.exception
            recipe = settled(app).session_state["desk"].runs[stem].recipe
            assert recipe.with_(threads=0) == kind.preset(preset.name)
            assert app.session_state["desk"].runs[stem].state == "ready"


def test_another_language_changes_no_setting() -> None:
    app = open_settled("weekday", "en", activation="tanh", optimizer="sgd", learning_rate="0.5")
    before = app.session_state["desk"].runs["weekday"].recipe
    app.session_state["weekday.tabs"] = app.tabs[3].label
    for language in ("pl", "en", "pl"):
        app.session_state["lang"] = language
        app.run()
        assert not app.exception
        assert app.session_state["weekday.tabs"] == app.tabs[3].label
        assert app.session_state["desk"].runs["weekday"].recipe == before


def test_divergence_is_explained() -> None:
    app = open_settled("coffee", "pl")
    app.selectbox(key="coffee.preset@pl").select("diverges").run()
    app.button(key="coffee.main").click().run()
    run = app.session_state["desk"].runs["coffee"]
    deadline = time.monotonic() + SECONDS
    while not run.over and time.monotonic() < deadline:
        time.sleep(0.01)
    app.run()
    assert run.state == "diverged"
    assert "współczynnik uczenia" in app.error[0].value


@pytest.mark.parametrize("way", ["photo", "camera"])
def test_every_way_to_show_a_shape(way: str) -> None:
    app = open_settled("shapes", "pl", **tiny("shapes"))
    app.session_state["shapes.way"] = way
    app.run()
    assert not app.exception
    assert app.session_state["desk"].runs["shapes"].recipe.data["photo"] == 0


@pytest.mark.parametrize("stem", sorted(PROJECTS))
def test_no_widget_takes_the_key_of_a_setting(stem: str) -> None:
    """A widget under a field's plain key would put its own value into the recipe."""
    app = open_settled(stem, "en", **tiny(stem))
    settings = {f"{stem}.{name}" for name in (*FIELDS, *PROJECTS[stem].recipe().data)}
    widgets = {
        widget.key
        for kind in ("button", "slider", "selectbox", "select_slider", "toggle", "text_input")
        for widget in app.get(kind)
    }
    assert not settings & widgets


def test_the_slider_of_training_digits_ends_where_its_source_does() -> None:
    app = open_settled("digits", "en", strokes="100", european="false", architecture="mlp")
    slider = app.select_slider(key="digits.examples@en")
    assert slider.options[-2:] == ["3,000", "4,000"]
    assert slider.value == 55_000, "the recipe says: at most so many, and stays"
    app = open_settled("digits", "en", strokes="100", european="false", examples="10000")
    slider = app.select_slider(key="digits.examples@en")
    assert slider.options[-1] == "4,000"
    assert slider.value == 10_000


def test_what_changes_the_answer_is_drawn_as_far_as_its_slider_goes() -> None:
    app = open_settled("weekday", "en", examples="200", epochs="1")
    specs = [json.dumps(json.loads(chart.proto.spec)) for chart in app.get("vega_lite_chart")]
    assert sum('"domain": [0.0, 24.0]' in spec for spec in specs) == 1
