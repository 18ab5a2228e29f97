"""The parts of a page: one that fails is left out, and the rest stands."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import streamlit as st
from streamlit.errors import FragmentHandledException

from playground.errors import PlaygroundError
from playground.ui.shell.language import _
from playground.ui.shell.problems import plain

MAX_LOGGED: Final = 1000  # places of this program that failed; a log must not fill a disk
logged: Final[set[tuple[str, str, str, int]]] = set()


@contextmanager
def part(title: str) -> Iterator[None]:
    """Draw the part ``title`` (in the reader's language) of a page in this block.

    If it raises, one sentence stands where the part broke off, and the page goes on: else a
    finished run whose hint divides by zero would close its page for good, as the desk keeps
    the run. What Streamlit itself raises (a stop, a rerun) passes through.
    """
    try:
        yield
    except FragmentHandledException:
        pass  # said already, where a fragment inside broke off
    except PlaygroundError as error:
        st.error(plain(error.text(_)), icon=":material/error:")
    except Exception as error:
        _log(title, error)
        st.error(
            _(
                "“{part}” is missing because the program made an error there. The rest of the "
                "page works.",
                part=title,
            ),
            icon=":material/error:",
        )


def _log(title: str, error: Exception) -> None:
    """Once for each part and place in the program: a page draws itself twice a second."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    file, line = ("", 0) if trace is None else (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
    place = (title, type(error).__name__, file, line)
    if place not in logged and len(logged) < MAX_LOGGED:
        logged.add(place)
        logging.getLogger(__name__).log(
            logging.ERROR, "A part of a page failed: %s", title, exc_info=error
        )
