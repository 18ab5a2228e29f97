"""Desks: what comes back in another process, what two tabs share, what a bad disk does."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import holding
import numpy as np
import pytest
import torch

from playground.backend import Backend
from playground.data.dataset import Examples
from playground.desks import stored_run, writer
from playground.desks.desk import Desk
from playground.desks.registry import FORGET
from playground.desks.run_list import RunEntry
from playground.desks.stored_run import RESTARTED
from playground.fields import Field
from playground.optimizers import Settings
from playground.projects.base import Project
from playground.projects.rps.data import Round
from playground.recipe import Recipe
from playground.rps_opponent.games import games
from playground.runtime.run import Run
from playground.storage import codecs
from playground.storage import store as store_module
from playground.storage.errors import NicknameError, NoDeskError, StoreError
from playground.storage.records import Glance, Member, Row, Score
from playground.storage.store import ID, Store

Wait = Callable[[Callable[[], object]], None]
LABELS = ("rock", "paper")
PICTURES = codecs.pictures("bars.own", LABELS)


class Process(Backend):
    """A server's life, with a clock that stands still until a test moves it."""

    def __init__(self, where: str) -> None:
        self.now = 0.0
        super().__init__(Store(where, patience=0.05), clock=lambda: self.now, workers=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "playground.db"


sqlite_alone = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def begin(database: str) -> Iterator[Callable[[], Process]]:
    """Begins a process of a server, on SQLite (see ``file``) and on PostgreSQL."""
    begun: list[Process] = []

    def start() -> Process:
        begun.append(Process(database))
        return begun[-1]

    yield start
    for process in begun:
        process.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "RETRY", 0.01)
    monkeypatch.setattr(writer, "SHARE", 1.0)
    monkeypatch.setattr(writer, "REST", 0.0)


def picture(seed: int) -> tuple[np.ndarray, int]:
    return np.random.default_rng(seed).integers(0, 255, (30, 20), np.uint8), seed % 2


def let_go(process: Process, run: Run) -> bool:
    """Has the worker told of it? Its state changes before that, and the desk hears after it."""
    return holding.idle(process.service, run)


def train(
    process: Process, desk: Desk, run: Run, wait: Wait, epochs: int | None = None
) -> RunEntry:
    """Train as a page does: start, list, and wait for the end (or for some epochs, and pause)."""
    desk.runs[run.project.name] = run
    kept = desk.take(run)
    for _epoch in range(epochs or 1):
        process.service.start(run, "end" if epochs is None else "epoch")
        wait(lambda: let_go(process, run))
    assert process.desks.flush()
    return kept


def same(one: Run, other: Run) -> bool:
    then, now = (run.predictor().model.state_dict() for run in (one, other))
    return all(torch.equal(then[name], now[name]) for name in then)


# --- What comes back ------------------------------------------------------------------------


def test_a_desk_has_an_id_once_there_is_something_to_keep(begin: Callable[[], Process]) -> None:
    process = begin()
    desk, other = process.desks.fresh(), process.desks.fresh()
    desk.put(PICTURES, [])
    desk.sync()
    assert desk.id is None
    assert process.desks.flush()
    desk.put(PICTURES, [picture(1)])
    other.put(PICTURES, [picture(1)])
    assert desk.id is not None
    assert ID.fullmatch(desk.id)
    assert desk.id != other.id
    assert process.desks.open(desk.id) is desk


def test_a_finished_run_comes_back_with_its_network_and_curves(
    begin: Callable[[], Process], bars: Project, wait_until: Wait
) -> None:
    process = begin()
    desk, run = process.desks.fresh(), Run(bars, bars.recipe())
    kept = train(process, desk, run, wait_until)
    kept.rename("my first")
    kept.shown = False
    desk.sync()
    assert process.desks.flush()
    assert desk.id is not None

    again = begin().desks.open(desk.id)
    found = again.runs["bars"]
    now, then = found.snapshot(), run.snapshot()
    assert (now.state, now.recipe, now.history) == (then.state, then.recipe, then.history)
    assert (now.steps_total, now.served) == (then.steps_total, then.served)
    assert same(run, found)
    assert found.goes_on_from is None
    listed = again.kept.runs
    assert [(one.name, one.shown, one.number) for one in listed] == [("my first", False, 1)]
    assert again.kept.of(found) is listed[0]
    assert again.take(found) is listed[0], "it is not listed twice"
    assert listed[0].parameters == run.parameters


def test_an_unfinished_run_goes_on_with_the_same_numbers(
    begin: Callable[[], Process], bars: Project, wait_until: Wait
) -> None:
    recipe = bars.recipe(epochs=5, dropout=0.3, optimizer="adam")
    process = begin()
    whole = Run(bars, recipe)
    train(process, process.desks.fresh(), whole, wait_until)
    desk, run = process.desks.fresh(), Run(bars, recipe)
    train(process, desk, run, wait_until, epochs=2)
    process.service.change(run, Settings(0.02, 0.0))
    assert desk.id is not None

    later = begin()
    again = later.desks.open(desk.id)
    found = again.runs["bars"]
    assert (found.state, found.goes_on_from) == ("paused", 2)
    assert len(found.snapshot().history.epochs) == 2
    assert found.predictor() is not None
    assert again.kept.live() == [found]
    later.service.start(found)
    wait_until(lambda: let_go(later, found))
    assert found.goes_on_from is None
    assert found.snapshot().history.losses == whole.snapshot().history.losses
    assert same(whole, found)
    # And its end is stored in turn.
    assert later.desks.flush()
    last = begin().desks.open(desk.id)
    assert last.runs["bars"].state == "finished"
    assert len(last.kept.runs) == 1


def test_a_learning_rate_that_was_moved_is_still_moved(
    begin: Callable[[], Process], bars: Project, wait_until: Wait
) -> None:
    process = begin()
    desk, run = process.desks.fresh(), Run(bars, bars.recipe(epochs=5))
    train(process, desk, run, wait_until, epochs=1)
    process.service.change(run, Settings(0.5, 0.1))
    train(process, desk, run, wait_until, epochs=1)
    assert desk.id is not None
    found = begin().desks.open(desk.id).runs["bars"]
    assert found.controls.now == Settings(0.5, 0.1)
    assert found.snapshot().history.changes == run.snapshot().history.changes


def test_a_run_with_own_examples_goes_on_with_those(
    begin: Callable[[], Process], bars: Project, wait_until: Wait
) -> None:
    own = Examples(torch.randint(0, 255, (4, 6, 6)).to(torch.uint8), torch.tensor([0, 1, 2, 0]))
    process = begin()
    desk, run = process.desks.fresh(), Run(bars, bars.recipe(), own)
    train(process, desk, run, wait_until)
    assert desk.id is not None
    process = begin()
    desk = process.desks.open(desk.id)
    found = desk.runs["bars"]
    assert found.own is not None
    assert torch.equal(found.own.inputs, own.inputs)
    assert torch.equal(found.own.targets, own.targets)
    # The next run takes its place, and the examples go with its network.
    train(process, desk, Run(bars, bars.recipe(seed=1)), wait_until)
    desk.sync()
    assert process.desks.flush()
    first, second = process.store.load(desk.id).runs
    assert (first.network, first.own, first.current) == (None, "", False)
    assert second.network is not None
    assert not process.store.load(desk.id).things


def test_what_cannot_go_on_was_stopped(
    begin: Callable[[], Process], bars: Project, wait_until: Wait
) -> None:
    process = begin()
    desk, run = process.desks.fresh(), Run(bars, bars.recipe(epochs=5))
    train(process, desk, run, wait_until, epochs=1)
    assert desk.id is not None
    row = process.store.load(desk.id).runs[0]
    process.store.save_run(desk.id, replace(row, progress=b"\x08\0\0\0\0\0\0\0{broken}"))
    again = begin().desks.open(desk.id)
    assert again.runs == {}
    (kept,) = again.kept.runs
    assert kept.snapshot.state == kept.history.ended == "stopped"
    assert kept.history.reason == RESTARTED


def test_rows_of_another_version_are_left_out_and_left_alone(
    begin: Callable[[], Process], bars: Project, wait_until: Wait
) -> None:
    process = begin()
    desk = process.desks.fresh()
    train(process, desk, Run(bars, bars.recipe()), wait_until)
    assert desk.id is not None
    row = process.store.load(desk.id).runs[0]
    for n, recipe in enumerate(("{", "[]", row.recipe.replace('"version"', '"v"'), "null"), 2):
        process.store.save_run(desk.id, replace(row, id=f"x{n}", number=n, recipe=recipe))
    process.store.save_run(desk.id, replace(row, id="h", number=9, history='{"epochs": 3}'))
    again = begin().desks.open(desk.id)
    assert len(again.kept.runs) == 1
    again.sync()
    assert len(process.store.load(desk.id).runs) == 6


def test_a_sweep_keeps_recipes_and_curves(
    begin: Callable[[], Process], bars: Project, wait_until: Wait
) -> None:
    process = begin()
    desk = process.desks.fresh()
    runs = [Run(bars, bars.recipe(seed=seed)) for seed in range(3)]
    for run in runs:
        desk.kept.take(run, shown=False)
        process.service.start(run, background=True)
    desk.sync()
    wait_until(lambda: all(let_go(process, run) for run in runs))
    assert process.desks.flush()
    assert desk.id is not None
    rows = process.store.load(desk.id).runs
    assert sorted(row.number for row in rows) == [1, 2, 3]
    assert all(row.network is None and not row.shown for row in rows)


def test_a_deleted_run_is_deleted(
    begin: Callable[[], Process], bars: Project, wait_until: Wait
) -> None:
    process = begin()
    desk = process.desks.fresh()
    kept = train(process, desk, Run(bars, bars.recipe()), wait_until)
    assert desk.id is not None
    desk.kept.delete([kept])
    desk.sync()
    assert process.desks.flush()
    assert process.store.load(desk.id).runs == []


def test_pictures_tables_and_games_come_back(begin: Callable[[], Process]) -> None:
    field = Field("cups", "integer", 1, "Cups", low=0, high=9)
    tables = codecs.table("bars.rows", (field,))
    kind = games("rps.finished")
    pictures = [picture(seed) for seed in range(5)]
    rows = [{"cups": 3}, {"cups": 4}]
    played = [[Round(1, "rock", "paper"), Round(2, "paper", "paper")], [Round(1, "rock", "rock")]]
    process = begin()
    desk = process.desks.fresh()
    desk.put(PICTURES, pictures[:3])
    desk.put(PICTURES, pictures)
    desk.put(tables, [rows])
    desk.put(kind, played)
    assert process.desks.flush()
    assert desk.id is not None
    again = begin().desks.open(desk.id)
    for (now, label), (then, right) in zip(again.things(PICTURES), pictures, strict=True):
        assert np.array_equal(now, then)
        assert label == right
    assert again.things(tables) == [rows]
    assert again.things(kind) == played


def test_only_what_is_new_is_written(
    begin: Callable[[], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = begin()
    written: list[list[int]] = []
    real = Store.put

    def put(self: Store, desk: str, kind: str, contents: dict[int, bytes], length: int) -> None:
        written.append(list(contents))
        real(self, desk, kind, contents, length)

    monkeypatch.setattr(Store, "put", put)
    desk = process.desks.fresh()
    pictures = [picture(seed) for seed in range(4)]
    for things in (pictures[:2], pictures, pictures[:1] + pictures[2:]):
        desk.put(PICTURES, things)
        assert process.desks.flush()
    assert written == [[0, 1], [2, 3], [1, 2]]


def test_a_thing_that_does_not_read_back_leaves_the_others(begin: Callable[[], Process]) -> None:
    process = begin()
    desk = process.desks.fresh()
    pictures = [picture(seed) for seed in range(3)]
    desk.put(PICTURES, pictures)
    assert process.desks.flush()
    assert desk.id is not None
    process.store.put(desk.id, PICTURES.name, {1: b"rock\nno picture"}, 3)
    later = begin()
    again = later.desks.open(desk.id)
    assert len(again.things(PICTURES)) == 2
    again.put(PICTURES, [*again.things(PICTURES), picture(9)])
    assert later.desks.flush()
    assert len(begin().desks.open(desk.id).things(PICTURES)) == 3


# --- Who has which desk ---------------------------------------------------------------------


def test_two_tabs_share_one_desk_and_lose_nothing(
    begin: Callable[[], Process], bars: Project
) -> None:
    process = begin()
    one = process.desks.fresh()
    one.put(PICTURES, [picture(1)])
    assert one.id is not None
    two = process.desks.open(one.id)
    for tab, seed in ((one, 2), (two, 3), (one, 4)):
        tab.put(PICTURES, [*tab.things(PICTURES), picture(seed)])
    assert process.desks.flush()
    assert len(begin().desks.open(one.id).things(PICTURES)) == 4
    run = Run(bars, bars.recipe())
    one.runs["bars"] = run
    assert two.runs["bars"] is run


@pytest.mark.parametrize("asked", ["", "x", "a" * 21, "a" * 22, "../../../etc/passwd", "a" * 9999])
def test_an_address_that_names_no_desk(begin: Callable[[], Process], asked: str) -> None:
    with pytest.raises(NoDeskError):
        begin().desks.open(asked)


def test_what_may_be_said_of_a_desk_opens_it_nowhere(
    begin: Callable[[], Process], bars: Project, wait_until: Wait
) -> None:
    here, there = begin(), begin()
    desk = here.desks.fresh()
    desk.put(PICTURES, [picture(1), picture(2)])
    train(here, desk, Run(bars, bars.recipe(epochs=1)), wait_until)
    assert desk.id is not None
    here.now += 660
    assert here.desks.knows(desk.id) == Glance(1, 2, 660)
    found = there.desks.knows(desk.id)
    assert found is not None
    assert (found.runs, found.things) == (1, 2)
    assert 0 <= found.ago < 60
    assert here.desks.open(desk.id) is desk  # nobody has taken it along
    for asked in ("", "../etc/passwd", "A" * 22, desk.id + "x"):
        assert here.desks.knows(asked) is None


def test_a_desk_that_cannot_be_read_now_is_not_said_to_be_gone(
    begin: Callable[[], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = begin()

    def locked(_desk: str) -> Glance:
        raise StoreError("locked")

    monkeypatch.setattr(process.store, "glance", locked)
    with pytest.raises(StoreError, match="locked"):
        process.desks.knows("A" * 22)


def test_what_is_derived_is_the_same_until_something_changes(
    begin: Callable[[], Process],
) -> None:
    desk = begin().desks.fresh()
    desk.put(PICTURES, [picture(1)])
    first = desk.derived(PICTURES, "how", object)
    assert desk.derived(PICTURES, "how", object) is first
    assert desk.derived(PICTURES, "otherwise", object) is not first
    second = desk.derived(PICTURES, "how", object)
    desk.put(PICTURES, [picture(1)])
    assert desk.derived(PICTURES, "how", object) is not second


def test_a_deleted_desk_stays_deleted(
    begin: Callable[[], Process], bars: Project, wait_until: Wait
) -> None:
    process = begin()
    desk, run = process.desks.fresh(), Run(bars, bars.recipe(epochs=500))
    desk.runs["bars"] = run
    desk.take(run)
    process.service.start(run)
    wait_until(lambda: run.checkpoint is not None)
    process.desks.delete(desk)
    process.service.stop(run)
    desk.put(PICTURES, [picture(1)])
    assert process.desks.flush()
    assert desk.deleted
    assert desk.id is not None
    for where in (process, begin()):
        with pytest.raises(NoDeskError):
            where.desks.open(desk.id)
    assert process.desks.problem is None


def test_of_two_servers_only_the_one_that_opened_a_desk_last_keeps_it(
    begin: Callable[[], Process], bars: Project, wait_until: Wait
) -> None:
    first, second = begin(), begin()
    desk = first.desks.fresh()
    desk.put(PICTURES, [picture(1)])
    train(first, desk, Run(bars, bars.recipe()), wait_until)
    assert desk.id is not None
    assert first.desks.open(desk.id) is desk
    # Elsewhere it is what was written down; from then on what is done here is kept no more.
    other = second.desks.open(desk.id)
    assert [kept.number for kept in other.kept.runs] == [1]
    other.put(PICTURES, [picture(1), picture(2)])
    desk.put(PICTURES, [])
    assert first.desks.flush()
    assert second.desks.flush()
    assert (desk.deleted, desk.moved) == (True, True)
    assert first.desks.problem is None
    # Whoever opens it here once more takes it back, as it is by now.
    again = first.desks.open(desk.id)
    assert again is not desk
    assert len(again.things(PICTURES)) == 2
    assert second.desks.open(desk.id) is not other  # without a write in between, too
    assert other.moved


def test_a_desk_that_another_server_deleted_is_not_made_again(
    begin: Callable[[], Process],
) -> None:
    one, two = begin(), begin()
    desk = one.desks.fresh()
    desk.put(PICTURES, [picture(1)])
    assert one.desks.flush()
    assert desk.id is not None
    two.desks.delete(two.desks.open(desk.id))
    desk.put(PICTURES, [picture(2)])
    assert one.desks.flush()
    assert desk.deleted
    with pytest.raises(NoDeskError):
        one.store.load(desk.id)


def test_desks_that_nobody_has_open_leave_the_memory(
    begin: Callable[[], Process], bars: Project, wait_until: Wait
) -> None:
    process = begin()
    desk = process.desks.fresh()
    train(process, desk, Run(bars, bars.recipe()), wait_until)
    name = desk.id
    assert name is not None
    process.desks.prune()
    assert name in process.desks._held
    process.now += FORGET + 1
    process.desks.prune()
    assert name not in process.desks._held
    assert process.desks.open(name) is desk, "as long as a session has it, it is the same"
    # One whose run may still go on stays.
    waiting = process.desks.fresh()
    train(process, waiting, Run(bars, bars.recipe(epochs=9)), wait_until, epochs=1)
    process.now += FORGET + 1
    process.desks.prune()
    assert waiting.id in process.desks._held


# --- The class board ------------------------------------------------------------------------


def succeed(process: Process, desk: Desk, project: Project, wait_until: Wait) -> None:
    """On the class board as Ala, with a run that is over and a round that was won."""
    process.desks.board.join(desk, "Ala")
    train(process, desk, Run(project, project.recipe()), wait_until)
    desk.played(1)


def damage(file: Path) -> None:
    """Overwrite a database that is open with nothing."""
    with sqlite3.connect(file) as plain:
        plain.execute("pragma wal_checkpoint(truncate)")
    plain.close()
    file.write_bytes(b"\0" * file.stat().st_size)


def on_board(process: Process) -> dict[str | None, Member]:
    assert process.desks.flush()
    return {one.nickname: one for one in process.store.board.members()}


def test_joining_keeps_the_desk_and_brings_the_best_of_its_runs(
    begin: Callable[[], Process], bars: Project, wait_until: Wait
) -> None:
    process = begin()
    empty, desk = process.desks.fresh(), process.desks.fresh()
    process.desks.board.join(empty, " Ola ")
    assert empty.id is not None
    assert on_board(process)["Ola"].figures == {}
    # Three runs, then joining; the run in the middle is the best.
    values = []
    for epochs in (1, 4, 1):
        run = Run(bars, bars.recipe(epochs=epochs, batch_size=64))
        train(process, desk, run, wait_until)
        values.append(run.snapshot().history.epochs[-1].validation["accuracy"])
    assert set(on_board(process)) == {"Ola"}, "nobody is there who did not ask for it"
    process.desks.board.join(desk, "Ala")
    found = on_board(process)["Ala"].figures["bars"]
    assert found.value == max(values)
    assert (found.examples, found.parameters) == (30, run.parameters)
    assert desk.member is not None
    assert desk.member.figures["bars"] == found
    # A better one comes by itself, and only what the validation set said.
    run = Run(bars, bars.recipe(epochs=30, learning_rate=0.01))
    train(process, desk, run, wait_until)
    better = on_board(process)["Ala"].figures["bars"]
    assert better.value == max(
        found.value, run.snapshot().history.epochs[-1].validation["accuracy"]
    )
    # It is all there in the next process.
    assert desk.id is not None
    assert begin().desks.open(desk.id).member == process.store.load(desk.id).member


def test_what_is_stopped_counts_and_what_comes_from_a_file_does_not(
    begin: Callable[[], Process], bars: Project, wait_until: Wait
) -> None:
    process = begin()
    desk = process.desks.fresh()
    process.desks.board.join(desk, "Ala")
    trained = Run(bars, bars.recipe())
    train(process, process.desks.fresh(), trained, wait_until)
    network = trained.predictor()
    desk.take(Run.restored(bars, bars.recipe(), network.model.state_dict(), network.scaler))
    assert on_board(process)["Ala"].figures == {}
    run = Run(bars, bars.recipe(epochs=9))
    train(process, desk, run, wait_until, epochs=1)
    assert on_board(process)["Ala"].figures == {}, "it is not over"
    process.service.stop(run)
    assert set(on_board(process)["Ala"].figures) == {"bars"}


def test_leaving_and_deleting_take_everything_off(
    begin: Callable[[], Process], bars: Project, wait_until: Wait
) -> None:
    process = begin()
    one, two = process.desks.fresh(), process.desks.fresh()
    for desk, name in ((one, "Ala"), (two, "Ola")):
        process.desks.board.join(desk, name)
        train(process, desk, Run(bars, bars.recipe()), wait_until)
        desk.played(1)
    assert set(on_board(process)) == {"Ala", "Ola"}
    process.desks.board.leave(one)
    one.played(1)
    train(process, one, Run(bars, bars.recipe(seed=1)), wait_until)
    assert set(on_board(process)) == {"Ola"}
    assert one.member is None
    process.desks.delete(two)
    assert on_board(process) == {}
    process.desks.board.join(two, "Ola")  # it is gone, and does not come back
    assert on_board(process) == {}


def test_rounds_count_from_joining_on(begin: Callable[[], Process]) -> None:
    process = begin()
    desk = process.desks.fresh()
    desk.played(1)
    process.desks.board.join(desk, "Ala")
    for outcome in (0, 1, 1, 2, 1):
        desk.played(outcome)
    assert on_board(process)["Ala"].score == Score(won=3, lost=1, drawn=1)
    assert desk.id is not None
    again = begin()
    found = again.desks.open(desk.id)
    found.played(2)
    assert on_board(again)["Ala"].score == Score(3, 2, 1)


def test_one_student_cannot_touch_anothers_entries(
    begin: Callable[[], Process], bars: Project, wait_until: Wait
) -> None:
    process = begin()
    one, two = process.desks.fresh(), process.desks.fresh()
    succeed(process, one, bars, wait_until)
    before = on_board(process)["Ala"]
    with pytest.raises(NicknameError):
        process.desks.board.join(two, "ALA")
    assert two.member is None
    process.desks.board.leave(two)
    two.played(2)
    process.desks.board.join(two, "Ola")
    process.desks.board.leave(two)
    process.desks.delete(two)
    assert on_board(process) == {"Ala": before}


def test_the_teacher_takes_off_what_the_student_then_sees(
    begin: Callable[[], Process], bars: Project, wait_until: Wait
) -> None:
    process = begin()
    desk = process.desks.fresh()
    succeed(process, desk, bars, wait_until)
    member = on_board(process)["Ala"]
    process.desks.board.unname(member.handle)
    assert desk.member is not None
    assert desk.member.nickname is None
    desk.played(1)
    assert on_board(process)[None].score == Score(2, 0, 0)
    process.desks.board.join(desk, "Ela")
    assert set(on_board(process)["Ela"].figures) == {"bars"}
    assert desk.member.score == Score(2, 0, 0), "another name is no new beginning"
    process.desks.board.expel(member.handle)
    assert desk.member is None
    desk.played(1)
    train(process, desk, Run(bars, bars.recipe(seed=1)), wait_until)
    assert on_board(process) == {}
    # Another server took it off: the next word to the board finds out.
    process.desks.board.join(desk, "Ala")
    assert process.desks.flush()
    process.store.board.expel()
    desk.played(1)
    assert on_board(process) == {}
    assert desk.member is None


@sqlite_alone
def test_a_locked_database_delays_the_board_and_loses_nothing(
    begin: Callable[[], Process], file: Path, bars: Project, wait_until: Wait
) -> None:
    process = begin()
    desk = process.desks.fresh()
    process.desks.board.join(desk, "Ala")
    assert process.desks.flush()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("begin immediate")
    run = Run(bars, bars.recipe())
    desk.runs["bars"] = run
    desk.take(run)
    process.service.start(run)
    desk.played(1)
    wait_until(lambda: run.over and process.desks.problem)
    with pytest.raises(StoreError):
        process.desks.board.leave(desk)
    assert desk.member is not None, "it still stands there"
    other.execute("commit")
    other.close()
    found = on_board(process)["Ala"]
    assert set(found.figures) == {"bars"}
    assert found.score == Score(1, 0, 0)


@sqlite_alone
def test_after_a_damaged_file_the_board_is_written_anew(
    begin: Callable[[], Process], file: Path, bars: Project, wait_until: Wait
) -> None:
    process = begin()
    desk = process.desks.fresh()
    succeed(process, desk, bars, wait_until)
    before = on_board(process)["Ala"]
    damage(file)
    desk.played(2)
    wait_until(lambda: process.store.damage is not None)
    after = on_board(process)["Ala"]
    assert after.score == Score(1, 1, 0)
    assert after.figures == before.figures


def test_desks_that_are_open_are_counted(begin: Callable[[], Process]) -> None:
    process = begin()
    one, two = process.desks.fresh(), process.desks.fresh()
    one.tabs |= {"a", "b"}
    two.tabs.add("c")
    assert set(process.desks.open_ones(lambda tab: True)) == {one, two}
    assert process.desks.open_ones(lambda tab: tab == "b") == [one]
    assert one.tabs == {"b"}
    assert process.desks.open_ones(lambda tab: False) == []


# --- Faults ---------------------------------------------------------------------------------


@sqlite_alone
def test_a_locked_database_delays_and_loses_nothing(
    begin: Callable[[], Process], file: Path, wait_until: Wait
) -> None:
    process = begin()
    desk = process.desks.fresh()
    desk.put(PICTURES, [picture(1)])
    assert process.desks.flush()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("begin immediate")
    desk.put(PICTURES, [picture(1), picture(2)])
    wait_until(lambda: process.desks.problem)
    assert "has locked the database" in str(process.desks.problem)
    other.execute("commit")
    other.close()
    assert process.desks.flush()
    wait_until(lambda: process.desks.problem is None)
    assert desk.id is not None
    assert len(begin().desks.open(desk.id).things(PICTURES)) == 2


def test_a_disk_that_cannot_be_written_leaves_a_desk_in_memory(
    tmp_path: Path, bars: Project, wait_until: Wait
) -> None:
    (tmp_path / "note").write_text("no folder")
    process = Process(f"sqlite:///{tmp_path / 'note' / 'playground.db'}")
    try:
        desk, run = process.desks.fresh(), Run(bars, bars.recipe())
        desk.runs["bars"] = run
        desk.take(run)
        process.service.start(run)
        wait_until(lambda: run.over and process.desks.problem)
        assert run.state == "finished"
        assert "cannot write" in str(process.desks.problem)
        assert desk.id is not None
        assert process.desks.open(desk.id) is desk
        with pytest.raises(StoreError):
            process.desks.open("u" * 22)
    finally:
        process.close()


def test_a_full_desk_says_so_and_goes_on_when_there_is_room(
    begin: Callable[[], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "MAX_DESK_BYTES", 2000)
    process = begin()
    desk = process.desks.fresh()
    kind = games("rps.finished")
    desk.put(PICTURES, [picture(1), picture(2)])
    desk.put(kind, [[Round(1, "rock", "rock")]])
    assert process.desks.flush()
    assert desk.problem is None
    desk.put(kind, [[Round(n, "rock", "rock") for n in range(1, 100)]])
    assert process.desks.flush()
    assert "This desk is full" in str(desk.problem)
    assert process.desks.problem is None, "the others' desks are not"
    desk.put(PICTURES, [])
    assert process.desks.flush()
    assert desk.problem is None
    assert desk.id is not None
    assert len(begin().desks.open(desk.id).things(kind)[0]) == 99


@sqlite_alone
def test_after_a_damaged_file_everything_that_is_here_is_written_anew(
    begin: Callable[[], Process], file: Path, bars: Project, wait_until: Wait
) -> None:
    process = begin()
    desk, quiet = process.desks.fresh(), process.desks.fresh()
    train(process, desk, Run(bars, bars.recipe()), wait_until)
    desk.put(PICTURES, [picture(1)])
    quiet.put(PICTURES, [picture(2)])
    assert process.desks.flush()
    damage(file)
    desk.put(PICTURES, [picture(1), picture(3)])
    wait_until(lambda: process.store.damage is not None)
    assert process.desks.flush()
    assert "damaged-1" in str(process.store.damage)
    assert desk.id is not None
    assert quiet.id is not None
    later = begin()
    assert len(later.desks.open(desk.id).things(PICTURES)) == 2
    assert later.desks.open(desk.id).runs["bars"].state == "finished"
    assert len(later.desks.open(quiet.id).things(PICTURES)) == 1


def test_a_run_that_cannot_be_written_down_ends_nothing(
    begin: Callable[[], Process],
    bars: Project,
    wait_until: Wait,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    process = begin()
    desk = process.desks.fresh()
    monkeypatch.setattr(stored_run, "to_row", lambda *what: 1 / 0)
    train(process, desk, Run(bars, bars.recipe()), wait_until)
    assert "cannot be written down" in caplog.text
    desk.put(PICTURES, [picture(1)])
    assert process.desks.flush()
    assert desk.id is not None
    assert process.store.load(desk.id).things


def test_nothing_is_pickled(begin: Callable[[], Process], bars: Project, wait_until: Wait) -> None:
    process = begin()
    desk = process.desks.fresh()
    train(process, desk, Run(bars, bars.recipe(epochs=3)), wait_until, epochs=1)
    assert desk.id is not None
    row: Row = process.store.load(desk.id).runs[0]
    assert row.progress is not None
    assert row.progress[8:9] == b"{", "a safetensors file"
    assert Recipe.from_json(row.recipe).epochs == 3
