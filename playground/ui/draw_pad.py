"""The canvas: white strokes on black, as MNIST has them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import streamlit as st

from playground.ui.language import _

SIZE: Final = 224  # pixels, eight for each of the 28 that the network sees


def canvas(**options: Any) -> Any:
    """The component itself, in a function of its own so that tests can stand in for it.

    Imported here because importing it outside a running app raises.
    """
    from streamlit_drawable_canvas import st_canvas

    return st_canvas(**options)


def draw_pad(key: str, size: int = SIZE) -> npt.NDArray[np.uint8] | None:
    """A canvas with a Clear button: its RGBA picture (size, size, 4), or None before any stroke."""
    turn = st.session_state.setdefault(f"{key}.turn", 0)
    result = canvas(
        key=f"{key}.{turn}",  # a new key is a new, empty canvas
        width=size,
        height=size,
        stroke_width=14,
        stroke_color="#ffffff",
        background_color="#000000",
        drawing_mode="freedraw",
        return_image_data=True,
    )
    st.button(_("Clear"), icon=":material/delete:", key=f"{key}.clear", on_click=clear, args=(key,))
    picture: npt.NDArray[np.uint8] | None = result.image_data
    return picture


def clear(key: str) -> None:
    """Empty the canvas ``key``."""
    st.session_state[f"{key}.turn"] = st.session_state.get(f"{key}.turn", 0) + 1
