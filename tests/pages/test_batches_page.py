"""The page about epochs and batches: its numbers follow the dials and are torch's."""

from __future__ import annotations

import re
from functools import partial

import pytest
import torch
from opening import open_page
from streamlit.testing.v1 import AppTest

from playground.lesson import batches
from playground.prose import sections
from playground.ui.lesson import page as lesson

LANGUAGES = ("en", "pl")
opened = partial(open_page, "batches")


def words(app: AppTest) -> str:
    kinds = ("markdown", "caption", "error", "warning", "success")
    return "\n".join(element.value for kind in kinds for element in app.get(kind))


@pytest.mark.parametrize("language", LANGUAGES)
def test_steps_of_an_epoch_follow_the_batch_size(language: str) -> None:
    app = opened(language)
    assert "24 / 6" in words(app)
    app.slider(key=f"batches.batch@{language}").set_value(5).run()
    assert not app.exception
    text = words(app)
    assert r"24 / 5 \rceil" in text
    assert ("only 4 cards" if language == "en" else "tylko 4 karty") in text
    assert f"{5}" in app.slider(key=f"batches.step@{language}").label


def test_the_cards_are_dealt_as_the_seed_says() -> None:
    app = opened("en", shuffle="false", batch="4")
    digits = [re.findall(r'alt="(\d)"', deck) for deck in decks(app)]
    assert digits[0] == digits[1] == [str(n // 4) for n in range(24)]
    app.toggle(key="batches.shuffle@en").set_value(True).run()
    first, second = (re.findall(r'alt="(\d)"', deck) for deck in decks(app))
    assert first != second
    assert sorted(first) == sorted(second) == digits[0]
    order = [card for part in batches.deal(24, 4, 1, True, 0)[0] for card in part]
    assert first == [str(card // 4) for card in order]


def decks(app: AppTest) -> list[str]:
    return [html.proto.body for html in app.get("html") if "<img" in html.proto.body]


def test_a_walk_through_two_epochs() -> None:
    app = opened("en", batch="12", step="3")
    assert app.slider(key="batches.step@en").label == "Epoch 2, batch 2 of 2"
    assert "moved 4 times" in words(app)
    # Fewer steps than before: the last of them.
    app.slider(key="batches.batch@en").set_value(24).run()
    assert app.session_state["batches.step"] == 1
    for size in (1, 24):
        app.slider(key="batches.batch@en").set_value(size).run()
        assert not app.exception


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_noise_is_measured(language: str) -> None:
    app = opened(language, view="noise", batch_size="16", epochs="0")
    comma = "," if language == "pl" else "."
    start = torch.tensor([3.9, 8.0], dtype=torch.double)
    assert f"{batches.spread(start, 16):.2f}".replace(".", comma) in words(app)
    assert f"{float(batches.loss(start)):.2f}".replace(".", comma) in words(app)
    app.slider(key=f"batches.epochs@{language}").set_value(3).run()
    assert not app.exception
    end = torch.tensor(batches.descend((3.9, 8.0), 16, 0.03, 3, 0)[-1], dtype=torch.double)
    assert f"{float(batches.loss(end)):.2f}".replace(".", comma) in words(app)


def test_divergence_is_said() -> None:
    app = opened("en", view="noise", batch_size="1", learning_rate="0.5", epochs="5")
    assert "diverged" in app.error[0].value


def test_a_batch_size_between_the_stops() -> None:
    assert "43 steps per epoch" in words(opened("en", view="noise", batch_size="3"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_overfitting_is_a_real_run(language: str) -> None:
    app = opened(language, view="overfitting", neurons="4", examples="8", epoch="10")
    run = batches.overfit(4, 8, 0)
    comma = "," if language == "pl" else "."
    for epoch in (10, 200):
        app.slider(key=f"batches.epoch@{language}").set_value(epoch).run()
        assert not app.exception
        for loss in (run.train_loss[epoch], run.validation_loss[epoch], min(run.validation_loss)):
            assert f"{loss:.3f}".replace(".", comma) in words(app)
    app.select_slider(key=f"batches.neurons@{language}").set_value(2).run()
    assert not app.exception
    assert f"{run.validation_loss[200]:.3f}".replace(".", comma) not in words(app)


def test_hostile_parameters_are_named() -> None:
    app = opened("en", view="<script>", batch="0", batch_size="1e9", epoch="nan", shuffle="1")
    said = " ".join(warning.value for warning in app.warning)
    for name in ("view", "batch", "batch_size", "epoch", "shuffle"):
        assert f"({name})" in said
    assert app.session_state["batches.view"] == "cards"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_self_check_explains(language: str) -> None:
    app = opened(language)
    questions = lesson.questions(sections("batches", language)["check"])
    assert len(questions) == len(app.radio) == 3
    for radio, question in zip(app.radio, questions, strict=True):
        right = next(n for n, choice in enumerate(question.choices) if choice.right)
        radio.set_value(right).run()
        assert question.choices[right].why in words(app)
