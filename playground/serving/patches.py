"""What of Streamlit and uvicorn is replaced while they run, as neither has a door for it.

``net_util.get_external_ip`` (read on Streamlit 1.67)
    asks a server on the internet for this machine's address, in the event loop, each time a page
    of another origin knocks. Now it knows none.
``Runtime.connect_session`` (read on Streamlit 1.67)
    gives a session to whoever names its id, while its owner is there. Now only to the browser
    that opened it.
``app_session._populate_theme_msg`` (read on Streamlit 1.67)
    puts the theme together from the settings at each run of a page or of a part of it, six times.
    That was a tenth of what a live view costs the server. Now it does so once.
``Config.http_protocol_class`` (read on uvicorn 0.54)
    waits for ever for the rest of a request's head. Now it gives up.

Each is looked at before it is replaced: one that has gone, or takes other parameters, ends the
start with an error instead of guarding nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakKeyDictionary

import uvicorn
from streamlit import config, net_util
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.runtime import Runtime
from streamlit.web.server.starlette.starlette_app_utils import decode_xsrf_token_string

COOKIE: Final = "_streamlit_xsrf"
"""Streamlit gives it to each browser: a random number, behind another mask each time."""
PARAMETERS: Final[dict[Callable[..., Any], tuple[str, ...]]] = {
    net_util.get_external_ip: (),
    app_session._populate_theme_msg: ("msg", "section"),
    Runtime.connect_session: (
        *("self", "client", "user_info"),
        *("existing_session_id", "session_id_override"),
    ),
}
_owners: Final[WeakKeyDictionary[AppSession, bytes]] = WeakKeyDictionary()


def install() -> None:
    """Replace what belongs to Streamlit; twice does no harm.

    Raises:
        RuntimeError: a Streamlit in which it is not what it was.
    """
    if getattr(Runtime.connect_session, "ours", False):
        return
    for function, expected in PARAMETERS.items():
        if tuple(inspect.signature(function).parameters) != expected:
            raise RuntimeError(f"{function.__qualname__} is not as it was in Streamlit 1.67")
    net_util.get_external_ip = _nowhere
    app_session._populate_theme_msg = _remembered(app_session._populate_theme_msg)
    Runtime.connect_session = _owned(Runtime.connect_session)  # type: ignore[method-assign]


def _nowhere() -> None:
    """The machine's address as the internet sees it: nobody needs it here."""


def _remembered(populate: Callable[[CustomThemeConfig, str], None]) -> Callable[..., None]:
    """``populate``, asked once for each section, and again when the settings were read anew."""
    found: dict[str, CustomThemeConfig] = {}

    def populate_theme(msg: CustomThemeConfig, section: str = "theme") -> None:
        if section not in found:
            fresh = CustomThemeConfig()
            populate(fresh, section)
            found[section] = fresh
        msg.MergeFrom(found[section])

    config.on_config_parsed(found.clear, force_connect=True)
    return populate_theme


def _owned(connect: Callable[..., str]) -> Callable[..., str]:
    def connect_session(
        self: Runtime,
        client: Any,
        user_info: Any,
        existing_session_id: str | None = None,
        session_id_override: str | None = None,
    ) -> str:
        browser = _browser(client)
        if existing_session_id:
            info = self._session_mgr.get_session_info(existing_session_id)
            owner = None if info is None else _owners.get(info.session)
            # Without a cookie a browser is known by nothing: it goes on where nobody is.
            there = self.is_active_session(existing_session_id)
            if owner != browser or (browser is None and there):
                existing_session_id = None
        found = connect(self, client, user_info, existing_session_id, session_id_override)
        session = self.get_app_session(found)
        if session is not None and browser is not None:
            _owners[session] = browser
        return found

    connect_session.ours = True  # type: ignore[attr-defined]
    return connect_session


def _browser(client: Any) -> bytes | None:
    """What only one browser has, and every tab of it."""
    return decode_xsrf_token_string(client.client_context.cookies.get(COOKIE, ""))[0]


def cut_half_sent(server: uvicorn.Server, seconds: float) -> None:
    """Close a connection whose request's head has not come whole for ``seconds``.

    Uvicorn has a timer between two requests, which the first byte of the next one ends.
    """
    usual: Any = server.config.http_protocol_class
    for name in ("connection_made", "data_received", "connection_lost"):
        if not hasattr(usual, name):
            raise RuntimeError(f"{usual.__qualname__} has no {name}, as uvicorn 0.54 had")

    class Impatient(usual):  # type: ignore[misc]
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._patience = self.loop.call_later(seconds, self._look, False)

        def connection_lost(self, error: Exception | None) -> None:
            self._patience.cancel()
            super().connection_lost(error)

        def _look(self, before: bool) -> None:
            if self.transport.is_closing() or self.transport.get_protocol() is not self:
                return  # a websocket by now
            busy = self.cycle is not None and not self.cycle.response_complete
            waiting = not busy and self.timeout_keep_alive_task is None
            if waiting and (before or self.cycle is None):
                self.transport.abort()
            else:
                self._patience = self.loop.call_later(seconds, self._look, waiting)

    server.config.http_protocol_class = Impatient


__all__ = ["cut_half_sent", "install"]
