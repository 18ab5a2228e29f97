"""A run as one standalone Python file, in the five parts of the lecture.

The file trains the same network on the same data with the same random numbers, so on the
same machine it prints the same figures. What makes data, weights and augmentation is the
source that ran (see :mod:`playground.export.bundle`); the five parts are written out for
the recipe by ``run.py.jinja``, so that they read as if written for this network alone.
"""

from __future__ import annotations

import pprint
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jinja2 import Environment, StrictUndefined, Template
from torch import nn

from playground import losses, metrics, models, optimizers, seeds
from playground.data.dataset import Examples
from playground.export import printed
from playground.export.bundle import Bundle
from playground.history import History
from playground.projects import project
from playground.projects.base import Project
from playground.projects.table import TableProject
from playground.recipe import Recipe

TEMPLATE: Final = Path(__file__).parent / "run.py.jinja"
PARTS: Final = {
    "head": "",
    "helpers": "What this run needs of the playground: the source that ran",
    "data": "1. Data",
    "model": "2. Model",
    "loss": "3. Loss",
    "optimizer": "4. Optimizer",
    "training": "5. Training loop",
    "ask": "6. Ask it",
}
"""The parts of the file, in order, with their headings there; a block of the template each."""
# The template's own global names, which what is gathered must leave alone.
TAKEN: Final = frozenset(
    [
        "seed",
        "data",
        "own",
        "found",
        "train",
        "validation",
        "test",
        "scaler",
        "dropout",
        "model",
        "loss_function",
        "distance",
        "optimizer",
        "epochs",
        "batch_size",
        "rate",
        "decay",
        "steps_per_epoch",
        "changes",
        "dry_run",
        "evaluate",
        "train_network",
        "trained",
        "columns",
        "labels",
        "ask",
    ]
)
# What pip calls a package that is imported by another name.
PIP: Final = {"PIL": "pillow", "sklearn": "scikit-learn"}
SCHEDULES: Final = {
    "one_cycle": optimizers.one_cycle,
    "cosine": optimizers.cosine,
    "step": optimizers.stairs,
}


@dataclass(frozen=True)
class Part:
    """One part of the file: which (of ``PARTS``), its heading there, and its code."""

    name: str
    title: str
    code: str


def script(recipe: Recipe, history: History | None = None, own: Examples | None = None) -> str:
    """Write the whole file for a run of ``recipe``; all as :func:`parts`."""
    return text(parts(recipe, history, own))


def text(found: Sequence[Part]) -> str:
    """Join the parts of a file, each under its heading."""
    return (
        "\n\n\n".join(
            f"# ---- {part.title}\n{part.code}" if part.title else part.code for part in found
        )
        + "\n"
    )


def parts(
    recipe: Recipe, history: History | None = None, own: Examples | None = None
) -> list[Part]:
    """Write the parts of the file for a run of ``recipe``, finished, running or not begun.

    In order: its head, the source gathered, and the five of the lecture, of which it then asks
    its network. ``history`` tells what was changed by hand on the way and where it was stopped;
    ``own`` are the student's examples, which are written into the file.
    """
    kind = project(recipe.project)
    exported = kind.exported(recipe)
    bundle = _gathered(recipe, own, exported.needs.values())
    names = bundle.names()
    called = {name: names[bundle.need(thing)] for name, thing in exported.needs.items()}
    changes = _changes(history)
    schedule = _factor(recipe)
    stopped = history.steps if history is not None and history.ended == "stopped" else 0
    at_end = history is not None and any(row.step == stopped for row in history.epochs)
    values: dict[str, Any] = {
        "recipe": recipe,
        "title": kind.title,
        "versions": {"torch": torch.__version__, "numpy": np.__version__},
        "helpers": bundle.code(),
        "data": _written(dict(recipe.data), 92),
        **_columns(kind),
        "labels": _written(list(kind.labels), 88) if kind.task == "classification" else "",
        "own": _own(kind, own),
        "load": exported.load.format(**called),
        "asked": exported,
        "inputs": exported.inputs.format(**called),
        "answer": names[bundle.need(losses.answer)],
        "modules": [_module(module) for module in kind.skeleton(recipe)],
        "task": repr(kind.task).replace("'", '"'),
        "distance": _distance(recipe),
        "optimizer": _optimizer(recipe),
        "steered": bool(schedule) or any(set(one) - {"threads"} for one in changes.values()),
        "factor": schedule,
        "changes": _written(changes, 88) if changes else "",
        "augmented": recipe.augmentation > 0 and kind.pictures,
        "stop_in": 0 if at_end else stopped,
        "stop_after": stopped if at_end else 0,
    }
    template = _template()

    def written(name: str, **more: str) -> str:
        return "".join(template.blocks[name](template.new_context(values | more))).strip()

    # What has to be imported and installed is known once all the rest is there.
    codes = {name: written(name) for name in PARTS if name != "head"}
    imports = _imports(bundle, "\n".join(codes.values()))
    installed = _packages(f"{imports}\n{values['helpers']}")
    codes["head"] = written("head", imports=imports, packages=installed)
    return [Part(name, title, codes[name]) for name, title in PARTS.items()]


@cache
def _template() -> Template:
    """The template, compiled once: that takes ten times as long as filling it in."""
    environment = Environment(trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    return environment.from_string(TEMPLATE.read_text("utf-8"))


def lines(history: History, test: dict[str, float] | None = None) -> list[str]:
    """What the file prints for a run with this ``history``, and its figures on the test set."""
    said = [printed.epoch_line(row.epoch, row.train, row.validation) for row in history.epochs]
    if history.ended == "diverged":
        return [*said, f"diverged at step {history.steps + 1}"]
    return said if test is None else [*said, printed.figures_line("test", test)]


def _written(values: Mapping[Any, Any] | list[str], width: int) -> str:
    """A dictionary or a list in Python, with the quotes that the rest of the file has."""
    return pprint.pformat(values, sort_dicts=False, width=width).replace("'", '"')


def _gathered(recipe: Recipe, own: Examples | None, theirs: Iterable[Any]) -> Bundle:
    """The source that this recipe needs, with ``theirs`` of its project."""
    needed: list[Any] = [
        losses.answer,
        seeds.generator,
        models.initialise,
        metrics.figures,
        metrics.Average,
        printed.epoch_line,
        *theirs,
    ]
    if own is not None and own.inputs.dtype == torch.uint8:
        needed.append(printed.unpacked)
    if recipe.activation == "maxout":
        needed.append(models.Maxout)
    if recipe.dropout > 0:
        needed.append(models.Dropout)
    if recipe.loss == "mse_one_hot":
        needed.append(losses.mse_one_hot)
    if recipe.schedule in SCHEDULES:
        needed.append(SCHEDULES[recipe.schedule])
    bundle = Bundle(TAKEN)
    for thing in needed:
        bundle.need(thing)
    return bundle


def _imports(bundle: Bundle, text: str) -> str:
    """One line a module, of what is gathered and of what the five parts use."""
    wanted = bundle.imports() | {("torch", "", "torch"), ("torch", "nn", "nn")}
    wanted |= {("torch", "optim", "optim"), ("sys", "", "sys"), ("math", "", "math")}
    if re.search(r"^    MNIST\(", text, re.MULTILINE):
        wanted.add(("torchvision.datasets", "MNIST", "MNIST"))
    rows = []
    for module in sorted({module for module, _name, _local in wanted}):
        given = sorted((name, local) for place, name, local in wanted if place == module)
        rows += [
            f"import {module}" + (f" as {local}" if local != module else "")
            for name, local in given
            if not name
        ]
        members = [name if name == local else f"{name} as {local}" for name, local in given if name]
        if members:
            rows.append(f"from {module} import {', '.join(members)}")
    return "\n".join(rows)


def _packages(text: str) -> str:
    """What has to be installed for the imports in ``text``, inside its functions too."""
    found = set(re.findall(r"^ *(?:import|from) (\w+)", text, re.MULTILINE))
    return " ".join(sorted(PIP.get(name, name) for name in found - sys.stdlib_module_names))


def _columns(kind: Project) -> dict[str, str]:
    """The columns of a table and its answer, as the file names them."""
    if not isinstance(kind, TableProject):
        return {"columns": "", "target": ""}
    columns = {column.name: column.choices for column in kind.encoder.columns}
    return {"columns": _written(columns, 88), "target": kind.answer}


def _own(kind: Project, own: Examples | None) -> str:
    """The student's own examples, written out: a table by rows, pictures compressed."""
    if own is None or not len(own):
        return "None"
    answers = pprint.pformat(own.targets.tolist(), width=90, compact=True)
    answers = textwrap.indent(answers, "        ").strip()
    if own.inputs.dtype == torch.uint8:
        pieces = textwrap.wrap(printed.packed(own.inputs), 84, break_on_hyphens=False)
        text = "\n".join(f"        {piece!r}" for piece in pieces)
        shape = ", ".join(map(str, own.inputs.shape))
        inputs = f"unpacked(\n{text},\n        {shape},\n    )"
        return f"Examples(\n    {inputs},\n    torch.tensor({answers}),\n)"
    if not isinstance(kind, TableProject):
        rows = "\n".join(f"            {row}," for row in own.inputs.tolist())
        inputs = f"torch.tensor(\n        [\n{rows}\n        ]\n    )"
        return f"Examples(\n    {inputs},\n    torch.tensor({answers}),\n)"
    heading = ", ".join([*kind.encoder.features, kind.answer])
    rows = "\n".join(
        f"        ({row}, {answer!r}),"
        for row, answer in zip(own.inputs.tolist(), own.targets.tolist(), strict=True)
    )
    lines = [
        "Examples(",
        "    *map(torch.tensor, zip(*[",
        *textwrap.wrap(heading, 84, initial_indent="        # ", subsequent_indent="        # "),
        rows,
        "    ], strict=True))",
        ")",
    ]
    return "\n".join(lines)


def _module(module: nn.Module) -> str:
    """The real module as it is written in Python."""
    match module:
        case nn.Linear():
            return f"nn.Linear({module.in_features}, {module.out_features})"
        case nn.Conv2d():
            size, stride, padding = module.kernel_size[0], module.stride[0], module.padding[0]
            return (
                f"nn.Conv2d({module.in_channels}, {module.out_channels}, {size}, "
                f"stride={stride}, padding={padding})"
            )
        case models.Maxout():
            return f"Maxout({_module(module.pieces)})"
        case models.Dropout():
            return f"Dropout({module.share!r}, dropout)"
        case nn.Unflatten():
            return f"nn.Unflatten({module.dim}, {tuple(module.unflattened_size)})"
        case nn.LeakyReLU():
            return f"nn.LeakyReLU({module.negative_slope!r})"
        case nn.ELU():
            return f"nn.ELU({module.alpha!r})"
        case nn.Flatten() | nn.Sigmoid() | nn.Tanh() | nn.ReLU():
            return f"nn.{type(module).__name__}()"
    raise ValueError(f"no code for {module}")


def _distance(recipe: Recipe) -> str:
    """The loss of a network with one output."""
    return {
        "bce": "nn.BCEWithLogitsLoss()",
        "mse": "nn.MSELoss()",
        "l1": "nn.L1Loss()",
        "huber": f"nn.HuberLoss(delta={recipe.huber_delta!r})",
    }.get(recipe.loss, "")


def _optimizer(recipe: Recipe) -> str:
    """As :func:`playground.optimizers.build` makes it."""
    rate = f"model.parameters(), lr={recipe.learning_rate!r}"
    decay = f"weight_decay={recipe.weight_decay!r}"
    betas = f"betas=({recipe.beta1!r}, {recipe.beta2!r})"
    match recipe.optimizer:
        case "momentum" | "nesterov" if recipe.momentum > 0:
            more = f"momentum={recipe.momentum!r}"
            more += ", nesterov=True" if recipe.optimizer == "nesterov" else ""
            return f"optim.SGD({rate}, {more}, {decay}, fused=True)"
        case "sgd" | "momentum" | "nesterov":
            return f"optim.SGD({rate}, {decay}, fused=True)"
        case "rmsprop":
            return f"optim.RMSprop({rate}, alpha={recipe.beta2!r}, {decay})"
        case "adam":
            return f"optim.Adam({rate}, {betas}, {decay}, fused=True)"
        case "adamw":
            return f"optim.AdamW({rate}, {betas}, {decay}, fused=True)"
    raise ValueError(recipe.optimizer)


def _factor(recipe: Recipe) -> str:
    """What the schedule multiplies the learning rate by; "" for a constant one."""
    match recipe.schedule:
        case "one_cycle":
            return "one_cycle(step - 1, epochs * steps_per_epoch)"
        case "cosine":
            return "cosine(step - 1, epochs * steps_per_epoch)"
        case "step":
            every = f"{recipe.step_epochs} * steps_per_epoch"
            return f"stairs(step - 1, {every}, {recipe.step_factor!r})"
    return ""


def _changes(history: History | None) -> dict[int, dict[str, float]]:
    """First step -> setting -> new value, of what was changed on the way."""
    found: dict[int, dict[str, float]] = {}
    for change in history.changes if history is not None else ():
        value = int(change.value) if change.name == "threads" else change.value
        found.setdefault(change.step, {})[change.name] = value
    return found


__all__ = ["PARTS", "Part", "lines", "parts", "script", "text"]
