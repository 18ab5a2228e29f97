"""The tab "Inside": look into the network while it is untrained, half-trained or trained.

One view at a time. While the run is active, a fragment of its own follows it, as often as
that does not slow the training (see :mod:`playground.insight.throttle`); it only reads what the
run publishes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from playground.i18n import N_
from playground.runtime.run import Run
from playground.ui.project.inside import layer_stats, network, saliency, surgery
from playground.ui.project.inside.session import Network
from playground.ui.project.workbench import dataset_or_message, refresh_interval
from playground.ui.shell.frame import fragment
from playground.ui.shell.language import _
from playground.ui.shell.parts import part
from playground.ui.shell.widget_state import bind

VIEWS: Final = {
    "network": N_("Network"),
    "gauges": N_("Weights and gradients"),
    "pixels": N_("Pixels that matter"),
    "surgery": N_("Surgery"),
}
DRAWN: Final[dict[str, Callable[[Network], None]]] = {
    "network": network.view,
    "gauges": layer_stats.view,
    "pixels": saliency.view,
    "surgery": surgery.view,
}
SLOWER: Final = 4  # times as long between two looks as between two refreshes of the charts
FOLLOW: Final = 1.0  # seconds between two looks at what a person tries beside it


def inside(run: Run) -> None:
    """Choose a view, and draw it."""
    project = run.project
    views = {
        name: _(title) for name, title in VIEWS.items() if name != "pixels" or project.pictures
    }
    key = f"{project.name}.inside.view"
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        st.segmented_control(
            _("Look at"),
            list(views),
            format_func=views.__getitem__,
            required=True,
            label_visibility="collapsed",
            **bind(key, "network"),
        )
        view = st.session_state[key]
        follows = False
        if view == "network":
            follows = network.source(run)
        elif view == "pixels":
            follows = saliency.source(run)
    interval = None
    if run.active and view != "surgery":  # where nothing may move in the hand
        interval = SLOWER * (refresh_interval() or 0.5)
    elif follows:
        interval = FOLLOW

    @fragment(run_every=interval)
    def looking() -> None:
        with part(views[view]):
            dataset = dataset_or_message(run)
            if dataset is not None:
                DRAWN[view](Network.of(run, dataset))

    looking()
