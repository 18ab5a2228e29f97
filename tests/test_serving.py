"""What stands between the network and Streamlit's server, on the real server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import Final

import loops
import pytest
from live import ROOT, Server
from streamlit.proto.BackMsg_pb2 import BackMsg

from playground.serving import messages

sys.path.insert(0, str(ROOT / "benchmarks"))

from protocol import Browser

FIRST: Final = (
    *("coffee", "digits", "neuron", "rps", "runs"),
    *("movies", "batches", "pytorch", "weekday", "optimizers"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all; its first visitors come to ten pages at once."""
    started = Server(tmp_path_factory.mktemp("serving"))
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
    assert messages.kind(BackMsg().SerializeToString()) is None
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


def test_what_the_app_never_asks_for_does_nothing(server: Server) -> None:
    """And the tab that asks goes on: it may be an extension of the browser's."""

    async def ask() -> Browser:
        async with Browser(server.port, "coffee") as browser:
            await browser.open()
            heard = dict(browser.tab.counts)
            for name in sorted(messages.REFUSED):
                assert messages.kind(asking(name)) == name
                await browser._write(asking(name))
            await browser._write(BackMsg().SerializeToString())
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
            await browser._write(b"\xff" * 100)
            assert browser._reader is not None
            await asyncio.wait_for(browser._reader, 60)
            return browser.tab.errors

    (error,) = loops.run(send())
    assert "1007" in error
    assert "Traceback" not in server.log()
