"""The student's own pictures: which of them a network has learned from."""

from __future__ import annotations

import torch

from playground.data.dataset import Examples
from playground.ui.widgets.own_pictures import learned


def test_only_what_a_run_was_trained_with_has_a_before_and_an_after() -> None:
    pictures = torch.arange(3 * 16, dtype=torch.uint8).reshape(3, 4, 4)
    now = Examples(pictures, torch.arange(3))
    assert learned(None, now) == [False, False, False]
    assert learned(Examples(pictures[:2], torch.arange(2)), now) == [True, True, False]
    smaller = Examples(torch.zeros(2, 2, 2, dtype=torch.uint8), torch.arange(2))
    assert learned(smaller, now) == [False, False, False]
