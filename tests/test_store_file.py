"""What becomes of the database's file: emptied logs, a file that goes away, an orderly end."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from playground.desks import class_board, run_list, writer
from playground.desks.desk import Desk
from playground.desks.jobs import Remains
from playground.desks.registry import Desks
from playground.history import EpochRow, History
from playground.projects.base import Project
from playground.runtime.run import Snapshot
from playground.storage import board_store, codecs
from playground.storage.errors import BoardFullError, NicknameError, StoreError
from playground.storage.store import Store

Wait = Callable[[Callable[[], object]], None]
PICTURES = codecs.pictures("bars.own", ("rock", "paper"))
MARK = b"a sentence that nobody else writes"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RETRY", "SOON", "REST"):
        monkeypatch.setattr(writer, name, 0.01)
    monkeypatch.setattr(writer, "SHARE", 1.0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "playground.db"


@pytest.fixture
def begin(file: Path) -> Iterator[Callable[[], Desks]]:
    begun: list[Desks] = []

    def start() -> Desks:
        begun.append(Desks(Store(f"sqlite:///{file}", patience=0.05)))
        return begun[-1]

    yield start
    for desks in begun:
        desks.close()


def picture(seed: int) -> tuple[np.ndarray, int]:
    return np.random.default_rng(seed).integers(0, 255, (30, 20), np.uint8), seed % 2


def over(project: Project, desk: Desk, number: int = 1, name: str = "") -> run_list.RunEntry:
    """List a run that is over, of which only the list's part is left."""
    rows = [EpochRow(1, 10, {"accuracy": 0.5}, {"accuracy": 0.5}, 1.0, 1.0)]
    history = History(losses=[0.5] * 10, epochs=rows, ended="finished")
    one = run_list.RunEntry(number, Snapshot("finished", project.recipe(), history, 10), name=name)
    desk.kept.restore(one)
    return one


def log_of(file: Path) -> int:
    """Bytes in the write-ahead log."""
    log = Path(f"{file}-wal")
    return log.stat().st_size if log.exists() else 0


def all_bytes(file: Path) -> bytes:
    """What stands in the three files that are one database."""
    return b"".join(
        path.read_bytes() for path in file.parent.iterdir() if path.name.startswith(file.name)
    )


# --- The log --------------------------------------------------------------------------------


def test_a_deleted_desk_is_in_none_of_the_files(
    begin: Callable[[], Desks], file: Path, wait_until: Wait
) -> None:
    desks = begin()
    desk, other = desks.fresh(), desks.fresh()
    other.put(PICTURES, [picture(1)])
    desk.put(PICTURES, [picture(2)])
    assert desks.flush()
    assert desk.id is not None
    desks.store.put(desk.id, "notes", {0: MARK * 300}, 1)
    desks.board.join(desk, "Ania of the raw bytes")
    assert desks.flush()
    signs = (desk.id.encode(), MARK, b"Ania of the raw bytes")
    assert all(sign in all_bytes(file) for sign in signs)
    desks.delete(desk)
    wait_until(lambda: not desks.store.overdue)
    found = all_bytes(file)
    assert [sign for sign in signs if sign in found] == []
    assert other.id is not None
    assert other.id.encode() in found


def test_what_is_deleted_on_a_desk_leaves_the_files_too(
    begin: Callable[[], Desks], file: Path, bars: Project, wait_until: Wait
) -> None:
    desks = begin()
    desk = desks.fresh()
    desk.put(PICTURES, [picture(1)])
    one = over(bars, desk, name=MARK.decode())
    desks.write(desk, Remains(one))
    desks.board.join(desk, "Ola of the raw bytes")
    assert desks.flush()
    assert MARK in all_bytes(file)
    content = PICTURES.encode(picture(1))
    assert content[-40:] in all_bytes(file)
    desk.kept.delete([one])
    desk.put(PICTURES, [])
    desk.sync()
    desks.board.leave(desk)
    assert desks.flush()
    wait_until(lambda: not desks.store.overdue)
    found = all_bytes(file)
    assert MARK not in found
    assert content[-40:] not in found
    assert b"Ola of the raw bytes" not in found


def test_a_reader_delays_the_emptying_and_does_not_prevent_it(
    begin: Callable[[], Desks], file: Path, wait_until: Wait
) -> None:
    desks = begin()
    desk = desks.fresh()
    desk.put(PICTURES, [picture(1)])
    assert desks.flush()
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from desks").fetchall()
        desks.delete(desk)
        assert not desks.store.settle()
        assert desks.store.overdue
        reader.execute("commit")
    wait_until(lambda: not desks.store.overdue)
    assert log_of(file) == 0


def test_when_nobody_writes_a_copy_of_the_file_alone_is_a_good_copy(
    begin: Callable[[], Desks], file: Path, tmp_path: Path, wait_until: Wait,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    desks = begin()
    desk = desks.fresh()
    desk.put(PICTURES, [picture(1)])
    assert desks.flush()
    assert log_of(file) > 0
    monkeypatch.setattr(writer, "QUIET", 0.01)
    wait_until(lambda: log_of(file) == 0)
    copy = tmp_path / "elsewhere.db"
    shutil.copy(file, copy)
    assert desk.id is not None
    again = Store(f"sqlite:///{copy}")
    assert list(again.load(desk.id).things) == [PICTURES.name]
    again.close()


# --- A file that goes away, or is another -----------------------------------------------------


def full_desk(desks: Desks, project: Project) -> Desk:
    desk = desks.fresh()
    desk.put(PICTURES, [picture(1), picture(2)])
    one = over(project, desk, name="the first")
    desks.write(desk, Remains(one))
    desks.board.join(desk, "Ania")
    assert desks.flush()
    return desk


def remove(file: Path) -> None:
    for path in list(file.parent.iterdir()):
        path.unlink()


def test_a_deleted_file_is_noticed_said_and_written_anew(
    begin: Callable[[], Desks], file: Path, bars: Project, wait_until: Wait
) -> None:
    desks = begin()
    desk = full_desk(desks, bars)
    remove(file)
    wait_until(lambda: desks.store.damage is not None)  # though nobody does anything
    assert "deleted or replaced" in str(desks.store.damage)
    wait_until(file.exists)
    wait_until(lambda: desks.writer.generation == desks.store.generation)
    assert desks.flush()
    assert desk.id is not None
    later = begin().open(desk.id)
    assert len(later.things(PICTURES)) == 2
    assert [one.name for one in later.kept.runs] == ["the first"]
    assert later.member is not None
    assert later.member.nickname == "Ania"


def test_what_is_written_after_the_file_went_away_is_not_lost(
    begin: Callable[[], Desks], file: Path, bars: Project
) -> None:
    """Even where the server ends before it has looked."""
    desks = begin()
    desk = full_desk(desks, bars)
    remove(file)
    desk.put(PICTURES, [*desk.things(PICTURES), picture(3)])
    desks.close()
    assert desk.id is not None
    assert len(begin().open(desk.id).things(PICTURES)) == 3


def test_an_older_file_in_its_place_gets_what_the_server_holds(
    begin: Callable[[], Desks], file: Path, bars: Project, tmp_path: Path, wait_until: Wait
) -> None:
    """The older one says of the desk that another server has it open; it does not any more."""
    desks = begin()
    desk = full_desk(desks, bars)
    assert desk.id is not None
    assert desks.store.settle()
    copy = tmp_path / "copy.db"
    shutil.copy(file, copy)
    older = Store(f"sqlite:///{copy}")
    older.claim(desk.id)
    older.close()
    desk.put(PICTURES, [picture(4)])
    assert desks.flush()
    remove(file)
    copy.rename(file)
    assert desks.open(desk.id) is desk
    desk.put(PICTURES, [picture(4), picture(5)])
    wait_until(lambda: desks.store.damage is not None)
    assert desks.flush()
    assert not desk.deleted
    later = begin().open(desk.id)
    assert len(later.things(PICTURES)) == 2
    assert np.array_equal(later.things(PICTURES)[0][0], picture(4)[0])


def test_of_two_servers_only_one_sets_a_damaged_file_aside(file: Path) -> None:
    """The other's connections still see the damage; the file in its place is a good one."""
    one, other = (Store(f"sqlite:///{file}", patience=0.05) for _n in range(2))
    one.create("a" * 22)
    other.create("b" * 22)
    one.settle()
    held = other.engine().raw_connection()
    file.write_bytes(b"\0" * file.stat().st_size)
    with pytest.raises(StoreError, match="saved as"):
        one.load("a" * 22)
    one.create("c" * 22)
    for _n in range(3):
        try:
            other.create("d" * 22)
        except StoreError:
            continue
        break
    held.close()
    assert not file.with_name("playground.db.damaged-2").exists()
    assert one.load("c" * 22).runs == []
    assert one.load("d" * 22).runs == []
    one.close()
    other.close()


def test_an_empty_file_is_said(file: Path) -> None:
    file.parent.mkdir()
    file.touch()
    store = Store(f"sqlite:///{file}")
    store.create("a" * 22)
    assert "playground.db was empty" in str(store.damage)
    store.close()
    again = Store(f"sqlite:///{file}")
    again.create("b" * 22)
    assert again.damage is None
    again.close()


def test_connections_that_were_opened_for_reading_alone_do_not_stay(file: Path) -> None:
    """As on a folder that was read-only for a while (root may write everywhere)."""
    store = Store(f"sqlite:///{file}")
    store.create("a" * 22)
    held = [store.engine().raw_connection() for _n in range(3)]
    for connection in held:
        connection.cursor().execute("PRAGMA query_only = ON")
        connection.close()
    with pytest.raises(StoreError, match="cannot write"):
        store.create("b" * 22)
    store.create("b" * 22)
    store.close()


# --- An orderly end -------------------------------------------------------------------------


def test_an_orderly_end_writes_all_though_the_first_try_fails(
    begin: Callable[[], Desks], monkeypatch: pytest.MonkeyPatch
) -> None:
    desks = begin()
    all_of_them = [desks.fresh() for _n in range(5)]
    failing = iter([True] * (writer.TRIES - 1))
    put = desks.store.put

    def busy(*given: object) -> None:
        if next(failing, False):
            raise StoreError("locked")
        put(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(writer, "RETRY", 60.0)  # nobody waits that long at the end
    monkeypatch.setattr(desks.store, "put", busy)
    for desk in all_of_them:
        desk.put(PICTURES, [picture(1)])
    desks.close()
    later = begin()
    assert [len(later.open(str(desk.id)).things(PICTURES)) for desk in all_of_them] == [1] * 5


def test_a_database_that_stays_away_does_not_hold_up_the_end(
    begin: Callable[[], Desks], monkeypatch: pytest.MonkeyPatch
) -> None:
    desks = begin()
    calls = []

    def away(*_given: object) -> None:
        calls.append(1)
        raise StoreError("locked")

    monkeypatch.setattr(desks.store, "put", away)
    for _n in range(20):
        desks.fresh().put(PICTURES, [picture(1)])
    desks.close()
    assert len(calls) <= writer.TRIES + 2


# --- What enters ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("half \ud83d of a sign", "half of a sign"),
        ("\udc00", ""),
        ("zero\0byte", "zerobyte"),
        ("\ud83d\ude00"[:1] + "x" * 100_000, "x" * run_list.LONGEST),
        ("żółć 😀", "żółć 😀"),
        (None, ""),
        (12, "12"),
    ],
)
def test_a_name_that_nothing_can_write_down_is_made_one_that_can(
    typed: object, name: str, begin: Callable[[], Desks], bars: Project
) -> None:
    desks = begin()
    desk = desks.fresh()
    desk.keep()
    one = over(bars, desk)
    one.rename(typed)
    assert one.name == name
    desks.write(desk, Remains(one))
    assert desks.flush()
    assert desk.id is not None
    assert desks.store.load(desk.id).runs[0].name == name


# --- The class board ------------------------------------------------------------------------


def test_who_has_a_network_joins_while_somebody_floods_the_board(
    file: Path, bars: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_board, "JOINS", 5)
    now = [0.0]
    desks = Desks(Store(f"sqlite:///{file}"), clock=lambda: now[0])

    def join(name: str, trained: bool = False) -> Desk:
        desk = desks.fresh()
        if trained:
            over(bars, desk)
        desks.board.join(desk, name)
        return desk

    first = join("flood 0")
    for n in range(1, 5):
        join(f"flood {n}")
    with pytest.raises(NicknameError, match="Train a network, then join"):
        join("honest")
    join("honest", trained=True)
    desks.board.join(first, "another name")  # is there already
    now[0] += 3
    for n in range(3):
        join(f"later {n}")
    with pytest.raises(NicknameError):
        join("one more")
    assert len(desks.store.board.members()) == 9
    desks.close()


def test_a_full_board_makes_room_for_who_has_something_to_show(
    file: Path, bars: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_store, "MAX_MEMBERS", 2)
    desks = Desks(Store(f"sqlite:///{file}"))
    empty, player, late = desks.fresh(), desks.fresh(), desks.fresh()
    desks.board.join(empty, "empty")
    desks.board.join(player, "player")
    player.played(1)
    assert desks.flush()
    over(bars, late)
    desks.board.join(late, "late")
    assert desks.flush()
    assert [one.nickname for one in desks.store.board.members()] == ["player", "late"]
    assert empty.member is None  # and may join again
    with pytest.raises(BoardFullError, match="Ask your teacher"):
        desks.board.join(empty, "empty")
    desks.close()
