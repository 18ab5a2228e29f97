"""Which server has a desk open, where several share a database."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("desks", sa.Column("server", sa.String(64)))


def downgrade() -> None:
    op.drop_column("desks", "server")
