"""Which tenant's agent answers a number: a local copy of the table, refreshed behind its back.

A webhook reads the copy and waits for nothing. While the database is away the last copy holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable

from providers.traces import trace_of
from records.edge_rows import NumberRow
from records.errors import RecordsError

logger = logging.getLogger(__name__)

REFRESH_EVERY_S = 3.0


class NumberRoutes:
    """The copy.

    Args:
        read: Reads the whole table. Raises ``RecordsError``.
        every_s: How often.
    """

    def __init__(
        self, read: Callable[[], Awaitable[list[NumberRow]]], every_s: float = REFRESH_EVERY_S
    ) -> None:
        self._read = read
        self._every_s = every_s
        self._rows: dict[str, NumberRow] = {}
        self._is_away = False
        self._task: asyncio.Task[None] | None = None

    def of(self, number: str) -> NumberRow | None:
        """Who answers ``number`` (E.164), as far as is known here."""
        return self._rows.get(number)

    def numbers_of(self, tenant_id: str) -> list[NumberRow]:
        """A tenant's numbers, sorted."""
        found = (row for row in self._rows.values() if row.tenant_id == tenant_id)
        return sorted(found, key=lambda row: row.number)

    def take(self, rows: Iterable[NumberRow]) -> None:
        """Put a new copy in the place of the old one."""
        self._rows = {row.number: row for row in rows}

    async def refresh(self) -> None:
        """Read the table once; what goes wrong is logged and leaves the copy as it is."""
        try:
            self.take(await self._read())
        except RecordsError as error:
            if not self._is_away:
                logger.warning("numbers are routed by the last copy of the table: %s", error)
            self._is_away = True
        else:
            if self._is_away:
                logger.info("the table of numbers can be read again")
            self._is_away = False

    async def start(self) -> None:
        """Read once, then again and again in the background."""
        await self.refresh()
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self.refresh()
            except Exception as error:  # noqa: BLE001 - the table of before stands
                logger.error("the table of numbers could not be read: %s", trace_of(error))

    async def aclose(self) -> None:
        """Stop refreshing."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
