"""Who comes to the class board and who goes, as desks know it; ``board`` says what stands there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from playground.board import nicknames
from playground.desks.desk import Desk
from playground.desks.jobs import Best
from playground.desks.writer import Writer
from playground.i18n import N_
from playground.storage.errors import BoardFullError, NicknameError
from playground.storage.records import Member

JOINS: Final = 120  # desks that join the class board at once with nothing to show yet
JOINS_A_SECOND: Final = 1.0  # and later on


class ClassBoard:
    """Let desks join and leave the class board, and the teacher take them off it.

    ``find`` gives the desk of an id, if it is here.
    """

    def __init__(
        self, writer: Writer, find: Callable[[str], Desk | None], clock: Callable[[], float]
    ) -> None:
        self._writer, self._store, self._find, self._clock = writer, writer.store, find, clock
        self._joins = float(JOINS)  # that may come now
        self._joined_at = clock()

    def join(self, desk: Desk, nickname: str) -> None:
        """Put the desk on the class board, with the best of its runs; from now on it is kept.

        Raises:
            PlaygroundError: no nickname (see :mod:`playground.board.nicknames`), or another's.
            StoreError: the board cannot be written now, or too many join.
        """
        name = nicknames.nickname(nickname)
        self._let_join(desk)
        desk.keep()
        if desk.id is None or desk.deleted:
            return
        stored = desk.stored
        with stored.pen:
            if not stored.there or self._store.generation != self._writer.generation:
                self._store.create(desk.id)
                stored.there = True
            member = self._joining(desk.id, name)
            with desk.lock:
                if desk.member is not None and desk.member.handle == member.handle:
                    # Only the name is new; rounds may not be written down yet.
                    member = replace(member, score=desk.member.score)
                desk.member = member
            stored.joined = True
        self._writer.add(desk, Best())

    def _let_join(self, desk: Desk) -> None:
        """So that nobody fills the board with nicknames: who comes with a run always may.

        Raises:
            NicknameError: too many others have come without one.
        """
        if desk.member is not None or any(one.history.epochs for one in desk.kept.runs):
            return
        with self._writer.changed:
            now = self._clock()
            more = (now - self._joined_at) * JOINS_A_SECOND
            self._joins, self._joined_at = min(self._joins + more, float(JOINS)), now
            if self._joins < 1:
                raise NicknameError(
                    N_(
                        "Too many people are joining the class board right now. Train a network, "
                        "then join: anyone who has trained one gets in. Or try again in a minute."
                    )
                )
            self._joins -= 1

    def _joining(self, desk: str, name: str) -> Member:
        """Put ``desk`` on the board; if it is full, in place of one that has nothing to show."""
        seats = self._store.board
        try:
            return seats.join(desk, name, nicknames.folded(name))
        except BoardFullError:
            gone = seats.make_room()
            if gone is None:
                raise
        self._off(gone)
        return seats.join(desk, name, nicknames.folded(name))

    def _off(self, name: str) -> None:
        """Let the desk of that id know, if it is here, that it does not stand there any more."""
        desk = self._find(name)
        if desk is not None:
            with desk.lock:
                desk.member = None

    def leave(self, desk: Desk) -> None:
        """Take the desk off the class board, with all that stands there of it.

        Raises:
            StoreError: the board cannot be written now, and it still stands there.
        """
        if desk.id is not None:
            with desk.stored.pen:
                self._store.board.leave(desk.id)
                with desk.lock:
                    desk.member = None

    def unname(self, handle: str) -> None:
        """Take a member's nickname away, for the teacher; their figures stay.

        Raises:
            StoreError: the board cannot be written now.
        """
        name = self._store.board.unname(handle)
        desk = None if name is None else self._find(name)
        if desk is not None:
            with desk.lock:
                if desk.member is not None:
                    desk.member = replace(desk.member, nickname=None)

    def expel(self, handle: str | None = None) -> None:
        """Take a member off the board, for the teacher; None: everybody.

        Raises:
            StoreError: the board cannot be written now.
        """
        for name in self._store.board.expel(handle):
            self._off(name)


__all__ = ["ClassBoard"]
