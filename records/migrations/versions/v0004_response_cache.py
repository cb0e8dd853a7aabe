"""What the response cache said to each turn: hit, miss or refusal, why, and which entry."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add a column with a default."""
    kind = sa.JSON().with_variant(JSONB(), "postgresql")
    op.add_column("turns", sa.Column("cache", kind, nullable=False, server_default="{}"))
