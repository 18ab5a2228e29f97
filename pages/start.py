"""The first page: what this is, and where to go."""

import streamlit as st

from playground.i18n import N_
from playground.ui import frame, language
from playground.ui.language import _

frame.page(
    N_("Neural network playground"), N_("Train a real network, watch it learn, then use it.")
)
language.prose("start", "welcome")
st.page_link("pages/digits.py", label=_("Start with digits"), icon=":material/draw:")
language.prose("start", "parts")
