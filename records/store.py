"""The call store: make the schema, write rows, read calls and turns.

Several processes may share one database. With SQLite they share a file (WAL: readers never wait,
writers queue for at most ``BUSY_TIMEOUT_S``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.schema import CreateIndex, CreateTable

from records.database import check_place, explained, open_engine, parse_url
from records.rows import CallRow, JournalRow, Row, TurnRow
from records.statements import TABLE_OF, from_columns, to_columns, upsert
from records.tables import CALLS, JOURNAL, METADATA, TURNS

RowT = TypeVar("RowT", CallRow, TurnRow, JournalRow)

_SCHEMA_TRIES = 3


class RecordStore:
    """Calls, turns and journal of one database.

    Args:
        url: ``DATABASE_URL``: ``sqlite:///...`` or ``postgresql://...``.

    Raises:
        StoreAddressInvalid: The URL cannot be read, or its driver is not installed.
    """

    def __init__(self, url: str) -> None:
        self._url = parse_url(url)
        self._engine = open_engine(self._url)
        self._dialect = self._url.get_backend_name()

    async def create_schema(self) -> None:
        """Make what is missing; several processes may do so at once.

        Raises:
            StoreNotWritable: The directory is missing, or may not be written.
            StoreUnavailable: The database does not answer.
        """
        check_place(self._url)
        async with explained(self._url):
            for tries_left in reversed(range(_SCHEMA_TRIES)):
                try:
                    await self._create_schema()
                except (IntegrityError, ProgrammingError, OperationalError) as error:
                    # PostgreSQL lets two "if not exists" collide in its catalogue; SQLite answers
                    # "locked" at once when two processes switch one file to WAL.
                    lasting = isinstance(error, OperationalError) and "locked" not in str(error)
                    if lasting or not tries_left:
                        raise
                    await asyncio.sleep(0.05)
                else:
                    return

    async def _create_schema(self) -> None:
        async with self._engine.begin() as connection:
            for table in METADATA.sorted_tables:
                await connection.execute(CreateTable(table, if_not_exists=True))
                for index in table.indexes:
                    await connection.execute(CreateIndex(index, if_not_exists=True))

    async def write(self, rows: Sequence[Row]) -> None:
        """Write all rows in one transaction, or none; rows known already are not doubled.

        Raises:
            StoreUnavailable, StoreNotWritable: Nothing was written; another try may help.
            RowRejected: Nothing was written; one of the rows can never be.
        """
        groups: dict[type, list[dict[str, Any]]] = {}
        for row in rows:
            groups.setdefault(type(row), []).append(to_columns(row))
        async with explained(self._url), self._engine.begin() as connection:
            for kind, values in groups.items():
                await connection.execute(upsert(kind, self._dialect), values)

    async def call(self, tenant_id: str, call_id: str) -> CallRow | None:
        """One call, or None."""
        found = await self._read(
            CallRow,
            select(CALLS).where(CALLS.c.tenant_id == tenant_id, CALLS.c.call_id == call_id),
        )
        return found[0] if found else None

    async def call_by_sid(self, call_sid: str) -> CallRow | None:
        """The newest call of a carrier's id, or None."""
        query = select(CALLS).where(CALLS.c.call_sid == call_sid)
        newest = query.order_by(CALLS.c.epoch_number.desc(), CALLS.c.epoch_minted_us.desc())
        found = await self._read(CallRow, newest.limit(1))
        return found[0] if found else None

    async def planned_end(self, call_sid: str) -> bool:
        """True when somebody chose to end this call; False when it was lost or is not known."""
        query = select(CALLS.c.call_id).where(CALLS.c.call_sid == call_sid, CALLS.c.planned_end)
        return bool(await self._fetch(query.limit(1)))

    async def turns(self, tenant_id: str, call_id: str) -> list[TurnRow]:
        """The turns of a call, oldest first."""
        query = select(TURNS).where(TURNS.c.tenant_id == tenant_id, TURNS.c.call_id == call_id)
        return await self._read(TurnRow, query.order_by(TURNS.c.turn_id))

    async def journal(self, tenant_id: str, call_id: str) -> list[JournalRow]:
        """The journal of a call, oldest first."""
        query = select(JOURNAL).where(
            JOURNAL.c.tenant_id == tenant_id, JOURNAL.c.call_id == call_id
        )
        return await self._read(JournalRow, query.order_by(JOURNAL.c.at_us, JOURNAL.c.entry_id))

    async def recent_calls(self, limit: int = 50, tenant_id: str | None = None) -> list[CallRow]:
        """The calls that began last, newest first; of all tenants unless one is named."""
        query = select(CALLS).order_by(CALLS.c.started_at_us.desc(), CALLS.c.call_id.desc())
        if tenant_id is not None:
            query = query.where(CALLS.c.tenant_id == tenant_id)
        return await self._read(CallRow, query.limit(limit))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def _read(self, kind: type[RowT], query: Select[Any]) -> list[RowT]:
        names = [column.name for column in TABLE_OF[kind].c]
        return [
            kind(**from_columns({name: columns[name] for name in names}))
            for columns in await self._fetch(query)
        ]

    async def _fetch(self, query: Select[Any]) -> list[Mapping[str, Any]]:
        async with explained(self._url), self._engine.connect() as connection:
            result = await connection.execute(query)
            return [dict(row) for row in result.mappings()]
