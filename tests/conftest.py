"""What the tests share: a data set that loads at once, projects around it, and patience."""

from __future__ import annotations

import glob
import logging
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
import torch
from bare import Bare
from hypothesis import settings
from torch import Tensor

from playground.data.dataset import Dataset, Examples, Scaler, Task
from playground.errors import PlaygroundError
from playground.fields import Field
from playground.projects import PROJECTS
from playground.projects.base import Preset
from playground.projects.picture import PictureProject
from playground.recipe import Recipe
from playground.runtime.service import RunService
from playground.ui.shell import parts

SIDE = 6  # of the test pictures, in pixels

# No test fails because the machine is busy.
settings.register_profile("playground", deadline=None)
settings.load_profile("playground")


@pytest.fixture(scope="session", autouse=True)
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty data folder, so that no test depends on what a computer has downloaded."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_DATA", str(folder))
        patch.delenv("PLAYGROUND_DATABASE", raising=False)
        yield folder


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Float sums depend on the number of threads, and the machine may be busy."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def broken_parts() -> Iterator[list[str]]:
    """The parts of pages that were left out in a test. There is to be none.

    A page goes on without a part that fails, so no test would see the error: a test that
    wants one takes this list and clears it.
    """
    parts.logged.clear()
    broken: list[str] = []
    logger = logging.getLogger(parts.__name__)
    handler = logging.Handler()
    handler.emit = lambda record: broken.append(  # type: ignore[method-assign]
        logging.Formatter().format(record)
    )
    logger.addHandler(handler)
    yield broken
    logger.removeHandler(handler)
    assert not broken, broken[0]


def pictures(n: int, noise: float, seed: int) -> Examples:
    """(n, 6, 6) uint8 pictures of a bar in one of three places, and which it is."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.arange(n) % 3
    inputs = torch.rand(n, SIDE, SIDE, generator=generator) * noise * 255
    for kind in range(3):
        inputs[targets == kind, 2 * kind : 2 * kind + 2] += 255 * (1 - noise)
    return Examples(inputs.to(torch.uint8), targets)


def rows(n: int, task: Task, seed: int) -> Examples:
    """(n, 3) float32 rows, and a rule of their first two columns."""
    inputs = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))
    value = 2 * inputs[:, 0] - inputs[:, 1]
    if task == "classification":
        return Examples(inputs, (value > 0).long())
    return Examples(inputs, (value > 0).float() if task == "binary" else value)


def dataset_of(make: Callable[[int, int], Examples], task: Task) -> Dataset:
    train = make(90, 1)
    return Dataset(train, make(30, 2), make(30, 3), Scaler.fit(train), task=task)


class Bars(Bare, PictureProject):
    """A picture of a bar: is it high, in the middle or low?"""

    name = "bars"
    title = "Bars"
    purpose = "Where is the bar?"
    task = "classification"
    labels = ("high", "middle", "low")
    data_fields = (Field("noise", "number", 0.5, "Noise", low=0, high=1),)
    pictures = True
    defaults: ClassVar[Mapping[str, Any]] = {
        "hidden": (8,),
        "batch_size": 16,
        "learning_rate": 0.01,
        "epochs": 2,
        "threads": 1,
    }
    presets = (Preset("short", "Short", "One epoch.", {"epochs": 1}),)

    def load(self, recipe: Recipe, own: Examples | None = None) -> Dataset:
        noise = float(recipe.data["noise"])  # type: ignore[arg-type]
        return dataset_of(lambda n, seed: pictures(n, noise, seed), self.task)

    def encode(self, raw: Any, recipe: Recipe) -> Tensor:
        if not isinstance(raw, Tensor):
            raise PlaygroundError("This is no bar.")
        return raw

    def input_shape(self, recipe: Recipe) -> tuple[int, ...]:
        return (SIDE, SIDE)


class Rows(Bare):
    """A table instead of pictures; its task is set by :func:`table`."""

    name = "rows"
    title = "Rows"
    purpose = "What follows from a row?"
    task: ClassVar[Task] = "regression"
    defaults: ClassVar[Mapping[str, Any]] = {
        "hidden": (8,),
        "loss": "mse",
        "batch_size": 16,
        "epochs": 2,
        "threads": 1,
    }

    def load(self, recipe: Recipe, own: Examples | None = None) -> Dataset:
        return dataset_of(lambda n, seed: rows(n, self.task, seed), self.task)

    def encode(self, raw: Any, recipe: Recipe) -> Tensor:
        return torch.tensor(raw, dtype=torch.float32)

    def input_shape(self, recipe: Recipe) -> tuple[int, ...]:
        return (3,)


class YesNo(Rows):
    """The same table with a yes-no question."""

    name = "yes_no"
    task = "binary"
    labels = ("no", "yes")
    defaults: ClassVar[Mapping[str, Any]] = {**Rows.defaults, "loss": "bce"}


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> Bars:
    """A classification of tiny pictures, also known to the facade by its name."""
    project = Bars()
    monkeypatch.setitem(PROJECTS, project.name, project)
    return project


@pytest.fixture
def regression(monkeypatch: pytest.MonkeyPatch) -> Rows:
    project = Rows()
    monkeypatch.setitem(PROJECTS, project.name, project)
    return project


@pytest.fixture
def yes_no(monkeypatch: pytest.MonkeyPatch) -> YesNo:
    project = YesNo()
    monkeypatch.setitem(PROJECTS, project.name, project)
    return project


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock) -> Iterator[RunService]:
    """Two workers whose clock stands still; closed after the test, whatever happened."""
    running = RunService(workers=2, clock=clock)
    yield running
    running.close()


@pytest.fixture
def wait_until() -> Callable[[Callable[[], object]], None]:
    """Wait for something that another thread will bring about, as long as it may reasonably take.

    The deadline only says how long a *failing* test takes.
    """

    def wait(happened: Callable[[], object], deadline: float = 60.0) -> None:
        end = time.monotonic() + deadline
        while not happened():
            assert time.monotonic() < end, "it never happened"
            time.sleep(0.001)

    return wait


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL for tests: ``PLAYGROUND_TEST_DATABASE``, or one of our own.

    Our own has no port, only a socket in a folder that is deleted afterwards. Skips where
    neither is to be had.
    """
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    given = os.environ.get("PLAYGROUND_TEST_DATABASE")
    if given:
        yield given
        return
    found = shutil.which("postgres") or max(
        glob.glob("/usr/lib/postgresql/*/bin/postgres"), default=""
    )
    if not found:
        pytest.skip("no PostgreSQL is installed, and PLAYGROUND_TEST_DATABASE names none")
    programs = Path(found).resolve().parent
    folder = Path(tempfile.mkdtemp(prefix="playground-pg-"))
    options: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL}
    if os.geteuid() == 0:  # the server refuses root
        try:
            shutil.chown(folder, "postgres", "postgres")
        except LookupError:
            shutil.rmtree(folder)
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        options |= {"user": "postgres", "group": "postgres", "extra_groups": []}
    data = folder / "data"
    server: subprocess.Popen[bytes] | None = None
    try:
        made = [programs / "initdb", "-D", data, "-U", "playground", "-A", "trust", "-N"]
        subprocess.run([*made, "-E", "UTF8", "--locale=C"], check=True, **options)
        settings = ["listen_addresses=", f"unix_socket_directories={folder}", "fsync=off"]
        started = [programs / "postgres", "-D", data]
        started += [word for setting in settings for word in ("-c", setting)]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(started, stderr=log, **options)
        url = f"postgresql+psycopg://playground@/postgres?host={folder}"
        _answering(url, server)
        yield url
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)
            server.wait(30)
        shutil.rmtree(folder)


def _answering(url: str, server: subprocess.Popen[bytes]) -> None:
    engine = sa.create_engine(url)
    end = time.monotonic() + 30
    while True:
        try:
            engine.connect().close()
        except sa.exc.OperationalError:
            assert server.poll() is None, "PostgreSQL did not start"
            assert time.monotonic() < end, "PostgreSQL does not answer"
            time.sleep(0.02)
        else:
            engine.dispose()
            return


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, of each kind that a store knows.

    SQLite's file is ``playground.db`` in a folder ``data`` that is not there yet.
    """
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'playground.db'}"
        return
    url = sa.make_url(request.getfixturevalue("postgresql"))
    schema = f"test_{secrets.token_hex(8)}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    mine = url.update_query_dict({"options": f"-csearch_path={schema}"})
    yield mine.render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(sa.schema.DropSchema(schema, cascade=True))
    engine.dispose()
