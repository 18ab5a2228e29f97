"""The loss page: what it writes and draws is what torch computes, in both languages."""

from __future__ import annotations

import json
import math
import re
from functools import partial
from typing import Any

import pyarrow
import pytest
import torch
from opening import formulas, open_page, says
from streamlit.testing.v1 import AppTest
from torch.nn import functional

from playground import losses
from playground.i18n import number

LANGUAGES = ("en", "pl")
VIEWS = ("regression", "outlier", "classification", "yes_no", "why_not_mse")
open_loss = partial(open_page, "loss")


def move(app: AppTest, **values: Any) -> AppTest:
    for name, value in values.items():
        app.session_state[f"loss.{name}"] = value
    app.run()
    assert not app.exception
    return app


def tex(value: float, language: str, digits: int = 2) -> str:
    return number(value, language, digits).replace(",", "{,}")


def marks(app: AppTest) -> list[tuple[float, float]]:
    """The marked points of all charts."""
    found = []
    for chart in app.get("vega_lite_chart"):
        spec = json.loads(chart.proto.spec)
        assert spec["height"]
        for data in (chart.proto.data, *(one.data for one in chart.proto.datasets)):
            found += rows(data.data)
    return found


def rows(arrow: bytes) -> list[tuple[float, float]]:
    if not arrow:
        return []
    table = pyarrow.ipc.open_stream(arrow).read_all().to_pylist()
    return [(row["x"], row["y"]) for row in table if row.get("kind") == "mark"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("view", VIEWS)
def test_each_view_shows_formula_and_text(view: str, language: str) -> None:
    app = open_loss(language, view=view)
    assert not app.exception
    assert not app.warning
    assert app.latex
    assert app.get("vega_lite_chart")
    assert not {"{", "}"} & set(
        " ".join(text.value for text in app.markdown if "$" not in text.value)
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_moved_price_moves_all_three_losses(language: str) -> None:
    app = open_loss(language)
    for answer, delta in ((12.2, 1.5), (14.4, 1.5), (17.0, 4.0)):
        move(app, prediction=answer, delta=delta)
        shown = formulas(app)
        points = marks(app)
        for loss in (
            functional.mse_loss,
            functional.l1_loss,
            lambda a, b: functional.huber_loss(a, b, delta=delta),  # noqa: B023
        ):
            said = torch.tensor(answer, dtype=torch.double, requires_grad=True)
            value = loss(said, torch.tensor(14.0, dtype=torch.double))
            value.backward()
            assert said.grad is not None
            assert says(shown, value.item())
            assert says(shown, said.grad.item())
            assert any(point == pytest.approx((answer, value.item())) for point in points)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_odd_receipt_pulls_the_mean_and_leaves_the_median(language: str) -> None:
    app = open_loss(language, view="outlier")
    seen = []
    for odd in (20.0, 60.0):
        move(app, odd=odd)
        (line,) = (text.value for text in app.markdown if re.match(r"[\d,.*]+; ", text.value))
        prices = [float(price.strip("*").replace(",", ".")) for price in line.split("; ")]
        assert prices == sorted(prices)
        assert odd in prices
        texts = " ".join(text.value for text in app.markdown)
        mean, median = sum(prices) / 7, prices[3]
        assert f"{number(mean, language, 2)} zł" in texts
        assert f"{number(median, language, 2)} zł" in texts
        assert tex(mean, language) in formulas(app)
        seen.append((mean, median))
    assert seen[1][0] > seen[0][0] + 5
    assert seen[1][1] == seen[0][1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_logits_become_shares_a_loss_and_a_gradient(language: str) -> None:
    app = open_loss(language, view="classification")
    for logits, truth in (((0.5, -2.0, 3.0), "square"), ((7.0, 0.0, 0.0), "circle")):
        move(app, truth=truth, **{f"z{n}": z for n, z in enumerate(logits)})
        place = ["circle", "square", "triangle"].index(truth)
        outputs = torch.tensor([logits], dtype=torch.double, requires_grad=True)
        loss = functional.cross_entropy(outputs, torch.tensor([place]))
        loss.backward()
        assert outputs.grad is not None
        shown = formulas(app)
        assert says(shown, loss.item())
        *_others, column = shown.replace("{,}", ".").split(r"\begin{bmatrix}")
        written = [float(part) for part in column.split(r"\end")[0].split(r"\\")]
        assert written == pytest.approx(outputs.grad[0].tolist(), rel=0.05)
        assert any(
            point == pytest.approx((logits[place], loss.item()), abs=1e-6) for point in marks(app)
        )


@pytest.mark.parametrize("language", LANGUAGES)
def test_softmax_twice_starves_the_gradient(language: str) -> None:
    app = open_loss(language, view="classification", z0="-8", z1="8", z2="0", twice="true")
    outputs = torch.tensor([[-8.0, 8.0, 0.0]], dtype=torch.double, requires_grad=True)
    loss = functional.cross_entropy(outputs.softmax(dim=1), torch.tensor([0]))
    loss.backward()
    assert outputs.grad is not None
    assert float(outputs.grad.abs().max()) < 0.01
    texts = " ".join(text.value for text in app.markdown)
    assert number(loss.item(), language, 2) in texts
    part = outputs.grad[0, 2].item()
    assert says(formulas(app), part, r"\\")
    move(app, twice=False)
    assert not says(formulas(app), part, r"\\")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("yes", [True, False])
def test_one_sure_mistake_outweighs_ten_small_ones(language: str, yes: bool) -> None:
    app = open_loss(language, view="yes_no")
    z = -5.0 if yes else 5.0
    move(app, yes=z, likes=yes)
    output = torch.tensor(z, dtype=torch.double, requires_grad=True)
    target = torch.tensor(float(yes), dtype=torch.double)
    loss = functional.binary_cross_entropy_with_logits(output, target)
    loss.backward()
    assert output.grad is not None
    assert f"= {tex(loss.item(), language)}" in formulas(app)
    assert f"= {tex(output.grad.item(), language)}" in formulas(app)
    small = sum(-math.log(0.85 + 0.01 * n) for n in range(10))
    assert small < loss.item()
    (text,) = (text.value for text in app.markdown if number(small, language, 2) in text.value)
    assert number(loss.item(), language, 2) in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_mse_is_flat_where_it_is_surely_wrong(language: str) -> None:
    app = open_loss(language, view="why_not_mse")
    for z in (-7.0, -1.0, 3.0):
        move(app, z=z)
        for loss in (functional.cross_entropy, losses.mse_one_hot):
            outputs = torch.tensor([[z, 0.0]], dtype=torch.double, requires_grad=True)
            value = loss(outputs, torch.tensor([0]))
            value.backward()
            assert outputs.grad is not None
            slope = outputs.grad[0, 0].item()
            assert says(formulas(app), slope)
            points = marks(app)
            assert any(point == pytest.approx((z, value.item()), abs=1e-6) for point in points)
            assert any(point == pytest.approx((z, slope), abs=1e-6) for point in points)


def test_hostile_parameters_are_named_and_the_usual_used() -> None:
    app = open_loss(
        "en", view="<b>", prediction="1e999", delta="NaN", z0="[1]", truth="cube", twice="2"
    )
    assert not app.exception
    said = " ".join(warning.value for warning in app.warning)
    for name in ("view", "prediction", "delta", "z0", "truth", "twice"):
        assert f"({name})" in said
    assert app.session_state["loss.view"] == "regression"
    assert app.session_state["loss.delta"] == 1.0


def test_the_url_says_what_was_moved() -> None:
    app = move(open_loss("pl"), view="yes_no", yes=2.5)
    assert app.query_params["view"] == "yes_no"
    assert app.query_params["yes"] == "2.5"
    assert "z0" not in app.query_params
    again = open_loss("pl", view="yes_no", yes="2.5")
    assert formulas(again) == formulas(app)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_self_check_explains_each_answer(language: str) -> None:
    app = open_loss(language)
    assert len(app.radio) == 3
    for number_, question in enumerate(app.radio):
        assert len(question.options) == 3
        for answer in range(3):
            move(app, **{f"check.{number_}": answer})
            said = [box.value for box in (*app.success, *app.warning)]
            assert all(len(text) > 20 for text in said)
            assert len(said) == number_ + 1


def test_the_next_lesson_and_a_project_are_linked() -> None:
    pages = [link.proto.page for link in open_loss("en").get("page_link")]
    assert pages == ["coffee", "backpropagation"]
