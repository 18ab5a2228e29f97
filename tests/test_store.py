"""The store: what it keeps, how much, and what it does when the disk or the file is bad."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from playground import store as store_module
from playground.store import (
    EXAMPLES,
    ID,
    METADATA,
    DeskFullError,
    NoDeskError,
    RefusedError,
    Row,
    Store,
    StoreError,
    address,
)

ROOT = Path(__file__).parent.parent
MINE, OTHER = "m" * 22, "o" * 22
RUN = Row("r1", 1, "first", True, True, "finished", "{}", "{}", 12, 30, 0.5, "", b"net", None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "playground.db"  # a folder that is not there yet


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{file}", patience=0.05)
    yield opened
    opened.close()


def test_runs_and_things_come_back_as_they_were(store: Store, file: Path) -> None:
    store.create(MINE)
    store.create(MINE)  # once more is no fault
    second = replace(RUN, id="r2", number=2, current=False, network=None, progress=b"\0\1")
    store.save_run(MINE, second)
    store.save_run(MINE, RUN)
    store.put(MINE, "digits.own", {0: b"a", 1: b"b", 2: b"c"}, 3)
    again = Store(f"sqlite:///{file}")
    found = again.load(MINE)
    assert list(found.runs) == [RUN, second]
    assert found.things == {"digits.own": [b"a", b"b", b"c"]}


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


def test_a_desk_is_deleted_with_all_it_had(store: Store, file: Path) -> None:
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
    store.close()
    with sqlite3.connect(file) as plain:
        assert plain.execute("select count(*) from runs").fetchone() == (0,)
        plain.execute("pragma wal_checkpoint(truncate)")
    plain.close()
    assert b"secret drawing" not in file.read_bytes()


def test_a_desk_is_full_by_bytes_and_by_number(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "MOST_BYTES", 1000)
    monkeypatch.setattr(store_module, "MOST_THINGS", 3)
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
    with store._reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert context.get_current_revision() == "0001"
        assert compare_metadata(context, METADATA) == []


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


# --- Faults ---------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["no database", "cut", "overwritten"])
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


def test_a_file_that_is_damaged_while_it_is_open_is_set_aside_too(store: Store, file: Path) -> None:
    store.create(MINE)
    with sqlite3.connect(file) as plain:
        plain.execute("pragma wal_checkpoint(truncate)")
    plain.close()
    raw = file.read_bytes()
    file.write_bytes(b"\0" * len(raw))
    with pytest.raises(StoreError, match="set aside"):
        store.load(MINE)
    store.create(MINE)
    assert store.generation == 1
    assert (file.parent / "playground.db.damaged-1").read_bytes()[:10] == b"\0" * 10


def test_a_locked_database_says_so_and_works_again_afterwards(store: Store, file: Path) -> None:
    store.create(MINE)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(StoreError, match="Another program holds") as caught:
        store.save_run(MINE, RUN)
    assert caught.value.passing
    assert store.load(MINE).runs == []  # readers do not wait
    other.execute("commit")
    other.close()
    store.save_run(MINE, RUN)
    assert list(store.load(MINE).runs) == [RUN]


def test_a_full_disk_says_so_and_leaves_what_was_there(store: Store, file: Path) -> None:
    store.create(MINE)
    store.save_run(MINE, RUN)

    def small(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("pragma max_page_count = 20").close()

    engine = store._open()
    engine.dispose()
    sa.event.listen(engine, "connect", small)
    with pytest.raises(StoreError, match="disk is full"):
        store.put(MINE, "kind", {0: b"x" * 1_000_000}, 1)
    assert list(store.load(MINE).runs) == [RUN]
    engine.dispose()
    sa.event.remove(engine, "connect", small)
    store.put(MINE, "kind", {0: b"x" * 1_000_000}, 1)
    assert list(store.load(MINE).runs) == [RUN]


def test_a_folder_that_cannot_be_written_says_so(store: Store, file: Path, tmp_path: Path) -> None:
    store.create(MINE)
    store.close()
    read_only = Store(f"sqlite:///file:{file}?mode=ro&uri=true")
    with pytest.raises(StoreError, match="may not write"):
        read_only.create(OTHER)
    (tmp_path / "note").write_text("no folder")
    nowhere = Store(f"sqlite:///{tmp_path / 'note' / 'playground.db'}")
    with pytest.raises(StoreError, match="may not write"):
        nowhere.create(MINE)


def test_a_server_that_does_not_answer_says_so() -> None:
    away = Store("postgresql+psycopg://nobody@127.0.0.1:9/playground")
    with pytest.raises(StoreError, match="cannot be used"):
        away.create(MINE)


WRITER = """
import sys
from playground.store import Row, Store
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
