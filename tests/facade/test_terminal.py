from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

import playground
from playground.data import mnist, tables
from playground.facade import terminal
from playground.facade.terminal import Progress, main
from playground.projects import PROJECTS
from playground.projects.base import Project
from playground.projects.table import TableProject
from playground.recipe import FIELDS
from playground.training import Epoch, Step

ROOT = Path(__file__).parent.parent.parent


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["train", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_it_trains_and_prints_one_line_of_json(
    bars: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "bars", "--epochs", "3", "--hidden", "16,8", "--seed", "1")
    assert code == 0
    result = json.loads(out)
    assert out.count("\n") == 1
    assert result["ended"] == "finished"
    assert set(result["test"]) == {"loss", "accuracy"}
    assert "18/18" in err  # the progress bar: 3 epochs of 6 steps


def test_the_same_seed_prints_the_same(bars: Project, capsys: pytest.CaptureFixture[str]) -> None:
    first = run(capsys, "bars", "--seed", "1")[1]
    assert run(capsys, "bars", "--seed", "1")[1] == first
    assert run(capsys, "bars", "--seed", "2")[1] != first


def test_presets_and_data_options(bars: Project, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "bars", "--preset", "short", "--data", '{"noise": 0.1}')
    assert code == 0
    assert "6/6" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("bar",), "Did you mean bars"),
        (("bars", "--epochs", "0"), "epochs is 0, but must be 1, 2 … 500"),
        (("bars", "--epochs", "many"), "epochs is 'many'"),
        (("bars", "--hidden", "8,x"), "hidden is '8,x'"),
        (("bars", "--hidden", ""), "hidden is ''"),
        (("bars", "--learning-rate", "NaN"), "learning_rate is nan"),
        (("bars", "--learning-rate", "1" + "0" * 400), "learning_rate is 1000"),
        (("bars", "--optimizer", "adm"), "optimizer is 'adm'"),
        (("bars", "--data", "{"), "data options"),
        (("bars", "--data", "[1]"), "data options"),
        (("bars", "--data", "[" * 100_000), "data options"),
        (("bars", "--data", '{"noise": "loud"}'), "noise is 'loud'"),
        (("bars", "--preset", "long"), "Did you mean short"),
        (("bars", "--loss", "mse"), "does not fit"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_is_said_with_exit_code_2(
    bars: Project,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    says: str,
) -> None:
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert says in err
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", [[], ["train"], ["train", "bars", "--epoch", "2"], ["walk"]])
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_help_lists_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["train", "--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    for name in FIELDS:
        assert f"--{name.replace('_', '-')}" in out


@pytest.mark.parametrize("encoding", ["cp1250", "cp852", "latin-1", "ascii"])
def test_help_and_errors_can_be_read_in_any_encoding(
    encoding: str, bars: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments, code in ((["train", "--help"], 0), (["train", "bars", "--hidden", "0"], 2)):
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        try:
            ended: object = main(arguments)
        except SystemExit as end:
            ended = end.code
        assert ended == code
        out.flush()
        err.flush()
        said = (out.buffer.getvalue() + err.buffer.getvalue()).decode(encoding)
        assert "?" not in said
        assert re.search(r"1, 2 (\.\.\.|…) 1024", said)


def test_ctrl_c_keeps_what_was_learned(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Impatient(Progress):
        def __call__(self, event: Step | Epoch, total: int) -> None:
            super().__call__(event, total)
            if isinstance(event, Epoch) and event.number == 2:
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(terminal, "Progress", Impatient)
    target = tmp_path / "coffee.safetensors"
    code, out, err = run(capsys, "coffee", "--epochs", "500", "--save", str(target))
    assert code == 130
    assert "stopped at epoch 2, step " in err
    result = json.loads(out)
    assert (result["ended"], result["epoch"]) == ("stopped", 2)
    assert playground.load(target).test() == result["test"]


def test_ctrl_c_before_the_first_step_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(type(PROJECTS["coffee"]), "load", slow)
    assert run(capsys, "coffee") == (130, "", "stopped before anything was learned\n")


def test_what_it_writes_and_reads_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    kind = PROJECTS["coffee"]
    assert isinstance(kind, TableProject)
    rows = kind.encoder.rows(kind.generate(40, 0.3, 1))
    fields = (*kind.encoder.columns, kind.encoder.target)
    mine = tmp_path / "mine.csv"
    mine.write_bytes(tables.csv_bytes(tables.to_csv(rows, fields)))
    network, script, notebook = (
        tmp_path / f"run{end}" for end in (".safetensors", ".py", ".ipynb")
    )
    code, out, err = run(
        capsys, "coffee", "--own", str(mine), "--data", "rows=own", "--epochs", "2", "--quiet",
        "--save", str(network), "--script", str(script), "--notebook", str(notebook),
    )  # fmt: skip
    assert (code, err) == (0, "")
    compile(script.read_text("utf-8"), "script", "exec")
    assert json.loads(notebook.read_text("utf-8"))["nbformat"] == 4
    own = playground.table("coffee", mine)
    assert playground.load(network, own).test() == json.loads(out)["test"]
    assert main(["predict", str(network), "size=large", "extras=1", "takeaway=false"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out)["value"], float)
    assert main(["predict", str(network), "size=large"]) == 2
    assert "extras is missing" in capsys.readouterr().err


def test_a_picture_is_asked_by_its_file(
    bars: Project, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    network = tmp_path / "shapes.safetensors"
    assert main(["train", "shapes", "--data", "examples=300", "--data", "photo=0", "--epochs", "1",
                 "--save", str(network), "--quiet"]) == 0  # fmt: skip
    capsys.readouterr()
    for name in ("a.png", "b.png"):
        drawing = Image.new("L", (60, 60), 255)
        ImageDraw.Draw(drawing).ellipse((15, 15, 45, 45), outline=0, width=3)
        drawing.save(tmp_path / name)
    assert main(["predict", str(network), str(tmp_path / "a.png"), str(tmp_path / "b.png")]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert answers[0]["probabilities"] == answers[1]["probabilities"]
    assert main(["predict", str(network), str(tmp_path / "c.png")]) == 2
    assert "c.png cannot be read" in capsys.readouterr().err


def test_a_run_that_diverges_is_no_success(
    bars: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "coffee", "--optimizer", "sgd", "--learning-rate", "10")
    assert code == 1
    assert json.loads(out)["ended"] == "diverged"
    assert "diverged" in err


@pytest.mark.parametrize("hidden", [["8,4"], ["[8, 4]"], ["8", "4"], ["(8,4)"], ["8;4"]])
def test_a_list_of_numbers_may_be_written_in_any_way(
    hidden: list[str], bars: Project, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe.json"
    arguments = ["train", "--save", str(recipe), "--hidden", *hidden, "--quiet", "--epochs", "1"]
    assert (
        main([*arguments, "bars"] if len(hidden) == 1 else [*arguments[:1], "bars", *arguments[1:]])
        == 0
    )
    assert json.loads(recipe.read_text())["hidden"] == [8, 4]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--learning_rate", "1"], "Did you mean --learning-rate?"),
        (["--lr", "1"], "Did you mean --learning-rate?"),
        (["--epoch", "1"], "Did you mean --epochs?"),
        (["--xyzzy"], "unrecognized arguments: --xyzzy"),
    ],
)
def test_an_unknown_option_names_the_nearest(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["train", "coffee", *arguments])
    err = capsys.readouterr().err
    assert says in err
    assert "usage: python -m playground train" in err


def test_data_that_is_no_json_is_shown_how(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "coffee", "--data", "{'examples': 100}")
    assert code == 2
    assert "neither JSON nor name=value" in err
    assert "examples=500" in err
    assert "step/s" not in err  # no progress bar before a refusal


def test_it_lists_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in PROJECTS)
    assert main(["list", "digits"]) == 0
    out = capsys.readouterr().out
    for preset in PROJECTS["digits"].presets:
        assert preset.name in out
    for field in (*PROJECTS["digits"].data_fields, *FIELDS.values()):
        assert field.allowed() in out


def test_mnist_is_fetched(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(mnist, "fetch", lambda where, progress: asked.append(where))
    assert main(["fetch", "mnist", "--quiet"]) == 0
    assert asked == [mnist.folder()]
    assert main(["fetch", "cifar"]) == 2
    assert "Did you mean mnist" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    end, start = os.pipe()
    os.close(end)
    with open(start, "w", encoding="utf-8") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        assert main(["list", "digits"]) == 1
    assert capfd.readouterr().err == ""


def test_it_starts_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "playground", "train", "digit"],
        cwd=ROOT,
        env={**os.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Did you mean digits" in done.stderr
    assert "Traceback" not in done.stderr
