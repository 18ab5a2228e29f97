"""Pages take turns at the interpreter, so that a crowd of them is served and not stuck.

Python runs one thread at a time. A hundred pages that are due at the same moment would be a
hundred threads that pass the interpreter around, 5 ms each: then every single message to a
browser, and every single step of a network, waits for a round of the whole crowd, and nobody
is served. So one page computes at a time; the others wait, oldest first, without being in
anybody's way. Two at a time would be slower than one (``benchmarks/README.md``).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

AT_ONCE: Final = 1
SLOW: Final = 0.25  # seconds; nearly all pages take a tenth of it


class PageQueue:
    """A queue, first come first served, in front of ``at_once`` places.

    It paces and protects nothing. Who keeps a place for longer than ``slow`` seconds (a test
    on ten thousand pictures, say) goes on beside the others, who wait for it no longer.
    """

    def __init__(self, at_once: int = AT_ONCE, slow: float = SLOW) -> None:
        self.at_once, self.slow = at_once, slow
        self._lock = threading.Lock()
        self._queue: deque[threading.Event] = deque()
        self._held: dict[threading.Event, float] = {}  # since when
        self._watched = False
        self._mine = threading.local()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a place, and keep it until the block ends; inside another block at once."""
        if self._place is not None:
            yield
            return
        self._take()
        try:
            yield
        finally:
            self._give()

    @contextmanager
    def released(self) -> Iterator[None]:
        """Let others have the place while this thread waits for something else."""
        if self._place is None:
            yield
            return
        self._give()
        try:
            yield
        finally:
            self._take()

    @property
    def waiting(self) -> int:
        with self._lock:
            return len(self._queue)

    @property
    def _place(self) -> threading.Event | None:
        place: threading.Event | None = getattr(self._mine, "place", None)
        return place

    def _take(self) -> None:
        called = threading.Event()
        with self._lock:
            self._queue.append(called)
            self._call()
            if self._queue and not self._watched:
                self._watched = True
                threading.Thread(target=self._watch, name="turns", daemon=True).start()
        called.wait()
        self._mine.place = called

    def _give(self) -> None:
        place, self._mine.place = self._place, None
        with self._lock:
            if place is not None:
                del self._held[place]
            self._call()

    def _watch(self) -> None:
        """While anybody waits: notice who is slow.

        One thread for all, as each that wakes up to see whether it is its turn would be one
        more that wants the interpreter.
        """
        while self._watched:
            time.sleep(self.slow)
            with self._lock:
                self._call()
                self._watched = bool(self._queue)

    def _call(self) -> None:
        """Give the places that are free to those who have waited longest."""
        now = time.monotonic()
        quick = sum(now - since < self.slow for since in self._held.values())
        for _free in range(min(self.at_once - quick, len(self._queue))):
            first = self._queue.popleft()
            self._held[first] = now
            first.set()


class RateLimit:
    """Says yes at most once in ``every`` seconds, to whoever asks first."""

    def __init__(self, every: float) -> None:
        self.every = every
        self._lock = threading.Lock()
        self._next = 0.0

    def allow(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                return False
            self._next = now + self.every
            return True


__all__ = ["PageQueue", "RateLimit"]
