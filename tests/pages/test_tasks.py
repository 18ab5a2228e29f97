"""Every task of a lesson page can be done with its controls, and shows what it promises."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
import torch
from opening import open_page
from streamlit.testing.v1 import AppTest

from playground.export import five_parts, five_parts_run
from playground.insight import batches, descent
from playground.ui.controls import short


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
        widget.set_value([value] if kind == "button_group" else value).run()
        assert not app.exception
        assert app.session_state[f"{stem}.{name}"] == value
    return app


def said(app: AppTest) -> str:
    kinds = ("markdown", "caption", "error", "warning", "success", "info")
    return "\n".join(element.value for kind in kinds for element in app.get(kind))


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
    assert "Too large to settle" in said(move(app, "optimizers", learning_rate=1))


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
