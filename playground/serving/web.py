"""Requests and answers of HTTP: what is not served, what is added, what is compressed."""

from __future__ import annotations

import asyncio
import gzip
from collections import defaultdict
from typing import Final

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from playground.ui.shell.silent_clients import SILENT_AFTER

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",  # the desk's id stands in the address
    # Nothing is fetched from elsewhere, whatever a page's script asks for.
    "Content-Security-Policy": "img-src 'self' data: blob:; font-src 'self' data:; "
    "media-src 'self' data: blob:; connect-src 'self' ws: wss: data: blob:; "
    "frame-ancestors 'self'",
}
CLOSED: Final = ("/_stcore/metrics", "/_stcore/agent")
"""Of Streamlit's: counts of what everybody does, and a door for programs."""
WHOLE: Final = 600.0  # seconds until the whole of an upload must have come
COMPRESSED: Final = ("text/", "application/javascript", "application/json", "image/svg+xml")
KEPT: Final = 400  # compressed files; Streamlit's own are some 250


class _TooSlowError(BaseException):
    """The rest of a request does not come. Nothing between may take it for an error of its own."""


class Answers:
    """Around all of Streamlit's own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False
        loop = asyncio.get_running_loop()
        end = loop.time() + WHOLE
        arrived = False

        async def patient() -> Message:
            nonlocal arrived
            if arrived:
                return await receive()  # who listens now, listens for the end
            try:
                left = min(SILENT_AFTER, end - loop.time())
                message = await asyncio.wait_for(receive(), left)
            except TimeoutError:
                raise _TooSlowError from None
            arrived = not message.get("more_body", False)
            return message

        async def dressed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            refused = _refused(scope)
            if refused is not None:
                await refused(scope, receive, dressed)
            else:
                await self.app(scope, patient, dressed)
        except _TooSlowError:
            if not begun:
                late = PlainTextResponse("too slow", 408, {"Connection": "close"})
                await late(scope, receive, dressed)


def _refused(scope: Scope) -> Response | None:
    path = scope["path"].removeprefix("/" + str(st.get_option("server.baseUrlPath")).strip("/"))
    if f"/{path.lstrip('/')}".startswith(CLOSED):
        return PlainTextResponse("not found", 404)
    # Streamlit itself asks this of websockets only.
    if not is_host_allowed(Headers(scope=scope).get("host")):
        return PlainTextResponse("this server has another name", 421)
    return None


class Compressed:
    """Streamlit's own scripts and styles, each compressed once and kept.

    Streamlit leaves that to a proxy, as it would compress them anew for each request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._kept: dict[str, tuple[list[tuple[bytes, bytes]], bytes]] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._wanted(scope):
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        async with self._locks[path]:
            if path not in self._kept:
                await self._fetch(path, scope, receive, send)
                if path not in self._kept:
                    return  # it has been answered as it is
        headers, body = self._kept[path]
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})

    def _wanted(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] != "GET" or "/static/" not in scope["path"]:
            return False
        headers = Headers(scope=scope)
        plain = "range" not in headers and "if-none-match" not in headers
        full = len(self._kept) >= KEPT and scope["path"] not in self._kept
        return plain and not full and "gzip" in headers.get("accept-encoding", "")

    async def _fetch(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message | None = None
        parts: list[bytes] = []

        async def held(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                headers = Headers(raw=message["headers"])
                kind = headers.get("content-type", "")
                lasting = "immutable" in headers.get("cache-control", "")
                plain = message["status"] == 200 and "content-encoding" not in headers
                if plain and lasting and kind.startswith(COMPRESSED):
                    start = message
                    return
                await send(message)
            elif start is None:
                await send(message)
            else:
                parts.append(message.get("body", b""))

        await self.app(scope, receive, held)
        if start is None:
            self._locks.pop(path, None)
            return
        body = await asyncio.to_thread(gzip.compress, b"".join(parts), 6, mtime=0)
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["Content-Encoding"] = "gzip"
        headers["Content-Length"] = str(len(body))
        headers.add_vary_header("Accept-Encoding")
        self._kept[path] = (headers.raw, body)


__all__ = ["HEADERS", "Answers", "Compressed"]
