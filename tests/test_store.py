"""The store: what it keeps, how much, and what it does when the disk or the file is bad."""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from playground.storage import board_store
from playground.storage import store as store_module
from playground.storage.database import address
from playground.storage.errors import (
    DeskFullError,
    MovedError,
    NicknameError,
    NoDeskError,
    RefusedError,
    StoreError,
)
from playground.storage.records import BoardEntry, Row, Score
from playground.storage.schema import EXAMPLES, METADATA
from playground.storage.store import ID, Store

ROOT = Path(__file__).parent.parent
MINE, OTHER = "m" * 22, "o" * 22
RUN = Row("r1", 1, "first", True, True, "finished", "{}", "{}", 12, 30, 0.5, "", b"net", None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "playground.db"  # a folder that is not there yet


sqlite_alone = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """One store, on SQLite (see ``file``) and on PostgreSQL."""
    opened = Store(database, patience=0.05)
    yield opened
    opened.close()


def test_runs_and_things_come_back_as_they_were(store: Store, database: str) -> None:
    store.create(MINE)
    store.create(MINE)  # once more is no fault
    second = replace(RUN, id="r2", number=2, current=False, network=None, progress=b"\0\1")
    store.save_run(MINE, second)
    store.save_run(MINE, RUN)
    store.put(MINE, "digits.own", {0: b"a", 1: b"b", 2: b"c"}, 3)
    again = Store(database)
    found = again.load(MINE)
    assert list(found.runs) == [RUN, second]
    assert found.things == {"digits.own": [b"a", b"b", b"c"]}
    again.close()


def test_a_run_takes_the_place_of_what_was_stored_of_it(store: Store) -> None:
    store.create(MINE)
    store.save_run(MINE, replace(RUN, state="running", network=None, progress=b"half"))
    store.save_run(MINE, RUN)
    assert list(store.load(MINE).runs) == [RUN]


def test_a_run_that_no_page_shows_loses_its_network_and_its_examples(store: Store) -> None:
    store.create(MINE)
    for n in (1, 2):
        store.put(MINE, f"{EXAMPLES}{n}", {0: b"x"}, 1)
        store.save_run(MINE, replace(RUN, id=f"r{n}", number=n, own=f"{EXAMPLES}{n}"))
    store.label_run(MINE, "r1", "renamed", shown=False, current=False)
    first, second = store.load(MINE).runs
    assert (first.name, first.shown, first.current) == ("renamed", False, False)
    assert first.network is None
    assert first.history == RUN.history
    assert second.network == RUN.network
    assert list(store.load(MINE).things) == [f"{EXAMPLES}2"]
    store.delete_runs(MINE, ["r2"])
    assert not store.load(MINE).things


def test_a_list_of_things_is_changed_in_places_and_cut(store: Store) -> None:
    store.create(MINE)
    store.put(MINE, "kind", {0: b"a", 1: b"b", 2: b"c"}, 3)
    store.put(MINE, "kind", {1: b"B"}, 2)
    assert store.load(MINE).things["kind"] == [b"a", b"B"]
    store.put(MINE, "kind", {}, 0)
    assert not store.load(MINE).things


def test_one_desk_neither_sees_nor_changes_another(store: Store) -> None:
    for desk in (MINE, OTHER):
        store.create(desk)
    store.save_run(MINE, RUN)
    store.put(MINE, "kind", {0: b"mine"}, 1)
    store.put(OTHER, "kind", {0: b"other"}, 1)
    store.label_run(OTHER, RUN.id, "stolen", shown=False, current=False)
    store.delete_runs(OTHER, [RUN.id])
    store.put(OTHER, "kind", {}, 0)
    with pytest.raises(RefusedError):  # another's run cannot be written over
        store.save_run(OTHER, RUN)
    assert list(store.load(MINE).runs) == [RUN]
    assert store.load(MINE).things["kind"] == [b"mine"]
    store.delete(OTHER)
    assert list(store.load(MINE).runs) == [RUN]


def test_a_desk_is_deleted_with_all_it_had(store: Store) -> None:
    store.create(MINE)
    store.save_run(MINE, RUN)
    store.put(MINE, "kind", {0: b"secret drawing"}, 1)
    store.delete(MINE)
    for act in (
        lambda: store.load(MINE),
        lambda: store.save_run(MINE, RUN),
        lambda: store.put(MINE, "kind", {0: b"x"}, 1),
    ):
        with pytest.raises(NoDeskError):
            act()
    with store.reading() as connection:
        for table in ("runs", "things"):
            assert connection.execute(sa.text(f"select count(*) from {table}")).scalar() == 0


@sqlite_alone
def test_sqlite_overwrites_what_was_deleted(store: Store, file: Path) -> None:
    store.create(MINE)
    store.put(MINE, "kind", {0: b"secret drawing"}, 1)
    store.delete(MINE)
    store.close()
    with sqlite3.connect(file) as plain:
        plain.execute("pragma wal_checkpoint(truncate)")
    plain.close()
    assert b"secret drawing" not in file.read_bytes()


def test_a_desk_is_full_by_bytes_and_by_number(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "MAX_DESK_BYTES", 1000)
    monkeypatch.setattr(store_module, "MAX_THINGS", 3)
    store.create(MINE)
    store.save_run(MINE, replace(RUN, network=b"n" * 600))
    with pytest.raises(DeskFullError, match="This desk is full"):
        store.save_run(MINE, replace(RUN, id="r2", network=b"n" * 600))
    with pytest.raises(DeskFullError):
        store.put(MINE, "kind", {0: b"x" * 600}, 1)
    store.put(MINE, "kind", {0: b"x" * 200}, 1)
    with pytest.raises(DeskFullError):
        store.put(MINE, "more", dict.fromkeys(range(3), b""), 3)
    # Nothing of what was refused is there, and what was there still is.
    found = store.load(MINE)
    assert [run.id for run in found.runs] == ["r1"]
    assert found.things == {"kind": [b"x" * 200]}
    store.create(OTHER)  # another desk has its own limit
    store.save_run(OTHER, replace(RUN, id="r3", network=b"n" * 600))
    # In place of itself a run may grow up to the limit.
    store.save_run(MINE, replace(RUN, network=b"n" * 700))


def test_the_tables_are_those_that_the_migrations_make(store: Store) -> None:
    store.create(MINE)
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert context.get_current_revision() == "0003"
        assert compare_metadata(context, METADATA) == []


@sqlite_alone
def test_a_database_of_a_newer_program_is_left_alone(store: Store, file: Path) -> None:
    store.create(MINE)
    store.close()
    with sqlite3.connect(file) as plain:
        plain.execute("update alembic_version set version_num = '9999'")
    plain.close()
    with pytest.raises(StoreError, match="newer version"):
        store.load(MINE)
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_where_the_database_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    monkeypatch.delenv("PLAYGROUND_DATABASE", raising=False)
    assert address() == f"sqlite:///{tmp_path}/playground.db"
    monkeypatch.setenv("PLAYGROUND_DATABASE", "postgresql+psycopg://here/there")
    assert address() == "postgresql+psycopg://here/there"


def test_an_address_names_a_desk_or_it_does_not() -> None:
    assert ID.fullmatch("abcdefghijklmnopqrst-_")
    for wrong in (
        "",
        "short",
        "x" * 23,
        "' or 1=1 -- 12345678901",
        "ab/cdefghijklmnopqrst-",
        "ą" * 22,
    ):
        assert not ID.fullmatch(wrong)


# --- The class board ------------------------------------------------------------------------

FIGURE = BoardEntry("digits", 0.9, None, 500, 1_234, 12.5, 300, 1.0, "")
OTHERS = "p" * 22


def rank(figure: BoardEntry) -> float:
    return -figure.value


def test_a_desk_joins_the_board_and_leaves_it_with_everything(store: Store) -> None:
    for desk in (MINE, OTHER):
        store.create(desk)
    assert store.load(MINE).member is None
    mine = store.board.join(MINE, "Ala", "ala")
    store.board.join(OTHER, "Ola", "ola")
    assert store.load(MINE).member == mine
    assert MINE not in repr(store.board.members()), "a board never says whose is what"
    for desk in (MINE, OTHER):
        found = store.board.post(desk, [FIGURE, replace(FIGURE, project="coffee", best=0.4)], rank)
        assert found is not None
        assert store.board.set_score(desk, Score(3, 2, 1))
    mine, other = store.board.members()
    assert (mine.nickname, mine.score, mine.figures["digits"]) == ("Ala", Score(3, 2, 1), FIGURE)
    store.board.leave(MINE)
    assert store.board.members() == [other]
    assert not store.board.set_score(MINE, Score(9, 9, 9))
    assert store.board.post(MINE, [FIGURE], rank) is None, "who is not there has no figures"
    again = store.board.join(MINE, "Ala", "ala")
    assert (again.figures, again.score) == ({}, Score())
    assert again.handle != mine.handle
    store.delete(OTHER)
    assert [one.nickname for one in store.board.members()] == ["Ala"]
    with store.reading() as connection:
        assert connection.execute(sa.text("select count(*) from figures")).scalar() == 0


def test_only_the_better_figure_stays(store: Store) -> None:
    store.create(MINE)
    store.board.join(MINE, "Ala", "ala")
    for value, stays in ((0.9, 0.9), (0.8, 0.9), (0.95, 0.95), (0.95, 0.95)):
        found = store.board.post(MINE, [replace(FIGURE, value=value)], rank)
        assert found is not None
        assert found.figures["digits"].value == stays
    store.board.post(MINE, [replace(FIGURE, value=0.1, project="coffee")], rank)
    assert {name: one.value for name, one in store.board.members()[0].figures.items()} == {
        "digits": 0.95,
        "coffee": 0.1,
    }


def test_a_nickname_is_one_desks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for desk in (MINE, OTHER, OTHERS):
        store.create(desk)
    first = store.board.join(MINE, "Ala", "ala")
    with pytest.raises(NicknameError, match="Somebody else"):
        store.board.join(OTHER, "ALA", "ala")
    store.board.post(MINE, [FIGURE], rank)
    renamed = store.board.join(MINE, "Ela", "ela")
    assert (renamed.handle, renamed.figures) == (first.handle, {"digits": FIGURE})
    store.board.join(OTHER, "ALA", "ala")
    monkeypatch.setattr(board_store, "MAX_MEMBERS", 2)
    with pytest.raises(NicknameError, match="is full"):
        store.board.join(OTHERS, "Ula", "ula")
    store.board.join(MINE, "Ula", "ula")  # who is there may still change the name
    with pytest.raises(NoDeskError):
        store.board.join("x" * 22, "Iza", "iza")


def test_the_teacher_takes_names_and_members_off(store: Store) -> None:
    for desk, name in ((MINE, "ala"), (OTHER, "ola"), (OTHERS, "ula")):
        store.create(desk)
        store.board.join(desk, name, name)
        store.board.post(desk, [FIGURE], rank)
    mine, other, _others = store.board.members()
    assert store.board.unname(mine.handle) == MINE
    assert store.board.unname(other.handle) == OTHER  # two without a name are no conflict
    assert store.board.unname("nobody") is None
    assert [one.nickname for one in store.board.members()] == [None, None, "ula"]
    assert store.board.members()[0].figures == {"digits": FIGURE}
    store.board.join(OTHERS, "ala", "ala")  # the name is free again
    assert store.board.expel(mine.handle) == [MINE]
    assert store.board.expel(MINE) == [], "a desk's id is no handle"
    assert len(store.board.members()) == 2
    assert sorted(store.board.expel()) == [OTHER, OTHERS]
    assert store.board.members() == []
    assert store.load(MINE).member is None
    store.save_run(MINE, RUN)  # desks stay


def test_a_database_of_the_first_kind_is_brought_up_with_nothing_lost(
    database: str, file: Path
) -> None:
    """The tables as 0001 made them, with a run and a picture in them."""
    from alembic import command
    from alembic.config import Config

    file.parent.mkdir(exist_ok=True)
    engine = sa.create_engine(database)
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option(
            "script_location", str(ROOT / "playground" / "storage" / "migrations")
        )
        config.set_main_option("path_separator", "os")
        command.upgrade(config, "0001")
        assert "members" not in sa.inspect(connection).get_table_names()
        tables = {name: METADATA.tables[name] for name in ("desks", "runs", "things")}
        connection.execute(tables["desks"].insert().values(id=MINE, created=1.0, seen=2.0))
        values = {name: getattr(RUN, name) for name in Row.__dataclass_fields__}
        connection.execute(tables["runs"].insert().values(desk=MINE, **values))
        connection.execute(
            tables["things"].insert().values(desk=MINE, kind="kind", place=0, content=b"drawn")
        )
    engine.dispose()
    store = Store(database)
    found = store.load(MINE)
    assert list(found.runs) == [RUN]
    assert found.things == {"kind": [b"drawn"]}
    assert found.member is None
    store.board.join(MINE, "Ala", "ala")
    assert len(store.board.members()) == 1
    store.close()


# --- Faults ---------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["no database", "cut", "overwritten"])
@sqlite_alone
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(
    store: Store, file: Path, damage: str
) -> None:
    store.create(MINE)
    store.put(MINE, "kind", {n: bytes([n]) * 3000 for n in range(50)}, 50)
    store.close()
    with sqlite3.connect(file) as plain:
        plain.execute("pragma wal_checkpoint(truncate)")
    plain.close()
    raw = file.read_bytes()
    bad = {
        "no database": b"This was a shopping list." * 100,
        "cut": raw[: len(raw) // 2],
        "overwritten": raw[:4096] + bytes(range(256)) * 64 + raw[4096 + 256 * 64 :],
    }[damage]
    file.write_bytes(bad)
    store.create(OTHER)
    assert store.damage is not None
    assert "playground.db.damaged-1" in str(store.damage)
    assert (file.parent / "playground.db.damaged-1").read_bytes() == bad
    assert store.load(OTHER).runs == []
    with pytest.raises(NoDeskError):
        store.load(MINE)
    # A second one does not take the first one's place.
    store.close()
    file.write_bytes(b"Another list." * 1000)
    store.create(MINE)
    assert (file.parent / "playground.db.damaged-1").read_bytes() == bad
    assert (file.parent / "playground.db.damaged-2").exists()


@sqlite_alone
def test_a_file_that_is_damaged_while_it_is_open_is_set_aside_too(store: Store, file: Path) -> None:
    store.create(MINE)
    with sqlite3.connect(file) as plain:
        plain.execute("pragma wal_checkpoint(truncate)")
    plain.close()
    raw = file.read_bytes()
    file.write_bytes(b"\0" * len(raw))
    with pytest.raises(StoreError, match="saved as"):
        store.load(MINE)
    store.create(MINE)
    assert store.generation == 1
    assert (file.parent / "playground.db.damaged-1").read_bytes()[:10] == b"\0" * 10


@sqlite_alone
def test_a_locked_database_says_so_and_works_again_afterwards(store: Store, file: Path) -> None:
    store.create(MINE)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(StoreError, match="Another program has locked") as caught:
        store.save_run(MINE, RUN)
    assert caught.value.passing
    assert store.load(MINE).runs == []  # readers do not wait
    other.execute("commit")
    other.close()
    store.save_run(MINE, RUN)
    assert list(store.load(MINE).runs) == [RUN]


@sqlite_alone
def test_a_full_disk_says_so_and_leaves_what_was_there(store: Store, file: Path) -> None:
    store.create(MINE)
    store.save_run(MINE, RUN)

    def small(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("pragma max_page_count = 20").close()

    engine = store.engine()
    engine.dispose()
    sa.event.listen(engine, "connect", small)
    with pytest.raises(StoreError, match="disk is full"):
        store.put(MINE, "kind", {0: b"x" * 1_000_000}, 1)
    assert list(store.load(MINE).runs) == [RUN]
    engine.dispose()
    sa.event.remove(engine, "connect", small)
    store.put(MINE, "kind", {0: b"x" * 1_000_000}, 1)
    assert list(store.load(MINE).runs) == [RUN]


@sqlite_alone
def test_a_folder_that_cannot_be_written_says_so(store: Store, file: Path, tmp_path: Path) -> None:
    store.create(MINE)
    store.close()
    read_only = Store(f"sqlite:///file:{file}?mode=ro&uri=true")
    with pytest.raises(StoreError, match="cannot write"):
        read_only.create(OTHER)
    (tmp_path / "note").write_text("no folder")
    nowhere = Store(f"sqlite:///{tmp_path / 'note' / 'playground.db'}")
    with pytest.raises(StoreError, match="cannot write"):
        nowhere.create(MINE)


def test_servers_that_start_at_once_make_the_tables_once(database: str) -> None:
    stores = [Store(database) for _ in range(4)]
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(store.create, MINE) for store in stores[:-1]]:
            done.result()
    stores[-1].claim(MINE)
    stores[-1].save_run(MINE, RUN)
    assert all(list(store.load(MINE).runs) == [RUN] for store in stores)
    for store in stores:
        store.close()


def test_only_the_server_that_opened_a_desk_last_writes_to_it(store: Store, database: str) -> None:
    other = Store(database)
    store.create(MINE)
    store.save_run(MINE, RUN)
    assert not store.elsewhere(MINE)
    other.claim(MINE)
    assert store.elsewhere(MINE)
    for act in (
        lambda: store.save_run(MINE, replace(RUN, name="older")),
        lambda: store.put(MINE, "kind", {}, 0),
        lambda: store.label_run(MINE, RUN.id, "older", shown=False, current=False),
        lambda: store.delete_runs(MINE, [RUN.id]),
    ):
        with pytest.raises(MovedError):
            act()
    assert list(store.load(MINE).runs) == list(other.load(MINE).runs) == [RUN]
    other.save_run(MINE, replace(RUN, name="newer"))
    store.claim(MINE)
    store.label_run(MINE, RUN.id, "back", shown=True, current=True)
    assert store.load(MINE).runs[0].name == "back"
    assert not other.elsewhere("x" * 22)
    with pytest.raises(NoDeskError):
        other.claim("x" * 22)
    other.close()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_server_that_was_restarted_is_found_again(store: Store) -> None:
    store.create(MINE)
    with store.reading() as connection:
        mine = connection.execute(sa.text("select pg_backend_pid()")).scalar_one()
    other = sa.create_engine(store.url)
    with other.begin() as connection:
        connection.execute(sa.text("select pg_terminate_backend(:pid)"), {"pid": mine})
    other.dispose()
    assert store.load(MINE).runs == []


def test_a_server_that_does_not_answer_says_so() -> None:
    away = Store("postgresql+psycopg://nobody@127.0.0.1:9/playground")
    with pytest.raises(StoreError, match="cannot be used"):
        away.create(MINE)


WRITER = """
import sys
from playground.storage.records import Row
from playground.storage.store import Store
store = Store(sys.argv[1])
desk, begun = "k" * 22, int(sys.argv[2])
store.create(desk)
for n in range(begun, begun + 100_000):
    row = Row(f"r{n % 50}", n, "", True, True, "finished", "{}", "{}", 1, 1, 0.5, "", b"n" * 20_000)
    store.save_run(desk, row)
    store.put(desk, "kind", {n % 20: str(n).encode()}, 20)
    print(n, flush=True)  # only now it is promised
"""


def test_kill_9_at_any_moment_loses_nothing_that_was_acknowledged(file: Path) -> None:
    url, begun = f"sqlite:///{file}", 0
    for turn in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, url, str(begun)],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        for _line in range(3 + 5 * turn):  # it writes on while it is killed
            assert process.stdout.readline(), "the writer ended by itself"
        process.send_signal(signal.SIGKILL)
        said = process.stdout.read().split()
        process.wait()
        process.stdout.close()
        last = int(said[-1]) if said else begun + 2 + 5 * turn
        with sqlite3.connect(file) as plain:
            assert plain.execute("pragma integrity_check").fetchone() == ("ok",)
        plain.close()
        again = Store(url)
        found = again.load("k" * 22)
        assert again.damage is None
        numbers = {run.number for run in found.runs}
        assert set(range(max(0, last - 40), last + 1)) <= numbers
        assert all(run.network == b"n" * 20_000 for run in found.runs)
        assert str(last).encode() in found.things["kind"]
        begun = max(numbers) + 1
        again.close()


def test_a_store_that_nobody_closed_lets_go_of_its_connections(file: Path) -> None:
    store = Store(f"sqlite:///{file}")
    store.create(MINE)
    engine = store._engine
    assert engine is not None
    assert engine.pool.checkedin() > 0
    del store
    gc.collect()
    assert engine.pool.checkedin() == 0
