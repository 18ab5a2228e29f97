"""What goes wrong with a database, and the sentence for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from playground.errors import PlaygroundError
from playground.i18n import N_


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


def code(error: BaseException) -> int:
    """SQLite's primary code; 0 for what is not SQLite's."""
    original = getattr(error, "orig", None)
    return int(getattr(original, "sqlite_errorcode", 0)) & 0xFF


def is_damage(error: BaseException) -> bool:
    """Does ``error`` say that the file is damaged?"""
    return code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def sentence(error: sa.exc.SQLAlchemyError) -> StoreError:
    """Return what to say of an ``error`` of the database."""
    number, reason = code(error), type(getattr(error, "orig", error)).__name__
    if number in CODES:
        return StoreError(CODES[number])
    if isinstance(error, sa.exc.DataError | sa.exc.IntegrityError):
        return RefusedError(BROKEN, passing=False, reason=reason)
    return StoreError(BROKEN, reason=reason)


def taken() -> NicknameError:
    """Return what to say of a nickname that somebody has."""
    return NicknameError(N_("Somebody else has this nickname. Choose another."), passing=False)


def no_desk() -> NoDeskError:
    """Return what to say where there is no such desk."""
    return NoDeskError(N_("There is no such desk."), passing=False)
