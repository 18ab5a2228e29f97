"""A real Chromium against a fresh server; skipped where there is no Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from person import SECRET, missing
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parent.parent.parent
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 60_000  # milliseconds; a wait ends as soon as what it waits for is there
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        missing("Chromium is required here, and there is none", "no Chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


Serve = Callable[[], str]


@contextmanager
def serving(folder: Path) -> Iterator[Serve]:
    """Starts servers whose data are in ``folder``, and stops them afterwards."""
    servers: list[subprocess.Popen[bytes]] = []

    def start() -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "-m", "streamlit", "run", "app.py"]
        options = ["--server.headless=true", f"--server.port={port}", "--server.address=127.0.0.1"]
        environment = {**os.environ, "PLAYGROUND_DATA": str(folder / "data")}
        with (folder / "server.log").open("wb") as log:
            server = subprocess.Popen(
                command + options, cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        servers.append(server)
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and server.poll() is None:
            try:
                # Its health, not a page: a page would be the server's first request.
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                    return address
            except OSError:
                time.sleep(0.1)
        pytest.fail("the server did not start: " + (folder / "server.log").read_text())

    yield start
    for server in servers:
        server.terminate()
        code = server.wait(timeout=30)
        log = (folder / "server.log").read_text()
        assert code in (0, -15), f"the server ended with {code}: {log[-2000:]}"
        assert "Traceback" not in log, log[-4000:]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a fresh server (no request yet) and gives its address; stops it afterwards."""
    with serving(tmp_path) as start:
        yield start


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that all tests share: one that starts takes longer than most."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_TEACHER_SECRET", SECRET)
        with serving(tmp_path_factory.mktemp("site")) as start:
            yield start()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window of a Polish student's laptop whose browser speaks English."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, locale="en-GB")
    window = context.new_page()
    window.set_default_timeout(PATIENCE)
    yield window
    context.close()
