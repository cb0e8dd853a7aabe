"""Erase what was said in a call and who spoke; counts, times and cost stay.

The row of the call stays as a skeleton with ``erased_at_us``, from which every later write learns
to leave the content out (``records.erased``). A call of which only a request, turns or a recording
are known gets such a skeleton too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Table, and_, case, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from records.database import Database, as_database
from records.edge_rows import DELETING
from records.erased import lock_out_writers, without_words
from records.rows import CallRow
from records.statements import insert_into, to_columns
from records.tables import CALL_REQUESTS, CALLS, JOURNAL, RECORDINGS, TURNS


@dataclass(frozen=True, slots=True)
class ErasedCall:
    """What an erasure found.

    Attributes:
        erased_at_us: When the call was erased first.
        turns: Turns whose texts are gone.
        journal_entries: Entries whose data is gone.
        recording_sids: Recordings that the carrier must still delete; ``RecordingStore.deleting``
            lists them until ``RecordingStore.remove``.
    """

    erased_at_us: int
    turns: int
    journal_entries: int
    recording_sids: tuple[str, ...]


async def erase(
    where: Database | str, tenant_id: str, call_id: str, *, at_us: int
) -> ErasedCall | None:
    """Erase the content of one call for good; again, it changes nothing more.

    A request that still waits in the queue is canceled.

    Args:
        where: The database, or its ``DATABASE_URL``.
        tenant_id: Of the call.
        call_id: Of the call.
        at_us: Now.

    Returns:
        What was erased; None when nothing is known of this call.

    Raises:
        RecordsError: Nothing was changed.
    """
    database = as_database(where)
    try:
        async with database.writing() as connection:
            await lock_out_writers(connection)
            erased = await _Erasure(connection, database.dialect, tenant_id, call_id).run(at_us)
        await database.empty_log()
        return erased
    finally:
        if database is not where:
            await database.aclose()


class _Erasure:
    def __init__(
        self, connection: AsyncConnection, dialect: str, tenant_id: str, call_id: str
    ) -> None:
        self._connection = connection
        self._dialect = dialect
        self._tenant_id = tenant_id
        self._call_id = call_id

    async def run(self, at_us: int) -> ErasedCall | None:
        if not await self._keep_skeleton(at_us):
            return None
        await self._change(
            CALLS,
            caller="",
            called="",
            erased_at_us=case((CALLS.c.erased_at_us > 0, CALLS.c.erased_at_us), else_=at_us),
        )
        turns = await self._change(TURNS, caller_text="", agent_text="", heard_text="")
        entries = await self._change(JOURNAL, data={})
        requests = CALL_REQUESTS.c
        # Its row is held: a wish to hang up that is written just now waits, and is not undone.
        options = await self._connection.scalar(
            self._of(CALL_REQUESTS, requests.options).with_for_update()
        )
        await self._change(
            CALL_REQUESTS,
            to_number="",
            from_number="",
            # A digest of a request whose other fields are known gives the number away.
            body_digest="",
            variables={},
            options=without_words(options or {}),
            error="",
            status=case((requests.status == "queued", "canceled"), else_=requests.status),
            erased_at_us=case((requests.erased_at_us > 0, requests.erased_at_us), else_=at_us),
        )
        await self._change(RECORDINGS, status=DELETING, url="")
        sids = await self._connection.scalars(
            self._of(RECORDINGS, RECORDINGS.c.recording_sid).order_by(RECORDINGS.c.recording_sid)
        )
        erased_at = await self._connection.scalar(self._of(CALLS, CALLS.c.erased_at_us))
        return ErasedCall(erased_at or at_us, turns, entries, tuple(sids))

    async def _keep_skeleton(self, at_us: int) -> bool:
        """See that the call has a row; False when nothing is known of it."""
        if await self._connection.scalar(self._of(CALLS, literal(1))):
            return True
        found = None
        for table, instant in ((CALL_REQUESTS, "created_at_us"), (TURNS, "at_us"),
                               (JOURNAL, "at_us"), (RECORDINGS, "at_us")):  # fmt: skip
            agent = table.c.agent_id if "agent_id" in table.c else literal("")
            query = self._of(table, agent, table.c.call_sid, table.c[instant])
            found = (await self._connection.execute(query.order_by(table.c[instant]))).first()
            if found is not None:
                break
        if found is None:
            return False
        agent_id, call_sid, began_us = found
        row = CallRow(
            self._tenant_id,
            agent_id,
            "",
            self._call_id,
            call_sid,
            started_at_us=began_us or at_us,
            erased_at_us=at_us,
        )
        await self._connection.execute(insert_into(CALLS, self._dialect), [to_columns(row)])
        return True

    def _is_it(self, table: Table) -> ColumnElement[bool]:
        return and_(table.c.tenant_id == self._tenant_id, table.c.call_id == self._call_id)

    def _of(self, table: Table, *columns: Any) -> Select[Any]:
        return select(*columns).select_from(table).where(self._is_it(table))

    async def _change(self, table: Table, **values: Any) -> int:
        count = await self._connection.scalar(self._of(table, func.count()))
        await self._connection.execute(update(table).where(self._is_it(table)).values(values))
        return count or 0
