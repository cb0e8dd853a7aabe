"""A process tells the MetricsActor what it has measured, about once a second.

Nobody waits for it. One report is on its way at most; there is no queue, since the next report
holds everything that the last one held. While the actor is away the ledger goes on counting; once
it answers again (restarted, or made anew) it is told everything. Replicas get the merged view of
the cluster with the answer and serve it from memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from actors.errors import MetricsAwayError
from actors.metrics_driver import REPORT_EVERY_S, VERSION
from actors.metrics_estate import EstateCopy
from providers.traces import trace_of
from telemetry.ledger import MetricsLedger

logger = logging.getLogger(__name__)

ANSWER_WITHIN_S = 30.0  # a report that hangs for longer is given up
RETRY_AFTER_S = 2.0
HURRY_S = 0.1
GOODBYE_WITHIN_S = 1.0


class MetricsLink(Protocol):
    """The way to the MetricsActor."""

    async def report(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Hand over a report; see ``MetricsDriver.report``. Raises ``MetricsAwayError``."""


@dataclass(frozen=True, slots=True)
class ClusterView:
    """The measurements of the cluster as a replica has them in memory.

    Attributes:
        number: Of the view, by the actor that made it.
        made_at: Loop time of this process at which it was made, about.
        text: Prometheus text, compressed by zlib.
        summary: JSON object, compressed by zlib.
    """

    number: int
    made_at: float
    text: bytes
    summary: bytes

    def prometheus_text(self) -> str:
        """Exposition format 0.0.4."""
        return zlib.decompress(self.text).decode()

    def summary_json(self) -> bytes:
        """See ``telemetry.summary``."""
        return zlib.decompress(self.summary)


class MetricsReporter:
    """Reports for one process.

    Args:
        ledger: What is reported.
        link: The way to the actor.
        sample: Called before each report: writes the gauges.
        wants_view: Keep the view of the cluster, to serve it.
        incarnation: UTC microseconds, should counting have to begin anew.
        jitter: 0 to 1; spreads the reports of many processes.

    Attributes:
        view: The newest view; None before the first answer.
    """

    def __init__(
        self,
        ledger: MetricsLedger,
        link: MetricsLink,
        sample: Callable[[], None],
        *,
        wants_view: bool,
        incarnation: Callable[[], int],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.view: ClusterView | None = None
        self._ledger = ledger
        self._link = link
        self._sample = sample
        self._wants_view = wants_view
        self._incarnation = incarnation
        self._jitter = jitter
        self._known = 0
        self._actor = 0
        self._estate = EstateCopy()
        self._peak_calls = 0
        self._every_s = REPORT_EVERY_S
        self._is_away = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to report, in the background. Idempotent."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="metrics")

    async def aclose(self) -> None:
        """Stop, with one last report, for which the actor has ``GOODBYE_WITHIN_S``."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task])
        with contextlib.suppress(MetricsAwayError, TimeoutError):
            async with asyncio.timeout(GOODBYE_WITHIN_S):
                await self._link.report(self._report(leaving=True))

    async def _run(self) -> None:
        await asyncio.sleep(self._jitter() * REPORT_EVERY_S)
        loop = asyncio.get_running_loop()
        while True:
            began_at = loop.time()
            try:
                pause_s = await self._send()
            except (MetricsAwayError, TimeoutError) as error:
                self._away(error)
                pause_s = RETRY_AFTER_S
            except Exception as error:  # noqa: BLE001 - the next report tries again
                logger.error("a report could not be made: %s", trace_of(error))
                pause_s = RETRY_AFTER_S
            await asyncio.sleep(max(pause_s - (loop.time() - began_at), 0.0))

    async def _send(self) -> float:
        """One report and its answer; returns the seconds until the next one."""
        loop = asyncio.get_running_loop()
        report = self._report()
        async with asyncio.timeout(ANSWER_WITHIN_S):
            answer = await self._link.report(report)
        if self._is_away:
            self._is_away = False
            logger.info("the MetricsActor answers again")
        self._take(answer, now=loop.time())
        if "inheritance" in report:
            self._estate.offered(self._actor)
        # Who knows less than we thought, of us or of the dead, shall hear everything at once.
        is_new_to_us = self._estate.offer(self._actor) is not None
        hurry = answer.get("fate") == "incomplete" or is_new_to_us
        return HURRY_S if hurry else self._every_s

    def _report(self, *, leaving: bool = False) -> dict[str, Any]:
        self._sample()
        held = self.view.number if self.view is not None else 0
        offer = self._estate.offer(self._actor)
        return {
            "v": VERSION,
            "snapshot": self._ledger.snapshot(since=self._known),
            "leaving": leaving,
            "peak_calls": self._peak_calls,
            "view": held if self._wants_view and not leaving else -1,
            "estate": self._estate.number,
            **({"inheritance": offer} if offer is not None else {}),
        }

    def _take(self, answer: Mapping[str, Any], *, now: float) -> None:
        self._actor = int(answer.get("actor", 0))
        self._known = int(answer.get("known", 0))
        self._every_s = max(float(answer.get("every_s", REPORT_EVERY_S)), REPORT_EVERY_S)
        self._estate.take(answer.get("estate"), self._actor)
        if answer.get("fate") == "forgotten":
            logger.warning("we were silent for so long that the MetricsActor forgot us")
            self._ledger.begin_anew(max(self._incarnation(), self._ledger.incarnation + 1))
            self._known = 0
        view = answer.get("view")
        if isinstance(view, Mapping):
            self._peak_calls = int(view.get("peak_calls", 0))
            self.view = ClusterView(
                int(view["number"]),
                now - float(view["age_s"]),
                bytes(view["text"]),
                bytes(view["summary"]),
            )

    def _away(self, error: Exception) -> None:
        self._known = 0  # whoever answers next may be a new one
        if not self._is_away:
            self._is_away = True
            logger.warning("metrics wait, the MetricsActor is away: %s", str(error) or "no answer")
