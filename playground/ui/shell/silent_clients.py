"""Browsers that do not read what the server sends, by accident or on purpose.

Streamlit sends such a one at most 500 messages, and pings it; who does not answer in time is
told good-bye. But a connection is closed only when all that waits for it has gone out, which
it never does to a peer that is there and does not read: its session stays in memory, and a
server that is told to end waits for it. The system itself can give such a peer up: Linux has
the option TCP_USER_TIMEOUT for it (RFC 5482), which connections inherit from the socket that
listens. Elsewhere such a peer can still hold up the end of a server.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from streamlit import get_option

SILENT_AFTER: Final = float(os.environ.get("PLAYGROUND_SILENT_AFTER", "60"))
"""Seconds that something may wait for a peer to take it; pings give up after as many."""

OPEN_FILES: Final = "/proc/self/fd"


def give_up_silent(port: int | None = None, seconds: float = SILENT_AFTER) -> int:
    """Let the system cut connections to ``port`` of this process that take nothing for so long.

    To be called when the server listens, by default on Streamlit's own port; how many sockets
    were told.
    """
    port = get_option("server.port") if port is None else port
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    told = 0
    if option is None:
        return told
    for one in _sockets():
        with one, suppress(OSError):
            if one.family in (socket.AF_INET, socket.AF_INET6) and one.getsockname()[1] == port:
                one.setsockopt(socket.IPPROTO_TCP, option, round(seconds * 1000))
                told += 1
    return told


def _sockets() -> Iterator[socket.socket]:
    """Every socket of this process, as another handle of it."""
    for name in os.listdir(OPEN_FILES):
        with suppress(OSError):  # it is closed by now
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                yield socket.socket(fileno=os.dup(int(name)))


__all__ = ["SILENT_AFTER", "give_up_silent"]
