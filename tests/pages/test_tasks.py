"""Every task of a lesson page can be done with its controls, and shows what it promises."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

import pytest
import torch
from opening import formulas, open_page, says
from streamlit.testing.v1 import AppTest

from playground import prose
from playground.lesson import (
    activations,
    backprop,
    batches,
    convolution,
    descent,
    five_parts,
    five_parts_run,
    loss_curves,
    tiny_network,
    toy_points,
)
from playground.lesson.activations import Activation
from playground.ui.lesson.tiny_network import START
from playground.ui.widgets.controls import short


def move(app: AppTest, stem: str, **values: Any) -> AppTest:
    """Move these controls of the page, as a hand would: only to what they offer."""
    for name, value in values.items():
        key = f"{stem}.{name}@en"
        for kind in ("select_slider", "slider", "selectbox", "toggle", "button_group"):
            found = [widget for widget in app.get(kind) if widget.key == key]
            if found:
                break
        else:
            raise AssertionError(f"no control {name} on {stem}")
        (widget,) = found
        if kind == "select_slider":
            assert short(value) in widget.options
        elif kind == "slider":
            assert widget.min <= value <= widget.max
        widget.set_value(value).run()
        assert not app.exception
        assert app.session_state[f"{stem}.{name}"] == value
    return app


def said(app: AppTest) -> str:
    kinds = ("markdown", "caption", "error", "warning", "success", "info")
    return "\n".join(element.value for kind in kinds for element in app.get(kind))


# --- Neuron ---------------------------------------------------------------------------


def all_right(app: AppTest) -> bool:
    """Whether the page says that every point is on its side."""
    return "green-badge" in said(app)


def test_neuron_an_input_with_weight_0_is_ignored() -> None:
    app = move(open_page("neuron"), "neuron", w=0.0)
    b = app.session_state["neuron.b"]
    for x in (-3.0, 2.5):
        assert says(formulas(move(app, "neuron", x=x)), b), x
    move(app, "neuron", w=-1.5)
    # The line falls: the larger x, the smaller the output.
    assert says(formulas(app), -1.5 * 2.5 + b)
    assert says(formulas(move(app, "neuron", x=-3.0)), -1.5 * -3 + b)


def test_neuron_one_line_separates_two_groups_but_not_four_corners() -> None:
    app = open_page("neuron", view="plane")
    assert not all_right(app)
    assert all_right(move(app, "neuron", w2=1.0, b=0.0))
    move(app, "neuron", data="corners")
    corners = toy_points.examples("corners", 24)
    dial = torch.arange(-30, 31) / 10
    w1, w2, b = (axis.flatten() for axis in torch.meshgrid(dial, dial, dial, indexing="ij"))
    sums = corners.inputs @ torch.stack([w1, w2]) + b
    right = ((corners.targets == 1)[:, None] == (sums > 0)).sum(dim=0)
    assert 12 < right.max() < 24


def test_neuron_three_edges_enclose_what_two_cannot() -> None:
    app = open_page("neuron", view="region")
    for edges in (1, 2, 3, 4):
        assert all_right(move(app, "neuron", edges=edges)) == (edges >= 3), edges


# --- Activation functions -------------------------------------------------------------

TOLD = {"dead": "block", "saturated": "trending_flat", "passes": "check"}
ARRIVED = {"nothing": "block", "vanishes": "trending_down", "explodes": "trending_up"}


def marked(app: AppTest, icon: str) -> bool:
    """Whether a box with this icon stands on the page."""
    boxes = [*app.error, *app.warning, *app.success]
    return any(box.icon == f":material/{icon}:" for box in boxes)


def test_activations_sigmoid_leaves_almost_nothing_at_its_end_and_relu_all_or_nothing() -> None:
    app = open_page("activations")
    for kind, x, slope, state in (
        ("sigmoid", 0.0, 0.25, "passes"),
        ("sigmoid", 6.0, 0.00247, "saturated"),
        ("relu", 6.0, 1, "passes"),
        ("relu", -0.1, 0, "dead"),
    ):
        move(app, "activations", activation=kind, x=x)
        assert activations.at(Activation(kind), x)[1] == pytest.approx(slope, abs=1e-5)
        assert marked(app, TOLD[state]), (kind, x)


def test_activations_weights_explode_relu_and_save_no_sigmoid() -> None:
    app = move(open_page("activations", view="depth"), "activations", activation="sigmoid")
    assert app.session_state["activations.weight"] == 1
    for layers in (2, 5, 20):
        move(app, "activations", layers=layers)
        left = activations.chain(Activation("sigmoid"), 1.0, 1.0, layers).gradients[0]
        assert left < 0.25**layers
        assert marked(app, ARRIVED["vanishes"]) == (layers > 2)
    move(app, "activations", activation="relu", weight=1.2)
    assert not marked(app, ARRIVED["explodes"])
    assert marked(move(app, "activations", weight=1.3), ARRIVED["explodes"])
    weights = [tenth / 10 for tenth in range(2, 41)]
    most = max(
        activations.chain(Activation("sigmoid"), x, weight, 20).gradients[0]
        for weight in weights
        for x in (-4.0, 0.0, 1.0, 4.0)
    )
    assert most < 1e-10


def test_activations_layers_bend_nothing_and_three_neurons_are_enough() -> None:
    app = move(open_page("activations", view="network"), "activations", hidden=4)
    straight = toy_points.train("rings", 120, "none", (6,) * 4)
    weight, bias = toy_points.merged(straight.net)
    where = toy_points.examples("rings", 120).inputs
    with torch.no_grad():
        assert torch.allclose(straight.net(where), where @ weight.T + bias, atol=1e-4)
    assert shown_right(app) == int(straight.right.sum()) < 0.7 * 120
    move(app, "activations", bent=True, hidden=1)
    for neurons in (2, 3):
        move(app, "activations", neurons=neurons)
        assert (shown_right(app) == 120) == (neurons >= 3), neurons


def shown_right(app: AppTest) -> int:
    """How many points the page says are right: the first number of its first figure."""
    found = re.match(r"\d+", app.metric[0].value)
    assert found is not None
    return int(found[0])


# --- Forward pass ---------------------------------------------------------------------


def test_forward_pass_a_weight_of_0_cuts_a_neuron_off() -> None:
    app = move(open_page("forward_pass"), "forward_pass", neuron="3")
    move(app, "forward_pass", w31=0.0)
    answer = of_network(app, "forward_pass").a[3]
    assert says(formulas(app), answer)
    move(app, "forward_pass", neuron="1")
    move(app, "forward_pass", w11=-2.0, b1=3.0)
    assert of_network(app, "forward_pass").a[3] == answer
    assert says(formulas(move(app, "forward_pass", neuron="3")), answer)


def test_forward_pass_relu_silences_a_neuron() -> None:
    app = move(open_page("forward_pass"), "forward_pass", activation="relu")
    move(app, "forward_pass", b1=-0.6)
    assert of_network(app, "forward_pass").a[1] > 0
    move(app, "forward_pass", b1=-0.9)
    trace = of_network(app, "forward_pass")
    assert trace.z[1] < 0 == trace.a[1]
    assert says(formulas(app), trace.z[1])
    assert says(formulas(app), 0)


def test_forward_pass_an_edge_is_found_by_its_own_kernel_only() -> None:
    app = move(open_page("forward_pass", view="convolution"), "forward_pass", picture="square")
    square = convolution.picture("square")
    inside = slice(3, 9)  # of the output, away from the corners
    for kernel in ("vertical", "horizontal"):
        move(app, "forward_pass", kernel=kernel)
        out = convolution.convolve(square, convolution.KERNELS[kernel], 0.0, 1).abs()
        sides = torch.cat([out[inside, :2], out[inside, -2:]], dim=1)
        ends = torch.cat([out[:2, inside], out[-2:, inside]]).T
        own, other = (sides, ends) if kernel == "vertical" else (ends, sides)
        assert own.max(dim=1).values.min() > 2
        assert other.max() < 0.2 * own.max()
        empty = torch.nn.functional.unfold(square[None, None], 3).abs().sum(dim=1) == 0
        assert int(empty.sum()) > 30
        assert (out.flatten()[empty.flatten()] == 0).all()


def of_network(app: AppTest, stem: str) -> tiny_network.Trace:
    """The forward pass of the tiny network as the page's dials set it."""
    state = app.session_state
    weights = {name: state[f"{stem}.{name}"] for name in tiny_network.PARAMETERS}
    net = tiny_network.build(weights, state[f"{stem}.activation"])
    return tiny_network.trace(net, (state[f"{stem}.x1"], state[f"{stem}.x2"]))


# --- Loss -----------------------------------------------------------------------------


def test_loss_one_slope_shrinks_and_the_other_jumps() -> None:
    app = open_page("loss")
    assert app.session_state["loss.tangent"] == "mse"
    slopes = {}
    for kind in ("mse", "l1"):
        move(app, "loss", tangent=kind)
        of_price = loss_curves.of_prediction(kind, 14.0)
        slopes[kind] = [loss_curves.at(of_price, price)[1] for price in (10, 12, 13.9, 14.1, 18)]
    assert slopes["mse"] == pytest.approx([-8, -4, -0.2, 0.2, 8], abs=1e-4)
    assert slopes["l1"] == [-1, -1, -1, 1, 1]
    for price, sign in ((10.0, -1), (18.0, 1)):
        move(app, "loss", prediction=price)
        assert says(formulas(app), sign * 8)
        assert says(formulas(app), sign)


def test_loss_the_mean_runs_after_an_odd_price_and_the_median_stays() -> None:
    app = open_page("loss", view="outlier")
    lowest = []
    for odd in (15.0, 60.0):
        move(app, "loss", odd=odd)
        shown = re.findall(r"\*\*.*?: ([\d.]+)", said(app))
        lowest.append([float(number) for number in shown[:2]])
    (mean, median), (later_mean, later_median) = lowest
    # Seven receipts share the 45 zł.
    assert later_mean - mean == pytest.approx(45 / 7, abs=0.02)
    assert later_median == median


def test_loss_the_surer_the_mistake_the_longer_mse_needs() -> None:
    app = open_page("loss", view="why_not_mse")
    steps = {}
    for z in (-8.0, -2.0):
        move(app, "loss", z=z)
        for kind in ("cross_entropy", "mse_one_hot"):
            needed = loss_curves.steps_to(kind, z, 0.9, 1.0, 9999)
            assert needed is not None
            assert f"{needed:,}" in said(app)
            steps[kind, z] = needed
        slope = loss_curves.at(loss_curves.of_logit("mse_one_hot", [z, 0.0], 0), z)[1]
        assert says(formulas(app), slope) or says(formulas(app), slope, r"\approx")
    assert steps["mse_one_hot", -8.0] > 20 * steps["mse_one_hot", -2.0]
    assert steps["cross_entropy", -8.0] < 2 * steps["cross_entropy", -2.0]


# --- Backpropagation ------------------------------------------------------------------


def of_example(app: AppTest) -> tuple[dict[str, float], str, tuple[float, float], float]:
    """Weights, activation function, inputs and target as the page's dials set them."""
    value = {name: app.session_state[f"backpropagation.{name}"] for name in tiny_network.PARAMETERS}
    names = ("activation", "x1", "x2", "target")
    kind, x1, x2, target = (app.session_state[f"backpropagation.{name}"] for name in names)
    return value, kind, (x1, x2), target


def test_backpropagation_one_task_after_the_other() -> None:
    """In the order of the page: what a task leaves behind must not spoil the next."""
    app = move(open_page("backpropagation"), "backpropagation", parameter="w31")
    move(app, "backpropagation", w31=0.0)
    move(app, "backpropagation", parameter="w11")
    third = backprop.chain("w11", *of_example(app)[:2], of_network(app, "backpropagation"), 0.5)[2]
    assert third.value == 0
    assert re.search(r"\*\* \| \*\*−?0\*\* \| \*\*−?0\*\* \|", said(app))

    for language, back in (("en", "0.7"), ("pl", "0,7")):
        assert back in prose.sections("backpropagation", language)["try"]
    move(app, "backpropagation", view="nudge", parameter="w31", w31=0.7)
    gaps = []
    for delta in (0.1, 0.5, 1.0, 2.0):
        move(app, "backpropagation", nudge=delta)
        setting = of_example(app)
        now, slope = backprop.loss(*setting), backprop.autograd(*setting)["w31"]
        (really,) = backprop.losses(*setting, "w31", [0.7 + delta])
        promised = now + slope * delta
        gaps.append(really - promised)
    assert all(later > sooner > 0 for sooner, later in itertools.pairwise(gaps))
    assert promised < 0
    assert really > now
    assert says(formulas(app), 2 * slope) or says(formulas(app), 2 * slope, r"\approx")

    move(app, "backpropagation", view="step")
    assert of_example(app)[1::2] == ("tanh", 0.5)
    losses = []
    for rate in (0.0, 0.1, 0.3, 1.0):
        move(app, "backpropagation", learning_rate=rate)
        losses.append(backprop.losses_after(*of_example(app), [rate])[0])
    first, falls, least, rises = losses
    assert first > falls > least
    assert rises > first


# --- Self-checks ----------------------------------------------------------------------


def test_what_the_self_checks_say_is_so() -> None:
    assert says(formulas(open_page("neuron", w="2", b="-1", x="3")), 5)

    assert sum(one.numel() for one in tiny_network.build(START, "tanh").parameters()) == 9
    # Without an activation function two layers are one neuron.
    straight = tiny_network.build(START, "none")
    weight, bias = toy_points.merged(straight)
    where = torch.rand(20, 2, dtype=torch.float64)
    with torch.no_grad():
        assert torch.allclose(straight(where), where @ weight.T + bias)
    assert convolution.size(14, 2) == 6

    assert -math.log(0.01) == pytest.approx(4.6, abs=0.01)
    assert -math.log(0.01) / -math.log(0.9) == pytest.approx(44, abs=0.5)
    assert loss_curves.softmax([1.0, 0.0, 0.0]) == pytest.approx([0.58, 0.21, 0.21], abs=0.005)
    # Even of the surest right answer, softmax twice leaves this loss.
    surest = loss_curves.classify([50.0, 0.0, 0.0], 0)
    assert surest.loss < 1e-6
    assert 0.55 < surest.loss_twice < 0.56

    assert abs(0.25**10 * 1e6 - 1) < 0.05
    setting = (START, "tanh", (1.0, 0.5), 0.5)
    exact, near = backprop.by_hand(*setting), backprop.differences(*setting)
    assert max(abs(exact[name] - near[name]) for name in exact) < 1e-9


# --- Optimizers -----------------------------------------------------------------------


def test_optimizers_a_ravine_and_three_learning_rates() -> None:
    app = open_page("optimizers")
    assert app.session_state["optimizers.surface"] == "ravine"
    assert app.session_state["optimizers.follow"] == "sgd"
    start = (app.session_state["optimizers.w1"], app.session_state["optimizers.w2"])
    assert app.session_state["optimizers.learning_rate"] == 0.1
    creeps, zigzags, flees = (
        descent.race("ravine", start, rate, 0.9, ("sgd",))[0] for rate in (0.1, 0.9, 1.1)
    )
    # It creeps along the flat direction: after 30 steps the steep one is done, the flat one not.
    assert abs(creeps.points[30][1]) < 0.01 < 2 < abs(creeps.points[30][0])
    move(app, "optimizers", learning_rate=0.9)
    across = [w2 for _w1, w2 in zigzags.points[:20]]
    assert all(a * b < 0 for a, b in itertools.pairwise(across))
    move(app, "optimizers", learning_rate=1.1)
    jumps = [abs(b - a) for (_, a), (_, b) in zip(flees.points, flees.points[1:], strict=False)]
    assert all(later > sooner for sooner, later in itertools.pairwise(jumps))
    # And one sees more than one of these jumps in the picture.
    assert (flees.outside(*descent.SPAN) or 0) > 3
    assert "diverges" in said(app)


def test_optimizers_a_saddle_holds_sgd_on_its_middle_only() -> None:
    app = move(open_page("optimizers"), "optimizers", surface="saddle", w2=0.0)
    assert "**Stuck.**" in said(app)
    stuck = descent.race("saddle", (app.session_state["optimizers.w1"], 0.0), 0.1, 0.9, ("sgd",))[0]
    assert stuck.losses[-1] == pytest.approx(1, abs=1e-3)
    assert "**Just right.**" in said(move(app, "optimizers", w2=0.1))


def test_optimizers_only_momentum_reaches_the_lowest_valley() -> None:
    app = move(open_page("optimizers"), "optimizers", surface="valleys")
    start = (app.session_state["optimizers.w1"], app.session_state["optimizers.w2"])
    for track in descent.race("valleys", start, 0.1, 0.9):
        assert (track.losses[-1] < 0.1) == (track.name == "momentum"), track.name
    move(app, "optimizers", momentum=0.5)
    short_of_it = descent.race("valleys", start, 0.1, 0.5, ("momentum",))[0]
    assert short_of_it.losses[-1] > 1


def test_optimizers_the_learning_rate_of_the_self_check_can_be_set() -> None:
    app = move(open_page("optimizers"), "optimizers", surface="bowl", learning_rate=1.2)
    assert "diverges" in said(app)
    assert "Learning rate too large to settle" in said(move(app, "optimizers", learning_rate=1))


# --- Epochs and batches ---------------------------------------------------------------


def test_batches_without_shuffling_every_batch_is_one_digit() -> None:
    app = move(open_page("batches"), "batches", shuffle=False, batch=4)
    for epoch in batches.deal(24, 4, 2, False, 0):
        assert all(len({card // 4 for card in batch}) == 1 for batch in epoch)
    for size, steps in ((1, 24), (5, 5), (24, 1)):
        assert rf"= {steps}$" in said(move(app, "batches", batch=size))


def loss_said(app: AppTest) -> float:
    found = re.search(r"The loss is ([\d.]+)", said(app))
    assert found is not None
    return float(found[1])


def test_batches_a_small_batch_gets_further_and_a_smaller_rate_closer() -> None:
    app = open_page("batches", view="noise")
    assert app.session_state["batches.epochs"] == 2
    assert "Steps so far: 2." in said(move(app, "batches", batch_size=128))
    all_at_once = loss_said(app)
    assert "Steps so far: 256." in said(move(app, "batches", batch_size=1))
    assert loss_said(app) < 0.7 * all_at_once
    jumping = loss_said(move(app, "batches", epochs=5))
    settled = loss_said(move(app, "batches", learning_rate=0.005))
    lowest = float(batches.loss(torch.tensor(batches.best())))
    assert settled - lowest < 0.3 * (jumping - lowest)


def test_batches_overfits_fits_and_underfits() -> None:
    app = open_page("batches", view="overfitting")
    assert "**It overfits.**" in said(move(app, "batches", epoch=200))
    assert "**It fits.**" in said(move(app, "batches", examples=80))
    assert "**It underfits.**" in said(move(app, "batches", examples=16, neurons=1))
    alone = batches.overfit(1, 16, 0)
    assert min(alone.train_loss[-1], alone.validation_loss[-1]) > 2 * batches.SCATTER**2


@pytest.mark.parametrize(
    ("neurons", "examples", "seed", "what"),
    [
        (64, 16, 0, "overfits"),
        (64, 80, 0, "fits"),
        (1, 16, 0, "underfits"),
        (2, 80, 0, "underfits"),
        # It knows eight examples by heart, and so has nothing to rise from.
        (64, 8, 1, "overfits"),
        (128, 8, 0, "fits"),
    ],
)
def test_batches_the_word_for_it_follows_from_the_losses(
    neurons: int, examples: int, seed: int, what: str
) -> None:
    assert batches.overfit(neurons, examples, seed).fit == what


# --- PyTorch --------------------------------------------------------------------------


def trained(app: AppTest) -> five_parts_run.Outcome:
    """Press Run; what the page's own choices give."""
    run = next(button for button in app.button if button.label == "Run")
    run.click().run()
    assert not app.exception
    outcome: five_parts_run.Outcome = app.session_state["pytorch.outcome"]
    return outcome


def test_pytorch_another_loss_marks_four_places() -> None:
    app = open_page("pytorch")
    first = five_parts.write(trained(app).choices, "en")
    move(app, "pytorch", class_loss="bce")
    second = five_parts.write(trained(app).choices, "en")
    fresh = [
        [line for line in part if line not in old]
        for part, old in zip(_parts(second.source), _parts(first.source), strict=True)
    ]
    changed = [part for part in fresh if part]
    assert len(changed) == 4
    assert not any("optimizer" in line for part in changed for line in part)


def _parts(source: str) -> list[list[str]]:
    return [part.splitlines() for part in re.split(r"\n(?=# \d)", source)]


def test_pytorch_without_an_activation_rings_are_a_coin_toss() -> None:
    app = move(open_page("pytorch"), "pytorch", activation="none")
    for layers in (1, 3):
        figure = trained(move(app, "pytorch", layers=layers)).figure
        assert figure is not None
        assert 0.35 < figure < 0.65
    priced = trained(move(app, "pytorch", data="price"))
    straight = priced.figure
    bent = trained(move(app, "pytorch", activation="relu")).figure
    assert straight is not None
    assert bent is not None
    assert straight < 1.3 * bent


def test_pytorch_sgd_wants_a_larger_learning_rate_than_adam() -> None:
    app = move(open_page("pytorch"), "pytorch", optimizer="sgd", learning_rate=0.01)
    slow = trained(app).figure
    fast = trained(move(app, "pytorch", learning_rate=0.3)).figure
    adam = trained(move(app, "pytorch", optimizer="adam", learning_rate=0.01)).figure
    assert slow is not None
    assert fast is not None
    assert adam is not None
    assert slow < 0.8 < 0.9 < min(fast, adam)
    move(app, "pytorch", data="price", optimizer="sgd", learning_rate=1)
    trained(app)
    assert "The loss has not gone down" in said(app)


def test_pytorch_compares_only_what_can_be_compared() -> None:
    app = open_page("pytorch")
    trained(app)
    assert "Previous run" in said(move(app, "pytorch", optimizer="sgd"))
    trained(move(app, "pytorch", data="price"))
    assert "Previous run" not in said(app)
