"""What the network says, so that a guess does not look like an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from playground.i18n import N_
from playground.runtime.run import Run
from playground.ui.shell.language import _

UNSURE: Final = 0.6  # a likeliest answer below this is said beside the second
GUESSING: Final = N_("It is only guessing: the network is untrained. Press Train.")
NOTHING: Final = "&nbsp;"  # which takes a line all the same


def verdict(probabilities: Mapping[str, float], names: Mapping[str, str], trained: bool) -> str:
    """The answer as a heading: in grey from an untrained network, with the second if unsure."""
    first, second = sorted(probabilities, key=probabilities.__getitem__, reverse=True)[:2]
    if not trained:
        return f"## :gray[{names[first]}?]"
    if probabilities[first] < UNSURE:
        return "## " + _("{first} or {second}?", first=names[first], second=names[second])
    return f"## {names[first]}"


def guessing(run: Run) -> None:
    """Say that the network is untrained, in a place that stays when it is not any more."""
    said = NOTHING if run.trained else ":material/casino: " + _(GUESSING)
    st.caption(said)
