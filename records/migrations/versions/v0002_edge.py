"""Cost and erasure of a call; requests for calls, numbers, API keys, recordings."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def _text(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _big(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _only_where(condition: str) -> dict[str, Any]:
    return {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(condition)}


def upgrade() -> None:
    """Add columns with defaults, indexes and four tables."""
    _add_to_calls()
    op.create_index("turns_by_time", "turns", ["at_us"])
    op.create_index("journal_by_time", "journal", ["at_us"])
    _make_call_requests()
    op.create_table(
        "numbers",
        *_text("number", "tenant_id", "agent_id"),
        *_big("created_at_us"),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("numbers_by_tenant", "numbers", ["tenant_id"])
    op.create_table(
        "api_keys",
        *_text("key_id", "key_hash", "tenant_id", "name"),
        *_big("created_at_us", "revoked_at_us"),
        sa.PrimaryKeyConstraint("key_id"),
    )
    op.create_index("api_keys_by_tenant", "api_keys", ["tenant_id"])
    op.create_table(
        "recordings",
        *_text("recording_sid", "tenant_id", "call_id", "call_sid", "status", "url"),
        sa.Column("duration_s", sa.Float, nullable=False),
        sa.Column("channels", sa.Integer, nullable=False),
        *_big("at_us"),
        sa.PrimaryKeyConstraint("recording_sid"),
    )
    op.create_index("recordings_by_call", "recordings", ["tenant_id", "call_id"])
    op.create_index("recordings_by_status", "recordings", ["status"])


def _add_to_calls() -> None:
    op.add_column("calls", sa.Column("cost", _JSON, nullable=False, server_default="{}"))
    op.add_column("calls", sa.Column("cost_usd", sa.Float, nullable=False, server_default="0"))
    op.add_column(
        "calls", sa.Column("erased_at_us", sa.BigInteger, nullable=False, server_default="0")
    )
    op.create_index("calls_by_tenant_and_start", "calls", ["tenant_id", "started_at_us", "call_id"])
    op.create_index("calls_erased", "calls", ["call_id"], **_only_where("erased_at_us > 0"))


def _make_call_requests() -> None:
    op.create_table(
        "call_requests",
        *_text("tenant_id", "call_id", "idempotency_key", "body_digest", "agent_id"),
        *_text("to_number", "from_number"),
        sa.Column("variables", _JSON, nullable=False),
        sa.Column("options", _JSON, nullable=False),
        *_text("status", "call_sid"),
        sa.Column("attempts", sa.Integer, nullable=False),
        *_big("not_before_us", "created_at_us", "updated_at_us"),
        *_text("answered_by"),
        sa.Column("error_code", sa.Integer, nullable=False),
        *_text("error"),
        *_big("erased_at_us"),
        sa.PrimaryKeyConstraint("tenant_id", "call_id"),
    )
    op.create_index(
        "call_requests_by_key",
        "call_requests",
        ["tenant_id", "idempotency_key"],
        unique=True,
        **_only_where("idempotency_key <> ''"),
    )
    op.create_index("call_requests_by_status", "call_requests", ["status", "not_before_us"])
    op.create_index("call_requests_by_sid", "call_requests", ["call_sid"])
    op.create_index("call_requests_by_age", "call_requests", ["created_at_us", "call_id"])
