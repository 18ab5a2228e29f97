"""Ways down a surface: torch's steps against the formulas, and what becomes of them."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.insight.descent import (
    LOST,
    NAMES,
    STEPS,
    Track,
    by_hand,
    ending,
    limit,
    race,
    settled,
)
from playground.insight.surfaces import SPAN, SURFACES

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
    assert ending(tracks["sgd"]) == "lost"
    assert ending(tracks["momentum"]) == "rests"
    assert ending(tracks["adam"]) == "rests"


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
        ("ravine", "sgd", 0.01, (-3.5, 1.5), "slow"),
        ("ravine", "sgd", 0.5, (-3.5, 1.5), "rests"),
        ("ravine", "sgd", 1.1, (-3.5, 1.5), "lost"),
        ("saddle", "sgd", 0.1, (-3.0, 0.0), "elsewhere"),
        ("valleys", "sgd", 0.1, (-3.8, 2.2), "elsewhere"),
        ("valleys", "sgd", 2.0, (-3.8, 2.2), "restless"),
        ("valleys", "momentum", 0.1, (-3.6, 3.6), "rests"),
        ("bowl", "adam", 0.1, (0.0, 0.0), "rests"),
    ],
)
def test_endings(
    surface: str, name: str, rate: float, start: tuple[float, float], what: str
) -> None:
    assert ending(one(surface, name, rate, start=start)) == what


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
