"""What outlives the process: desks, with their runs and all else that is theirs.

Every call is one transaction that has reached the disk when it returns.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

import sqlalchemy as sa

from playground.i18n import N_
from playground.storage import ownership
from playground.storage.board_store import BoardStore, members_of
from playground.storage.database import Database
from playground.storage.errors import DeskFullError, no_desk
from playground.storage.records import Glance, Row, StoredDesk
from playground.storage.schema import DESKS, EXAMPLES, RUNS, THINGS

MAX_DESK_BYTES: Final = 64 * 2**20
"""What one desk may store: a digits network takes some 0.4 MB, a drawing 2 kB."""
MAX_THINGS: Final = 5_000
"""Pictures, tables and games of one desk."""
ID: Final = re.compile(r"[A-Za-z0-9_-]{22}")  # secrets.token_urlsafe(16)


class Store(Database):
    """The desks in a database; :attr:`board` is the class board in it."""

    @property
    def board(self) -> BoardStore:
        """The class board, on which some of the desks stand."""
        return BoardStore(self)

    # --- Desks ----------------------------------------------------------------------------

    def create(self, desk: str) -> None:
        """A desk of that id, if there is none yet; this server has it open."""
        new = {"created": time.time(), "seen": time.time(), "server": self.server}
        with self.writing() as connection:
            if not ownership.claim(connection, desk, self.server):
                connection.execute(DESKS.insert().values(id=desk, **new))

    def claim(self, desk: str) -> None:
        """From now on this server has the desk open, and no other.

        Raises:
            NoDeskError: there is no such desk.
        """
        with self.writing() as connection:
            if not ownership.claim(connection, desk, self.server):
                raise no_desk()

    def count(self) -> int:
        """How many desks there are."""
        with self.reading() as connection:
            count = sa.select(sa.func.count()).select_from(DESKS)
            return int(connection.execute(count).scalar_one())

    def elsewhere(self, desk: str) -> bool:
        """Has another server opened the desk?"""
        with self.reading() as connection:
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
        with self.reading() as connection:
            where = sa.select(DESKS.c.seen).where(DESKS.c.id == desk)
            seen = connection.execute(where).scalar()
            if seen is None:
                raise no_desk()
            runs, things = (connection.execute(count).scalar_one() for count in counts)
            return Glance(runs, things, max(0.0, time.time() - seen))

    def load(self, desk: str) -> StoredDesk:
        """All that the desk has.

        Raises:
            NoDeskError: there is no such desk.
        """
        with self.reading() as connection:
            if not ownership.exists(connection, desk):
                raise no_desk()
            columns = [RUNS.c[field.name] for field in fields(Row)]
            found = sa.select(*columns).where(RUNS.c.desk == desk).order_by(RUNS.c.number)
            runs = [Row(**row._mapping) for row in connection.execute(found)]
            things: dict[str, list[bytes]] = {}
            where = sa.select(THINGS.c.kind, THINGS.c.content).where(THINGS.c.desk == desk)
            for kind, content in connection.execute(where.order_by(THINGS.c.kind, THINGS.c.place)):
                things.setdefault(kind, []).append(content)
            members = members_of(connection, desk)
            return StoredDesk(runs, things, members[0] if members else None)

    def delete(self, desk: str) -> None:
        """The desk and all that is its; SQLite overwrites what it frees, see :meth:`settle`."""
        with self.writing() as connection:
            connection.execute(DESKS.delete().where(DESKS.c.id == desk))
        self.note_deletion()

    # --- What is on them ------------------------------------------------------------------

    def save_run(self, desk: str, row: Row) -> None:
        """Store a run, in place of what was stored of it.

        Raises:
            NoDeskError, DeskFullError: nothing has been stored.
        """
        with self.writing() as connection:
            ownership.touch(connection, desk, self.server)
            connection.execute(RUNS.delete().where(RUNS.c.id == row.id, RUNS.c.desk == desk))
            if self._bytes(connection, desk) + row.bytes > MAX_DESK_BYTES:
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
        with self.writing() as connection:
            ownership.touch(connection, desk, self.server)
            where = RUNS.update().where(RUNS.c.desk == desk, RUNS.c.id == run)
            connection.execute(where.values(**values))
            self._tidy(connection, desk)

    def delete_runs(self, desk: str, runs: Sequence[str]) -> None:
        with self.writing() as connection:
            ownership.touch(connection, desk, self.server)
            connection.execute(RUNS.delete().where(RUNS.c.desk == desk, RUNS.c.id.in_(runs)))
            self._tidy(connection, desk)
        self.note_deletion()

    def put(self, desk: str, kind: str, contents: Mapping[int, bytes], length: int) -> None:
        """Of the list of things of one ``kind``, store those ``contents`` and cut it to ``length``.

        Raises:
            NoDeskError, DeskFullError: nothing has been stored.
        """
        with self.writing() as connection:
            ownership.touch(connection, desk, self.server)
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
            if connection.execute(count).scalar_one() > MAX_THINGS:
                raise _full()
            if self._bytes(connection, desk) > MAX_DESK_BYTES:
                raise _full()
        if replaced_some:
            self.note_deletion()

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


def _full() -> DeskFullError:
    return DeskFullError(
        N_(
            "This desk is full: it holds at most {megabytes} MB and {things} pictures, tables and "
            "games. Delete some runs or pictures; until then nothing more is saved."
        ),
        megabytes=MAX_DESK_BYTES // 2**20,
        things=MAX_THINGS,
    )


__all__ = ["ID", "MAX_DESK_BYTES", "MAX_THINGS", "Store"]
