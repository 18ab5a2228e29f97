"""What a server has once, put together in one place: a store, its desks, who trains their runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from playground.desks.registry import Desks
from playground.runtime.service import RunService
from playground.storage.store import Store


class Backend:
    """Make the store, the desks and the training service of one process, and end them.

    ``ray``: where Ray is, if runs train there (see ``ray_trainer``). ``service``: what else
    :class:`RunService` is to know. ``clock``: of the desks, a parameter for tests.
    """

    def __init__(
        self,
        store: Store | None = None,
        ray: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        **service: Any,
    ) -> None:
        self.store = Store() if store is None else store
        self.desks = Desks(self.store, clock)
        self._ray, self._options = ray, service
        self._service: RunService | None = None
        self._lock = threading.Lock()

    @property
    def service(self) -> RunService:
        """The service that trains, begun at the first call; the desks are told what it reaches.

        Raises:
            PlaygroundError: Ray is asked for, and not to be had; the desks are there all the same.
        """
        with self._lock:
            if self._service is None:
                self._service = self._begun()
            return self._service

    def _begun(self) -> RunService:
        notice = self.desks.notice
        if self._ray:
            from playground.runtime import ray_trainer  # needs Ray

            return ray_trainer.service(self._ray, notice=notice)
        return RunService(notice=notice, **self._options)

    def close(self) -> None:
        """End the workers, write down what is left, and let go of the database."""
        with self._lock:
            if self._service is not None:
                self._service.close()
        self.desks.close()


__all__ = ["Backend"]
