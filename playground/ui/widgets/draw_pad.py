"""The canvas: white strokes on black, as MNIST has them."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import streamlit as st

from playground.data.images import ImageError, open_image
from playground.data_url import PNG
from playground.ui.shell.language import _

SIZE: Final = 224  # pixels, eight for each of the 28 that the network sees
DENSEST: Final = 4  # pixels of a screen to one of a page, a side
LONGEST: Final = 1_000_000  # characters of a drawing; a canvas full of scribble has 60,000


def canvas(**options: Any) -> object:
    """The component itself, and what the browser says was drawn: a data URL, or whatever it sent.

    In a function of its own so that tests can stand in for it; imported here because importing
    it outside a running app raises. Its own result would decode what comes, in any format.
    """
    from streamlit_drawable_canvas import st_canvas

    try:
        st_canvas(**options)
    except (AttributeError, KeyError, TypeError):
        return None  # it takes for granted what a browser sent
    said = st.session_state[options["key"]].get("drawing")
    return said.get("data") if isinstance(said, dict) else None


def drawn(said: object, size: int = SIZE) -> npt.NDArray[np.uint8] | None:
    """The RGBA picture of a canvas of ``size`` pixels; None: what was sent is none."""
    if not isinstance(said, str) or not said.startswith(PNG) or len(said) > LONGEST:
        return None
    try:
        raw = b64decode(said[len(PNG) :], validate=True)
        image = open_image(raw, ["PNG"], (DENSEST * size) ** 2)
        return np.asarray(image.convert("RGBA")) if min(image.size) > 0 else None
    except (ImageError, binascii.Error, OSError, SyntaxError, ValueError):
        return None  # the last three: pixels that are cut off or broken


def draw_pad(key: str, size: int = SIZE) -> npt.NDArray[np.uint8] | None:
    """A canvas with a Clear button: its RGBA picture (size, size, 4), or None before any stroke."""
    turn = st.session_state.setdefault(f"{key}.turn", 0)
    with st.container(key=f"{key}.square"):
        said = canvas(
            key=f"{key}.{turn}",  # a new key is a new, empty canvas
            width=size,
            height=size,
            stroke_width=14,
            stroke_color="#ffffff",
            background_color="#000000",
            drawing_mode="freedraw",
            return_image_data=True,
        )
    with st.container(horizontal=True, gap="small"):
        # browser.js takes the last stroke away when this is pressed: the canvas knows it.
        st.button(_("Undo"), icon=":material/undo:", key=f"{key}.undo")
        st.button(
            _("Clear"), icon=":material/delete:", key=f"{key}.clear", on_click=clear, args=(key,)
        )
    return drawn(said, size)


def clear(key: str) -> None:
    """Empty the canvas ``key``."""
    st.session_state[f"{key}.turn"] = st.session_state.get(f"{key}.turn", 0) + 1
