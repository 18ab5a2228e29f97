"""The smallest network: its numbers, by hand and by torch."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.lesson import tiny_network

numbers = st.floats(-3, 3, allow_subnormal=False)
weights = st.fixed_dictionaries(dict.fromkeys(tiny_network.PARAMETERS, numbers))
activations = st.sampled_from(tiny_network.ACTIVATIONS)
BEND = {
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": math.tanh,
    "relu": lambda z: max(0.0, z),
    "leaky_relu": lambda z: max(0.1 * z, z),
    "none": lambda z: z,
}


@settings(max_examples=50, deadline=None)
@given(weights, activations, numbers, numbers)
def test_the_trace_is_what_one_computes_by_hand(
    w: dict[str, float], activation: str, x1: float, x2: float
) -> None:
    f = BEND[activation]
    trace = tiny_network.trace(tiny_network.build(w, activation), (x1, x2))
    z1 = w["w11"] * x1 + w["w12"] * x2 + w["b1"]
    z2 = w["w21"] * x1 + w["w22"] * x2 + w["b2"]
    z3 = w["w31"] * f(z1) + w["w32"] * f(z2) + w["b3"]
    assert trace.z == pytest.approx({1: z1, 2: z2, 3: z3})
    assert trace.a == pytest.approx({1: f(z1), 2: f(z2), 3: f(z3)})


@settings(max_examples=50, deadline=None)
@given(weights, activations, numbers, numbers)
def test_the_answer_is_the_modules(
    w: dict[str, float], activation: str, x1: float, x2: float
) -> None:
    net = tiny_network.build(w, activation)
    trace = tiny_network.trace(net, (x1, x2))
    with torch.no_grad():
        assert trace.answer == float(net(tiny_network.as_batch((x1, x2))))
    assert trace.seen_by(1) == trace.seen_by(2) == (x1, x2)
    assert trace.seen_by(3) == (trace.a[1], trace.a[2])


@settings(max_examples=50, deadline=None)
@given(weights, weights)
def test_what_is_written_is_read(first: dict[str, float], second: dict[str, float]) -> None:
    net = tiny_network.build(first, "tanh")
    assert tiny_network.read(net) == first
    tiny_network.write(net, second)
    assert tiny_network.read(net) == second


def test_every_number_of_the_network_has_a_name() -> None:
    net = tiny_network.build(dict.fromkeys(tiny_network.PARAMETERS, 0.0), "relu")
    assert sum(tensor.numel() for tensor in net.parameters()) == len(tiny_network.PARAMETERS)
    named = [name for neuron in tiny_network.NEURONS for name in tiny_network.of_neuron(neuron)]
    assert tuple(named) == tiny_network.PARAMETERS


def test_building_draws_no_random_number() -> None:
    before = torch.get_rng_state()
    tiny_network.build(dict.fromkeys(tiny_network.PARAMETERS, 1.0), "relu")
    assert torch.equal(before, torch.get_rng_state())
