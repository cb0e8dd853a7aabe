"""What was prepared in vain: replies that were asked for early, and what the unspoken ones cost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add columns with defaults."""
    for name in ("speculative_calls", "wasted_calls"):
        op.add_column("turns", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    for table in ("turns", "calls"):
        op.add_column(
            table, sa.Column("wasted_cost_usd", sa.Float, nullable=False, server_default="0")
        )
