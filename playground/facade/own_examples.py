"""A person's own examples for the library and the terminal: read from a file, and checked."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from playground.data.dataset import Examples
from playground.errors import PlaygroundError
from playground.fields import shown
from playground.i18n import N_
from playground.projects.base import Project
from playground.recipe import Recipe

SAID: Final = 5  # problems of a file that its error quotes


def read(kind: Project, path: str | os.PathLike[str], recipe: Recipe, skip: bool) -> Examples:
    """The examples in a file, as ``recipe`` wants them, by the readers of the pages' uploads.

    A table is a CSV with the project's columns, a game of rock, paper, scissors a CSV of
    its rounds, pictures a ZIP with a folder for each class. What cannot be used is an
    error, or left out with ``skip``.

    Raises:
        PlaygroundError: no such file, nothing in it that can be used, or (without
            ``skip``) anything in it that cannot.
    """
    name = Path(path).name
    try:
        raw = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PlaygroundError(
            N_("{name} cannot be read: {reason}."), name=shown(str(path)), reason=reason
        ) from error
    examples, problems = kind.read(raw, name, recipe)
    if problems and (not skip or not len(examples)):
        raise PlaygroundError(
            N_(
                "{name}: {good} can be used, and these cannot: {problems} Correct them, or leave "
                "them out with skip=True (in a terminal --skip)."
            ),
            name=name,
            good=len(examples),
            problems=" ".join(one.text() for one in problems[:SAID])
            + (f" (… {len(problems) - SAID})" if len(problems) > SAID else ""),
        )
    return examples


def checked(kind: Project, recipe: Recipe, own: object) -> Examples | None:
    """``own`` as training takes it: tensors of the right shape and type; None for None.

    Numpy arrays and other types of numbers are converted where nothing is lost.

    Raises:
        PlaygroundError: it is something else; the error names what is wanted.
    """
    if own is None:
        return None
    wanted = _wanted(kind, recipe)
    if not isinstance(own, Examples):
        raise _refused(wanted, type(own).__name__)
    inputs = _tensor(own.inputs, wanted)
    targets = _tensor(own.targets, wanted)
    shape = kind.input_shape(recipe)
    if tuple(inputs.shape[1:]) != shape or targets.ndim != 1:
        raise _refused(wanted, f"{tuple(inputs.shape)}, {tuple(targets.shape)}")
    if kind.pictures:
        if inputs.dtype != torch.uint8:
            whole = not inputs.is_floating_point() and inputs.dtype != torch.bool
            if not (whole and _within(inputs, 0, 255)):
                raise _refused(wanted, _range(inputs))
            inputs = inputs.to(torch.uint8)
    else:
        inputs = inputs.float()
        if not bool(inputs.isfinite().all()):
            raise _refused(wanted, _range(inputs))
    if kind.task == "classification":
        if targets.is_floating_point() or not _within(targets, 0, len(kind.labels) - 1):
            raise _refused(wanted, _range(targets))
        targets = targets.long()
    else:
        targets = targets.float()
        right = bool(targets.isfinite().all())
        if kind.task == "binary":
            right = right and bool(((targets == 0) | (targets == 1)).all())
        if not right:
            raise _refused(wanted, _range(targets))
    return Examples(inputs, targets)


def _wanted(kind: Project, recipe: Recipe) -> Mapping[str, Any]:
    """What the sentence says is wanted, in symbols that need no translation."""
    shape = ", ".join(map(str, kind.input_shape(recipe)))
    answers = {
        "classification": f"int64 (n,) 0 … {len(kind.labels) - 1}",
        "binary": "float32 (n,) 0 | 1",
        "regression": "float32 (n,)",
    }
    values = "uint8" if kind.pictures else "float32"
    return {"inputs": f"{values} (n, {shape})", "targets": answers[kind.task]}


def _tensor(values: object, wanted: Mapping[str, Any]) -> Tensor:
    try:
        return torch.as_tensor(np.asarray(values) if not isinstance(values, Tensor) else values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise _refused(wanted, type(values).__name__) from error


def _within(values: Tensor, low: float, high: float) -> bool:
    return not len(values) or bool(values.min() >= low and values.max() <= high)


def _range(values: Tensor) -> str:
    kind = f"{values.dtype}".removeprefix("torch.")
    if not values.numel():
        return kind
    low, high = values.min().item(), values.max().item()
    return f"{kind} {low:g} … {high:g}" if math.isfinite(high) else f"{kind} {high}"


def _refused(wanted: Mapping[str, Any], found: str) -> PlaygroundError:
    return PlaygroundError(
        N_(
            "Your own examples must be Examples(inputs, targets), here with inputs {inputs} and "
            "targets {targets}, not {found}. playground.table reads them from a file."
        ),
        **wanted,
        found=found,
    )
