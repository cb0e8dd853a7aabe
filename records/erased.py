"""What a write must know of erased calls, so that nothing late brings their content back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from records.rows import CallRow, JournalRow, TurnRow
from records.tables import CALLS

RowT = TypeVar("RowT", bound=CallRow | TurnRow | JournalRow)

_LOCK: Final = 0x63616C6C_65726173  # of PostgreSQL's advisory locks; any fixed number serves


async def lock_out_writers(connection: AsyncConnection) -> None:
    """Wait for the writes in progress and keep others waiting until this transaction ends."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


async def erased_calls(
    connection: AsyncConnection, call_ids: Iterable[str]
) -> frozenset[tuple[str, str]]:
    """Those of the calls that are erased, as (tenant, call).

    No call becomes erased between this answer and the end of the transaction: SQLite has one
    writer at a time, PostgreSQL an advisory lock that writers share and an erasure has alone.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock_shared(_LOCK)))
    query = select(CALLS.c.tenant_id, CALLS.c.call_id).where(
        CALLS.c.erased_at_us > 0, CALLS.c.call_id.in_(sorted(set(call_ids)))
    )
    return frozenset((tenant, call) for tenant, call in await connection.execute(query))


def without_words(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an erased request: how it was placed stays, what was to be said goes.

    Args:
        options: ``CallRequestRow.options``.
    """
    detection = options.get("machine_detection")
    if not isinstance(detection, Mapping) or not detection.get("message"):
        return dict(options)
    return {**options, "machine_detection": {**detection, "message": ""}}


def without_content(row: RowT) -> RowT:
    """The row of an erased call: who spoke and what was said is gone, counts and times stay."""
    match row:
        case CallRow():
            return replace(row, caller="", called="")
        case TurnRow():
            return replace(row, caller_text="", agent_text="", heard_text="")
        case JournalRow():
            return replace(row, data={})
