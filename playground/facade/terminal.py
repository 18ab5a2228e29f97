"""The commands of ``python -m playground``: train, predict, list, fetch, backup, restore.

Exit codes: 0 done; 1 a training that diverged, or output that cannot be written; 2 an input
that cannot be, which is said; 130 stopped by Ctrl-C (what was learned is measured and saved).
"""

from __future__ import annotations

import argparse
import codecs
import difflib
import json
import os
import platform
import re
import sys
import unicodedata
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, NoReturn

import torch
from tqdm import tqdm

import playground
from playground.errors import PlaygroundError
from playground.facade.library import Trained, recipe_of, write
from playground.fields import Field
from playground.recipe import FIELDS
from playground.storage import backup
from playground.training import Epoch, Step

EPILOG: Final = """\
exit codes: 0 done, 1 the training diverged, 2 an input that cannot be, 130 stopped by Ctrl-C
(what was learned until then is measured and saved all the same)

examples:
  python -m playground list digits
  python -m playground train coffee --epochs 20 --hidden 16,8 --save coffee.safetensors
  python -m playground train movies --own my.csv --data rows=own --script movies.py
  python -m playground predict coffee.safetensors size=large extras=1 takeaway=true
  python -m playground predict digits.safetensors seven.jpg
"""
DATA: Final = (
    "--data takes JSON or name=value, as often as needed: "
    "--data examples=500 --data noise=0.5, or '{\"examples\": 500}' "
    '(in a Windows command prompt "{\\"examples\\": 500}")'
)
PLAIN: Final = "playground.plain"
ASCII: Final = {
    "–": "-", "—": "-", "×": "x", "…": "...", "→": "->", "“": '"', "”": '"', "„": '"', "’": "'",
    "α": "alpha", "β": "beta", "δ": "delta", "₁": "1", "₂": "2", "ł": "l", "Ł": "L", "²": "2",
}  # fmt: skip
DIVERGED: Final = 1
REFUSED: Final = 2
STOPPED: Final = 130  # as a shell counts the signal of Ctrl-C


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors name the nearest option, and say it once."""

    def error(self, message: str) -> NoReturn:
        unknown = re.search(r"unrecognized arguments: (--?[\w-]+)", message)
        if unknown:
            flags = [flag for action in self._actions for flag in action.option_strings]
            for name in SHORT.get(unknown[1].strip("-"), ()):
                message += f". Did you mean --{name}?"
                break
            else:
                dashed = unknown[1].replace("_", "-")
                near = difflib.get_close_matches(dashed, flags, n=1, cutoff=0.5)
                message += f". Did you mean {near[0]}?" if near else ""
        super().error(message)


SHORT: Final = {
    "lr": ("learning-rate",),
    "wd": ("weight-decay",),
    "layers": ("hidden",),
    "bs": ("batch-size",),
    "batch": ("batch-size",),
}


def parser() -> Parser:
    """One option for each field of the recipe, with its help and range."""
    main = Parser(
        prog="python -m playground",
        description="A playground for neural networks: train, keep and ask a network.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    versions = f"torch {torch.__version__}, Python {platform.python_version()}"
    main.add_argument("--version", action="version", version=f"playground ({versions})")
    commands = main.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _train(commands)
    _predict(commands)
    _list(commands)
    _fetch(commands)
    backup.add_commands(commands)
    return main


def _command(commands: Any, name: str, run: Any, help: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=help, description=help, allow_abbrev=False
    )
    command.set_defaults(run=run, parser=command)
    return command


def _train(commands: Any) -> None:
    train = _command(commands, "train", run_train, "train a network and measure it on the test set")
    train.add_argument("project", help=" | ".join(playground.PROJECTS))
    train.add_argument("--preset", help="start from one of the project's presets (see list)")
    train.add_argument(
        "--data", action="append", default=[], metavar="NAME=VALUE",
        help="data options (see list): name=value, or JSON",
    )  # fmt: skip
    train.add_argument(
        "--own", metavar="FILE", help="own examples: a CSV, for pictures a ZIP with class folders"
    )
    train.add_argument("--skip", action="store_true", help="leave out what is wrong in it")
    train.add_argument("--save", metavar="FILE", help="write .safetensors, .onnx or .json")
    train.add_argument("--script", metavar="FILE", help="write the run as a Python script")
    train.add_argument("--notebook", metavar="FILE", help="write the run as a Jupyter notebook")
    train.add_argument("--quiet", action="store_true", help="no progress bar")
    for name, field in FIELDS.items():
        flag = f"--{name.replace('_', '-')}"
        text = f"{field.label}: {field.allowed()}".replace("%", "%%")
        train.add_argument(flag, dest=name, metavar=name.upper(), help=text)


def _predict(commands: Any) -> None:
    predict = _command(commands, "predict", run_predict, "ask a network that was saved")
    predict.add_argument("network", help="a .safetensors file")
    predict.add_argument(
        "input", nargs="+", help="picture files; or name=value of each column; or moves"
    )


def _list(commands: Any) -> None:
    listed = _command(
        commands, "list", run_list, "projects; of one its presets, data options and defaults"
    )
    listed.add_argument("project", nargs="?", help="all projects without it")


def _fetch(commands: Any) -> None:
    fetch = _command(commands, "fetch", run_fetch, "download a data set: all 70,000 digits")
    fetch.add_argument("name", help="mnist")
    fetch.add_argument("--quiet", action="store_true", help="no progress bar")


def value_of(text: str, kind: str) -> Any:
    """An option's text as its field's kind wants it; what cannot be stays text, to be refused."""
    try:
        if kind == "integers":
            return tuple(int(part) for part in re.split(r"[\s,;]+", text.strip(" ()[]")))
        return json.loads(text) if kind != "choice" else text
    except (ValueError, RecursionError):
        return text


def data_of(texts: Sequence[str]) -> dict[str, Any]:
    """Data options as JSON objects or ``name=value``.

    Raises:
        PlaygroundError: a text that is neither, with an example.
    """
    found: dict[str, Any] = {}
    for text in texts:
        named = re.fullmatch(r"\s*(\w+)\s*=(.*)", text, re.DOTALL)
        value = {named[1]: value_of(named[2].strip(), "json")} if named else value_of(text, "json")
        if not isinstance(value, dict):
            shown = text if len(text) <= 60 else text[:60] + "..."
            raise PlaygroundError(
                "The data options {text} are neither JSON nor name=value. {how}.",
                text=shown,
                how=DATA,
            )
        found |= value
    return found


def overrides_of(options: dict[str, Any]) -> dict[str, Any]:
    """The keywords of :func:`playground.train` in the options of a command line."""
    found: dict[str, Any] = {}
    for name, field in FIELDS.items():
        text = options.get(name)
        if text is not None:
            found[name] = value_of(text, field.kind)
    if options.get("preset"):
        found["preset"] = options["preset"]
    if options["data"]:
        found["data"] = data_of(options["data"])
    return found


def run_train(options: dict[str, Any]) -> int:
    overrides = overrides_of(options)
    kind = playground.project(options["project"])
    recipe = recipe_of(kind, overrides)  # refused before a progress bar is there
    files = {name: options[name] for name in ("save", "script", "notebook") if options[name]}
    for path in files.values():
        _writable(Path(path))
    own = None
    if options["own"]:
        own = playground.table(kind.name, options["own"], options["skip"], **overrides)
    with closing(Progress(options["quiet"])) as progress:
        run = playground.run(recipe, own, progress)
    stopped = run.history.ended == "stopped"
    if stopped:
        print(f"stopped at {_place(run)}; the figures are of what it is now", file=sys.stderr)
    if "save" in files:
        run.save(files["save"])
    if "script" in files:
        write(Path(files["script"]), run.script())
    if "notebook" in files:
        write(Path(files["notebook"]), run.notebook())
    if run.history.ended == "diverged":
        print("diverged: the loss is no longer a number (NaN). A smaller --learning-rate helps.",
              file=sys.stderr)  # fmt: skip
    result: dict[str, Any] = {"ended": run.history.ended, "test": run.test()}
    if stopped:
        result |= {"epoch": len(run.history.epochs), "step": run.history.steps}
    print(json.dumps(result))
    if stopped:
        return STOPPED
    return DIVERGED if run.history.ended == "diverged" else 0


def _place(run: Trained) -> str:
    epochs = len(run.history.epochs)
    whole = bool(epochs) and run.history.epochs[-1].step == run.history.steps
    where = f"epoch {epochs}" if whole else f"epoch {epochs + 1} (in its middle)"
    return f"{where}, step {run.history.steps}"


def _writable(path: Path) -> None:
    """Say before the training, not after it, that a file cannot be written."""
    folder = path.parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise PlaygroundError("{path} cannot be written: is the folder there?", path=str(path))


def run_predict(options: dict[str, Any]) -> int:
    run = playground.load(options["network"])
    kind = playground.project(run.recipe.project)
    for raw in inputs_of(kind, options["input"]):
        answer = run.predict(raw)
        found: dict[str, Any] = {"value": answer.value}
        if answer.probabilities is not None:
            found = {"label": answer.label, "probabilities": dict(answer.probabilities)}
        print(json.dumps({"input": raw, **found}))
    return 0


def inputs_of(kind: playground.Project, texts: Sequence[str]) -> list[Any]:
    """What the words on a command line ask: a picture each, or one row, or one list of moves."""
    if kind.pictures:
        return list(texts)
    pairs = [text.partition("=") for text in texts]
    if not all(equals for _name, equals, _value in pairs):
        return [[word for text in texts for word in text.replace(",", " ").split()]]
    return [{name: kind.typed(value) for name, _equals, value in pairs}]


def run_list(options: dict[str, Any]) -> int:
    if options["project"] is None:
        for name, kind in playground.PROJECTS.items():
            presets = ", ".join(preset.name for preset in kind.presets)
            print(f"{name:8} {kind.purpose}\n{'':8} presets: {presets}")
        return 0
    kind = playground.project(options["project"])
    recipe = kind.recipe()
    print(f"{kind.name}: {kind.purpose}\n\npresets (--preset NAME)")
    for preset in kind.presets:
        print(f"  {preset.name:10} {preset.sentence}")
    print("\ndata options (--data NAME=VALUE)")
    for field in kind.data_fields:
        _show(field, recipe.data[field.name], "")
    print("\nsettings")
    for name, field in FIELDS.items():
        _show(field, getattr(recipe, name), "--")
    return 0


def _show(field: Field, default: Any, before: str) -> None:
    name = before + (field.name.replace("_", "-") if before else field.name)
    shown = ",".join(map(str, default)) if isinstance(default, tuple) else json.dumps(default)
    print(f"  {name:18} {shown.strip(chr(34)):14} {field.label}: {field.allowed()}")


def run_fetch(options: dict[str, Any]) -> int:
    with tqdm(total=100, unit="%", file=sys.stderr, disable=options["quiet"], delay=1e-9) as bar:
        folder = playground.fetch(options["name"], lambda share: _move(bar, share))
    print(json.dumps({"folder": str(folder)}))
    return 0


def _move(bar: tqdm[Any], share: float) -> None:
    bar.update(round(100 * share) - bar.n)


class Progress:
    """A progress bar that moves with the training loop's events; there from the first one on."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.bar: tqdm[Any] | None = None

    def __call__(self, event: Step | Epoch, total: int) -> None:
        if self.bar is None:
            self.bar = tqdm(total=total, unit="step", file=sys.stderr, disable=self.quiet)
        if isinstance(event, Step):
            self.bar.update()
        else:
            figures = {name: f"{value:.4f}" for name, value in event.validation.items()}
            self.bar.set_postfix({"epoch": event.number, **figures})

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code, see above."""
    _speak()
    try:
        options = vars(_parsed(arguments))
        if "call" in options:
            return backup.run(options["call"], options["file"])
        code = int(options["run"](options))
        sys.stdout.flush()
        return code
    except PlaygroundError as error:
        print(error, file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("stopped before anything was learned", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:
        # Whoever read the output has gone; Python would complain of it once more at its end.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _speak() -> None:
    """Make sure that what is printed arrives, whatever the terminal can write."""
    if sys.stderr is None:  # closed by a shell's 2>&-
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the end
    codecs.register_error(PLAIN, _plain)
    for stream in (sys.stdout, sys.stderr):
        # A Polish Windows writes cp1250 into a file, and that has no Greek letters.
        with suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors=PLAIN)  # type: ignore[union-attr]


def _plain(error: UnicodeError) -> tuple[str, int]:
    """What an encoding lacks, in ASCII: 1–6 as 1-6, α as alpha, ż as z."""
    assert isinstance(error, UnicodeEncodeError)
    letters = [
        ASCII.get(letter) or unicodedata.normalize("NFKD", letter).encode("ascii", "ignore")
        for letter in error.object[error.start : error.end]
    ]
    parts = [part if isinstance(part, str) else part.decode() or "?" for part in letters]
    return "".join(parts), error.end


def _joined(arguments: Sequence[str]) -> list[str]:
    """``--hidden 8 8`` as ``--hidden 8,8``: a list's numbers may stand apart."""
    lists = {
        f"--{name.replace('_', '-')}" for name, field in FIELDS.items() if field.kind == "integers"
    }
    found: list[str] = []
    for word in arguments:
        before = found[-2:-1]
        if before and before[0] in lists and re.fullmatch(r"[\d,;\s()\[\]]+", word):
            found[-1] += f" {word}"
        else:
            found.append(word)
    return found


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    words = _joined(sys.argv[1:] if arguments is None else arguments)
    options, unknown = parser().parse_known_args(words)
    if unknown:  # said by the command's own parser, with its own usage
        mine = getattr(options, "parser", None) or parser()
        mine.error(f"unrecognized arguments: {' '.join(unknown)}")
    return options


__all__ = ["data_of", "main", "parser", "value_of"]
