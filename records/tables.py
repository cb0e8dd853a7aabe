"""The tables, the same on SQLite and PostgreSQL; ``records.migrations`` makes them.

``epoch`` is two columns, compared as a pair. Instants are UTC microseconds in 64-bit integers, so
that both databases sort and compare them alike. Columns that a later version adds have a default
in the database: processes of the version before go on writing during an upgrade.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData()

JSON_TYPE = JSON().with_variant(JSONB(), "postgresql")


def _text(name: str, *, primary_key: bool = False) -> Column[Any]:
    return Column(name, Text, primary_key=primary_key, nullable=False)


def _json(name: str) -> Column[Any]:
    return Column(name, JSON_TYPE, nullable=False)


def _instant(name: str) -> Column[Any]:
    """UTC microseconds since 1970; 0 means not yet."""
    return Column(name, BigInteger, nullable=False)


def _identity(turn_in_key: bool = False) -> list[Column[Any]]:
    """The columns every table of a call carries; a Column belongs to one table."""
    return [
        _text("tenant_id", primary_key=True),
        _text("call_id", primary_key=True),
        Column("turn_id", Integer, primary_key=turn_in_key, nullable=False, autoincrement=False),
        _text("agent_id"),
        _text("agent_version"),
        _text("call_sid"),
        Column("epoch_number", BigInteger, nullable=False),
        Column("epoch_minted_us", BigInteger, nullable=False),
    ]


CALLS = Table(
    "calls",
    METADATA,
    *_identity(),
    _text("direction"),
    _text("caller"),
    _text("called"),
    _text("language"),
    _instant("started_at_us"),
    _instant("ended_at_us"),
    _text("status"),
    Column("planned_end", Boolean, nullable=False),
    _text("end_reason"),
    _json("usage"),
    Column("cost", JSON_TYPE, nullable=False, server_default="{}"),
    Column("cost_usd", Float, nullable=False, server_default="0"),
    Column("wasted_cost_usd", Float, nullable=False, server_default="0"),
    Column("erased_at_us", BigInteger, nullable=False, server_default="0"),
    Column("mode", Text, nullable=False, server_default=""),
    Index("calls_by_sid", "call_sid"),
    Index("calls_by_start", "started_at_us"),
    Index("calls_by_tenant_and_start", "tenant_id", "started_at_us", "call_id"),
    Index(
        "calls_erased",
        "call_id",
        postgresql_where=text("erased_at_us > 0"),
        sqlite_where=text("erased_at_us > 0"),
    ),
)

TURNS = Table(
    "turns",
    METADATA,
    *_identity(turn_in_key=True),
    _text("kind"),
    _text("caller_text"),
    _text("agent_text"),
    _text("heard_text"),
    _text("outcome"),
    _text("reason"),
    _instant("at_us"),
    Column("media_time_s", Float, nullable=False),
    _json("timeline"),
    _json("usage"),
    Column("speculative_calls", Integer, nullable=False, server_default="0"),
    Column("wasted_calls", Integer, nullable=False, server_default="0"),
    Column("wasted_cost_usd", Float, nullable=False, server_default="0"),
    Column("cache", JSON_TYPE, nullable=False, server_default="{}"),
    Index("turns_by_time", "at_us"),
)

JOURNAL = Table(
    "journal",
    METADATA,
    *_identity(),
    _text("entry_id", primary_key=True),
    _text("kind"),
    _instant("at_us"),
    _json("data"),
    Index("journal_by_time", "at_us"),
)

CALL_REQUESTS = Table(
    "call_requests",
    METADATA,
    _text("tenant_id", primary_key=True),
    _text("call_id", primary_key=True),
    _text("idempotency_key"),
    _text("body_digest"),
    _text("agent_id"),
    _text("to_number"),
    _text("from_number"),
    _json("variables"),
    _json("options"),
    _text("status"),
    _text("call_sid"),
    Column("attempts", Integer, nullable=False),
    _instant("not_before_us"),
    _instant("created_at_us"),
    _instant("updated_at_us"),
    _text("answered_by"),
    Column("error_code", Integer, nullable=False),
    _text("error"),
    _instant("erased_at_us"),
    Index(
        "call_requests_by_key",
        "tenant_id",
        "idempotency_key",
        unique=True,
        postgresql_where=text("idempotency_key <> ''"),
        sqlite_where=text("idempotency_key <> ''"),
    ),
    Index("call_requests_by_status", "status", "not_before_us"),
    Index("call_requests_by_sid", "call_sid"),
    Index("call_requests_by_age", "created_at_us", "call_id"),
)

NUMBERS = Table(
    "numbers",
    METADATA,
    _text("number", primary_key=True),
    _text("tenant_id"),
    _text("agent_id"),
    _instant("created_at_us"),
    Index("numbers_by_tenant", "tenant_id"),
)

API_KEYS = Table(
    "api_keys",
    METADATA,
    _text("key_id", primary_key=True),
    _text("key_hash"),
    _text("tenant_id"),
    _text("name"),
    _instant("created_at_us"),
    _instant("revoked_at_us"),
    Index("api_keys_by_tenant", "tenant_id"),
)

RECORDINGS = Table(
    "recordings",
    METADATA,
    _text("recording_sid", primary_key=True),
    _text("tenant_id"),
    _text("call_id"),
    _text("call_sid"),
    _text("status"),
    _text("url"),
    Column("duration_s", Float, nullable=False),
    Column("channels", Integer, nullable=False),
    _instant("at_us"),
    Index("recordings_by_call", "tenant_id", "call_id"),
    Index("recordings_by_status", "status"),
)
