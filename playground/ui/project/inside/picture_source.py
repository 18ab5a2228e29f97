"""Which picture a network is asked about: the student's own, or one of the validation set."""

from __future__ import annotations

import streamlit as st
from torch import Tensor

from playground.runtime.run import Run
from playground.ui.project.inside.session import Network, output_names
from playground.ui.project.try_picture import tried
from playground.ui.shell.language import _
from playground.ui.shell.widget_state import bind


def choose(run: Run) -> bool:
    """Whose picture; True if it is the student's, which may change at any moment."""
    sources = {"own": _("Your picture"), "validation": _("Validation example")}
    key = f"{run.project.name}.inside.source"
    st.segmented_control(
        _("Which picture"),
        list(sources),
        format_func=sources.__getitem__,
        required=True,
        label_visibility="collapsed",
        **bind(key, "own"),
    )
    return bool(st.session_state[key] == "own")


def picture(network: Network) -> Tensor:
    """The picture (h, w) uint8, with a number to choose another, and what it shows."""
    run, validation = network.run, network.dataset.validation
    key = f"{network.name}.example"
    number = st.session_state.setdefault(key, 1)
    if st.session_state.get(f"{network.name}.source") == "own":
        own = tried(run)
        if own is not None:
            st.caption(_("Your picture, as the network sees it."))
            return own
        st.caption(_("There is no picture of yours above yet, so here is validation example 1:"))
        number = 1
    else:
        if number > len(validation):
            st.session_state[key] = 1
        st.number_input(
            _("Validation example, from 1 to {n}", n=len(validation)),
            1,
            len(validation),
            **bind(key, 1),
        )
        number = st.session_state[key]
    names = output_names(run)
    st.caption(_("It shows: {label}.", label=names[int(validation.targets[number - 1])]))
    return validation.inputs[number - 1]
