from __future__ import annotations

import copy
import io
import pickle
import signal
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image, ImageDraw

import playground
from playground.data.dataset import Examples
from playground.data.drawings import EmptyDrawing
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
    with pytest.raises(EmptyDrawing):
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
    with pytest.raises(RecipeError, match="Did you mean short"):
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
        ("digit", {}, "no 'digit'.*Did you mean digits"),
        ("bars", {"epoch": 3}, "no 'epoch'.*Did you mean epochs"),
        ("bars", {"data": {"nois": 0.1}}, "no 'nois'.*Did you mean noise"),
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


class Sand:
    """What a person may hand over instead of own examples."""


def rows_of(kind: Any, n: int = 30) -> Any:
    return kind.generate(n, 0.3, 5)


WRONG_OWN = {
    "a list of rows": (lambda good: [[1.0, 2.0]], "coffee"),
    "something else": (lambda good: Sand(), "coffee"),
    "too few columns": (lambda good: Examples(good.inputs[:, :2], good.targets), "coffee"),
    "pictures for a table": (
        lambda good: Examples(torch.zeros(30, 28, 28, dtype=torch.uint8), good.targets),
        "coffee",
    ),
    "answers that are no numbers": (
        lambda good: Examples(good.inputs, torch.full((30,), float("nan"))),
        "coffee",
    ),
    "answers in two columns": (
        lambda good: Examples(good.inputs, good.targets[:, None]),
        "coffee",
    ),
    "labels out of range": (lambda good: Examples(good.inputs, torch.full((30,), 9)), "weekday"),
    "labels as fractions": (lambda good: Examples(good.inputs, good.targets / 2), "weekday"),
    "maybe": (lambda good: Examples(good.inputs, torch.full((30,), 0.5)), "movies"),
}


@pytest.mark.parametrize("case", WRONG_OWN)
def test_own_examples_of_another_kind_are_named(case: str) -> None:
    make, name = WRONG_OWN[case]
    with pytest.raises(PlaygroundError, match=r"inputs float32 \(n, \d+\) and targets"):
        playground.train(name, own=make(rows_of(playground.project(name))))


@pytest.mark.parametrize(
    "inputs",
    [torch.rand(3, 6, 6), torch.zeros(3, 9, 9, dtype=torch.uint8), torch.full((3, 6, 6), 256)],
    ids=["fractions", "another size", "too light"],
)
def test_own_pictures_of_another_kind_are_named(bars: Project, inputs: torch.Tensor) -> None:
    with pytest.raises(PlaygroundError, match=r"inputs uint8 \(n, 6, 6\) and targets int64"):
        playground.train("bars", own=Examples(inputs, torch.zeros(3, dtype=torch.int64)))


def test_own_examples_of_numpy_train_as_those_of_torch() -> None:
    good = rows_of(playground.project("coffee"))
    options = {"epochs": 1, "threads": 1, "data": {"examples": 200}}
    usual = playground.train("coffee", own=good, **options)
    other = Examples(good.inputs.double().numpy(), good.targets.numpy())
    assert playground.train("coffee", own=other, **options).history.losses == usual.history.losses


def test_numbers_of_numpy_and_rows_of_pandas_are_taken(regression: Project) -> None:
    run = playground.train(
        "coffee",
        epochs=np.int64(1),
        learning_rate=np.float32(0.5),
        hidden=np.array([8, 4]),
        threads=1,
        data={"examples": np.int64(200)},
    )
    assert run.recipe.hidden == (8, 4)
    assert type(run.recipe.epochs) is int
    row = {"size": "small", "extras": 1, "takeaway": True}
    usual = run.predict(row)
    frame = pd.DataFrame([row, {**row, "extras": 3}])
    assert run.predict({**row, "extras": np.int64(1), "takeaway": np.bool_(True)}) == usual
    assert run.predict(frame.iloc[0]) == usual
    assert run.predict(["small", 1, True]) == usual
    for many in (frame, [row, {**row, "extras": 3}], [["small", 1, True], ["small", 3, True]]):
        answers = run.predict(many)
        assert answers[0] == usual
        assert answers[1] == run.predict({**row, "extras": 3}) != usual
    with pytest.raises(PlaygroundError, match="size, extras, takeaway"):
        run.predict("small")
    with pytest.raises(FieldError, match=r"hidden is 32.*\(128,\)"):
        playground.train("coffee", hidden=32)


def test_many_pictures_and_moves_at_once(digits: playground.Trained) -> None:
    one = drawing_of_a_one()
    usual = digits.predict(one)
    stack = torch.from_numpy(np.array(one.convert("L"))).expand(2, 1, 280, 280) / 255
    for many in ([one, np.asarray(one)], (one, one), stack, stack.numpy()):
        assert [answer.label for answer in digits.predict(many)] == ["1", "1"]
    assert digits.predict(np.asarray(one.convert("L")).tolist()).label == usual.label
    rps = playground.train("rps", epochs=1, threads=1, data={"players": 6, "rounds": 30})
    moves = ["rock", "paper", "scissors"]
    assert rps.predict([moves, {"moves": moves}, tuple(moves)]) == [rps.predict(moves)] * 3


def test_a_run_is_saved_loaded_pickled_and_copied(bars: Project, tmp_path: Path) -> None:
    run = playground.train("bars", dropout=0.2)
    path = run.save(tmp_path / "bars.safetensors")
    back = playground.load(path)
    for other in (back, pickle.loads(pickle.dumps(run)), copy.deepcopy(run)):
        assert other.recipe == run.recipe
        assert other.test() == run.test()
    assert back.history.ended == "loaded"
    assert (
        back.history.series("validation", "loss") == run.history.series("validation", "loss")[-1:]
    )
    assert playground.Recipe.from_json(run.save(tmp_path / "r.json").read_text()) == run.recipe
    with pytest.raises(PlaygroundError, match=r"Did you mean \.onnx"):
        run.save(tmp_path / "bars.onx")
    with pytest.raises(PlaygroundError, match="cannot be written: No such file"):
        run.save(tmp_path / "none" / "bars.json")
    with pytest.raises(PlaygroundError, match="cannot be read: No such file"):
        playground.load(tmp_path / "none")


def test_a_run_writes_itself_out() -> None:
    run = playground.train("coffee", epochs=1, threads=1, data={"examples": 200})
    assert "nn.Linear(" in run.script()
    assert "Warstwy" in run.notebook("pl") != run.notebook()
    with pytest.raises(RecipeError, match="no 'de'"):
        run.notebook("de")


def test_a_table_is_read_as_on_the_page(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("rozmiar;dodatki;na wynos;cena\nmała;1;tak;12,50\nduża;7;nie;20\n", "utf-8")
    with pytest.raises(PlaygroundError, match=r"mine\.csv: 1 can be used.*Row 3, column dodatki"):
        playground.table("coffee", path)
    own = playground.table("coffee", path, skip=True)
    assert own.targets.tolist() == [12.5]
    game = tmp_path / "game.csv"
    rounds = "".join(f"{n},rock,paper\n" for n in range(1, 31))
    game.write_text(f"round,player_move,opponent_move\n{rounds}")
    assert playground.table("rps", game, data={"memory": 4}).inputs.shape == (26, 12)
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        drawing = io.BytesIO()
        drawing_of_a_one().save(drawing, "PNG")
        archive.writestr("1/one.png", drawing.getvalue())
    assert playground.table("digits", tmp_path / "mine.zip").targets.tolist() == [1]
    with pytest.raises(PlaygroundError, match=r"none\.csv' cannot be read"):
        playground.table("coffee", "none.csv")


def test_an_interrupt_ends_the_run_between_two_steps(bars: Project) -> None:
    def at(step: int) -> Any:
        def watch(event: Step | Epoch, total: int) -> None:
            if isinstance(event, Step) and event.number == step:
                signal.raise_signal(signal.SIGINT)

        return watch

    handler = signal.getsignal(signal.SIGINT)
    middle = playground.train("bars", watch=at(3))
    assert (middle.history.ended, middle.history.steps) == ("stopped", 3)
    assert len(middle.test()) == 2
    whole = playground.train("bars", watch=at(6))
    assert (whole.history.steps, len(whole.history.epochs)) == (6, 1)
    assert whole.history.losses[:3] == middle.history.losses
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.parametrize("name", [["digits"], None, 3])
def test_a_name_that_is_no_name_is_said(name: Any) -> None:
    with pytest.raises(RecipeError, match="There is no"):
        playground.train(name)


@pytest.mark.parametrize(
    ("split", "figure"), [("val", "loss"), ("test", "loss"), ("train", "acc"), ("data", "loss")]
)
def test_a_series_that_is_not_there_names_the_nearest(
    bars: Project, split: Any, figure: str
) -> None:
    with pytest.raises(RecipeError, match="Did you mean"):
        playground.train("bars").history.series(split, figure)


@pytest.mark.parametrize("seed", [-1, "x", None, 1.5])
def test_an_opponent_wants_a_whole_seed(seed: Any) -> None:
    with pytest.raises(FieldError, match="seed is"):
        playground.Opponent(seed=seed)


def test_every_project_is_complete() -> None:
    for name, project in playground.PROJECTS.items():
        recipe = project.recipe()
        assert project.name == recipe.project == name
        assert playground.Recipe.from_json(recipe.to_json()) == recipe
        assert project.title
        assert project.purpose.endswith(".")
        for preset in project.presets:
            assert project.preset(preset.name) == project.check(project.preset(preset.name))
