"""What the store has of one desk, as far as this process knows."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from playground.desks.run_list import RunEntry, Unread
from playground.desks.stored_run import Label
from playground.storage.records import Row


@dataclass(eq=False)
class Stored:
    """Remember what was written of a desk, so that only what is new is written.

    ``pen`` is held by whoever writes or deletes what the store has.
    """

    pen: threading.Lock = field(default_factory=threading.Lock)
    there: bool = False  # does the store know of the desk?
    joined: bool = False  # does it know of the desk's member on the class board?
    raw: dict[str, Sequence[bytes]] = field(default_factory=dict)  # things that nobody asked for
    # Things, by kind: the very objects, so that equal ones are not compared.
    written: dict[str, list[Any]] = field(default_factory=dict)
    foreign: dict[str, list[bytes]] = field(default_factory=dict)  # that nobody here can read
    examples: set[str] = field(default_factory=set)
    labels: dict[str, Label] = field(default_factory=dict)  # of runs, by id
    ids: WeakKeyDictionary[RunEntry | Unread, str] = field(default_factory=WeakKeyDictionary)
    unread: dict[str, Row] = field(default_factory=dict)  # runs of another version, by id

    def forget(self) -> None:
        """The database is another: it has nothing of the desk."""
        self.there = self.joined = False
        self.written, self.labels, self.examples = {}, {}, set()


__all__ = ["Stored"]
