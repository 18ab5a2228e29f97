from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from playground.__main__ import main
from playground.projects.base import Project
from playground.recipe import FIELDS


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
        (("bar",), "nearest is bars"),
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
        (("bars", "--preset", "long"), "nearest is short"),
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


def test_it_starts_as_a_module() -> None:
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-m", "playground", "train", "digit"],
        cwd=root,
        env={**os.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "nearest is digits" in done.stderr
    assert "Traceback" not in done.stderr
