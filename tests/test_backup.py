"""A copy of the database while somebody writes, and the way back."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from playground.__main__ import main
from playground.storage.backup import BackupError, backup, restore
from playground.storage.store import Store

MINE, OTHER = "A" * 22, "B" * 22


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The database's file, where the program looks for it."""
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "playground.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    found = Store(patience=5)
    yield found
    found.close()


def things(path: Path) -> dict[str, dict[str, list[bytes]]]:
    """By desk and kind, what a single file holds, read as a server would."""
    found = Store(f"sqlite:///{path}")
    try:
        return {
            desk: {kind: list(ones) for kind, ones in found.load(desk).things.items()}
            for desk in (MINE, OTHER)[: found.count()]
        }
    finally:
        found.close()


def test_a_copy_under_load_is_whole_and_of_one_moment(
    store: Store, file: Path, tmp_path: Path
) -> None:
    """Two desks are written one after the other; no copy has the second without the first."""
    store.create(MINE)
    store.create(OTHER)
    stop = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        while not stop.is_set():
            written += 1
            content = written.to_bytes(4, "big") * 5000
            for desk in (MINE, OTHER):
                store.put(desk, "kind", dict.fromkeys(range(3), content), 3)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        rounds = []
        for n in range(4):
            copy = tmp_path / f"copy-{n}.db"
            assert backup(copy) == 2
            assert not Path(f"{copy}-wal").exists()
            rounds.append(copy)
            before = written
            while written < before + 3:
                assert writer.is_alive()
    finally:
        stop.set()
        writer.join()
    seen = []
    for copy in rounds:
        alone = copy.rename(copy.with_suffix(".moved"))  # a single file, wherever it lies
        found = things(alone)
        (first,), (second,) = (set(found[desk].get("kind", [b""])) for desk in (MINE, OTHER))
        numbers = [int.from_bytes(one[:4], "big") for one in (first, second)]
        assert numbers[0] - numbers[1] in (0, 1)
        seen.append(numbers[0])
    assert seen == sorted(set(seen))


def test_a_copy_comes_back_and_the_old_file_stays_beside(
    store: Store, file: Path, tmp_path: Path
) -> None:
    store.create(MINE)
    store.create(OTHER)
    store.put(MINE, "kind", {0: b"then"}, 1)
    copy = tmp_path / "copy.db"
    assert backup(copy) == 2
    store.put(MINE, "kind", {0: b"now"}, 1)
    before = copy.read_bytes()
    with pytest.raises(BackupError, match=r"A server has the database .* open\. Stop it"):
        restore(copy)
    assert store.load(MINE).things["kind"] == [b"now"]
    store.put(MINE, "kind", {0: b"last"}, 1)
    store.close()
    desks, old = restore(copy)
    assert desks == 2
    assert old == file.with_name("playground.db.before-restore-1")
    assert {one.name for one in file.parent.iterdir()} == {file.name, old.name}
    assert things(file)[MINE]["kind"] == [b"then"]
    assert things(old)[MINE]["kind"] == [b"last"]
    assert copy.read_bytes() == before
    # Once more, and the first old one is not overwritten.
    _desks, older = restore(old)
    assert older == file.with_name("playground.db.before-restore-2")
    assert things(file)[MINE]["kind"] == [b"last"]


def test_what_a_killed_server_left_in_its_log_is_in_the_copy(file: Path, tmp_path: Path) -> None:
    """As after ``kill -9``: the log is there, and nobody has brought it into the file."""
    store = Store()
    store.create(MINE)
    store.put(MINE, "kind", {0: b"late"}, 1)
    killed = tmp_path / "killed"
    killed.mkdir()
    for one in file.parent.iterdir():
        (killed / one.name).write_bytes(one.read_bytes())
    store.close()
    assert (killed / "playground.db-wal").stat().st_size
    copy = tmp_path / "copy.db"
    where = f"sqlite:///{killed / 'playground.db'}"
    assert backup(copy, where) == 1
    with closing(sqlite3.connect(copy)) as plain:
        assert plain.execute("select content from things").fetchall() == [(b"late",)]
    # And what comes back takes the place of all three files.
    assert restore(copy, where)[0] == 1
    assert not [one for one in killed.iterdir() if one.name.startswith("playground.db-")]


def test_a_damaged_database_makes_room_for_a_copy(store: Store, file: Path, tmp_path: Path) -> None:
    store.create(MINE)
    copy = tmp_path / "copy.db"
    backup(copy)
    store.close()
    file.write_bytes(b"This was a shopping list." * 1000)
    with pytest.raises(BackupError, match=r"playground\.db is damaged.*\.recover"):
        backup(tmp_path / "second.db")
    assert restore(copy)[0] == 1
    assert file.with_name("playground.db.before-restore-1").read_bytes()[:4] == b"This"


def newer(path: Path) -> None:
    Store(f"sqlite:///{path}").count()
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("update alembic_version set version_num = '9999'")
        plain.commit()


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("create table desks (id text)")


def cut(path: Path) -> None:
    found = Store(f"sqlite:///{path}")
    found.create(MINE)
    found.put(MINE, "kind", {n: bytes(5000) for n in range(20)}, 20)
    found.close()
    path.write_bytes(path.read_bytes()[:50_000])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_bytes(b"a list" * 1000), "damaged"),
        (cut, "damaged"),
        (lambda path: path.write_bytes(b""), "not a database of this program"),
        (foreign, "not a database of this program"),
        (newer, "newer version"),
        (lambda path: None, "There is no file"),
    ],
    ids=["no database", "cut", "empty", "foreign", "newer", "missing"],
)
def test_what_is_no_copy_changes_nothing(
    make: Callable[[Path], object], said: str, store: Store, file: Path, tmp_path: Path
) -> None:
    store.create(MINE)
    store.close()
    copy = tmp_path / "copy.db"
    make(copy)
    before = file.read_bytes()
    with pytest.raises(BackupError, match=said):
        restore(copy)
    assert file.read_bytes() == before
    assert [one.name for one in file.parent.iterdir()] == [file.name]
    assert not list(tmp_path.glob("*.part-*"))


def test_a_copy_overwrites_nothing(store: Store, file: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="There is no database"):
        backup(tmp_path / "copy.db")
    store.create(MINE)
    for path in (file, tmp_path):
        with pytest.raises(BackupError, match="already exists"):
            backup(path)
    with pytest.raises(BackupError, match="could not be written"):
        backup(tmp_path / "no" / "such" / "folder.db")
    with pytest.raises(BackupError, match="the database itself"):
        restore(file)


def test_other_databases_have_programs_of_their_own(tmp_path: Path) -> None:
    where = "postgresql+psycopg://teacher:secret@db.school/class"
    for act in (backup, restore):
        with pytest.raises(BackupError) as caught:
            act(tmp_path / "copy.db", where)
        assert "pg_dump -Fc -f FILE -h db.school -U teacher class" in str(caught.value)
        assert "secret" not in str(caught.value)
    with pytest.raises(BackupError, match="not a file"):
        backup(tmp_path / "copy.db", "sqlite://")


def test_the_commands_of_the_terminal(
    store: Store, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store.create(MINE)
    copy = tmp_path / "copy.db"
    assert main(["backup", str(copy)]) == 0
    assert main(["restore", str(copy)]) == 2
    said = capsys.readouterr()
    assert said.out == f"{copy}: 1 desk.\n"
    assert "Stop it, restore, and start it again" in said.err
    store.close()
    assert main(["restore", str(copy)]) == 0
    assert (
        "kept as playground.db.before-restore-1. Start the server now." in capsys.readouterr().out
    )
    assert main(["backup", str(copy)]) == 2
    assert "already exists" in capsys.readouterr().err
