"""What stands between the network and Streamlit's server, on the real server."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import logging
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import loops
import pytest
from live import PATIENCE, ROOT, Server
from streamlit import net_util
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime.runtime import Runtime
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from playground.serving import logs, messages, patches, settings, web

sys.path.insert(0, str(ROOT / "benchmarks"))

import protocol
from protocol import Browser

FIRST: Final = (
    *("coffee", "digits", "neuron", "rps", "runs"),
    *("movies", "batches", "pytorch", "weekday", "optimizers"),
)


WATCH: Final = """
import os, socket, sys

def outside(event, values):
    found = None
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        found = values[0]
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        own, address = values[0], values[-1]
        # To connect a datagram socket sends nothing.
        if isinstance(address, tuple) and not (
            event == "socket.connect" and own.type == socket.SOCK_DGRAM
        ):
            found = address[0]
    if found not in (None, "127.0.0.1", "::1", "localhost", "", "::", "0.0.0.0"):
        with open(os.environ["WATCHED"], "a") as file:
            print(event, found, file=file)

sys.addaudithook(outside)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all, whose sockets are watched; ten pages at once are its first visitors.

    On all addresses and without a display, as on a server's machine: there Streamlit would ask
    for the machine's address on the internet.
    """
    folder = tmp_path_factory.mktemp("serving")
    (folder / "sitecustomize.py").write_text(WATCH)
    found = {"PYTHONPATH": str(folder), "WATCHED": str(folder / "outside.log")}
    started = Server(folder, "--server.headless=true", **found)
    yield started
    started.kill()


def test_the_first_visitors_get_their_pages_whichever_they_open(server: Server) -> None:
    async def visit(page: str) -> list[str]:
        async with Browser(server.port, page) as browser:
            await browser.open()
            return browser.tab.errors

    async def all_at_once() -> list[list[str]]:
        return await asyncio.gather(*map(visit, FIRST))

    assert loops.run(all_at_once()) == [[]] * len(FIRST)
    assert "Traceback" not in server.log()


def test_every_message_of_the_installed_streamlit_has_been_looked_at() -> None:
    envelope = "backend_operation_request"
    known = {field.name for field in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields}
    inner = BackMsg.DESCRIPTOR.fields_by_name[envelope].message_type
    known |= {field.name for field in inner.oneofs_by_name["payload"].fields}
    assert known - {envelope} == messages.ALLOWED | messages.REFUSED
    assert not messages.ALLOWED & messages.REFUSED
    assert messages.kind(BackMsg()) is None
    assert None not in messages.ALLOWED


def asking(name: str) -> bytes:
    """A message that asks for ``name``, as a browser's console can send it."""
    message = BackMsg()
    if name in message.DESCRIPTOR.fields_by_name:
        field = message.DESCRIPTOR.fields_by_name[name]
        if field.message_type is not None:
            getattr(message, name).SetInParent()
        else:
            setattr(message, name, True)
    else:
        getattr(message.backend_operation_request, name).SetInParent()
    return message.SerializeToString()


def test_a_timer_presses_nothing() -> None:
    message = BackMsg()
    asked = message.rerun_script
    asked.fragment_id = "part"
    asked.widget_states.widgets.add(id="slider", double_array_value={"data": [3.0]})
    asked.widget_states.widgets.add(id="button", trigger_value=True)
    pressed = message.SerializeToString()
    assert not messages.press_nothing(message)
    assert message.SerializeToString() == pressed
    asked.is_auto_rerun = True
    assert messages.press_nothing(message)
    assert [one.id for one in asked.widget_states.widgets] == ["slider"]
    assert asked.is_auto_rerun
    assert asked.fragment_id == "part"
    ticked = message.SerializeToString()
    assert not messages.press_nothing(message)
    assert message.SerializeToString() == ticked


def test_the_theme_is_put_together_once() -> None:
    made = []

    def populate(msg: CustomThemeConfig, section: str) -> None:
        made.append(section)
        msg.primary_color = section

    populate_once = patches._remembered(populate)
    for _visit in range(3):
        for section in ("theme", "theme.light"):
            msg = CustomThemeConfig()
            populate_once(msg, section)
            assert msg.primary_color == section
    assert made == ["theme", "theme.light"]


def test_what_the_app_never_asks_for_does_nothing(server: Server) -> None:
    """And the tab that asks goes on: it may be an extension of the browser's."""

    async def ask() -> Browser:
        async with Browser(server.port, "coffee") as browser:
            await browser.open()
            heard = dict(browser.tab.counts)
            for name in sorted(messages.REFUSED):
                assert messages.kind(BackMsg.FromString(asking(name))) == name
                await browser.write(asking(name))
            await browser.write(BackMsg().SerializeToString())
            await browser.slide("coffee.epochs@en")
            more = {name for name in browser.tab.counts if name not in heard}
            assert not {"git_info_changed", "backend_operation_response"} & more
            return browser

    browser = loops.run(ask())
    assert not browser.tab.errors
    said = server.log()
    assert said.count("Refused a message of kind") == 1
    assert "Traceback" not in said


def test_bytes_that_are_no_message_end_their_connection(server: Server) -> None:
    async def send() -> list[str]:
        async with Browser(server.port, "coffee") as browser:
            await browser.open()
            await browser.write(b"\xff" * 100)
            assert browser.reader is not None
            await asyncio.wait_for(browser.reader, 60)
            return browser.tab.errors

    (error,) = loops.run(send())
    assert "1007" in error
    assert "Traceback" not in server.log()


async def knock(server: Server, *named: str, cookie: str = "", **options: Any) -> str | None:
    """Open a session, naming another one or not; its id. None: refused."""
    headers = {"Cookie": f"_streamlit_xsrf={cookie}"} if cookie else {}
    address = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    protocols = ["streamlit", "x", *named]
    options = {"subprotocols": protocols, "additional_headers": headers, **options}
    try:
        socket = await connect(address, **options)
    except InvalidStatus:
        return None
    tab = protocol.Tab("coffee", "", "en-GB", f"http://127.0.0.1:{server.port}")
    await socket.send(tab.opening())
    while not tab.session:
        tab.receive(await asyncio.wait_for(socket.recv(), 60))
    SOCKETS.append(socket)
    return tab.session


SOCKETS: Final[list[Any]] = []


def test_a_session_is_given_to_the_browser_that_opened_it_and_to_no_other(server: Server) -> None:
    ann, eve = (f"2|00000000|{letter * 32}|1" for letter in "ae")

    async def visits() -> None:
        first = await knock(server, cookie=ann)
        assert first
        assert await knock(server, first, cookie=eve) != first
        assert await knock(server, first) != first
        # Another mask over the same token; the socket that was cut may seem to be there still.
        assert await knock(server, first, cookie=f"2|01010101|{'ab' * 16}|1") == first
        bare = await knock(server)
        assert bare
        assert await knock(server, bare) != bare
        for one in SOCKETS:
            await one.close()
        SOCKETS.clear()
        assert await knock(server, first, cookie=eve) != first
        assert await knock(server, first, cookie=ann) == first
        for one in SOCKETS:
            await one.close()

    loops.run(visits())


def test_nothing_is_looked_up_outside_whoever_knocks(server: Server) -> None:
    async def knocks() -> list[str | None]:
        others = [knock(server, origin="http://evil.example") for _ in range(8)]
        return list(await asyncio.gather(*others))

    assert loops.run(knocks()) == [None] * 8
    found = server.folder / "outside.log"
    assert not found.exists(), found.read_text()


def test_answers_wear_their_headers_and_what_nobody_needs_is_closed(server: Server) -> None:
    for path in ("/", "/_stcore/health", "/coffee", "/static/nothing.js"):
        _status, headers, _body = server.get(path)
        for name, value in web.HEADERS.items():
            assert headers[name.lower()] == value, (path, name)
    for path in ("/_stcore/metrics", "/_stcore/agent/mcp", "//_stcore/metrics"):
        assert server.get(path)[0] in (400, 404), path


def test_scripts_go_out_compressed_once_and_as_they_are_to_who_cannot_read_that(
    server: Server,
) -> None:
    page = server.get("/")[2].decode()
    paths = re.findall(r'(?:src|href)="\./(static/[^"]+\.(?:js|css))"', page)
    assert paths
    for path in paths:
        status, headers, whole = server.get(f"/{path}")
        assert (status, headers.get("content-encoding")) == (200, None)
        for _again in range(2):
            status, headers, body = server.get(f"/{path}", accept_encoding="gzip, br")
            assert (status, headers["content-encoding"]) == (200, "gzip")
            assert gzip.decompress(body) == whole
            assert "Accept-Encoding" in headers["vary"]
            assert "immutable" in headers["cache-control"]
        assert len(whole) < 10_000 or len(body) < len(whole) / 2
        tag = headers["etag"]
        assert server.get(f"/{path}", accept_encoding="gzip", if_none_match=tag)[0] == 304
    assert "content-encoding" not in server.get("/static/nothing.js", accept_encoding="gzip")[1]


def test_half_a_request_is_not_waited_for(server: Server) -> None:
    heads = [
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"GET /_stcore/health HTTP/1.1\r\nHost: x\r\n\r\nGET / HT",
        b"PUT /_stcore/upload_file/a/b HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
    ]
    for head in heads:
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as one:
            one.sendall(head)
            with suppress(ConnectionResetError):
                while one.recv(4096):
                    pass


def test_the_patches_fit_the_installed_streamlit() -> None:
    for function, expected in patches.PARAMETERS.items():
        assert tuple(inspect.signature(function).parameters) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(net_util, "get_external_ip", net_util.get_external_ip)
        patch.setattr(Runtime, "connect_session", Runtime.connect_session)
        patch.setitem(patches.PARAMETERS, net_util.get_external_ip, ("a new one",))
        with pytest.raises(RuntimeError, match="get_external_ip"):
            patches.install()


def test_a_setting_that_cannot_be_is_said_in_a_sentence() -> None:
    assert settings.wrong({}) == []
    good = {"PLAYGROUND_PAUSE_AFTER": "0.5", "PLAYGROUND_MEMORY": "2000"}
    assert settings.wrong({**good, "PLAYGROUND_DATABASE": "sqlite:////tmp/x.db"}) == []
    for name, said in {
        "PLAYGROUND_PAUSE_AFTER": "abc",
        "PLAYGROUND_STOP_AFTER": "nan",
        "PLAYGROUND_SILENT_AFTER": "-1",
        "PLAYGROUND_FORGET_AFTER": "",
        "PLAYGROUND_MEMORY": "2 GB",
        "PLAYGROUND_RAY_CORES": "²",
        "PLAYGROUND_DATABASE": "nonsense://x",
    }.items():
        (sentence,) = settings.wrong({name: said})
        assert sentence.startswith(name)
        assert "\n" not in sentence
    assert "secret" not in settings.wrong({"PLAYGROUND_DATABASE": "x://me:secret@y"})[0]


def test_nobody_forges_or_floods_the_log() -> None:
    now = [0.0]
    make = logs.Records(lambda: now[0])

    def line(message: str, *values: object, error: BaseException | None = None) -> str:
        told = (type(error), error, None) if error else None
        record = make("a", 30, "f", 1, message, values, told)
        return logging.Formatter("%(message)s").format(record)

    assert line("of %s", "a\x1b[2J\r\n2026-11-28 forged\u202e") == (
        "of a\\x1b[2J\\r\n    2026-11-28 forged\\u202e"
    )
    lines = [line("x", error=ValueError("a\nb\x07" * 100)) for _ in range(logs.TRACES + 5)]
    for text in lines:
        assert "\x07" not in text
        assert all(one.startswith("    ") for one in text.splitlines()[2:])
    assert len(lines[-1]) < len(lines[0]) / 1.4
    now[0] = 100.0
    assert len(line("x", error=ValueError("a" * 1000))) > 900


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_as_many_files_as_the_system_allows() -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        assert settings.open_files() == min(before[1], settings.FILES)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(before[1], settings.FILES)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
