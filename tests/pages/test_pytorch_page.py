"""PyTorch in five parts: the code follows the choices, and what is shown is what runs."""

from __future__ import annotations

import html
import re
from functools import partial
from typing import Any

import pyarrow
import pytest
from opening import open_page
from streamlit.testing.v1 import AppTest

from playground.i18n import translate
from playground.lesson import five_parts_run
from playground.lesson.five_parts import Choices, Program, write

opened = partial(open_page, "pytorch")


def views(app: AppTest) -> list[str]:
    """The HTML of the code, a text a part."""
    bodies = [element.proto.body for element in app.get("html")]
    return [body for body in bodies if 'class="code-view"' in body]


def shown(app: AppTest) -> str:
    """The code as a reader sees it: parts with an empty line between."""
    parts = [
        "\n".join(
            html.unescape(re.sub(r"<[^>]+>", "", line))
            for line in re.findall(r"<code>(.*?)</code>", body)
        )
        for body in views(app)
    ]
    return "\n\n".join(parts) + "\n"


def marked(app: AppTest) -> list[str]:
    """The lines that the last change altered."""
    return [
        html.unescape(re.sub(r"<[^>]+>", "", line)).strip()
        for body in views(app)
        for line in re.findall(r'class="line new[^>]*>.*?<code>(.*?)</code>', body)
    ]


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


def press_run(app: AppTest) -> AppTest:
    app.button(key="pytorch.run").click().run()
    assert not app.exception
    return app


def choose(app: AppTest, name: str, value: str) -> AppTest:
    app.selectbox(key=f"pytorch.{name}@{app.session_state['lang']}").select(value).run()
    assert not app.exception
    return app


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Program]:
    """The programs that are run, which really run."""
    seen: list[Program] = []
    original = five_parts_run.run

    def run(program: Program) -> Any:
        seen.append(program)
        return original(program)

    monkeypatch.setattr(five_parts_run, "run", run)
    return seen


@pytest.mark.parametrize("language", ["en", "pl"])
def test_what_is_shown_runs_and_its_output_is_shown(language: str, ran: list[Program]) -> None:
    app = opened(language, epochs="5")
    assert not app.code, "nothing has run yet"
    program = write(Choices(epochs=5), language)
    assert shown(app) == program.source
    press_run(app)
    assert ran == [program]
    assert ran[0].source == shown(app)
    outcome = five_parts_run.run(program)
    assert app.code[0].value == "\n".join(outcome.lines)
    assert outcome.figure is not None
    percent = f"{100 * outcome.figure:.1f}%"
    assert (percent.replace(".", ",") if language == "pl" else percent) in said(app)


@pytest.mark.parametrize("language", ["en", "pl"])
def test_an_exchange_is_marked_and_explained(language: str) -> None:
    app = opened(language)
    assert marked(app) == []
    choose(app, "optimizer", "sgd")
    assert marked(app) == ["optimizer = torch.optim.SGD(model.parameters(), lr=0.01)"]
    sentence = translate(
        "One learning rate for all weights, and the step is proportional to the gradient. It "
        "usually needs a larger learning rate than Adam: try ten times as much.",
        language,
    )
    assert sentence in said(app)
    assert "Adam → SGD" in said(app)
    # Another language alters nothing, and what is marked stays marked.
    app.session_state["lang"] = "en" if language == "pl" else "pl"
    app.run()
    assert marked(app) == ["optimizer = torch.optim.SGD(model.parameters(), lr=0.01)"]


def test_lines_are_explained_in_the_readers_language() -> None:
    for language in ("en", "pl"):
        page = html.unescape("".join(views(opened(language))))
        for why in (
            "The optimizer moves every weight a little. This is where the network learns.",
            "Forward pass: the batch goes through all layers.",
        ):
            assert translate(why, language) in page
    comments = [line for line in shown(opened("pl")).splitlines() if line.startswith("#")]
    assert comments[1:3] == ["# 2. Model", "# 3. Funkcja straty"]


def test_the_choice_of_losses_follows_the_data() -> None:
    app = opened("en")
    keys = {box.key for box in app.selectbox}
    assert "pytorch.class_loss@en" in keys
    assert "pytorch.value_loss@en" not in keys
    choose(app, "data", "price")
    keys = {box.key for box in app.selectbox}
    assert "pytorch.class_loss@en" not in keys
    assert "pytorch.value_loss@en" in keys
    assert "nn.MSELoss()" in shown(app)
    assert "nn.Linear(16, 1)," in marked(app)


def test_runs_are_compared() -> None:
    app = press_run(opened("en", epochs="3"))
    first = five_parts_run.run(write(Choices(epochs=3)))
    choose(app, "activation", "none")
    assert "Not trained yet" in said(app)
    assert not app.code, "the lines of other code are not shown beside this"
    press_run(app)
    assert first.figure is not None
    assert f"Previous run: accuracy {100 * first.figure:.1f}%" in said(app)


def test_a_loss_that_runs_away_is_explained() -> None:
    app = opened("en", data="price", optimizer="momentum", learning_rate="1", layers="3")
    press_run(app)
    assert "smaller learning rate" in app.warning[0].value
    assert "e+" in app.code[0].value


def drawn(app: AppTest) -> list[dict[str, Any]]:
    """What the first chart, the picture of the result, is given."""
    chart = app.get("vega_lite_chart")[0].proto
    for data in (chart.data, *(one.data for one in chart.datasets)):
        if data.data:
            rows: list[dict[str, Any]] = pyarrow.ipc.open_stream(data.data).read_all().to_pylist()
            return rows
    return []


@pytest.mark.parametrize("data", ["rings", "xor", "price", "wave"])
def test_something_is_shown_before_anything_has_run(data: str) -> None:
    app = opened("pl", data=data)
    assert "Jeszcze bez treningu" in said(app)
    rows = drawn(app)
    points = [row for row in rows if row["kind"] in ("dot", "point")]
    outcome = five_parts_run.untrained(write(Choices(data=data), "pl"))
    assert [row["x"] for row in points] == outcome.inputs[:, 0].tolist()
    if outcome.choices.classes:
        assert [row["y"] for row in points] == outcome.inputs[:, 1].tolist()
        assert any(row["kind"] == "image" for row in rows)
    else:
        line = [row["y"] for row in rows if row["kind"] == "line"]
        assert line == outcome.answers.tolist()


def test_the_picture_is_that_of_the_trained_network() -> None:
    app = press_run(opened("en", data="wave", epochs="2"))
    outcome = five_parts_run.run(write(Choices(data="wave", epochs=2)))
    line = [row["y"] for row in drawn(app) if row["kind"] == "line"]
    assert line == outcome.answers.tolist()
    assert line != five_parts_run.untrained(write(outcome.choices)).answers.tolist()


def test_hostile_links_are_named_and_never_become_code() -> None:
    app = opened(
        "en",
        data="rings'); import os",
        learning_rate="1e999",
        epochs="100000",
        neurons="<script>",
        seed="0)\nimport os",
        batch_size="1",
    )
    names = ("data", "learning_rate", "epochs", "neurons", "seed", "batch_size")
    warnings = " ".join(warning.value for warning in app.warning)
    assert all(f"({name})" in warnings for name in names)
    assert shown(app) == write(Choices()).source


def test_a_link_sets_the_choices_and_the_url_keeps_them() -> None:
    app = opened("en", data="wave", learning_rate="0.05", value_loss="huber")
    assert not app.warning
    assert shown(app) == write(Choices(data="wave", learning_rate=0.05, value_loss="huber")).source
    assert app.query_params["value_loss"] == "huber"
    assert "class_loss" not in app.query_params


@pytest.mark.parametrize("language", ["en", "pl"])
def test_the_self_check_explains(language: str) -> None:
    app = opened(language)
    assert len(app.radio) == 3
    app.radio[0].set_value(0).run()
    assert "backward()" in app.warning[0].value
    app.radio[0].set_value(1).run()
    assert "PyTorch" in app.success[0].value
