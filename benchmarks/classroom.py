"""A whole class on one machine: the real app, and students who all press Train.

    python benchmarks/classroom.py [--clients 30] [--seconds 60] [--arrive 10] [--calm]
        [--query threads=1]
    python benchmarks/classroom.py --soak 500 [--at-once 20] [--ttl 10]

Starts ``streamlit run app.py`` on loopback with an empty data folder (so with the 5,000
MNIST digits that come with the app) and as many headless clients (``protocol.py``) as
asked for, all in this one process, on one asyncio loop. Its own share of the machine is
printed: it competes with the server, as thirty browsers on thirty laptops would not.

The class: one student warms the server up (opens the page, trains, draws, stops, leaves).
Then all arrive, spread evenly over ``--arrive`` seconds, at ``/digits?epochs=500``; each
presses Train as soon as the page stands. When everybody's network has learned a step, the
clock starts. Each follows the live view's timer and, every 8 to 16 s, draws a stroke, moves
the learning rate, or reads another page for 3 s and comes back (``--calm``: nothing of it).

*refresh*: from sending a timer's request to the end of the run that answers it
(``script_finished``), as a person waits for it; the client's own delay counts too.
*first paint*: from opening the socket to the end of the page's first whole run; the HTML
and the scripts, which a browser has cached, are not in it.
*steps*: read as a student could read them, from the last point of the loss chart's lines;
chart lines have at most 300 points, so they are at most 1/300 behind.
*bare*: the same recipe in ``training.fit`` alone, one thread, in a process of its own,
before and after the class, nothing else running.
*memory*: the server's resident set, the largest of one sample a second.
*errors*: exceptions and error boxes on pages, dropped sockets, requests without an answer,
tracebacks in the server's log.

The soak: ``--at-once`` students at any time, each comes to one of the projects, trains for
2 to 4 s, perhaps draws, and leaves: a third stops the run, a third just goes, a third
vanishes without closing the socket. Times that let go of what nobody wants are shortened
alike, so that hours pass in minutes: Streamlit's memory of a closed tab (``--ttl``, 120 s by
default), the service's patience with runs that nobody watches (60 s and 30 min by
default), and the time until a desk leaves the memory (30 min by default). Memory and threads
are printed at each tenth of the sessions. Linux only.
"""

from __future__ import annotations

from common import conditions  # before torch, which it prepares

# isort: split
import argparse
import asyncio
import base64
import io
import itertools
import math
import multiprocessing
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import torch
from PIL import Image, ImageDraw
from protocol import Answer, Browser, Tab, refreshes
from pyarrow import ipc

from playground.data import mnist
from playground.projects import project
from playground.training import Step, fit

ROOT = Path(__file__).parent.parent
PAGE = "digits"
LOSS = "Loss by step"  # how the chart's alt text begins
EPOCHS = 500  # the most that the page allows: nobody's run is over before the clock stops
SLOWEST = 2.0  # seconds between refreshes of a live view; a slower timer is another's
CANVAS = 224  # pixels, as ui/widgets/draw_pad.py has it
TICK = os.sysconf("SC_CLK_TCK")
STROKES: Sequence[Sequence[tuple[int, int]]] = (
    ((50, 50), (180, 50), (105, 195)),
    ((112, 30), (112, 195)),
    ((60, 60), (165, 55), (160, 105), (70, 180), (170, 185)),
    ((150, 40), (80, 110), (75, 170), (130, 190), (155, 150), (85, 135)),
)


@dataclass
class Sample:
    """What /proc says about a process at one moment."""

    at: float  # seconds
    memory: float  # bytes, resident
    threads: int
    cpu: float  # seconds of all threads so far


class Server:
    """``streamlit run app.py`` on a free port of loopback; use it as ``with``."""

    def __init__(self, *options: str, environment: dict[str, str] | None = None) -> None:
        self.options, self.environment = options, environment or {}
        self.samples: list[Sample] = []

    def __enter__(self) -> Self:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._folder = tempfile.TemporaryDirectory()
        self.log = Path(self._folder.name, "server.log")
        data = Path(self._folder.name, "data")
        data.mkdir()
        options = ("--server.headless=true", "--server.address=127.0.0.1", *self.options)
        options += (f"--server.port={self.port}",)
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", *options],
                cwd=ROOT,
                env={**os.environ, "PLAYGROUND_DATA": str(data), **self.environment},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        while self.process.poll() is None:
            try:
                health = f"http://127.0.0.1:{self.port}/_stcore/health"
                urllib.request.urlopen(health, timeout=1).close()
                return self
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("the server did not start:\n" + self.log.read_text())

    def __exit__(self, *error: object) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            print("error: the server did not end within 20 s of Ctrl-C")
            self.process.kill()
            self.process.wait()
        self._folder.cleanup()

    def sample(self) -> Sample:
        folder = Path("/proc", str(self.process.pid))
        status = dict(
            line.split(":", 1)
            for line in (folder / "status").read_text().splitlines()
            if ":" in line
        )
        # The fields after the command's name, which may hold anything but ends with ")".
        stat = (folder / "stat").read_text().rpartition(")")[2].split()
        now = Sample(
            time.perf_counter(),
            int(status["VmRSS"].split()[0]) * 1024,
            int(status["Threads"]),
            (int(stat[11]) + int(stat[12])) / TICK,
        )
        self.samples.append(now)
        return now

    async def watch(self) -> None:
        """One sample a second, until cancelled."""
        while self.process.poll() is None:
            self.sample()
            await asyncio.sleep(1)

    def tracebacks(self) -> list[str]:
        """The last line of each traceback in the log."""
        text = self.log.read_text(errors="replace")
        blocks = re.findall(r"^Traceback .*\n(?:[ \t].*\n|\n)*(.*)", text, re.MULTILINE)
        return [f"in the server's log: {line[:300]}" for line in blocks]


def stroke(rng: random.Random) -> tuple[dict[str, Any], str]:
    """What the canvas sends after a stroke: Fabric's path, and the picture as a data URL."""
    dx, dy = rng.randint(-25, 25), rng.randint(-20, 20)
    points = [(x + dx, y + dy) for x, y in rng.choice(STROKES)]
    path: list[list[Any]] = [["M", *points[0]]]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        for part in range(1, 7):  # a mouse moves in small steps
            x, y = x0 + (x1 - x0) * part / 6, y0 + (y1 - y0) * part / 6
            path.append(["Q", x, y, (x + x0) / 2, (y + y0) / 2])
    path.append(["L", *points[-1]])
    one = {"type": "Path", "version": "7.4.0", "stroke": "#ffffff", "strokeWidth": 14}
    one |= {"fill": None, "strokeLineCap": "round", "strokeLineJoin": "round", "path": path}
    picture = Image.new("RGBA", (CANVAS, CANVAS), "black")
    ImageDraw.Draw(picture).line(points, "white", 14, joint="curve")
    file = io.BytesIO()
    picture.save(file, "PNG")
    url = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    return {"version": "7.4.0", "objects": [one], "background": "#000000"}, url


def learned(tab: Tab) -> tuple[float, int]:
    """(when, how many) steps the loss chart showed when it last came; (0, 0) without one."""
    at, chart = tab.charts.get(LOSS, (0.0, None))
    if chart is None:
        return 0.0, 0
    tables = [one.data.data for one in chart.datasets] or [chart.data.data]
    table = ipc.open_stream(tables[0]).read_all()
    if "x" not in table.column_names:
        return at, 0  # no step yet
    return at, int(max(table.column("x").to_pylist()))


def bare(seconds: float) -> float:
    """Steps a second of the page's own recipe, alone, one thread, after a warm-up."""
    kind = project(PAGE)
    recipe = kind.recipe(epochs=EPOCHS, threads=1)
    torch.set_num_threads(1)
    steps, begun = 0, 0.0
    for event in fit(kind.build(recipe), kind.load(recipe), recipe):
        if not isinstance(event, Step):
            continue  # an epoch's validation is part of the time, as it is of the class's
        if event.number == 20:
            steps, begun = 0, time.perf_counter()
        steps += 1
        if event.number > 20 and time.perf_counter() - begun > seconds:
            break
    return steps / (time.perf_counter() - begun)


def alone(seconds: float) -> float:
    """``bare`` in a fresh process that finds the same data as the server."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as empty:
        os.environ["PLAYGROUND_DATA"] = empty
        assert mnist.best_source() == "small"
        with ProcessPoolExecutor(1, mp_context=spawn) as pool:
            return pool.submit(bare, seconds).result()


@dataclass
class Class:
    """What a class has measured."""

    clients: int
    paints: list[float] = field(default_factory=list)
    start_up: float = 0.0  # seconds from the first Train to everybody's first step
    refreshes: list[Answer] = field(default_factory=list)
    actions: dict[str, list[float]] = field(default_factory=dict)
    rates: list[float] = field(default_factory=list)  # steps/s of each student
    bytes_in: int = 0
    bytes_out: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    server_cpu: float = 0.0
    own_cpu: float = 0.0
    silent: int = 0  # timers of fragments that show nothing, without an answer
    errors: list[str] = field(default_factory=list)


async def warm_up(server: Server) -> list[str]:
    """Somebody was here before: imports, data and code are loaded."""
    async with Browser(server.port, PAGE, f"epochs={EPOCHS}") as first:
        await first.open(patience=180)
        await until(lambda: first.tab.still, 60)  # the data are there
        await first.press(f"{PAGE}.main")
        await until(lambda: learned(first.tab)[1] > 20, 60)
        await first.draw(f"{PAGE}.pad.*", *stroke(random.Random(0)))
        await first.press(f"{PAGE}.stop")
        return first.tab.errors


async def until(done: Any, patience: float) -> bool:
    """Wait until ``done()``; False if it does not come true in time."""
    end = time.perf_counter() + patience
    while not done():
        if time.perf_counter() > end:
            return False
        await asyncio.sleep(0.1)
    return True


async def live(browser: Browser, rng: random.Random, end: float) -> None:
    """What a student does besides watching, until shortly before ``end``."""
    await asyncio.sleep(rng.uniform(0, 8))
    while time.perf_counter() < end - 12:
        what = rng.choices(("stroke", "slider", "page"), (5, 3, 2))[0]
        if what == "stroke":
            await browser.draw(f"{PAGE}.pad.*", *stroke(rng))
        elif what == "slider":
            await browser.slide(f"{PAGE}.learning_rate@en", rng.choice((-1, 1)))
        else:
            await browser.go("neuron")
            await asyncio.sleep(3)
            await browser.go(PAGE)
        await asyncio.sleep(rng.uniform(8, 16))


async def lesson(  # noqa: C901 (a lesson is told in one piece)
    server: Server, clients: int, seconds: float, arrive: float, calm: bool, more: str = ""
) -> Class:
    """``more`` is put behind the page's query string."""
    found = Class(clients)
    found.errors += await warm_up(server)
    query = f"epochs={EPOCHS}&{more}".rstrip("&")
    browsers = [Browser(server.port, PAGE, query) for _ in range(clients)]
    tabs = [browser.tab for browser in browsers]

    async def come(place: int) -> None:
        await asyncio.sleep(arrive * place / clients)
        browser = browsers[place]
        await browser.__aenter__()
        found.paints.append(await browser.open())
        await browser.press(f"{PAGE}.main")

    watch = asyncio.create_task(server.watch())
    try:
        begun = time.perf_counter()
        for outcome in await asyncio.gather(*map(come, range(clients)), return_exceptions=True):
            if isinstance(outcome, BaseException):
                found.errors.append(f"a student could not begin: {outcome!r}")
        if not await until(lambda: all(learned(tab)[1] for tab in tabs), 120):
            found.errors.append("not everybody's network learned a step within 120 s")
        found.start_up = time.perf_counter() - begun
        await asyncio.sleep(3)

        first = [learned(tab) for tab in tabs]
        since, end = time.perf_counter(), time.perf_counter() + seconds
        cpu, own = server.sample().cpu, time.process_time()
        size_in, size_out = (
            sum(getattr(b, n) for b in browsers) for n in ("bytes_in", "bytes_out")
        )
        before = [sum((getattr(tab, n) for tab in tabs), Counter()) for n in ("counts", "sizes")]
        lives = (
            []
            if calm
            else [
                asyncio.create_task(live(browser, random.Random(place), end))
                for place, browser in enumerate(browsers)
            ]
        )
        await asyncio.sleep(max(0.0, end - time.perf_counter()))
        last = [learned(tab) for tab in tabs]
        found.seconds = time.perf_counter() - since
        found.server_cpu = server.sample().cpu - cpu
        found.own_cpu = time.process_time() - own
        found.bytes_in = sum(browser.bytes_in for browser in browsers) - size_in
        found.bytes_out = sum(browser.bytes_out for browser in browsers) - size_out
        found.messages = sum((tab.counts for tab in tabs), Counter()) - before[0]
        found.sizes = sum((tab.sizes for tab in tabs), Counter()) - before[1]
        # What was asked for in time is waited for, however long it takes (at most 10 s).
        await until(lambda: not any(one.sent < end for one in asked(tabs)), 10)
        for place, tab in enumerate(tabs):
            for request in asked([tab]):
                if request.sent < end and request.fragment and request.fragment not in tab.drawn:
                    found.silent += 1  # a heartbeat, which a page that begins anew repeats
                elif request.sent < end:
                    age = tab.clock() - request.sent
                    begun = "begun" if request in tab.running else "not begun"
                    found.errors.append(
                        f"student {place} on {tab.path}: no answer to {request.kind!r} (timer "
                        f"{request.every:.2f} s), sent {age:.0f} s ago, {begun}"
                    )
        for task in lives:
            task.cancel()
        for outcome in await asyncio.gather(*lives, return_exceptions=True):
            if isinstance(outcome, Exception):
                found.errors.append(f"a student could not go on: {outcome!r}")

        found.refreshes = list(refreshes(tabs, since, end, SLOWEST))
        for tab in tabs:
            for answer in tab.answers:
                found.actions.setdefault(answer.kind, []).append(answer.seconds)
        for (t0, n0), (t1, n1) in zip(first, last, strict=True):
            found.rates.append((n1 - n0) / (t1 - t0) if t1 > t0 else 0.0)
        for place, tab in enumerate(tabs):
            found.errors += [f"student {place}: {error}" for error in tab.errors]
    finally:
        watch.cancel()
        await asyncio.gather(*(browser.leave() for browser in browsers))
    found.errors += server.tracebacks()
    return found


def asked(tabs: Sequence[Tab]) -> list[Any]:
    return [request for tab in tabs for request in (*tab.waiting, *tab.running)]


def share(values: Sequence[float], percent: float) -> float:
    """A percentile by nearest rank: of 30 values, p95 is the second largest."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def latency(values: Sequence[float]) -> str:
    if not values:
        return "none"
    median, p95, p99 = (share(values, one) for one in (50, 95, 99))
    return f"median {median:.3f}, p95 {p95:.3f}, p99 {p99:.3f} s (n={len(values)})"


def report(found: Class, server: Server, bares: Sequence[float]) -> None:
    n, seconds = found.clients, found.seconds
    waits = [answer.seconds for answer in found.refreshes]
    limit = "0.3" if n <= 30 else "1.0"
    print(f"{n} students, {seconds:.0f} s")
    print(f"  refresh: {latency(waits)}; wanted: p95 <= {limit} s")
    ticks = sorted(answer.every for answer in found.refreshes)
    if ticks:
        median = statistics.median(ticks)
        print(f"    asked for every {median:.2f} s ({ticks[0]:.2f} to {ticks[-1]:.2f}, at most 2)")
    print(f"  first paint: {latency(found.paints)}; wanted: p95 <= 2.5 s")
    print(f"    everybody's first step {found.start_up:.1f} s after the first arrived")
    for kind in ("press", "stroke", "slider", "page"):
        if kind in found.actions:
            print(f"  {kind}: {latency(found.actions[kind])}")
    total, alone_at = sum(found.rates), statistics.mean(bares)
    print(
        f"  training: {total:.1f} steps/s in all; bare loops alone {bares[0]:.1f}, {bares[-1]:.1f}"
    )
    print(f"    ratio {total / alone_at:.2f}; wanted: >= 1.0")
    low, high = min(found.rates), max(found.rates)
    middle = statistics.median(found.rates)
    print(f"    each: median {middle:.2f} ({low:.2f} to {high:.2f}) steps/s; as they came:")
    print("    " + " ".join(f"{rate:.2f}" for rate in found.rates))
    print(f"  fairness: slowest/fastest {low / high if high else 0:.2f}; wanted: >= 0.6")
    memory = max(sample.memory for sample in server.samples) / 1e9
    print(f"  memory: {memory:.2f} GB; wanted: <= 2.0 GB with 30")
    print(f"    {max(sample.threads for sample in server.samples)} threads")
    cores = os.cpu_count() or 1
    print(
        f"  processor: server {found.server_cpu / seconds:.2f}, clients "
        f"{found.own_cpu / seconds:.2f} of {cores} cores"
    )
    answers = max(1, len(found.refreshes))
    print(
        f"  sent: {found.bytes_in / seconds / 1e3:.0f} kB/s to all, back "
        f"{found.bytes_out / seconds / 1e3:.0f} kB/s; {found.bytes_in / answers / 1e3:.1f} kB and "
        f"{found.messages.total() / answers:.0f} messages a refresh (all else included)"
    )
    largest = ", ".join(
        f"{kind} {size / answers / 1e3:.1f} kB in {found.messages[kind] / answers:.1f}"
        for kind, size in found.sizes.most_common(6)
    )
    print(f"    of it {largest}")
    if found.silent:
        print(f"  heartbeats without an answer: {found.silent}")
    say_errors(found.errors)


def say_errors(errors: Sequence[str]) -> None:
    print(f"  errors: {len(errors)}; wanted: 0")
    for error, count in Counter(errors).most_common(12):
        print(f"    {count} x {error}")


PLACES = {  # where the soak's students go; short runs, so that some come to their end
    "digits": "epochs=3&architecture=mlp",
    "coffee": "epochs=5",
    "weekday": "epochs=2",
    "shapes": "epochs=2&examples=500&photo=0",
    "movies": "epochs=3",
    "rps": "epochs=2&players=20",
}


async def session(server: Server, place: int, errors: list[str]) -> None:
    """Somebody comes, trains a little, and leaves in one of three ways."""
    rng = random.Random(place)
    page = list(PLACES)[place % len(PLACES)]
    browser = Browser(server.port, page, PLACES[page])
    try:
        async with browser:
            await browser.open()
            await browser.press(f"{page}.main")
            await asyncio.sleep(rng.uniform(2, 4))
            if page == "digits":
                await browser.draw(f"{page}.pad.*", *stroke(rng))
            leaves = place // len(PLACES) % 3
            stop = browser.tab.widgets[browser.tab.find(f"{page}.stop")].body
            if leaves == 0 and not stop.disabled:
                await browser.press(f"{page}.stop")
            elif leaves == 1:
                await browser.vanish()
    except Exception as error:
        errors.append(f"session of {page}: {error!r}")
    errors += [f"session of {page}: {error}" for error in browser.tab.errors]


async def soak(server: Server, sessions: int, at_once: int, patience: float) -> None:
    """``patience``: seconds after which the server has let go of everything that was left."""
    errors = await warm_up(server)
    errors += [problem for place in range(6) for problem in await _one(server, place)]
    await asyncio.sleep(3)
    before = server.sample()
    places, done = iter(range(sessions)), 0
    print("  sessions  seconds  memory [MB]  threads")
    begun, series = time.perf_counter(), []

    def say(count: int) -> None:
        now = server.sample()
        series.append((count, now.memory))
        seconds = now.at - begun
        print(f"  {count:8d} {seconds:8.0f} {now.memory / 1e6:12.0f} {now.threads:8d}", flush=True)

    async def seat() -> None:
        nonlocal done
        for place in places:
            await session(server, place, errors)
            done += 1
            if done % max(1, sessions // 10) == 0:
                say(done)

    say(0)
    await asyncio.gather(*(seat() for _ in range(at_once)))
    await asyncio.sleep(patience)
    # Streamlit forgets closed tabs when another one closes, so a last one comes and goes.
    errors += await _one(server, 1)
    await asyncio.sleep(5)
    after = server.sample()
    middle = statistics.mean(memory for count, memory in series if 0.3 < count / sessions <= 0.6)
    late = statistics.mean(memory for count, memory in series if count / sessions > 0.7)
    print(
        f"  memory: {late / middle - 1:+.1%} from the sessions' middle third to the last third; "
        "wanted: within 5%"
    )
    print(f"    {after.memory / 1e6:.0f} MB when all are gone")
    print(f"  threads: {before.threads} before, {after.threads} when all are gone; wanted: no more")
    say_errors(errors + server.tracebacks())


async def _one(server: Server, place: int) -> list[str]:
    errors: list[str] = []
    await session(server, place, errors)
    return errors


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--clients", type=int, default=30, help="1 to 200")
    options.add_argument("--seconds", type=float, default=60, help="of measuring, from 5")
    options.add_argument("--arrive", type=float, default=10, help="seconds in which all arrive")
    options.add_argument("--bare", type=float, default=15, help="seconds of each bare loop")
    options.add_argument("--calm", action="store_true", help="they only train and watch")
    options.add_argument("--query", default="", help="more of the link, such as threads=1")
    options.add_argument("--soak", type=int, default=0, help="sessions, instead of a class")
    options.add_argument("--at-once", type=int, default=20, help="of the soak")
    options.add_argument("--ttl", type=int, default=10, help="seconds of the soak's patience")
    chosen = options.parse_args()
    if not 1 <= chosen.clients <= 200 or chosen.seconds < 5:
        options.error("--clients is 1 to 200, --seconds at least 5")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server is ended, too
    print(conditions())
    if chosen.soak:
        print(f"soak: {chosen.soak} sessions, {chosen.at_once} at once")
        short = {
            "PLAYGROUND_PAUSE_AFTER": str(chosen.ttl),
            "PLAYGROUND_STOP_AFTER": str(chosen.ttl),
            "PLAYGROUND_FORGET_AFTER": str(chosen.ttl),
        }
        with Server(f"--server.disconnectedSessionTTL={chosen.ttl}", environment=short) as server:
            asyncio.run(soak(server, chosen.soak, chosen.at_once, 2.0 * chosen.ttl + 5))
        return
    bares = [alone(chosen.bare)]
    with Server() as server:
        found = asyncio.run(
            lesson(server, chosen.clients, chosen.seconds, chosen.arrive, chosen.calm, chosen.query)
        )
    bares.append(alone(chosen.bare))
    report(found, server, bares)


if __name__ == "__main__":
    main()
