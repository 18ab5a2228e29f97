"""A network as an ONNX file, which other programs run: a phone, a browser, a C++ program.

The graph takes what a person gives (grey values 0..255, or a row in its own units) and
puts out what the page shows: scaler and softmax are part of it. It is written layer by
layer here, a thousandth of the work of ``torch.onnx.export``, which would run the network
to find out what it computes (measured: 1.4 to 2.7 s against a few ms).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from playground import models
from playground.data.dataset import Task
from playground.projects.base import Predictor

OPSET: Final = 18
IR: Final = 10  # the file format's version: old enough for the runtimes of 2024
BATCH: Final = "batch"  # the name of the axis whose length is free
# Task -> what the output is called.
ANSWERS: Final[dict[Task, str]] = {
    "classification": "probabilities",
    "binary": "probability",
    "regression": "value",
}


def save(predictor: Predictor) -> bytes:
    """The network as an ONNX model.

    Input ``input``: (batch, *shape) in raw units, uint8 for pictures and float32 for
    tables. Output by :data:`ANSWERS`: ``probabilities`` (batch, classes), or
    ``probability`` of a yes or ``value``, both (batch,). The metadata holds the recipe and
    the classes' labels as JSON.
    """
    project, recipe = predictor.project, predictor.recipe
    raw = TensorProto.UINT8 if project.pictures else TensorProto.FLOAT
    answer = ANSWERS[project.task]
    shape: list[str | int] = [BATCH, *project.input_shape(recipe)]
    classes = [len(project.labels)] if project.task == "classification" else []
    graph = _Graph()
    signal = graph.add("Cast", "input", to=TensorProto.FLOAT)
    signal = graph.add("Sub", signal, graph.constant("scaler.mean", predictor.scaler.mean))
    signal = graph.add("Div", signal, graph.constant("scaler.std", predictor.scaler.std))
    for name, module in predictor.model.named_children():
        signal = graph.layer(name, module, signal)
    graph.finish(project.task, signal, answer)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            project.name,
            [helper.make_tensor_value_info("input", raw, shape)],
            [helper.make_tensor_value_info(answer, TensorProto.FLOAT, [BATCH, *classes])],
            graph.constants,
        ),
        producer_name="playground",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR,
    )
    helper.set_model_props(
        model,
        {
            "recipe": recipe.to_json(),
            "labels": json.dumps(project.labels),
            "torch": torch.__version__,
        },
    )
    return bytes(model.SerializeToString())


class _Graph:
    """Nodes, each reading the signal of the one before, and the numbers that they use."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """One node; returns the name of its (first) output."""
        name = f"{len(self.nodes)}.{kind}"
        names = [name, *(f"{name}.{index}" for index in range(1, outputs))]
        self.nodes.append(helper.make_node(kind, inputs, names, name, **attributes))
        return name

    def constant(self, name: str, value: Tensor) -> str:
        array = value.detach().contiguous().numpy()
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def layer(self, name: str, module: nn.Module, signal: str) -> str:
        """The nodes of one module; its weights keep the names of the state dict.

        Raises:
            NotImplementedError: a module that :mod:`playground.models` does not make.
        """
        match module:
            case nn.Flatten():
                return self.add("Flatten", signal, axis=1)
            case nn.Unflatten(dim=1, unflattened_size=(1, _)):  # (n, h, w) -> (n, 1, h, w)
                axes = self.constant(f"{name}.axes", torch.tensor([1]))
                return self.add("Unsqueeze", signal, axes)
            case nn.Linear():
                return self.add("Gemm", signal, *self._weights(name, module), transB=1)
            case nn.Conv2d():
                assert not isinstance(module.padding, str)
                return self.add(
                    "Conv",
                    signal,
                    *self._weights(name, module),
                    kernel_shape=module.kernel_size,
                    strides=module.stride,
                    pads=[*module.padding, *module.padding],
                )
            case models.Maxout():
                both = self.layer(f"{name}.pieces", module.pieces, signal)
                first = self.add("Split", both, outputs=2, axis=1, num_outputs=2)
                return self.add("Max", first, f"{first}.1")
            case nn.Sigmoid():
                return self.add("Sigmoid", signal)
            case nn.Tanh():
                return self.add("Tanh", signal)
            case nn.ReLU():
                return self.add("Relu", signal)
            case nn.LeakyReLU():
                return self.add("LeakyRelu", signal, alpha=module.negative_slope)
            case nn.ELU():
                return self.add("Elu", signal, alpha=module.alpha)
            case models.Dropout():
                return signal  # only while training
        raise NotImplementedError(f"ONNX for {module}")

    def _weights(self, name: str, module: nn.Module) -> Iterator[str]:
        for own, value in module.named_parameters():
            yield self.constant(f"{name}.{own}", value)

    def finish(self, task: Task, signal: str, answer: str) -> None:
        """What :func:`playground.losses.answer` does with the outputs, into ``answer``."""
        if task == "classification":
            self.add("Softmax", signal, axis=1)
        else:
            if task == "binary":
                signal = self.add("Sigmoid", signal)
            self.add("Squeeze", signal, self.constant("answer.axes", torch.tensor([1])))
        self.nodes[-1].output[0] = answer
