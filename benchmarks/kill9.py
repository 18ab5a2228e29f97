"""Kill the server at any moment while a class works, and look at what the database has.

    python benchmarks/kill9.py [--rounds 50] [--seconds 4] [--seed 0]

Each round starts the real app on the same data folder (as a fork of this process, which has
imported all of it already: that saves seconds a round, and changes nothing else), and five
clients (``protocol.py``): one trains small networks on the coffee page, one draws digits and
keeps them, one plays rock-paper-scissors, one uploads rows, one makes a desk and deletes it,
again and again. At a random moment within ``--seconds`` after each has done one thing (or has
tried for 15 s), the server gets SIGKILL. Then a copy of its files is opened as the next server
opens them, and held against what the clients had been shown:

*opened*: SQLite's integrity check says ok, no file was set aside, every desk of this and all
earlier rounds opens.
*kept*: every run that a page said was over, every round of a game, kept picture and uploaded row
that a page had shown *more than 2 s* before the kill is there.
*gone*: no desk whose deletion a page had shown is there.
*younger*: what pages had shown within the last 2 s, and how much of that is missing (it is written
by a thread of its own, so that no page waits for a disk).
"""

from __future__ import annotations

from common import conditions  # before torch, which it prepares

# isort: split
import argparse
import asyncio
import contextlib
import importlib
import os
import pkgutil
import random
import re
import shutil
import signal
import socket
import sqlite3
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from classroom import ROOT, stroke, until
from protocol import Browser
from streamlit.web import bootstrap

import playground
from playground.projects import project
from playground.projects.coffee import Coffee
from playground.rps_opponent.games import games
from playground.storage import codecs
from playground.storage.errors import NoDeskError
from playground.storage.records import StoredDesk
from playground.storage.store import Store

LINK = re.compile(rb"[?&]desk=([A-Za-z0-9_-]{22})")
GRACE = 2.0  # seconds; what a page showed before that must be on the disk
COLUMNS = (*Coffee.encoder.columns, Coffee.encoder.target)
TABLE = codecs.table("coffee.own", COLUMNS)
PICTURES = codecs.pictures("digits.own", project("digits").labels)
GAME = games("rps.game")
CSV = "size,extras,takeaway,price\nsmall,1,no,12.5\nlarge,0,yes,15\n"


class Watched(Browser):
    """A client that notes the desk of which its page speaks."""

    desk = ""

    async def __aenter__(self) -> Watched:
        receive = self.tab.receive

        def noting(data: bytes) -> None:
            for found in LINK.findall(data):
                self.desk = found.decode()
            receive(data)

        self.tab.receive = noting  # type: ignore[method-assign]
        await super().__aenter__()
        return self

    async def named(self, old: str = "") -> str:
        """The desk's id, once it is not ``old``: its link is drawn with the whole page."""
        for _n in range(20):
            if self.desk != old:
                break
            await self.send(self.tab.rerun("whole"), 60)
        return self.desk


@dataclass
class Shown:
    """What a client's page has shown of its desk: (seconds, how many), in order."""

    kind: str
    desk: str = ""
    counts: list[tuple[float, int]] = field(default_factory=list)

    def says(self, watched: Watched, count: int) -> None:
        self.desk = watched.desk
        self.counts.append((time.monotonic(), count))

    def until(self, moment: float) -> int:
        return max((count for at, count in self.counts if at <= moment), default=0)


@dataclass
class Book:
    """What must be in the database, of all rounds."""

    there: list[tuple[str, str, int]] = field(default_factory=list)  # desk, kind, at least
    gone: list[str] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)  # of this round
    acts: Counter[str] = field(default_factory=Counter)


def held(kind: str, contents: StoredDesk) -> int:
    """How many finished things of ``kind`` a desk has."""
    if kind == "run":
        return sum(row.state == "finished" for row in contents.runs)
    if kind == "picture":
        return len(contents.things.get(PICTURES.name, ()))
    games = contents.things.get(GAME.name, ())
    tables = contents.things.get(TABLE.name, ())
    found = [GAME.decode(one) for one in games] if kind == "round" else map(TABLE.decode, tables)
    return sum(map(len, found))


# --- The clients ----------------------------------------------------------------------------


async def trains(browser: Watched, shown: Shown) -> None:
    def stoppable() -> bool:
        return not browser.tab.widgets[browser.tab.find("coffee.stop")].body.disabled

    for count in range(1, 1000):
        if not await until(lambda: browser.tab.still, 20):
            return
        await browser.press("coffee.main")
        await until(stoppable, 1)
        if not await until(lambda: not stoppable(), 30):
            return
        await browser.named()
        shown.says(browser, count)


async def draws(browser: Watched, shown: Shown) -> None:
    dice = random.Random(1)
    for count in range(1, 1000):
        await browser.draw("digits.pad.*", *stroke(dice))
        found = browser.tab.find("digits.was*")
        state = browser.tab.states[found]
        chosen = browser.tab.widgets[found].body.options[count % 10].content
        state.string_array_value.data[:] = [chosen]
        fragment = browser.tab.widgets[found].fragment
        await browser.send(browser.tab.rerun("keep", fragment), 60)
        await browser.named()
        shown.says(browser, count)


async def plays(browser: Watched, shown: Shown) -> None:
    for count in range(1, 1000):
        await browser.press(f"rps.{('rock', 'paper', 'scissors')[count % 3]}")
        await browser.named()
        shown.says(browser, count)
        await asyncio.sleep(0.05)


async def uploads(browser: Watched, shown: Shown) -> None:
    for count in range(1, 1000):
        await browser.upload("coffee.own.file", f"rows-{count}.csv", CSV.encode())
        await browser.named()
        shown.says(browser, 2 * count)


async def deletes(browser: Watched, book: Book) -> None:
    desk = ""
    while True:
        await browser.press("rps.rock")
        desk = await browser.named(desk)
        await asyncio.sleep(random.uniform(0, 0.3))
        await browser.press("desk.delete")
        await browser.press("desk.delete.yes")
        if not browser.tab.errors and desk:
            book.gone.append(desk)
            book.acts["deletion"] += 1


class Fork:
    """The app's server as a child of this process, on a free port; use it as ``with``."""

    def __init__(self, data: Path) -> None:
        self.data = data
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    def __enter__(self) -> Fork:
        self.pid = os.fork()
        if not self.pid:
            self._serve()
        while True:
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                raise RuntimeError("the server ended: " + (self.data / "server.log").read_text())
            try:
                health = f"http://127.0.0.1:{self.port}/_stcore/health"
                urllib.request.urlopen(health, timeout=5).close()
                return self
            except OSError:
                time.sleep(0.05)

    def _serve(self) -> None:
        log = os.open(self.data / "server.log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(ROOT)
        os.environ["PLAYGROUND_DATA"] = str(self.data)
        options = {"server_headless": True, "server_address": "127.0.0.1", "server_port": self.port}
        try:
            bootstrap.load_config_options(options)
            bootstrap.run("app.py", False, [], options)
        finally:
            os._exit(0)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.pid = 0

    def __exit__(self, *error: object) -> None:
        if self.pid:
            self.kill()


# --- A round --------------------------------------------------------------------------------


async def round_of(server: Fork, book: Book, seconds: float, dice: random.Random) -> float:
    """Let five clients work and kill the server; when it was killed."""
    parts: list[tuple[str, str, Callable[..., object]]] = [
        ("run", "coffee?epochs=1&examples=200", trains),
        ("picture", "digits?epochs=1", draws),
        ("round", "rps", plays),
        ("row", "coffee", uploads),
        ("deletion", "rps", deletes),
    ]
    browsers, work = [], []
    async with contextlib.AsyncExitStack() as stack:
        for kind, address, act in parts:
            path, _mark, query = address.partition("?")
            browser = await stack.enter_async_context(
                Watched(server.port, path, f"?{query}" if query else "")
            )
            browsers.append((browser, kind, act))
        await asyncio.gather(*(browser.open(120) for browser, _kind, _act in browsers))
        for browser, kind, act in browsers:
            shown: Shown | Book = book
            if kind != "deletion":
                shown = Shown(kind)
                book.shown.append(shown)
            work.append(asyncio.create_task(act(browser, shown), name=kind))  # type: ignore[arg-type]
        before = book.acts["deletion"]
        await until(
            lambda: all(one.counts for one in book.shown) and book.acts["deletion"] > before, 15
        )
        await asyncio.sleep(dice.uniform(0, seconds))
        killed = time.monotonic()
        server.kill()
        waiting = set(work)
        while waiting:  # more than once: wait_for may swallow a cancellation as its answer comes
            for task in waiting:
                task.cancel()
            _done, waiting = await asyncio.wait(waiting, timeout=1)
        ends = await asyncio.gather(*work, return_exceptions=True)
        for task, error in zip(work, ends, strict=True):
            if isinstance(error, Exception) and not isinstance(error, asyncio.CancelledError):
                dropped = "socket" in " ".join(browsers[work.index(task)][0].tab.errors)
                if not dropped and not isinstance(error, OSError):
                    print(f"   {task.get_name()}: {error!r}"[:300])
    return killed


def look(folder: Path, book: Book, killed: float) -> list[str]:
    """What is wrong in the database that the server left."""
    wrong = []
    with tempfile.TemporaryDirectory() as place:
        for path in folder.glob("playground.db*"):
            shutil.copy(path, place)
        file = Path(place, "playground.db")
        store = Store(f"sqlite:///{file}")
        count = store.count()
        if store.damage is not None:
            return [f"damage: {store.damage}"]
        with contextlib.closing(sqlite3.connect(file)) as plain:
            said = plain.execute("pragma integrity_check").fetchall()
        if said != [("ok",)]:
            wrong.append(f"integrity: {said}")
        fresh = []
        for shown in book.shown:
            book.acts[shown.kind] += shown.until(killed)
            if not shown.counts:
                continue
            old, all_of_it = shown.until(killed - GRACE), shown.until(killed)
            fresh.append((shown, old, all_of_it))
            if old:
                book.there.append((shown.desk, shown.kind, old))
        for desk, kind, least in book.there:
            try:
                found = held(kind, store.load(desk))
            except NoDeskError:
                found = -1
            if found < least:
                wrong.append(f"{kind}: {found} of {least}")
        for shown, old, all_of_it in fresh:
            with contextlib.suppress(NoDeskError):
                missing = all_of_it - max(held(shown.kind, store.load(shown.desk)), old)
                book.acts["younger"] += all_of_it - old
                book.acts["younger, missing"] += max(0, missing)
        for desk in book.gone:
            with contextlib.suppress(NoDeskError):
                store.load(desk)
                wrong.append("a deleted desk is there")
        store.close()
        if not count and book.there:
            wrong.append("no desk at all")
    book.shown.clear()
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(conditions(), flush=True)
    for found in pkgutil.walk_packages(playground.__path__, "playground."):
        if not {"migrations", "__main__", "ray_trainer"} & {*found.name.split(".")}:
            importlib.import_module(found.name)
    dice, book, bad = random.Random(options.seed), Book(), 0
    with tempfile.TemporaryDirectory() as place:
        for number in range(1, options.rounds + 1):
            begun = time.monotonic()
            with Fork(Path(place)) as server:
                killed = asyncio.run(round_of(server, book, options.seconds, dice))
            log = Path(place, "playground.db-wal")
            left = log.stat().st_size // 1024 if log.exists() else 0
            wrong = look(Path(place), book, killed)
            bad += bool(wrong)
            took = time.monotonic() - begun
            acts = sum(one for kind, one in book.acts.items() if "younger" not in kind)
            print(
                f"{number}: {'; '.join(wrong) or 'ok'} ({acts} acts, log {left} kB, {took:.0f} s)",
                flush=True,
            )
    good = options.rounds - bad
    print(f"{good} of {options.rounds} rounds: opened, all older than {GRACE:.0f} s kept or gone")
    print("shown by pages: " + ", ".join(f"{n} {kind}s" for kind, n in book.acts.items()))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
