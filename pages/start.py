"""The first page: what this is, and where to go."""

import streamlit as st

from playground.i18n import N_
from playground.projects import PROJECTS
from playground.ui import frame, language
from playground.ui.language import _

frame.page(
    N_("Neural network playground"), N_("Train a real network, watch it learn, then use it.")
)
language.prose("start", "welcome")
places = st.columns(3, gap="medium") + st.columns(3, gap="medium")
for place, (stem, title, icon) in zip(places, frame.PAGES[frame.PROJECT_PAGES], strict=True):
    with place.container(border=True):
        st.page_link(f"pages/{stem}.py", label=f"**{_(title)}**", icon=f":material/{icon}:")
        st.caption(_(PROJECTS[stem].purpose))
language.prose("start", "parts")
