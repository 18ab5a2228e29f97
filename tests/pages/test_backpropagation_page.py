"""The page on backpropagation: what it shows is what autograd says, in both languages."""

from __future__ import annotations

import math
import re
from functools import partial

import pytest
from opening import formulas, open_page
from streamlit.testing.v1 import AppTest

from playground import i18n
from playground.lesson import backprop, tiny_network
from playground.ui.lesson.tiny_network import START

PAGE = "backpropagation"
EXAMPLE = (1.0, 0.5)
opened = partial(open_page, "backpropagation")


def move(app: AppTest, name: str, value: object) -> AppTest:
    app.session_state[f"{PAGE}.{name}"] = value
    return app.run()


def prose(app: AppTest) -> str:
    return " ".join(markdown.value for markdown in app.markdown)


def tex(value: float, language: str) -> str:
    return text(value, language).replace(",", "{,}").replace("−", "-")


def text(value: float, language: str, digits: int = 2) -> str:
    """Three digits that matter, as the page writes numbers that are not short."""
    decimals = max(0, digits - math.floor(math.log10(abs(value))))
    return i18n.number(value, language, decimals).replace("-", "−")


@pytest.mark.parametrize("language", ["en", "pl"])
def test_the_last_step_is_the_gradient_of_autograd(language: str) -> None:
    app = opened(language, step="5", parameter="w12", activation="tanh")
    move(app, "x2", -1.2)
    move(app, "target", -0.5)
    assert not app.exception
    gradient = backprop.autograd(START, "tanh", (1.0, -1.2), -0.5)
    assert rf"\mathbf{{{tex(gradient['w12'], language)}}}" in formulas(app)
    for value in gradient.values():  # in the table, once for each of three ways
        assert prose(app).count(text(value, language)) >= 3
    assert any("10⁻¹" in caption.value for caption in app.caption)  # so little do they differ


def test_one_factor_at_a_time() -> None:
    app = opened(step="0")
    assert formulas(app).count("{?}") == 5
    for pressed in range(1, 6):
        app.button(key=f"{PAGE}.step.next").click().run()
        assert formulas(app).count("{?}") == 5 - pressed
    assert app.button(key=f"{PAGE}.step.next").disabled
    # A chain of the last layer is shorter.
    move(app, "parameter", "b3")
    assert not app.exception
    assert app.session_state[f"{PAGE}.step"] == 3
    gradient = backprop.autograd(START, "tanh", EXAMPLE, 0.5)["b3"]
    assert rf"\mathbf{{{tex(gradient, 'en')}}}" in formulas(app)


@pytest.mark.parametrize("parameter", tiny_network.PARAMETERS)
def test_every_parameter_has_its_chain(parameter: str) -> None:
    app = opened("pl", parameter=parameter, step="5", activation="leaky_relu")
    assert not app.exception
    gradient = backprop.autograd(START, "leaky_relu", EXAMPLE, 0.5)[parameter]
    said = re.findall(r"\\mathbf\{(.*?)\} ", formulas(app))[0].replace("{,}", ".")
    assert float(said) == pytest.approx(gradient, rel=5e-3)


def test_a_corner_is_said() -> None:
    app = opened("en", activation="relu", x1="0", x2="0", b1="0.0")
    assert any("kink" in caption.value for caption in app.caption)
    move(app, "b1", 0.1)
    assert not any("kink" in caption.value for caption in app.caption)


@pytest.mark.parametrize("language", ["en", "pl"])
def test_predicted_and_real_change(language: str) -> None:
    app = opened(language, view="nudge", parameter="w31")
    move(app, "nudge", 0.4)
    assert not app.exception
    gradient = backprop.autograd(START, "tanh", EXAMPLE, 0.5)["w31"]
    moved = backprop.loss({**START, "w31": START["w31"] + 0.4}, "tanh", EXAMPLE, 0.5)
    change = moved - backprop.loss(START, "tanh", EXAMPLE, 0.5)
    assert tex(0.4 * gradient, language) in formulas(app)
    said = text(change, language, 1)  # a difference has as many decimals as what it is of
    assert said.replace("−", "-").replace(",", "{,}") in formulas(app)
    assert said in prose(app)


@pytest.mark.parametrize("language", ["en", "pl"])
def test_one_step_is_torchs(language: str) -> None:
    app = opened(language, view="step", activation="tanh")
    move(app, "learning_rate", 0.3)
    assert not app.exception
    after = backprop.descend(START, "tanh", EXAMPLE, 0.5, 0.3)
    for value in after.values():
        assert i18n.number(value, language, 3).replace("-", "−") in prose(app)
    loss = backprop.loss(after, "tanh", EXAMPLE, 0.5)
    said = app.metric[1].value.split(" · ")[0].replace(",", ".")
    assert f"{loss:.6e}".startswith(said[:3]) or float(said) == pytest.approx(loss, rel=5e-3)


def test_a_step_can_be_too_long() -> None:
    """What the page bids one try: the loss falls with the learning rate, and then rises again."""
    app = opened("en", view="step")
    losses = []
    for rate in (0.0, 0.1, 0.3, 1.0, 10.0):
        move(app, "learning_rate", rate)
        losses.append(
            float(app.metric[1].value.split(" · ")[0]) if "·" not in app.metric[1].value else 0.0
        )
    assert losses[0] > losses[1] > losses[2] < losses[3] < losses[4]
    assert losses[4] > 5 * losses[0]


def test_a_gradient_promises_too_much() -> None:
    app = opened("en", view="nudge", parameter="w31")
    gaps = []
    for delta in (0.1, 2.0):
        move(app, "nudge", delta)
        said = next(line.value for line in app.markdown if "It actually changes" in line.value)
        about, really = re.findall(r"\*\*([+−][\d.]+)\*\*", said)[-2:]
        gaps.append((float(about.replace("−", "-")), float(really.replace("−", "-"))))
    (small, small_really), (large, large_really) = gaps
    assert small == pytest.approx(small_really, rel=0.25)
    assert large < 0 < large_really


@pytest.mark.parametrize("view", ["chain", "nudge", "step"])
@pytest.mark.parametrize("activation", tiny_network.ACTIVATIONS)
def test_far_ends_of_the_dials(view: str, activation: str) -> None:
    far = {name: "-3.0" for name in tiny_network.PARAMETERS if name.startswith("w")}
    app = opened("en", view=view, activation=activation, x1="-2", x2="2", learning_rate="10", **far)
    assert not app.exception
    assert not app.warning


def test_hostile_links_are_named() -> None:
    app = opened(parameter="w99", learning_rate="-1", view="x", step="2.5", target="[]")
    assert not app.exception
    said = " ".join(warning.value for warning in app.warning)
    for name in ("parameter", "learning_rate", "view", "step", "target"):
        assert f"({name})" in said


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
