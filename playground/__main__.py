"""The playground from a terminal: ``python -m playground train digits --epochs 2``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from tqdm import tqdm

import playground
from playground import backup
from playground.errors import PlaygroundError
from playground.recipe import FIELDS
from playground.training import Epoch, Step


def parser() -> argparse.ArgumentParser:
    """One option for each field of the recipe, with its help and range."""
    main = argparse.ArgumentParser(prog="python -m playground", description=playground.__doc__)
    commands = main.add_subparsers(dest="command", required=True)
    train = commands.add_parser(
        "train", help="train a network and measure it on the test set", allow_abbrev=False
    )
    train.add_argument("project", help=" | ".join(playground.PROJECTS))
    train.add_argument("--preset", help="start from one of the project's presets")
    train.add_argument("--data", help="data options as JSON: '{\"european\": false}'")
    for name, field in FIELDS.items():
        flag = f"--{name.replace('_', '-')}"
        train.add_argument(flag, dest=name, help=f"{field.label}: {field.allowed()}")
    backup.add_commands(commands)
    return main


def value_of(text: str, kind: str) -> Any:
    """An option's text as its field's kind wants it; what cannot be stays text, to be refused."""
    try:
        if kind == "integers":
            return tuple(int(part) for part in text.split(","))
        return json.loads(text) if kind != "choice" else text
    except (ValueError, RecursionError):
        return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 if it went well, 2 for an input that cannot be, which is said."""
    options = vars(parser().parse_args(arguments))
    if "call" in options:
        return backup.run(options["call"], options["file"])
    overrides = {
        name: value_of(options[name], field.kind)
        for name, field in FIELDS.items()
        if options[name] is not None
    }
    if options["preset"]:
        overrides["preset"] = options["preset"]
    try:
        if options["data"]:
            overrides["data"] = value_of(options["data"], "json")
        with tqdm(unit="step", file=sys.stderr) as bar:
            run = playground.train(options["project"], watch=Progress(bar), **overrides)
        print(json.dumps({"ended": run.history.ended, "test": run.test()}))
    except PlaygroundError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


class Progress:
    """Moves a progress bar with the training loop's events."""

    def __init__(self, bar: tqdm[Any]) -> None:
        self.bar = bar

    def __call__(self, event: Step | Epoch, total: int) -> None:
        if isinstance(event, Step):
            self.bar.total = total
            self.bar.update()
        else:
            figures = {name: f"{value:.4f}" for name, value in event.validation.items()}
            self.bar.set_postfix({"epoch": event.number, **figures})


if __name__ == "__main__":
    sys.exit(main())
