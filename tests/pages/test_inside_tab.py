"""The tab "Inside" as its script runs, for a table and for pictures, in both languages."""

from __future__ import annotations

import pytest
from opening import data_url, open_page, tiny, train, wait_for_data
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from playground.insight.surgery import SetWeight
from playground.projects import PROJECTS
from playground.ui.widgets import draw_pad

MORE = {  # layers that can be told apart, where a test looks at them
    "coffee": {"hidden": "6,4"},
    "weekday": {"activation": "tanh"},
    "shapes": {
        "architecture": "cnn",
        "channels": "4,6",
        "kernels": "3,3",
        "strides": "2,2",
        "hidden": "8",
        "activation": "maxout",
    },
    "digits": {"hidden": "16"},
}
TINY = {stem: {**tiny(stem), **MORE.get(stem, {})} for stem in PROJECTS}


def drawing(ink: bool) -> str:
    picture = Image.new("RGB", (224, 224), "black")
    if ink:
        ImageDraw.Draw(picture).ellipse((60, 60, 160, 160), outline="white", width=14)
    return data_url(picture)


@pytest.fixture(autouse=True)
def canvas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_pad, "canvas", lambda **options: drawing(False))


def inside(stem: str, language: str, view: str) -> AppTest:
    app = open_page(stem, language, **TINY[stem])
    run = app.session_state["desk"].runs[stem]
    wait_for_data(run)
    (label,) = [tab.label for tab in app.tabs if "visibility" in tab.label]
    app.session_state[f"{stem}.tabs"] = label
    return show(app, stem, view)


def show(app: AppTest, stem: str, view: str) -> AppTest:
    app.session_state[f"{stem}.inside.view"] = view
    app.run()
    assert not app.exception
    assert not app.error
    return app


def captions(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


@pytest.mark.parametrize("stem", sorted(TINY))
def test_every_view_of_every_project(stem: str) -> None:
    app = inside(stem, "en", "network")
    train(app, stem, "batch")
    for view in ("network", "gauges", "pixels", "surgery"):
        if view != "pixels" or PROJECTS[stem].pictures:
            show(app, stem, view)


@pytest.mark.parametrize(("language", "step"), [("en", "after step"), ("pl", "po kroku")])
@pytest.mark.parametrize("stem", ["coffee", "shapes"])
def test_untrained_and_trained(stem: str, language: str, step: str) -> None:
    app = inside(stem, language, "network")
    assert f"{step} 0." in captions(app)
    train(app, stem)
    steps = app.session_state["desk"].runs[stem].snapshot().history.steps
    assert f"{step} {steps}." in captions(app)


def test_a_table_can_be_sliced_along_any_two_inputs() -> None:
    app = inside("movies", "pl", "network")
    for axis, place in (("x", "2"), ("y", "0")):
        app.selectbox(key=f"movies.inside.{axis}@pl").select(place).run()
        assert not app.exception
    assert app.session_state["movies.inside.x"] == "2"
    assert "60 … " in captions(app)  # minutes
    app.session_state["movies.inside.held"] = "asked"
    app.run()
    assert not app.exception


def test_gauges_say_what_they_were_measured_on_and_how_a_step_moves() -> None:
    app = inside("weekday", "en", "gauges")
    assert "Measured after step 0 on 60 validation examples" in captions(app)
    assert app.dataframe[0].value["Update : weight"].tolist() == ["–", "–"]
    train(app, "weekday", "batch")
    samples = app.session_state["weekday.inside.look"].samples
    assert [sample.step for sample in samples] == [0, 1]
    assert samples[-1].moved == 1
    assert all(ratio > 0 for ratio in samples[-1].moves)
    assert samples[-1].layers[0].saturated is not None
    app.session_state["weekday.inside.layer"] = "1"
    app.run()
    assert not app.exception


@pytest.mark.parametrize("way", ["gradient", "occlusion"])
def test_pixels_of_the_students_picture_and_of_a_validation_example(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = inside("shapes", "pl", "pixels")
    assert "nic jeszcze nie narysowano" in captions(app)
    monkeypatch.setattr(draw_pad, "canvas", lambda **options: drawing(True))
    app.session_state["shapes.inside.saliency"] = way
    app.run()
    assert "nic jeszcze nie narysowano" not in captions(app)
    app.session_state["shapes.inside.source"] = "validation"
    app.session_state["shapes.inside.example"] = 3
    app.session_state["shapes.inside.evidence"] = "1"
    app.run()
    assert not app.exception
    assert any("Co przemawia za: kwadrat" in text.value for text in app.markdown)


def test_surgery_changes_a_copy_can_be_undone_and_leaves_the_run_alone() -> None:
    app = inside("coffee", "en", "surgery")
    train(app, "coffee")
    run = app.session_state["desk"].runs["coffee"]
    before = {name: one.clone() for name, one in run.published().weights.items()}
    whole = [metric.value for metric in app.metric[-4:]]
    assert whole[:2] == whole[2:]  # the copy is the network
    app.toggle(key="coffee.inside.cut.off@en").set_value(True).run()
    look = app.session_state["coffee.inside.look"]
    assert len(look.edits) == 1
    app.number_input(key="coffee.inside.cut.unit.1.6@en").set_value(3).run()
    assert not app.toggle(key="coffee.inside.cut.off@en").value  # this one is on
    app.toggle(key="coffee.inside.cut.off@en").set_value(True).run()
    assert len(look.edits) == 2
    listed = " ".join(text.value for text in app.markdown)
    assert "1. Hidden layer 1, no. 1: switched off" in listed
    assert "2. Hidden layer 1, no. 3: switched off" in listed
    app.button(key="coffee.inside.undo").click().run()
    assert len(look.edits) == 1
    app.button(key="coffee.inside.undo-all").click().run()
    assert look.edits == ()
    assert [metric.value for metric in app.metric[-4:]] == whole
    after = run.published().weights
    assert all((after[name] == one).all() for name, one in before.items())


def test_a_weight_is_set_by_its_slider() -> None:
    app = inside("coffee", "pl", "surgery")
    run = app.session_state["desk"].runs["coffee"]
    weights = run.project.build(run.recipe).get_parameter("1.weight").detach()
    highest = 2 * float(weights.abs().max())
    for value in (highest, -highest):
        app.select_slider(key="coffee.inside.cut.value@pl").set_value(value).run()
        assert not app.exception
    look = app.session_state["coffee.inside.look"]
    assert look.edits == (SetWeight(1, 0, 0, -highest),)
    assert "waga Rozmiar" in " ".join(text.value for text in app.markdown)
    app.button(key="coffee.inside.undo").click().run()
    assert app.session_state["coffee.inside.cut.value"] == float(weights[0, 0])


def test_surgery_keeps_its_patient_while_training_goes_on() -> None:
    app = inside("coffee", "en", "surgery")
    assert "after step 0." in captions(app)
    app.toggle(key="coffee.inside.cut.off@en").set_value(True).run()
    train(app, "coffee")
    assert "after step 0." in captions(app)
    app.button(key="coffee.inside.patient").click().run()
    steps = app.session_state["desk"].runs["coffee"].snapshot().history.steps
    assert f"after step {steps}." in captions(app)
    assert len(app.session_state["coffee.inside.look"].edits) == 1


def test_a_new_run_is_looked_at_anew() -> None:
    app = inside("coffee", "en", "gauges")
    train(app, "coffee")
    first = app.session_state["coffee.inside.look"]
    app.button(key="coffee.reset").click().run()
    assert not app.exception
    assert app.session_state["coffee.inside.look"] is not first
