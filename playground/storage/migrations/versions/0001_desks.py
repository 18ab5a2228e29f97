"""Desks, their runs, and what else is theirs: pictures, tables, games."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "desks",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("seen", sa.Float, nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column(
            "desk",
            sa.String(64),
            sa.ForeignKey("desks.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
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
    op.create_table(
        "things",
        sa.Column(
            "desk", sa.String(64), sa.ForeignKey("desks.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("kind", sa.String(64), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    for table in ("things", "runs", "desks"):
        op.drop_table(table)
