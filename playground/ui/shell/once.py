"""What this process has once, for all its pages: made at the first call, by one thread.

Not in ``st.cache_resource``, which Streamlit empties for everybody when a browser asks it to, and
not in ``functools.cache``, which lets two first callers make two.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import update_wrapper
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_LOCK: Final = threading.RLock()
"""Of all of them together, as one may be made from another: with one lock none waits for ever."""


class once(Generic[T]):  # noqa: N801 - a decorator
    """A function without arguments whose first answer stands."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: list[T] = []  # none or one
        update_wrapper(self, make)

    def __call__(self) -> T:
        if not self._made:
            with _LOCK:
                if not self._made:
                    self._made.append(self._make())
        return self._made[0]

    def clear(self) -> None:
        """Forget it, so that the next call makes another: for tests."""
        with _LOCK:
            self._made.clear()


__all__ = ["once"]
