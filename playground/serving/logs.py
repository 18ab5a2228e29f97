"""Lines of the log that nobody can forge, and not more of them than one can read.

What a browser sends stands in Streamlit's log, in messages and in errors.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Any, Final

TRACES: Final = 20  # errors that are told with their whole way, in a minute
MINUTE: Final = 60.0
CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """``text`` without signs that steer a terminal; what follows its first line is indented."""
    shown = CONTROL.sub(lambda found: repr(found[0])[1:-1], text)
    return shown.replace("\n", "\n    ")


class Record(logging.LogRecord):
    def getMessage(self) -> str:  # noqa: N802 - logging's own name
        return harmless(super().getMessage())


class Records:
    """Makes records whose errors are written out ``TRACES`` times a minute at most."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since = self._clock()
        self._told = 0

    def __call__(self, *values: Any, **named: Any) -> logging.LogRecord:
        record = Record(*values, **named)
        if record.exc_info and record.exc_info[0] is not None:
            kind, error = record.exc_info[:2]
            if self._may():
                record.exc_text = harmless(logging.Formatter().formatException(record.exc_info))
            else:
                record.exc_text = harmless(f"{kind.__name__}: {str(error)[:200]}")
        return record

    def _may(self) -> bool:
        with self._lock:
            if self._clock() - self._since > MINUTE:
                self._since, self._told = self._clock(), 0
            self._told += 1
            return self._told <= TRACES


def install() -> None:
    """For all that is logged from now on."""
    logging.setLogRecordFactory(Records())


__all__ = ["TRACES", "Records", "harmless", "install"]
