"""A process of its own that measures and reports as ours do, over a bad line: a Ray actor."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from typing import Any

from actors.metrics_actor import RayMetricsLink
from actors.metrics_reporter import MetricsReporter
from telemetry import catalog as c
from telemetry.ledger import MetricsLedger
from tests.support.bad_line import BadLine

LABELS = ("exact", "ann", "en-US")
OUTCOMES = ("heard", "interrupted", "failed")


class CountingProcess:
    """Counts turns; remembers what it has counted.

    Args:
        name: Stays over a restart.
        seed: Of what it measures and of what happens to its reports.
    """

    def __init__(self, name: str, seed: int) -> None:
        self._dice = random.Random(f"{seed} {os.getpid()}")
        self._ledger = MetricsLedger(name, time.time_ns() // 1_000)
        self._line = BadLine(RayMetricsLink(), self._dice, (0.1, 3.0))
        self._reporter = MetricsReporter(
            self._ledger,
            self._line,
            lambda: None,
            wants_view=name.startswith("ingress"),
            incarnation=lambda: time.time_ns() // 1_000,
        )
        self._truth: Counter[str] = Counter()

    async def work(self, turns: int) -> dict[str, Any]:
        """Measure so many turns; what this process has measured since it began."""
        self._reporter.start()
        for _ in range(turns):
            outcome = self._dice.choice(OUTCOMES)
            self._ledger.count(c.TURNS, *LABELS, "caller", outcome)
            self._ledger.observe(c.RESPONSE_LATENCY, self._dice.lognormvariate(-0.5, 0.5), *LABELS)
            self._truth[outcome] += 1
            await asyncio.sleep(0.02)
        return {"pid": os.getpid(), "truth": dict(self._truth), "fates": dict(self._line.fates)}

    async def tell_all(self) -> None:
        """From now on nothing goes wrong; returns when the last late report has arrived."""
        self._line.is_good = True
        await asyncio.gather(*self._line.late)

    async def spoil(self) -> None:
        """Reports go wrong again."""
        self._line.is_good = False
