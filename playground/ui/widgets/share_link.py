"""Links to this page as it is now, and links that show fewer controls for a lesson."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

import streamlit as st

from playground.experiments import permalink
from playground.i18n import N_
from playground.ui.shell.language import _
from playground.ui.shell.widget_state import bind
from playground.ui.widgets.controls import Panel

PRESETS: Final = N_("Preset")


def note(panel: Panel) -> None:
    """Under the controls that a link has chosen: that it did, and the way to the others."""
    st.caption(
        ":material/school: "
        + _("This link shows only the settings chosen for the lesson. The others keep their value.")
    )
    st.button(
        _("Show all settings"),
        icon=":material/tune:",
        key=panel.key("link.all"),
        on_click=panel.choose,
    )


def link(panel: Panel) -> None:
    """The address of this page with its settings, and a choice of the controls that it shows."""
    st.header(_("Link"), anchor=False)
    left, right = st.columns(2, gap="medium")
    labels = {
        name: _(PRESETS if name == permalink.PRESET else panel.by_name[name].label)
        for name in panel.choosable()
    }
    with left:
        names: list[str] = st.multiselect(
            _("Controls that the link shows"),
            list(labels),
            format_func=labels.__getitem__,
            placeholder=_("All of them"),
            help=_(
                "For a lesson: the page shows only these. All others are hidden and keep the "
                "value that they have now."
            ),
            **bind(panel.key("link.choice"), list(panel.chosen)),
        )
    with right:
        st.caption(_("The page with the settings as they are now:"))
        st.code(address(panel, names), None, wrap_lines=True)


def address(panel: Panel, names: list[str]) -> str:
    """Where a browser finds the page with these settings; only ``names`` are shown there."""
    said = {**panel.parameters(), permalink.SHOW: ",".join(names)}
    said = {name: text for name, text in said.items() if text}
    return f"{st.context.url or ''}?{urlencode(said, safe=',')}"
