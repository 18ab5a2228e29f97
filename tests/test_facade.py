from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

import playground
from playground.errors import PlaygroundError
from playground.fields import FieldError
from playground.projects.base import Project
from playground.recipe import RecipeError
from playground.training import Epoch, Step, evaluate

QUICK: dict[str, Any] = {
    "architecture": "mlp",
    "hidden": (32,),
    "optimizer": "adam",
    "learning_rate": 0.01,
    "schedule": "constant",
    "batch_size": 250,
    "augmentation": 0.0,
    "threads": 1,
    "data": {"source": "small", "examples": 1000, "european": False},
}


@pytest.fixture(scope="module")
def digits() -> playground.Trained:
    """A small network that has seen 1,000 real digits for three epochs: it reads most."""
    return playground.train("digits", epochs=3, seed=1, **QUICK)


def drawing_of_a_one() -> Image.Image:
    canvas = Image.new("RGBA", (280, 280), "black")
    ImageDraw.Draw(canvas).line([(140, 40), (135, 240)], fill="white", width=22)
    return canvas


def test_a_finished_run_has_everything(digits: playground.Trained) -> None:
    assert digits.history.ended == "finished"
    assert digits.history.steps == 3 * 4  # 1,000 in batches of 250
    assert len(digits.history.series("validation", "accuracy")) == 3
    assert digits.history.data == {
        "source": "small",
        "train": 1000,
        "validation": 500,
        "test": 500,
        "own": 0,
    }
    assert digits.recipe.seed == 1
    assert not digits.model.training
    figures = digits.test()
    assert figures == digits.test()
    assert 0.6 < figures["accuracy"] <= 1
    assert figures["loss"] < 1.5


@pytest.mark.parametrize("kind", ["array", "image", "rgb", "grey", "inverted"])
def test_it_reads_what_a_person_draws(digits: playground.Trained, kind: str) -> None:
    image = drawing_of_a_one()
    array = np.asarray(image)
    raw = {
        "array": array,
        "image": image,
        "rgb": array[..., :3],
        "grey": array[..., 0],
        "inverted": 255 - array[..., 0],
    }[kind]
    answer = digits.predict(raw)
    assert answer.label == "1"
    assert answer.probabilities is not None
    assert list(answer.probabilities) == list("0123456789")
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert answer.probabilities["1"] == max(answer.probabilities.values())
    assert answer.value is None


def test_an_empty_canvas_is_no_digit(digits: playground.Trained) -> None:
    with pytest.raises(PlaygroundError, match="nothing on the canvas"):
        digits.predict(np.zeros((280, 280, 4), np.uint8))


def test_the_same_call_gives_the_same_numbers(bars: Project) -> None:
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    one, same = (playground.train("bars", seed=3) for _ in range(2))
    assert one.history.losses == same.history.losses
    assert playground.train("bars", seed=4).history.losses != one.history.losses
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_threads_are_decided_recorded_and_given_back(bars: Project) -> None:
    torch.set_num_threads(1)
    run = playground.train("bars", threads=0)
    assert run.recipe.threads >= 1
    assert playground.train("bars", threads=2).recipe.threads == 2
    assert torch.get_num_threads() == 1


def test_whoever_watches_sees_each_event_and_the_total(bars: Project) -> None:
    seen: list[tuple[type, int]] = []
    run = playground.train("bars", watch=lambda event, total: seen.append((type(event), total)))
    assert seen == [*[(Step, 12)] * 6, (Epoch, 12), *[(Step, 12)] * 6, (Epoch, 12)]
    assert run.history.wall == run.history.training > 0
    assert run.test() == evaluate(run.model, run.dataset.test, run.dataset, run.recipe)


def test_presets_and_overrides(bars: Project) -> None:
    assert playground.train("bars", preset="short").recipe.epochs == 1
    run = playground.train("bars", preset="short", epochs=3, data={"noise": 0.1})
    assert run.recipe.epochs == 3
    assert dict(run.recipe.data) == {"noise": 0.1}
    with pytest.raises(RecipeError, match="nearest is short"):
        playground.train("bars", preset="shrt")


def test_a_run_follows_exactly_its_recipe(bars: Project) -> None:
    recipe = bars.recipe(seed=9)
    assert playground.run(recipe).recipe == recipe
    with pytest.raises(RecipeError, match=r"lacks data\.noise"):
        playground.run(playground.Recipe("bars"))


def test_a_divergent_run_is_over_too(regression: Project) -> None:
    run = playground.train("rows", optimizer="sgd", learning_rate=10, epochs=50)
    assert run.history.ended == "diverged"
    assert all(weights.isfinite().all() for weights in run.model.parameters())


def test_a_regression_answers_with_a_value(regression: Project) -> None:
    run = playground.train("rows", epochs=20, learning_rate=0.02)
    answer = run.predict([1.0, -1.0, 0.0])
    assert answer.value == pytest.approx(3, abs=1)
    assert answer.label is None
    assert answer.probabilities is None
    assert set(run.test()) == {"loss", "mae", "mse"}


def test_a_yes_no_question_answers_with_both(yes_no: Project) -> None:
    answer = playground.train("yes_no", epochs=20, learning_rate=0.02).predict([2.0, -1.0, 0.0])
    assert answer.label == "yes"
    assert answer.probabilities is not None
    assert list(answer.probabilities) == ["no", "yes"]
    assert sum(answer.probabilities.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "overrides", "says"),
    [
        ("digit", {}, "no 'digit'.*nearest is digits"),
        ("bars", {"epoch": 3}, "no 'epoch'.*nearest is epochs"),
        ("bars", {"data": {"nois": 0.1}}, "no 'nois'.*nearest is noise"),
        ("bars", {"data": 3}, "data options"),
        ("bars", {"loss": "mse"}, "mse does not fit bars.*cross_entropy, mse_one_hot"),
        ("rows", {"architecture": "cnn"}, "CNN needs pictures"),
        ("bars", {"project": "rows"}, "no 'project'"),
    ],
)
def test_what_cannot_be_is_said(
    bars: Project, regression: Project, name: str, overrides: dict[str, Any], says: str
) -> None:
    with pytest.raises(RecipeError, match=says):
        playground.train(name, **overrides)


@pytest.mark.parametrize("overrides", [{"epochs": 0}, {"data": {"noise": 2}}, {"hidden": ()}])
def test_a_value_out_of_its_range_is_said(bars: Project, overrides: dict[str, Any]) -> None:
    with pytest.raises(FieldError, match="must be"):
        playground.train("bars", **overrides)


def test_every_project_is_complete() -> None:
    for name, project in playground.PROJECTS.items():
        recipe = project.recipe()
        assert project.name == recipe.project == name
        assert playground.Recipe.from_json(recipe.to_json()) == recipe
        assert project.title
        assert project.purpose.endswith(".")
        for preset in project.presets:
            assert project.preset(preset.name) == project.check(project.preset(preset.name))
