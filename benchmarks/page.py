"""How fast the pages answer a person, in a real Chromium against a real server.

    python benchmarks/page.py [--n 20]

*stroke*: from the end of a stroke on the digits page to the new prediction on screen,
untrained network, empty canvas each time. *throw*: from a click on rock, paper or scissors
to the result of that round. Needs Debian's or Ubuntu's ``chromium``.
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
from pathlib import Path

from common import conditions, spread
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
        page.get_by_role("button", name="✊ Rock").click()
        page.get_by_text(re.compile(rf"\b{turn} rounds?, ")).wait_for()
        seconds.append(time.perf_counter() - begun)
    return seconds[2:]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--n", type=int, default=20)
    n = options.parse_args().n
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
                print(f"stroke to prediction: {spread(strokes(page, address, n), 3)} s")
                print(f"throw to result: {spread(throws(page, address, n), 3)} s")
                browser.close()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
