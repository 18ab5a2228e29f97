"""Which server has a desk open: of several on one database, only that one writes to it."""

from __future__ import annotations

import time

import sqlalchemy as sa

from playground.i18n import N_
from playground.storage.errors import MovedError, no_desk
from playground.storage.schema import DESKS


def exists(connection: sa.Connection, desk: str) -> bool:
    """Is there such a desk?"""
    where = sa.select(DESKS.c.id).where(DESKS.c.id == desk)
    return connection.execute(where).first() is not None


def claim(connection: sa.Connection, desk: str, server: str) -> bool:
    """Take the desk over; False if there is none."""
    mine = DESKS.update().where(DESKS.c.id == desk).values(server=server)
    return connection.execute(mine).rowcount > 0


def touch(connection: sa.Connection, desk: str, server: str) -> None:
    """Note that the desk is in use; whatever is written to it begins with this.

    Raises:
        NoDeskError, MovedError: it is not this server's to write to.
    """
    mine = (DESKS.c.id == desk) & (DESKS.c.server.is_(None) | (DESKS.c.server == server))
    found = connection.execute(DESKS.update().where(mine).values(seen=time.time()))
    if found.rowcount:
        return
    if exists(connection, desk):
        raise MovedError(N_("Another server has opened this desk."), passing=False)
    raise no_desk()


__all__ = ["claim", "exists", "touch"]
