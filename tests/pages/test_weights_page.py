"""On a project's page: files of its network to take away, and what brings them back."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from opening import SECONDS, open_page, the_run, tiny, train, wait_for_data
from streamlit.testing.v1 import AppTest

from playground.export import onnx_file, weights
from playground.projects import PROJECTS, project
from playground.runtime.run import Run
from playground.runtime.service import RunService
from playground.ui.project.keep_tab import reading
from playground.ui.widgets import draw_pad


@pytest.fixture(autouse=True)
def empty_canvas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_pad, "canvas", lambda **options: None)


def open_last_tab(stem: str, language: str = "en", **parameters: str) -> AppTest:
    """The project's page at its last tab."""
    app = open_page(stem, language, **parameters)
    wanted = ":material/save:"
    app.session_state[f"{stem}.tabs"] = next(tab.label for tab in app.tabs if wanted in tab.label)
    return settled(app, stem)


def settled(app: AppTest, stem: str) -> AppTest:
    """Once more, with the run's data there."""
    wait_for_data(the_run(app, stem))
    app.run()
    assert not app.exception
    return app


def give(app: AppTest, stem: str, name: str, raw: bytes) -> AppTest:
    app.file_uploader(key=f"{stem}.keep.file").set_value((name, raw, "")).run()
    assert not app.exception
    return app


@pytest.mark.parametrize("stem", sorted(PROJECTS))
def test_a_network_is_saved_and_comes_back_to_another_session(stem: str) -> None:
    first = open_last_tab(stem, **tiny(stem), hidden="6,5", learning_rate="0.07")
    run = train(first, stem)
    assert run.state == "finished", run.error
    raw = weights.save(run.predictor(), run.snapshot().history)

    second = open_last_tab(stem, "pl", **tiny(stem))
    give(second, stem, f"{stem}.safetensors", raw)
    back = the_run(second, stem)
    assert back.recipe == run.recipe
    inputs = run.dataset().test.inputs[:20]
    assert torch.equal(back.predictor().ask(inputs), run.predictor().ask(inputs))
    # The page says where it is from, its sliders and its address follow.
    assert back.state == "finished"
    assert any("Wczytano z pliku" in one.proto.text for one in second.get("progress"))
    assert any("Ta sieć pochodzi z pliku" in one.value for one in second.info)
    assert any("Według pliku po epoce" in one.value for one in second.caption)
    assert second.session_state[f"{stem}.hidden"] == (6, 5)
    assert second.query_params["learning_rate"] == "0.07"
    # It can be measured on the test set as any other.
    settled(second, stem)
    evaluate = next(tab.label for tab in second.tabs if "verified" in tab.label)
    second.session_state[f"{stem}.tabs"] = evaluate
    second.run()
    second.button(key=f"{stem}.test").click().run()
    assert not second.exception
    assert second.metric
    # Training begins anew, with the same numbers as the first time.
    again = train(second, stem)
    assert again is not back
    assert again.snapshot().history.losses == run.snapshot().history.losses


def test_a_running_training_gives_way_to_the_file() -> None:
    app = open_last_tab("coffee", examples="200", epochs="500")
    saved = weights.save(the_run(app, "coffee").predictor())
    app.button(key="coffee.main").click().run()
    before = the_run(app, "coffee")
    give(app, "coffee", "coffee.safetensors", saved)
    assert before.over
    assert the_run(app, "coffee").from_file
    app.button(key="coffee.reset").click().run()
    assert the_run(app, "coffee").state == "ready"
    assert not the_run(app, "coffee").from_file


@pytest.mark.parametrize("language", ["en", "pl"])
def test_a_recipe_moves_the_sliders_and_trains_nothing(language: str) -> None:
    recipe = project("weekday").recipe(epochs=7, hidden=(9, 9), data={"noise": 0.5})
    app = open_last_tab("weekday", language)
    app.selectbox(key=f"weekday.preset@{language}").select("small").run()
    give(app, "weekday", "weekday.json", weights.to_json(recipe))
    settled(app, "weekday")
    assert the_run(app, "weekday").recipe == recipe
    assert the_run(app, "weekday").state == "ready"
    assert app.selectbox(key=f"weekday.preset@{language}").value is None
    assert app.success


@pytest.mark.parametrize("language", ["en", "pl"])
@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("network.pt", pickle.dumps({"a": 1})),
        ("network.safetensors", b"\x10" + bytes(7) + b"{" + bytes(40)),
        ("recipe.json", b"{}"),
        ("movies.json", weights.to_json(project("movies").recipe())),
    ],
)
def test_a_file_that_does_not_fit_is_named_and_changes_nothing(
    name: str, raw: bytes, language: str
) -> None:
    app = open_last_tab("coffee", language)
    before = the_run(app, "coffee")
    give(app, "coffee", name, raw)
    assert len(app.error) == 1
    assert the_run(app, "coffee") is before
    app.file_uploader(key="coffee.keep.file").clear().run()
    assert not app.error


def test_a_network_from_a_file_answers_without_its_data(service: RunService) -> None:
    """It was trained on somebody's own rows alone, which are not here."""
    kind = project("coffee")
    made = Run(kind, kind.recipe(data={"examples": 200})).predictor()
    recipe = kind.recipe(data={"rows": "own"})
    run = Run.restored(kind, recipe, dict(made.model.state_dict()), made.scaler)
    inputs = torch.rand(3, *kind.input_shape(recipe))
    assert torch.equal(run.predictor().ask(inputs), made.ask(inputs))
    assert run.parameters == sum(one.numel() for one in made.model.parameters())
    assert service.load(run, patience=SECONDS)
    with pytest.raises(ValueError, match="your own"):
        run.dataset()


def test_its_data_are_scaled_as_in_its_training_and_nobody_else_shares_them() -> None:
    kind = project("coffee")
    made = Run(kind, kind.recipe()).predictor()
    scaler = type(made.scaler)(made.scaler.mean + 1, made.scaler.std)
    run = Run.restored(kind, kind.recipe(), dict(made.model.state_dict()), scaler)
    assert run.dataset().scaler is scaler
    assert torch.equal(Run(kind, run.recipe, like=run).dataset().scaler.mean, made.scaler.mean)


@pytest.mark.parametrize("stem", ["coffee", "digits"])
def test_the_lines_of_python_beside_the_files_work(
    stem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(project(stem), project(stem).recipe(data={"examples": 300}))
    asked = run.predictor()
    (tmp_path / f"{stem}.safetensors").write_bytes(weights.save(asked))
    (tmp_path / f"{stem}.onnx").write_bytes(onnx_file.save(asked))
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(reading(run), names)
    assert names["recipe"]["project"] == stem
    assert set(names["weights"]) == set(asked.model.state_dict())
    blank = torch.from_numpy(names["inputs"])
    np.testing.assert_allclose(names["answers"], asked.ask(blank).numpy(), atol=1e-6)
