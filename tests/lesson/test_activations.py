"""Activation functions by hand and by torch; gradients through a chain; bends and points."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from playground import models
from playground.insight import quiet
from playground.lesson import activations, toy_points
from playground.lesson.activations import Activation

X = st.floats(-30, 30) | st.sampled_from([0.0, 1.0, -1.0])
PIECES = st.tuples(*2 * [st.tuples(*2 * [st.floats(-2, 2)])])


@pytest.mark.parametrize("kind", activations.KINDS)
@settings(deadline=None, max_examples=60)
@given(x=X, alpha=st.floats(0.1, 3), pieces=PIECES)
def test_by_hand_equals_torch(
    kind: str, x: float, alpha: float, pieces: activations.Pieces
) -> None:
    activation = Activation(kind, alpha, pieces)
    (w1, b1), (w2, b2) = pieces
    # Where the pieces cross, the last digit decides which of them is the larger.
    assume(kind != "maxout" or pieces[0] == pieces[1] or abs((w1 - w2) * x + b1 - b2) > 1e-9)
    assert activation.by_hand(x) == pytest.approx(activations.at(activation, x), abs=1e-6)


def test_where_maxouts_pieces_cross_both_share_the_slope() -> None:
    activation = Activation("maxout", pieces=((1.0, 0.5), (-0.5, 0.5)))
    assert activation.by_hand(0) == activations.at(activation, 0) == (0.5, 0.25)


@pytest.mark.parametrize("kind", activations.KINDS)
def test_a_slope_is_what_a_small_step_changes(kind: str) -> None:
    activation, xs = Activation(kind), torch.tensor([-2.5, -0.7, 0.4, 3.1])
    _values, slopes = activations.curve(activation, xs)
    step = 1e-4
    after, _ = activations.curve(activation, xs.double() + step)
    before, _ = activations.curve(activation, xs.double() - step)
    torch.testing.assert_close(slopes, (after - before) / (2 * step), rtol=1e-4, atol=1e-6)


def test_the_modules_are_the_projects_own() -> None:
    assert isinstance(Activation("relu").module(), torch.nn.ReLU)
    assert isinstance(Activation("maxout").module(), models.Maxout)
    assert Activation("none").module()(torch.ones(1, 1)).item() == 1


def test_health() -> None:
    assert activations.health("relu", 0) == "dead"
    assert activations.health("tanh", 0.049) == activations.health("maxout", -0.01) == "saturated"
    assert activations.health("tanh", 0.1) == activations.health("maxout", -1) == "passes"
    # A sigmoid's slope is 0.25 at most: a twentieth of that is little, a fifth is not.
    assert activations.health("sigmoid", 0.012) == "saturated"
    assert activations.health("sigmoid", 0.049) == "passes"


@pytest.mark.parametrize(("kind", "bend"), [("sigmoid", nn.Sigmoid()), ("tanh", nn.Tanh())])
def test_the_lesson_the_hints_and_the_gauges_mean_the_same_by_saturated(
    kind: str, bend: nn.Module
) -> None:
    sums = torch.linspace(-6, 6, 121)
    lesson = [
        activations.health(kind, activations.at(activations.Activation(kind), x)[1]) == "saturated"
        for x in sums.tolist()
    ]
    flat = quiet.flat(quiet.slopes(bend, sums))
    assert lesson == flat.tolist()
    assert quiet.saturated(bend, sums[None, :]) == int(flat.sum()) > 10


@pytest.mark.parametrize("kind", activations.KINDS)
@settings(deadline=None, max_examples=60)
@given(x=st.floats(-4, 4), weight=st.floats(0.2, 4), depth=st.integers(1, 20))
def test_a_chains_gradient_is_the_product_of_its_factors(
    kind: str, x: float, weight: float, depth: int
) -> None:
    chain = activations.chain(Activation(kind), x, weight, depth)
    assert len(chain.sums) == len(chain.factors) == depth
    assert chain.gradients[-1] == 1
    for place in range(depth + 1):
        product = math.prod(chain.factors[place:])
        assert chain.gradients[place] == pytest.approx(product, rel=1e-6, abs=1e-300)


def test_sigmoid_vanishes_and_relu_explodes() -> None:
    assert activations.chain(Activation("sigmoid"), 1, 1, 10).gradients[0] < 0.25**10 * 1.001
    assert activations.chain(Activation("relu"), 1, 2, 10).gradients[0] == 2**10
    assert activations.chain(Activation("relu"), -1, 2, 10).gradients[0] == 0


# --- Points --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", toy_points.KINDS)
def test_points_are_half_and_half_inside_the_plane_and_always_the_same(kind: str) -> None:
    some = toy_points.examples(kind, 40)
    assert some.targets.sum() == 20
    assert some.inputs.abs().max() <= toy_points.SPAN
    assert torch.equal(some.inputs, toy_points.examples(kind, 40).inputs)


def test_a_line_separates_the_groups_alone() -> None:
    assert toy_points.train("groups", 40, "none", (1,)).right.all()
    for kind in ("corners", "rings"):
        assert not toy_points.train(kind, 40, "none", (4, 4)).right.all()


@pytest.mark.parametrize("depth", range(1, 5))
def test_without_activation_any_depth_is_one_layer(depth: int) -> None:
    result = toy_points.train("rings", 40, "none", (3,) * depth)
    weight, bias = toy_points.merged(result.net)
    inputs = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(result.net(inputs), inputs @ weight.T + bias)


@pytest.mark.parametrize("kind", [kind for kind in activations.KINDS if kind != "none"])
def test_with_any_activation_a_network_gets_around_the_disc(kind: str) -> None:
    assert toy_points.train("rings", 120, kind, (6, 6)).right.all()


def test_training_is_repeatable() -> None:
    first, second = (toy_points.train("corners", 40, "tanh", (4,)) for _run in range(2))
    assert first.loss == second.loss
    assert torch.equal(toy_points.picture(first.net), toy_points.picture(second.net))


def test_a_picture_has_its_lowest_row_first() -> None:
    up = torch.nn.Linear(2, 1)
    with torch.no_grad():
        up.weight.copy_(torch.tensor([[0.0, 5.0]]))
        up.bias.zero_()
    picture = toy_points.picture(up, side=5)
    assert picture[0, 0] < 0.01
    assert picture[-1, 0] > 0.99
