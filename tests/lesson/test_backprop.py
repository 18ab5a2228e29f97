"""The chain rule by hand: equal to autograd, and to what trying says."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from playground.lesson import backprop, tiny_network

numbers = st.floats(-3, 3, allow_subnormal=False)
weights = st.fixed_dictionaries(dict.fromkeys(tiny_network.PARAMETERS, numbers))
activations = st.sampled_from(tiny_network.ACTIVATIONS)
inputs = st.tuples(numbers, numbers)
START = {
    "w11": 0.4,
    "w12": -0.6,
    "b1": 0.2,
    "w21": 0.5,
    "w22": 0.8,
    "b2": -0.3,
    "w31": 0.7,
    "w32": -0.5,
    "b3": 0.1,
}
EXAMPLE = (1.0, 0.5)


@settings(max_examples=100, deadline=None)
@given(weights, activations, inputs, numbers)
def test_by_hand_equals_autograd(
    w: dict[str, float], activation: str, x: tuple[float, float], target: float
) -> None:
    by_hand = backprop.by_hand(w, activation, x, target)
    assert by_hand == pytest.approx(backprop.autograd(w, activation, x, target), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(weights, activations, inputs, numbers)
def test_trying_agrees_away_from_corners(
    w: dict[str, float], activation: str, x: tuple[float, float], target: float
) -> None:
    trace = tiny_network.trace(tiny_network.build(w, activation), x)
    assume(all(abs(z) > 1e-3 for z in trace.z.values()))
    tried = backprop.differences(w, activation, x, target)
    assert tried == pytest.approx(backprop.autograd(w, activation, x, target), abs=1e-5)


@settings(max_examples=60, deadline=None)
@given(activations, st.floats(-30, 30))
def test_derivatives_are_torchs(activation: str, z: float) -> None:
    at = torch.tensor([[z]], dtype=torch.float64, requires_grad=True)
    bend = tiny_network.build(START, activation)[1]
    bend(at).sum().backward()
    assert at.grad is not None
    assert backprop.derivative(activation, z) == pytest.approx(float(at.grad), abs=1e-12)


@pytest.mark.parametrize("activation", tiny_network.ACTIVATIONS)
def test_derivatives_in_the_corner_are_torchs(activation: str) -> None:
    at = torch.zeros(1, 1, dtype=torch.float64, requires_grad=True)
    tiny_network.build(START, activation)[1](at).sum().backward()
    assert at.grad is not None
    assert backprop.derivative(activation, 0.0) == pytest.approx(float(at.grad))


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(ValueError, match="softplus"):
        backprop.derivative("softplus", 0.0)


@pytest.mark.parametrize("parameter", tiny_network.PARAMETERS)
def test_a_chain_is_linked(parameter: str) -> None:
    trace = tiny_network.trace(tiny_network.build(START, "sigmoid"), EXAMPLE)
    chain = backprop.chain(parameter, START, "sigmoid", trace, 1.0)
    assert len(chain) == (3 if parameter[1] == "3" else 5)
    assert chain[0].of == "L"
    assert chain[-1].by == parameter
    assert [factor.by for factor in chain[:-1]] == [factor.of for factor in chain[1:]]


def test_the_first_factors_are_the_gradient_of_what_lies_between() -> None:
    """The product so far is ∂L/∂z₃, ∂L/∂a₁, …, which autograd knows, too."""
    net = tiny_network.build(START, "tanh")
    signal, kept = tiny_network.as_batch(EXAMPLE), []
    for module in net:
        signal = module(signal)
        signal.retain_grad()
        kept.append(signal)
    ((signal - 1.0) ** 2).sum().backward()
    trace = tiny_network.trace(net, EXAMPLE)
    chain = backprop.chain("w11", START, "tanh", trace, 1.0)
    between = [float(value.grad[0, 0]) for value in reversed(kept)]
    products = [backprop.product(chain[:count]) for count in range(1, 5)]
    assert products == pytest.approx(between)


@settings(max_examples=30, deadline=None)
@given(weights, activations, inputs, numbers, st.floats(0, 5))
def test_one_step_is_p_minus_rate_times_gradient(
    w: dict[str, float], activation: str, x: tuple[float, float], target: float, rate: float
) -> None:
    gradient = backprop.by_hand(w, activation, x, target)
    after = backprop.descend(w, activation, x, target, rate)
    assert after == pytest.approx({p: w[p] - rate * gradient[p] for p in w}, abs=1e-9)
    (loss,) = backprop.losses_after(w, activation, x, target, [rate])
    assert loss == pytest.approx(backprop.loss(after, activation, x, target), abs=1e-9, rel=1e-6)


def test_losses_move_one_parameter_and_leave_the_rest() -> None:
    seen = backprop.losses(START, "tanh", EXAMPLE, 1.0, "w21", [0.5, 1.5])
    assert seen == [
        backprop.loss({**START, "w21": value}, "tanh", EXAMPLE, 1.0) for value in (0.5, 1.5)
    ]
    assert START["w21"] == 0.5


def test_a_dead_neuron_learns_nothing() -> None:
    dead = {**START, "b1": -3.0, "w32": 0.5}
    gradient = backprop.autograd(dead, "relu", EXAMPLE, 1.0)
    assert [gradient[name] for name in tiny_network.of_neuron(1)] == [0, 0, 0]
    assert gradient["w32"] != 0
