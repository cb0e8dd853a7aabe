"""Work that a webhook leaves behind: tried until it is done, bounded, never awaited by the webhook.

The carrier tells most things once. What it told is not lost because the database, or its own REST
interface, is away for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable

from actors.errors import CacheAwayError
from providers.traces import trace_of
from records.errors import RecordsError
from telephony.errors import CarrierThrottled, CarrierUnreachable, TelephonyError

logger = logging.getLogger(__name__)

MAX_WAITING = 10_000
GIVE_UP_AFTER_S = 900.0
FIRST_PAUSE_S = 0.2
LAST_PAUSE_S = 15.0


class PatientWork:
    """Jobs in tasks of their own.

    Args:
        at_once: Jobs that run at the same time.
        give_up_after_s: Of trying.
    """

    def __init__(self, at_once: int = 8, give_up_after_s: float = GIVE_UP_AFTER_S) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._give_up_after_s = give_up_after_s
        self._tasks: set[asyncio.Task[None]] = set()
        self.given_up = 0

    @property
    def waiting(self) -> int:
        """Jobs that are not done."""
        return len(self._tasks)

    def begin(self, what: str, job: Callable[[], Awaitable[None]]) -> None:
        """Do ``job`` soon, and again while it fails for a reason that may pass.

        Args:
            what: For the log; names ids, never numbers or words of the call.
            job: Must do no harm when it is done twice.
        """
        if len(self._tasks) >= MAX_WAITING:
            self._give_up(what, f"{MAX_WAITING} others wait already")
            return
        task = asyncio.get_running_loop().create_task(self._do(what, job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, what: str, job: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        until, pause_s = loop.time() + self._give_up_after_s, FIRST_PAUSE_S
        while True:
            try:
                async with self._slots:
                    await job()
                return
            except (RecordsError, TelephonyError, CacheAwayError) as error:
                if not may_pass(error) or loop.time() >= until:
                    self._give_up(what, str(error))
                    return
                if pause_s == FIRST_PAUSE_S:
                    logger.warning("%s: %s; tried again", what, error)
            except Exception as error:  # noqa: BLE001 - it is counted as given up
                logger.error("%s failed: %s", what, trace_of(error))
                self.given_up += 1
                return
            # Not all at once when the database is back.
            await asyncio.sleep(pause_s * random.uniform(0.7, 1.3))
            pause_s = min(LAST_PAUSE_S, pause_s * 2)

    def _give_up(self, what: str, why: str) -> None:
        self.given_up += 1
        logger.error("%s was given up: %s", what, why)

    async def settle(self, within_s: float) -> None:
        """Wait for what is under way."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=within_s)

    async def aclose(self, within_s: float = 3.0) -> None:
        """Finish what can be finished soon; the rest is lost and said."""
        await self.settle(within_s)
        for task in list(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def may_pass(error: Exception) -> bool:
    """Whether trying again may help."""
    if isinstance(error, RecordsError):
        return error.retryable
    return isinstance(error, CarrierThrottled | CarrierUnreachable | CacheAwayError)
