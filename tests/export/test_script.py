"""An exported script prints what the run printed: to the last digit, over all options."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
import torch

import playground
from playground.data import tables
from playground.data.dataset import Examples
from playground.export import script
from playground.history import Change
from playground.losses import CHOICES
from playground.optimizers import Settings
from playground.projects import PROJECTS
from playground.projects.table import GeneratedTable, TableProject
from playground.recipe import FIELDS, Recipe
from playground.runtime.run import ACTIVE, Run
from playground.runtime.service import RunService

SMALL: Final[dict[str, dict[str, Any]]] = {
    name: {**kind.tiny.get("data", {})} for name, kind in PROJECTS.items()
}
SMALL["shapes"]["photo"] = 0.2  # both ways to make a picture
# Runs each script as its own main program, where the package cannot be imported.
RUNNER: Final = """
import contextlib, io, json, runpy, sys
sys.modules["playground"] = None
said = {}
for path in sys.argv[1:]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        runpy.run_path(path, run_name="__main__")
    *figures, last = out.getvalue().splitlines()
    asked = last.startswith("asked: ")  # everyone asks its network, unless that diverged
    assert asked or last.startswith("diverged"), last
    said[path] = figures if asked else [*figures, last]
print(json.dumps(said))
"""


def executed(paths: list[Path]) -> dict[Path, list[str]]:
    """What each script prints, in a fresh process."""
    # From an empty argument list on, as a person starts it.
    code = RUNNER.replace("sys.argv[1:]", repr([str(path) for path in paths]))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return {Path(path): said for path, said in json.loads(done.stdout.splitlines()[-1]).items()}


def variations(name: str) -> Iterator[dict[str, Any]]:
    """Recipes that take each activation, loss, optimizer and schedule at least once.

    The lists have different lengths, so stepping through all of them at once also mixes
    them differently each time round.
    """
    kind = PROJECTS[name]
    activations = FIELDS["activation"].choices
    for number in range(len(activations)):

        def pick(options: Any, number: int = number) -> Any:
            return options[number % len(options)]

        changes = {
            "data": SMALL[name],
            "activation": activations[number],
            "loss": pick(CHOICES[kind.task]),
            "optimizer": pick(FIELDS["optimizer"].choices),
            "schedule": pick(FIELDS["schedule"].choices),
            "hidden": pick(((8,), (6, 5), (4, 4, 4))),
            "architecture": pick(("mlp", "cnn") if kind.pictures else ("mlp",)),
            "channels": pick(((2,), (2, 3))),
            "kernels": pick(((3,), (5, 2))),
            "strides": pick(((2,), (2, 1))),
            "dropout": pick((0.0, 0.25)),
            "augmentation": pick((0.5, 0.0, 1.0)) if kind.pictures else 0.0,
            "learning_rate": pick((0.01, 0.003)),
            "weight_decay": pick((0.0, 0.01, 0.1)),
            "label_smoothing": pick((0.0, 0.1)),
            "momentum": pick((0.9, 0.0, 0.5)),
            "elu_alpha": pick((1.0, 0.5)),
            "huber_delta": pick((1.0, 0.3)),
            "batch_size": pick((32, 64, 100)),
            "epochs": 2,
            "seed": number,
            "threads": 1,
        }
        if name == "digits":
            changes["data"] = {**SMALL[name], "european": pick((True, False))}
        yield changes


def written(text: str, folder: Path, numbers: count[int]) -> Path:
    path = folder / f"run{next(numbers)}.py"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_every_option_prints_the_same_figures(name: str, tmp_path: Path) -> None:
    expected, numbers = {}, count()
    for changes in variations(name):
        run = playground.train(name, **changes)
        assert run.history.ended == "finished"
        text = script.script(run.recipe, run.history)
        expected[written(text, tmp_path, numbers)] = script.lines(run.history, run.test())
    assert executed(list(expected)) == expected


def csv(kind: TableProject, rows: int) -> bytes:
    """A student's file: rows as a spreadsheet in Poland writes them."""
    made = isinstance(kind, GeneratedTable)
    examples = kind.generate(rows, 0.3, 7) if made else kind.load(kind.recipe()).validation
    fields = (*kind.encoder.columns, kind.encoder.target)
    return tables.csv_bytes(tables.to_csv(kind.encoder.rows(examples), fields, decimal_comma=True))


def own_of(name: str, recipe: Recipe) -> Examples:
    """Examples of the student's own, in the form in which the page keeps them."""
    kind = PROJECTS[name]
    draw = torch.Generator().manual_seed(3)
    if isinstance(kind, TableProject):
        fields = (*kind.encoder.columns, kind.encoder.target)
        table = tables.parse(csv(kind, 40), fields)
        assert not table.problems
        return kind.encoder.examples(table.rows)
    if kind.pictures:
        shape = kind.input_shape(recipe)
        pixels = torch.randint(256, (5, *shape), generator=draw, dtype=torch.uint8)
        return Examples(pixels, torch.arange(5) % 3)
    moves = torch.randint(3, (40, 3), generator=draw)
    inputs = torch.nn.functional.one_hot(moves, 3).flatten(1).float()
    return Examples(inputs, torch.randint(3, (40,), generator=draw))


@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_own_data_is_in_the_file(name: str, tmp_path: Path) -> None:
    expected, numbers = {}, count()
    choices = ("both",) if PROJECTS[name].pictures else ("both", "own")
    for rows in choices:
        data = {**SMALL[name], **({} if PROJECTS[name].pictures else {"rows": rows})}
        changes = {"data": data, "epochs": 2, "batch_size": 16, "threads": 1, "hidden": (8,)}
        recipe = PROJECTS[name].recipe(**changes, architecture="mlp")
        own = own_of(name, recipe)
        run = playground.run(recipe, own)
        assert run.dataset.own == len(own)
        text = script.script(run.recipe, run.history, own)
        expected[written(text, tmp_path, numbers)] = script.lines(run.history, run.test())
    assert executed(list(expected)) == expected


def test_how_runs_end(tmp_path: Path) -> None:
    expected, numbers = {}, count()
    wanted = {
        "patience": {"data": {"examples": 80, "noise": 1.5}, "epochs": 40, "patience": 2},
        "diverged": {
            "data": SMALL["coffee"],
            "optimizer": "sgd",
            "learning_rate": 10.0,
            "schedule": "constant",
        },
    }
    for ended, changes in wanted.items():
        run = playground.train("coffee", threads=1, **changes)
        assert run.history.ended == ended
        test = None if ended == "diverged" else run.test()
        text = script.script(run.recipe, run.history)
        expected[written(text, tmp_path, numbers)] = script.lines(run.history, test)
    run = playground.train("weekday", data={"examples": 1000}, target=0.3, epochs=50, threads=1)
    assert run.history.ended == "target"
    text = script.script(run.recipe, run.history)
    expected[written(text, tmp_path, numbers)] = script.lines(run.history, run.test())
    assert executed(list(expected)) == expected


def test_a_run_in_the_service_with_changes_by_hand_and_a_stop(tmp_path: Path) -> None:
    """Two threads, controls moved while it ran, stopped in the middle of an epoch."""
    running = RunService()
    kind = PROJECTS["coffee"]
    expected, numbers = {}, count()
    try:
        for batches in (5, 9):  # the end of the third epoch, and the middle of the second
            changes = {"data": SMALL["coffee"], "schedule": "cosine", "batch_size": 28}
            run = Run(kind, kind.recipe(**changes, epochs=20, threads=2))
            for step in range(3 * 5 if batches == 5 else batches):
                if step in (2, 7):
                    running.change(run, Settings(0.01 / step, 0.1 * step))
                running.start(run, "epoch" if batches == 5 and step % 5 == 4 else "batch")
                until = run.state in ACTIVE
                while until:
                    until = run.state in ACTIVE
            running.stop(run)
            history = run.snapshot().history
            assert history.ended == "stopped"
            assert {change.step for change in history.changes} == {3, 8}
            assert all(isinstance(change, Change) for change in history.changes)
            predictor = run.predictor()
            test = playground.evaluate(
                predictor.model, run.dataset().test, run.dataset(), run.recipe
            )
            text = script.script(run.recipe, history)
            expected[written(text, tmp_path, numbers)] = script.lines(history, test)
    finally:
        running.close()
    assert executed(list(expected)) == expected
    assert [len(said) for said in expected.values()] == [4, 2]


def test_a_run_that_lost_its_second_thread_to_another(tmp_path: Path) -> None:
    """It had all cores until somebody else began to train, and float sums depend on that."""
    running = RunService(workers=2)
    kind = PROJECTS["coffee"]
    changes = {"data": SMALL["coffee"], "batch_size": 28, "hidden": (64, 64)}
    first = Run(kind, kind.recipe(**changes, epochs=4))
    other = Run(kind, kind.recipe(**changes, epochs=2))
    try:
        for _ in range(7):
            running.start(first, "batch")
            while first.active:
                pass
        running.start(first)
        running.start(other)
        while not (first.over and other.over):
            pass
        history = first.snapshot().history
        assert first.recipe.threads == 2
        assert other.recipe.threads == 1
        threads = [change for change in history.changes if change.name == "threads"]
        assert len(threads) <= 1  # none, if it was over before the other had begun
        text = script.script(first.recipe, history)
        predictor = first.predictor()
        data = first.dataset()
        test = playground.evaluate(predictor.model, data.test, data, first.recipe)
        path = written(text, tmp_path, count())
        assert executed([path]) == {path: script.lines(history, test)}
    finally:
        running.close()


def test_a_person_starts_it_and_a_dry_run_takes_one_batch(tmp_path: Path) -> None:
    run = playground.train("coffee", data=SMALL["coffee"], epochs=2, threads=1)
    path = written(script.script(run.recipe, run.history), tmp_path, count())
    command = [sys.executable, str(path)]
    whole = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    *figures, asked = whole.stdout.splitlines()
    assert figures == script.lines(run.history, run.test())
    row = {column.name: column.default for column in PROJECTS["coffee"].encoder.columns}
    assert float(asked.removeprefix("asked: ")) == pytest.approx(run.predict(row).value)
    dry = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, check=True)
    assert len(dry.stdout.splitlines()) == 1  # the test figure, and no epoch


@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_it_names_nothing_of_ours_and_reads_as_five_parts(name: str) -> None:
    found = script.parts(PROJECTS[name].recipe(threads=1))
    text = script.text(found)
    assert "import playground" not in text
    assert "from playground" not in text
    assert [part.name for part in found] == list(script.PARTS)
    # And after the five it asks its network.
    assert [part.title[:2] for part in found[2:]] == ["1.", "2.", "3.", "4.", "5.", "6."]
    compile(text, name, "exec")


def test_the_source_in_it_is_the_source_that_ran() -> None:
    import inspect

    from playground.projects.weekday import data as weekday

    text = script.script(PROJECTS["weekday"].recipe())
    assert textwrap.dedent(inspect.getsource(weekday.generate)) in text


@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_its_head_says_what_to_install(name: str) -> None:
    """Every package that it imports anywhere, and no other."""
    text = script.script(PROJECTS[name].recipe(threads=1))
    said = re.search(r"pip install (.+)", text)
    assert said is not None
    tree = ast.parse(text)
    imported = {
        module.split(".")[0]
        for node in ast.walk(tree)
        for module in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    } - sys.stdlib_module_names
    assert set(said[1].split()) == {{"PIL": "pillow"}.get(one, one) for one in imported}
    assert imported <= set(text.split("# ----")[0].replace(".", " ").split()) | {"mlxtend"}


def test_own_rows_stand_under_headings_with_their_answers() -> None:
    kind = PROJECTS["coffee"]
    recipe = kind.recipe(data={"rows": "own"}, threads=1)
    own = own_of("coffee", recipe)
    text = script.script(recipe, None, own)
    assert "# size=small, size=medium, size=large, extras, takeaway, price [zł]" in text
    assert f"({own.inputs[0].tolist()}, {own.targets[0].item()!r})," in text
    assert "def generate" not in text  # nothing is generated, so nothing of that is needed
    assert "def generate" in script.script(kind.recipe(threads=1), None, own)


def test_own_games_alone_bring_no_simulator() -> None:
    kind = PROJECTS["rps"]
    for rows, simulated in (("own", False), ("both", True)):
        recipe = kind.recipe(data={"rows": rows}, threads=1)
        text = script.script(recipe, None, own_of("rps", recipe))
        assert ("def from_options" in text) == simulated


def test_no_weights_are_drawn_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Code tab asks at each refresh: no weights are drawn for it."""
    kind = PROJECTS["coffee"]
    monkeypatch.setattr(type(kind), "build", None)
    assert "nn.Linear(" in script.script(kind.recipe(threads=1))
