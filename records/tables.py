"""The schema, the same on SQLite and PostgreSQL.

``epoch`` is two columns, compared as a pair. Instants are UTC microseconds in 64-bit integers, so
that both databases sort and compare them alike.
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
)
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData()

_JSON = JSON().with_variant(JSONB(), "postgresql")


def _text(name: str, *, primary_key: bool = False) -> Column[Any]:
    return Column(name, Text, primary_key=primary_key, nullable=False)


def _identity(turn_in_key: bool = False) -> list[Column[Any]]:
    """The columns every table carries; a Column belongs to one table, so they are made anew."""
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
    Column("started_at_us", BigInteger, nullable=False),
    Column("ended_at_us", BigInteger, nullable=False),
    _text("status"),
    Column("planned_end", Boolean, nullable=False),
    _text("end_reason"),
    Column("usage", _JSON, nullable=False),
    Index("calls_by_sid", "call_sid"),
    Index("calls_by_start", "started_at_us"),
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
    Column("at_us", BigInteger, nullable=False),
    Column("media_time_s", Float, nullable=False),
    Column("timeline", _JSON, nullable=False),
    Column("usage", _JSON, nullable=False),
)

JOURNAL = Table(
    "journal",
    METADATA,
    *_identity(),
    _text("entry_id", primary_key=True),
    _text("kind"),
    Column("at_us", BigInteger, nullable=False),
    Column("data", _JSON, nullable=False),
)
