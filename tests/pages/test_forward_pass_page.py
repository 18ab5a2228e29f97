"""The page on the forward pass: what it shows is what torch computes, in both languages."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch
from opening import formulas, open_page
from streamlit.testing.v1 import AppTest

from playground import i18n
from playground.lesson import convolution, tiny_network
from playground.ui.lesson.tiny_network import START

PAGE = "forward_pass"
opened = partial(open_page, "forward_pass")


def move(app: AppTest, name: str, value: object) -> AppTest:
    app.session_state[f"{PAGE}.{name}"] = value
    return app.run()


def tex(value: float, language: str, digits: int | None = None) -> str:
    """With three digits that matter, or as many as say all of it."""
    short = next((n for n in range(5) if abs(value - round(value, n)) < 1e-12), None)
    if digits is None:
        digits = short if short is not None else 2 - math.floor(math.log10(abs(value)))
    return i18n.number(round(value, digits) + 0.0, language, digits).replace(",", "{,}")


def trace(
    x: tuple[float, float] = (1.0, 0.5), bend: str = "sigmoid", **w: float
) -> tiny_network.Trace:
    return tiny_network.trace(tiny_network.build({**START, **w}, bend), x)


@pytest.mark.parametrize("language", ["en", "pl"])
def test_the_numbers_follow_the_dials_and_are_torchs(language: str) -> None:
    app = opened(language, activation="tanh")
    assert tex(trace(bend="tanh").a[1], language) in formulas(app)
    move(app, "x1", -1.5)
    move(app, "w12", 0.7)
    assert not app.exception
    now = trace((-1.5, 0.5), "tanh", w12=0.7)
    assert tex(now.z[1], language) in formulas(app)
    assert tex(now.a[1], language) in formulas(app)
    assert app.query_params["x1"] == "-1.5"


def test_later_layers_have_no_value_yet() -> None:
    app = opened(step="1", neuron="2")
    assert tex(trace().z[2], "en") in formulas(app)
    assert tex(trace().a[2], "en") not in formulas(app)
    assert "{?}" in formulas(app)
    for _press in range(3):
        app.button(key=f"{PAGE}.step.next").click().run()
    # The neuron opened up follows the walk.
    assert app.session_state[f"{PAGE}.neuron"] == "3"
    assert tex(trace().answer, "en") in formulas(app)
    assert "{?}" not in formulas(app)


def test_who_opens_a_later_neuron_walks_there() -> None:
    app = opened()
    app.selectbox(key=f"{PAGE}.neuron@en").select("3").run()
    assert app.session_state[f"{PAGE}.step"] == 4
    assert tex(trace().answer, "en") in formulas(app)
    move(app, "w31", 0.0)
    assert tex(trace(w31=0.0).answer, "en") in formulas(app)


@pytest.mark.parametrize("activation", tiny_network.ACTIVATIONS)
def test_every_activation_is_shown(activation: str) -> None:
    app = opened("pl", activation=activation, step="4", neuron="3")
    assert not app.exception
    assert tex(trace(bend=activation).answer, "pl") in formulas(app)


@pytest.mark.parametrize("language", ["en", "pl"])
@pytest.mark.parametrize("stride", [1, 2])
def test_an_output_pixel_is_torchs(language: str, stride: int) -> None:
    app = opened(language, view="convolution", stride=str(stride), kernel="sharpen")
    move(app, "row", 6)
    move(app, "column", 5)
    move(app, "bias", 0.3)
    assert not app.exception
    image = convolution.picture("seven")
    conv = convolution.layer(convolution.KERNELS["sharpen"], 0.3, stride)
    with torch.no_grad():
        value = float(conv(image[None, None])[0, 0, 5, 4])
    assert rf"\mathbf{{{tex(value, language)}}}" in formulas(app)
    said = " ".join(caption.value for caption in app.caption)
    assert tex(value, language).replace("{,}", ",").replace("-", "−") in said


def test_own_weights() -> None:
    app = opened(view="convolution", kernel="own", k22="0.0", k13="2.0", row="4", column="9")
    image = convolution.picture("seven")
    assert rf"\mathbf{{{tex(2 * float(image[3, 10]), 'en')}}}" in formulas(app)
    move(app, "k13", -1.5)
    assert not app.exception
    assert rf"\mathbf{{{tex(-1.5 * float(image[3, 10]), 'en')}}}" in formulas(app)


def test_a_larger_stride_leaves_no_pixel_that_is_not_there() -> None:
    app = opened(view="convolution", row="12", column="12")
    move(app, "stride", "2")
    assert not app.exception
    assert app.session_state[f"{PAGE}.row"] == 6


def test_hostile_links_are_named() -> None:
    app = opened(w11="1e999", step="77", kernel="<script>", neuron="9", x1="NaN")
    assert not app.exception
    said = " ".join(warning.value for warning in app.warning)
    for name in ("w11", "step", "kernel", "neuron", "x1"):
        assert f"({name})" in said
    assert app.session_state[f"{PAGE}.w11"] == START["w11"]


@pytest.mark.parametrize("language", ["en", "pl"])
def test_each_answer_is_explained(language: str) -> None:
    app = opened(language)
    assert len(app.radio) == 3
    for radio in app.radio:
        for place in range(3):
            app.session_state[radio.key.split("@")[0]] = place
            app.run()
            assert not app.exception
    assert len(app.success) + len(app.warning) == 3
