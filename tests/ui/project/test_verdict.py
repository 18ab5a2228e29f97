"""A guess, an unsure answer and a sure one look different."""

from __future__ import annotations

import pytest

from playground.ui.project import verdict as module
from playground.ui.project.verdict import verdict

NAMES = {"3": "three", "5": "five", "8": "eight"}


@pytest.mark.parametrize(
    ("shares", "trained", "said"),
    [
        ((0.34, 0.33, 0.33), False, "## :gray[three?]"),
        ((0.98, 0.01, 0.01), False, "## :gray[three?]"),
        ((0.3, 0.45, 0.25), True, "## five or three?"),
        ((0.98, 0.01, 0.01), True, "## three"),
    ],
)
def test_three_states(
    shares: tuple[float, ...], trained: bool, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_", lambda text, **values: text.format(**values))
    assert verdict(dict(zip(NAMES, shares, strict=True)), NAMES, trained) == said
