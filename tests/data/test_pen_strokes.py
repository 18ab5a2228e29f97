"""European handwriting: the generated digits are valid, varied and repeatable."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from strokes import rasterize

from playground.data.drawings import prepare
from playground.data.pen_strokes import FORMS, SAMPLES, generate, write


def test_shapes_and_shares() -> None:
    examples = generate(200, seed=3, digits=range(10))
    assert examples.inputs.shape == (200, 28, 28)
    assert examples.inputs.dtype == torch.uint8
    assert examples.targets.dtype == torch.int64
    assert torch.bincount(examples.targets).tolist() == [20] * 10


def test_only_the_digits_asked_for() -> None:
    counts = torch.bincount(generate(40, seed=0, digits=[1, 1, 1, 7]).targets, minlength=10)
    assert counts[1] == 30
    assert counts[7] == 10


def test_none_at_all() -> None:
    assert len(generate(0, seed=0)) == 0


def test_same_seed_same_pictures() -> None:
    one, two, other = generate(64, 5), generate(64, 5), generate(64, 6)
    assert torch.equal(one.inputs, two.inputs)
    assert torch.equal(one.targets, two.targets)
    assert not torch.equal(one.inputs, other.inputs)


def test_pictures_are_cut_and_centred_like_mnist() -> None:
    pictures = generate(300, seed=1).inputs.double()
    at = torch.arange(28) + 0.5
    mass = pictures.sum(dim=(1, 2))
    for axis, other in ((1, 2), (2, 1)):
        centre = (pictures.sum(dim=other) * at).sum(dim=1) / mass
        # Ink on a long side may hit the box before the centre gets to the middle.
        assert float((centre - 14).abs().median()) < 0.6, axis
        assert float((centre - 14).abs().max()) < 5, axis
    rows = (pictures.amax(dim=2) > 0).sum(dim=1)
    columns = (pictures.amax(dim=1) > 0).sum(dim=1)
    longer = torch.maximum(rows, columns)
    assert int(longer.min()) >= 19
    assert int(longer.max()) <= 21
    assert float(pictures.amax(dim=(1, 2)).min()) == 255


@pytest.mark.parametrize("digit", range(10))
def test_every_form_varies_and_agrees_with_the_drawing_preparation(digit: int) -> None:
    for _, strokes in FORMS[digit]:
        rng = np.random.default_rng(0)
        ways = write(strokes, 3, rng)
        assert ways.shape == (3, SAMPLES, 2)
        assert np.isfinite(ways).all()
        assert np.abs(ways[0] - ways[1]).max() > 0.01
    # The last form, drawn on a canvas: the ink of the real preparation lies where ours does.
    way = (ways[0] - ways[0].min(axis=0)) * 100 + 60
    seen = prepare(rasterize([[point] for point in way], (400, 400), 14)).float()
    assert seen.max() == 255
    assert 10 < seen.mean() < 90
