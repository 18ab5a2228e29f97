"""The real server on loopback: it ends when it is told to, and bears clients that misbehave."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import loops
import pytest
from live import PATIENCE, ROOT, SHORT, Server

sys.path.insert(0, str(ROOT / "benchmarks"))

import protocol
from kill9 import Watched as Browser

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals, /proc and TCP of Linux")

PAGE = "digits"
SMALL = "epochs=500&architecture=mlp&hidden=16&strokes=500&augmentation=0&threads=1"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    started = Server(tmp_path)
    yield started
    started.kill()


async def until(happened: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it never happened"
        await asyncio.sleep(0.02)


def status(browser: Browser) -> str:
    return browser.tab.texts.get("progress", "")


async def train(browser: Browser) -> str:
    """Open the page, press Train, see it learn; the desk's id."""
    await browser.open()
    await until(lambda: "Untrained" in status(browser) and browser.tab.still)
    await browser.press(f"{PAGE}.main")
    await until(lambda: "Training · epoch" in status(browser) and browser.desk)
    return browser.desk


def test_a_server_that_is_busy_ends_when_it_is_told_to(server: Server) -> None:
    """Workers are inside torch, and so is a page that trains a network in its own script."""

    async def students() -> str:
        async with (
            Browser(server.port, PAGE, SMALL) as one,
            Browser(server.port, "batches", "view=overfitting") as other,
        ):
            desk = await train(one)
            await until(lambda: "epoch 1 of" not in status(one))
            await other.open()
            (found,) = [name for name in other.tab.widgets if name.endswith("batches.neurons@en")]
            other.tab.slide(found, 1)
            fragment = other.tab.widgets[found].fragment
            await other.write(other.tab.rerun("slider", fragment))
            await asyncio.sleep(0.1)  # so that it is inside, most probably
            await asyncio.to_thread(server.end, signal.SIGINT)
            return desk

    desk = loops.run(students())
    # What the run had learned was written down before the end.
    with closing(sqlite3.connect(server.folder / "data" / "playground.db")) as database:
        rows = database.execute("select desk, state, progress is not null from runs").fetchall()
    assert rows == [(desk, "running", 1)]


def test_another_tab_of_a_desk_follows_and_a_server_that_draws_pictures_ends(
    server: Server,
) -> None:
    """While a run stands still nothing refreshes there, a look now and then aside."""

    def shows(browser: Browser) -> tuple[bool, bool, bool]:
        """Whether the run learns, may be stopped, and may be put back to its beginning."""
        main, stop, reset = (
            browser.tab.widgets[browser.tab.find(f"{PAGE}.{name}")].body
            for name in ("main", "stop", "reset")
        )
        return ":material/pause:" in main.icon, not stop.disabled, not reset.disabled

    learning, paused, stopped, fresh = (
        (True, True, True),
        (False, True, True),
        (False, False, True),
        (False, False, False),
    )

    async def tabs() -> None:
        async with Browser(server.port, PAGE, SMALL) as one:
            desk = await train(one)
            await one.press(f"{PAGE}.main")
            await until(lambda: shows(one) == paused and one.tab.still)
            async with Browser(server.port, PAGE, f"{SMALL}&desk={desk}") as other:
                await other.open()
                await until(lambda: shows(other) == paused and other.tab.still)
                await one.press(f"{PAGE}.main")
                await until(lambda: shows(other) == learning)
                await one.press(f"{PAGE}.stop")
                await until(lambda: shows(other) == stopped and other.tab.still)
                await one.press("desk.delete")
                await one.press("desk.delete.yes")
                await until(lambda: shows(other) == fresh)
                assert not one.tab.errors
                assert not other.tab.errors
        async with Browser(server.port, "shapes", "examples=40000") as drawing:
            await drawing.open()
            await until(lambda: re.search(r"[1-9][\d,]* .*40,000", status(drawing)))
            await asyncio.to_thread(server.end, signal.SIGTERM)

    loops.run(tabs())
    with closing(sqlite3.connect(server.folder / "data" / "playground.db")) as database:
        assert database.execute("select count(*) from runs").fetchone() == (0,)


def test_clients_that_vanish_or_never_read_hold_nothing_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their runs pause as nobody looks, the others go on, and the server can end."""
    real = protocol.connect

    def narrow(address: str, **options: Any) -> Any:
        plain = socket.socket()  # its system takes a few kilobytes that nobody reads
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        plain.connect(("127.0.0.1", server.port))
        plain.setblocking(False)
        return real(address, sock=plain, **options)

    async def come() -> Browser:
        """One whose window is narrow."""
        with monkeypatch.context() as patch:
            patch.setattr(protocol, "connect", narrow)
            return await Browser(server.port, PAGE, SMALL).__aenter__()

    def stop_reading(browser: Browser) -> None:
        assert browser.socket is not None
        browser.socket.transport.pause_reading()  # its timers go on asking

    def cut(browser: Browser) -> bool:
        assert browser.socket is not None
        return browser.socket.transport.is_closing()

    async def paused(desk: str) -> bool:
        async with Browser(server.port, PAGE, f"desk={desk}") as again:
            await again.open()
            if not status(again).startswith("Paused"):
                return False
            await again.press(f"{PAGE}.main")  # and it goes on where it was
            await until(lambda: "Training" in status(again))
            return True

    async def lesson() -> None:
        good, gone = Browser(server.port, PAGE, SMALL), Browser(server.port, PAGE, SMALL)
        silent = await come()
        await gone.__aenter__()
        async with good:
            desks = {await train(silent), await train(gone)}
            await train(good)
            memory, answered = server.memory(), len(good.tab.answers)
            await gone.vanish()
            stop_reading(silent)
            await until(lambda: cut(silent))
            await until(lambda: len(good.tab.answers) > answered + 3)
            assert "Training" in status(good)
            assert server.memory() - memory < 256 * 2**20
            end = time.monotonic() + PATIENCE
            while desks and time.monotonic() < end:
                await asyncio.sleep(float(SHORT) + 1)  # asking is a look, so not too often
                desks -= {desk for desk in desks if await paused(desk)}
            assert not desks
            assert not good.tab.errors
            last = await come()  # it is there, and does not read, while the server is to end
            stop_reading(last)
            await last.write(last.tab.opening())
            await asyncio.to_thread(server.end, signal.SIGTERM)
        for one in (silent, last):
            await one.vanish()

    loops.run(lesson())
