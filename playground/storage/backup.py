"""A copy of the database while the server runs, and the way back: two commands of the terminal.

``python -m playground backup FILE`` and ``python -m playground restore FILE``.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import URL, make_url

from playground.errors import PlaygroundError
from playground.i18n import N_
from playground.storage.database import address
from playground.storage.errors import StoreError
from playground.storage.schema import DESKS
from playground.storage.store import Store

PATIENCE: Final = 10.0  # seconds to wait for a server that writes
ENDINGS: Final = ("", "-wal", "-shm")  # of the files that are one SQLite database

POSTGRESQL: Final = N_(
    "The database is PostgreSQL, which has its own tools for this: pg_dump copies it while the "
    "server runs (pg_dump -Fc -f FILE -h {host} -U {user} {name}), and pg_restore --clean brings "
    "a copy back while no server runs."
)
OTHER: Final = N_("This database is not a file, so there is nothing to copy.")


class BackupError(PlaygroundError):
    """A copy that cannot be made or brought back: says why, and what to do."""


def backup(file: Path, where: str | None = None) -> int:
    """Copy the database into ``file``, whether a server runs or not; how many desks it has.

    The copy is the state of one moment, checked, and one file; nobody waits for it.

    Raises:
        BackupError: no database, ``file`` is there already, or it cannot be written.
    """
    source = _database(where)
    if not source.exists():
        raise BackupError(N_("There is no database at {file} yet."), file=source)
    if file.exists():
        raise BackupError(
            N_("{file} already exists. Choose another name, or delete it first."), file=file
        )
    with _beside(file) as copy:
        _copy(source, copy)
        desks = _checked(copy, source)
        _settle(copy)
        copy.replace(file)
    return desks


def restore(file: Path, where: str | None = None) -> tuple[int, Path | None]:
    """Put the copy ``file`` in the database's place: its desks, and what the old one is called now.

    Raises:
        BackupError: ``file`` is no database of this program or is damaged, a server runs, or
            the data folder cannot be written. Nothing has changed then.
    """
    target = _database(where)
    if not file.is_file():
        raise BackupError(N_("There is no file {file}."), file=file)
    with suppress(OSError):
        if target.exists() and file.samefile(target):
            raise BackupError(N_("{file} is the database itself."), file=file)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _beside(target) as copy:
        _copy(file, copy)
        desks = _checked(copy, file)
        _settle(copy)
        _refuse_while_used(target)
        old = _keep(target)
        copy.replace(target)
    return desks, old


def _database(where: str | None) -> Path:
    """The SQLite file that the server uses.

    Raises:
        BackupError: it uses another database.
    """
    url = make_url(where or address())
    if url.get_backend_name() == "postgresql":
        raise BackupError(POSTGRESQL, **_said(url))
    found = Store(url.render_as_string(hide_password=False)).file
    if found is None:
        raise BackupError(OTHER)
    return found


def _said(url: URL) -> dict[str, str]:
    return {
        "host": url.host or "localhost",
        "user": url.username or "playground",
        "name": url.database or "playground",
    }


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """A name beside ``file`` for what is not whole yet; whatever is left of it goes.

    Raises:
        BackupError: the system cannot write there, or SQLite cannot read or write.
    """
    copy = file.with_name(f"{file.name}.part-{os.getpid()}")
    try:
        yield copy
    except (OSError, sqlite3.Error) as error:
        raise BackupError(
            N_("{file} could not be written: {reason}."), file=file, reason=error
        ) from error
    finally:
        for ending in ENDINGS:
            with suppress(OSError):
                Path(f"{copy}{ending}").unlink(missing_ok=True)


def _copy(source: Path, copy: Path) -> None:
    """The state of one moment: all pages within one reading, so that writers change none of it."""
    # Without a log nobody uses it, and it may lie where nothing can be written.
    how = "mode=ro" if Path(f"{source}-wal").exists() else "mode=ro&immutable=1"
    address = f"{source.absolute().as_uri()}?{how}"
    with (
        closing(sqlite3.connect(address, PATIENCE, uri=True)) as old,
        closing(sqlite3.connect(copy)) as new,
    ):
        try:
            old.backup(new, pages=-1)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            raise _damaged(source) from error


def _checked(copy: Path, source: Path) -> int:
    """How many desks ``copy`` of ``source`` has; an older program's tables are brought up to date.

    Raises:
        BackupError: it is damaged, or no database of this program, or a newer one's.
    """
    with closing(sqlite3.connect(copy)) as connection:
        try:
            sound = connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        except sqlite3.DatabaseError:
            sound, names = False, set()
    if not sound:
        raise _damaged(source)
    if not {DESKS.name, "alembic_version"} <= names:
        raise BackupError(N_("The file is not a database of this program."))
    store = Store(f"sqlite:///{copy}")
    try:
        return store.count()
    except StoreError as error:
        raise BackupError(N_("The copy cannot be used: {reason}"), reason=error) from error
    finally:
        store.close()


def _damaged(file: Path) -> BackupError:
    return BackupError(
        N_(
            "The database in {file} is damaged. To rescue what is left, use sqlite3: sqlite3 "
            "{name} .recover | sqlite3 recovered.db; then restore recovered.db."
        ),
        file=file,
        name=file.name,
    )


def _settle(copy: Path) -> None:
    """Make ``copy`` a file that needs no other, and let it reach the disk."""
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    with copy.open("rb+") as file:
        os.fsync(file.fileno())


def _refuse_while_used(target: Path) -> None:
    """Bring what the database's log holds into its file, which only who is alone with it may do.

    Raises:
        BackupError: a server has it open.
    """
    if not target.exists():
        return
    with closing(sqlite3.connect(target, 1.0, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            raise BackupError(
                N_(
                    "A server has the database {file} open. Stop it, restore, and start it again; "
                    "nothing has changed."
                ),
                file=target,
            ) from error
        except sqlite3.DatabaseError:
            pass  # damaged: a server would have set it aside


def _keep(target: Path) -> Path | None:
    """Give the present database another name, with what lies beside it."""
    if not target.exists():
        return None
    names = (target.with_name(f"{target.name}.before-restore-{n}") for n in range(1, 10_000))
    old = next(name for name in names if not name.exists())
    for ending in ENDINGS:
        source = Path(f"{target}{ending}")
        if source.exists():
            source.rename(f"{old}{ending}")
    return old


# --- In the terminal ------------------------------------------------------------------------


def _print_backup(file: Path) -> None:
    print(f"{file}: {_desks(backup(file))}.")


def _print_restore(file: Path) -> None:
    desks, old = restore(file)
    kept = "" if old is None else f" What was there before is kept as {old.name}."
    print(f"Restored {_desks(desks)} from {file}.{kept} Start the server now.")


def _desks(count: int) -> str:
    return f"{count} desk" if count == 1 else f"{count} desks"


COMMANDS: Final[dict[str, tuple[str, Callable[[Path], None]]]] = {
    "backup": ("copy the database into FILE, also while the server runs", _print_backup),
    "restore": ("put the copy FILE in the database's place; stop the server first", _print_restore),
}


def add_commands(commands: Any) -> None:
    """Let the parser of the terminal know the two commands."""
    for name, (said, call) in COMMANDS.items():
        parser: argparse.ArgumentParser = commands.add_parser(name, help=said)
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.set_defaults(call=call)


def run(call: Callable[[Path], None], file: Path) -> int:
    """Carry a command out: 0 if it went well, 2 if not, which is said."""
    try:
        call(file)
    except PlaygroundError as error:
        print(error, file=sys.stderr)
        return 2
    return 0
