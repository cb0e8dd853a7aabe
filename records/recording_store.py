"""Recordings that the carrier keeps, and those it must still delete."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import delete, or_, select

from records.database import Database, as_database
from records.edge_rows import DELETING, RecordingRow
from records.erased import erased_calls
from records.statements import insert_into, to_columns
from records.tables import RECORDINGS

_FINAL = ("completed", "absent", "failed", DELETING)


class RecordingStore:
    """Recordings of calls. Every method raises ``RecordsError``.

    A recording whose call is erased, or too old, stays as a bare id with the status ``deleting``
    until ``remove`` says that the carrier deleted it: nothing is forgotten there.

    Args:
        where: The database, or its ``DATABASE_URL``.
    """

    def __init__(self, where: Database | str) -> None:
        self._database = as_database(where)

    async def put(self, row: RecordingRow) -> bool:
        """Keep the newest word about a recording; callbacks may come twice and out of order.

        Returns:
            False when its call was erased: the carrier must delete the recording, which is listed
            by ``deleting``.
        """
        table = RECORDINGS
        insert = insert_into(table, self._database.dialect)
        new = insert.excluded
        statement = insert.on_conflict_do_update(
            index_elements=[table.c.recording_sid],
            set_={column.name: new[column.name] for column in table.c if not column.primary_key},
            where=or_(
                new.status == DELETING,
                table.c.status.not_in(_FINAL),
                (table.c.status != DELETING) & new.status.in_(_FINAL),
            ),
        )
        async with self._database.writing() as connection:
            erased = bool(await erased_calls(connection, [row.call_id]) & {_key(row)})
            if erased:
                row = replace(row, status=DELETING, url="")
            await connection.execute(statement, [to_columns(row)])
        return not erased

    async def get(self, recording_sid: str) -> RecordingRow | None:
        """One recording, or None."""
        query = select(RECORDINGS).where(RECORDINGS.c.recording_sid == recording_sid)
        found = await self._database.fetch(query)
        return RecordingRow(**found[0]) if found else None

    async def of_call(self, tenant_id: str, call_id: str) -> list[RecordingRow]:
        """The recordings of a call, the oldest first, without those being deleted."""
        table = RECORDINGS
        query = select(table).where(
            table.c.tenant_id == tenant_id, table.c.call_id == call_id, table.c.status != DELETING
        )
        found = await self._database.fetch(query.order_by(table.c.at_us, table.c.recording_sid))
        return [RecordingRow(**columns) for columns in found]

    async def deleting(self, limit: int = 100) -> list[RecordingRow]:
        """Recordings that the carrier must still delete, the oldest first."""
        table = RECORDINGS
        query = select(table).where(table.c.status == DELETING)
        found = await self._database.fetch(
            query.order_by(table.c.at_us, table.c.recording_sid).limit(limit)
        )
        return [RecordingRow(**columns) for columns in found]

    async def remove(self, recording_sid: str) -> bool:
        """Forget a recording that the carrier deleted; False when it was not known."""
        statement = delete(RECORDINGS).where(RECORDINGS.c.recording_sid == recording_sid)
        async with self._database.writing() as connection:
            return (await connection.execute(statement)).rowcount == 1


def _key(row: RecordingRow) -> tuple[str, str]:
    return row.tenant_id, row.call_id
