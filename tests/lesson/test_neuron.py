"""Neurons set by hand: the same numbers as torch's layers, and the shapes they should draw."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from playground.lesson import neuron, toy_points

NUMBERS = st.floats(-3, 3, width=32)


@settings(deadline=None, max_examples=60)
@given(st.lists(NUMBERS, min_size=4, max_size=4), st.lists(NUMBERS, min_size=2, max_size=2))
def test_a_layer_is_the_lectures_sums(w: list[float], x: list[float]) -> None:
    layer = neuron.layer([w[:2], w[2:]], [0.5, -1.0])
    inputs = torch.tensor([x], requires_grad=True)
    outputs = layer(inputs)
    a11 = w[0] * x[0] + w[1] * x[1] + 0.5
    a12 = w[2] * x[0] + w[3] * x[1] - 1.0
    assert outputs[0].tolist() == pytest.approx([a11, a12], abs=1e-5)
    outputs[0, 0].backward()
    assert inputs.grad is not None
    assert inputs.grad[0].tolist() == pytest.approx(w[:2])  # ∂a₁₁/∂x = its weights
    assert layer.weight.grad is not None
    assert layer.weight.grad.tolist() == [pytest.approx(x), [0, 0]]


@settings(deadline=None, max_examples=60)
@given(NUMBERS, NUMBERS, NUMBERS)
def test_the_boundary_is_where_the_sum_is_zero(w1: float, w2: float, b: float) -> None:
    xs, ys = neuron.boundary(w1, w2, b, 4)
    for x, y in zip(xs, ys, strict=True):
        assert max(abs(x), abs(y)) == pytest.approx(4)  # its ends lie on the rim
        assert w1 * x + w2 * y + b == pytest.approx(0, abs=1e-5)
    corners = [w1 * x + w2 * y + b for x in (-4, 4) for y in (-4, 4)]
    if min(corners) < 0 < max(corners):
        assert len(xs) == len(ys) == 2


def test_no_weights_no_boundary() -> None:
    assert neuron.boundary(0, 0, 1, 4) == ([], [])
    assert neuron.boundary(0, 0, 0, 4) == ([], [])
    assert neuron.boundary(0.1, 0, 3, 4) == ([], [])  # outside


@pytest.mark.parametrize("neurons", range(1, 9))
def test_a_network_has_as_many_bends_as_neurons(neurons: int) -> None:
    net = neuron.bends(neurons)
    xs = torch.linspace(-5, 5, 1001)[:, None].requires_grad_()
    (slopes,) = torch.autograd.grad(net(xs).sum(), xs)
    changes = (slopes.diff(dim=0).abs() > 1e-3).sum()
    assert changes == neurons


def test_more_neurons_come_nearer() -> None:
    distances = [neuron.distance(neuron.bends(neurons)) for neurons in range(1, 9)]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.06


def test_the_output_weights_are_the_best_ones() -> None:
    """No gradient of the squared distance is left, as there would be if others were nearer."""
    net = neuron.bends(5)
    xs = torch.linspace(-neuron.REACH, neuron.REACH, 121)[:, None]
    nn.functional.mse_loss(net(xs), neuron.hill(xs)).backward()
    assert net[2].weight.grad.abs().max() < 1e-4
    assert net[2].bias.grad.abs().max() < 1e-4


@pytest.mark.parametrize("edges", range(1, 7))
def test_half_planes_are_joined_as_asked(edges: int) -> None:
    grid = torch.cartesian_prod(*2 * [torch.linspace(-3.9, 3.9, 40)])
    angles = [math.pi / 2 + 2 * math.pi * i / edges for i in range(edges)]
    # Where a point lies on the middle's side of an edge; those near an edge are undecided.
    heights = torch.stack(
        [neuron.DISTANCE - grid @ torch.tensor([math.cos(a), math.sin(a)]) for a in angles]
    )
    clear = (heights.abs() > 0.5).all(dim=0)
    votes = (heights > 0).sum(dim=0)
    for needed in range(1, edges + 1):
        with torch.no_grad():
            yes = neuron.region(edges, needed, 12)(grid).squeeze(1) > 0
        assert torch.equal(yes[clear], (votes >= needed)[clear])


def test_two_edges_are_too_few_for_a_region_and_three_do() -> None:
    rings = toy_points.examples("rings", 60)
    right = [int(toy_points.right(neuron.region(n, n, 6), rings).sum()) for n in (1, 2, 3)]
    assert right == sorted(right)
    assert right[1] < right[2] == 60
