"""The class board: who has joined by which nickname, their best runs, their scores."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "members",
        sa.Column(
            "desk", sa.String(64), sa.ForeignKey("desks.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("handle", sa.String(64), nullable=False),
        sa.Column("nickname", sa.String(64)),
        sa.Column("folded", sa.String(256)),
        sa.Column("joined", sa.Float, nullable=False),
        sa.Column("won", sa.Integer, nullable=False),
        sa.Column("lost", sa.Integer, nullable=False),
        sa.Column("drawn", sa.Integer, nullable=False),
    )
    op.create_index("ix_members_handle", "members", ["handle"], unique=True)
    op.create_index("ix_members_folded", "members", ["folded"], unique=True)
    op.create_table(
        "figures",
        sa.Column(
            "desk",
            sa.String(64),
            sa.ForeignKey("members.desk", ondelete="CASCADE"),
            primary_key=True,
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


def downgrade() -> None:
    for table in ("figures", "members"):
        op.drop_table(table)
