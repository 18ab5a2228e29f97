"""The class board as it is stored: who stands there, under which name, with which figures."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, Final

import sqlalchemy as sa

from playground.i18n import N_
from playground.storage import ownership
from playground.storage.database import Database
from playground.storage.errors import BoardFullError, RefusedError, taken
from playground.storage.records import BoardEntry, Member, Score
from playground.storage.schema import FIGURES, MEMBERS

MAX_MEMBERS: Final = 500
"""Desks on the class board."""


class BoardStore:
    """The class board in a ``database``; each call is one transaction, as in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def join(self, desk: str, nickname: str | None, folded: str | None) -> Member:
        """Put the desk on the board, or give it another nickname there.

        ``folded``: the same for all nicknames that count as one.

        Raises:
            NoDeskError: there is no such desk.
            NicknameError: another desk has the nickname, or the board is full.
        """
        try:
            with self._database.writing() as connection:
                ownership.touch(connection, desk, self._database.server)
                other = (MEMBERS.c.folded == folded) & (MEMBERS.c.desk != desk)
                if connection.execute(sa.select(MEMBERS.c.handle).where(other)).first():
                    raise taken()
                names = {"nickname": nickname, "folded": folded}
                found = connection.execute(
                    MEMBERS.update().where(MEMBERS.c.desk == desk).values(**names)
                )
                if not found.rowcount:
                    count = sa.select(sa.func.count()).select_from(MEMBERS)
                    if connection.execute(count).scalar_one() >= MAX_MEMBERS:
                        raise BoardFullError(
                            N_(
                                "The class board is full: it holds {n} desks. Ask your teacher to "
                                "remove those that nobody needs any more."
                            ),
                            passing=False,
                            n=MAX_MEMBERS,
                        )
                    new = {"handle": secrets.token_urlsafe(8), "joined": time.time()}
                    none = {"won": 0, "lost": 0, "drawn": 0}
                    connection.execute(MEMBERS.insert().values(desk=desk, **names, **new, **none))
                return members_of(connection, desk)[0]
        except RefusedError as error:  # another server was quicker
            raise taken() from error

    def make_room(self) -> str | None:
        """Take off the board who has stood there longest without a figure or a round; whose desk.

        None: everybody there has something to show.
        """
        rounds = MEMBERS.c.won + MEMBERS.c.lost + MEMBERS.c.drawn
        nothing = (rounds == 0) & MEMBERS.c.desk.not_in(sa.select(FIGURES.c.desk))
        with self._database.writing() as connection:
            first = sa.select(MEMBERS.c.desk).where(nothing).order_by(MEMBERS.c.joined).limit(1)
            desk = connection.execute(first).scalar()
            if desk is not None:
                connection.execute(MEMBERS.delete().where(MEMBERS.c.desk == desk))
        self._database.note_deletion()
        return desk

    def leave(self, desk: str) -> None:
        """Take the desk off the board, with all that stands there of it."""
        with self._database.writing() as connection:
            connection.execute(MEMBERS.delete().where(MEMBERS.c.desk == desk))
        self._database.note_deletion()

    def post(
        self, desk: str, figures: Sequence[BoardEntry], rank: Callable[[BoardEntry], Any]
    ) -> Member | None:
        """Put those of ``figures`` on the board that rank before what stands there of the desk.

        None: the desk is not on the board, and nothing has been stored.
        """
        with self._database.writing() as connection:
            members = members_of(connection, desk, lock=True)
            if not members:
                return None
            for figure in figures:
                there = members_of(connection, desk)[0].figures.get(figure.project)
                if there is not None and rank(there) <= rank(figure):
                    continue
                mine = (FIGURES.c.desk == desk) & (FIGURES.c.project == figure.project)
                connection.execute(FIGURES.delete().where(mine))
                values = {one.name: getattr(figure, one.name) for one in fields(BoardEntry)}
                connection.execute(FIGURES.insert().values(desk=desk, **values))
            return members_of(connection, desk)[0]

    def set_score(self, desk: str, score: Score) -> bool:
        """The desk's score on the board; False: it is not there, and nothing is stored."""
        with self._database.writing() as connection:
            values = {one.name: getattr(score, one.name) for one in fields(Score)}
            found = connection.execute(
                MEMBERS.update().where(MEMBERS.c.desk == desk).values(**values)
            )
            return bool(found.rowcount)

    def members(self) -> list[Member]:
        """Everybody on the board, in the order in which they joined."""
        with self._database.reading() as connection:
            return members_of(connection)

    def unname(self, handle: str) -> str | None:
        """Take a member's nickname away; which desk it was, None if there is no such member."""
        with self._database.writing() as connection:
            where = MEMBERS.c.handle == handle
            desk = connection.execute(sa.select(MEMBERS.c.desk).where(where)).scalar()
            names = {"nickname": None, "folded": None}
            connection.execute(MEMBERS.update().where(where).values(**names))
        self._database.note_deletion()
        return desk

    def expel(self, handle: str | None = None) -> list[str]:
        """Take a member off the board, or everybody; which desks these were."""
        with self._database.writing() as connection:
            where = sa.true() if handle is None else MEMBERS.c.handle == handle
            desks = list(connection.execute(sa.select(MEMBERS.c.desk).where(where)).scalars())
            connection.execute(MEMBERS.delete().where(where))
        self._database.note_deletion()
        return desks


def members_of(
    connection: sa.Connection, desk: str | None = None, lock: bool = False
) -> list[Member]:
    """The members (or the one whose desk it is); ``lock`` them until the transaction ends."""
    who = sa.select(MEMBERS).order_by(MEMBERS.c.joined, MEMBERS.c.handle)
    columns = [FIGURES.c[one.name] for one in fields(BoardEntry)]
    what = sa.select(FIGURES.c.desk, *columns)
    if desk is not None:
        who = who.where(MEMBERS.c.desk == desk)
        what = what.where(FIGURES.c.desk == desk)
    if lock:
        who = who.with_for_update()
    rows = connection.execute(who).all()
    figures: dict[str, dict[str, BoardEntry]] = {}
    for owner, *values in connection.execute(what):
        figure = BoardEntry(*values)
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


__all__ = ["MAX_MEMBERS", "BoardStore", "members_of"]
