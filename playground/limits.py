"""What one run, one desk and all runs together may take, and the refusals that need no estimate.

What a recipe takes is estimated in ``resources``.
"""

from __future__ import annotations

import math
from typing import Final

from playground.errors import PlaygroundError
from playground.i18n import N_

MAX_RUN_BYTES: Final = 2**30
"""Of one run at its peak. As many runs peak at a time as there are workers: one a core."""

MAX_OPERATIONS: Final = 200_000_000_000
"""Multiplications and additions at a stretch: a step, or a look at the validation set.

A worker goes on to the next student's run only after one of them. One core of a busy
laptop makes 10 to 20 thousand million a second, so that is 10 to 20 seconds.
"""

MAX_DATA_BYTES: Final = 256 * 2**20
"""Bytes of one run's examples, own pictures repeated: 2,000 pictures 500 times are 780 MB."""

MAX_DRAWING_SECONDS: Final = 100
"""Seconds of a busy core that drawing a data set may take; meanwhile it is one worker less."""

MAX_ACTIVE_RUNS: Final = 4
"""Runs of one desk that train at a time, in all its tabs together."""

MAX_BACKGROUND_RUNS: Final = 36
"""The same for those in the background: one sweep of the largest size."""


class LimitError(PlaygroundError):
    """A run that would take more than one run may, or more than is left now."""


def check_active(count: int, already: int, background: bool) -> None:
    """Refuse ``count`` more runs of a desk of which ``already`` so many train.

    Raises:
        LimitError: naming the limit and what to do.
    """
    if background and already + count > MAX_BACKGROUND_RUNS:
        raise LimitError(
            N_(
                "One desk can train at most {limit} sweep runs at a time, and {count} are "
                "training: stop that sweep, or wait until it has finished."
            ),
            limit=MAX_BACKGROUND_RUNS,
            count=already,
        )
    if not background and already + count > MAX_ACTIVE_RUNS:
        raise LimitError(
            N_(
                "One desk can train at most {limit} networks at a time, and {count} are training: "
                "pause or stop one on its page, or wait until one has finished."
            ),
            limit=MAX_ACTIVE_RUNS,
            count=already,
        )


def check_data(size: int) -> None:
    """Refuse examples of ``size`` bytes, before they are made.

    Raises:
        LimitError: naming the size, the limit, and what to change.
    """
    if size > MAX_DATA_BYTES:
        raise LimitError(
            N_(
                "With your own pictures repeated that often, the examples would take {need} MB of "
                "memory, and {limit} are allowed: choose fewer repeats."
            ),
            need=megabytes(size),
            limit=megabytes(MAX_DATA_BYTES),
        )


def check_drawing(pictures: int, milliseconds: float) -> None:
    """Refuse a data set of so many ``pictures`` that take a core so long each.

    Raises:
        LimitError: naming the time, the limit, and what to change.
    """
    seconds = pictures * milliseconds / 1000
    if seconds > MAX_DRAWING_SECONDS:
        raise LimitError(
            N_(
                "Drawing {pictures} such pictures would take about {seconds} seconds, and {limit} "
                "are allowed: choose fewer or smaller pictures, or a smaller photo share."
            ),
            pictures=pictures,
            seconds=round(seconds),
            limit=MAX_DRAWING_SECONDS,
        )


def megabytes(count: int) -> int:
    """Bytes as whole megabytes, rounded up."""
    return math.ceil(count / 2**20)
