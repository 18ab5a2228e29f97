"""Pictures on a page: grids of small grey ones, and the student's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import streamlit as st
import torch
from torch import Tensor

from playground.data.dataset import Examples
from playground.errors import PlaygroundError
from playground.service import Run
from playground.ui import language
from playground.ui.language import _

TILE: Final = 56  # pixels a side


def enlarged(picture: Tensor, side: int = TILE) -> npt.NDArray[np.uint8]:
    """(h, w) uint8 -> about (side, side), each pixel a square: what the network really sees."""
    factor = max(1, side // picture.shape[0])
    return picture.numpy().repeat(factor, axis=0).repeat(factor, axis=1)


def grid(pictures: Sequence[Tensor] | Tensor, captions: Sequence[str], alt: str) -> None:
    """Small pictures in rows, each with a caption."""
    with st.container(horizontal=True, gap="small"):
        for picture, caption in zip(pictures, captions, strict=True):
            st.image(enlarged(picture), caption=caption, width=TILE, alt=f"{alt}: {caption}")


class OwnPictures:
    """The session's own labelled pictures of one project; they join the next training."""

    def __init__(self, project: str) -> None:
        self.key = f"{project}.own"
        self.items: list[tuple[Tensor, int]] = st.session_state.setdefault(self.key, [])

    def add(self, picture: Tensor, label: int) -> None:
        self._set([*self.items, (picture, label)])

    def remove_all(self) -> None:
        self._set([])

    def _set(self, items: list[tuple[Tensor, int]]) -> None:
        self.items = st.session_state[self.key] = items
        st.session_state[f"{self.key}.examples"] = _stack(items)

    def examples(self) -> Examples | None:
        """All of them, as the same object until one is added; None where there is none."""
        found: Examples | None = st.session_state.get(f"{self.key}.examples")
        return found

    def show(self, names: Sequence[str], run: Run, before: Run | None) -> None:
        """The pictures, and what the network says of each: before and after they joined."""
        examples = self.examples()
        if examples is None:
            st.caption(_("None yet. Draw one on the right and say what it was."))
            return
        try:
            now = _shares(run, examples)
            then = _shares(before, examples) if before is not None else None
        except PlaygroundError as error:
            st.error(error.text(_), icon=":material/error:")
            return
        captions = []
        for index, (_picture, label) in enumerate(self.items):
            text = f"{names[label]}: "
            if then is not None:
                text += language.percent(then[index], 0) + " → "
            captions.append(text + language.percent(now[index], 0))
        grid(examples.inputs, captions, _("Your picture"))
        st.caption(
            _(
                "How sure the network is of the right answer, before and after the last training. "
                "Once these pictures were trained on, this is no test: draw a new one for that."
            )
        )
        st.button(
            _("Remove all"),
            icon=":material/delete:",
            key=f"{self.key}.remove",
            on_click=self.remove_all,
        )


def _stack(items: Sequence[tuple[Tensor, int]]) -> Examples | None:
    if not items:
        return None
    pictures, labels = zip(*items, strict=True)
    return Examples(torch.stack(pictures), torch.tensor(labels))


def _shares(run: Run, examples: Examples) -> list[float]:
    """The probability that the run's network gives to each example's own label."""
    probabilities = run.predictor().ask(examples.inputs)
    shares: list[float] = probabilities.gather(1, examples.targets.unsqueeze(1))[:, 0].tolist()
    return shares
