"""How fast the pages answer a person, in a real Chromium against a real server.

    python benchmarks/page.py [--n 20] [--only optimizers batches]

*stroke*: from the end of a stroke on the digits page to the new prediction on screen,
untrained network, empty canvas each time. *throw*: from a click on rock, paper or scissors
to the result of that round. *lesson*: on each view of each lesson page, from a key that
moves a slider to the moment when the page's script has ended and the browser has drawn
twice. Where a figure is updated in place (``playground/ui/charts/plotly_component.js``), that
moment comes only
after the figure has taken the new data and its last pixel is drawn. Needs Debian's or Ubuntu's
``chromium``.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from common import conditions, spread  # before torch, which the pages import

# isort: split
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def strokes(page: Page, address: str, n: int) -> list[float]:
    from person import SEVEN, ready, stroke

    page.goto(f"{address}/digits?strokes=1000")
    ready(page)
    seen = page.get_by_text("What the network sees")
    seconds = []
    for _ in range(n + 2):
        stroke(page, SEVEN)
        begun = time.perf_counter()
        seen.wait_for()
        seconds.append(time.perf_counter() - begun)
        page.get_by_role("button", name="Clear").click()
        seen.wait_for(state="detached")
        page.wait_for_timeout(300)
    return seconds[2:]


def throws(page: Page, address: str, n: int) -> list[float]:
    page.goto(f"{address}/rps")
    page.get_by_text("The machine has decided").wait_for()
    seconds = []
    for turn in range(1, n + 3):
        page.wait_for_timeout(300)
        begun = time.perf_counter()
        page.get_by_role("button", name="Rock").click()
        page.get_by_text(re.compile(rf"\b{turn} rounds?, ")).wait_for()
        seconds.append(time.perf_counter() - begun)
    return seconds[2:]


# Resolves with the milliseconds from the next key to the script's end and two frames after;
# with none if nothing ran or no new picture came, because a slider cannot move. Reading a pixel
# waits for all that WebGL has still to draw.
ANSWER = """
() => new Promise(done => {
  const app = document.querySelector('[data-test-script-state]');
  const figure = document.querySelector('[data-drawn]');
  const before = figure?.dataset.drawn;
  let begun = null, ran = false;
  setTimeout(() => done(null), 5000);
  window.addEventListener('keydown', () => { begun = performance.now(); },
                          {capture: true, once: true});
  const watcher = new MutationObserver(changes => {
    const state = app.getAttribute('data-test-script-state');
    ran = ran || state === 'running' || changes.some(change => change.oldValue === 'running');
    if (begun === null || !ran || state !== 'notRunning') return;
    if (figure && figure.dataset.drawn === before) return;
    watcher.disconnect();
    const gl = figure?.querySelector('canvas').getContext('webgl');
    gl?.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begun)));
  });
  watcher.observe(app, {attributeOldValue: true, attributeFilter: ['data-test-script-state']});
  if (figure) watcher.observe(figure, {attributeFilter: ['data-drawn']});
})
"""
VIEWS = {
    "neuron": ("line", "plane", "layer", "bends", "region"),
    "activations": ("curve", "depth", "network"),
    "forward_pass": ("network", "convolution"),
    "loss": ("regression", "outlier", "classification", "yes_no", "why_not_mse"),
    "backpropagation": ("chain", "nudge", "step"),
    "optimizers": ("flat", "solid"),
    "batches": ("cards", "noise", "overfitting"),
    "pytorch": ("",),
}


def answers(page: Page, address: str, n: int, stems: Iterable[str]) -> None:
    """A line a view: how soon the page has answered to its sliders, each moved in turn."""
    for stem in stems:
        for view in VIEWS[stem]:
            page.goto(f"{address}/{stem}" + (f"?view={view}" if view else ""))
            idle = page.locator("[data-test-script-state=notRunning]")
            page.get_by_role("slider").first.wait_for()
            idle.wait_for(state="attached")
            page.wait_for_timeout(1500)
            sliders = page.get_by_role("slider")
            seconds = []
            for turn in range(n + 2):
                thumb = sliders.nth(turn % sliders.count())
                at_end = thumb.evaluate("thumb => thumb.value === thumb.max")
                thumb.focus()
                page.evaluate(f"window.answer = ({ANSWER})()  // and do not wait yet\n; 0")
                page.keyboard.press("ArrowLeft" if at_end else "ArrowRight")
                taken = page.evaluate("window.answer")
                if taken is not None:
                    seconds.append(taken / 1000)
                page.wait_for_timeout(250)
            print(f"  {stem} {view}: {spread(seconds[2:], 3)} s")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--n", type=int, default=20)
    options.add_argument("--only", nargs="*", choices=VIEWS, help="these lesson pages alone")
    n, only = options.parse_args().n, options.parse_args().only
    print(conditions())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    with tempfile.TemporaryDirectory() as empty:
        server = subprocess.Popen(
            [*command, f"--server.port={port}", "--server.address=127.0.0.1"],
            cwd=ROOT,
            env={**os.environ, "PLAYGROUND_DATA": empty},
            stdout=subprocess.DEVNULL,
        )
        address = f"http://127.0.0.1:{port}"
        try:
            while server.poll() is None:
                try:
                    urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            with sync_playwright() as playwright:
                chromium = shutil.which("chromium")
                browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
                page = browser.new_page(viewport={"width": 1400, "height": 900}, locale="en-GB")
                page.set_default_timeout(60_000)
                if not only:
                    print(f"stroke to prediction: {spread(strokes(page, address, n), 3)} s")
                    print(f"throw to result: {spread(throws(page, address, n), 3)} s")
                print("slider to answer, by page and view:")
                answers(page, address, n, only or VIEWS)
                browser.close()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
