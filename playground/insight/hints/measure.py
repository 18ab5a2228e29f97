"""What has to be measured on the network itself, on some validation examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from playground import losses
from playground.data.dataset import Dataset
from playground.insight import quiet
from playground.insight.anatomy import spread
from playground.metrics import figures
from playground.recipe import Recipe

MAX_EXAMPLES: Final = 500
"""Validation examples to measure on: a share is then within some 4 points, at 95 %."""


@dataclass(frozen=True)
class Layer:
    """The neurons (for a convolution: the channels) behind one activation function.

    ``dead``: how many are (ReLU only). ``saturated``: the share of all their outputs that lie
    where the curve is flat (sigmoid and tanh only). See :mod:`playground.insight.quiet`.
    """

    number: int  # counted from 1, convolutions first
    units: int
    dead: int = 0
    saturated: float = 0.0


@dataclass(frozen=True)
class Measured:
    """A network on ``examples`` validation examples, with dropout off.

    ``answers`` and ``truths`` are the shares of each class (of no and yes, for a yes-no
    question) among its answers and in truth; empty for a regression.
    """

    examples: int
    layers: Sequence[Layer]
    answers: Sequence[float] = ()
    truths: Sequence[float] = ()


@torch.no_grad()
def measure(model: nn.Sequential, dataset: Dataset, most: int = MAX_EXAMPLES) -> Measured:
    """Look at ``model`` on at most ``most`` validation examples, spread evenly over them all."""
    inputs, targets = dataset.validation[spread(len(dataset.validation), most)]
    training = model.training
    model.eval()
    signal = dataset.scaler(inputs)
    layers: list[Layer] = []
    for module in model:
        sums, signal = signal, module(signal)
        if isinstance(module, nn.ReLU | nn.Sigmoid | nn.Tanh):
            layers.append(_layer(len(layers) + 1, module, sums, signal))
    model.train(training)
    if dataset.task == "regression":
        return Measured(len(inputs), layers)
    if dataset.task == "binary":
        classes, chosen = 2, (signal.squeeze(1) > 0).long()
    else:
        classes, chosen = signal.shape[1], signal.argmax(dim=1)
    return Measured(len(inputs), layers, _shares(chosen, classes), _shares(targets.long(), classes))


def _layer(number: int, bend: nn.Module, sums: Tensor, outputs: Tensor) -> Layer:
    """``outputs`` (n, units) of a dense layer or (n, units, height, width) of a convolution."""
    units = outputs.shape[1]
    if isinstance(bend, nn.ReLU):
        return Layer(number, units, dead=quiet.dead(outputs))
    share = quiet.flat(quiet.slopes(bend, sums)).float().mean().item()
    return Layer(number, units, saturated=share)


def _shares(classes: Tensor, count: int) -> list[float]:
    shares: list[float] = (torch.bincount(classes, minlength=count) / len(classes)).tolist()
    return shares


def constant(dataset: Dataset, recipe: Recipe, classes: int = 0) -> dict[str, float]:
    """Loss and figures on the validation set of one and the same answer to every input.

    The answer is chosen on the training set: the shares of the ``classes``, or (for a
    regression) the mean or the median, whichever has the lower loss there.
    """
    loss = losses.build(recipe)
    train, validation = dataset.train.targets, dataset.validation.targets
    if dataset.task == "regression":
        answers = [train.mean(), train.median()]
        answer = min(answers, key=lambda one: float(loss(_all(one.view(1), len(train)), train)))
        outputs = _all(answer.view(1), len(validation))
    elif dataset.task == "binary":
        outputs = _all(torch.logit(train.float().mean().view(1), eps=1e-6), len(validation))
    else:
        shares = torch.bincount(train, minlength=classes) / len(train)
        if recipe.loss == "cross_entropy":  # what label smoothing asks for instead
            shares += recipe.label_smoothing * (1 / classes - shares)
        outputs = _all(shares.clamp(min=1e-6).log(), len(validation))
    return {"loss": float(loss(outputs, validation)), **figures(dataset.task, outputs, validation)}


def _all(answer: Tensor, count: int) -> Tensor:
    """The outputs (count, k) of a network that always puts out ``answer`` (k,)."""
    return answer.expand(count, -1)
