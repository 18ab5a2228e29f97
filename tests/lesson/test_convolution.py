"""One output pixel opened up: equal to torch's own convolution."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.lesson import convolution
from playground.lesson.convolution import KERNELS, PICTURES, SIDE, UNCHANGED

numbers = st.floats(-3, 3, allow_subnormal=False)
kernels = st.lists(numbers, min_size=9, max_size=9)


@settings(max_examples=40, deadline=None)
@given(kernels, numbers, st.sampled_from((1, 2)), st.sampled_from(PICTURES), st.data())
def test_a_pixel_by_hand_is_torchs(
    kernel: list[float], bias: float, stride: int, name: str, data: st.DataObject
) -> None:
    image = convolution.picture(name)
    out = convolution.convolve(image, kernel, bias, stride)
    side = convolution.size(SIDE, stride)
    assert out.shape == (side, side)
    row = data.draw(st.integers(0, side - 1))
    column = data.draw(st.integers(0, side - 1))
    pixel = convolution.open_up(image, kernel, bias, stride, row, column)
    assert pixel.value == pytest.approx(float(out[row, column]), abs=1e-9)


def test_sizes() -> None:
    assert (convolution.size(14, 1), convolution.size(14, 2)) == (12, 6)


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_have_ink_in_two_decimals(name: str) -> None:
    image = convolution.picture(name)
    assert image.shape == (SIDE, SIDE)
    assert float(image.min()) == 0
    assert float(image.max()) == 1
    assert torch.equal((image * 100).round() / 100, image)


def test_the_kernel_that_changes_nothing_changes_nothing() -> None:
    image = convolution.picture("seven")
    assert torch.equal(convolution.convolve(image, UNCHANGED, 0.0, 1), image[1:-1, 1:-1])


def test_edges_find_their_direction_alone() -> None:
    """In the middle of the square's sides, only one of the two edge kernels answers."""
    image = convolution.picture("square")
    vertical, horizontal = (
        convolution.convolve(image, KERNELS[name], 0.0, 1).abs()
        for name in ("vertical", "horizontal")
    )
    middle = slice(4, 8)
    # Far from the corners: left and right sides, then top and bottom.
    assert vertical[middle].max() > 2
    assert horizontal[middle].max() < 0.5
    assert horizontal[:, middle].max() > 2
    assert vertical[:, middle].max() < 0.5


def test_blur_is_a_mean() -> None:
    image = torch.rand(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    blurred = convolution.convolve(image, KERNELS["blur"], 0.0, 1)
    assert float(blurred[0, 0]) == pytest.approx(float(image[:3, :3].mean()))


def test_it_draws_no_random_number() -> None:
    before = torch.get_rng_state()
    convolution.convolve(convolution.picture("circle"), UNCHANGED, 0.0, 1)
    assert torch.equal(before, torch.get_rng_state())
