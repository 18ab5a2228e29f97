"""The page of the neuron: what it shows are the numbers that torch computes."""

from __future__ import annotations

import re
from functools import partial

import pytest
import torch
from opening import formulas, open_page
from streamlit.testing.v1 import AppTest

from playground.lesson import neuron, toy_points

VIEWS = ("line", "plane", "layer", "bends", "region")
opened = partial(open_page, "neuron")


def words(app: AppTest) -> str:
    return " ".join(element.value for element in (*app.markdown, *app.caption, *app.success))


@pytest.mark.parametrize("language", ["en", "pl"])
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_has_its_formula(view: str, language: str) -> None:
    app = opened(language, view=view)
    assert formulas(app)
    assert not app.warning
    assert ("{,}" in formulas(app)) == (language == "pl")


@pytest.mark.parametrize(("language", "comma"), [("en", "."), ("pl", "{,}")])
def test_one_input_follows_its_slider(language: str, comma: str) -> None:
    app = opened(language, activation="tanh")
    app.select_slider(key=f"neuron.w@{language}").set_value(0.5).run()
    z = torch.nn.functional.linear(torch.tensor([1.0]), torch.tensor([[0.5]]), torch.tensor([-1.0]))
    assert f"= {z.item():g}".replace(".", comma) in formulas(app)
    app.select_slider(key=f"neuron.b@{language}").set_value(0.3).run()
    a = torch.tanh(torch.tensor(0.5 * 1 + 0.3)).item()
    assert rf"\tanh(0{comma}8) = {f'{a:.3f}'.replace('.', comma)}" in formulas(app)
    assert app.query_params["w"] == "0.5"


def test_two_inputs_count_the_points_that_are_right() -> None:
    app = opened(view="plane", w1="1", w2="1", b="0")
    assert "24 of 24" in words(app)
    app.select_slider(key="neuron.b@en").set_value(-3.0).run()
    right = toy_points.right(neuron.layer([[1, 1]], [-3]), toy_points.examples("groups", 24))
    assert f"{int(right.sum())} of 24" in words(app)
    assert not right.all()


def test_two_inputs_say_on_which_side_x_lies() -> None:
    app = opened(view="plane", w1="1", w2="0", b="0", x1="2", x2="0")
    assert f"{torch.sigmoid(torch.tensor(2.0)).item():.3f} is above" in words(app)
    app.select_slider(key="neuron.x1@en").set_value(-2.0).run()
    assert f"{torch.sigmoid(torch.tensor(-2.0)).item():.3f} is at most" in words(app)
    # On the border itself it is neither.
    app.select_slider(key="neuron.x1@en").set_value(0.0).run()
    assert "above" not in words(app)
    assert "undecided" in words(app)


def test_no_single_line_gets_all_corners_right() -> None:
    app = opened(view="plane", data="corners", w1="2", w2="2")
    assert "24 of 24" not in words(app)


@pytest.mark.parametrize("activation", ["none", "relu"])
def test_a_layer_is_torchs_matrix_product(activation: str) -> None:
    app = opened(view="layer", w12="-1.5", x1="0.5", x2="2", activation=activation)
    layer = neuron.layer([[1, -1.5], [-1, 2]], [0, 0.5])
    sums = layer(torch.tensor([[0.5, 2.0]]))[0].tolist()
    outputs = [max(0, z) for z in sums] if activation == "relu" else sums
    shown = formulas(app).split(r"\begin{bmatrix}")[-1]
    for value in outputs:
        assert f"{value:g}" in shown
    for z in sums:
        assert f"&= {z:g}" in formulas(app)


def test_bends_add_up_to_the_output() -> None:
    app = opened(view="bends", x="0.5")
    for neurons in (1, 8):
        app.slider(key="neuron.neurons@en").set_value(neurons).run()
        net = neuron.bends(neurons)
        y = net(torch.tensor([[0.5]])).item()
        assert f"&= {y:.2f}" in formulas(app)
        assert formulas(app).count(r"\mathrm{ReLU}") == neurons + 1
        assert float(app.metric[0].value) == pytest.approx(neuron.distance(net), rel=5e-3)


def test_a_region_needs_three_edges() -> None:
    app = opened(view="region", edges="2")
    assert "60 of 60" not in words(app)
    app.slider(key="neuron.edges@en").set_value(3).run()
    assert "60 of 60" in words(app)
    z = neuron.region(3, 3, 6)(torch.tensor([[1.5, -1.0]])).item()
    shown = float(re.findall(r"- 25 = (\S+)", formulas(app))[0])
    assert shown == pytest.approx(z, rel=5e-3)


@pytest.mark.parametrize(("joined", "needed"), [("all", 4), ("most", 3), ("one", 1)])
def test_the_second_layers_bias_says_how_many_are_needed(joined: str, needed: int) -> None:
    app = opened(view="region", edges="4", joined=joined)
    assert f"- {10 * (needed - 0.5):.0f} =" in formulas(app)


def test_a_hostile_link_is_named_and_the_usual_is_used() -> None:
    app = opened(w="1e999", view="<script>", activation="x", neurons="0.5")
    said = " ".join(warning.value for warning in app.warning)
    for name in ("w", "view", "activation", "neurons"):
        assert f"({name})" in said
    assert app.session_state["neuron.w"] == 1.5
    assert app.session_state["neuron.view"] == "line"


@pytest.mark.parametrize("language", ["en", "pl"])
def test_the_self_check_explains_right_and_wrong(language: str) -> None:
    app = opened(language)
    app.radio[0].set_value(1).run()
    assert "2 · 3 − 1 = 5" in app.success[0].value
    app.radio[0].set_value(0).run()
    assert not app.success
    assert "2 · (3 − 1)" in app.warning[0].value
