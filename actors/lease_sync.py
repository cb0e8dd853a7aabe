"""Keeps one replica's stock of leases in step with the directory, and lets callers wait for a slot.

Rules
1. A sync about once a second, or as often as the directory of a big cluster says; at once when the
   stock runs low, when a caller waits, and when slots were taken back: they are free for others
   only once this replica has said that they are gone.
2. One sync at a time, and a pause of ``SYNC_GAP_S`` between two: many callers share one.
3. A new caller for whom there is no slot waits for the answer to a report that counts this caller
   in; and, while the directory says that slots are left in other stocks, for up to
   ``SLOT_WITHIN_S``: the other replicas give them back with their next sync. The caller hears it
   ring meanwhile. That nothing is left holds for ``FULL_HOLDS_S``.
4. A caller of a tenant with a limit waits for a lease of it likewise (``actors.tenant_leases``),
   for one answer: none lie in other stocks.
5. A directory that does not answer is looked for again, and told what there is here, as soon as
   may be: one that was started again waits for that (``actors.roll_call``). So is one whose
   answers cannot be read.

An asyncio driver without Ray.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Protocol

from actors.errors import DirectoryAwayError
from actors.lease_stock import LeaseStock
from actors.tenant_leases import TenantLimit
from actors.wire import Grants
from providers.traces import trace_of

logger = logging.getLogger(__name__)

RETRY_EVERY_S = 1.0
SYNC_GAP_S = 0.02
SLOT_WITHIN_S = 1.5
ASK_AGAIN_S = 0.1
FULL_HOLDS_S = 0.25


class DirectoryPort(Protocol):
    """The way to the directory."""

    async def sync(self, report: dict[str, Any]) -> dict[str, Any]:
        """A ``ReplicaSync`` answered by ``Grants``, in time. Raises ``DirectoryAwayError``."""

    async def find_again(self) -> None:
        """It did not answer: it may be another process by now. Never raises."""

    async def meet(self, alive: tuple[str, ...]) -> None:
        """These CallActors may be given calls: be ready to reach them. Never raises."""


class LeaseSync:
    """The syncs of one replica.

    Args:
        stock: Kept in step.
        directory: The way there.
        replica_id: Who is asking.
        max_calls: Calls this replica can carry.
        active_calls: Calls this replica carries now.
    """

    def __init__(
        self,
        stock: LeaseStock,
        directory: DirectoryPort,
        replica_id: str,
        max_calls: int,
        active_calls: Callable[[], int],
    ) -> None:
        self._stock = stock
        self._directory = directory
        self._replica_id = replica_id
        self._max_calls = max_calls
        self._active_calls = active_calls
        self._hurry = asyncio.Event()
        self._reports = 0
        self._answers = 0  # how many of them are answered or lost
        self._news = asyncio.Event()  # set, and another one, with each answer
        self._full_until = 0.0

    def hurry(self) -> None:
        """Sync as soon as may be."""
        self._hurry.set()

    async def once(self) -> None:
        """One sync. Raises ``DirectoryAwayError``."""
        report = self._stock.report(
            self._replica_id,
            active_calls=self._active_calls(),
            max_calls=self._max_calls,
            now=_now(),
        )
        self._reports += 1
        try:
            grants = Grants.from_plain(await self._directory.sync(report.to_plain()))
            self._stock.granted(grants, report)
        except DirectoryAwayError:
            self._stock.directory_away()
            raise
        except Exception as error:
            self._stock.directory_away()
            raise DirectoryAwayError(f"its answer cannot be used: {trace_of(error)}") from error
        finally:
            self._answers = self._reports
            self._news.set()
            self._news = asyncio.Event()
        if any(count < 0 for count in grants.granted.values()):
            self.hurry()
        await self._directory.meet(self._stock.alive)

    async def run(self) -> None:
        """Sync until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), self._stock.sync_every_s)
            self._hurry.clear()
            try:
                await self.once()
                await asyncio.sleep(SYNC_GAP_S)
            except DirectoryAwayError as error:
                logger.warning("directory away: %s", error)
                await asyncio.sleep(max(RETRY_EVERY_S, self._stock.sync_every_s))
                await self._directory.find_again()
                self.hurry()

    async def wait_for_slot(self, limit: TenantLimit | None = None) -> None:
        """Return once a new call can be placed, or when there is no hope of it.

        Whoever returns with a slot takes it before the next ``await``, or somebody else does; so
        for a lease of the tenant, which is claimed.

        Args:
            limit: Of the tenant whose call it is; None: it has none.
        """
        tenants = self._stock.tenants
        if not self._can_place() and _now() < self._full_until:
            return
        if self._can_place() and tenants.has_one(limit, waited=False):
            return
        self._stock.waiting += 1
        tenants.waits(limit, 1)
        is_answered = False
        try:
            async with asyncio.timeout(SLOT_WITHIN_S):
                await self._answer_to_next()
                is_answered = True
                while (
                    not self._can_place()
                    and self._stock.left
                    and tenants.has_one(limit, waited=True)
                ):
                    await asyncio.sleep(ASK_AGAIN_S)
                    if not self._can_place():
                        await self._answer_to_next()
        except TimeoutError:
            if not is_answered:  # away, or late: what it said last holds until it answers
                tenants.directory_away()
            logger.info("no slot within %.1f s, though some are left", SLOT_WITHIN_S)
        finally:
            self._stock.waiting -= 1
            tenants.waits(limit, -1)
        if not self._can_place():
            self._full_until = _now() + FULL_HOLDS_S

    def _can_place(self) -> bool:
        return self._stock.free > 0 or self._stock.away

    async def _answer_to_next(self) -> None:
        """Until a report that is written from now on is answered, or lost."""
        wanted = self._reports + 1
        self.hurry()
        while self._answers < wanted:
            await self._news.wait()


def _now() -> float:
    return asyncio.get_running_loop().time()
