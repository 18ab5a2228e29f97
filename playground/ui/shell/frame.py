"""What every page shares: navigation, title, language switch, the service of runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Final, ParamSpec

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.desks.run_list import RunList
from playground.errors import PlaygroundError
from playground.experiments import permalink
from playground.i18n import N_
from playground.projects import PROJECTS
from playground.runtime import torch_threads
from playground.runtime.run import Run
from playground.runtime.service import RunService
from playground.ui.shell import (
    address,
    board_join,
    browser,
    desk_menu,
    language,
    palette,
    server,
    telling,
)
from playground.ui.shell.language import _
from playground.ui.shell.server import TURNS

ROOT: Final = Path(__file__).parent.parent.parent.parent
ICON: Final = Path(__file__).with_name("icon.png")  # of the browser's tab
ENTERED: Final = "entered"
PLACE: Final = "browser.place"  # on the page, for what is known only when it is drawn
STYLE: Final = "\n".join(
    [
        "<style>",
        Path(__file__).with_name("style.css").read_text("utf-8"),
        *(kind.css() for kind in PROJECTS.values()),
        "</style>",
    ]
)
P = ParamSpec("P")

NAME: Final = N_("Neural network playground")
LESSON_PAGES: Final = N_("Lesson")
PROJECT_PAGES: Final = N_("Projects")
RUN_PAGES: Final = N_("Experiments")
# Section -> (file in pages/, title, Material icon). A page's URL is its file's stem.
PAGES: Final = {
    "": (("start", N_("Start"), "home"),),
    LESSON_PAGES: (
        ("neuron", N_("Neuron"), "adjust"),
        ("activations", N_("Activation functions"), "show_chart"),
        ("forward_pass", N_("Forward pass"), "arrow_forward"),
        ("loss", N_("Loss function"), "straighten"),
        ("backpropagation", N_("Backpropagation"), "undo"),
        ("optimizers", N_("Optimizers"), "downhill_skiing"),
        ("batches", N_("Epochs and batches"), "view_module"),
        ("pytorch", N_("PyTorch in five parts"), "code"),
    ),
    PROJECT_PAGES: tuple((kind.name, kind.title, kind.icon) for kind in PROJECTS.values()),
    RUN_PAGES: (("runs", N_("Runs"), "monitoring"),),
}
BOARD: Final = ("board", N_("Class board"), "leaderboard")
"""The teacher's page, which the navigation shows while there is a secret for it."""


def service() -> RunService:
    """The one service of this process; where there is none, the page says so and ends."""
    try:
        return server.backend().service
    except PlaygroundError as error:
        logging.getLogger(__name__).error("%s", error)
        st.error(error.text(_))
        st.stop()


def run() -> None:
    """The entry, ``app.py``: one navigation, then the page it says."""
    st.session_state[ENTERED] = True
    with TURNS.slot(), language.settled():
        address.begin()
        telling.begin()
        found = _navigation()
        found.run()
        _browser(found.url_path or "")


def _browser(stem: str) -> None:
    """What is left to the browser, now that the page is drawn and knows its address."""
    place: DeltaGenerator | None = st.session_state.pop(PLACE, None)
    if place is None:
        return
    pages = [name for entries in PAGES.values() for name, _title, _icon in entries]
    with place:
        browser.page(
            {
                "page": stem,
                "pages": [*pages, BOARD[0]],
                "address": address.leave(),
                "dark": palette.dark(),
                **desk_menu.to_remember(),
            }
        )


def fragment(
    run_every: float | None = None,
) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """``st.fragment`` for a page here: drawn alone, every so many seconds, in its turn."""

    def of(draw: Callable[P, None]) -> Callable[P, None]:
        @wraps(draw)
        def in_turn(*values: P.args, **named: P.kwargs) -> None:
            with TURNS.slot(), language.settled():
                telling.begin(part=True)
                draw(*values, **named)

        whole: Callable[P, None] = st.fragment(in_turn, run_every=run_every)
        return whole

    return of


def _navigation() -> st.Page:
    pages = {
        _(section) if section else "": [
            st.Page(
                ROOT / "pages" / f"{stem}.py",
                title=_(title),
                icon="",  # Streamlit would make each browser ask Google for its picture
                # The start page stands at "/"; its own name is free for the alias below.
                url_path="home" if stem == "start" else stem,
                default=stem == "start",
            )
            for stem, title, _icon in entries
        ]
        for section, entries in PAGES.items()
    }
    # Where the board is off, its address still says so.
    stem, title, _icon = BOARD
    teachers = st.Page(
        ROOT / "pages" / f"{stem}.py",
        title=_(title),
        icon="",
        url_path=stem,
        visibility="hidden" if board_join.secret() is None else "visible",
    )
    pages[_(RUN_PAGES)].append(teachers)
    # Whoever types the start page's name finds it, too.
    pages[""].append(
        st.Page(ROOT / "pages" / "start.py", icon="", url_path="start", visibility="hidden")
    )
    return st.navigation(pages, position="top")


def page(title: str, purpose: str, *, projected: bool = False) -> None:
    """Begin a page: call it first. ``title`` and ``purpose`` are gettext ids.

    A page that is ``projected`` is seen by a whole class, so its address names no desk.

    The very first request of a server, if it is a deep link such as ``/digits``, runs
    that page's script without ``app.py``, because Streamlit also knows ``pages/``. Such a
    session has not been entered: tell it the navigation and start over.
    """
    if ENTERED not in st.session_state:
        st.session_state[ENTERED] = True
        _navigation()
        st.rerun()
    # What a page computes is small, and helper threads are for the run that trains.
    torch_threads.use(1)
    whole = _(NAME) if title == NAME else f"{_(title)} · {_(NAME)}"
    st.set_page_config(page_title=whole, page_icon=str(ICON), layout="wide")
    st.html(STYLE)
    st.session_state[PLACE] = st.container(key="browser")
    kept()  # what has begun since the last look is worth a desk
    heading, choice = st.columns([3, 1], vertical_alignment="center")
    with (
        choice,
        st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"),
    ):
        desk_menu.popover(lambda run: service().stop(run))
        language.switch()
    with heading:
        st.title(_(title), anchor=False)
        st.markdown(_(purpose))
    desk_menu.notices()
    _heartbeat()
    if projected:
        address.update(permalink.DESK, None)
    else:
        desk_menu.in_address()


def runs() -> dict[str, Run]:
    """This student's present runs by project."""
    return desk_menu.here().runs


def kept() -> RunList:
    """Every run that this student has begun: earlier ones, those of a sweep, and the present."""
    found = desk_menu.here()
    for run in list(found.runs.values()):
        if run.state != "ready":
            found.take(run)
    found.sync()
    return found.kept


def _heartbeat() -> None:
    """Runs of a session whose browser is there are not left alone, whatever page it shows."""
    active = [run for run in kept().live() if run.active]

    @fragment(run_every=20)
    def beat() -> None:
        for run in active:
            service().look(run)

    # In a place of its own even when it is empty: an element that comes and goes would move
    # all that follow, and a canvas that moves is made anew, without its drawing. Hidden, as a
    # container takes a gap once it holds something.
    with st.container(key="heartbeat"):
        if active:
            beat()
