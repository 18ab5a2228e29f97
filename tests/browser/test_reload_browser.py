"""Nothing is lost: a page that is loaded again, a server that is started again, kill -9."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from person import SEVEN, main_button, ready, status, stroke
from playwright.sync_api import Page, expect

ROOT = Path(__file__).parent.parent.parent
COFFEE = "coffee?examples=500&epochs=3"
# So many steps that no machine is through with them before the test is.
DIGITS = "digits?architecture=mlp&hidden=64&epochs=400&batch_size=16&strokes=500&augmentation=0"
STATUS = re.compile(r"(Training|Paused) · epoch (\d+) of 400")


class Server:
    """One server after the other, at the same address and on the same data folder."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.folder = folder
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
        command += [f"--server.port={self.port}", "--server.address=127.0.0.1"]
        environment = {**os.environ, "PLAYGROUND_DATA": str(self.folder / "data")}
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        pytest.fail("the server did not start: " + self.log())

    def end(self, how: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(timeout=60)
        self.process = None

    def has(self, query: str) -> None:
        """Wait until the database has that: what has not been written may be lost."""
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            with closing(sqlite3.connect(self.folder / "data" / "playground.db")) as database:
                if database.execute(query).fetchone():
                    return
            time.sleep(0.1)
        pytest.fail(f"never stored: {query}")

    def log(self) -> str:
        return (self.folder / "server.log").read_text()


@pytest.fixture
def server(browser: object, tmp_path: Path) -> Iterator[Server]:
    found = Server(tmp_path)
    found.start()
    yield found
    if found.process is not None:
        found.end(signal.SIGTERM)
    assert "Traceback" not in found.log(), found.log()[-4000:]


def desk_in(url: str) -> str:
    return parse_qs(urlsplit(url).query)["desk"][0]


def test_a_finished_run_and_one_that_trains_survive(server: Server, page: Page) -> None:
    page.goto(f"{server.address}/{COFFEE}")
    ready(page)
    main_button(page).click()
    expect(status(page, "Finished · epoch 3 of 3")).to_be_visible()
    page.wait_for_url("**desk=**")
    desk = desk_in(page.url)
    ready(page)  # the price is drawn after the words
    price = page.get_by_test_id("stMetricValue").inner_text()

    page.reload()
    ready(page)
    expect(status(page, "Finished · epoch 3 of 3")).to_be_visible()
    assert page.get_by_test_id("stMetricValue").inner_text() == price

    # One that trains goes on while the page is loaded again.
    page.goto(f"{server.address}/{DIGITS}&desk={desk}")
    ready(page)
    main_button(page).click()
    expect(status(page, re.compile(r"Training · epoch ([3-9]|\d\d+) of 400"))).to_be_visible()
    page.reload()
    ready(page)
    expect(main_button(page)).to_contain_text("Pause")
    found = STATUS.search(status(page, STATUS).inner_text())
    assert found is not None
    assert int(found[2]) >= 3, "it is the same run, not a new one"
    stroke(page, SEVEN)
    page.get_by_test_id("stButtonGroup").get_by_text("7", exact=True).click()
    expect(page.get_by_text("Saved. It will be used the next time")).to_be_visible()
    expect(page.get_by_text("of your own: 0")).to_be_visible()
    server.has("select 1 from runs where state = 'running' and progress is not null")
    server.has("select 1 from things where kind = 'digits.own'")

    begun = 1
    for how in (signal.SIGKILL, signal.SIGTERM):
        server.end(how)
        server.start()
        page.goto(f"{server.address}/digits?desk={desk}")
        ready(page)
        expect(main_button(page)).to_contain_text(re.compile(r"Continue from epoch \d+"))
        expect(page.get_by_text("The server was restarted")).to_be_visible()
        expect(page.get_by_alt_text("Your picture: 7").first).to_be_visible()
        reached = int(re.findall(r"\d+", main_button(page).inner_text())[0])
        assert reached >= begun
        main_button(page).click()
        expect(main_button(page)).to_contain_text("Pause")
        begun = reached + 1
        before = "|".join(map(str, range(reached + 2)))  # which one is seen depends on the refresh
        later = re.compile(rf"Training · epoch (?!({before}) )\d+ of 400")
        expect(status(page, later)).to_be_visible()
        longer = f"json_array_length(history, '$.epochs') > {reached}"
        server.has(f"select 1 from runs where state = 'running' and {longer}")
    main_button(page).click()
    page.goto(f"{server.address}/coffee?desk={desk}")
    ready(page)
    expect(status(page, "Finished · epoch 3 of 3")).to_be_visible()
    assert page.get_by_test_id("stMetricValue").inner_text() == price
    page.goto(f"{server.address}/runs?desk={desk}&lang=pl")
    expect(page.get_by_role("heading", name="Treningi", exact=True)).to_be_visible()
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()


def test_the_desk_shows_its_address_and_goes_when_it_is_deleted(server: Server, page: Page) -> None:
    page.goto(f"{server.address}/{COFFEE}&lang=pl")
    ready(page)
    main_button(page).click()
    expect(status(page, "epoka 3 z 3")).to_be_visible()
    page.wait_for_url("**desk=**")
    desk = desk_in(page.url)
    page.get_by_role("button", name="Biurko").click()
    expect(page.get_by_alt_text("Kod QR z adresem twojego biurka")).to_be_visible()
    expect(page.get_by_text(f"{server.address}/coffee?desk={desk}")).to_be_visible()
    page.get_by_role("button", name="Usuń to biurko").click()
    page.get_by_role("button", name="Usuń wszystko").click()
    page.wait_for_url(lambda url: "desk=" not in url)
    expect(page.get_by_role("button", name="Usuń wszystko")).to_have_count(0)
    expect(main_button(page)).to_contain_text("Trenuj")
    page.goto(f"{server.address}/coffee?desk={desk}&lang=pl")
    expect(page.get_by_text("Pod tym adresem nie ma biurka")).to_be_visible()
