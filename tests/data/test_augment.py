"""Augmentation: repeatable, bounded, and doing what each field says."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from playground.data.augment import Augmentation

NOTHING = Augmentation(rotation=0, scale=0, shear=0, shift=0, bend=0, stroke=0)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bars(n: int = 16) -> Tensor:
    """(n, 28, 28): an upright bar, four pixels wide and 16 high, in the middle."""
    batch = torch.zeros(n, 28, 28)
    batch[:, 6:22, 12:16] = 255
    return batch


def only(**change: float) -> Augmentation:
    none = dict.fromkeys(("rotation", "scale", "shear", "shift", "bend", "stroke"), 0.0)
    return Augmentation(**{**none, **change})


def test_nothing_changes_nothing() -> None:
    torch.testing.assert_close(NOTHING(bars(), seeded()), bars(), atol=1e-2, rtol=0)


def test_strength() -> None:
    assert Augmentation.of(0) is None
    half = Augmentation.of(0.5)
    assert half is not None
    assert half.rotation == Augmentation().rotation / 2
    assert Augmentation.of(1) == Augmentation()


def test_same_seed_same_pictures_and_the_input_stays() -> None:
    batch = bars()
    one = Augmentation()(batch, seeded(1))
    assert torch.equal(one, Augmentation()(batch, seeded(1)))
    assert not torch.equal(one, Augmentation()(batch, seeded(2)))
    assert torch.equal(batch, bars())


def test_no_global_random_numbers() -> None:
    before = torch.get_rng_state()
    Augmentation()(bars(), seeded())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("n", [1, 2, 3, 33])
@pytest.mark.parametrize("side", [(28, 28), (64, 64), (20, 30)])
def test_shape_and_range(n: int, side: tuple[int, int]) -> None:
    batch = torch.rand(n, *side, generator=seeded()) * 255
    changed = Augmentation()(batch, seeded())
    assert changed.shape == batch.shape
    assert changed.min() >= 0
    assert changed.max() <= 255.01


def test_shift_moves_at_most_so_far() -> None:
    moved = only(shift=3)(bars(200), seeded())
    at = torch.arange(28) + 0.5
    centre = (moved.sum(dim=1) * at).sum(dim=1) / moved.sum(dim=(1, 2))
    assert float((centre - 14).abs().max()) <= 3.01
    assert float(centre.std()) == pytest.approx(3 / 3**0.5, rel=0.2)


def test_rotation_turns_by_at_most_so_much() -> None:
    turned = only(rotation=30)(bars(200), seeded())
    assert turned.sum(dim=(1, 2)).mean() == pytest.approx(float(bars(1).sum()), rel=0.03)
    at = torch.arange(28) + 0.5 - 14
    weight = turned / turned.sum(dim=(1, 2), keepdim=True)
    covariance = (weight * at[:, None] * at).sum(dim=(1, 2))
    spread = (weight * (at[:, None] ** 2 - at**2)).sum(dim=(1, 2))
    angle = torch.rad2deg(torch.atan2(2 * covariance, spread)) / 2
    assert float(angle.abs().max()) <= 30.5
    assert float(angle.std()) == pytest.approx(30 / 3**0.5, rel=0.2)


def test_scale_changes_the_size_but_not_the_place() -> None:
    scaled = only(scale=0.2)(bars(200), seeded())
    height = (scaled[:, :, 14] > 127).sum(dim=1)
    assert int(height.min()) < 15
    assert int(height.max()) > 17
    assert int(height.min()) >= 12
    assert int(height.max()) <= 20


def test_pen_gets_wider_and_finer() -> None:
    width = only(stroke=1)(bars(200), seeded())[:, 14].sum(dim=1) / 255
    assert float(width[:100].min()) >= 4 - 1e-3
    assert float(width[:100].max()) > 5
    assert float(width[100:].max()) <= 4 + 1e-3
    assert float(width[100:].min()) < 3.2


def test_bend_is_smooth() -> None:
    bent = only(bend=1)(bars(50), seeded())
    assert not torch.allclose(bent, bars(50), atol=5)
    assert bent.sum(dim=(1, 2)).mean() == pytest.approx(float(bars(1).sum()), rel=0.1)
