"""The headless tab: alone, and against a real Streamlit server on loopback."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import loops
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
from protocol import Browser, Tab

APP = """
import streamlit as st

def first():
    st.session_state.setdefault("ticks", 0)
    st.query_params["lang"] = "en"
    level = st.select_slider("Level", ["low", "middle", "high"], key="level")
    st.slider("Size", 0, 10, 3, step=2, key="size")

    @st.fragment(run_every=0.05)
    def live():
        st.session_state.ticks += 1
        st.button("Press", key="press", on_click=lambda: st.session_state.update(pressed=True))
        st.progress(0, text=f"{level} {st.session_state.get('pressed', False)}")
        st.vega_lite_chart([{"x": 1}], {"mark": "bar"}, alt="A chart; now " + "x" * 12_000)

    live()

def second():
    st.progress(0, text=f"ticks {st.session_state.ticks > 1}")
    st.select_slider("Level", ["a", "b"], key="other")

def broken():
    raise ValueError("on purpose")

pages = [st.Page(page, url_path=page.__name__) for page in (first, second, broken)]
pages[0] = st.Page(first, default=True)
st.navigation(pages).run()
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("app")
    (folder / "app.py").write_text(APP)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    options = ["headless=true", f"port={number}", "address=127.0.0.1", "fileWatcherType=none"]
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py"]
        + [f"--server.{option}" for option in options]
        + ["--browser.gatherUsageStats=false"],
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{number}/_stcore/health", timeout=1).close()
            break
        except OSError:
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield number
    server.terminate()
    server.wait()


async def until(browser: Browser, text: str) -> None:
    async with asyncio.timeout(30):
        while browser.tab.texts.get("progress") != text:
            await asyncio.sleep(0.01)


def test_a_visit(port: int) -> None:
    async def visit() -> None:
        async with Browser(port, "", "seen=1") as browser:
            tab = browser.tab
            assert await browser.open() > 0
            assert {"second", "broken"} < set(tab.pages)
            assert tab.query == "seen=1&lang=en"
            assert list(tab.timers.values()) == [pytest.approx(0.05)]
            await until(browser, "low False")
            await browser.slide("level", 1)
            await until(browser, "middle False")
            await browser.press("press")
            await until(browser, "middle True")
            # The chart is large and stays the same: it is sent once, then referred to.
            async with asyncio.timeout(30):
                while tab.counts["kept"] < 3:
                    await asyncio.sleep(0.01)
            refreshed = [answer for answer in tab.answers if answer.kind == "refresh"]
            assert refreshed
            assert all(answer.seconds > 0 for answer in refreshed)
            assert [a.kind for a in tab.answers if a.kind != "refresh"] == [
                "open",
                "slider",
                "press",
            ]
            await browser.go("second")
            await until(browser, "ticks True")
            assert not tab.timers
            assert [widget.body.label for widget in tab.widgets.values()] == ["Level"]
            assert not tab.errors
            await browser.go("broken")
            assert "on purpose" in tab.errors[0]

    loops.run(visit())


def test_a_socket_that_drops_is_an_error_and_nobody_waits_on(port: int) -> None:
    async def visit() -> None:
        async with Browser(port, "") as browser:
            await browser.open()
            assert browser.socket is not None
            browser.socket.transport.abort()
            await browser.press("press", patience=20)
            async with asyncio.timeout(20):
                while not browser.tab.errors:
                    await asyncio.sleep(0.01)
            assert "socket" in browser.tab.errors[0]

    loops.run(visit())


def sent(data: bytes) -> BackMsg:
    return BackMsg.FromString(data)


def run(tab: Tab, how: int, *fragments: str) -> None:
    """A run begins and ends."""
    begin, end = ForwardMsg(), ForwardMsg()
    begin.new_session.page_script_hash = "page"
    begin.new_session.config.max_cached_message_age = 2
    end.script_finished = how  # type: ignore[assignment]
    for message in (begin, end):
        message.metadata.run.fragment_ids.extend(fragments)
        tab.receive(message.SerializeToString())


def test_a_request_is_answered_by_the_run_that_ends_well() -> None:
    now = 0.0
    tab = Tab("digits", clock=lambda: now)
    first = sent(tab.opening()).rerun_script
    assert (first.page_name, first.page_script_hash) == ("digits", "")
    run(tab, ForwardMsg.FINISHED_EARLY_FOR_RERUN)
    assert not tab.answers
    now = 2.0
    run(tab, ForwardMsg.FINISHED_SUCCESSFULLY)
    assert [(one.kind, one.seconds, one.whole) for one in tab.answers] == [("open", 2.0, True)]
    ask = sent(tab.rerun("refresh", "f")).rerun_script
    assert ask.is_auto_rerun
    assert ask.fragment_id == "f"
    assert ask.page_script_hash == "page"
    run(tab, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY, "g")  # another's
    assert len(tab.answers) == 1
    now = 2.5
    tab.rerun("refresh", "f")  # before the first is answered
    now = 3.0
    run(tab, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY, "f")
    assert [one.seconds for one in tab.answers[1:]] == [1.0, 0.5]
    assert not tab.waiting
    assert not tab.running


def test_a_fragment_that_the_server_calls_early_has_answered_if_another_follows() -> None:
    tab = Tab("digits")
    tab.rerun("refresh", "f")
    run(tab, ForwardMsg.FINISHED_EARLY_FOR_RERUN, "f")
    run(tab, ForwardMsg.FINISHED_EARLY_FOR_RERUN, "f")  # replaced by itself: not yet
    assert not tab.answers
    run(tab, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY, "g")
    assert [one.kind for one in tab.answers] == ["refresh"]


def test_a_fragments_timer_stops_with_its_page() -> None:
    tab = Tab("digits")
    timer = ForwardMsg()
    timer.auto_rerun.fragment_id, timer.auto_rerun.interval = "f", 0.5
    tab.receive(timer.SerializeToString())
    assert tab.timers == {"f": 0.5}
    run(tab, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY, "f")
    assert tab.timers == {"f": 0.5}
    run(tab, ForwardMsg.FINISHED_SUCCESSFULLY)  # a whole run that does not name it again
    assert not tab.timers
