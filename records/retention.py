"""Calls that are too old go, with everything that belongs to them, a batch at a time.

A batch is one short transaction, so that calls in progress are written in between. Recordings stay
as bare ids with the status ``deleting`` until the carrier deleted them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Table, and_, delete, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from records.database import Database, as_database
from records.edge_rows import DELETING
from records.tables import CALL_REQUESTS, CALLS, JOURNAL, RECORDINGS, TURNS

BATCH_CALLS = 200
PAUSE_S = 0.05
_UNPLACED = ("queued", "dialing")

Keys = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was deleted so far.

    Attributes:
        recordings: Recordings that the carrier must delete now.
    """

    calls: int = 0
    turns: int = 0
    journal_entries: int = 0
    requests: int = 0
    recordings: int = 0

    def __add__(self, other: Pruned) -> Pruned:
        return Pruned(
            self.calls + other.calls,
            self.turns + other.turns,
            self.journal_entries + other.journal_entries,
            self.requests + other.requests,
            self.recordings + other.recordings,
        )


async def count_older(where: Database | str, before_us: int) -> int:
    """How many calls ``prune`` would delete. Raises ``RecordsError``."""
    database = as_database(where)
    try:
        async with database.reading() as connection:
            query = select(func.count()).select_from(CALLS).where(_old_calls(before_us))
            return await connection.scalar(query) or 0
    finally:
        if database is not where:
            await database.aclose()


async def prune(
    where: Database | str,
    before_us: int,
    *,
    batch_calls: int = BATCH_CALLS,
    pause_s: float = PAUSE_S,
) -> AsyncIterator[Pruned]:
    """Delete calls that began before an instant, and what is left of calls of that time.

    Requests that wait to be dialed stay, however old.

    Args:
        where: The database, or its ``DATABASE_URL``.
        before_us: UTC microseconds; choose it more than the length of a call ago.
        batch_calls: Calls in one transaction.
        pause_s: Between two of them: SQLite has one writer at a time, and calls go on.

    Yields:
        What was deleted so far, after each batch; at least once.

    Raises:
        RecordsError: The batches before are done; going on later is safe.
    """
    database = as_database(where)
    total = Pruned()
    try:
        for step in (_prune_calls, _prune_turns, _prune_journal, _prune_requests, _mark_recordings):
            while True:
                async with database.writing() as connection:
                    done, last = await step(connection, before_us, batch_calls)
                total += done
                yield total
                if last:
                    break
                await asyncio.sleep(pause_s)
    finally:
        if database is not where:
            await database.aclose()


def _old_calls(before_us: int) -> ColumnElement[bool]:
    return CALLS.c.started_at_us < before_us


async def _keys(connection: AsyncConnection, query: Select[Any]) -> list[tuple[str, str]]:
    return [(tenant, call) for tenant, call in await connection.execute(query)]


async def _prune_calls(
    connection: AsyncConnection, before_us: int, limit: int
) -> tuple[Pruned, bool]:
    query = select(CALLS.c.tenant_id, CALLS.c.call_id).where(_old_calls(before_us))
    keys = await _keys(connection, query.order_by(CALLS.c.started_at_us).limit(limit))
    if not keys:
        return Pruned(), True
    turns = await _delete(connection, TURNS, keys)
    entries = await _delete(connection, JOURNAL, keys)
    requests = await _delete(connection, CALL_REQUESTS, keys)
    recordings = await _mark(connection, keys)
    calls = await _delete(connection, CALLS, keys)
    return Pruned(calls, turns, entries, requests, recordings), len(keys) < limit


def _without_call(table: Table, instant: str, before_us: int) -> ColumnElement[bool]:
    """Rows of the time whose call is not known: its own row was lost, or came to nothing."""
    call = select(CALLS.c.call_id).where(
        CALLS.c.tenant_id == table.c.tenant_id, CALLS.c.call_id == table.c.call_id
    )
    column = table.c[instant]
    return and_(column > 0, column < before_us, ~call.exists())


async def _orphans(
    connection: AsyncConnection, table: Table, instant: str, before_us: int, limit: int
) -> list[tuple[str, str]]:
    old = _without_call(table, instant, before_us)
    query = select(table.c.tenant_id, table.c.call_id).where(old).distinct().limit(limit)
    return await _keys(connection, query)


async def _prune_turns(
    connection: AsyncConnection, before_us: int, limit: int
) -> tuple[Pruned, bool]:
    keys = await _orphans(connection, TURNS, "at_us", before_us, limit)
    deleted = await _delete(connection, TURNS, keys)
    return Pruned(turns=deleted), len(keys) < limit


async def _prune_journal(
    connection: AsyncConnection, before_us: int, limit: int
) -> tuple[Pruned, bool]:
    keys = await _orphans(connection, JOURNAL, "at_us", before_us, limit)
    deleted = await _delete(connection, JOURNAL, keys)
    return Pruned(journal_entries=deleted), len(keys) < limit


async def _prune_requests(
    connection: AsyncConnection, before_us: int, limit: int
) -> tuple[Pruned, bool]:
    table = CALL_REQUESTS
    old = and_(_without_call(table, "created_at_us", before_us), table.c.status.not_in(_UNPLACED))
    query = select(table.c.tenant_id, table.c.call_id).where(old)
    keys = await _keys(connection, query.limit(limit))
    return Pruned(requests=await _delete(connection, table, keys)), len(keys) < limit


async def _mark_recordings(
    connection: AsyncConnection, before_us: int, limit: int
) -> tuple[Pruned, bool]:
    table = RECORDINGS
    old = and_(_without_call(table, "at_us", before_us), table.c.status != DELETING)
    query = select(table.c.tenant_id, table.c.call_id).where(old).distinct().limit(limit)
    keys = await _keys(connection, query)
    return Pruned(recordings=await _mark(connection, keys)), len(keys) < limit


async def _delete(connection: AsyncConnection, table: Table, keys: Keys) -> int:
    if not keys:
        return 0
    whose = tuple_(table.c.tenant_id, table.c.call_id)
    return (await connection.execute(delete(table).where(whose.in_(keys)))).rowcount


async def _mark(connection: AsyncConnection, keys: Keys) -> int:
    if not keys:
        return 0
    table = RECORDINGS
    whose = tuple_(table.c.tenant_id, table.c.call_id)
    statement = update(table).where(whose.in_(keys), table.c.status != DELETING)
    return (await connection.execute(statement.values(status=DELETING, url=""))).rowcount
