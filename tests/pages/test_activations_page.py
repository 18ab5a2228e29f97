"""The page of the activation functions: its numbers are autograd's, its networks are trained."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from opening import formulas, open_page, says

from playground.lesson import activations, toy_points
from playground.lesson.activations import Activation

opened = partial(open_page, "activations")


@pytest.mark.parametrize("language", ["en", "pl"])
@pytest.mark.parametrize("view", ["curve", "depth", "network"])
def test_every_view_has_its_formula(view: str, language: str) -> None:
    app = opened(language, view=view)
    assert formulas(app)
    assert not app.error


@pytest.mark.parametrize("kind", activations.KINDS)
def test_a_formula_has_autograds_numbers(kind: str) -> None:
    app = opened(activation=kind, elu_alpha="1.5", w1="0.7", b1="-0.4")
    for x in (-1.3, 0.0, 2.1):
        app.select_slider(key="activations.x@en").set_value(x).run()
        assert not app.exception
        first, second = (0.7, -0.4), activations.PIECES[1]
        value, slope = activations.at(Activation(kind, 1.5, (first, second)), x)
        assert says(formulas(app), value)
        assert says(formulas(app), slope)


def test_polish_numbers_have_a_comma() -> None:
    app = opened("pl")
    value = torch.sigmoid(torch.tensor(2.0)).item()
    assert f"{value:.3f}".replace(".", "{,}") in formulas(app)


def test_saturated_and_dead_are_told() -> None:
    app = opened(activation="sigmoid", x="5")
    assert "0.00665" in app.warning[0].value
    app = opened(activation="relu", x="-1")
    assert "dead" in app.error[0].value
    app = opened(activation="leaky_relu", x="-1")
    assert "0.1" in app.success[0].value


def test_a_gradient_through_layers_vanishes_or_explodes() -> None:
    app = opened(view="depth")
    gradient = activations.chain(Activation("sigmoid"), 1, 1, 10).gradients[0]
    mantissa, power = f"{gradient:.2e}".split("e")
    assert rf"{mantissa} \cdot 10^{{{int(power)}}}" in formulas(app)
    assert "Vanishing" in app.warning[0].value
    app.slider(key="activations.layers@en").set_value(1).run()
    assert f"{activations.chain(Activation('sigmoid'), 1, 1, 1).factors[0]:.3f}" in formulas(app)
    app = opened(view="depth", activation="relu", weight="2")
    assert "Exploding" in app.warning[0].value
    assert app.metric[0].value == "1,024"


def test_a_gradient_stops_at_a_slope_of_0() -> None:
    app = opened(view="depth", activation="relu", start="-1")
    assert app.metric[0].value == "0"
    assert app.error


def test_a_network_bends_with_an_activation_function_alone() -> None:
    app = opened(view="network", activation="relu")
    straight = toy_points.train("rings", 120, "none", (6, 6))
    assert app.metric[0].value == f"{int(straight.right.sum())} of 120"
    (w1, _w2), bias = (
        toy_points.merged(straight.net)[0][0].tolist(),
        toy_points.merged(straight.net)[1],
    )
    assert says(formulas(app), w1, "z =")
    assert says(formulas(app).replace("- ", "+ "), abs(bias.item()), r"x_2 +")
    app.toggle(key="activations.bent@en").set_value(True).run()
    bent = toy_points.train("rings", 120, "relu", (6, 6))
    assert app.metric[0].value == f"{int(bent.right.sum())} of 120" == "120 of 120"
    said = app.metric[1].value.split(" · 10⁻")
    power = "⁰¹²³⁴⁵⁶⁷⁸⁹".index(said[1]) if len(said) > 1 else 0
    assert float(said[0]) * 10**-power == pytest.approx(bent.loss, rel=5e-3)
    app.slider(key="activations.hidden@en").set_value(4).run()
    assert "W_5 a_4" in formulas(app)


def test_a_hostile_link_is_named_and_the_usual_is_used() -> None:
    app = opened(x="nan", view="-", hidden="99", elu_alpha="0")
    said = " ".join(warning.value for warning in app.warning)
    for name in ("x", "view", "hidden", "elu_alpha"):
        assert f"({name})" in said
    assert app.session_state["activations.hidden"] == 2


@pytest.mark.parametrize("language", ["en", "pl"])
def test_the_self_check_explains_right_and_wrong(language: str) -> None:
    app = opened(language, activation="none")
    before = len(app.success)
    app.radio[0].set_value(1).run()
    assert len(app.success) == before + 1
    app.radio[0].set_value(0).run()
    assert "tanh" in app.warning[0].value
