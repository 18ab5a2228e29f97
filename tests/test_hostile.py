"""What strangers send is read or refused in a sentence; nobody reaches, stops or starves others.

The readers' own tests bend bytes at random (``tests/data``, ``tests/export``). Here are whole
files that somebody means harm by, and what the service and the store do when things go wrong.
"""

from __future__ import annotations

import csv
import gc
import io
import json
import math
import os
import stat
import struct
import threading
import time
import tracemalloc
import weakref
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some
from torch import Tensor, nn
from wrapped import Broken, Wrapped

from playground import limits
from playground.data import tables
from playground.data.dataset import Dataset, Examples
from playground.data.pictures import load_zip
from playground.desks import run_list
from playground.desks.run_list import RunList
from playground.errors import PlaygroundError
from playground.experiments import permalink
from playground.export import weights
from playground.history import Change, EpochRow, History
from playground.projects import PROJECTS, project
from playground.projects.base import Predictor, Project
from playground.projects.rps import data as rps
from playground.projects.table import TableProject
from playground.recipe import FIELDS, Recipe
from playground.runtime import fair_queue
from playground.runtime import service as service_module
from playground.runtime.run import CpuAccount, Run, Snapshot
from playground.runtime.service import RunService
from playground.storage.errors import StoreError
from playground.storage.records import Row
from playground.storage.store import Store
from playground.ui.shell.problems import plain

Wait = Callable[[Callable[[], object]], None]
FUZZ: Final = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LABELS: Final = ("circle", "square", "triangle")
# What people put into names and cells to see what happens.
NASTY: Final = (
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "\t=1",
    "＝1+1",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](http://tracker.example/x.png)",
    "$\\href{javascript:alert(1)}{x}$",
    ":material/delete: :red[x] :red-badge[x]",
    "{__class__} {0} %s %n {reason}",
    "../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "C:\\x",
    "/dev/zero",
    "a\0b",
    "\u202egnp.exe",
    "\ud800",
    "NaN",
    "inf",
    "-1e400",
    "1" * 5000,
    "0x10",
    "١٢٣",
    "",
    "\n",
    '"',
    "'; DROP TABLE runs; --",
)
texts: Final = some.sampled_from(NASTY) | some.text(max_size=20)
JSON: Final = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.just(10**400)
    | some.floats(allow_nan=True)
    | texts.filter(lambda text: "\ud800" not in text),
    lambda inner: (
        some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


class MovableClock(Protocol):
    now: float


# --- Tables -------------------------------------------------------------------------------

TABLES: Final = [one for one in PROJECTS.values() if isinstance(one, TableProject)]


@pytest.mark.parametrize("kind", TABLES, ids=lambda kind: kind.name)
def test_rows_of_any_table_can_be_trained_on_or_are_reported(kind: TableProject) -> None:
    fields = (*kind.encoder.columns, kind.encoder.target)
    good = tables.template(fields).splitlines()[1].split(",")

    @FUZZ
    @given(some.lists(some.lists(texts, min_size=len(fields), max_size=len(fields)), max_size=4))
    def holds(rows: list[list[str]]) -> None:
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerows([[field.name for field in fields], good, *rows])
        raw = out.getvalue().encode("utf-8", "replace")
        try:
            table = tables.parse(raw, fields, "<b>x</b>.csv")
        except PlaygroundError:
            return
        found = kind.encoder.examples(table.rows)
        assert bool(found.inputs.isfinite().all())
        assert bool(found.targets.double().isfinite().all())
        for problem in table.problems:
            assert len(problem.text()) < 2_000

    holds()


@FUZZ
@given(some.lists(some.tuples(texts, texts, texts), max_size=5))
def test_any_game_file_is_read_or_refused(rows: list[tuple[str, str, str]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([("round", "player_move", "opponent_move"), *rows])
    try:
        rounds, problems = rps.from_csv(out.getvalue().encode("utf-8", "replace"), "=x.csv")
    except PlaygroundError:
        return
    assert len(rounds) + len(problems) <= 4 * len(rows) + 4
    assert all(one.player_move in rps.MOVES and one.round >= 0 for one in rounds)


def test_no_export_begins_a_cell_with_a_formula(bars: Project) -> None:
    """Names of runs are the only words in our CSV files that a stranger may have chosen."""
    listed = RunList()
    for name in NASTY:
        run = Run(bars, bars.recipe())
        one = listed.take(run)
        one.rename(name)
        assert "\n" not in one.name
        one.snapshot = Snapshot("finished", run.recipe, _trained(), 3)
    for comma in (False, True):
        text = run_list.to_csv([(one.name, one) for one in listed.runs], comma)
        for row in csv.reader(io.StringIO(text), delimiter=";" if comma else ","):
            for cell in row:
                dangerous = cell.lstrip(" ")[:1] in tuple("=+@\t\r＝＋－＠")
                negative = cell.startswith("-") and not cell[1:2].isdigit()
                assert not dangerous, cell
                assert not negative, cell


def _trained() -> History:
    history = History()
    history.epochs.append(EpochRow(1, 3, {"loss": 1.0}, {"loss": -0.5}, 1.0, 1.0))
    return history


# --- Pictures and archives ----------------------------------------------------------------


def png(width: int = 12, height: int = 12, *chunks: tuple[bytes, bytes]) -> bytes:
    """A grey PNG with more ``chunks`` (type, content) before its pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * (width + 1) * height))
    more = b"".join(chunk(*one) for one in chunks)
    return b"\x89PNG\r\n\x1a\n" + head + more + pixels + chunk(b"IEND", b"")


GOOD: Final = png()


def packed(
    files: list[tuple[str, bytes]], mode: int = 0, method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            if mode:
                info.create_system = 3  # Unix, whose modes know symbolic links
                info.external_attr = mode << 16
            archive.writestr(info, content)
    return out.getvalue()


def peak(what: Callable[[], object]) -> int:
    """The most bytes that ``what`` held at a time, refused or not."""
    gc.collect()
    tracemalloc.start()
    try:
        what()
    except PlaygroundError:
        pass
    finally:
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return top


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, deep enough for ``../..``; nothing may appear around it."""
    place = tmp_path / "a" / "b"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        "circle/../../escaped.png",
        "/circle/escaped.png",
        "circle\\..\\..\\escaped.png",
        "C:\\circle\\escaped.png",
        "circle/a\0/../escaped.png",
        "circle/" + "d/" * 500 + "escaped.png",
        "circle/" + "x" * 5000 + ".png",
        "circle/\u202egnp.exe",
        "circle/<img src=x onerror=alert(1)>.png",
    ],
)
def test_paths_in_an_archive_lead_nowhere(name: str, elsewhere: Path) -> None:
    before = sorted(elsewhere.rglob("*"))
    found = load_zip(packed([(name, GOOD), ("circle/b.png", GOOD)]), LABELS)
    assert sorted(elsewhere.rglob("*")) == before
    for _label, shown, _image in found.pictures:
        assert shown.isprintable()
        assert len(shown) <= 61


def test_a_link_in_an_archive_is_not_followed(elsewhere: Path) -> None:
    secret = elsewhere / "secret.png"
    secret.write_bytes(GOOD)
    raw = packed([("circle/a.png", os.fsencode(secret))], stat.S_IFLNK | 0o777)
    found = load_zip(raw, LABELS)
    assert found.pictures == []
    assert "is not a picture" in str(found.problems[0])


def test_an_archive_in_an_archive_is_reported() -> None:
    inner = packed([("circle/a.png", GOOD)])
    found = load_zip(packed([("circle/inner.zip", inner), ("circle/b.png", inner)]), LABELS)
    assert found.pictures == []
    assert ["archive inside" in str(one) for one in found.problems] == [True, True]


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    raw = packed([(f"circle/{n}.png", b"\0" * 25_000_000) for n in range(9)])  # 225 MB
    assert len(raw) < 300_000
    assert peak(lambda: load_zip(raw, LABELS)) < 120_000_000


def test_entries_that_share_their_bytes_do_not_multiply() -> None:
    """Fifield's bomb: a directory of thousands that all point at one entry."""
    raw = packed([("circle/a.png", b"\0" * 5_000_000)])
    start = raw.index(b"PK\x01\x02")
    end = raw.index(b"PK\x05\x06")
    entry, count = raw[start:end], 4_000
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(entry) * count, start, 0)
    bomb = raw[:start] + entry * count + tail
    with pytest.raises(PlaygroundError, match=r"too large|times its size"):
        load_zip(bomb, LABELS)


def test_words_in_a_picture_are_no_bomb() -> None:
    words = zlib.compress(b"x" * 30_000_000, 1)
    raw = png(12, 12, (b"zTXt", b"Comment\0\0" + words))
    archive = packed([("circle/a.png", raw)], method=zipfile.ZIP_STORED)
    assert peak(lambda: load_zip(archive, LABELS)) < 20_000_000


names: Final = some.lists(
    some.sampled_from([*LABELS, "koło", "..", ".", "__MACOSX", "", "x"]) | texts, max_size=4
).map("/".join)
contents: Final = some.sampled_from(
    [GOOD, b"", packed([("circle/a.png", GOOD)]), png(30_000, 30_000)[:90], b"GIF89a", b"\0" * 99]
) | some.binary(max_size=40)


@FUZZ
@given(
    some.lists(some.tuples(names, contents), max_size=5),
    some.sampled_from([0, stat.S_IFLNK | 0o777, stat.S_IFCHR, stat.S_ISUID | 0o777]),
    some.lists(some.tuples(some.integers(0, 10_000), some.integers(0, 255)), max_size=4),
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_any_archive_is_read_or_refused(
    files: list[tuple[str, bytes]], mode: int, changes: list[tuple[int, int]]
) -> None:
    files = [(name.encode("utf-8", "replace").decode(), content) for name, content in files]
    raw = bytearray(packed([file for file in files if file[0]], mode))
    for at, byte in changes:
        raw[at % len(raw)] = byte
    try:
        found = load_zip(bytes(raw), LABELS, {"koło": "circle"}, "<b>.zip")
    except PlaygroundError as error:
        said = str(error)
    else:
        said = "".join(map(str, found.problems))
        assert all(label in LABELS for label, _name, _image in found.pictures)
    assert said.isprintable()


# --- Recipes, histories, networks, links ---------------------------------------------------

USUAL: Final = {name: kind.recipe().to_dict() for name, kind in PROJECTS.items()}


@settings(FUZZ, max_examples=200)
@given(
    some.sampled_from(sorted(PROJECTS)),
    some.dictionaries(some.sampled_from([*FIELDS, "project", "data", "version", "x"]), JSON),
    some.dictionaries(some.text(max_size=6), JSON, max_size=2),
)
@example("coffee", {"project": ["coffee"]}, {})
@example("coffee", {"project": {}}, {})
@example("coffee", {"data": {"noise": [1]}}, {})
@example("coffee", {"learning_rate": 10**400}, {})
def test_any_recipe_is_run_or_refused(
    name: str, changes: dict[str, Any], data: dict[str, Any]
) -> None:
    values = {**USUAL[name], **changes}
    if data and isinstance(values["data"], dict):
        values["data"] = {**values["data"], **data}
    text = json.dumps(values)
    try:
        recipe = Recipe.from_json(text)
        recipe = project(recipe.project).check(recipe)
    except PlaygroundError:
        return
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert hash(recipe) == hash(Recipe.from_json(recipe.to_json()))


@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "NaN", "1e999", "[Infinity]"])
def test_an_option_that_is_no_number_is_refused_with_its_recipe(number: str) -> None:
    """It could not be written down again."""
    text = json.dumps({**USUAL["coffee"], "data": {"examples": 77}}).replace("77", number)
    with pytest.raises(PlaygroundError):
        Recipe.from_json(text)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "1" * 100_000, '{"a":' * 50_000, "\0", "NaN", "null", '"x"', ""]
)
def test_what_is_no_recipe_is_said(text: str) -> None:
    with pytest.raises(PlaygroundError):
        Recipe.from_json(text)


def _document() -> dict[str, Any]:
    history = _trained()
    history.data = {"source": "generated", "train": 3}
    history.losses, history.figures = [1.0, 2.0], {"mae": [1.0, 2.0]}
    history.changes.append(Change(2, "learning_rate", 0.1, 1.0, 1.0))
    record = {"name": "a", "recipe": USUAL["coffee"], "history": history.to_dict()}
    return {"version": run_list.VERSION, "runs": [record]}


def _paths(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON document."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield (*way, key)
        if isinstance(inner, dict | list):
            yield from _paths(inner, (*way, key))


@settings(FUZZ, max_examples=200)
@given(some.data())
def test_any_file_of_runs_is_read_or_refused(data: some.DataObject) -> None:
    document: Any = json.loads(json.dumps(_document()))
    *way, last = data.draw(some.sampled_from(list(_paths(document))))
    place = document
    for key in way:
        place = place[key]
    place[last] = data.draw(JSON)
    try:
        found = run_list.from_json(json.dumps(document))
    except PlaygroundError:
        return
    for name, recipe, history in found:  # what a page asks of them
        assert isinstance(name, str)
        assert Recipe.from_json(recipe.to_json()) == recipe
        assert math.isfinite(sum(history.losses))
        assert history.steps == len(history.losses)
        for split in ("train", "validation"):
            for row in history.epochs:
                for value in getattr(row, split).values():
                    assert isinstance(value, int | float)
        assert History.from_json(history.to_json()) == history


@settings(FUZZ, max_examples=100)
@given(some.data())
def test_a_network_with_another_recipe_is_refused(data: some.DataObject) -> None:
    """The tensors of one recipe under the words of another: both are checked, together."""
    name = data.draw(some.sampled_from(sorted(PROJECTS)))
    changes = data.draw(some.dictionaries(some.sampled_from(sorted(FIELDS)), JSON, max_size=2))
    raw = _saved(name, json.dumps({**USUAL[name], **changes}))
    try:
        found = weights.load(raw)
    except PlaygroundError:
        return
    assert isinstance(found, weights.SavedNetwork)
    model = project(name).build(found.recipe)
    model.load_state_dict(found.weights)


_SMALL: Final[dict[str, tuple[dict[str, Tensor], dict[str, str]]]] = {}


def _saved(name: str, recipe: str) -> bytes:
    from safetensors import torch as safetensors

    if name not in _SMALL:
        kind = project(name)
        one = kind.recipe()
        shape = () if kind.pictures else kind.input_shape(one)
        zero, unit = torch.zeros(shape).tolist(), torch.ones(shape).tolist()
        scaler = json.dumps({"mean": zero, "std": unit})
        state = {key: value.contiguous() for key, value in kind.build(one).state_dict().items()}
        _SMALL[name] = (state, {"scaler": scaler})
    state, metadata = _SMALL[name]
    return safetensors.save(state, {**metadata, "recipe": recipe})


@FUZZ
@given(
    some.sampled_from(sorted(PROJECTS)),
    some.dictionaries(some.sampled_from(sorted(FIELDS)) | some.just("show") | texts, texts),
)
@example("coffee", {"learning_rate": "1" + "0" * 400})
@example("coffee", {"hidden": "[" * 5000})
@example("shapes", {"channels": "128,128", "kernels": "3,3", "strides": "1,1"})
def test_any_link_is_a_recipe_or_says_why_not(name: str, link: dict[str, str]) -> None:
    kind = project(name)
    fields = {field.name: field for field in permalink.fields(kind)}
    values, problems = permalink.read(fields, link)
    try:
        permalink.recipe(kind, {**{key: one.default for key, one in fields.items()}, **values})
    except PlaygroundError:
        assert name == "shapes" or name == "digits"  # too large a network, which the page says
    for problem in problems:
        assert len(problem.text(str, plain)) < 3_000


@pytest.mark.parametrize("text", NASTY)
def test_a_strangers_words_are_no_markdown(text: str) -> None:
    shown = plain(text)
    # A backslash takes a sign's meaning away; without one, none is left that has any.
    rest = shown.replace("\\\\", "")
    for place, sign in enumerate(rest):
        if sign in "`*_{}[]()#+!|<>~$:":
            assert rest[place - 1] == "\\"


def test_a_strangers_address_is_no_link() -> None:
    """Streamlit's Markdown finds addresses in the text itself, whatever was escaped."""
    shown = plain("see http://evil.example, WWW.evil.example or a@evil.example").replace("\\", "")
    assert "http:" not in shown
    assert "WWW." not in shown
    assert "a@" not in shown
    assert shown.replace("\N{WORD JOINER}", "") == (
        "see http://evil.example, WWW.evil.example or a@evil.example"
    )


# --- What goes wrong while others train -----------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
        ValueError("{not} a format {0}"),
        RecursionError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_in_a_step_ends_that_run_alone(
    bars: Project, service: RunService, wait_until: Wait, error: Exception
) -> None:
    bad = Run(Wrapped(bars, Broken(error)), bars.recipe())
    good = Run(bars, bars.recipe())
    for run in (bad, good):
        service.start(run)
    wait_until(lambda: bad.over and good.over)
    assert (bad.state, good.state) == ("failed", "finished")
    assert bad.error is not None
    assert type(error).__name__ in bad.error.text()
    assert bad.snapshot().history.ended == "failed"
    assert isinstance(bad.predictor(), Predictor)


def test_who_cannot_be_told_ends_no_worker(
    bars: Project, clock: Callable[[], float], wait_until: Wait
) -> None:
    def fails(_run: Run) -> None:
        raise OSError("disk full")

    service = RunService(workers=1, clock=clock, notice=fails)
    try:
        for error in (None, ValueError("x")):
            kind = bars if error is None else Wrapped(bars, Broken(error))
            run = Run(kind, bars.recipe())
            service.start(run)
            wait_until(lambda run=run: run.over)  # type: ignore[misc]
        stopped = Run(bars, bars.recipe(epochs=500))
        service.start(stopped)
        service.stop(stopped)
        last = Run(bars, bars.recipe())
        service.start(last)
        wait_until(lambda: last.over)
        assert last.state == "finished"
    finally:
        service.close()


def test_a_diverging_run_keeps_finite_weights_and_a_history_that_is_json(
    regression: Project, service: RunService, wait_until: Wait
) -> None:
    run = Run(regression, regression.recipe(optimizer="sgd", learning_rate=10.0, epochs=500))
    service.start(run)
    wait_until(lambda: run.over)
    assert run.state == "diverged"
    assert all(bool(one.isfinite().all()) for one in run.predictor().model.state_dict().values())
    history = run.snapshot().history
    assert History.from_json(history.to_json()) == history


def endless(kind: Project) -> Run:
    return Run(kind, kind.recipe(epochs=500, batch_size=1))


@pytest.mark.parametrize("jump", [3600.0, 1e9, -3600.0, -1e9, math.inf])
def test_a_clock_that_jumps_stops_nobody_and_leaves_nobody_for_ever(
    bars: Project, service: RunService, clock: MovableClock, jump: float
) -> None:
    """A laptop's lid is closed for an hour: nobody was watching, but nobody could have."""
    if math.isinf(jump):
        jump = 1e18  # so large that seconds are lost in it
    watched, left = endless(bars), endless(bars)
    service.start(watched)
    service.start(left)
    clock.now += jump
    service.reap_idle()
    service.reap_idle()
    assert watched.active
    assert left.active
    for _ in range(math.ceil(service.pause_after) + 1):
        clock.now += 1 if abs(jump) < 1e17 else 1024
        service.look(watched)
        service.reap_idle()
    assert watched.active
    assert left.snapshot().pausing_unwatched
    for _ in range(math.ceil(service.stop_after)):
        clock.now += 1 if abs(jump) < 1e17 else 1024
        service.look(watched)
        service.reap_idle()
    assert left.over
    assert watched.active


def test_a_clock_that_jumps_to_and_fro_is_no_time(
    bars: Project, service: RunService, clock: MovableClock
) -> None:
    run = endless(bars)
    service.start(run)
    begun = clock.now
    for turn in range(50):
        clock.now = begun + (10_000 if turn % 2 else -10_000)
        service.reap_idle()
        service.look(run)
    assert run.active


def test_a_client_that_vanishes_leaves_nothing_behind(
    bars: Project, service: RunService, clock: MovableClock, wait_until: Wait
) -> None:
    run = endless(bars)
    gone = weakref.ref(run)
    service.start(run)
    del run  # the session is gone, with its list of runs
    for _ in range(round(service.stop_after) + 2):
        clock.now += 1
        service.reap_idle()
    assert service.executions == {}

    def forgotten() -> bool:
        gc.collect()
        return gone() is None

    wait_until(forgotten)
    assert service.active == 0


# --- Fair shares ----------------------------------------------------------------------------


class Slow(nn.Module):
    """A layer that keeps its worker for a while, without needing the machine."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def forward(self, inputs: Tensor) -> Tensor:
        if self.training:
            time.sleep(self.seconds)
        return inputs


@pytest.fixture
def alone(clock: Callable[[], float], monkeypatch: pytest.MonkeyPatch) -> Iterator[RunService]:
    monkeypatch.setattr(service_module, "SLICE", 0.0)  # a turn is one step
    monkeypatch.setattr(fair_queue, "ROUND", 0.02)
    service = RunService(workers=1, clock=clock)
    yield service
    service.close()


def steps(run: Run) -> int:
    return run.snapshot().history.steps


def test_one_with_large_steps_starves_nobody(
    bars: Project, alone: RunService, wait_until: Wait
) -> None:
    hog = Run(Wrapped(bars, Slow(0.1)), bars.recipe(epochs=500))
    small = Run(Wrapped(bars, Slow(0.002)), bars.recipe(epochs=500))
    for run in (hog, small):
        alone.start(run)
    # Making their data counts as time, too: long enough that it does not matter.
    wait_until(lambda: steps(hog) >= 12)
    # By turns alone it would have about twelve; by time hundreds.
    assert steps(small) > 120


def test_one_with_many_runs_gets_no_more_than_one_with_one(
    bars: Project, alone: RunService, wait_until: Wait
) -> None:
    many = RunList()
    many_at_once = range(limits.MAX_ACTIVE_RUNS)
    runs = [Run(Wrapped(bars, Slow(0.002)), bars.recipe(epochs=500)) for _ in many_at_once]
    single = Run(Wrapped(bars, Slow(0.002)), bars.recipe(epochs=500))
    for run in runs:
        many.take(run)
    for run in [*runs, single]:
        alone.start(run)
    wait_until(lambda: steps(single) >= 60)
    assert sum(map(steps, runs)) < 2 * steps(single) + 40


def test_who_draws_a_large_data_set_leaves_a_worker_to_the_others(
    bars: Project, service: RunService, wait_until: Wait
) -> None:
    permits = threading.Semaphore(0)

    class Long(Wrapped):
        def load(self, recipe: Recipe, own: Examples | None = None) -> Dataset:
            assert permits.acquire(timeout=60)
            return self.inner.load(recipe, own)

    slow = [Run(Long(bars, nn.Identity()), bars.recipe(seed=seed)) for seed in range(4)]
    other = Run(bars, bars.recipe())
    other.dataset()
    try:
        for run in slow:
            service.load(run, patience=0)
        service.start(other)
        wait_until(lambda: other.over)
        assert not any(run.loaded for run in slow)
    finally:
        permits.release(10)
    wait_until(lambda: all(run.loaded for run in slow))


def test_nobody_saves_up_turns(bars: Project, service: RunService) -> None:
    early, late = endless(bars), endless(bars)
    early.share = CpuAccount(100.0)
    service.start(early)
    service.start(late)
    assert late.share.seconds >= 100.0


# --- Others' things ---------------------------------------------------------------------------


def _stored(name: str) -> Row:
    return Row(name, 1, name, True, True, "finished", "{}", "{}", 1, 1, 1.0, network=b"mine")


def test_ids_of_another_desk_do_nothing(tmp_path: Path) -> None:
    """Who knows the id of somebody's run, and not of the desk, can neither read nor change it."""
    store = Store(f"sqlite:///{tmp_path / 'a.db'}")
    mine, other = "m" * 22, "o" * 22
    for desk in (mine, other):
        store.create(desk)
    store.save_run(mine, _stored("secret"))
    store.put(mine, "drawing", {0: b"mine"}, 1)
    before = store.load(mine)

    store.label_run(other, "secret", "stolen", False, False)
    store.delete_runs(other, ["secret"])
    store.put(other, "drawing", {}, 0)
    with pytest.raises(StoreError):
        store.save_run(other, _stored("secret"))
    store.delete("x" * 22)
    assert store.load(mine) == before
    assert list(store.load(other).runs) == []
    store.delete(other)
    assert store.load(mine) == before
    store.close()


@pytest.mark.parametrize("text", [*NASTY, "m" * 22 + "'", "%" * 22, "_" * 22])
def test_no_desk_is_found_by_anything_but_its_id(text: str, tmp_path: Path) -> None:
    from playground.desks.registry import Desks

    store = Store(f"sqlite:///{tmp_path / 'a.db'}")
    store.create("m" * 22)
    store.save_run("m" * 22, _stored("secret"))
    desks = Desks(store)
    try:
        with pytest.raises(StoreError):
            desks.open(text)
    finally:
        desks.close()


def test_workers_outlive_all_of_this(bars: Project, service: RunService, wait_until: Wait) -> None:
    """Many come, fail, stop and leave at once; the same threads serve the last one."""
    errors = [RuntimeError("x"), None, MemoryError(), None]
    runs = [
        Run(bars if error is None else Wrapped(bars, Broken(error)), bars.recipe())
        for error in errors
    ]
    for run in runs:
        service.start(run)
    service.stop(runs[1])
    wait_until(lambda: all(run.over for run in runs))
    names = [thread.name for thread in threading.enumerate() if thread.name == "training"]
    assert len(names) >= 2
    last = Run(bars, bars.recipe())
    service.start(last)
    wait_until(lambda: last.over)
    assert last.state == "finished"
