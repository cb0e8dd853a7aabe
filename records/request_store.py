"""Outbound calls that somebody asked for, and how far they are.

A row is durable before its request is answered, and it changes by compare-and-set on its status, so
that two dialers never place one call twice.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, case, literal, select, tuple_, update

from records.database import Database, as_database
from records.edge_rows import CallRequestRow
from records.erased import without_words
from records.errors import IdempotencyConflict
from records.statements import clean_value, insert_into, to_columns
from records.tables import CALL_REQUESTS

RequestCursor = tuple[int, str, str]
Requests = list[CallRequestRow]  # a method is named list
_CONTENT = frozenset({"to_number", "from_number", "variables", "error"})
_CHANGEABLE = frozenset(column.name for column in CALL_REQUESTS.c) - {
    "tenant_id",
    "call_id",
    "idempotency_key",
    "body_digest",
    "created_at_us",
    "erased_at_us",
}


class RequestStore:
    """Requests for outbound calls. Every method raises ``RecordsError``.

    Args:
        where: The database, or its ``DATABASE_URL``.
    """

    def __init__(self, where: Database | str) -> None:
        self._database = as_database(where)

    async def add(self, row: CallRequestRow) -> tuple[CallRequestRow, bool]:
        """Keep a request once.

        Returns:
            The row that is kept, and True when it is this one. A request of the same key that came
            before is returned instead; so is one whose content was erased since.

        Raises:
            IdempotencyConflict: The key, or the call id, was used for another request.
        """
        table = CALL_REQUESTS
        statement = insert_into(table, self._database.dialect).on_conflict_do_nothing()
        async with self._database.writing() as connection:
            added = await connection.execute(
                statement.returning(table.c.call_id), [to_columns(row)]
            )
            if added.first() is not None:
                return row, True
        before = await self._conflicting(row)
        if before is None or not (before.erased_at_us or before.body_digest == row.body_digest):
            raise IdempotencyConflict(
                "this idempotency key was used for another request: send a new key, or the same "
                "request"
            )
        return before, False

    async def is_kept(self, row: CallRequestRow) -> bool:
        """Whether this request, or one of its key, was kept before."""
        return await self._conflicting(row) is not None

    async def due(self, now_us: int, limit: int, without: Collection[str] = ()) -> Requests:
        """Queued requests that may be dialed now, the longest due first.

        Args:
            now_us: UTC microseconds.
            limit: At most so many.
            without: Tenants whose requests are left out.
        """
        table = CALL_REQUESTS
        query = select(table).where(table.c.status == "queued", table.c.not_before_us <= now_us)
        if without:
            query = query.where(table.c.tenant_id.not_in(sorted(without)))
        order = (table.c.not_before_us, table.c.created_at_us, table.c.call_id)
        return await self._read(query.order_by(*order).limit(limit))

    async def unchanged_since(self, status: str, before_us: int, limit: int) -> Requests:
        """Requests whose status is ``status`` and did not change since ``before_us``."""
        table = CALL_REQUESTS
        query = select(table).where(table.c.status == status, table.c.updated_at_us < before_us)
        return await self._read(query.order_by(table.c.updated_at_us).limit(limit))

    async def changed_since(self, status: str, since_us: int, limit: int) -> Requests:
        """Requests whose status is ``status`` and that changed at ``since_us`` or later."""
        table = CALL_REQUESTS
        query = select(table).where(table.c.status == status, table.c.updated_at_us >= since_us)
        return await self._read(query.order_by(table.c.updated_at_us.desc()).limit(limit))

    async def change(
        self, tenant_id: str, call_id: str, expected: Collection[str], **changes: Any
    ) -> bool:
        """Change a request if its status is one of ``expected``.

        The content of an erased request stays erased; other options of it change.

        Args:
            tenant_id: Of the request.
            call_id: Of the request.
            expected: Statuses.
            **changes: Column values; ``updated_at_us`` must be among them.

        Returns:
            False when there is no such request, or somebody changed its status before.

        Raises:
            ValueError: A column does not exist or never changes, or ``updated_at_us`` is missing.
        """
        if unknown := set(changes) - _CHANGEABLE:
            raise ValueError(f"a call request has no changeable {', '.join(sorted(unknown))}")
        if "updated_at_us" not in changes:
            raise ValueError("say when: updated_at_us=...")
        table = CALL_REQUESTS
        values: dict[str, Any] = {}
        for name, value in changes.items():
            new = clean_value(name, value)
            values[name] = new
            if name in _CONTENT:
                values[name] = case(
                    (table.c.erased_at_us > 0, table.c[name]),
                    else_=literal(new, table.c[name].type),
                )
            elif name == "options":  # read before the erasure, perhaps, and needed after it
                kept = literal(without_words(new), table.c.options.type)
                written = literal(new, table.c.options.type)
                values[name] = case((table.c.erased_at_us > 0, kept), else_=written)
        statement = (
            update(table)
            .where(
                table.c.tenant_id == tenant_id,
                table.c.call_id == call_id,
                table.c.status.in_(sorted(expected)),
            )
            .values(values)
        )
        async with self._database.writing() as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def get(self, tenant_id: str, call_id: str) -> CallRequestRow | None:
        """One request, or None."""
        table = CALL_REQUESTS
        found = await self._read(
            select(table).where(table.c.tenant_id == tenant_id, table.c.call_id == call_id)
        )
        return found[0] if found else None

    async def by_sid(self, call_sid: str) -> CallRequestRow | None:
        """The request that became this call of the carrier, or None."""
        if not call_sid:
            return None
        table = CALL_REQUESTS
        query = select(table).where(table.c.call_sid == call_sid)
        found = await self._read(query.order_by(table.c.created_at_us.desc()).limit(1))
        return found[0] if found else None

    async def list(
        self,
        tenant_id: str | None,
        statuses: Collection[str] = (),
        limit: int = 50,
        before: RequestCursor | None = None,
    ) -> Requests:
        """A page of requests, the newest first.

        Args:
            tenant_id: None: of all tenants.
            statuses: Empty: whatever their status.
            limit: Rows on the page.
            before: ``request_cursor_of`` the last row of the page before.
        """
        table = CALL_REQUESTS
        query = select(table)
        if tenant_id is not None:
            query = query.where(table.c.tenant_id == tenant_id)
        if statuses:
            query = query.where(table.c.status.in_(sorted(statuses)))
        newest = (table.c.created_at_us, table.c.call_id, table.c.tenant_id)
        if before is not None:
            query = query.where(tuple_(*newest) < before)
        return await self._read(query.order_by(*(column.desc() for column in newest)).limit(limit))

    async def _conflicting(self, row: CallRequestRow) -> CallRequestRow | None:
        table = CALL_REQUESTS
        if row.idempotency_key:
            found = await self._read(
                select(table).where(
                    table.c.tenant_id == row.tenant_id,
                    table.c.idempotency_key == row.idempotency_key,
                )
            )
            if found:
                return found[0]
        return await self.get(row.tenant_id, row.call_id)

    async def _read(self, query: Select[Any]) -> Requests:
        return [CallRequestRow(**columns) for columns in await self._database.fetch(query)]


def request_cursor_of(row: CallRequestRow) -> RequestCursor:
    """Where a page that ends with this request goes on."""
    return row.created_at_us, row.call_id, row.tenant_id
