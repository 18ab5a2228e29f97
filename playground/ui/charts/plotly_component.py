"""A Plotly figure that is updated in place: no blank frame, and the camera stays.

``st.plotly_chart`` takes the figure into the identity of its element, so that the browser throws
the chart away and makes another one at each move of a slider. Here a small component keeps it
and hands Plotly the new data. Plotly's script is the one that the installed plotly package
brings along, served by this app and loaded once a browser tab.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import plotly
import streamlit as st
from streamlit.components.v1 import declare_component

from playground.ui.shell.once import once

SCRIPT: Final = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
HTML: Final = '<div class="figure" role="img" style="width: 100%; height: 100%"></div>'
BLIND: Final = "figure.blind"  # in the session: this browser has no WebGL
FAILED: Final = "figure.failed"  # in the session: this browser could not load the component


def show(figure: dict[str, Any], key: str, alt: str, height: int) -> None:
    """``figure`` (Plotly's ``data`` and ``layout``) as wide as there is room, ``height`` pixels.

    While ``layout["scene"]["uirevision"]`` stays the same, a camera turned by hand stays too.
    Where the component cannot be had, it is a plain ``st.plotly_chart``. A browser without WebGL
    says so, and from then on ``in_3d`` is false.
    """
    figure = {**figure, "layout": {**figure["layout"], "height": height}}
    component = None if FAILED in st.session_state else _component()
    if component is None:
        st.plotly_chart(
            figure, key=f"{key}.plain", alt=alt, width="stretch", config={"displayModeBar": False}
        )
        return
    mount, address = component

    def failed() -> None:
        st.session_state[FAILED] = True

    def blind() -> None:
        st.session_state[BLIND] = True

    mount(
        key=key,
        data={"figure": figure, "alt": alt, "plotly": address},
        height=height,
        on_failed_change=failed,
        on_blind_change=blind,
    )


def in_3d() -> bool:
    """Whether the reader's browser can draw in three dimensions, as far as it has said."""
    return BLIND not in st.session_state


@once
def _component() -> tuple[Callable[..., Any], str] | None:
    """What mounts the component, and where the browser finds Plotly; None if one is missing.

    Streamlit's components of the second kind can serve files of installed Streamlit packages
    only, those of the first kind any folder: one of these is declared for its folder alone.
    """
    if not SCRIPT.is_file() or not hasattr(st.components, "v2"):
        return None
    folder = declare_component("plotly", path=SCRIPT.parent)
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    address = f"/{base}/component/{folder.name}/{SCRIPT.name}?v={plotly.__version__}"
    mount = st.components.v2.component(
        "figure",
        html=HTML,
        js=Path(__file__).with_suffix(".js").read_text("utf-8"),
        isolate_styles=False,
    )
    return mount, address.replace("//", "/")


__all__ = ["in_3d", "show"]
