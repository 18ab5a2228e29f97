"""How often to look: not so often that looking slows what is looked at."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

SHARE: Final = 0.03
"""The part of the time that looking may take. A run on all cores waits for the one it loses,
and drawing costs too, so it loses about twice that."""

T = TypeVar("T")


@dataclass
class Throttle:
    """Repeats a piece of work when its subject has changed, but not too often.

    After work of t seconds, changes of the network alone are not followed for t / ``share``
    seconds; the last result stands. ``clock`` is a parameter for tests.
    """

    share: float = SHARE
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._question: object = None
        self._subject: object = None
        self._result: Any = None
        self._due = 0.0
        self._ever = False

    def __call__(
        self, question: object, subject: object, work: Callable[[], T], hurry: bool = False
    ) -> T:
        """The result of ``work``, or the last one.

        ``question`` is what was asked (compared by equality): a new one is answered at once.
        ``subject`` is what was looked at (compared by identity, since it is replaced as a
        whole). ``hurry``: nothing would be slowed, so follow each change.
        """
        fresh = self._ever and question == self._question
        if fresh and (subject is self._subject or (not hurry and self.clock() < self._due)):
            result: T = self._result
            return result
        begun = self.clock()
        result = work()
        ended = self.clock()
        self._question, self._subject, self._result = question, subject, result
        self._due, self._ever = ended + (ended - begun) / self.share, True
        return result
