"""A network as a file: its weights, and the recipe that built it, as safetensors.

A safetensors file is a JSON header and named arrays of numbers. Reading it can run
nothing, unlike a pickle (``torch.save``'s .pt), which is a program for a machine that
does what the file says. So an upload is never unpickled here, only refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor

from playground import models
from playground.data.dataset import Scaler
from playground.errors import PlaygroundError
from playground.fields import shown
from playground.history import EpochRow, History
from playground.i18n import N_
from playground.projects import opened, project
from playground.projects.base import Predictor, Project
from playground.recipe import Recipe

MAX_BYTES: Final = 25 * 2**20  # what .streamlit/config.toml lets a browser send
MAX_HEADER: Final = 2**20  # bytes before the numbers; the largest network's take 20 kB
MAX_RECIPE: Final = 100_000  # bytes; a recipe takes about a thousand

# What safetensors, json and torch raise at bytes that are not as they should be.
BROKEN: Final = (
    SafetensorError,
    AssertionError,
    ArithmeticError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)

PICKLED: Final = N_(
    "This looks like a file of torch.save or pickle (.pt, .pth, .pkl, .zip). Opening one can run "
    "any program that somebody hid in it, so none is opened here. Use the .safetensors file "
    "instead: it holds numbers and nothing else."
)
OTHER: Final = N_(
    "This file doesn't come from this app. You can load a .safetensors network or a .json recipe "
    "that was saved here."
)
# How a file begins -> why it cannot be read.
FOREIGN: Final = {
    b"PK": PICKLED,
    b"\x80": PICKLED,
    b"\x08": N_(
        "This looks like an ONNX file, which says what a network computes but not how to train it "
        "further. Use the .safetensors file instead."
    ),
}


class WeightsError(PlaygroundError):
    """A file that is no network of ours: names what is wrong with it and the way out."""


@dataclass(frozen=True)
class ReportedMetrics:
    """What a file says its network reached: by figure's name, after ``epoch``. Also its schema.

    ``train``: means over the epoch's batches while the weights moved. ``validation``:
    measured after it. The test set is not among them: nobody had looked at it yet.
    """

    epoch: int
    train: Mapping[str, float]
    validation: Mapping[str, float]


@dataclass(frozen=True)
class SavedNetwork:
    """A network as it was saved; the file is a stranger's, but everything here is checked.

    ``weights`` by name as ``state_dict`` has them. ``scaler`` is the one it learned with:
    with examples of somebody's own it is not the recipe's alone.
    """

    recipe: Recipe
    weights: dict[str, Tensor]
    scaler: Scaler
    figures: ReportedMetrics | None = None


def save(predictor: Predictor, history: History | None = None) -> bytes:
    """The network as a safetensors file, with everything in it that :func:`load` needs.

    ``history`` gives the figures of these weights, if an epoch has ended with them.
    """
    recipe, scaler = predictor.recipe, predictor.scaler
    metadata = {
        "format": "pt",
        "recipe": recipe.to_json(),
        "scaler": json.dumps({"mean": scaler.mean.tolist(), "std": scaler.std.tolist()}),
        "labels": json.dumps(predictor.project.labels),
        "torch": torch.__version__,
    }
    row = None if history is None else measured(recipe, history)
    if row is not None:
        figures = {"epoch": row.epoch, "train": row.train, "validation": row.validation}
        metadata["figures"] = json.dumps(figures)
    # A CNN's weights lie channels_last in memory; the file's are in the usual order.
    weights = {name: one.contiguous() for name, one in models.state(predictor.model).items()}
    return safetensors.save(weights, metadata)


def measured(recipe: Recipe, history: History) -> EpochRow | None:
    """The epoch whose figures are those of the weights that the run has now; None without one.

    With early stopping a run leaves with its best epoch's weights, else with the last
    step's, which may be in the middle of an epoch. Weights taken back from divergence
    have never been measured.
    """
    rows = history.epochs
    if not rows or history.ended == "diverged":
        return None
    if recipe.patience and history.ended in ("finished", "patience"):
        return min(rows, key=lambda row: row.validation["loss"])
    return rows[-1] if rows[-1].step == history.steps else None


def to_json(recipe: Recipe) -> bytes:
    """The recipe as a JSON file, a line a field."""
    return json.dumps(recipe.to_dict(), allow_nan=False, indent=2).encode()


def read(raw: bytes) -> SavedNetwork | Recipe:
    """What an uploaded file holds: a network, or only a recipe.

    Raises:
        PlaygroundError: as :func:`load` and :func:`load_recipe`.
    """
    if not _is_safetensors(raw) and raw[:40].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return load_recipe(raw)
    return load(raw)


def load_recipe(raw: bytes) -> Recipe:
    """A recipe from JSON, checked by its project.

    Raises:
        WeightsError: a file too long, or not text.
        RecipeError, FieldError: what the recipe's text or a value of it does not allow.
    """
    if len(raw) > MAX_RECIPE:
        raise WeightsError(
            N_(
                "A recipe takes about a kilobyte, and this text has {size}. Is this the right file?"
            ),
            size=f"{len(raw) // 1000} kB",
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WeightsError(OTHER) from error
    return _checked(text)


def load(raw: bytes, limited: bool = True) -> SavedNetwork:
    """Read what :func:`save` wrote, believing nothing of it.

    ``limited``: refuse a network that takes more than a run may now.

    Raises:
        WeightsError: a file too large, of another kind, damaged, without a recipe, or
            whose tensors are not exactly those of the network that its recipe builds
            (name, shape, float32, finite).
        RecipeError, FieldError: a recipe that cannot be, or not with its project.
    """
    if len(raw) > MAX_BYTES:
        raise WeightsError(
            N_("The file is {size} MB; at most {limit} MB can be loaded. Train a smaller network."),
            size=len(raw) // 2**20,
            limit=MAX_BYTES // 2**20,
        )
    if not _is_safetensors(raw):
        raise WeightsError(FOREIGN.get(raw[:2], FOREIGN.get(raw[:1], OTHER)))
    # Reading the head holds everybody up, and ours take some kilobytes.
    if MAX_HEADER < int.from_bytes(raw[:8], "little") < len(raw):
        raise WeightsError(OTHER)
    try:
        tensors = safetensors.load(raw)  # checks that names, sizes and bytes fit together
        said = metadata(raw)
    except BROKEN as error:
        raise WeightsError(N_("The file is damaged or cut off. Download it again.")) from error
    if "recipe" not in said:
        raise WeightsError(
            N_(
                "The file holds weights but no recipe, so nothing says which network they belong "
                "to. Use a file that was saved here."
            )
        )
    recipe = _checked(said["recipe"]) if limited else opened(said["recipe"])
    kind = project(recipe.project)
    weights = _fitting(tensors, kind, recipe)
    return SavedNetwork(recipe, weights, _scaler(said, kind, recipe), _figures(said))


class HeaderSchema(msgspec.Struct):
    """The head of a safetensors file, but for its tensors."""

    metadata: dict[str, str] | None = msgspec.field(name="__metadata__", default=None)


class ScalerSchema(msgspec.Struct):
    """A :class:`Scaler` as JSON has it: one number for pictures, one a column for a table."""

    mean: float | list[float]
    std: float | list[float]


def metadata(raw: bytes) -> dict[str, str]:
    """Read what is written in the head of a safetensors file beside its tensors.

    Raises:
        what ``BROKEN`` says: it is something else.
    """
    length = int.from_bytes(raw[:8], "little")
    return msgspec.json.decode(raw[8 : 8 + length], type=HeaderSchema).metadata or {}


def _is_safetensors(raw: bytes) -> bool:
    """Eight bytes say how long the header is, and that is JSON."""
    return raw[8:9] == b"{"


def _checked(text: str) -> Recipe:
    recipe = opened(text)
    return project(recipe.project).check(recipe)


def _fitting(tensors: dict[str, Tensor], kind: Project, recipe: Recipe) -> dict[str, Tensor]:
    """The file's ``tensors``, if they are exactly those of the recipe's network."""
    # Compared before anything is made: a file may name a network of any size.
    expected = kind.skeleton(recipe).state_dict()
    for name in expected:
        if name not in tensors:
            raise WeightsError(
                N_(
                    "The file lacks {tensor}, which its recipe's network needs. Use the file "
                    "exactly as it was saved."
                ),
                tensor=name,
            )
    for name, tensor in tensors.items():
        if name not in expected:
            raise WeightsError(
                N_(
                    "The file has {tensor}, which its recipe's network does not. Use the file "
                    "exactly as it was saved."
                ),
                tensor=shown(name),
            )
        if _kind(tensor) != _kind(expected[name]):
            raise WeightsError(
                N_(
                    "{tensor} is {found}, but its recipe's network needs {expected}. Use the file "
                    "exactly as it was saved."
                ),
                tensor=name,
                found=_kind(tensor),
                expected=_kind(expected[name]),
            )
        if not bool(torch.isfinite(tensor).all()):
            raise WeightsError(
                N_(
                    "{tensor} holds values that are not numbers (NaN or infinity), so the network "
                    "cannot answer. Use another file."
                ),
                tensor=name,
            )
    return {name: tensors[name] for name in expected}


def _kind(tensor: Tensor) -> str:
    """Type and shape, as a sentence quotes them: float32 (32, 5)."""
    return f"{tensor.dtype}".removeprefix("torch.") + f" {shown(tuple(tensor.shape))}"


def _scaler(metadata: Mapping[str, str], kind: Project, recipe: Recipe) -> Scaler:
    """The mean and spread that inputs are standardised with, one a column or one for pictures."""
    shape = () if kind.pictures else kind.input_shape(recipe)
    try:
        values = msgspec.json.decode(metadata["scaler"], type=ScalerSchema)
        mean, std = (torch.tensor(one, dtype=torch.float32) for one in (values.mean, values.std))
    except BROKEN as error:
        raise _unreadable("scaler") from error
    right = mean.shape == std.shape == shape
    if not (right and bool(mean.isfinite().all() & std.isfinite().all() & (std > 0).all())):
        raise _unreadable("scaler")
    return Scaler(mean, std)


def _figures(metadata: Mapping[str, str]) -> ReportedMetrics | None:
    if "figures" not in metadata:
        return None
    try:
        return msgspec.json.decode(metadata["figures"], type=ReportedMetrics)
    except BROKEN as error:
        raise _unreadable("figures") from error


def _unreadable(what: str) -> WeightsError:
    return WeightsError(
        N_(
            "The file's “{what}” is not as this app writes it. Use the file exactly as it was "
            "saved."
        ),
        what=what,
    )
