"""The student's desk on the page: found by its address, shown as a link, deleted."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final
from urllib.parse import urlencode

import segno
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from playground import __version__
from playground.desks.desk import Desk
from playground.desks.registry import Desks
from playground.errors import PlaygroundError
from playground.experiments.permalink import DESK, LANGUAGE
from playground.i18n import N_
from playground.runtime.run import Run
from playground.storage.errors import NoDeskError, StoreError
from playground.ui.shell import address as page_address
from playground.ui.shell import board_join, browser, language, server
from playground.ui.shell.language import _
from playground.ui.shell.problems import plain, warned

HERE: Final = "desk"
NOTICE: Final = "desk.notice"  # what to say of the desk that the address named
TOLD: Final = "desk.told"  # what has been said about the store already
SURE: Final = "desk.sure"
GONE: Final = "desk.gone"  # ids of desks that no browser need remember any more
ASKED: Final = "desk.asked"  # (what this browser remembers, what is known of it)
UNKNOWN: Final = N_(
    "There is no desk at this address: it may be mistyped, or the desk was deleted. Here is a new "
    "one."
)
UNREADABLE: Final = N_(
    "Your desk cannot be read at the moment: {reason} Reload the page in a few minutes; its "
    "address stays the same."
)
UNREAD: Final = N_(
    "Your desk could not be read: {reason} Here is a new one; the old address still leads to "
    "your desk."
)
DELETED: Final = N_("This desk was deleted. Here is a new one.")
MOVED: Final = N_(
    "Your desk was opened in another browser, on another server. Here is a new one; open your "
    "desk's address again to bring it back."
)


def desks() -> Desks:
    """The desks of this process."""
    return server.backend().desks


def here() -> Desk:
    """This session's desk: the one that the address names, else a fresh one."""
    found: Desk | None = st.session_state.get(HERE)
    if found is None:
        found = _asked_for()
        st.session_state[HERE] = found
    elif found.deleted:
        _leave()
        notice = MOVED if found.moved else DELETED
        found = st.session_state[HERE] = desks().fresh()
        st.session_state[NOTICE] = PlaygroundError(notice)
        if found.id is not None and not found.moved:
            _gone(found.id)
        page_address.update(DESK, None)
    context = get_script_run_ctx()
    if context is not None:
        found.tabs.add(context.session_id)
    return found


def _asked_for() -> Desk:
    asked = st.query_params.get(DESK)
    if asked is None:
        return desks().fresh()
    try:
        return desks().open(asked)
    except NoDeskError:
        st.session_state[NOTICE] = PlaygroundError(UNKNOWN)
        _gone(asked)
        page_address.update(DESK, None)
    except StoreError as error:
        st.session_state[NOTICE] = error
    return desks().fresh()


def _leave() -> None:
    """Forget what this session knows of its desk, sliders aside."""
    for key in list(st.session_state.keys()):
        own = (".before", ".tested", ".settings")
        if str(key).endswith(own) or key in ("sweep", "sweep.cell", HERE):
            del st.session_state[key]


def parameters() -> dict[str, str]:
    """What the address says about the desk."""
    found = here()
    if found.id is not None:
        return {DESK: found.id}
    asked = st.query_params.get(DESK)
    unread = isinstance(st.session_state.get(NOTICE), StoreError)  # not to be lost
    return {DESK: asked} if asked is not None and unread else {}


def in_address() -> None:
    """Bring the address up to date, from wherever something has been kept."""
    said = parameters()
    if said:
        page_address.update(DESK, said[DESK])


def to_remember() -> dict[str, object]:
    """What the browser is to remember of this desk, and which one it may go on with."""
    gone: list[str] = st.session_state.get(GONE, [])
    found = here()
    offered: dict[str, str] | None = None
    asked = browser.remembered()
    if found.id is None and asked is not None and asked not in gone:
        offered = _offer(asked)
        gone = st.session_state.get(GONE, [])
    return {"desk": found.id, "gone": gone, "asked": asked, "offer": offered}


def _offer(asked: str) -> dict[str, str] | None:
    """What to say of a desk that this browser remembers; looked up once a session."""
    before, glance = st.session_state.get(ASKED, (None, None))
    if before != asked:
        try:
            glance = desks().knows(asked)
        except StoreError:
            return None  # nobody knows: perhaps at the next rerun
        st.session_state[ASKED] = (asked, glance)
        if glance is None:
            _gone(asked)
    if glance is None:
        return None
    found = [_since(glance.ago)]
    if glance.runs:
        found.insert(0, language.counted("{n} network", "{n} networks", glance.runs))
    elif glance.things:
        found.insert(
            0,
            language.counted("{n} example of your own", "{n} examples of your own", glance.things),
        )
    return {
        "desk": asked,
        "text": _("Continue where you left off? ({what})", what=", ".join(found)),
        "go": _("Continue"),
        "fresh": _("New desk"),
    }


def _since(seconds: float) -> str:
    """How long ago something was, as one says it."""
    minutes = int(seconds / 60)
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        return language.counted("{n} minute ago", "{n} minutes ago", minutes)
    if minutes < 24 * 60:
        return language.counted("{n} hour ago", "{n} hours ago", minutes // 60)
    return language.counted("{n} day ago", "{n} days ago", minutes // (24 * 60))


def _gone(desk: str) -> None:
    """Let the browser forget ``desk``."""
    st.session_state[GONE] = [*st.session_state.get(GONE, []), desk]


def notices() -> None:
    """What to say about the desk, below the page's title."""
    found = here()
    # In a place of its own even when it is empty, so that nothing below moves.
    with st.container():
        notice: PlaygroundError | None = st.session_state.get(NOTICE)
        if isinstance(notice, StoreError):
            said = UNREADABLE if found.id is None else UNREAD  # the fresh one is in use by now
            warned(notice, _(said, reason=notice.text(_)), "cloud_off", NOTICE)
        elif notice is not None:
            warned(notice, notice.text(_), "link_off", NOTICE)
    problem = trouble()
    if problem is not None and st.session_state.get(TOLD) != problem.message:
        st.toast(problem.text(_), icon=":material/cloud_off:", duration="long")
    st.session_state[TOLD] = None if problem is None else problem.message


def trouble() -> StoreError | None:
    """Why what this student does is not kept now, if so."""
    return here().problem or desks().problem


def popover(stop: Callable[[Run], None]) -> None:
    """The desk's address as a link and a QR code, and its end; ``stop`` ends a run."""
    found = here()
    icon = "cloud_off" if trouble() is not None else "desk"
    with st.popover(_("Desk"), icon=f":material/{icon}:", key="desk.popover"):
        _menu(found, stop)
        st.caption(_("Version {version}", version=__version__))


def _menu(found: Desk, stop: Callable[[Run], None]) -> None:
    damage = desks().store.damage
    for problem in (trouble(), damage):
        if problem is not None:
            st.warning(problem.text(_), icon=":material/cloud_off:")
    if found.id is None:
        browser.menu(None)
        st.markdown(
            _(
                "**Nothing saved yet.** Once you train a network, save a drawing or play a "
                "game, this page gets its own address, and you can come back to it later, on "
                "any computer."
            )
        )
        board_join.section(found, desks())
        return
    st.markdown(
        _(
            "**Your desk.** Your runs, pictures, tables and games are saved at this address. "
            "Bookmark it. Anyone with this address can use your desk, so share the link under "
            "“Save” instead."
        )
    )
    link = address(found.id)
    st.code(link, None, wrap_lines=True)
    st.image(_qr_code(link), width=190, alt=_("QR code of your desk's address"))
    browser.menu(found.id)
    board_join.section(found, desks())
    _end(found, stop)


@lru_cache(maxsize=1000)
def _qr_code(link: str) -> str:
    """As SVG. It takes 10 ms, a good part of drawing a whole page."""
    return segno.make(link, error="m").svg_inline(scale=4, dark="#1c2b33", light="#ffffff")


def address(desk: str) -> str:
    """Where a browser finds the desk, on the page that is shown."""
    return f"{st.context.url or ''}?{urlencode({DESK: desk, LANGUAGE: language.current()})}"


def _end(found: Desk, stop: Callable[[Run], None]) -> None:
    """Delete the desk: asked, and asked once more."""

    def ask() -> None:
        st.session_state[SURE] = True

    def keep() -> None:
        st.session_state[SURE] = False

    def delete() -> None:
        st.session_state[SURE] = False
        for run in [*found.runs.values(), *found.kept.live()]:
            stop(run)
        try:
            desks().delete(found)
        except StoreError as error:
            st.toast(plain(error.text(_)), icon=":material/error:", duration="long")
        page_address.update(DESK, None)

    if not st.session_state.get(SURE):
        st.button(
            _("Delete this desk …"), icon=":material/delete:", key="desk.delete", on_click=ask
        )
        return
    st.markdown(
        _("Delete the desk with all runs, pictures, tables and games? This cannot be undone.")
    )
    with st.container(horizontal=True):
        st.button(_("Delete everything"), type="primary", key="desk.delete.yes", on_click=delete)
        st.button(_("Keep it"), key="desk.delete.no", on_click=keep)
