"""The tables of the database, as SQLAlchemy knows them; ``migrations`` says how they came to be."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

EXAMPLES: Final = "examples."
"""How the kind of thing begins that is a run's own examples."""

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

__all__ = ["DESKS", "EXAMPLES", "FIGURES", "MEMBERS", "METADATA", "RUNS", "THINGS"]
