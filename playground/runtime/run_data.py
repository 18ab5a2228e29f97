"""A run's data set, made step by step by whoever needs it first: a worker, or a page."""

from __future__ import annotations

import threading
from dataclasses import replace

from playground.data.dataset import Dataset, Examples, Scaler
from playground.data.steps import Made, Steps
from playground.projects.base import Project
from playground.recipe import Recipe


class RunData:
    """Load the data set of one run, once.

    A worker makes it in slices by :meth:`further`, a page as a whole by :meth:`whole`; both may
    do so at once. ``like``: the data of another run that asks for the same, to share them.
    ``scaler``: of a network that was trained elsewhere, in place of the one of these data.
    """

    def __init__(
        self,
        project: Project,
        recipe: Recipe,
        own: Examples | None = None,
        like: RunData | None = None,
    ) -> None:
        self.scaler: Scaler | None = None
        self.dataset: Dataset | None = None  # once it is made
        self.made: Made | None = None  # how far that is, while it is being made
        self._project, self._recipe, self._own, self._like = project, recipe, own, like
        self._lock = threading.Lock()
        self._steps: Steps[Dataset] | None = None  # while it is being made
        self._tried = threading.Event()  # a worker has come to an end with it

    def whole(self) -> Dataset:
        """Return the data set, made now if need be (from a shared cache, if it is there).

        Raises:
            PlaygroundError: data that cannot be had.
        """
        while (found := self.further()) is None:
            pass
        return found

    def further(self) -> Dataset | None:
        """Make one step towards the data set, and return it once it is there.

        Raises:
            PlaygroundError: data that cannot be had.
        """
        with self._lock:
            if self.dataset is not None:
                return self.dataset
            steps = self._steps or self._making()
            try:
                self._steps, self.made = steps, next(steps)
            except StopIteration as end:
                dataset: Dataset = end.value
                if self.scaler is not None:
                    dataset = replace(dataset, scaler=self.scaler)
                self.dataset = dataset
                self.let_go()
            except BaseException:
                self.let_go()
                raise
            return self.dataset

    def _making(self) -> Steps[Dataset]:
        like = self._like
        if like is None:
            return (yield from self._project.loading(self._recipe, self._own))
        while (found := like.further()) is None:
            if like.made is not None:
                yield like.made
        return found

    @property
    def loaded(self) -> bool:
        """Is it here, or known not to be had, so that asking for it takes no time?"""
        return self.dataset is not None or self._tried.is_set()

    @property
    def begun(self) -> bool:
        """Is it half made?"""
        return self._steps is not None

    def let_go(self) -> None:
        """Drop what is half made."""
        self._steps = self.made = None

    def end(self) -> None:
        """Note that a worker has tried: whoever waits for it may ask now."""
        self._tried.set()

    def wait(self, patience: float) -> bool:
        """Wait up to ``patience`` seconds until it is loaded; is it?"""
        return self.loaded or self._tried.wait(patience)


__all__ = ["RunData"]
