"""The student's side of the class board, in the desk's menu: joining and leaving it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

import streamlit as st

from playground.board import gate, nicknames
from playground.desks.desk import Desk
from playground.desks.registry import Desks
from playground.errors import PlaygroundError
from playground.ui.shell import language
from playground.ui.shell.language import _
from playground.ui.shell.problems import plain

NICKNAME: Final = "board.nickname"
PROBLEM: Final = "board.problem"


def secret() -> str | None:
    """The teacher's secret, from the environment or Streamlit's file; None: there is no board."""
    file = st.secrets if st.secrets.load_if_toml_exists() else {}
    return gate.secret(os.environ, file)


def section(found: Desk, home: Desks) -> None:
    """What the desk's menu says of the board; nothing while it is off."""
    member = found.member
    if member is None and secret() is None:
        return
    st.markdown("**" + _("Class board") + "**")
    if member is None:
        language.prose("board", "join")
        _form(found, home, _("Join the class board"))
        return
    if member.nickname is None:
        st.markdown(_("Your teacher has removed your nickname from the board. Choose another."))
        _form(found, home, _("Use this nickname"))
    else:
        st.markdown(_("You are on the board as **{name}**.", name=plain(member.nickname)))
    st.caption(
        _(
            "Leaving removes your nickname, your results and your score from the board at once. "
            "Deleting a run does not: its result stays until a better one comes."
        )
    )
    st.button(
        _("Leave the board"),
        icon=":material/logout:",
        key="board.leave",
        on_click=_trying(lambda: home.board.leave(found)),
    )
    _problem()


def _form(found: Desk, home: Desks, label: str) -> None:
    def join() -> None:
        home.board.join(found, st.session_state[NICKNAME])

    with st.form("board.form", border=False):
        st.text_input(
            _("Nickname"),
            key=NICKNAME,
            max_chars=nicknames.LONGEST,
            placeholder=_("Not your full name: everybody can see it"),
        )
        st.form_submit_button(label, icon=":material/leaderboard:", on_click=_trying(join))
    if found.member is None:
        _problem()


def _trying(act: Callable[[], None]) -> Callable[[], None]:
    """``act`` as a callback: what goes wrong is said below its button."""

    def call() -> None:
        st.session_state[PROBLEM] = None
        try:
            act()
        except PlaygroundError as error:
            st.session_state[PROBLEM] = error

    return call


def _problem() -> None:
    problem: PlaygroundError | None = st.session_state.get(PROBLEM)
    with st.container():  # in a place of its own even when it is empty
        if problem is not None:
            st.warning(plain(problem.text(_)), icon=":material/report:")
