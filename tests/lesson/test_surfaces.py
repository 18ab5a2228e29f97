"""The surfaces' formulas against autograd: gradients, curvatures, bottoms."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd.functional import hessian

from playground.lesson.surfaces import SPAN, SURFACES, grid

places = st.tuples(*[st.floats(*SPAN, allow_nan=False)] * 2)
every = pytest.mark.parametrize("name", SURFACES)


def tensor(place: tuple[float, float]) -> torch.Tensor:
    return torch.tensor(place, dtype=torch.double)


@every
@settings(max_examples=30, deadline=None)
@given(place=places)
def test_the_gradient_is_autograds(name: str, place: tuple[float, float]) -> None:
    surface = SURFACES[name]
    w = tensor(place).requires_grad_()
    surface.value(w).backward()
    torch.testing.assert_close(surface.gradient(w.detach()), w.grad)


@every
def test_the_bottoms_are_flat_and_as_curved_as_said(name: str) -> None:
    surface = SURFACES[name]
    curvatures = []
    for place in surface.bottoms:
        assert surface.gradient(tensor(place)).abs().max() < 1e-4
        matrix = hessian(surface.value, tensor(place))
        curvatures += torch.linalg.eigvalsh(matrix).tolist()
    assert min(curvatures) == pytest.approx(surface.flattest, rel=0.005)
    assert max(curvatures) == pytest.approx(surface.steepest, rel=0.005)


@every
def test_nothing_lies_lower_than_zero(name: str) -> None:
    surface = SURFACES[name]
    assert surface.lowest
    assert surface.bottoms[0] in surface.lowest
    assert grid(surface.value, SPAN, SPAN, 81).min() >= 0


@every
def test_the_start_is_in_the_picture(name: str) -> None:
    assert all(SPAN[0] <= w <= SPAN[1] for w in SURFACES[name].start)


def test_many_places_at_once() -> None:
    w = torch.linspace(-4, 4, 24, dtype=torch.double).view(2, 6, 2)
    for surface in SURFACES.values():
        values, gradients = surface.value(w), surface.gradient(w)
        assert values.shape == (2, 6)
        torch.testing.assert_close(values[1, 2], surface.value(w[1, 2]))
        torch.testing.assert_close(gradients[1, 2], surface.gradient(w[1, 2]))


def test_a_grid_goes_up_and_to_the_right() -> None:
    values = grid(lambda w: 10 * w[..., 1] + w[..., 0], (0, 2), (0, 1), 3)
    assert values.tolist() == [[0, 1, 2], [5, 6, 7], [10, 11, 12]]
