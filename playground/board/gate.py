"""Who may see the class board: whoever knows the teacher's secret; without one there is none."""

from __future__ import annotations

import hashlib
import hmac
import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from playground.errors import PlaygroundError
from playground.i18n import N_

SECRET: Final = "PLAYGROUND_TEACHER_SECRET"
"""The secret's name in the environment and in ``.streamlit/secrets.toml``."""
FREE: Final = 3  # wrong secrets in a row without a wait
LONGEST_WAIT: Final = 30.0  # seconds; the teacher may have to wait as long as a guesser


def secret(*places: Mapping[str, object]) -> str | None:
    """The secret that the first of ``places`` names; None: the board is off."""
    for place in places:
        found = place.get(SECRET)
        # A number without quotation marks in a TOML file.
        text = str(found).strip() if isinstance(found, str | int) else ""
        if text and not isinstance(found, bool):
            return text
    return None


def fingerprint(text: str) -> bytes:
    """What a session remembers of the secret that it knew."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class GateError(PlaygroundError):
    """Too many wrong secrets: nobody gets in for a while."""


class Gate:
    """Asks for the secret, and makes guessers wait; one for a whole process.

    From the third wrong secret in a row on each costs a wait, twice as long as the last.
    It is everybody's wait, as a guesser may come from as many sessions as they like.
    ``clock`` is a parameter for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._wrong = 0
        self._until = -math.inf

    def admits(self, given: str, secret: str) -> bool:
        """Is ``given`` the secret?

        Raises:
            GateError: it has not been looked at, as it is too soon.
        """
        with self._lock:
            now = self.clock()
            if now < self._until:
                raise GateError(
                    N_("Too many wrong passwords. Try again in {n} s."),
                    n=math.ceil(self._until - now),
                )
            if hmac.compare_digest(fingerprint(given.strip()), fingerprint(secret)):
                self._wrong = 0
                return True
            self._wrong += 1
            if self._wrong >= FREE:
                self._until = now + min(2.0 ** min(self._wrong - FREE, 10), LONGEST_WAIT)
            return False
