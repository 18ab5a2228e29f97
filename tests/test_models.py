from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from playground import models
from playground.models import Dropout, Maxout
from playground.recipe import FIELDS, Recipe
from playground.seeds import generator

MLP = Recipe("any", hidden=(5, 4))
CNN = Recipe("any", architecture="cnn", hidden=(8,))
ACTIVATIONS = FIELDS["activation"].choices


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_maxout_is_the_larger_of_two_weighted_sums() -> None:
    layer = Maxout(nn.Linear(3, 2 * 4))
    models.initialise(layer, generator(0, "test"))
    x = noise(7, 3)
    assert isinstance(layer.pieces, nn.Linear)
    w1, w2 = layer.pieces.weight[:4], layer.pieces.weight[4:]
    b1, b2 = layer.pieces.bias[:4], layer.pieces.bias[4:]
    by_hand = torch.stack(
        [
            torch.stack([max(w1[j] @ row + b1[j], w2[j] @ row + b2[j]) for j in range(4)])
            for row in x
        ]
    )
    torch.testing.assert_close(layer(x), by_hand)


def test_maxout_has_twice_the_weights_in_each_hidden_layer() -> None:
    relu, maxout = (models.build(MLP.with_(activation=a), (3,), 2) for a in ("relu", "maxout"))
    hidden = (3 + 1) * 5 + (5 + 1) * 4
    last = (4 + 1) * 2
    assert models.parameters(relu) == hidden + last
    assert models.parameters(maxout) == 2 * hidden + last


def test_maxout_works_for_convolutions() -> None:
    model = models.build(CNN.with_(activation="maxout"), (28, 28), 10)
    assert model(noise(2, 28, 28)).shape == (2, 10)
    first = model[1]
    assert isinstance(first, Maxout)
    pieces = first.pieces
    x = noise(2, 1, 28, 28)
    both = pieces(x)
    assert both.shape[1] == 2 * 16
    assert torch.equal(first(x), torch.maximum(both[:, :16], both[:, 16:]))


def test_activations_are_the_lectures() -> None:
    x = torch.tensor([-2.0, -0.5, 0.0, 3.0])
    expected = {
        "sigmoid": 1 / (1 + torch.exp(-x)),
        "tanh": torch.tanh(x),
        "relu": x.clamp(min=0),
        "leaky_relu": torch.where(x > 0, x, 0.1 * x),
        "elu": torch.where(x > 0, x, 2.5 * (torch.exp(x) - 1)),
    }
    for name, values in expected.items():
        module = models.activation(MLP.with_(activation=name, elu_alpha=2.5))
        assert module is not None
        torch.testing.assert_close(module(x), values)
    assert models.activation(MLP.with_(activation="none")) is None
    assert models.activation(MLP.with_(activation="maxout")) is None
    assert {*expected, "none", "maxout"} == {*ACTIVATIONS}


def test_without_activation_all_layers_melt_into_one() -> None:
    model = models.build(MLP.with_(activation="none"), (3,), 2)
    x, y = noise(1, 3), noise(1, 3, seed=1)
    zero = model(torch.zeros(1, 3))
    torch.testing.assert_close(model(x + y) - zero, model(x) + model(y) - 2 * zero)


def test_an_mlp_alternates_layers_and_activations_and_ends_in_logits() -> None:
    model = models.build(MLP.with_(dropout=0.5), (3,), 2)
    kinds = [type(module) for module in model]
    assert kinds == [
        *(nn.Flatten, nn.Linear, nn.ReLU, Dropout),
        *(nn.Linear, nn.ReLU, Dropout),
        nn.Linear,
    ]


@given(
    blocks=st.lists(
        st.tuples(st.integers(1, 6), st.integers(1, 7), st.integers(1, 3)), min_size=1, max_size=4
    ),
    side=st.integers(4, 12),
    activation=st.sampled_from(ACTIVATIONS),
)
@settings(max_examples=40, deadline=None)
def test_a_cnns_layers_have_the_shapes_of_the_formula(
    blocks: list[tuple[int, int, int]], side: int, activation: str
) -> None:
    channels, kernels, strides = zip(*blocks, strict=True)
    recipe = CNN.with_(channels=channels, kernels=kernels, strides=strides, activation=activation)
    model = models.build(recipe, (side, side), 3)
    rows = models.layers(model, (side, side))
    size, seen, pieces = side, 1, 2 if activation == "maxout" else 1
    convolutions = [row for row in rows if "Conv2d" in row.name]
    for row, (out, kernel, stride) in zip(convolutions, blocks, strict=True):
        size = (size + 2 * (kernel // 2) - kernel) // stride + 1
        assert row.shape == (out, size, size)
        assert row.parameters == pieces * out * (seen * kernel * kernel + 1)
        seen = out
    assert rows[-1].shape == (3,)
    assert sum(row.parameters for row in rows) == models.parameters(model)
    assert model(noise(2, side, side)).shape == (2, 3)


@pytest.mark.parametrize("hidden", [(1,), (1024,), (3, 1, 4, 1, 5, 9)])
def test_an_mlps_layer_table_is_taken_from_the_real_module(hidden: tuple[int, ...]) -> None:
    model = models.build(MLP.with_(hidden=hidden), (4, 5), 10)
    linear = [row for row in models.layers(model, (4, 5)) if row.parameters]
    widths = [20, *hidden, 10]
    assert [row.shape for row in linear] == [(width,) for width in widths[1:]]
    assert [row.parameters for row in linear] == [
        (before + 1) * after for before, after in pairwise(widths)
    ]


def test_the_layer_table_names_modules_and_leaves_the_model_as_it_was() -> None:
    model = models.build(MLP.with_(activation="maxout", dropout=0.5), (3,), 2)
    model.train()
    names = [row.name for row in models.layers(model, (3,))]
    assert "Maxout(Linear(in_features=3, out_features=10, bias=True))" in names
    assert "Dropout(p=0.5)" in names
    assert model.training


def test_initialisation_is_pytorchs_own_distribution() -> None:
    model = models.build(MLP.with_(hidden=(1024,)), (25,), 10)
    first = model[1]
    assert isinstance(first, nn.Linear)
    bound = 1 / math.sqrt(25)
    for values in (first.weight, first.bias):
        assert values.abs().max() <= bound
        assert values.abs().max() > 0.98 * bound
    assert first.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02)
    assert first.weight.mean().abs() < 0.01


@pytest.mark.parametrize("recipe", [MLP, CNN], ids=["mlp", "cnn"])
def test_a_seed_decides_the_weights_and_nothing_else_does(recipe: Recipe) -> None:
    before = torch.get_rng_state()
    one, same, other = (
        models.state(models.build(recipe.with_(seed=seed), (8, 8), 3)) for seed in (1, 1, 2)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one)


def test_dropout_repeats_by_seed_keeps_the_mean_and_rests_when_predicting() -> None:
    ones = torch.ones(100, 100)
    before = torch.get_rng_state()
    (layer, same, other) = (
        models.build(Recipe("any", dropout=0.3, seed=seed), (4,), 2)[3] for seed in (7, 7, 8)
    )
    assert isinstance(layer, Dropout)
    first = layer(ones)
    assert torch.equal(first, same(ones))
    assert not torch.equal(first, layer(ones))
    assert not torch.equal(first, other(ones))
    assert first.mean().item() == pytest.approx(1, abs=0.02)
    assert first.unique().tolist() == pytest.approx([0, 1 / 0.7])
    assert torch.equal(torch.get_rng_state(), before)
    layer.eval()
    assert torch.equal(layer(ones), ones)


def test_two_dropout_layers_switch_off_different_neurons() -> None:
    model = models.build(Recipe("any", hidden=(50, 50), dropout=0.5), (4,), 2)
    first, second = (module for module in model if isinstance(module, Dropout))
    ones = torch.ones(4, 50)
    assert not torch.equal(first(ones), second(ones))


def test_state_is_a_copy_that_training_does_not_touch() -> None:
    model = models.build(MLP, (3,), 2)
    copy = models.state(model)
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(1)
    assert all(not torch.equal(copy[name], now) for name, now in model.state_dict().items())


def test_seeds_and_purposes_each_have_a_stream_of_their_own() -> None:
    def draw(seed: int, purpose: str) -> tuple[float, ...]:
        return tuple(torch.rand(4, generator=generator(seed, purpose)).tolist())

    streams = {
        draw(seed, purpose)
        for seed in (0, 1, 2, 3, 1000, 2**31 - 1)
        for purpose in ("weights", "shuffle", "augment", "dropout")
    }
    assert len(streams) == 24
    assert draw(5, "shuffle") == draw(5, "shuffle")
