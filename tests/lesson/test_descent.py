"""Ways down a surface: torch's steps against the formulas, and what becomes of them."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.lesson.descent import (
    LOST,
    NAMES,
    STEPS,
    Track,
    by_hand,
    judge,
    limit,
    race,
    settled,
)
from playground.lesson.surfaces import SPAN, SURFACES

TORCH = {"v": "momentum_buffer", "m": "exp_avg"}


def one(surface: str, name: str, rate: float, momentum: float = 0.9, **more: object) -> Track:
    start = more.get("start", SURFACES[surface].start)
    return race(surface, start, rate, momentum, (name,))[0]  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(
    surface=st.sampled_from(sorted(SURFACES)),
    start=st.tuples(*[st.floats(*SPAN)] * 2),
    rate=st.floats(0.001, 2),
    momentum=st.floats(0, 0.99),
)
def test_each_step_by_hand_is_torchs(
    surface: str, start: tuple[float, float], rate: float, momentum: float
) -> None:
    for track in race(surface, start, rate, momentum, NAMES, steps=6):
        for step in range(len(track.points) - 1):
            update = by_hand(track, step)
            assert update.before == track.points[step]
            assert update.after == pytest.approx(track.points[step + 1], rel=1e-6, abs=1e-9)
            for letter, new in update.new.items():
                names = (TORCH.get(letter, ""), "square_avg", "exp_avg_sq")
                kept = [track.memory[step + 1][n] for n in names if n in track.memory[step + 1]]
                if kept:  # without momentum torch keeps none
                    assert new == pytest.approx(kept[0], rel=1e-6, abs=1e-12)


def test_gradients_and_losses_are_the_surfaces() -> None:
    surface = SURFACES["saddle"]
    for track in race("saddle", surface.start, 0.1, 0.9):
        points = torch.tensor(track.points, dtype=torch.double)
        torch.testing.assert_close(torch.tensor(track.losses).double(), surface.value(points))
        torch.testing.assert_close(torch.tensor(track.gradients).double(), surface.gradient(points))


def test_optimizers_side_by_side_do_what_they_do_alone() -> None:
    together = race("valleys", (-3.8, 2.2), 0.3, 0.9)
    for track in together:
        alone = one("valleys", track.name, 0.3, start=(-3.8, 2.2))
        assert alone.points == track.points


def test_one_that_diverges_does_not_disturb_the_others() -> None:
    # Momentum bears 2(1 + 0.9)/2 = 1.9 on this bowl, SGD only 1.
    tracks = {track.name: track for track in race("bowl", (1.0, 1.0), 1.5, 0.9)}
    assert tracks["sgd"].lost is not None
    assert judge("bowl", tracks["sgd"]).kind == "lost"
    assert judge("bowl", tracks["momentum"]).kind == "right"
    assert judge("bowl", tracks["adam"]).kind == "right"


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("rate", [0.001, 1, 10])
def test_whatever_happens_all_numbers_are_finite(surface: str, rate: float) -> None:
    for track in race(surface, (4.0, 4.0), rate, 0.99):
        assert len(track.points) == len(track.losses) == len(track.gradients) == len(track.memory)
        assert all(math.isfinite(loss) for loss in track.losses)
        assert all(abs(weight) <= LOST for point in track.points for weight in point)
        last = by_hand(track, len(track.points) - 1)
        assert all(math.isfinite(weight) for weight in last.after)
        if track.lost is None:
            assert len(track.points) == STEPS + 1
        else:
            assert len(track.points) == track.lost


@pytest.mark.parametrize("surface", ["bowl", "ravine", "tilted"])
@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov"])
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_the_limit_is_where_it_begins_to_diverge(surface: str, name: str, momentum: float) -> None:
    most = limit(name, momentum, SURFACES[surface].steepest)
    assert most is not None
    # Off the axes, so that the steepest direction takes part.
    below, above = (
        race(surface, (1.0, -0.7), factor * most, momentum, (name,), 400)[0]
        for factor in (0.97, 1.03)
    )
    assert below.losses[-1] < below.losses[0]
    assert above.lost is not None or above.losses[-1] > above.losses[0]


def test_the_limits_of_plain_sgd() -> None:
    assert limit("sgd", 0.9, 2.0) == 1.0
    assert limit("momentum", 0.0, 2.0) == limit("nesterov", 0.0, 2.0) == 1.0
    assert limit("adam", 0.9, 2.0) is limit("rmsprop", 0.9, 2.0) is None


@pytest.mark.parametrize(
    ("surface", "name", "rate", "start", "what"),
    [
        ("ravine", "sgd", 0.01, (-3.5, 1.5), "small"),
        ("ravine", "sgd", 0.5, (-3.5, 1.5), "right"),
        ("ravine", "sgd", 1.1, (-3.5, 1.5), "lost"),
        # At the limit each step multiplies the distance by -1: the loss never rises.
        ("ravine", "sgd", 1.0, (-3.5, 1.5), "restless"),
        ("bowl", "sgd", 1.0, (-3.5, 2.0), "restless"),
        ("tilted", "sgd", 1.0, (-3.5, -1.5), "restless"),
        ("saddle", "sgd", 0.1, (-3.0, 0.0), "stuck"),
        ("valleys", "sgd", 0.1, (-3.8, 2.2), "stuck"),
        ("valleys", "sgd", 2.0, (-3.8, 2.2), "restless"),
        ("valleys", "momentum", 0.1, (-3.6, 3.6), "right"),
        ("bowl", "adam", 0.1, (0.0, 0.0), "right"),
        ("ravine", "adam", 10.0, (-3.5, 1.5), "detour"),
        ("saddle", "rmsprop", 2.0, (-3.0, 0.1), "large"),
        ("saddle", "rmsprop", 3.0, (-3.0, 0.1), "large"),
    ],
)
def test_verdicts(
    surface: str, name: str, rate: float, start: tuple[float, float], what: str
) -> None:
    assert judge(surface, one(surface, name, rate, start=start)).kind == what


@pytest.mark.parametrize("name", ["momentum", "nesterov"])
def test_momentum_that_rolls_past_the_bottom_is_to_blame_not_the_learning_rate(name: str) -> None:
    for rate in (0.002, 0.005):
        found = judge("ravine", one("ravine", name, rate, 0.99))
        assert found.kind == "momentum", rate


def left(track: Track) -> float:
    return math.inf if track.outside(*SPAN) is not None else track.losses[-1]


@settings(max_examples=15)
@given(
    surface=st.sampled_from(sorted(SURFACES)),
    name=st.sampled_from(NAMES),
    rate=st.sampled_from([0.001, 0.01, 0.03, 0.1, 0.3, 0.5, 0.9, 1.0, 1.1, 2.0, 3.0, 5.0, 10.0]),
    momentum=st.sampled_from([0.0, 0.5, 0.9, 0.99]),
)
def test_a_verdict_does_what_it_says(surface: str, name: str, rate: float, momentum: float) -> None:
    track = one(surface, name, rate, momentum)
    found = judge(surface, track)
    factor = {"small": 2.0, "large": 0.5, "restless": 0.5, "lost": 0.5}.get(found.kind)
    if found.better is None:
        assert found.kind not in ("small", "large")
        return
    assert left(found.better) < left(track)
    changed = found.better.recipe
    if found.kind == "momentum":
        assert (changed.learning_rate, changed.momentum < momentum) == (rate, True)
    else:
        assert factor is not None
        assert (changed.learning_rate, changed.momentum) == (factor * rate, track.recipe.momentum)
        again = one(surface, name, factor * rate, momentum)
        assert found.better.points == again.points


def test_without_momentum_the_speed_before_a_step_is_the_last_gradient() -> None:
    track = one("bowl", "momentum", 0.1, 0.0)
    assert by_hand(track, 0).old["v"] == (0.0, 0.0)
    assert by_hand(track, 5).old["v"] == track.gradients[4]


def test_settled_counts_from_where_it_stays_low() -> None:
    track = one("bowl", "sgd", 0.1)
    step = settled(track)
    assert step is not None
    assert track.losses[step] <= 0.01 * track.losses[0] < track.losses[step - 1]


def test_outside_and_the_way_so_far() -> None:
    track = one("bowl", "sgd", 1.5)  # each step doubles the distance, to the other side
    assert track.outside(*SPAN) == 1
    assert track.upto(0).outside(*SPAN) is None
    assert track.upto(3).points == track.points[:4]
    assert track.upto(3).lost is None
    assert track.upto(STEPS).lost == track.lost


def test_adams_first_step_is_the_learning_rate() -> None:
    track = one("ravine", "adam", 0.1)
    (w1, w2), (v1, v2) = track.points[:2]
    assert (v1 - w1, v2 - w2) == pytest.approx((0.1, -0.1), rel=1e-6)
