"""Small pictures for the map on the start page: what each page is about, by its own code.

Each is an SVG without words, so one serves both languages, drawn once a process. The
strokes are of a middling brightness on no background: they are seen on light and on dark.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn

from playground import data_url, models, optimizers
from playground.lesson import loss_curves
from playground.projects import PROJECTS
from playground.projects.sketch import (
    BLUE,
    GREEN,
    HEIGHT,
    INK,
    PINK,
    RED,
    SKY,
    WIDTH,
    YELLOW,
    blend,
    box,
    dot,
    path,
    pixels,
    scaled,
)
from playground.recipe import Recipe
from playground.seeds import generator


@cache
def url(stem: str) -> str:
    """The picture of the page ``pages/{stem}.py``, as an address with the whole SVG in it."""
    return data_url.svg(svg(stem))


def svg(stem: str) -> str:
    """The picture of the page ``pages/{stem}.py``, as SVG."""
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{DRAWN[stem]()}</svg>'


# --- The lesson ---------------------------------------------------------------------------


def neuron() -> str:
    """The half-planes of one neuron with two inputs, and points on either side."""
    weights, bias = torch.tensor([1.6, 2.6]), -0.4
    x, y = torch.meshgrid(torch.linspace(-2, 2, 64), torch.linspace(1.1, -1.1, 36), indexing="xy")
    points = torch.randn(24, 2, generator=generator(2, "thumbnail")) * torch.tensor([1.1, 0.7])
    points = points[(points.abs() < torch.tensor([1.9, 1.0])).all(dim=1)]
    said = (torch.stack([x, y], dim=2) @ weights + bias).sigmoid()
    classes = points @ weights + bias > 0
    drawn = pixels(blend(said, "#f6c48c", "#9cc7e6"), (8, 8, WIDTH - 16, HEIGHT - 16), False)
    places = scaled(points[:, 0].tolist(), points[:, 1].tolist(), (-2, 2), (-1.1, 1.1))
    for (px, py), yes in zip(places, classes.tolist(), strict=True):
        drawn += dot(px, py, BLUE if yes else RED)
    return drawn


def activations() -> str:
    """Sigmoid, tanh and ReLU, as the models have them."""
    xs = torch.linspace(-4, 4, 60)
    drawn = path([(8, HEIGHT / 2), (WIDTH - 8, HEIGHT / 2)], INK, 1)
    drawn += path([(WIDTH / 2, 8), (WIDTH / 2, HEIGHT - 8)], INK, 1)
    for name, color in (("tanh", YELLOW), ("sigmoid", BLUE), ("relu", RED)):
        bend = models.activation(Recipe("", activation=name))
        assert bend is not None
        drawn += path(scaled(xs.tolist(), bend(xs).tolist(), (-4, 4), (-1.5, 1.5)), color)
    return drawn


COLUMNS: Final = (3, 4, 2)  # neurons of the small network, from the input to the output
SMALL: Final = Recipe("", hidden=(4,), activation="tanh", seed=3)


def _weights(model: nn.Sequential) -> list[nn.Parameter]:
    """Its two weight matrices, (to, from)."""
    return [weights for name, weights in model.named_parameters() if name.endswith("weight")]


def _network() -> tuple[nn.Sequential, list[Tensor]]:
    """A small network of the playground's, and what its columns pass on for one input."""
    model = models.build(SMALL, (COLUMNS[0],), COLUMNS[-1])
    inputs = torch.tensor([[1.0, -0.6, 0.4]])
    hidden = model[:3](inputs)
    return model, [inputs[0], hidden[0], model(inputs)[0]]


def _places(middle: float) -> list[list[tuple[float, float]]]:
    """Where the neurons of each column are drawn, around the height ``middle``."""
    return [
        [(24 + 56 * column, middle + 20 * (place - (count - 1) / 2)) for place in range(count)]
        for column, count in enumerate(COLUMNS)
    ]


def _edges(strengths: Sequence[Tensor], colors: tuple[str, str], middle: float) -> str:
    """Lines between the columns; ``strengths``: a matrix (to, from) for each gap."""
    drawn = ""
    for (left, right), matrix in zip(pairwise(_places(middle)), strengths, strict=True):
        relative = (matrix / matrix.abs().max()).tolist()
        for target, row in zip(right, relative, strict=True):
            for source, strength in zip(left, row, strict=True):
                drawn += path([source, target], colors[strength < 0], 0.5 + 3.5 * abs(strength))
    return drawn


def forward_pass() -> str:
    """A small network: weights as lines, what each neuron passes on as a brightness."""
    model, values = _network()
    drawn = _edges([weights.detach() for weights in _weights(model)], (SKY, YELLOW), 45)
    for column, signal in zip(_places(45), values, strict=True):
        for (x, y), value in zip(column, signal.tolist(), strict=True):
            share = 0.25 + 0.75 * min(abs(value), 1)
            drawn += dot(x, y, "#ffffff", 8.5) + dot(x, y, BLUE, 8.5, share)
    return drawn


def loss() -> str:
    """MSE, MAE and Huber over the prediction."""
    xs = [n / 15 for n in range(-30, 31)]
    drawn = ""
    for kind, color in (("mse", BLUE), ("l1", YELLOW), ("huber", GREEN)):
        ys = loss_curves.trace(loss_curves.of_prediction(kind, 0.0), xs)[0]
        drawn += path(scaled(xs, ys, (-2, 2), (0, 2.2)), color)
    value, slope = loss_curves.at(loss_curves.of_prediction("mse", 0.0), 0.9)
    line = loss_curves.tangent(0.9, value, slope, reach=0.5, rise=0.8)
    (x, y), *_rest = scaled([0.9], [value], (-2, 2), (0, 2.2))
    return drawn + path(scaled(*line, (-2, 2), (0, 2.2)), INK) + dot(x, y, BLUE, 5)


def backpropagation() -> str:
    """The same network: the gradient of each weight, flowing back from the loss."""
    model, values = _network()
    wanted = torch.tensor([0.8, -0.9])
    gradients = torch.autograd.grad(nn.functional.mse_loss(values[-1], wanted), _weights(model))
    drawn = _edges(gradients, (RED, RED), 38)
    for column in _places(38):
        for x, y in column:
            drawn += dot(x, y, INK, 6.5)
    tip = [(32.0, 77.0), (24.0, 82.0), (32.0, 87.0)]
    return drawn + path([(136, 82), (24, 82)], RED, 2) + path(tip, RED, 2)


def optimizer_race() -> str:
    """Lines of equal loss of a long bowl, and the ways of SGD and momentum down into it."""

    def bowl(at: Tensor) -> Tensor:
        return 0.5 * (at[0] ** 2 + 12 * at[1] ** 2)

    drawn = ""
    turn = torch.linspace(0, 2 * math.pi, 48)
    for level in (0.15, 0.8, 2.0, 3.7, 6.0):
        across = (math.sqrt(2 * level) * turn.cos()).tolist()
        along = (math.sqrt(level / 6) * turn.sin()).tolist()
        drawn += path(scaled(across, along, (-3.5, 3.5), (-1.05, 1.05)), INK, 1)
    for name, color in (("sgd", BLUE), ("momentum", RED)):
        weights = nn.Parameter(torch.tensor([-3.0, 0.7]))
        optimizer = optimizers.build(
            Recipe("", optimizer=name, learning_rate=0.12 if name == "sgd" else 0.03), [weights]
        )
        way = [weights.tolist()]
        for _step in range(30):
            optimizer.zero_grad()
            bowl(weights).backward()
            optimizer.step()
            way.append(weights.tolist())
        xs, ys = zip(*way, strict=True)
        drawn += path(scaled(xs, ys, (-3.5, 3.5), (-1.05, 1.05)), color, 2.2)
    return drawn


def batches() -> str:
    """The loss over the steps of SGD: all examples in each step, or four of them."""
    source = generator(5, "thumbnail")
    inputs = torch.randn(64, 1, generator=source)
    targets = 1.5 * inputs + 0.8 * torch.randn(64, 1, generator=source)
    drawn = ""
    for size, color, width in ((4, SKY, 1.5), (64, BLUE, 3.0)):
        weight, bias = (nn.Parameter(torch.tensor(start)) for start in (-0.6, 0.8))
        optimizer = optimizers.build(
            Recipe("", optimizer="sgd", learning_rate=0.03), [weight, bias]
        )
        curve = []
        for _step in range(60):
            chosen = torch.randperm(64, generator=source)[:size]
            optimizer.zero_grad()
            value = nn.functional.mse_loss(weight * inputs[chosen] + bias, targets[chosen])
            value.backward()
            optimizer.step()
            curve.append(min(value.item(), 7.0))
        drawn += path(scaled(range(60), curve, (0, 59), (0, 7)), color, width)
    return drawn


def pytorch() -> str:
    """Five parts, the last of which goes round."""
    drawn = path([(24, 35), (136, 35)], INK, 2)
    for place, color in enumerate((BLUE, YELLOW, GREEN, PINK, RED)):
        drawn += box(12 + 28 * place, 23, 24, 24, color)
    drawn += path([(136, 50), (136, 70), (24, 70), (24, 52)], INK, 2)
    return drawn + path([(19, 57), (24, 51), (29, 57)], INK, 2)


DRAWN: Final[dict[str, Callable[[], str]]] = {
    "neuron": neuron,
    "activations": activations,
    "forward_pass": forward_pass,
    "loss": loss,
    "backpropagation": backpropagation,
    "optimizers": optimizer_race,
    "batches": batches,
    "pytorch": pytorch,
    **{name: kind.thumbnail for name, kind in PROJECTS.items()},
}
