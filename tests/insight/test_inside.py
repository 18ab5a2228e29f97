"""What is shown of a network's inside, against torch by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from playground import models
from playground.data.dataset import Dataset, Examples, Scaler
from playground.insight import anatomy, layer_stats, neuron_responses, quiet, saliency, surgery
from playground.insight.layer_stats import Histogram
from playground.insight.surgery import Off, SetWeight
from playground.insight.throttle import Throttle
from playground.projects import PROJECTS
from playground.projects.base import Input, Project
from playground.recipe import Recipe
from playground.training import fit

ROW, PICTURE = (3,), (8, 8)
PLAIN = Scaler(torch.tensor(0.0), torch.tensor(1.0))


def build(input_shape: tuple[int, ...], outputs: int = 3, **options: object) -> nn.Sequential:
    return models.build(Recipe("", **options), input_shape, outputs).eval()  # type: ignore[arg-type]


def table(**options: object) -> nn.Sequential:
    return build(ROW, **{"hidden": (5, 4), **options})


def cnn(**options: object) -> nn.Sequential:
    small = {"architecture": "cnn", "channels": (4, 6), "kernels": (3, 3), "hidden": (5,)}
    return build(PICTURE, **{**small, **options})


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def pictures(n: int, seed: int = 0) -> Examples:
    source = torch.Generator().manual_seed(seed)
    inputs = torch.randint(0, 256, (n, *PICTURE), generator=source, dtype=torch.uint8)
    return Examples(inputs, torch.arange(n) % 3)


def dataset(examples: Examples) -> Dataset:
    return Dataset(examples, examples, examples, Scaler.fit(examples))


@pytest.fixture
def row_data() -> Dataset:
    return dataset(Examples(random(40, 3), torch.arange(40) % 3))


# --- Anatomy ------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "maxout", "none"])
def test_stages_of_a_table(activation: str) -> None:
    model = table(activation=activation, dropout=0.2)
    parts = anatomy.stages(model)
    assert [(stage.number, stage.kind, stage.units) for stage in parts] == [
        (1, "dense", 5),
        (2, "dense", 4),
        (3, "dense", 3),
    ]
    state = model.state_dict()
    for stage in parts:
        assert len(state[stage.key()]) == stage.units * stage.pieces
        assert len(state[stage.key("bias")]) == stage.units * stage.pieces
    bends = activation in ("relu", "sigmoid")
    assert [stage.end - stage.layer for stage in parts] == [bends, bends, 0]


def test_signals_are_what_the_model_passes_on() -> None:
    model, inputs = table(), random(6, 3)
    first, second, last = anatomy.signals(model, inputs)
    assert torch.equal(first, model[:3](inputs))
    assert torch.equal(second, model[:5](inputs))
    assert torch.equal(last, model(inputs))


def test_connections_of_a_table_are_its_weights() -> None:
    model = table()
    linear = [module for module in model if isinstance(module, nn.Linear)]
    for matrix, module in zip(anatomy.connections(model, False), linear, strict=True):
        assert torch.equal(matrix, module.weight)


def test_connections_of_a_cnn_join_what_belongs_together() -> None:
    model = cnn()
    parts = anatomy.connections(model, True)
    assert [tuple(matrix.shape) for matrix in parts] == [(4, 1), (6, 4), (5, 6), (3, 5)]
    kernel = model.get_parameter(anatomy.stages(model)[1].key()).detach()[2, 3]
    assert abs(parts[1][2, 3]) == pytest.approx(float(kernel.square().sum().sqrt()))
    assert parts[1][2, 3].sign() == kernel.sum().sign()
    dense = model.get_parameter(
        anatomy.stages(model)[2].key()
    ).detach()  # a channel has 2 × 2 places
    assert abs(parts[2][1, 5]) == pytest.approx(float(dense[1, 20:24].norm()))


def test_influence_is_spread_times_outgoing_weights() -> None:
    strengths = [torch.tensor([[3.0, 5.0], [4.0, 0.0]])]
    said = torch.tensor([[0.0, 7.0], [2.0, 7.0]])  # spread 1 and 0
    (found,) = anatomy.influence(strengths, [said])
    assert found.tolist() == pytest.approx([5.0, 0.0])
    assert anatomy.strongest(torch.tensor([1.0, 3.0, 2.0, 3.0]), 2) == [1, 3]


def test_an_expensive_network_is_looked_at_on_fewer_examples(
    monkeypatch: pytest.MonkeyPatch, row_data: Dataset
) -> None:
    model = table()
    assert anatomy.multiplications(model, ROW) == 3 * 5 + 5 * 4 + 4 * 3
    # 8 × 8 -> 4 × 4 -> 2 × 2 by strides of 2.
    convolutions = 4 * 9 * 16 + 6 * 4 * 9 * 4
    assert anatomy.multiplications(cnn(), PICTURE) == convolutions + 24 * 5 + 5 * 3
    assert len(anatomy.examined(model, row_data)) == 40
    monkeypatch.setattr(anatomy, "WORK", 47 * 20)
    assert len(anatomy.examined(model, row_data)) == 20
    monkeypatch.setattr(anatomy, "WORK", 1)
    assert len(anatomy.examined(model, row_data)) == anatomy.LEAST


# --- Inputs and responses -----------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, kind in PROJECTS.items() if not kind.pictures])
def test_inputs_cover_every_column_once(name: str) -> None:
    project = PROJECTS[name]
    recipe = project.recipe()
    places = [
        place for one in project.inputs(recipe) for place in range(one.place, one.place + one.width)
    ]
    assert places == list(range(project.input_shape(recipe)[0]))


def test_inputs_of_rps_are_the_moves_back() -> None:
    recipe = PROJECTS["rps"].recipe(data={"memory": 2, "see_opponent": True})
    found = PROJECTS["rps"].inputs(recipe)
    assert [dict(one.values)["n"] for one in found] == [2, 1, 2, 1]
    assert found[0].label != found[2].label


def test_other_projects_number_their_inputs(regression: Project) -> None:
    found = regression.inputs(regression.recipe())
    assert [dict(one.values) for one in found] == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_a_slice_moves_two_inputs_and_holds_the_others() -> None:
    number, choice = Input("x", 0), Input("c", 1, ("a", "b"), 2)
    base = torch.tensor([9.0, 0.3, 0.7, 5.0])
    low, high = torch.zeros(4), torch.full((4,), 3.0)
    grid = neuron_responses.slice_of(number, choice, base, low, high, steps=4).reshape(4, 4, 4)
    assert grid[0, :, 0].tolist() == [0, 1, 2, 3]
    assert grid[0, 0, 1:3].tolist() == [1, 0]  # below: the first choice
    assert grid[3, 0, 1:3].tolist() == [0, 1]
    assert (grid[:, :, 3] == 5).all()


def test_responses_over_a_slice_are_the_networks_own() -> None:
    model = table()
    scaler = Scaler(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 1.0, 0.5]))
    grid = neuron_responses.slice_of(
        Input("a", 0), Input("b", 2), scaler.mean, torch.zeros(3), torch.ones(3), steps=5
    )
    inputs, first, *_others, last = neuron_responses.over_slice(model, scaler, grid)
    assert tuple(first.shape) == (5, 5, 5)
    point = torch.tensor([[1.0, 2.0, 0.25]])  # a at its highest, b a quarter up
    assert torch.allclose(last[:, 1, 4], model(scaler(point))[0], atol=1e-6)
    assert torch.allclose(inputs[:, 1, 4], scaler(point)[0])


def test_filters_are_the_first_weights() -> None:
    model = build(PICTURE, hidden=(4,))
    weights = model.get_parameter(anatomy.stages(model)[0].key())
    assert torch.equal(neuron_responses.filters(model, PICTURE), weights.reshape(4, 8, 8))
    kernels = cnn()
    weights = kernels.get_parameter(anatomy.stages(kernels)[0].key())
    assert torch.equal(neuron_responses.filters(kernels, PICTURE), weights[:, 0])


def test_favourites_are_means_of_the_pictures_that_excite_most() -> None:
    examples = pictures(5)
    said = torch.tensor([[0.0, 0.0], [3.0, 0.0], [1.0, 0.0], [2.0, 0.0], [-1.0, 0.0]])
    (found,) = neuron_responses.favourites([said], examples, count=2)
    assert torch.equal(found[0], examples.inputs[[1, 3]].float().mean(dim=0))
    assert not found[1].any()  # it is never excited


# --- Gauges -------------------------------------------------------------------------------


def test_histograms_count_every_weight() -> None:
    values = random(37, 11)
    weights, gradients = layer_stats.of_weights(values), layer_stats.of_gradients(values)
    assert sum(weights.counts) == sum(gradients.counts) == 37 * 11
    assert weights.low == -weights.high
    assert sum(layer_stats.of_weights(torch.zeros(4, 2)).counts) == 8
    none = layer_stats.of_gradients(torch.zeros(4, 2))
    assert none.counts[0] == 8


def test_a_gradient_counts_at_its_power_of_ten() -> None:
    found = layer_stats.of_gradients(torch.tensor([4e-5, -5e-5]))
    (place,) = [place for place, count in enumerate(found.counts) if count]
    assert found.counts[place] == 2
    assert found.low + place * found.width <= -4.35 <= found.low + (place + 1) * found.width


def test_histograms_over_time_share_their_bins() -> None:
    narrow, wide = Histogram(-1, 1, (0, 4, 0)), Histogram(-3, 3, (1, 1, 1))
    shares, low, high = layer_stats.over_time([narrow, wide], bins=6)
    assert (low, high) == (-3, 3)
    assert shares.sum(dim=0).tolist() == pytest.approx([1, 1])
    assert shares[:, 1].tolist() == pytest.approx([1 / 6] * 6)
    assert shares[:, 0].tolist() == pytest.approx([0, 0, 0.5, 0.5, 0, 0])


def test_dead_units_are_zero_for_every_example_at_every_place() -> None:
    outputs = torch.tensor([[0.0, 0.0, 1.0], [0.0, 2.0, 3.0]])
    assert quiet.dead(outputs) == 1
    maps = torch.zeros(2, 3, 2, 2)
    maps[1, 2, 0, 1] = 0.5
    assert quiet.dead(maps) == 2


@pytest.mark.parametrize(("bend", "far"), [(nn.Sigmoid(), 8.0), (nn.Tanh(), 4.0), (nn.ELU(), -6.0)])
def test_saturated_units_lie_where_the_curve_is_flat(bend: nn.Module, far: float) -> None:
    sums = torch.tensor([[0.1, far, far], [0.2, 0.0, far]])
    assert quiet.saturated(bend, sums) == 1


def test_slopes_are_parts_of_the_steepest() -> None:
    sums = torch.tensor([-1.0, 0.0, 2.0])
    sigmoid = torch.sigmoid(sums)
    assert torch.allclose(quiet.slopes(nn.Sigmoid(), sums), 4 * sigmoid * (1 - sigmoid))
    assert torch.allclose(quiet.slopes(nn.Tanh(), sums), 1 - torch.tanh(sums) ** 2)


def test_a_network_with_one_dead_neuron_is_measured(row_data: Dataset) -> None:
    model, recipe = table(), Recipe("")
    with torch.no_grad():
        model.get_parameter("1.weight")[2] = 0
        model.get_parameter("1.bias")[2] = -1
    layers, examples = layer_stats.measure(model, row_data, recipe)
    assert examples == 40
    by_hand = (model[:3](row_data.scaler(row_data.validation.inputs)) == 0).all(dim=0).sum()
    assert layers[0].dead == by_hand >= 1
    assert layers[0].saturated is None
    assert layers[-1].dead is None
    loss = nn.CrossEntropyLoss()(
        model(row_data.scaler(row_data.validation.inputs)), row_data.validation.targets
    )
    (gradient,) = torch.autograd.grad(loss, model.get_parameter("3.weight"))
    assert layers[1].gradient == pytest.approx(float(gradient.norm()))
    assert layers[1].spread == pytest.approx(
        float(model.get_parameter("3.weight").detach().std(correction=0))
    )
    assert sum(layers[0].weights.counts) == 15
    assert all(one.grad is None for one in model.parameters())


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "leaky_relu", "elu", "maxout", "none"])
def test_every_activation_can_be_measured(activation: str, row_data: Dataset) -> None:
    layers, _examples = layer_stats.measure(table(activation=activation), row_data, Recipe(""))
    assert [layer.dead for layer in layers] == [None] * 3
    judged = activation in ("sigmoid", "tanh", "elu")
    assert [layer.saturated is not None for layer in layers] == [judged, judged, False]


def test_measuring_leaves_dropout_as_it_was(row_data: Dataset) -> None:
    model = table(dropout=0.5).train()
    first, _n = layer_stats.measure(model, row_data, Recipe(""))
    again, _n = layer_stats.measure(model, row_data, Recipe(""))
    assert first == again
    assert model.training


def test_update_ratio_of_one_step(row_data: Dataset) -> None:
    model = table().train()
    recipe = Recipe("", optimizer="sgd", learning_rate=0.1)
    before = models.state(model)
    next(fit(model, row_data, recipe))
    ratios = layer_stats.update_ratios(model, before, models.state(model))
    moved = (model.get_parameter("1.weight").detach() - before["1.weight"]).norm()
    assert ratios[0] == pytest.approx(float(moved / before["1.weight"].norm()))
    assert len(ratios) == 3


# --- Saliency -----------------------------------------------------------------------------


def linear(weights: Tensor) -> nn.Sequential:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, len(weights)))
    with torch.no_grad():
        model.get_parameter("1.weight").copy_(weights)
    return model


def test_the_gradient_of_a_linear_model_is_its_weights() -> None:
    weights, picture = random(3, 64), pictures(1).inputs[0]
    found = saliency.gradient(linear(weights), PLAIN, picture, 2)
    assert torch.allclose(found, weights[2].reshape(8, 8))
    scaler = Scaler(torch.tensor(30.0), torch.tensor(4.0))
    found = saliency.gradient(linear(weights), scaler, picture, 2)
    assert torch.allclose(found, weights[2].reshape(8, 8) / 4)


def test_the_parts_of_a_linear_model_sum_up_to_what_the_picture_adds() -> None:
    model, picture = linear(random(3, 64)), pictures(1).inputs[0]
    scaler = Scaler(torch.tensor(30.0), torch.tensor(4.0))
    parts = saliency.gradient_times_pixel(model, scaler, picture, 1)
    both = model(scaler(torch.stack([picture, torch.zeros_like(picture)]))).detach()
    assert float(parts.sum()) == pytest.approx(float(both[0, 1] - both[1, 1]), rel=1e-4)


def test_occlusion_of_a_linear_model_is_what_is_covered() -> None:
    weights = random(2, 64)
    picture = pictures(1).inputs[0]
    found = saliency.occlusion(linear(weights), PLAIN, picture, 0, side=2, stride=2)
    products = (weights[0].reshape(8, 8) * picture)[2:4, 4:6]
    assert float(found[2, 4]) == pytest.approx(float(products.sum()), rel=1e-3)
    assert found[2, 4] == found[3, 5]


def test_an_empty_picture_has_nothing_to_cover() -> None:
    empty = torch.zeros(PICTURE, dtype=torch.uint8)
    assert not saliency.occlusion(linear(random(2, 64)), PLAIN, empty, 0, 2, 1).any()


# --- Surgery ------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "maxout", "none"])
def test_a_neuron_off_is_its_outgoing_weights_at_zero(activation: str) -> None:
    model, inputs = table(activation=activation), random(9, 3)
    outgoing = surgery.operated(model, [])
    with torch.no_grad():
        anatomy.weights(outgoing, anatomy.stages(outgoing)[1])[:, 3] = 0
    off = surgery.operated(model, [Off(1, 3)])
    assert torch.allclose(off(inputs), outgoing(inputs), atol=1e-6)
    assert not torch.allclose(off(inputs), model(inputs))


def test_a_channel_off_is_its_outgoing_kernels_at_zero() -> None:
    model, inputs = cnn(), pictures(4).inputs.float() / 255
    outgoing = surgery.operated(model, [])
    with torch.no_grad():
        anatomy.weights(outgoing, anatomy.stages(outgoing)[1])[:, 2] = 0
    off = surgery.operated(model, [Off(1, 2)])
    assert torch.allclose(off(inputs), outgoing(inputs), atol=1e-6)


def test_one_weight_is_set_and_no_other() -> None:
    model = cnn(activation="maxout")
    before = models.state(model)
    stage = anatomy.stages(model)[1]
    weight = 4 * 9 + 7  # of the second piece: channel 1, row 3, column 2
    changed = surgery.operated(model, [SetWeight(2, 5, weight, 1.5)]).state_dict()
    differs = (changed[stage.key()] != before[stage.key()]).nonzero().tolist()
    assert differs == [[6 + 5, 0, 2, 1]]
    assert surgery.value(model, stage, 5, weight) == float(before[stage.key()][11, 0, 2, 1])
    assert surgery.count(model, stage) == 2 * 4 * 9
    assert all(torch.equal(model.state_dict()[name], one) for name, one in before.items())


def test_without_edits_a_copy_says_the_same() -> None:
    model, inputs = cnn(), pictures(4).inputs.float()
    copy = surgery.operated(model, [])
    assert torch.equal(copy(inputs), model(inputs))
    assert copy is not model


def test_a_dragged_slider_is_one_edit() -> None:
    edits = surgery.with_edit((Off(1, 0),), SetWeight(1, 2, 3, 0.1))
    edits = surgery.with_edit(edits, SetWeight(1, 2, 3, 0.2))
    assert edits == (Off(1, 0), SetWeight(1, 2, 3, 0.2))
    edits = surgery.with_edit(edits, SetWeight(1, 2, 4, 0.3))
    assert len(edits) == 3


# --- Pace ---------------------------------------------------------------------------------


class Watch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_pace_follows_no_faster_than_its_share() -> None:
    watch = Watch()
    pace = Throttle(share=0.1, clock=watch)
    done: list[object] = []

    def work() -> int:
        watch.now += 1.0
        done.append(watch.now)
        return len(done)

    first, second = object(), object()
    assert pace("q", first, work) == 1
    assert pace("q", first, work) == 1  # nothing has changed
    assert pace("q", second, work) == 1  # too soon
    watch.now += 9.9
    assert pace("q", second, work) == 1
    watch.now += 0.2
    assert pace("q", second, work) == 2
    assert pace("other", second, work) == 3  # a person asked
    assert pace("other", object(), work, hurry=True) == 4


def test_a_histogram_knows_where_something_is() -> None:
    assert Histogram(0, 4, (0, 3, 0, 1)).span == (1, 4)
    assert replace(Histogram(0, 4, (1, 0, 0, 0))).span == (0, 1)
