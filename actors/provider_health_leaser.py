"""A process says what it needs of its providers' limits, and is told what it may use.

In the background: no call waits for it. While the keeper is away the leases run out, and nothing is
limited any more (``providers.health.quotas``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final, Protocol

from actors.errors import HealthAwayError
from actors.rounds import for_ever
from providers.health.board import numbers_of, whole
from providers.health.errors import HealthDataInvalid
from providers.health.quotas import Quotas

logger = logging.getLogger(__name__)

VERSION: Final = 1
ANSWER_WITHIN_S: Final = 2.0
RETRY_AFTER_S: Final = 1.0
FIRST_WAIT_S: Final = 1.0
NO_PAUSE_S: Final = 0.0  # beside those of each round
SHORT_PAUSE_S: Final = 0.05  # of one that needs more than there is


class QuotaLink(Protocol):
    """The way to the desks; see ``actors.provider_health_desks`` for the message."""

    async def lease(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Say what is needed. Raises ``HealthAwayError``."""


class QuotaLeaser:
    """Wishes and leases of one process.

    Args:
        name: Of this process; no other one, before or after, has it.
        quotas: What the calls use.
        link: The way to the desks.
    """

    def __init__(self, name: str, quotas: Quotas, link: QuotaLink) -> None:
        self._name = name
        self._quotas = quotas
        self._link = link
        self._term = 0
        self._wait_s = FIRST_WAIT_S
        self._is_away = False
        self._short = asyncio.Event()
        self._answered = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        quotas.on_short = self._short.set

    def start(self) -> None:
        """Begin, in the background, if anything is limited. Idempotent."""
        if self._task is None and self._quotas.is_limited:
            work = for_ever(self._round, NO_PAUSE_S, "what providers' limits grant")
            self._task = asyncio.get_running_loop().create_task(work, name="quota-leases")

    async def aclose(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def next_answer(self) -> None:
        """Returns after the next exchange with the desks, which begins soon."""
        self._answered.clear()
        self._short.set()
        await self._answered.wait()

    async def _round(self) -> None:
        self._short.clear()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                answer = await self._link.lease(self._message())
            self._take(answer)
            pause_s = self._wait_s
        except (HealthAwayError, HealthDataInvalid, TimeoutError) as error:
            self._away(error)
            pause_s = RETRY_AFTER_S
        except Exception as error:
            self._away(error)
            await asyncio.sleep(RETRY_AFTER_S)
            raise
        finally:
            self._answered.set()  # calls wait at the door for it
        await self._pause(pause_s)

    async def _pause(self, pause_s: float) -> None:
        await asyncio.sleep(SHORT_PAUSE_S)
        try:
            async with asyncio.timeout(pause_s - SHORT_PAUSE_S):
                await self._short.wait()
        except TimeoutError:
            return

    def _message(self) -> dict[str, Any]:
        wishes = self._quotas.wishes()
        return {"v": VERSION, "reporter": self._name, "term": self._term, "wishes": wishes}

    def _take(self, answer: Mapping[str, Any]) -> None:
        leases = answer.get("leases")
        if not isinstance(leases, Mapping):
            raise HealthDataInvalid("an answer without leases")
        self._term = whole(answer.get("term"))
        (self._wait_s,) = numbers_of([answer.get("wait_s", FIRST_WAIT_S)])
        self._quotas.answered(leases, settles=answer.get("settles") is True)
        if self._is_away:
            self._is_away = False
            logger.info("limits of providers hold again")

    def _away(self, error: Exception) -> None:
        self._quotas.desk_away()
        if not self._is_away:
            self._is_away = True
            why = str(error) or "no answer"
            logger.warning("limits of providers are not known, and do not hold: %s", why)
