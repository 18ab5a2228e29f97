"""From before the first browser connects until after the last one has gone."""

from __future__ import annotations

import ast
import gc
import importlib
import signal
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import streamlit as st
import uvicorn
from streamlit import net_util, runtime
from streamlit.config import is_manually_set
from streamlit.web.server import server_util

from playground.runtime import torch_threads
from playground.serving import logs, patches, settings
from playground.ui.shell import silent_clients

PAGES: Final = Path(__file__).parent.parent.parent / "pages"
ENDS: Final = ("SIGINT", "SIGTERM", "SIGQUIT", "SIGBREAK")


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """What ``st.App`` does around its own start and end."""
    logs.install()
    patches.install()
    settings.open_files()
    import_pages()
    torch_threads.share_heaps()
    # Torch's hundred thousands of objects live as long as the process, and a collector that
    # walks them holds every student's page.
    gc.collect()
    gc.freeze()
    torch_threads.end_after_scripts()
    silent_clients.give_up_silent()
    if (server := _server()) is not None:
        _end_in_order(server)
        patches.cut_half_sent(server, silent_clients.SILENT_AFTER)
    _announce()
    yield
    # Streamlit stops its sessions without waiting for them.
    running = runtime.get_instance()
    running.stop()
    await running.stopped


def import_pages() -> None:
    """Import all that pages import, in this one thread and before anybody connects.

    The modules of a package import each other. Where several pages are the first to ask for
    them, each in a thread of its own and in another order, Python breaks the circle by handing
    out modules that are half made.
    """
    for page in sorted(PAGES.glob("*.py")):
        for node in ast.parse(page.read_text("utf-8")).body:
            if isinstance(node, ast.Import):
                for name in node.names:
                    importlib.import_module(name.name)
            elif isinstance(node, ast.ImportFrom) and node.module:
                found = importlib.import_module(node.module)
                for name in node.names:
                    if not hasattr(found, name.name):  # a module of that package
                        importlib.import_module(f"{node.module}.{name.name}")


def _server() -> uvicorn.Server | None:
    """The server that serves us, which is known by its handler of signals alone."""
    found = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return found if isinstance(found, uvicorn.Server) else None


def _end_in_order(server: uvicorn.Server) -> None:
    """Let a signal end the server, and then Python as usual.

    Uvicorn ends in order, but then raises the signal once more, and nothing that Python does
    at its end would happen: what has been learned last would not be written down.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    for name in ENDS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), end)


def _announce() -> None:
    """Say where the app is open, on this machine and in its network; open a browser if wanted.

    Streamlit's own greeting (``logger.hideWelcomeMessage``) asks a server on the internet for this
    machine's address.
    """
    if is_manually_set("browser.serverAddress"):
        hosts = [str(st.get_option("browser.serverAddress"))]
    elif (given := st.get_option("server.address")) not in (None, "0.0.0.0", "::"):
        hosts = [str(given)]
    else:
        hosts = ["localhost", str(net_util.get_internal_ip())]
    addresses = [server_util.get_url(host) for host in dict.fromkeys(hosts)]
    print(f"\n  Open the playground at {' or '.join(addresses)}\n", flush=True)
    if not st.get_option("server.headless"):
        webbrowser.open(addresses[0])


__all__ = ["import_pages", "lifespan"]
