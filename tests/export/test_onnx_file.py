"""An exported ONNX file says what the page says, run by somebody else's program."""

from __future__ import annotations

import json
from typing import Any, Final

import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from playground.data.dataset import Scaler
from playground.export import onnx_file
from playground.projects import PROJECTS, project
from playground.projects.base import Predictor
from playground.recipe import FIELDS, Recipe

SMALL: Final[dict[str, Any]] = {"hidden": (7, 5), "elu_alpha": 0.7, "dropout": 0.3}
BLOCKS: Final = (  # an even kernel, and a stride that does not divide the picture
    {"channels": (3, 4), "kernels": (4, 3), "strides": (2, 1)},
    {"channels": (2, 3, 2), "kernels": (1, 5, 7), "strides": (3, 2, 1)},
)


def predictor(name: str, **changes: Any) -> Predictor:
    kind = project(name)
    recipe = kind.recipe(**{**SMALL, **changes})
    shape = () if kind.pictures else kind.input_shape(recipe)
    mean = torch.full(shape, 33.0 if kind.pictures else 0.5)
    return Predictor(kind, recipe, kind.build(recipe), Scaler(mean, 2 * mean + 0.1))


def session(raw: bytes) -> onnxruntime.InferenceSession:
    onnx.checker.check_model(raw, full_check=True)
    return onnxruntime.InferenceSession(raw, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("activation", FIELDS["activation"].choices)
@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_it_answers_as_the_page_does(name: str, activation: str) -> None:
    kind = project(name)
    numbers = torch.Generator().manual_seed(0)
    networks = [{"architecture": "mlp"}]
    if kind.pictures:
        networks += [{"architecture": "cnn", **blocks} for blocks in BLOCKS]
    for network in networks:
        asked = predictor(name, activation=activation, **network)
        running = session(onnx_file.save(asked))
        for batch in (1, 6):  # the same file takes any number of inputs
            shape = (batch, *kind.input_shape(asked.recipe))
            inputs = torch.rand(shape, generator=numbers) * 255
            inputs = inputs.to(torch.uint8) if kind.pictures else inputs / 50 - 2
            (said,) = running.run(None, {"input": inputs.numpy()})
            torch.testing.assert_close(torch.from_numpy(said), asked.ask(inputs))


@pytest.mark.parametrize(
    ("name", "answer", "shape"),
    [
        ("coffee", "value", ["batch"]),
        ("movies", "probability", ["batch"]),
        ("weekday", "probabilities", ["batch", 7]),
        ("digits", "probabilities", ["batch", 10]),
    ],
)
def test_inputs_and_outputs_are_named(name: str, answer: str, shape: list[Any]) -> None:
    asked = predictor(name)
    running = session(onnx_file.save(asked))
    (given,), (said,) = running.get_inputs(), running.get_outputs()
    assert given.name == "input"
    assert given.shape == ["batch", *asked.project.input_shape(asked.recipe)]
    assert given.type == ("tensor(uint8)" if asked.project.pictures else "tensor(float)")
    assert (said.name, said.shape) == (answer, shape)


def test_the_recipe_travels_along() -> None:
    asked = predictor("digits", epochs=3)
    metadata = session(onnx_file.save(asked)).get_modelmeta().custom_metadata_map
    assert Recipe.from_json(metadata["recipe"]) == asked.recipe
    assert json.loads(metadata["labels"]) == list(asked.project.labels)


def test_weights_keep_their_names() -> None:
    asked = predictor("digits", activation="maxout", architecture="cnn", **BLOCKS[0])
    names = {one.name for one in onnx.load_from_string(onnx_file.save(asked)).graph.initializer}
    assert set(asked.model.state_dict()) < names


def test_a_layer_that_it_does_not_know_is_not_left_out_silently() -> None:
    asked = predictor("coffee")
    strange = nn.Sequential(nn.Flatten(), nn.Softplus())
    with pytest.raises(NotImplementedError, match="Softplus"):
        onnx_file.save(Predictor(asked.project, asked.recipe, strange, asked.scaler))
