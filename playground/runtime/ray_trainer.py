"""Training on Ray, outside the web process: on this machine's other cores, or on other machines.

``PLAYGROUND_RAY`` turns it on: ``local`` starts Ray on this machine, ``auto`` joins the one
that runs here, anything else is the address of a cluster's head. The service stays as it
is: its workers hand a run's slices to actors, one a core, each of which holds some runs
and trains one at a time. There the same :class:`LocalTrainer` as without Ray goes through the same
``training.fit``, and what comes back is its events and weights.

An actor that dies takes its runs' networks with it. They begin again at their last
checkpoint, in an actor that is there, or end with a sentence if they have none.
"""

from __future__ import annotations

import importlib
import logging
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from weakref import finalize

from torch import Tensor

import playground
from playground.data.dataset import Examples
from playground.errors import PlaygroundError
from playground.i18n import N_
from playground.optimizers import Settings
from playground.projects.base import Project
from playground.recipe import Recipe
from playground.runtime import torch_threads
from playground.runtime.run import Run
from playground.runtime.service import RunService
from playground.runtime.trainer import LocalTrainer, LostError, Stop, Timed, readable
from playground.training import Controls, Ending, Epoch, Step

VARIABLE: Final = "PLAYGROUND_RAY"
CORES: Final = "PLAYGROUND_RAY_CORES"
PATIENCE: Final = 300.0  # seconds for an answer: drawing a data set may take two minutes
RESTART: Final = 30.0  # seconds for an actor that died to be there again
LOST: Final = N_("The computer that trained this network is no longer available ({reason}).")


# --- In the actor ------------------------------------------------------------------------


@dataclass(frozen=True)
class StartReply:
    """What a trainer says of itself, and the weights that it begins with."""

    parameters: int
    data: dict[str, str | int]
    steps_total: int
    weights: dict[str, Tensor]


@dataclass(frozen=True)
class SliceResult:
    """One slice: events with the seconds since its begin, and what is there after the last.

    ``saved`` where the last event is an epoch and it was to stop there.
    """

    events: list[tuple[Step | Epoch, float]]
    weights: dict[str, Tensor]
    saved: dict[str, Tensor] | None
    ended: Ending | None
    fault: SerializedError | None


@dataclass(frozen=True)
class SerializedError:
    """A :class:`PlaygroundError`, whose own class does not travel."""

    message: str
    values: dict[str, object]

    @classmethod
    def of(cls, error: Exception) -> SerializedError:
        said = readable(error)
        return cls(said.message, {name: str(value) for name, value in said.values.items()})

    def error(self) -> PlaygroundError:
        return PlaygroundError(self.message, **self.values)


class Actor:
    """Trains runs one slice at a time, in one process on one core."""

    def __init__(self) -> None:
        torch_threads.default_to_one()
        self._runs: dict[str, tuple[LocalTrainer, Controls]] = {}

    def begin(
        self,
        name: str,
        project: Project,
        recipe: Recipe,
        own: Examples | None,
        progress: dict[str, Tensor] | None,
    ) -> StartReply | SerializedError:
        """Load, build and start what will be asked for as ``name``."""
        try:
            torch_threads.use(max(recipe.threads, 1))
            controls = Controls(recipe)
            dataset = project.load(recipe, own)
            found = LocalTrainer(project, recipe, dataset, controls, progress)
        except Exception as error:
            return SerializedError.of(error)
        self._runs[name] = found, controls
        return StartReply(found.parameters, found.data, found.steps_total, found.weights())

    def go(
        self,
        name: str,
        seconds: float,
        stop: Stop,
        settings: Settings,
        count: int,
        forget: Sequence[str],
    ) -> SliceResult | None:
        """One slice with ``count`` threads; None: it is not here. And drop what nobody needs."""
        for other in forget:
            self._runs.pop(other, None)
        if name not in self._runs:
            return None  # it was held by this actor before it died
        trainer, controls = self._runs[name]
        controls.now = settings
        trainer.use_threads(count)
        events: list[tuple[Step | Epoch, float]] = []
        fault: SerializedError | None = None
        begun, over = time.monotonic(), False
        while not over:
            try:
                found = trainer.go(seconds, stop)
            except Exception as error:
                fault = SerializedError.of(error)
                break
            events += [(event, at - begun) for event, at in found]
            over = not found or stop == "event" or time.monotonic() - begun > seconds
            over = over or (stop == "epoch" and isinstance(found[-1][0], Epoch))
        kept = stop != "time" and events and isinstance(events[-1][0], Epoch)
        saved = trainer.save() if kept else None
        return SliceResult(events, trainer.weights(), saved, trainer.ended, fault)


# --- In the web process -------------------------------------------------------------------


class RayTrainer:
    """A run's trainer in an actor, as its owner sees it."""

    ended: Ending | None

    def __init__(self, post: ActorHandle, name: str, run: Run) -> None:
        finalize(self, post.let_go, name)
        self._post, self._name = post, name
        self._controls, self._threads = run.controls, run.threads
        progress = None if run.begins_at is None else run.begins_at.progress
        recipe = run.recipe.with_(threads=run.threads)
        asked = (name, run.project, recipe, run.own, progress)
        # Pages show the data and ask the network: the set is needed here too.
        begun: StartReply | SerializedError = post.call("begin", *asked, meanwhile=run.dataset)
        if isinstance(begun, SerializedError):
            raise begun.error()
        self.parameters, self.data = begun.parameters, begun.data
        self.steps_total, self.ended, self.idle = begun.steps_total, None, 0.0
        self._weights = begun.weights
        self._saved: dict[str, Tensor] | None = None
        self._fault: SerializedError | None = None

    def use_threads(self, count: int) -> None:
        self._threads = count

    def go(self, seconds: float, stop: Stop) -> Sequence[Timed]:
        self.idle = 0.0
        if self._fault is not None:
            raise self._fault.error()
        if self.ended is not None:
            return ()
        asked = time.monotonic()
        forget, now = self._post.unneeded(), self._controls.now
        part: SliceResult | None = self._post.call(
            "go", self._name, max(seconds, 0.0), stop, now, self._threads, forget
        )
        if part is None:
            raise LostError(LOST, reason="restarted")
        arrived = time.monotonic()
        # Counted back from the end, as two machines have two clocks.
        length = part.events[-1][1] if part.events else 0.0
        self.idle = max(arrived - asked - length, 0.0)
        self._weights, self._saved, self._fault = part.weights, part.saved, part.fault
        self.ended = part.ended
        if part.fault is not None and not part.events:
            raise part.fault.error()
        return [(event, arrived - length + at) for event, at in part.events]

    def weights(self) -> dict[str, Tensor]:
        return self._weights

    def save(self) -> dict[str, Tensor] | None:
        return self._saved


class ActorHandle:
    """The way to one actor, which Ray makes anew if it dies."""

    def __init__(self, ray: Any, actor: Any) -> None:
        self._ray, self._actor = ray, actor
        self.held: set[str] = set()  # names of its runs
        self._unneeded: deque[str] = deque()

    def let_go(self, name: str) -> None:
        """Nobody needs that run any more; called from wherever its last reference was dropped."""
        self.held.discard(name)
        self._unneeded.append(name)

    def unneeded(self) -> list[str]:
        """What the actor may drop, said once."""
        names = []
        while self._unneeded:
            names.append(self._unneeded.popleft())
        return names

    def call(self, method: str, *asked: Any, meanwhile: Callable[[], Any] | None = None) -> Any:
        """Ask and wait, no longer than the server lives; ``meanwhile`` do something else.

        Raises:
            LostError: the actor, or the cluster, is not there any more.
        """
        patient_until = time.monotonic() + RESTART
        while True:
            try:
                answer = getattr(self._actor, method).remote(*asked)
                if meanwhile is not None:
                    meanwhile()
                return self._wait(answer)
            except self._ray.exceptions.ActorUnavailableError as error:
                # It restarts. What has begun is lost then, but something new can begin.
                if method != "begin" or time.monotonic() > patient_until:
                    raise _lost(error) from error
                time.sleep(0.1)
            except self._ray.exceptions.RayError as error:
                raise _lost(error) from error

    def _wait(self, answer: Any) -> Any:
        end = time.monotonic() + PATIENCE
        while threading.main_thread().is_alive() and time.monotonic() < end:
            if self._ray.wait([answer], timeout=0.5)[0]:
                return self._ray.get(answer)
        raise LostError(LOST, reason="no answer")


def _lost(error: Exception) -> LostError:
    return LostError(LOST, reason=type(error).__name__)


class Cluster:
    """This server's actors: ``cores`` of them, by default one for each core that is free.

    Raises:
        PlaygroundError: no Ray is installed, none is there, or none of its cores is free.
    """

    def __init__(self, where: str, cores: int | None = None, **options: Any) -> None:
        self._ray = _ray(where, options)
        free = int(self._ray.available_resources().get("CPU", 0))
        if not free:
            raise PlaygroundError(N_("No core of the Ray cluster at {where} is free."), where=where)
        kind = self._ray.remote(Actor).options(
            num_cpus=1, max_restarts=-1, scheduling_strategy="SPREAD"
        )
        self.posts = [
            ActorHandle(self._ray, kind.remote()) for _ in range(min(free, cores or free))
        ]
        self._lock = threading.Lock()

    def begin(self, run: Run) -> RayTrainer:
        """A trainer of ``run``, in the actor that holds the fewest."""
        name = secrets.token_hex(8)
        with self._lock:
            post = min(self.posts, key=lambda one: len(one.held))
            post.held.add(name)
        return RayTrainer(post, name, run)

    def service(self, **options: Any) -> RunService:
        """A service that trains there."""
        # Two workers a core: while one takes in what an actor sent, the next slice is trained.
        return RunService(workers=2 * len(self.posts), begin=self.begin, most_threads=1, **options)

    def close(self) -> None:
        """End the actors, and Ray if this process has started it."""
        self._ray.shutdown()


def _ray(where: str, options: dict[str, Any]) -> Any:
    """Ray itself, connected; its module has no types that every version shares."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    # Else the web server ends one minute after the cluster's head has gone.
    os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", "1000000000")
    try:
        ray = importlib.import_module("ray")
    except ImportError as error:
        raise PlaygroundError(
            N_("{variable} asks for Ray, which is not installed. Install it: {command}"),
            variable=VARIABLE,
            command="pip install -r requirements-ray.txt",
        ) from error
    variables = {"PYTHONPATH": str(Path(playground.__file__).parent.parent)}
    if folder := os.environ.get("PLAYGROUND_DATA"):
        variables["PLAYGROUND_DATA"] = folder
    if where == "local":
        options = {"include_dashboard": False, **options}
    try:
        _from_a_thread_that_stays(
            partial(
                ray.init,
                address=where,
                runtime_env={"env_vars": variables},
                logging_level=logging.WARNING,
                **options,
            )
        )
    except Exception as error:  # of many kinds
        raise PlaygroundError(
            N_("No Ray cluster answers at {where}: {reason}"),
            where=where,
            reason=f"{type(error).__name__}: {error}"[:200],
        ) from error
    return ray


def _from_a_thread_that_stays(call: Callable[[], object]) -> None:
    """Linux ends Ray's processes with the very thread that started them, and a page's ends soon."""
    done: Future[object] = Future()

    def run() -> None:
        try:
            done.set_result(call())
        except Exception as error:
            done.set_exception(error)
        else:
            threading.Event().wait()

    threading.Thread(target=run, name="ray", daemon=True).start()
    done.result()


def service(where: str, **options: Any) -> RunService:
    """The service that ``PLAYGROUND_RAY`` asks for by the address ``where``.

    Raises:
        PlaygroundError: as :class:`Cluster`.
    """
    cores = os.environ.get(CORES)
    return Cluster(where, int(cores) if cores else None).service(**options)
