"""What this process has once, as its pages find it: the backend, and the turns of pages."""

from __future__ import annotations

import os
from typing import Final

from playground.backend import Backend
from playground.runtime.page_queue import PageQueue
from playground.ui.shell.once import once

TURNS: Final = PageQueue()  # of all pages of this process
QUEUE: Final = 4  # pages that may wait for their turn before training makes room for them
REST: Final = 0.01  # seconds that a worker rests after a slice, for each page beyond those


@once
def backend() -> Backend:
    """The one backend of this process."""
    return Backend(
        ray=os.environ.get("PLAYGROUND_RAY"),
        rest=lambda: REST * max(TURNS.waiting - QUEUE, 0),
    )


__all__ = ["TURNS", "backend"]
