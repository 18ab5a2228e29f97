"""Examples as a deck of cards, dealt in batches: a picture in HTML, which wraps on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import Final

import streamlit as st
from torch import Tensor

from playground import data_url
from playground.data import pen_strokes
from playground.data.dataset import Examples
from playground.ui.shell import palette

DIGITS: Final = 6  # 0 … 5
EACH: Final = 4  # of every digit
DRAWN: Final = 120  # to choose from
CARD: Final = 33  # pixels a side: four batches of six stand side by side
WAITING: Final = 0.5  # opacity of the cards that have not been dealt yet


@lru_cache(maxsize=1)
def cards() -> Examples:
    """Drawn digits from the digits project, sorted: a few 0s, a few 1s, and so on."""
    written = pen_strokes.generate(DRAWN, seed=0)
    which = [n for digit in range(DIGITS) for n in _first(written.targets == digit)]
    inputs, targets = written.inputs[which], written.targets[which]
    return Examples(inputs, targets)


def _first(chosen: Tensor) -> list[int]:
    return [int(n) for n in chosen.nonzero().flatten()[:EACH]]


@lru_cache(maxsize=1)
def _pictures() -> list[str]:
    """Each card as a PNG in a URL: dark ink on white."""
    return [data_url.png((255 - picture).numpy()) for picture in cards().inputs]


def show(batches: Sequence[Sequence[int]], now: int | None, names: Sequence[str]) -> None:
    """One epoch: its ``batches`` of card numbers, of which number ``now`` is being used.

    None: the epoch has not begun. What comes later is pale.
    """
    boxes = []
    for n, (batch, name) in enumerate(zip(batches, names, strict=True)):
        color = palette.CLASSES[n % len(palette.CLASSES)].css
        here = n == now
        faint = now is None or n > now
        pictures = "".join(
            f'<img src="{_pictures()[card]}" alt="{int(cards().targets[card])}" '
            f'width="{CARD}" height="{CARD}" style="border-radius:4px;display:block">'
            for card in batch
        )
        boxes.append(
            f'<div style="border:2px {"dashed" if faint else "solid"} {color};border-radius:8px;'
            "padding:4px 6px 6px;"
            f'box-shadow:{f"0 0 0 3px {color}" if here else "none"}">'
            f'<div style="font-size:0.8rem;font-weight:{700 if here else 400}">'
            f"{escape(name)}</div>"
            f'<div style="display:flex;flex-wrap:wrap;gap:3px;opacity:{WAITING if faint else 1}">'
            f"{pictures}</div></div>"
        )
    st.html(
        '<div style="display:flex;flex-wrap:wrap;gap:8px;padding:4px">' + "".join(boxes) + "</div>"
    )


__all__ = ["cards", "show"]
