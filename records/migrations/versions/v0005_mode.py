"""How each call was carried: as pipeline, relay or realtime, or as several of them in turn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add a column with a default."""
    op.add_column("calls", sa.Column("mode", sa.Text(), nullable=False, server_default=""))
