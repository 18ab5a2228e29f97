"""One database: opened, brought up to date, made whole, and what a bad file does to it.

One SQLite file in the data folder, or another database by its address in
``PLAYGROUND_DATABASE`` (PostgreSQL, where several servers share one). Every transaction has
reached the disk when it ends, so that a process may be killed at any moment. A file that turns
out damaged is set aside under another name, never overwritten.
"""

from __future__ import annotations

import logging
import os
import secrets
import sqlite3
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from playground.data import mnist
from playground.storage import migrations
from playground.storage.errors import (
    BROKEN,
    DAMAGED,
    EMPTY,
    NEWER,
    REPLACED,
    StoreError,
    code,
    is_damage,
    sentence,
)

FILE: Final = "playground.db"
PATIENCE: Final = 5.0  # seconds to wait for a database that somebody else holds
BRIEFLY: Final = 0.1  # the same where waiting holds up others


def address() -> str:
    """Where the database is: ``PLAYGROUND_DATABASE``, else a file in the data folder."""
    return os.environ.get("PLAYGROUND_DATABASE") or f"sqlite:///{mnist.folder() / FILE}"


class Database:
    """One database, used from any thread.

    ``damage`` is what to say of a file that was damaged, replaced or empty. ``server`` stands for
    this process: of several that share a database, only the one that opened a desk last may
    write to it, as the others know an older state of it.

    Raises (each call, the first one included):
        StoreError: locked, full, read-only, unreachable, of a newer program.
    """

    def __init__(self, where: str | None = None, patience: float = PATIENCE) -> None:
        self.url = make_url(where or address())
        self.patience = patience
        self.server = secrets.token_hex(8)
        self.damage: StoreError | None = None
        self.generation = 0  # counts the files that were set aside or went away
        self.wrote = time.monotonic()  # when something was written last
        self._writes = 0  # counts transactions
        self._settled = 0  # how many of them are in the file itself for certain
        self._deleted = 0  # the last of them that deleted something
        self._engine: sa.Engine | None = None
        self._let_go: weakref.finalize[Any, Any] | None = None
        self._identity: tuple[int, int] | None = None  # of the file that the engine has open
        self._lock = RLock()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One transaction that changes nothing."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction, on the disk when the block ends; whoever is here writes alone."""
        # Asks for the lock at once: one that is only asked for at the first change may be
        # refused without waiting.
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection
        with self._lock:
            self._writes += 1
        self.wrote = time.monotonic()

    def note_deletion(self) -> None:
        """What the last transaction deleted is to leave the files soon, see :meth:`settle`."""
        self._deleted = self._writes

    def close(self) -> None:
        """Let go of the database; the next call opens it again."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None
            if self._let_go is not None:
                self._let_go.detach()

    def settle(self) -> bool:
        """Bring all that SQLite's write-ahead log holds into the file, and empty the log.

        After that a copy of the file alone is a good copy, and what was deleted is in neither.
        False: somebody reads or writes at the moment.

        Raises:
            StoreError: as each call.
        """
        before = self._writes
        if self.url.get_backend_name() == "sqlite" and not self._checkpoint():
            return False
        self._settled = max(self._settled, before)
        return True

    def _checkpoint(self) -> bool:
        try:
            connection = self.engine().raw_connection()
            try:
                cursor = connection.cursor()
                # It holds up whoever writes while it waits for readers, so not for long.
                cursor.execute(f"PRAGMA busy_timeout = {round(1000 * BRIEFLY)}")
                busy, _log, _moved = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                cursor.execute(f"PRAGMA busy_timeout = {round(1000 * self.patience)}")
                return not busy
            finally:
                connection.close()
        except sqlite3.Error as error:
            wrapped = sa.exc.DBAPIError("PRAGMA wal_checkpoint", None, error)
            raise self._said(wrapped) from error
        except sa.exc.SQLAlchemyError as error:
            raise self._said(error) from error

    @property
    def unsettled(self) -> bool:
        """May there be something in the log that is not in the file?"""
        return self._writes > self._settled

    @property
    def overdue(self) -> bool:
        """May there be something in the log, or in the file, that was deleted since?"""
        return self._deleted > self._settled

    def look(self) -> None:
        """Notice a file that was deleted or replaced, and open what is there now instead.

        Raises:
            StoreError: as each call.
        """
        with self._lock:
            if self._engine is None:
                return
        try:
            self.engine()
        except sa.exc.SQLAlchemyError as error:
            raise self._said(error) from error

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sa.Connection]:
        identity = None
        try:
            engine = self.engine()
            identity = self._identity
            connection = engine.connect().execution_options(begin=begin)
            with connection, connection.begin():
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise self._said(error, identity) from error

    def engine(self) -> sa.Engine:
        """The engine, once its tables are as this program wants them."""
        with self._lock:
            if self._engine is not None and self._identity != self._found():
                self.close()  # what SQLite still writes into a deleted file is lost
                self._begin_anew(StoreError(REPLACED))
            if self._engine is None:
                empty = self._is_empty()
                try:
                    self._engine = self._opened()
                except sa.exc.SQLAlchemyError as error:
                    if not is_damage(error):
                        raise
                    self._move_aside()
                    self._engine = self._opened()
                self._identity = self._found()
                self._writes += 1  # an earlier process may have left something in the log
                if empty and self.damage is None:
                    self.damage = StoreError(
                        EMPTY, name=FILE if self.file is None else self.file.name
                    )
                    logging.getLogger(__name__).warning("%s", self.damage)
            return self._engine

    def _begin_anew(self, said: StoreError) -> None:
        """The database is another from now on: whoever holds something writes it down again."""
        self.damage = said
        self.generation += 1
        logging.getLogger(__name__).warning("%s", said)

    def _found(self) -> tuple[int, int] | None:
        """Which file lies where the database is; None: none does, or it is no file."""
        if self.file is None:
            return None
        try:
            found = self.file.stat()
        except FileNotFoundError:
            return None
        except OSError:
            return self._identity  # nobody knows, so nothing is said
        return found.st_dev, found.st_ino

    def _is_empty(self) -> bool:
        """Does a file lie there that has nothing in it, as a copy on a full disk leaves it?"""
        if self.file is None:
            return False
        try:
            return not self.file.stat().st_size and not Path(f"{self.file}-wal").exists()
        except OSError:
            return False

    def _opened(self) -> sa.Engine:
        """A prepared engine that is let go with the store, whoever forgets to close that."""
        engine = self._prepared()
        if self._let_go is not None:
            self._let_go.detach()
        self._let_go = weakref.finalize(self, engine.dispose)
        self._let_go.atexit = False  # the process ends, and its connections with it
        return engine

    def _prepared(self) -> sa.Engine:
        if self.file is not None:
            with suppress(OSError):  # else the database says that it cannot be opened
                self.file.parent.mkdir(parents=True, exist_ok=True)
        if self.url.get_backend_name() == "sqlite":
            # Some stay open, whichever thread they were for: the last one to be closed would
            # copy the write-ahead log into the file each time.
            options: dict[str, Any] = {"connect_args": {"timeout": self.patience}}
            engine = sa.create_engine(self.url, max_overflow=50, **options)
            sa.event.listen(engine, "connect", _sqlite)
            sa.event.listen(engine, "begin", _begin)
        else:
            try:
                engine = sa.create_engine(self.url, pool_pre_ping=True, pool_recycle=300)
            except ModuleNotFoundError as error:
                raise StoreError(BROKEN, passing=False, reason=str(error)) from error
        try:
            connection = engine.connect().execution_options(begin="BEGIN IMMEDIATE")
            with connection, connection.begin():
                if engine.dialect.name == "sqlite":
                    _check(connection)
                else:  # one server at a time brings the tables up to date
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(20241)"))
                _migrate(connection)
        except BaseException:
            engine.dispose()
            raise
        return engine

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for another database, one in memory, or an SQLite URI."""
        name = self.url.database
        plain = name and name != ":memory:" and not name.startswith("file:")
        return Path(name) if name and plain and self.url.get_backend_name() == "sqlite" else None

    def _move_aside(self) -> None:
        """Give a damaged file another name, with what SQLite has beside it."""
        assert self.file is not None
        for n in range(1, 1000):
            target = self.file.with_name(f"{self.file.name}.damaged-{n}")
            if not target.exists():
                break
        for ending in ("", "-wal", "-shm"):
            source = Path(f"{self.file}{ending}")
            if source.exists():
                source.rename(f"{target}{ending}")
        self._begin_anew(StoreError(DAMAGED, name=target.name))

    def _said(
        self, error: sa.exc.SQLAlchemyError, identity: tuple[int, int] | None = None
    ) -> StoreError:
        """The sentence for what went wrong; a damaged file (``identity``) is set aside at once."""
        with self._lock:
            if is_damage(error) and self.file is not None:
                if identity is None or identity == self._found():  # else it is gone already
                    self.close()
                    try:
                        self._move_aside()
                    except OSError:
                        return sentence(error)
                return self.damage or sentence(error)
            unwritable = code(error) in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
            if unwritable and self._engine is not None:
                # SQLite opened it for reading alone, and these connections stay so.
                self._engine.dispose()
        return sentence(error)


def _sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Readers and a writer side by side, and every commit on the disk when it returns."""
    connection.isolation_level = None  # transactions begin where _begin says
    for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {setting}").close()
    connection.execute("PRAGMA secure_delete = ON").close()


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _check(connection: sa.Connection) -> None:
    """Read the whole file once.

    Raises:
        sqlalchemy.exc.DatabaseError: what it says about itself does not fit together.
    """
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if found != "ok":
        error = sqlite3.DatabaseError(found)
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise sa.exc.DatabaseError("PRAGMA quick_check", None, error)


def _migrate(connection: sa.Connection) -> None:
    """Bring the tables up to date.

    Raises:
        StoreError: they are of a newer program.
    """
    # A third of a second, which only somebody who opens a store needs.
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
    config.set_main_option("path_separator", "os")
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(NEWER, passing=False) from error


__all__ = ["Database", "address"]
