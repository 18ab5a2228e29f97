"""How long the server's health takes to answer while a hostile client does one thing after another.

    python benchmarks/hostile.py

Each line: what is sent, how often health was asked meanwhile, the slowest answer in seconds. The
server is ``streamlit run app.py`` on a free port of loopback with an empty data folder; what is
sent goes over its sockets, as from a browser's console. The target is one second each.
"""

from __future__ import annotations

import asyncio
import base64
import io
import socket
import time
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any

from classroom import Server
from PIL import Image
from protocol import Browser
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.asyncio.client import connect

SECONDS = 8.0  # each thing is watched for at least so long


def health(port: int) -> float:
    begun = time.perf_counter()
    urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=60).read()
    return time.perf_counter() - begun


async def watched(port: int, what: Callable[[int], Awaitable[None]]) -> list[float]:
    """Answers of health, ten a second, until ``what`` has been done and some time is over."""
    found: list[float] = []
    end = time.perf_counter() + SECONDS
    doing = asyncio.ensure_future(what(port))
    while not doing.done() or time.perf_counter() < end:
        found.append(await asyncio.to_thread(health, port))
        await asyncio.sleep(0.1)
    doing.result()
    return found


def picture(form: str, side: int) -> bytes:
    file = io.BytesIO()
    Image.new("1" if form == "PNG" else "RGB", (side, side)).save(file, form)
    return file.getvalue()


def url(raw: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(raw).decode()


async def nothing(port: int) -> None:
    """for comparison"""


async def draw(port: int, said: str) -> None:
    async with Browser(port, "digits") as browser:
        await browser.open()
        await browser.draw("digits.pad.*", {"objects": []}, said)


async def postscript(port: int) -> None:
    """a PostScript program that never ends, as a drawing"""
    await draw(port, url(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n{ } loop\n%%EOF\n"))


async def megapixels(port: int) -> None:
    """a PNG of 100 megapixels, as a drawing"""
    await draw(port, url(picture("PNG", 10_000)))


async def origins(port: int) -> None:
    """four sockets that knock with a foreign origin"""
    end = time.perf_counter() + SECONDS

    async def knock() -> None:
        while time.perf_counter() < end:
            try:
                address = f"ws://127.0.0.1:{port}/_stcore/stream"
                options: dict[str, Any] = {"origin": "http://evil.example"}
                async with connect(address, **options):
                    pass
            except Exception:
                await asyncio.sleep(0.01)

    await asyncio.gather(*(knock() for _ in range(4)))


async def messages(port: int) -> None:
    """a hundred times load_git_info, clear_cache and bytes that are none"""
    for _ in range(100):
        async with Browser(port, "coffee") as browser:
            for name in ("load_git_info", "clear_cache"):
                message = BackMsg()
                setattr(message, name, True)
                await browser.write(message.SerializeToString())
            await browser.write(b"\xff" * 100)


async def sessions(port: int) -> None:
    """forty pages opened at once and left"""

    async def visit() -> None:
        async with Browser(port, "coffee") as browser:
            await browser.open(180)

    await asyncio.gather(*(visit() for _ in range(40)))


async def halves(port: int) -> None:
    """three hundred requests that are never ended"""
    heads = (b"GET / HTTP/1.1\r\nHost: x\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n")
    every = [socket.create_connection(("127.0.0.1", port)) for _ in range(300)]
    for place, one in enumerate(every):
        one.sendall(heads[place % 2])
    await asyncio.sleep(SECONDS)
    for one in every:
        one.close()


async def head(port: int) -> None:
    """a weights file with 300,000 empty tensors, uploaded"""
    one = '"%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    text = ("{" + ",".join(one % number for number in range(300_000)) + "}").encode()
    async with Browser(port, "digits") as browser:
        await browser.open()
        await browser.choose("digits.tabs", ":material/save:")
        await browser.upload(
            "digits.keep.file", "w.safetensors", len(text).to_bytes(8, "little") + text
        )
        said(browser)


async def rows(port: int) -> None:
    """100,000 rows typed into the table of own rows"""
    async with Browser(port, "coffee") as browser:
        await browser.open()
        await browser.edit("coffee.own.editor*", [{} for _ in range(100_000)])
        said(browser)


def said(browser: Browser) -> None:
    for sentence in browser.tab.errors:
        print(f"    the page: {sentence[:160]}")


THINGS = (nothing, postscript, megapixels, origins, messages, halves, head, rows, sessions)


async def main() -> None:
    with Server() as server:
        for path in ("coffee", "digits"):  # the first visit of a page makes its data
            async with Browser(server.port, path) as first:
                await first.open(180)
        for what in THINGS:
            found = await watched(server.port, what)
            print(f"{what.__doc__}: {len(found)} answers, slowest {max(found):.2f} s", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
