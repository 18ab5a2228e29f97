"""Whether there is room for more runs: so many a student, and the memory of the machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from playground import limits, resources
from playground.resources import ResourceEstimate
from playground.runtime.run import Run


def is_new(run: Run) -> bool:
    """Would ``run`` train more than before if it was started?"""
    return not (run.over or run.active)


def check_active(runs: Iterable[Run], begun: Collection[Run], background: bool) -> None:
    """Check that no student will have too many that train, beside those that have ``begun``.

    Raises:
        LimitError: one would.
    """
    new = [run for run in runs if is_new(run)]
    counts = Counter((run.share, run.background or background) for run in new)
    for (share, behind), count in counts.items():
        mine = (run for run in begun if run.share is share and run.active)
        limits.check_active(count, sum(run.background == behind for run in mine), behind)


def check_memory(
    needs: Collection[ResourceEstimate], known: Iterable[Run], workers: int, memory: int
) -> None:
    """Check that there is room for ``needs`` in so many bytes of ``memory``, beside ``known`` runs.

    Raises:
        LimitError: there is too little.
    """
    if needs:
        resources.check_together(needs, held(known), workers, memory)


def held(runs: Iterable[Run]) -> Iterator[ResourceEstimate]:
    """What ``runs`` hold by now; a data set that several share counts once."""
    seen: set[int] = set()
    for run in runs:
        need, dataset = run.need.over if run.over else run.need, run.data.dataset
        if dataset is not None:
            place = dataset.train.inputs.data_ptr()
            need = replace(need, data=0 if place in seen else dataset.nbytes)
            seen.add(place)
        yield need


__all__ = ["check_active", "check_memory", "held", "is_new"]
