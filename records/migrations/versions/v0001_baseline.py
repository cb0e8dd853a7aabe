"""Calls, turns and journal, as they were before there were migrations.

Tables that exist already are left as they are: so is a database adopted that was made before.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def _text(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _big(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _json(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, _JSON, nullable=False) for name in names]


def _identity() -> list[sa.Column[Any]]:
    return [
        *_text("tenant_id", "call_id"),
        sa.Column("turn_id", sa.Integer, nullable=False, autoincrement=False),
        *_text("agent_id", "agent_version", "call_sid"),
        *_big("epoch_number", "epoch_minted_us"),
    ]


def upgrade() -> None:
    """Make what is missing."""
    op.create_table(
        "calls",
        *_identity(),
        *_text("direction", "caller", "called", "language"),
        *_big("started_at_us", "ended_at_us"),
        *_text("status"),
        sa.Column("planned_end", sa.Boolean, nullable=False),
        *_text("end_reason"),
        *_json("usage"),
        sa.PrimaryKeyConstraint("tenant_id", "call_id"),
        if_not_exists=True,
    )
    op.create_index("calls_by_sid", "calls", ["call_sid"], if_not_exists=True)
    op.create_index("calls_by_start", "calls", ["started_at_us"], if_not_exists=True)
    op.create_table(
        "turns",
        *_identity(),
        *_text("kind", "caller_text", "agent_text", "heard_text", "outcome", "reason"),
        *_big("at_us"),
        sa.Column("media_time_s", sa.Float, nullable=False),
        *_json("timeline", "usage"),
        sa.PrimaryKeyConstraint("tenant_id", "call_id", "turn_id"),
        if_not_exists=True,
    )
    op.create_table(
        "journal",
        *_identity(),
        *_text("entry_id", "kind"),
        *_big("at_us"),
        *_json("data"),
        sa.PrimaryKeyConstraint("tenant_id", "call_id", "entry_id"),
        if_not_exists=True,
    )
