"""Who holds a run of the service now, for tests that wait until nobody does."""

from __future__ import annotations

from playground.runtime.run import Run
from playground.runtime.service import RunService


def held(service: RunService, run: Run) -> bool:
    """Has a worker got ``run``?"""
    return any(one.run is run for one in list(service.queue.held))


def waits(service: RunService, run: Run) -> bool:
    """Does ``run`` want a worker, or have one?"""
    waiting = [*list(service.queue.waiting), *list(service.queue.held)]
    return any(one.run is run for one in waiting)


def idle(service: RunService, run: Run) -> bool:
    """Has every worker let go of ``run``, so that nothing of it moves any more?

    Its state changes first, then whoever wants to hear of it does, then its worker lets go.
    """
    return not run.active and not held(service, run)
