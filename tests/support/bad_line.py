"""A way to the MetricsActor on which reports are lost, come twice, come late, or go unanswered."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from typing import Any

from actors.errors import MetricsAwayError
from actors.metrics_reporter import MetricsLink

FATES = ("good", "lost", "deaf", "twice", "late")
LATE_S = (0.1, 8.0)


class BadLine:
    """A ``MetricsLink`` on which everything happens that can happen.

    Args:
        link: The good one below it.
        dice: Decides.
        late_s: How late a late report is.

    Attributes:
        is_good: True while nothing goes wrong.
        fates: What has happened so far.
        late: Reports that are still under way.
    """

    def __init__(
        self, link: MetricsLink, dice: random.Random, late_s: tuple[float, float] = LATE_S
    ) -> None:
        self._link = link
        self._dice = dice
        self._late_s = late_s
        self.is_good = False
        self.fates: Counter[str] = Counter()
        self.late: set[asyncio.Task[None]] = set()

    async def report(self, plain: dict[str, Any]) -> dict[str, Any]:
        fate = "good" if self.is_good else self._dice.choice(FATES)
        self.fates[fate] += 1
        if fate in {"late", "twice"}:
            again = asyncio.get_running_loop().create_task(self._later(plain))
            self.late.add(again)
        if fate in {"good", "twice"}:
            return await self._link.report(plain)
        if fate == "deaf":
            await self._link.report(plain)
        raise MetricsAwayError(fate)

    async def _later(self, plain: dict[str, Any]) -> None:
        await asyncio.sleep(self._dice.uniform(*self._late_s))
        with contextlib.suppress(MetricsAwayError):
            await self._link.report(plain)
