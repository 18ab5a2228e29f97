"""What the texts say in numbers is what comes out when somebody counts.

Each test quotes the sentences that it is about, in both languages, so that nobody changes a
number without being asked.
"""

from __future__ import annotations

import math
import re

import pytest
import torch
from babel.messages.pofile import read_po
from torch import Tensor, nn
from torch.nn import functional

from playground import models
from playground.i18n import CATALOGUES
from playground.lesson import (
    activations,
    backprop,
    batches,
    convolution,
    five_parts,
    loss_curves,
    neuron,
)
from playground.lesson.five_parts import Choices
from playground.prose import sections
from playground.recipe import Recipe
from playground.ui.lesson.tiny_network import START


def says(page: str, section: str, english: str, polish: str) -> None:
    """The sentences stand there, in both languages."""
    for language, words in (("en", english), ("pl", polish)):
        text = "\n".join(
            body
            for name, body in sections(page, language).items()
            if name.partition(".")[0] == section
        )
        assert words in re.sub(r"\s+", " ", text), (page, section, words)


def message(english: str) -> str:
    """The Polish of the one message that begins with ``english``."""
    with (CATALOGUES / "pl" / "LC_MESSAGES" / "playground.po").open("rb") as file:
        entries = read_po(file, locale="pl")
    (found,) = [
        entry.string
        for entry in entries
        if (entry.id if isinstance(entry.id, str) else entry.id[0]).startswith(english)
    ]
    assert isinstance(found, str)
    return found


# --- Activation functions -------------------------------------------------------------


def slope(kind: str, x: float) -> float:
    return activations.Activation(kind).by_hand(x)[1]


def test_tanh_is_flatter_than_sigmoid_far_from_the_middle() -> None:
    says(
        "activations",
        "tanh",
        "at x = 6 a hundred times flatter",
        "dla x = 6 sto razy",
    )
    assert slope("sigmoid", 6) / slope("tanh", 6) == pytest.approx(100, rel=0.01)
    assert slope("tanh", 0) == 1
    for x in (2.5, 4.0, 6.0):
        assert slope("tanh", x) < slope("sigmoid", x)
        assert slope("tanh", -x) < slope("sigmoid", -x)


def test_what_sigmoid_leaves_of_a_gradient() -> None:
    says("activations", "sigmoid", "slope is 0.25 at most", "pochodna to najwyżej 0,25")
    says(
        "activations",
        "check",
        "Five such layers, with weights of 1, leave less than a thousandth",
        "Po pięciu takich warstwach zostaje mniej niż jedna tysięczna",
    )
    says(
        "backpropagation",
        "check",
        "0.25 to the tenth is about one millionth",
        "0,25 do potęgi dziesiątej to około jednej milionowej",
    )
    assert max(slope("sigmoid", x / 10) for x in range(-60, 61)) == slope("sigmoid", 0) == 0.25
    assert 0.25**5 < 1e-3
    assert pytest.approx(1e-6, rel=0.05) == 0.25**10


def test_a_dead_neuron_gets_no_gradient_and_one_before_it_can_bring_it_back() -> None:
    """In a deeper layer: what feeds it may change, although its own weights do not."""
    says(
        "activations",
        "check",
        "no gradient changes its weights",
        "gradient nie zmieni jego wag",
    )
    inputs = torch.tensor([[1.0], [2.0]])
    deep = nn.Linear(1, 1)
    with torch.no_grad():
        deep.weight.fill_(1.0)
        deep.bias.fill_(-5.0)
    torch.relu(deep(inputs)).sum().backward()
    assert deep.weight.grad is not None
    assert float(deep.weight.grad) == 0
    assert bool((deep(10 * inputs) > 0).all())


# --- Loss -----------------------------------------------------------------------------


def test_one_confident_mistake_against_ten_nearly_right_answers() -> None:
    says(
        "loss",
        "yes_no",
        "Its slope is about ten times that of one of them",
        "jej gradient jest prawie tak duży jak wszystkich dziesięciu razem",
    )
    curve = loss_curves.of_yes(yes=True)
    _costs, (wrong,) = loss_curves.trace(curve, [-4.0])
    _costs, nearly = loss_curves.trace(curve, [math.log(p / (1 - p)) for p in loss_curves.SMALL])
    assert wrong / sum(nearly) == pytest.approx(0.93, abs=0.01)
    assert wrong / (sum(nearly) / len(nearly)) == pytest.approx(10, rel=0.1)


def test_what_a_little_certainty_costs() -> None:
    says("loss", "check", "−ln 0.01 = 4.6: as much as 44 answers", "−ln 0,01 = 4,6, czyli tyle")
    says("loss", "check", "at 0.105 each", "po 0,105")
    assert -math.log(0.01) == pytest.approx(4.6, abs=0.01)
    assert -math.log(0.9) == pytest.approx(0.105, abs=5e-4)
    assert round(-math.log(0.01) / -math.log(0.9)) == 44


def test_softmax_twice() -> None:
    says("loss", "check", "(0.58, 0.21, 0.21)", "(0,58; 0,21; 0,21)")
    says("loss", "check", "stays above 0.55", "nie spada poniżej 0,55")
    says("project", "softmax", "the network learns more slowly", "sieć uczy się wolniej")
    sure = torch.tensor([1.0, 0.0, 0.0])
    assert functional.softmax(sure, dim=0).tolist() == pytest.approx([0.58, 0.21, 0.21], abs=5e-3)
    lowest = float(functional.cross_entropy(sure[None], torch.tensor([0])))
    assert 0.55 < lowest < 0.56
    assert after(twice=True) > 1.5 * after(twice=False), "more slowly"
    assert after(twice=True) < math.log(3) - 0.2, "but it learns"


def after(*, twice: bool) -> float:
    """How wrong a softmax over three logits is after 30 steps towards the first class."""
    logits = torch.zeros(1, 3, requires_grad=True)
    truth = torch.tensor([0])
    optimizer = torch.optim.SGD([logits], lr=0.5)
    for _step in range(30):
        optimizer.zero_grad()
        outputs = functional.softmax(logits, dim=1) if twice else logits
        functional.cross_entropy(outputs, truth).backward()
        optimizer.step()
    return float(functional.cross_entropy(logits.detach(), truth))


def test_huber_is_like_mse_near_the_goal_and_like_mae_far_away() -> None:
    """Like, not equal to: half of it near by, and its slope far away is δ."""
    says("loss", "regression", "like MSE near the goal", "blisko celu działa podobnie jak MSE")
    (near, near_slope), (far, far_slope) = (loss_curves.huber(e, 2.0) for e in (0.5, 10.0))
    assert (near, near_slope) == (0.5 * 0.5**2, 0.5)
    assert far_slope == 2.0
    assert far > loss_curves.absolute(10.0)[0]


# --- Neuron, forward pass, backpropagation, batches -----------------------------------


def test_the_bias_moves_the_boundary_and_the_ratio_of_the_weights_turns_it() -> None:
    says("neuron", "plane", "ratio of the weights sets its direction", "stosunku wag obraca")

    def direction(w1: float, w2: float, b: float) -> float:
        (x, u), (y, v) = neuron.boundary(w1, w2, b, 3.0)
        return math.atan2(v - y, u - x) % math.pi

    usual = direction(1.0, -0.5, 0.0)
    assert direction(2.0, -1.0, 0.0) == pytest.approx(usual)
    assert direction(1.0, -0.5, 0.7) == pytest.approx(usual)
    assert direction(1.0, 0.5, 0.0) != pytest.approx(usual, abs=0.1)


def test_a_sum_that_moves_up_moves_the_sigmoid_sideways() -> None:
    says("neuron", "line", "to the left or right", "w lewo albo w prawo")
    x, w, b = torch.linspace(-3, 3, 7), 1.5, 0.6
    assert torch.allclose(torch.sigmoid(w * x + b), torch.sigmoid(w * (x + b / w)))


def test_a_kernel_of_3_with_stride_2_fits_six_times_into_14() -> None:
    says(
        "forward_pass",
        "check",
        "the seventh position would start at pixel 13 and need pixel 15",
        "w siódmym miejscu jądro zaczynałoby od piksela 13 i potrzebowało piksela 15",
    )
    starts = [1 + 2 * place for place in range(7)]
    assert starts[-1] == 13
    assert starts[-1] + 2 == 15 > convolution.SIDE == 14
    assert nn.Conv2d(1, 1, 3, stride=2)(torch.zeros(1, 1, 14, 14)).shape[-2:] == (6, 6)
    assert convolution.size(14, 1) == 12


def test_an_edge_kernel_says_the_bias_where_the_picture_is_empty() -> None:
    says("forward_pass", "try", "is 0 (with bias 0)", "jest 0 (przy biasie 0)")
    for name in ("vertical", "horizontal"):
        kernel = convolution.KERNELS[name]
        for bias in (0.0, 0.7):
            out = convolution.convolve(torch.zeros(14, 14).double(), kernel, bias, 1)
            assert torch.equal(out, torch.full_like(out, bias))


def test_without_its_way_to_the_loss_a_neuron_gets_no_gradient_in_this_step() -> None:
    says(
        "backpropagation",
        "try",
        "gets no gradient in this step",
        "w tym kroku neuron 1 nie dostaje gradientu",
    )
    cut = {**START, "w31": 0.0}
    found = backprop.autograd(cut, "tanh", (1.0, -1.2), -0.5)
    assert found["w11"] == found["w12"] == found["b1"] == 0
    assert abs(found["w31"]) > 0.01, "the next step moves it, and neuron 1 learns again"


def test_four_times_the_batch_about_halves_the_noise_and_all_at_once_leave_none() -> None:
    says("batches", "noise", "only halve the noise", "zmniejsza szum tylko o połowę")
    says("batches", "noise", "a batch of all n has no noise", "batch ze wszystkich n nie ma szumu")
    w = torch.tensor([3.9, 8.0], dtype=torch.double)
    spread: dict[int, float] = {size: batches.expected_spread(w, size) for size in batches.SIZES}
    assert spread[8] / spread[2] == pytest.approx(0.5, abs=0.02)
    assert spread[32] / spread[8] == pytest.approx(0.45, abs=0.005)
    assert spread[batches.RECEIPTS] == 0


# --- Settings -------------------------------------------------------------------------


def test_dropout_switches_off_other_neurons_for_each_example() -> None:
    assert "dla każdego przykładu" in message("The share of hidden neurons that are switched off")
    recipe = Recipe("any", architecture="mlp", hidden=(64,), dropout=0.5)
    (layer,) = [one for one in models.build(recipe, (3,), 2) if isinstance(one, models.Dropout)]
    layer.train()
    off = layer(torch.ones(8, 64)) == 0
    assert len({tuple(row.tolist()) for row in off}) == 8
    layer.eval()
    assert torch.equal(layer(torch.ones(8, 64)), torch.ones(8, 64)), "during training only"


def test_stride_2_halves_each_side_of_a_picture() -> None:
    assert "boki obrazka o połowę" in message("How far the window moves at a time: 2 halves each")
    out = nn.Conv2d(1, 1, 3, stride=2, padding=1)(torch.zeros(1, 1, 28, 28))
    assert out.shape[-2:] == (14, 14)


def test_mse_on_classes_punishes_what_is_far_on_the_right_side_too() -> None:
    """Its last layer is bare: the further an output lies from 0 or 1, the harder it is pulled."""
    assert "wyjście 3 dla klasy 1" in message("The classes are treated as the numbers 0 and 1")
    program = five_parts.write(Choices(data="rings", class_loss="mse")).source
    assert "nn.MSELoss()" in program
    assert "Sigmoid" not in program
    outputs = torch.tensor([[0.6], [1.0], [3.0], [9.0]], requires_grad=True)
    loss = functional.mse_loss(outputs, torch.ones(4, 1), reduction="sum")
    loss.backward()
    assert outputs.grad is not None
    assert bool((outputs > 0.5).all()), "all four count as class 1"
    pulls: Tensor = outputs.grad.abs().flatten()
    assert pulls.tolist() == pytest.approx([0.8, 0.0, 4.0, 16.0])
