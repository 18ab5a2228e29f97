"""Whose turn it is: a fair queue in front of a few workers. No threads, no clock, no lock.

Students who have had less of the workers come first, whoever runs in the background takes what
the others leave, and one of several workers is kept free of loading data.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final, Generic, Protocol, TypeVar

from playground.runtime.run import CpuAccount

ROUND: Final = 0.1  # seconds of work by which one student's runs may be ahead of another's
MAX_LOADING: Final = 4  # data sets that are under way at a time: half made they take most memory


class Job(Protocol):
    """What the queue asks of whoever wants a worker.

    ``share``: what its student's jobs have had, together. ``threads``: how many it computes
    with. ``loaded``: are its data here; ``loading``: are they half made.
    """

    @property
    def background(self) -> bool: ...
    @property
    def share(self) -> CpuAccount: ...
    @property
    def threads(self) -> int: ...
    @property
    def wants(self) -> bool: ...
    @property
    def loaded(self) -> bool: ...
    @property
    def loading(self) -> bool: ...


J = TypeVar("J", bound=Job)


class FairQueue(Generic[J]):
    """Order the jobs that want one of so many ``workers``.

    A job is in ``waiting``, the oldest turn first, or in ``held``, by a worker, or unknown here.
    Whoever uses it from several threads holds a lock of their own.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.waiting: deque[J] = deque()
        self.held: set[J] = set()

    def __iter__(self) -> Iterator[J]:
        yield from self.waiting
        yield from self.held

    def __contains__(self, job: object) -> bool:
        return job in self.held or job in self.waiting

    def add(self, job: J) -> bool:
        """Let ``job`` wait for a turn; False where it waits already, or has one."""
        if job in self:
            return False
        self.waiting.append(job)
        return True

    def remove(self, job: J) -> None:
        """Let ``job`` wait no more; a worker that holds it notices by itself."""
        if job in self.waiting:
            self.waiting.remove(job)

    def level(self, job: J) -> None:
        """Let a student who comes begin level with the others: nobody saves up turns."""
        others = [one for one in self if not one.background]
        used = [one.share.seconds for one in others if one.share is not job.share]
        mine = any(one.share is job.share for one in others)
        if used and not mine:
            job.share.seconds = max(job.share.seconds, min(used))

    def take(self, first: bool = True) -> J | None:
        """Give a worker the job that has waited longest, of those that it may have.

        Those of a student who has had more of the workers than others wait for these, and
        one worker is kept free of loading data.
        Jobs with helper threads are for the ``first`` worker alone: the helpers stay with the
        worker that called them, and two sets of them are more than the machine has cores.
        Jobs in the background are for nobody while another waits.
        """
        waiting = [job for job in self.waiting if not job.background]
        waiting.sort(key=lambda job: job.share.seconds // ROUND)
        if not waiting and self.core_free:
            waiting = list(self.waiting)
        for job in waiting:
            if (first or job.threads <= 1) and not self._must_wait(job):
                self.waiting.remove(job)
                self.held.add(job)
                return job
        return None

    def keeps(self, job: J, seconds: float) -> bool:
        """Count a turn of so many ``seconds``; may its worker go on with ``job``?

        Where nobody waits, it may: a run's memory and helper threads belong to its worker,
        and moving them to another after each slice cost a fifth of the speed.
        """
        if not job.background:  # else it has had what nobody wanted
            job.share.seconds += seconds * job.threads
        return job.wants and not self._gives_way(job)

    def give_back(self, job: J) -> bool:
        """Take ``job`` from its worker, to the end of the queue; False where it wants no more."""
        self.held.discard(job)
        return job.wants and self.add(job)

    @property
    def core_free(self) -> bool:
        """Do the jobs that workers hold, the background aside, leave a core?"""
        return sum(job.threads for job in self.held if not job.background) < self.workers

    def _must_wait(self, job: J) -> bool:
        """Drawing a data set may take a minute: one worker of several always trains.

        Nor are many begun before the first are done.
        """
        if job.loaded:
            return False
        loading = sum(not held.loaded for held in self.held)
        # One in the background waits for us, and so does not count.
        begun = sum(one.loading and one.background <= job.background for one in self)
        return 0 < self.workers - 1 <= loading or (not job.loading and begun >= MAX_LOADING)

    def _gives_way(self, job: J) -> bool:
        """Is there one that waits for which ``job`` makes room, after a turn?"""
        if job.background:
            return bool(self.waiting) or not self.core_free
        return any(not other.background for other in self.waiting)


__all__ = ["FairQueue", "Job"]
