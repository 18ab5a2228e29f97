"""A page follows its link, writes it, and shows only what a teacher's link says."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from opening import open_page

from playground.experiments import permalink
from playground.projects import PROJECTS, project
from playground.ui.widgets import draw_pad


@pytest.fixture(autouse=True)
def empty_canvas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_pad, "canvas", lambda **options: None)


def controls(app: Any, stem: str, *words: str) -> set[str]:
    """Names of the fields that have a widget on the page."""
    kinds = ("slider", "select_slider", "selectbox", "number_input", "toggle")
    keys = [widget.key or "" for kind in kinds for widget in app.get(kind)]
    names = {key.removeprefix(f"{stem}.").split("@")[0] for key in keys if key.startswith(stem)}
    fields = {field.name for field in permalink.fields(project(stem))} | {permalink.PRESET}
    return {name.split(".")[0] for name in names} & fields


@pytest.mark.parametrize("language", ["en", "pl"])
def test_a_teachers_link_shows_its_controls_alone(language: str) -> None:
    link = {"show": "hidden,learning_rate,seed", "learning_rate": "0.5", "batch_size": "16"}
    app = open_page("coffee", language, **link, noise="0.25")
    assert not app.warning
    assert controls(app, "coffee") == {"hidden", "learning_rate", "seed"}
    recipe = app.session_state["desk"].runs["coffee"].recipe
    assert (recipe.learning_rate, recipe.batch_size, recipe.data["noise"]) == (0.5, 16, 0.25)
    # It stays so while somebody works with the page,
    app.number_input(key=f"coffee.seed@{language}").set_value(3).run()
    assert not app.exception
    assert app.query_params["show"] == "hidden,learning_rate,seed"
    assert app.query_params["seed"] == "3"
    assert controls(app, "coffee") == {"hidden", "learning_rate", "seed"}
    # until they want all of it.
    app.button(key="coffee.link.all").click().run()
    assert {"batch_size", "epochs", "noise", "preset"} <= controls(app, "coffee")
    assert "show" not in app.query_params
    assert app.query_params["batch_size"] == "16"


def test_a_link_may_show_the_presets_and_data() -> None:
    app = open_page("weekday", "en", show="preset,noise")
    assert controls(app, "weekday") == {"preset", "noise"}
    preset = project("weekday").presets[1].name
    app.selectbox(key="weekday.preset@en").select(preset).run()
    assert app.session_state["desk"].runs["weekday"].recipe == project("weekday").preset(preset)


def test_a_link_that_names_only_strangers_hides_nothing() -> None:
    app = open_page("coffee", "en", show="layers,channels")
    said = " ".join(warning.value for warning in app.warning)
    assert "layers" in said
    assert "channels" in said, "a table needs no convolution"
    assert "epochs" in controls(app, "coffee")


def test_what_was_wrong_stays_on_the_page_until_somebody_closes_it() -> None:
    """Going away by itself, it would move what is below, under the hand of who moves a slider."""
    app = open_page("coffee", "en", epochs="many")
    assert "many" in app.run().warning[0].value
    assert "epochs" not in app.query_params
    app.session_state["coffee.batch_size"] = 16
    app.run()
    assert "many" in app.warning[0].value
    assert app.query_params["batch_size"] == "16"
    app.button(key="coffee.link.problems.close").click().run()
    assert not app.warning
    assert not app.run().warning


@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_one_link_a_page_as_a_browser_opens_it(name: str) -> None:
    kind = project(name)
    field = kind.data_fields[0]
    wanted = {"hidden": "7,5", "epochs": "2", "weight_decay": "0.015", "seed": "4"}
    if field.kind == "choice":
        wanted[field.name] = next(one for one in field.choices if one != field.default)
    if kind.pictures:
        wanted |= {"architecture": "mlp", "channels": "4", "kernels": "2", "strides": "1"}
    app = open_page(name, "en", **wanted)
    assert not app.warning
    recipe = app.session_state["desk"].runs[name].recipe
    values, _problems = permalink.read({f.name: f for f in permalink.fields(kind)}, wanted)
    assert recipe == permalink.recipe(kind, values)


def test_a_target_for_a_project_without_accuracy_is_named() -> None:
    app = open_page("coffee", "en", target="0.9")
    assert not app.exception
    assert "target" in app.warning[0].value


def test_the_page_writes_the_link_that_a_teacher_chooses() -> None:
    app = open_page("coffee", "en", epochs="7", hidden="4,2")
    app.session_state["coffee.tabs"] = next(tab.label for tab in app.tabs if "Save" in tab.label)
    app.run()
    app.multiselect(key="coffee.link.choice@en").set_value(["hidden", "epochs"]).run()
    assert not app.exception
    address = next(code.value for code in app.code if "?" in code.value)
    asked = {name: one[0] for name, one in parse_qs(urlsplit(address).query).items()}
    assert asked == {"lang": "en", "show": "hidden,epochs", "hidden": "4,2", "epochs": "7"}
    assert "hidden=4,2" in address, "a person can read it"
    again = open_page("coffee", **{"language": asked.pop("lang")}, **asked)
    assert controls(again, "coffee") == {"hidden", "epochs"}
    assert again.session_state["desk"].runs["coffee"].recipe == (
        app.session_state["desk"].runs["coffee"].recipe
    )
