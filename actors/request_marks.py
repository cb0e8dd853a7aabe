"""How far a request for a call is, written to the table while the dialer goes on.

The table is the truth: a request is marked ``dialing`` before the carrier is asked, and one that
stays so without a word is never dialled again. What the carrier answered is written as soon as the
table can be written.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Protocol, TypeVar

from actors.dialer_events import OUTCOME_UNKNOWN, CallKey
from records.edge_rows import CallRequestRow
from records.errors import RecordsError

logger = logging.getLogger(__name__)

AGAIN_AFTER_S = 0.5
LOST_AT_ONCE = 200
HANG_UP = "hang_up"  # an option of a request that is to be ended as soon as it has a sid

T = TypeVar("T")


class Requests(Protocol):
    """What is needed of ``records.request_store.RequestStore``; all raise ``RecordsError``."""

    async def due(
        self, now_us: int, limit: int, without: Collection[str] = ()
    ) -> list[CallRequestRow]:
        """Queued requests that may be dialled, but those of the tenants ``without``."""

    async def unchanged_since(
        self, status: str, before_us: int, limit: int
    ) -> list[CallRequestRow]:
        """Requests that stay in a status."""

    async def changed_since(self, status: str, since_us: int, limit: int) -> list[CallRequestRow]:
        """Requests that have come to a status."""

    async def change(
        self, tenant_id: str, call_id: str, expected: Collection[str], **changes: Any
    ) -> bool:
        """Compare and set."""

    async def get(self, tenant_id: str, call_id: str) -> CallRequestRow | None:
        """One request."""

    async def list(
        self, tenant_id: str | None, statuses: Collection[str] = (), limit: int = 50
    ) -> list[CallRequestRow]:
        """Requests in these statuses."""


class RequestMarks:
    """Writes them.

    Args:
        requests: The table.
        wall_clock_us: UTC microseconds.
    """

    def __init__(self, requests: Requests, wall_clock_us: Callable[[], int]) -> None:
        self._requests = requests
        self._wall_clock_us = wall_clock_us
        self._claimed_us: dict[CallKey, int] = {}

    async def claim(self, key: CallKey, attempt: int) -> CallRequestRow | None:
        """Mark a request as being dialled.

        Returns:
            The request; None when it is not to be dialled now: it was cancelled, somebody else has
            claimed it, or the table is away (what was claimed is then given back).
        """
        at_us = self._wall_clock_us()
        try:
            if not await self._requests.change(
                *key, {"queued"}, status="dialing", attempts=attempt, error="", updated_at_us=at_us
            ):
                return None
            self._claimed_us[key] = at_us
            return await self._requests.get(*key)
        except RecordsError as error:
            logger.warning("call %s waits: it cannot be marked as dialled: %s", key[1], error)
            self._forget_claim(key, at_us)
            await _patiently(key, lambda: self._give_back(key, attempt, at_us))
            return None

    async def _give_back(self, key: CallKey, attempt: int, claimed_us: int) -> None:
        """Undo a claim of which nobody said whether it was written: only if it is this one."""
        row = await self._requests.get(*key)
        if row is not None and (row.status, row.updated_at_us) == ("dialing", claimed_us):
            await self._change(key, {"dialing"}, status="queued", attempts=attempt - 1)

    async def waits(self, key: CallKey, delay_s: float, attempts: int, why: str) -> None:
        """It goes back to the queue; it is canceled if somebody wished its end meanwhile.

        While the table is away it may come to the queue, and be claimed anew, before anybody has
        said so here: that claim is another one, and is not undone.
        """
        not_before_us = self._wall_clock_us() + round(delay_s * 1e6)
        claimed_us = self._claimed_us.get(key)

        async def write() -> None:
            if self._claimed_us.get(key) != claimed_us:
                return
            await self._change(
                key,
                {"dialing"},
                status="queued",
                attempts=attempts,
                not_before_us=not_before_us,
                error=why,
            )
            if await self._is_unwanted(key):
                await self._change(key, {"queued"}, status="canceled", error="")

        await _patiently(key, write)
        self._forget_claim(key, claimed_us)

    async def placed(self, key: CallKey, call_sid: str) -> bool:
        """The carrier has it; True when somebody wished its end meanwhile."""

        async def write() -> bool:
            # A webhook of the call may have been faster: it has the sid too.
            await self._change(key, {"dialing"}, status="placed", call_sid=call_sid)
            return await self._is_unwanted(key)

        claimed_us = self._claimed_us.get(key)
        try:
            return bool(await _patiently(key, write))
        finally:
            self._forget_claim(key, claimed_us)

    async def failed(self, key: CallKey, code: int, why: str) -> None:
        """It is over. ``code`` is the carrier's, 0 when there is none."""
        claimed_us = self._claimed_us.get(key)
        await _patiently(
            key,
            lambda: self._change(key, {"dialing"}, status="failed", error=why, error_code=code),
        )
        self._forget_claim(key, claimed_us)

    def _forget_claim(self, key: CallKey, claimed_us: int | None) -> None:
        if self._claimed_us.get(key) == claimed_us:
            self._claimed_us.pop(key, None)

    async def explain(self, key: CallKey, why: str) -> None:
        """Say why a request waits. Raises ``RecordsError``."""
        await self._change(key, {"queued"}, error=why)

    async def give_up_lost(self, older_than_s: float, asking: Collection[CallKey]) -> None:
        """Requests that stay ``dialing``, and of which nobody here knows, have failed.

        Nobody can tell whether their phones rang, so they are not dialled again; a word of the
        carrier about one of them brings it back. Raises ``RecordsError``.
        """
        before_us = self._wall_clock_us() - round(older_than_s * 1e6)
        for row in await self._requests.unchanged_since("dialing", before_us, LOST_AT_ONCE):
            key = (row.tenant_id, row.call_id)
            if key not in asking:
                logger.error("call %s: nobody knows whether it was placed", row.call_id)
                why = f"{OUTCOME_UNKNOWN}: the process that asked the carrier was lost"
                await self._change(key, {"dialing"}, status="failed", error=why)

    async def _is_unwanted(self, key: CallKey) -> bool:
        row = await self._requests.get(*key)
        return row is not None and bool(row.options.get(HANG_UP))

    async def _change(self, key: CallKey, expected: Collection[str], **changes: Any) -> bool:
        return await self._requests.change(
            *key, expected, **changes, updated_at_us=self._wall_clock_us()
        )


async def _patiently(key: CallKey, write: Callable[[], Awaitable[T]]) -> T | None:
    """Do it until it is done; None when it can never be done. Doing it twice does no harm."""
    while True:
        try:
            return await write()
        except RecordsError as error:
            if not error.retryable:
                logger.error("call %s: its state is not kept: %s", key[1], error)
                return None
            await asyncio.sleep(AGAIN_AFTER_S)
