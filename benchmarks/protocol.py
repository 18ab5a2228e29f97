"""A browser without a window: one tab that speaks Streamlit's websocket protocol.

Streamlit sends the page as protobuf messages (``ForwardMsg``) and gets back what the person
did (``BackMsg``). :class:`Tab` is what a browser remembers of one page, without any network:
the widgets and their values, the fragments' timers, the query string, which large messages
it has cached. :class:`Browser` is a tab on a socket, whose timers run on their own.

What a tab does was compared with what Chromium 146 sends to Streamlit 1.67: every rerun
carries the state of all widgets on the page, a fragment's timer is a plain interval that
does not wait for an answer, and a page's first request says its name and no widgets.
What it leaves out: the files of the page itself (HTML, scripts), pictures by URL.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ContextInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NumberInput_pb2 import NumberInput
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

EARLY: Final = ForwardMsg.FINISHED_EARLY_FOR_RERUN
BROKEN: Final = ForwardMsg.FINISHED_WITH_COMPILE_ERROR
REFRESH: Final = "refresh"  # the kind of a request that a fragment's timer sent


SELDOM = 5.0  # seconds between two ticks of a timer that waits for other tabs


@dataclass
class Request:
    """One rerun that was asked for: by a timer (kind "refresh") or by a person."""

    kind: str
    fragment: str  # "" for the whole page
    sent: float  # seconds on the tab's clock
    every: float = 0.0  # seconds of the timer that sent it
    done: asyncio.Event | None = None


@dataclass(frozen=True)
class Answer:
    """A request whose run is over: the page now shows what was asked for."""

    kind: str
    sent: float
    seconds: float  # from sending the request to its run's script_finished
    whole: bool  # answered by a run of the whole page
    every: float = 0.0  # seconds of the timer that asked


@dataclass
class Widget:
    """An element that has a state, where it stands and what it looks like."""

    kind: str
    body: Any  # the element's own message, such as Slider
    fragment: str  # "" outside fragments


@dataclass
class Tab:
    """What a browser remembers of one page. Knows no network; ``clock`` gives seconds."""

    path: str
    query: str = ""
    locale: str = "en-GB"
    origin: str = "http://127.0.0.1"
    clock: Callable[[], float] = time.perf_counter

    pages: dict[str, str] = field(default_factory=dict)  # url path -> page's hash
    page: str = ""  # the hash of the page that is shown
    widgets: dict[str, Widget] = field(default_factory=dict)  # by id
    states: dict[str, WidgetState] = field(default_factory=dict)  # by id
    timers: dict[str, float] = field(default_factory=dict)  # fragment -> seconds
    texts: dict[str, str] = field(default_factory=dict)  # "progress": its text as it stands
    # A chart's name, by its alt text -> when it came, and its VegaLiteChart. (Only a
    # chart that can be clicked has an id with a key.)
    charts: dict[str, tuple[float, Any]] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    drawn: set[str] = field(default_factory=set)  # fragments that have shown an element
    session: str = ""
    counts: Counter[str] = field(default_factory=Counter)  # messages by type
    sizes: Counter[str] = field(default_factory=Counter)  # bytes by type, elements apart

    def __post_init__(self) -> None:
        self.tabs: list[str] = []  # the labels of all that came
        self.urls: asyncio.Future[Any] | None = None  # where an upload may go, once asked
        self.waiting: list[Request] = []  # no run for them has begun
        self.running: list[Request] = []  # the present run answers them
        self._fragments: list[str] = []  # of the present run; empty: the whole page
        self._run_open = False
        self._seen: set[str] = set()  # widgets that the present run has drawn
        self._cache: dict[str, tuple[ForwardMsg, str, int]] = {}  # hash -> (…, fragment, run)
        self._runs = 0
        self._most_runs = 2  # after which a cached message is forgotten

    # What the person does

    @property
    def still(self) -> bool:
        """Whether nothing moves on the page: the look for other tabs ticks seldom."""
        return all(every >= SELDOM for every in self.timers.values())

    def opening(self) -> bytes:
        """The first request of a page: its name, its query string, no widgets."""
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.page_name = self.path
        message.rerun_script.context_info.CopyFrom(self._context())
        self._asked("open", "")
        return message.SerializeToString()

    def rerun(self, kind: str, fragment: str = "", trigger: str = "") -> bytes:
        """Run the page (or only a fragment) again, with every widget as it is now.

        ``trigger`` is the id of a button that was pressed.
        """
        message = BackMsg()
        ask = message.rerun_script
        ask.query_string = self.query
        ask.page_script_hash = self.page
        ask.fragment_id = fragment
        ask.is_auto_rerun = kind == REFRESH
        ask.widget_states.widgets.extend(self.states.values())
        if trigger:
            ask.widget_states.widgets.add(id=trigger, trigger_value=True)
        ask.cached_message_hashes.extend(self._cache)
        ask.context_info.CopyFrom(self._context())
        self._asked(kind, fragment)
        return message.SerializeToString()

    def switch(self, path: str) -> bytes:
        """Go to another page of the app, as its navigation does. Timers stop at once."""
        if path not in self.pages:
            raise KeyError(f"no page {path!r}, only {', '.join(sorted(self.pages))}")
        self.timers.clear()
        self.forget_requests()
        message = BackMsg()
        ask = message.rerun_script
        ask.query_string = self.query
        ask.page_script_hash = self.pages[path]
        ask.cached_message_hashes.extend(self._cache)
        ask.context_info.CopyFrom(self._context())
        self.path = path
        self._asked("page", "")
        return message.SerializeToString()

    def find(self, key: str) -> str:
        """The id of the widget with this key; with ``*`` at its end, that begins so."""
        for found in self.widgets:
            name = found.split("-", 2)[2]  # $$ID-hash-key
            if name == key or (key.endswith("*") and name.startswith(key[:-1])):
                return found
        names = ", ".join(sorted(one.split("-", 2)[2] for one in self.widgets))
        raise KeyError(f"no widget {key!r} on this page, only {names}")

    def slide(self, found: str, by: int) -> None:
        """Move a slider by so many steps, back from the end if it would go beyond."""
        body, state = self.widgets[found].body, self.states[found]
        if state.WhichOneof("value") == "string_array_value":
            options = list(body.options)
            place = options.index(state.string_array_value.data[0])
            state.string_array_value.data[0] = options[_within(place, by, len(options) - 1)]
        else:
            steps = round((body.max - body.min) / body.step)
            place = round((state.double_array_value.data[0] - body.min) / body.step)
            state.double_array_value.data[0] = body.min + body.step * _within(place, by, steps)

    def draw(self, found: str, raw: dict[str, Any], png: str) -> None:
        """Set a drawable canvas: Fabric's objects and the picture as a data URL."""
        value = {"drawing": {"raw": raw, "data": png}, "backgroundFit": None}
        self.states[found] = WidgetState(
            id=found, json_value=json.dumps(value, separators=(",", ":"))
        )

    def _asked(self, kind: str, fragment: str) -> None:
        every = self.timers.get(fragment, 0.0) if kind == REFRESH else 0.0
        self.waiting.append(Request(kind, fragment, self.clock(), every))

    def forget_requests(self) -> None:
        for request in (*self.waiting, *self.running):
            if request.done is not None:
                request.done.set()
        self.waiting, self.running = [], []

    def _context(self) -> ContextInfo:
        return ContextInfo(
            timezone="Europe/Warsaw",
            timezone_offset=-60,
            locale=self.locale,
            url=f"{self.origin}/{self.path}",
            is_embedded=False,
            color_scheme="light",
        )

    # What the server says

    def receive(self, data: bytes) -> None:
        """Take in one message of the server."""
        message = ForwardMsg.FromString(data)
        kind = message.WhichOneof("type") or "nothing"
        if kind == "ref_hash":
            # A large message that this tab has kept: only where it stands is news.
            self.counts["kept"] += 1
            self.sizes["kept"] += len(data)
            kept = self._cache.get(message.ref_hash)
            if kept is None:
                self.errors.append("the server refers to a message that was not kept")
                return
            self._cache[message.ref_hash] = (kept[0], kept[1], self._runs)
            self._delta(kept[0].delta)
            return
        name = kind
        if kind == "delta":
            name = self._delta(message.delta)
            if message.metadata.cacheable:
                kept_as = (message, message.delta.fragment_id, self._runs)
                self._cache[message.hash] = kept_as
        else:
            handle = getattr(self, f"_on_{kind}", None)
            if handle is not None:
                handle(message)
        self.counts[name] += 1
        self.sizes[name] += len(data)

    def _delta(self, delta: Any) -> str:
        """Take in an element; what it is."""
        self.drawn.add(delta.fragment_id)
        if delta.WhichOneof("type") != "new_element":
            block = delta.add_block
            if block.tab_container.id:
                container = block.tab_container
                self._seen.add(container.id)
                self.widgets[container.id] = Widget("tabs", container, delta.fragment_id)
            elif block.WhichOneof("type") == "tab":
                self.tabs.append(block.tab.label)
            return "block"
        element = delta.new_element
        kind: str = element.WhichOneof("type") or "empty"
        body = getattr(element, kind)
        if kind == "exception":
            if not body.is_warning:
                self.errors.append(f"exception on the page: {body.type}: {body.message[:300]}")
        elif kind == "alert":
            if body.format == Alert.ERROR:
                self.errors.append(f"error on the page: {body.body[:300]}")
        elif kind == "progress":
            self.texts["progress"] = body.text
        elif kind == "vega_lite_chart":
            self.charts[named(body.alt)] = (self.clock(), body)
        found = getattr(body, "id", "")
        if not found:
            return kind
        self._seen.add(found)
        self.widgets[found] = Widget(kind, body, delta.fragment_id)
        if found not in self.states or getattr(body, "set_value", False):
            state = beginning(kind, body)
            if state is not None:
                self.states[found] = state
        return kind

    def _on_new_session(self, message: ForwardMsg) -> None:
        session = message.new_session
        if session.HasField("initialize"):
            self.session = session.initialize.session_id
        self._most_runs = session.config.max_cached_message_age
        after = list(message.metadata.run.fragment_ids)
        if after:
            # No fragment breaks off another's run: where two runs end close together, the
            # server says "early" of the first, but its elements have all been sent.
            self._answer([one for one in self.running if one.fragment not in after])
            self.running = [one for one in self.running if one.fragment in after]
        # A run that was broken off, or whose elements the next one replaces, answers nobody.
        self.waiting = self.running + self.waiting
        self._fragments = after
        self._run_open = True
        self._seen = set()
        if not self._fragments:
            self.timers.clear()  # the page sets them anew
            self.page = session.page_script_hash
            self.running, self.waiting = self.waiting, []
        else:
            self.running = [one for one in self.waiting if one.fragment in self._fragments]
            self.waiting = [one for one in self.waiting if one.fragment not in self._fragments]

    def _on_script_finished(self, message: ForwardMsg) -> None:
        if not self._run_open:
            return
        self._run_open = False
        if message.script_finished == BROKEN:
            self.errors.append("a script did not compile")
        if message.script_finished == EARLY:
            return  # another run follows, and answers
        whole = not self._fragments
        self._answer(self.running)
        self.running = []
        for found in [
            found
            for found, widget in self.widgets.items()
            if found not in self._seen and (whole or widget.fragment in self._fragments)
        ]:
            del self.widgets[found]
            self.states.pop(found, None)
        self._runs += 1
        for name, (_message, fragment, used) in list(self._cache.items()):
            if (whole or fragment in self._fragments) and self._runs - used > self._most_runs:
                del self._cache[name]

    def _answer(self, requests: Iterable[Request]) -> None:
        now, whole = self.clock(), not self._fragments
        for request in requests:
            seconds = now - request.sent
            self.answers.append(Answer(request.kind, request.sent, seconds, whole, request.every))
            if request.done is not None:
                request.done.set()

    def _on_file_urls_response(self, message: ForwardMsg) -> None:
        if self.urls is not None and not self.urls.done():
            self.urls.set_result(message.file_urls_response)

    def _on_auto_rerun(self, message: ForwardMsg) -> None:
        if message.auto_rerun.fragment_id:
            self.timers[message.auto_rerun.fragment_id] = message.auto_rerun.interval

    def _on_stop_auto_rerun(self, message: ForwardMsg) -> None:
        for fragment in message.stop_auto_rerun.fragment_ids:
            self.timers.pop(fragment, None)

    def _on_navigation(self, message: ForwardMsg) -> None:
        pages = message.navigation.app_pages
        self.pages = {page.url_pathname or page.page_name: page.page_script_hash for page in pages}
        self.page = message.navigation.page_script_hash

    def _on_page_info_changed(self, message: ForwardMsg) -> None:
        self.query = message.page_info_changed.query_string

    def _on_page_not_found(self, message: ForwardMsg) -> None:
        self.errors.append(f"no page {message.page_not_found.page_name!r}")

    def _on_session_event(self, message: ForwardMsg) -> None:
        if message.session_event.WhichOneof("type") == "script_compilation_exception":
            self.errors.append(message.session_event.script_compilation_exception.message[:300])


def named(alt: str) -> str:
    """What a chart's text says first: "Loss by step", of "Loss by step, on validation: …"."""
    return re.split("[,:;]", alt, maxsplit=1)[0]


def _within(place: int, by: int, last: int) -> int:
    """``place + by``, mirrored at the ends 0 and ``last``."""
    moved = place + by
    return max(0, min(last, moved if 0 <= moved <= last else place - by))


def beginning(kind: str, body: Any) -> WidgetState | None:
    """The state that a browser sends for a widget that nobody has touched; None for no state."""
    state = WidgetState(id=body.id)
    set_value = getattr(body, "set_value", False)
    if kind == "slider":
        if body.options:  # a slider over names
            chosen = list(body.raw_value) if set_value else []
            chosen = chosen or [body.options[int(one)] for one in body.default]
            state.string_array_value.data.extend(chosen)
        else:
            state.double_array_value.data.extend(body.value if set_value else body.default)
    elif kind == "checkbox":
        state.bool_value = body.value if set_value else body.default
    elif kind in ("selectbox", "radio"):
        if set_value and body.HasField("raw_value"):
            state.string_value = body.raw_value
        elif body.HasField("default"):
            state.string_value = body.options[body.default]
    elif kind == "button_group":
        chosen = list(body.raw_values) if set_value else []
        chosen = chosen or [body.options[place].content for place in body.default]
        state.string_array_value.data.extend(chosen)
    elif kind == "number_input":
        value = body.value if set_value else body.default
        if body.data_type == NumberInput.INT:
            state.int_value = int(value)
        else:
            state.double_value = value
    elif kind in ("text_input", "text_area"):
        state.string_value = body.value if set_value else body.default
    else:
        return None
    return state


class Browser:
    """A tab on a socket of ``port``; use it as ``async with``. Its timers tick on their own.

    ``bytes_in`` and ``bytes_out`` count the messages' own bytes, without framing.
    """

    def __init__(self, port: int, path: str, query: str = "", locale: str = "en-GB") -> None:
        self.address = f"127.0.0.1:{port}"
        self.tab = Tab(path, query, locale, f"http://{self.address}")
        self.bytes_in = self.bytes_out = 0
        self.begun = 0.0  # on the tab's clock
        self.socket: ClientConnection | None = None
        self.reader: asyncio.Task[None] | None = None
        self._ticking: dict[str, tuple[float, asyncio.TimerHandle]] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._leaving = False

    async def __aenter__(self) -> Browser:
        self.begun = self.tab.clock()
        self.socket = await connect(
            f"ws://{self.address}/_stcore/stream",
            origin=f"http://{self.address}",  # type: ignore[arg-type]
            subprotocols=["streamlit"],  # type: ignore[list-item]
            compression=None,
            max_size=None,
            ping_interval=None,
            open_timeout=60,
        )
        self.reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Close the tab."""
        self._leaving = True
        for _seconds, handle in self._ticking.values():
            handle.cancel()
        self._ticking.clear()
        if self.socket is not None:
            await self.socket.close()
        if self.reader is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self.reader

    async def vanish(self) -> None:
        """Be gone without a word, as a laptop whose lid is closed."""
        self._leaving = True
        if self.socket is not None:
            self.socket.transport.abort()
        await self.leave()

    async def open(self, patience: float = 60.0) -> float:
        """Ask for the page; seconds from the connection's begin to its first whole run."""
        await self.send(self.tab.opening(), patience)
        return self.tab.clock() - self.begun

    async def press(self, key: str, patience: float = 60.0) -> None:
        found = self.tab.find(key)
        fragment = self.tab.widgets[found].fragment
        await self.send(self.tab.rerun("press", fragment, found), patience)

    async def slide(self, key: str, by: int = 1, patience: float = 60.0) -> None:
        found = self.tab.find(key)
        self.tab.slide(found, by)
        fragment = self.tab.widgets[found].fragment
        await self.send(self.tab.rerun("slider", fragment), patience)

    async def draw(self, key: str, raw: dict[str, Any], png: str, patience: float = 60.0) -> None:
        found = self.tab.find(key)
        self.tab.draw(found, raw, png)
        fragment = self.tab.widgets[found].fragment
        await self.send(self.tab.rerun("stroke", fragment), patience)

    async def choose(self, key: str, part: str, patience: float = 60.0) -> None:
        """Open the tab that has ``part`` in its label."""
        found = self.tab.find(key)
        label = next(label for label in self.tab.tabs if part in label)
        self.tab.states[found] = WidgetState(id=found, string_value=label)
        await self.send(self.tab.rerun("tab", self.tab.widgets[found].fragment), patience)

    async def edit(self, key: str, rows: list[dict[str, Any]], patience: float = 60.0) -> None:
        """Add rows to a table that can be edited."""
        found = self.tab.find(key)
        change = {"edited_rows": {}, "added_rows": rows, "deleted_rows": []}
        self.tab.states[found] = WidgetState(id=found, string_value=json.dumps(change))
        await self.send(self.tab.rerun("edit", self.tab.widgets[found].fragment), patience)

    async def upload(self, key: str, name: str, content: bytes, patience: float = 60.0) -> None:
        """Upload a file: ask where to, put it there, say that it is there."""
        asked = self.tab.urls = asyncio.get_running_loop().create_future()
        message = BackMsg()
        message.file_urls_request.request_id = name
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self.tab.session
        await self.write(message.SerializeToString())
        urls = (await asyncio.wait_for(asked, patience)).file_urls[0]
        edge = "a-line-that-is-in-no-file"
        part = (
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = part.encode() + content + f"\r\n--{edge}--\r\n".encode()
        here = f"http://{self.address}"

        def put() -> None:
            with urllib.request.urlopen(f"{here}/_stcore/health", timeout=patience) as answer:
                cookie = answer.headers["Set-Cookie"].partition(";")[0]
            headers = {
                "Content-Type": f"multipart/form-data; boundary={edge}",
                "Cookie": cookie,
                "X-Xsrftoken": cookie.partition("=")[2],
            }
            request = urllib.request.Request(here + urls.upload_url, body, headers, method="PUT")
            urllib.request.urlopen(request, timeout=patience).close()

        await asyncio.to_thread(put)
        found = self.tab.find(key)
        state = WidgetState(id=found)
        info = state.file_uploader_state_value.uploaded_file_info.add()
        info.file_id, info.name, info.size = urls.file_id, name, len(content)
        info.file_urls.CopyFrom(urls)
        self.tab.states[found] = state
        await self.send(self.tab.rerun("upload", self.tab.widgets[found].fragment), patience)

    async def go(self, path: str, patience: float = 60.0) -> None:
        message = self.tab.switch(path)
        self._set_timers()
        await self.send(message, patience)

    async def send(self, message: bytes, patience: float) -> None:
        """Send what the tab's last request is, and wait for its answer."""
        request = self.tab.waiting[-1]
        request.done = asyncio.Event()
        await self.write(message)
        try:
            await asyncio.wait_for(request.done.wait(), patience)
        except TimeoutError:
            self.tab.errors.append(f"no answer to {request.kind!r} within {patience:.0f} s")

    async def write(self, message: bytes) -> None:
        assert self.socket is not None
        self.bytes_out += len(message)
        try:
            await self.socket.send(message)
        except ConnectionClosed as closed:
            self._dropped(closed)

    def _dropped(self, closed: ConnectionClosed) -> None:
        if not self._leaving:
            self._leaving = True
            self.tab.errors.append(f"dropped socket: {closed}")
            self.tab.forget_requests()  # whoever waits need not wait longer

    async def _read(self) -> None:
        assert self.socket is not None
        try:
            async for data in self.socket:
                assert isinstance(data, bytes)
                self.bytes_in += len(data)
                self.tab.receive(data)
                self._set_timers()
            if not self._leaving:  # closed in order, but not by us
                self._leaving = True
                self.tab.errors.append("the server closed the socket")
                self.tab.forget_requests()
        except ConnectionClosed as closed:
            self._dropped(closed)

    def _set_timers(self) -> None:
        """As a browser: a timer whose interval has not changed goes on undisturbed."""
        for fragment, (seconds, handle) in list(self._ticking.items()):
            if self.tab.timers.get(fragment) != seconds:
                handle.cancel()
                del self._ticking[fragment]
        if self._leaving:
            return
        for fragment, seconds in self.tab.timers.items():
            if fragment not in self._ticking:
                self._arm(fragment, seconds, asyncio.get_running_loop().time() + seconds)

    def _arm(self, fragment: str, seconds: float, at: float) -> None:
        loop = asyncio.get_running_loop()

        def tick() -> None:
            if self._leaving:
                return
            self._arm(fragment, seconds, max(at + seconds, loop.time()))
            task = loop.create_task(self.write(self.tab.rerun(REFRESH, fragment)))
            self._sending.add(task)  # the loop itself holds a task only weakly
            task.add_done_callback(self._sending.discard)

        self._ticking[fragment] = (seconds, loop.call_at(at, tick))


def refreshes(tabs: Iterable[Tab], since: float, until: float, slowest: float) -> Iterator[Answer]:
    """The answers to requests that a timer of at most ``slowest`` seconds sent in this time."""
    for tab in tabs:
        for answer in tab.answers:
            ticked = answer.kind == REFRESH and answer.every <= slowest
            if ticked and since <= answer.sent < until:
                yield answer
