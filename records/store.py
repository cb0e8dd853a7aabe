"""The call store: write calls, turns and journal, and read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import Select, or_, select, tuple_

from records.database import Database, as_database
from records.erased import erased_calls, without_content
from records.rows import CallCursor, CallFilter, CallRow, JournalRow, Row, TurnRow
from records.schema import prepare
from records.statements import TABLE_OF, from_columns, to_columns, upsert
from records.tables import CALLS, JOURNAL, TURNS

RowT = TypeVar("RowT", CallRow, TurnRow, JournalRow)


class RecordStore:
    """Calls, turns and journal of one database.

    Args:
        where: The database, or its ``DATABASE_URL``.

    Raises:
        StoreAddressInvalid: The URL cannot be read, or its driver is not installed.
    """

    def __init__(self, where: Database | str) -> None:
        self._database = as_database(where)

    async def prepare(self) -> None:
        """See that the tables are those of this version; see ``records.schema.prepare``."""
        await prepare(self._database)

    async def write(self, rows: Sequence[Row]) -> None:
        """Write all rows in one transaction, or none; rows known already are not doubled.

        The content of an erased call is left out.

        Raises:
            StoreUnavailable, StoreNotWritable: Nothing was written; another try may help.
            RowRejected: Nothing was written; one of the rows can never be.
        """
        async with self._database.writing() as connection:
            erased = await erased_calls(connection, (row.call_id for row in rows))
            for kind in (CallRow, TurnRow, JournalRow):
                values = [
                    to_columns(
                        without_content(row) if (row.tenant_id, row.call_id) in erased else row
                    )
                    for row in rows
                    if type(row) is kind
                ]
                # Writers take their row locks in one order, so that two of them cannot wait for
                # each other; the sort is stable, the later of two writes of a row stays later.
                values.sort(key=_lock_order)
                if values:
                    await connection.execute(upsert(kind, self._database.dialect), values)

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
        return bool(await self._database.fetch(query.limit(1)))

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

    async def list_calls(
        self, chosen: CallFilter, limit: int = 50, before: CallCursor | None = None
    ) -> list[CallRow]:
        """A page of calls, the newest first.

        Args:
            chosen: Which calls.
            limit: Rows on the page, at least 1. Fewer came back: it is the last page.
            before: ``cursor_of`` the last call of the page before; None: from the newest.
        """
        newest = (CALLS.c.started_at_us, CALLS.c.call_id, CALLS.c.tenant_id)
        query = matching(chosen).order_by(*(column.desc() for column in newest))
        if before is not None:
            query = query.where(tuple_(*newest) < before)
        return await self._read(CallRow, query.limit(limit))

    async def recent_calls(self, limit: int = 50, tenant_id: str | None = None) -> list[CallRow]:
        """The calls that began last, newest first; of all tenants unless one is named."""
        return await self.list_calls(CallFilter(tenant_id=tenant_id), limit)

    async def aclose(self) -> None:
        """Close every connection of the database."""
        await self._database.aclose()

    async def _read(self, kind: type[RowT], query: Select[Any]) -> list[RowT]:
        names = [column.name for column in TABLE_OF[kind].c]
        return [
            kind(**from_columns({name: columns[name] for name in names}))
            for columns in await self._database.fetch(query)
        ]


def matching(chosen: CallFilter) -> Select[Any]:
    """The query for the calls that a filter takes, in no order."""
    query = select(CALLS)
    if chosen.tenant_id is not None:
        query = query.where(CALLS.c.tenant_id == chosen.tenant_id)
    for name in ("agent_id", "direction", "status", "language"):
        if wanted := getattr(chosen, name):
            query = query.where(CALLS.c[name] == wanted)
    if chosen.number:
        query = query.where(or_(CALLS.c.caller == chosen.number, CALLS.c.called == chosen.number))
    if chosen.started_from_us:
        query = query.where(CALLS.c.started_at_us >= chosen.started_from_us)
    if chosen.started_before_us:
        query = query.where(CALLS.c.started_at_us < chosen.started_before_us)
    return query


def _lock_order(columns: dict[str, Any]) -> tuple[str, str, int, str]:
    return (
        columns["tenant_id"],
        columns["call_id"],
        columns["turn_id"] if "caller_text" in columns else 0,
        columns.get("entry_id", ""),
    )
