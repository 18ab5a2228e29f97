"""Data sets that are made in small steps, each once a process.

Drawing twenty thousand pictures takes many seconds. Made step by step, whoever wants them can
be told how far they are, others come in between, and what nobody wants any more is simply not
gone on with. A class that opens the same page shares one drawing.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator
from typing import Generic, ParamSpec, TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")
P = ParamSpec("P")

Made = tuple[int, int]
"""How many examples are made, of how many."""

Steps = Generator[Made, None, T]
"""Yields how far it is, some hundredths of a second apart, and returns what it makes."""


def finish(steps: Steps[T]) -> T:
    """Go through all ``steps`` for what they make."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            made: T = end.value
            return made


class _UnderWay(Generic[T]):
    """What several may be waiting for: each takes the next step, and all get the result."""

    def __init__(self, steps: Steps[T], keep: Callable[[T], None]) -> None:
        self._steps = steps
        self._keep = keep
        self._lock = threading.Lock()
        self._result: list[T] = []
        self._fault: Exception | None = None

    def steps(self) -> Steps[T]:
        while True:
            with self._lock:
                if self._fault is not None:
                    raise self._fault
                if self._result:
                    return self._result[0]
                try:
                    made = next(self._steps)
                except StopIteration as end:
                    self._result.append(end.value)
                    self._keep(end.value)
                    continue
                except Exception as error:
                    self._fault = error
                    raise
            yield made


class Shared(Generic[P, T]):
    """``make``, whose last ``most`` results are kept, and asked for twice at a time made once.

    What nobody goes on with any more is forgotten with the last who waited for it.
    """

    def __init__(self, make: Callable[P, Steps[T]], most: int) -> None:
        self._make = make
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[object, T] = OrderedDict()
        self._under_way: WeakValueDictionary[object, _UnderWay[T]] = WeakValueDictionary()

    def __call__(self, *asked: P.args, **named: P.kwargs) -> Steps[T]:
        key = (asked, tuple(sorted(named.items())))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            found = self._under_way.get(key)
            if found is None:
                found = _UnderWay(self._make(*asked, **named), lambda made: self._keep(key, made))
                self._under_way[key] = found
        return (yield from found.steps())

    def _keep(self, key: object, made: T) -> None:
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


__all__ = ["Made", "Shared", "Steps", "finish"]
