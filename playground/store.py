"""What outlives the process: desks, with their runs and all else that is theirs.

One SQLite file in the data folder, or another database by its address in
``PLAYGROUND_DATABASE`` (PostgreSQL, where several servers share one). Every call is one
transaction that has reached the disk when it returns, so that a process may be killed at
any moment. A file that turns out damaged is set aside under another name, never
overwritten.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from threading import RLock
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from playground.data import mnist
from playground.errors import PlaygroundError
from playground.i18n import N_

FILE: Final = "playground.db"
PATIENCE: Final = 5.0  # seconds to wait for a database that somebody else holds
BRIEFLY: Final = 0.1  # the same where waiting holds up others
MOST_BYTES: Final = 64 * 2**20
"""What one desk may store: a digits network takes some 0.4 MB, a drawing 2 kB."""
MOST_THINGS: Final = 5_000
"""Pictures, tables and games of one desk."""
MOST_MEMBERS: Final = 500
"""Desks on the class board."""
EXAMPLES: Final = "examples."
"""How the kind of thing begins that is a run's own examples."""
ID: Final = re.compile(r"[A-Za-z0-9_-]{22}")  # secrets.token_urlsafe(16)

METADATA: Final = sa.MetaData()
DESKS: Final = sa.Table(
    "desks",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("seen", sa.Float, nullable=False),
    sa.Column("server", sa.String(64)),  # the one that has it open, see Store.server
)


def _desk(**options: Any) -> sa.Column[str]:
    """The column that says whose a row is: it goes with the desk."""
    return sa.Column(
        "desk",
        sa.String(64),
        sa.ForeignKey("desks.id", ondelete="CASCADE"),
        nullable=False,
        **options,
    )


RUNS: Final = sa.Table(
    "runs",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    _desk(index=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("shown", sa.Boolean, nullable=False),
    sa.Column("current", sa.Boolean, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("recipe", sa.Text, nullable=False),
    sa.Column("history", sa.Text, nullable=False),
    sa.Column("parameters", sa.Integer, nullable=False),
    sa.Column("steps_total", sa.Integer, nullable=False),
    sa.Column("served", sa.Float, nullable=False),
    sa.Column("own", sa.String(64), nullable=False),
    sa.Column("network", sa.LargeBinary),
    sa.Column("progress", sa.LargeBinary),
)
THINGS: Final = sa.Table(
    "things",
    METADATA,
    _desk(primary_key=True),
    sa.Column("kind", sa.String(64), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

MEMBERS: Final = sa.Table(
    "members",
    METADATA,
    _desk(primary_key=True),
    sa.Column("handle", sa.String(64), nullable=False, index=True, unique=True),
    sa.Column("nickname", sa.String(64)),
    sa.Column("folded", sa.String(256), index=True, unique=True),
    sa.Column("joined", sa.Float, nullable=False),
    sa.Column("won", sa.Integer, nullable=False),
    sa.Column("lost", sa.Integer, nullable=False),
    sa.Column("drawn", sa.Integer, nullable=False),
)
"""Desks on the class board; a figure there goes with its member, as a member with its desk."""
FIGURES: Final = sa.Table(
    "figures",
    METADATA,
    sa.Column(
        "desk", sa.String(64), sa.ForeignKey("members.desk", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("project", sa.String(64), primary_key=True),
    sa.Column("value", sa.Float, nullable=False),
    sa.Column("best", sa.Float),
    sa.Column("examples", sa.Integer, nullable=False),
    sa.Column("parameters", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("steps", sa.Integer, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("other", sa.Text, nullable=False),
)


class StoreError(PlaygroundError):
    """The database does not do what it should; ``passing``: it may later."""

    def __init__(self, message: str, passing: bool = True, **values: object) -> None:
        self.passing = passing
        super().__init__(message, **values)


class DeskFullError(StoreError):
    """One desk has reached its limit."""


class NoDeskError(StoreError):
    """There is no such desk."""


class MovedError(NoDeskError):
    """Another server has opened the desk since, and writes it down from now on."""


class RefusedError(StoreError):
    """The database does what it should, but this it cannot hold."""


class NicknameError(StoreError):
    """Somebody else has this nickname, or nobody more can join now."""


class BoardFullError(NicknameError):
    """Nobody more can join."""


@dataclass(frozen=True)
class Row:
    """One run as it is stored.

    ``network``: a safetensors file of :func:`playground.export.weights.save`.
    ``progress``: one of what :meth:`playground.progress.Progress.save` gave, while the
    run can still go on. ``own``: the kind of thing that its own examples are.
    """

    id: str
    number: int
    name: str
    shown: bool
    current: bool  # its project's page shows it
    state: str
    recipe: str
    history: str
    parameters: int
    steps_total: int
    served: float
    own: str = ""
    network: bytes | None = None
    progress: bytes | None = None

    @property
    def bytes(self) -> int:
        blobs = len(self.network or b"") + len(self.progress or b"")
        return len(self.recipe) + len(self.history) + blobs


@dataclass(frozen=True)
class Figure:
    """What one run reached on the validation set, as the class board says it.

    ``value``: accuracy (0..1), or the mean error in the target's unit. ``best``: the same of
    the best possible model, where it is known. ``examples``: how many validation examples.
    ``seconds``: of training alone. ``at``: when it came to the board, in Unix time.
    ``other``: JSON of the data options that make it another task than the others'; "" if none.
    """

    project: str
    value: float
    best: float | None
    examples: int
    parameters: int
    seconds: float
    steps: int
    at: float
    other: str = ""


@dataclass(frozen=True)
class Score:
    """Rounds of rock, paper, scissors: won by the student, by the predictor, and drawn."""

    won: int = 0
    lost: int = 0
    drawn: int = 0

    @property
    def rounds(self) -> int:
        return self.won + self.lost + self.drawn


@dataclass(frozen=True)
class Member:
    """One desk on the class board, which never says whose it is.

    ``handle`` stands for it there. ``nickname`` is None once the teacher has taken it away.
    """

    handle: str
    nickname: str | None
    joined: float
    score: Score = field(default_factory=Score)
    figures: Mapping[str, Figure] = field(default_factory=dict)  # by project


@dataclass(frozen=True)
class Contents:
    """All that one desk has: its runs by number, its things by kind, in their order."""

    runs: Sequence[Row]
    things: Mapping[str, Sequence[bytes]]
    member: Member | None = None  # of the class board


@dataclass(frozen=True)
class Glance:
    """What may be said of a desk before it is opened.

    ``runs``: how many are listed. ``things``: own pictures, tables and games. ``ago``: seconds
    since it was last used.
    """

    runs: int
    things: int
    ago: float


def address() -> str:
    """Where the database is: ``PLAYGROUND_DATABASE``, else a file in the data folder."""
    return os.environ.get("PLAYGROUND_DATABASE") or f"sqlite:///{mnist.folder() / FILE}"


class Store:
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

    # --- Desks ----------------------------------------------------------------------------

    def create(self, desk: str) -> None:
        """A desk of that id, if there is none yet; this server has it open."""
        new = {"created": time.time(), "seen": time.time(), "server": self.server}
        with self._writing() as connection:
            if not self._claim(connection, desk):
                connection.execute(DESKS.insert().values(id=desk, **new))

    def claim(self, desk: str) -> None:
        """From now on this server has the desk open, and no other.

        Raises:
            NoDeskError: there is no such desk.
        """
        with self._writing() as connection:
            if not self._claim(connection, desk):
                raise _gone()

    def count(self) -> int:
        """How many desks there are."""
        with self._reading() as connection:
            count = sa.select(sa.func.count()).select_from(DESKS)
            return int(connection.execute(count).scalar_one())

    def elsewhere(self, desk: str) -> bool:
        """Has another server opened the desk?"""
        with self._reading() as connection:
            where = sa.select(DESKS.c.server).where(DESKS.c.id == desk)
            return connection.execute(where).scalar() not in (None, self.server)

    def glance(self, desk: str) -> Glance:
        """What may be said of the desk, which nobody opens by this.

        Raises:
            NoDeskError: there is no such desk.
        """
        own = ~THINGS.c.kind.startswith(EXAMPLES)
        counts = (
            sa.select(sa.func.count()).select_from(RUNS).where(RUNS.c.desk == desk),
            sa.select(sa.func.count()).select_from(THINGS).where(THINGS.c.desk == desk, own),
        )
        with self._reading() as connection:
            where = sa.select(DESKS.c.seen).where(DESKS.c.id == desk)
            seen = connection.execute(where).scalar()
            if seen is None:
                raise _gone()
            runs, things = (connection.execute(count).scalar_one() for count in counts)
            return Glance(runs, things, max(0.0, time.time() - seen))

    def load(self, desk: str) -> Contents:
        """All that the desk has.

        Raises:
            NoDeskError: there is no such desk.
        """
        with self._reading() as connection:
            if not self._exists(connection, desk):
                raise _gone()
            columns = [RUNS.c[field.name] for field in fields(Row)]
            found = sa.select(*columns).where(RUNS.c.desk == desk).order_by(RUNS.c.number)
            runs = [Row(**row._mapping) for row in connection.execute(found)]
            things: dict[str, list[bytes]] = {}
            where = sa.select(THINGS.c.kind, THINGS.c.content).where(THINGS.c.desk == desk)
            for kind, content in connection.execute(where.order_by(THINGS.c.kind, THINGS.c.place)):
                things.setdefault(kind, []).append(content)
            members = self._members(connection, desk)
            return Contents(runs, things, members[0] if members else None)

    def delete(self, desk: str) -> None:
        """The desk and all that is its; SQLite overwrites what it frees, see :meth:`settle`."""
        with self._writing() as connection:
            connection.execute(DESKS.delete().where(DESKS.c.id == desk))
        self._deleted = self._writes

    # --- What is on them ------------------------------------------------------------------

    def save_run(self, desk: str, row: Row) -> None:
        """Store a run, in place of what was stored of it.

        Raises:
            NoDeskError, DeskFullError: nothing has been stored.
        """
        with self._writing() as connection:
            self._see(connection, desk)
            connection.execute(RUNS.delete().where(RUNS.c.id == row.id, RUNS.c.desk == desk))
            if self._bytes(connection, desk) + row.bytes > MOST_BYTES:
                raise _full()
            values = {field.name: getattr(row, field.name) for field in fields(Row)}
            connection.execute(RUNS.insert().values(desk=desk, **values))

    def label_run(self, desk: str, run: str, name: str, shown: bool, current: bool) -> None:
        """What the student says about a run, whose figures stay as they are.

        One that no page shows any more keeps its recipe and its curves, as in the list of
        runs; its network goes.
        """
        values: dict[str, Any] = {"name": name, "shown": shown, "current": current}
        if not current:
            values |= {"network": None, "progress": None, "own": ""}
        with self._writing() as connection:
            self._see(connection, desk)
            where = RUNS.update().where(RUNS.c.desk == desk, RUNS.c.id == run)
            connection.execute(where.values(**values))
            self._tidy(connection, desk)

    def delete_runs(self, desk: str, runs: Sequence[str]) -> None:
        with self._writing() as connection:
            self._see(connection, desk)
            connection.execute(RUNS.delete().where(RUNS.c.desk == desk, RUNS.c.id.in_(runs)))
            self._tidy(connection, desk)
        self._deleted = self._writes

    def put(self, desk: str, kind: str, contents: Mapping[int, bytes], length: int) -> None:
        """Of the list of things of one ``kind``, store those ``contents`` and cut it to ``length``.

        Raises:
            NoDeskError, DeskFullError: nothing has been stored.
        """
        with self._writing() as connection:
            self._see(connection, desk)
            mine = (THINGS.c.desk == desk) & (THINGS.c.kind == kind)
            replaced = THINGS.c.place.in_(list(contents)) | (THINGS.c.place >= length)
            replaced_some = connection.execute(THINGS.delete().where(mine & replaced)).rowcount > 0
            rows = [
                {"desk": desk, "kind": kind, "place": place, "content": content}
                for place, content in contents.items()
            ]
            if rows:
                connection.execute(THINGS.insert(), rows)
            count = sa.select(sa.func.count()).select_from(THINGS).where(THINGS.c.desk == desk)
            if connection.execute(count).scalar_one() > MOST_THINGS:
                raise _full()
            if self._bytes(connection, desk) > MOST_BYTES:
                raise _full()
        if replaced_some:
            self._deleted = self._writes

    # --- The class board ------------------------------------------------------------------

    def join(self, desk: str, nickname: str | None, folded: str | None) -> Member:
        """Put the desk on the board, or give it another nickname there.

        ``folded``: the same for all nicknames that count as one.

        Raises:
            NoDeskError: there is no such desk.
            NicknameError: another desk has the nickname, or the board is full.
        """
        try:
            with self._writing() as connection:
                self._see(connection, desk)
                other = (MEMBERS.c.folded == folded) & (MEMBERS.c.desk != desk)
                if connection.execute(sa.select(MEMBERS.c.handle).where(other)).first():
                    raise _taken()
                names = {"nickname": nickname, "folded": folded}
                found = connection.execute(
                    MEMBERS.update().where(MEMBERS.c.desk == desk).values(**names)
                )
                if not found.rowcount:
                    count = sa.select(sa.func.count()).select_from(MEMBERS)
                    if connection.execute(count).scalar_one() >= MOST_MEMBERS:
                        raise BoardFullError(
                            N_(
                                "The class board is full: it holds {n} desks. Ask your teacher to "
                                "remove those that nobody needs any more."
                            ),
                            passing=False,
                            n=MOST_MEMBERS,
                        )
                    new = {"handle": secrets.token_urlsafe(8), "joined": time.time()}
                    none = {"won": 0, "lost": 0, "drawn": 0}
                    connection.execute(MEMBERS.insert().values(desk=desk, **names, **new, **none))
                return self._members(connection, desk)[0]
        except RefusedError as error:  # another server was quicker
            raise _taken() from error

    def make_room(self) -> str | None:
        """Take off the board who has stood there longest without a figure or a round; whose desk.

        None: everybody there has something to show.
        """
        rounds = MEMBERS.c.won + MEMBERS.c.lost + MEMBERS.c.drawn
        nothing = (rounds == 0) & MEMBERS.c.desk.not_in(sa.select(FIGURES.c.desk))
        with self._writing() as connection:
            first = sa.select(MEMBERS.c.desk).where(nothing).order_by(MEMBERS.c.joined).limit(1)
            desk = connection.execute(first).scalar()
            if desk is not None:
                connection.execute(MEMBERS.delete().where(MEMBERS.c.desk == desk))
        self._deleted = self._writes
        return desk

    def leave(self, desk: str) -> None:
        """Take the desk off the board, with all that stands there of it."""
        with self._writing() as connection:
            connection.execute(MEMBERS.delete().where(MEMBERS.c.desk == desk))
        self._deleted = self._writes

    def post(
        self, desk: str, figures: Sequence[Figure], rank: Callable[[Figure], Any]
    ) -> Member | None:
        """Put those of ``figures`` on the board that rank before what stands there of the desk.

        None: the desk is not on the board, and nothing has been stored.
        """
        with self._writing() as connection:
            members = self._members(connection, desk, lock=True)
            if not members:
                return None
            for figure in figures:
                there = self._members(connection, desk)[0].figures.get(figure.project)
                if there is not None and rank(there) <= rank(figure):
                    continue
                mine = (FIGURES.c.desk == desk) & (FIGURES.c.project == figure.project)
                connection.execute(FIGURES.delete().where(mine))
                values = {one.name: getattr(figure, one.name) for one in fields(Figure)}
                connection.execute(FIGURES.insert().values(desk=desk, **values))
            return self._members(connection, desk)[0]

    def set_score(self, desk: str, score: Score) -> bool:
        """The desk's score on the board; False: it is not there, and nothing is stored."""
        with self._writing() as connection:
            values = {one.name: getattr(score, one.name) for one in fields(Score)}
            found = connection.execute(
                MEMBERS.update().where(MEMBERS.c.desk == desk).values(**values)
            )
            return bool(found.rowcount)

    def board(self) -> list[Member]:
        """Everybody on the board, in the order in which they joined."""
        with self._reading() as connection:
            return self._members(connection)

    def unname(self, handle: str) -> str | None:
        """Take a member's nickname away; which desk it was, None if there is no such member."""
        with self._writing() as connection:
            where = MEMBERS.c.handle == handle
            desk = connection.execute(sa.select(MEMBERS.c.desk).where(where)).scalar()
            names = {"nickname": None, "folded": None}
            connection.execute(MEMBERS.update().where(where).values(**names))
        self._deleted = self._writes
        return desk

    def expel(self, handle: str | None = None) -> list[str]:
        """Take a member off the board, or everybody; which desks these were."""
        with self._writing() as connection:
            where = sa.true() if handle is None else MEMBERS.c.handle == handle
            desks = list(connection.execute(sa.select(MEMBERS.c.desk).where(where)).scalars())
            connection.execute(MEMBERS.delete().where(where))
        self._deleted = self._writes
        return desks

    def _members(
        self, connection: sa.Connection, desk: str | None = None, lock: bool = False
    ) -> list[Member]:
        """The members (or the one whose desk it is); ``lock`` them until the transaction ends."""
        who = sa.select(MEMBERS).order_by(MEMBERS.c.joined, MEMBERS.c.handle)
        columns = [FIGURES.c[one.name] for one in fields(Figure)]
        what = sa.select(FIGURES.c.desk, *columns)
        if desk is not None:
            who = who.where(MEMBERS.c.desk == desk)
            what = what.where(FIGURES.c.desk == desk)
        if lock:
            who = who.with_for_update()
        rows = connection.execute(who).all()
        figures: dict[str, dict[str, Figure]] = {}
        for owner, *values in connection.execute(what):
            figure = Figure(*values)
            figures.setdefault(owner, {})[figure.project] = figure
        return [
            Member(
                row.handle,
                row.nickname,
                row.joined,
                Score(row.won, row.lost, row.drawn),
                figures.get(row.desk, {}),
            )
            for row in rows
        ]

    # --- Checks ---------------------------------------------------------------------------

    def _exists(self, connection: sa.Connection, desk: str) -> bool:
        where = sa.select(DESKS.c.id).where(DESKS.c.id == desk)
        return connection.execute(where).first() is not None

    def _claim(self, connection: sa.Connection, desk: str) -> bool:
        """Take the desk over; False if there is none."""
        mine = DESKS.update().where(DESKS.c.id == desk).values(server=self.server)
        return connection.execute(mine).rowcount > 0

    def _see(self, connection: sa.Connection, desk: str) -> None:
        """Note that the desk is in use; whatever is written to it begins with this.

        Raises:
            NoDeskError, MovedError: it is not this server's to write to.
        """
        mine = (DESKS.c.id == desk) & (DESKS.c.server.is_(None) | (DESKS.c.server == self.server))
        found = connection.execute(DESKS.update().where(mine).values(seen=time.time()))
        if found.rowcount:
            return
        if self._exists(connection, desk):
            raise MovedError(N_("Another server has opened this desk."), passing=False)
        raise _gone()

    def _bytes(self, connection: sa.Connection, desk: str) -> int:
        def size(column: sa.Column[Any]) -> Any:
            return sa.func.coalesce(sa.func.length(column), 0)

        blobs = ("recipe", "history", "network", "progress")
        runs = sa.func.sum(sum((size(RUNS.c[name]) for name in blobs), sa.literal(0)))
        things = sa.func.sum(size(THINGS.c.content))
        return sum(
            connection.execute(sa.select(total).where(table.c.desk == desk)).scalar() or 0
            for total, table in ((runs, RUNS), (things, THINGS))
        )

    def _tidy(self, connection: sa.Connection, desk: str) -> None:
        """Drop the own examples that no run of the desk learned from."""
        used = sa.select(RUNS.c.own).where(RUNS.c.desk == desk)
        examples = THINGS.c.kind.startswith(EXAMPLES) & THINGS.c.kind.not_in(used)
        connection.execute(THINGS.delete().where((THINGS.c.desk == desk) & examples))

    # --- The database ---------------------------------------------------------------------

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
            connection = self._open().raw_connection()
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
            self._open()
        except sa.exc.SQLAlchemyError as error:
            raise self._said(error) from error

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        # Asks for the lock at once: one that is only asked for at the first change may be
        # refused without waiting.
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection
        with self._lock:
            self._writes += 1
        self.wrote = time.monotonic()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sa.Connection]:
        identity = None
        try:
            engine = self._open()
            identity = self._identity
            connection = engine.connect().execution_options(begin=begin)
            with connection, connection.begin():
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise self._said(error, identity) from error

    def _open(self) -> sa.Engine:
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
                    if not _damaged(error):
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
            if _damaged(error) and self.file is not None:
                if identity is None or identity == self._found():  # else it is gone already
                    self.close()
                    try:
                        self._move_aside()
                    except OSError:
                        return _sentence(error)
                return self.damage or _sentence(error)
            unwritable = _code(error) in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
            if unwritable and self._engine is not None:
                # SQLite opened it for reading alone, and these connections stay so.
                self._engine.dispose()
        return _sentence(error)


LOCKED: Final = N_("Another program has locked the database, so nothing is saved at the moment.")
FULL: Final = N_("The server's disk is full, so nothing more is saved.")
READ_ONLY: Final = N_("The server cannot write to its data folder, so nothing is saved.")
DAMAGED: Final = N_("The database was damaged. It was saved as {name}, and a new one was created.")
REPLACED: Final = N_(
    "The database's file was deleted or replaced while the server ran. What the server still holds "
    "is written into the file that is there now."
)
EMPTY: Final = N_(
    "The database's file {name} was empty, so a new one was created. If there were desks in it, "
    "stop the server and restore a backup."
)
BROKEN: Final = N_("The database cannot be used ({reason}), so nothing is saved.")
NEWER: Final = N_("A newer version of this program wrote the database, so nothing is saved.")

# SQLite's own codes: https://sqlite.org/rescode.html
CODES: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: READ_ONLY,
    sqlite3.SQLITE_PERM: READ_ONLY,
}


def _code(error: BaseException) -> int:
    """SQLite's primary code; 0 for what is not SQLite's."""
    original = getattr(error, "orig", None)
    return int(getattr(original, "sqlite_errorcode", 0)) & 0xFF


def _damaged(error: BaseException) -> bool:
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _sentence(error: sa.exc.SQLAlchemyError) -> StoreError:
    code, reason = _code(error), type(getattr(error, "orig", error)).__name__
    if code in CODES:
        return StoreError(CODES[code])
    if isinstance(error, sa.exc.DataError | sa.exc.IntegrityError):
        return RefusedError(BROKEN, passing=False, reason=reason)
    return StoreError(BROKEN, reason=reason)


def _full() -> DeskFullError:
    return DeskFullError(
        N_(
            "This desk is full: it holds at most {megabytes} MB and {things} pictures, tables and "
            "games. Delete some runs or pictures; until then nothing more is saved."
        ),
        megabytes=MOST_BYTES // 2**20,
        things=MOST_THINGS,
    )


def _taken() -> NicknameError:
    return NicknameError(N_("Somebody else has this nickname. Choose another."), passing=False)


def _gone() -> NoDeskError:
    return NoDeskError(N_("There is no such desk."), passing=False)


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
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(NEWER, passing=False) from error


__all__ = [
    "ID",
    "METADATA",
    "BoardFullError",
    "Contents",
    "DeskFullError",
    "Figure",
    "Glance",
    "Member",
    "MovedError",
    "NicknameError",
    "NoDeskError",
    "RefusedError",
    "Row",
    "Score",
    "Store",
    "StoreError",
    "address",
]
