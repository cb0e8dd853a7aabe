"""What every process of ours measures about itself."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Literal

import psutil

from telemetry import catalog
from telemetry.ledger import MetricsLedger

ProcessKind = Literal["ingress", "call_actor"]

WATCH_EVERY_S = 0.1


class ProcessMeter:
    """Memory, presence and the lag of the event loop.

    Args:
        ledger: Of this process.
        kind: The label under which processes of this kind are added up.
    """

    def __init__(self, ledger: MetricsLedger, kind: ProcessKind) -> None:
        self._ledger = ledger
        self._kind = kind
        self._process = psutil.Process()
        self._worst_lag_s = 0.0
        self._last_lag_s = 0.0
        self._watch: asyncio.Task[None] | None = None

    def note_lag(self, lag_s: float) -> None:
        """A timer of this loop ran so late; costs a comparison."""
        if lag_s > self._worst_lag_s:
            self._worst_lag_s = lag_s

    @property
    def late_s(self) -> float:
        """How late the latest timer since the sample before the last one was."""
        return max(self._worst_lag_s, self._last_lag_s)

    def start(self) -> None:
        """Watch the loop with a timer of our own, where nobody else tells how late timers are."""
        if self._watch is None:
            self._watch = asyncio.get_running_loop().create_task(self._run())

    def sample(self, *, active_calls: int, capacity: int) -> None:
        """Write the gauges; call it about once a second."""
        ledger, kind = self._ledger, self._kind
        ledger.gauge(catalog.PROCESSES, 1, kind)
        ledger.gauge(catalog.ACTIVE_CALLS, active_calls, kind)
        ledger.gauge(catalog.CAPACITY, capacity, kind)
        ledger.gauge(catalog.MEMORY, self._process.memory_info().rss, kind)
        ledger.gauge(catalog.TASKS, _count_tasks(), kind)
        ledger.observe(catalog.LOOP_LAG, self._worst_lag_s, kind)
        self._last_lag_s, self._worst_lag_s = self._worst_lag_s, 0.0

    async def aclose(self) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + WATCH_EVERY_S
            await asyncio.sleep(WATCH_EVERY_S)
            self.note_lag(max(loop.time() - due, 0.0))


def _count_tasks() -> int:
    """Of the running loop; 0.1 ms with 500 of them."""
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:  # no loop runs
        return 0
