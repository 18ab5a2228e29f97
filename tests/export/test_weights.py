"""A network as a file: what was saved comes back, and nothing else is believed."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
from collections.abc import Callable
from typing import Any, Final

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from safetensors import torch as safetensors
from torch import nn

import playground
from playground.data.dataset import Scaler
from playground.errors import PlaygroundError
from playground.export import weights
from playground.fields import FieldError
from playground.history import EpochRow, History
from playground.projects import PROJECTS, project
from playground.projects.base import Predictor, Project
from playground.recipe import FIELDS, Recipe, RecipeError

SMALL: Final[dict[str, Any]] = {
    "hidden": (5, 4),
    "channels": (2, 3),
    "kernels": (4, 3),
    "strides": (2, 1),
}


def untrained(kind: Project, **changes: Any) -> Predictor:
    """A network with the weights of its seed, and a scaler that no data set has."""
    recipe = kind.recipe(**{**SMALL, **changes})
    shape = () if kind.pictures else kind.input_shape(recipe)
    numbers = torch.Generator().manual_seed(1)
    scaler = Scaler(torch.rand(shape, generator=numbers), torch.rand(shape, generator=numbers) + 1)
    return Predictor(kind, recipe, kind.build(recipe), scaler)


COFFEE: Final = untrained(project("coffee"))
SAVED: Final = weights.save(COFFEE)


def header(raw: bytes) -> tuple[dict[str, Any], bytes]:
    """A file's header as plain data, and the bytes after it."""
    length = int.from_bytes(raw[:8], "little")
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def put_together(head: object, body: bytes) -> bytes:
    text = json.dumps(head).encode()
    return len(text).to_bytes(8, "little") + text + body


def with_metadata(**changes: str | None) -> bytes:
    """The saved file with some of its metadata changed, or (None) taken out."""
    head, body = header(SAVED)
    metadata = {**head["__metadata__"], **changes}
    head["__metadata__"] = {name: text for name, text in metadata.items() if text is not None}
    return put_together(head, body)


def with_tensors(change: Callable[[dict[str, torch.Tensor]], object]) -> bytes:
    tensors = {name: one.clone() for name, one in COFFEE.model.state_dict().items()}
    change(tensors)
    return safetensors.save(tensors, header(SAVED)[0]["__metadata__"])


@pytest.mark.parametrize("activation", FIELDS["activation"].choices)
@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_a_network_comes_back_bit_for_bit(name: str, activation: str) -> None:
    kind = project(name)
    for architecture in ("mlp", "cnn") if kind.pictures else ("mlp",):
        asked = untrained(kind, activation=activation, architecture=architecture)
        kept = weights.load(weights.save(asked))
        assert kept.recipe == asked.recipe
        assert torch.equal(kept.scaler.mean, asked.scaler.mean)
        assert torch.equal(kept.scaler.std, asked.scaler.std)
        fresh = kind.build(kept.recipe)
        nn.init.zeros_(next(fresh.parameters()))
        fresh.load_state_dict(kept.weights)
        restored = Predictor(kind, kept.recipe, fresh, kept.scaler)
        inputs = torch.rand(4, *kind.input_shape(kept.recipe))
        assert torch.equal(restored.ask(inputs), asked.ask(inputs))


def test_the_file_says_what_the_network_reached(regression: Project) -> None:
    run = playground.train("rows")
    asked = Predictor(regression, run.recipe, run.model, run.dataset.scaler)
    figures = weights.load(weights.save(asked, run.history)).figures
    assert figures is not None
    last = run.history.epochs[-1]
    assert figures == weights.ReportedMetrics(last.epoch, last.train, last.validation)
    assert weights.load(weights.save(asked)).figures is None


def rows(*losses: float) -> list[EpochRow]:
    return [
        EpochRow(number, 10 * number, {"loss": loss}, {"loss": loss}, 0.0, 0.0)
        for number, loss in enumerate(losses, start=1)
    ]


@pytest.mark.parametrize(
    ("patience", "steps", "ended", "epoch"),
    [
        (0, 30, "finished", 3),
        (0, 30, "stopped", 3),
        (0, 34, "stopped", None),  # in the middle of the fourth epoch
        (0, 34, None, None),
        (2, 30, "patience", 2),  # with the weights of the best epoch again
        (5, 30, "finished", 2),
        (5, 30, "stopped", 3),
        (5, 30, "target", 3),
        (0, 30, "diverged", None),
    ],
)
def test_the_figures_are_those_of_the_very_weights(
    patience: int, steps: int, ended: Any, epoch: int | None
) -> None:
    history = History(losses=[1.0] * steps, epochs=rows(3, 1, 2), ended=ended)
    row = weights.measured(COFFEE.recipe.with_(patience=patience), history)
    assert (row and row.epoch) == epoch


def test_before_the_first_epoch_there_are_no_figures() -> None:
    assert weights.measured(COFFEE.recipe, History()) is None


def test_a_recipe_comes_back_from_json() -> None:
    for name in PROJECTS:
        recipe = project(name).recipe(epochs=3, hidden=(7,))
        assert weights.read(weights.to_json(recipe)) == recipe
        assert weights.read(b"\xef\xbb\xbf\n " + weights.to_json(recipe)) == recipe


def test_which_kind_of_file_it_is_shows_in_its_first_bytes() -> None:
    assert isinstance(weights.read(SAVED), weights.SavedNetwork)
    assert isinstance(weights.read(weights.to_json(COFFEE.recipe)), Recipe)


def torch_file(**options: Any) -> bytes:
    out = io.BytesIO()
    torch.save(COFFEE.model.state_dict(), out, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    "raw",
    [
        torch_file(),
        torch_file(_use_new_zipfile_serialization=False),
        pickle.dumps({"a": 1}),
        pickle.dumps(COFFEE.model.state_dict(), protocol=2),
    ],
    ids=["zip", "old", "values", "weights"],
)
def test_a_pickle_is_refused_with_the_reason(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: Any, **options: Any) -> None:
        raise AssertionError("something was unpickled")

    monkeypatch.setattr(torch, "load", never)
    monkeypatch.setattr(pickle, "load", never)
    monkeypatch.setattr(pickle, "loads", never)
    with pytest.raises(weights.WeightsError, match="run any program"):
        weights.read(raw)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "doesn't come from this app"),
        (b"hello, world", "doesn't come from this app"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "doesn't come from this app"),
        (b"\x08\x0a:something", "ONNX"),
        (SAVED[:-1], "damaged"),
        (SAVED + b"\0", "damaged"),
        (SAVED[:40], "damaged"),
        ((2**63).to_bytes(8, "little") + SAVED[8:], "damaged"),
        (put_together({"a": {"dtype": "F9", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)), "d"),
        (bytes(weights.MAX_BYTES + 1), "25 MB"),
        (b"{" + b" " * weights.MAX_RECIPE, "100 kB"),
        (b"{\xff}", "doesn't come from this app"),
        (b"{", "not a recipe"),
        (b"[" * 100_000, "doesn't come from this app"),
        (b'{"a":' * 10_000, "not a recipe"),
        (safetensors.save({"w": torch.ones(1)}), "no recipe"),
        (safetensors.save({"w": torch.ones(1)}, {"a": "b"}), "no recipe"),
        (with_metadata(recipe=None), "no recipe"),
        (with_metadata(scaler=None), "scaler"),
        (with_metadata(scaler="[1]"), "scaler"),
        (with_metadata(scaler='{"mean": [1, 2], "std": [1, 2]}'), "scaler"),
        (with_metadata(scaler='{"mean": NaN, "std": [[1]]}'), "scaler"),
        (with_metadata(scaler="[" * 100_000), "scaler"),
        (with_metadata(figures="{}"), "figures"),
        (with_metadata(figures='{"epoch": 1, "train": {"loss": "x"}, "validation": {}}'), "fig"),
        (with_metadata(figures='{"epoch": 1, "train": {"loss": NaN}, "validation": {}}'), "fig"),
        (with_metadata(figures='{"epoch": "1", "train": {}, "validation": {}}'), "figures"),
        (with_tensors(lambda t: t.pop("1.bias")), "lacks 1.bias"),
        (with_tensors(lambda t: t.update(more=torch.ones(1))), "'more'"),
        (with_tensors(lambda t: t.update({"1.bias": torch.ones(6)})), r"float32 \(6,\).*\(5,\)"),
        (with_tensors(lambda t: t.update({"1.bias": t["1.bias"].double()})), "float64"),
        (with_tensors(lambda t: t["3.weight"].view(-1)[2:3].fill_(float("nan"))), "3.weight"),
        (with_tensors(lambda t: t["3.weight"].view(-1)[2:3].fill_(-float("inf"))), "3.weight"),
    ],
    # Not the bytes themselves: safetensors writes its metadata in any order.
    ids=lambda given: given if isinstance(given, str) else "raw",
)
def test_a_file_that_is_none_of_ours_is_refused_by_name(raw: bytes, said: str) -> None:
    with pytest.raises(PlaygroundError, match=said):
        weights.read(raw)


def test_the_scaler_must_divide() -> None:
    scaler = json.loads(header(SAVED)[0]["__metadata__"]["scaler"])
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        scaler["std"][1] = wrong
        with pytest.raises(weights.WeightsError, match="scaler"):
            weights.load(with_metadata(scaler=json.dumps(scaler)))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"epochs": 0}, FieldError),
        ({"version": 2}, RecipeError),
        ({"project": "tea"}, RecipeError),
        ({"project": ["coffee"]}, RecipeError),
        ({"architecture": "cnn"}, RecipeError),
        ({"loss": "bce"}, RecipeError),
        ({"more": 1}, RecipeError),
        ({"data": {"price": 1}}, RecipeError),
        ({"target": 0.5}, RecipeError),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(change: dict[str, Any], kind: type) -> None:
    values = {**COFFEE.recipe.to_dict(), **change}
    with pytest.raises(kind):
        weights.load(with_metadata(recipe=json.dumps(values)))
    with pytest.raises(kind):
        weights.read(json.dumps(values).encode())


def test_a_file_cannot_ask_for_a_giant() -> None:
    """Gigabytes of weights, in a recipe of a kilobyte: refused without making them."""
    giant = {"channels": (128,), "kernels": (7,), "strides": (1,), "hidden": (1024,)}
    recipe = project("shapes").recipe().with_(**giant)
    with pytest.raises(PlaygroundError, match="One run may use 1024 MB"):
        weights.load(with_metadata(recipe=recipe.to_json()))


JSON: Final = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats(allow_nan=True)
    | some.text(max_size=8),
    lambda inner: (
        some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FUZZ: Final = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def read_or_refuse(raw: bytes) -> None:
    """Whatever the bytes are, they are read or a sentence says why not."""
    with contextlib.suppress(PlaygroundError):
        weights.read(raw)


@FUZZ
@given(
    some.lists(some.tuples(some.integers(0, len(SAVED) - 1), some.binary(max_size=6)), min_size=1),
    some.integers(0, len(SAVED)),
)
def test_mutated_bytes_are_read_or_refused(edits: list[tuple[int, bytes]], end: int) -> None:
    raw = bytearray(SAVED)
    for place, patch in edits:
        raw[place : place + len(patch)] = patch
    read_or_refuse(bytes(raw))
    read_or_refuse(bytes(raw[:end]))


@FUZZ
@given(some.data())
def test_mutated_headers_are_read_or_refused(data: some.DataObject) -> None:
    head, body = header(SAVED)
    name = data.draw(some.sampled_from(sorted(head)))
    key = data.draw(some.sampled_from(sorted(head[name])))
    shapes = some.lists(some.integers(-1, 2**64), max_size=4)
    kinds = some.sampled_from(["F32", "F16", "BF16", "F4", "F8_E8M0", "BOOL", "I64", "C64", "U8"])
    head[name][key] = data.draw(JSON | shapes | kinds)
    if name == "__metadata__" and data.draw(some.booleans()):
        head[name][key] = json.dumps(data.draw(JSON))
    read_or_refuse(put_together(head, body))


@FUZZ
@given(some.data())
def test_mutated_recipes_are_read_or_refused(data: some.DataObject) -> None:
    values = COFFEE.recipe.to_dict()
    for name in data.draw(some.lists(some.sampled_from(sorted(values)), max_size=4)):
        values[name] = data.draw(JSON)
    read_or_refuse(json.dumps(values).encode())
    read_or_refuse(with_metadata(recipe=json.dumps(values)))


@FUZZ
@given(some.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    read_or_refuse(raw)
    read_or_refuse(len(raw).to_bytes(8, "little") + b"{" + raw)


def test_a_giant_head_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A third of a million empty tensors took three seconds in which nobody was answered."""

    def read(raw: bytes) -> None:
        raise AssertionError("it was read")

    one = b'"%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    head = b"{" + b",".join(one % number for number in range(30_000)) + b"}"
    monkeypatch.setattr(weights.safetensors, "load", read)
    with pytest.raises(weights.WeightsError):
        weights.load(len(head).to_bytes(8, "little") + head)
