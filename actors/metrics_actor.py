"""The shells of the metrics: a named Ray actor around ``MetricsDriver``, and the way to it."""

from __future__ import annotations

import asyncio
import logging
import os
import time
import warnings
from typing import Any

import ray

from actors.actor_repr import actor_repr
from actors.errors import MetricsAwayError
from actors.gcs_questions import ask_gcs
from actors.metrics_driver import MetricsDriver
from actors.metrics_export import RayExport
from actors.placement import METRICS_NAME, metrics_options
from actors.rounds import for_ever
from providers.traces import trace_of

logger = logging.getLogger(__name__)

SWEEP_EVERY_S = 1.0
EXPORT_EVERY_SWEEPS = 5  # what is not set for 20 s is gone from Ray
MAKE_ANEW_AFTER_S = 4.0  # who stops the cluster has removed us by then


class MetricsActor:
    """The measurements of the cluster, merged; one for a cluster."""

    def __init__(self) -> None:
        self._driver = MetricsDriver(time.time_ns() // 1_000, is_successor=_is_restarted())
        self._export = RayExport()
        self._sweeper: asyncio.Task[None] | None = None
        self._sweeps = 0

    def __repr__(self) -> str:
        return actor_repr("Metrics", "adds up what all processes measured")

    async def report(self, plain: dict[str, Any]) -> dict[str, Any]:
        """One process reports; see ``MetricsDriver.report``."""
        self._start()
        return self._driver.report(plain, now=asyncio.get_running_loop().time())

    async def status(self) -> dict[str, Any]:
        """For people: the process, who reports to it, and who does not any more."""
        self._start()
        gone = [name for name, _, _ in self._driver.merged.departed()]
        return {"pid": os.getpid(), "sources": list(self._driver.merged.sources), "gone": gone}

    def _start(self) -> None:
        if self._sweeper is None:
            work = for_ever(self._sweep, SWEEP_EVERY_S, "who measures no more is not known")
            self._sweeper = asyncio.get_running_loop().create_task(work)

    async def _sweep(self) -> None:
        now = asyncio.get_running_loop().time()
        self._sweeps += 1
        if self._sweeps % EXPORT_EVERY_SWEEPS == 0:
            try:
                self._to_ray(now=now)
            except Exception as error:  # noqa: BLE001 - our own view goes on
                logger.error("the export to Ray's metrics failed: %s", trace_of(error))
        self._driver.sweep(now=now)

    def _to_ray(self, *, now: float) -> None:
        driver = self._driver
        self._export.update(driver.totals(now=now), is_successor=driver.is_successor, now=now)


def _is_restarted() -> bool:
    with warnings.catch_warnings():  # Ray's own property uses one that Ray deprecates
        warnings.simplefilter("ignore", DeprecationWarning)
        return bool(ray.get_runtime_context().was_current_actor_reconstructed)


def begin_metrics() -> Any:
    """The handle of the MetricsActor of this cluster, which is started if there is none."""
    actor_class: Any = ray.remote(MetricsActor)
    return actor_class.options(**metrics_options()).remote()


class RayMetricsLink:
    """``MetricsLink`` over Ray.

    The handle outlives a restart of the actor. When the actor was killed for good, it is made anew
    after a while.
    """

    def __init__(self) -> None:
        self._handle: Any = None
        self._lost_at: float | None = None

    async def report(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Hand over a report. Raises ``MetricsAwayError``."""
        now = asyncio.get_running_loop().time()
        if self._lost_at is not None and now - self._lost_at < MAKE_ANEW_AFTER_S:
            raise MetricsAwayError("it was killed")
        try:
            if self._handle is None:
                # A question to the GCS that blocks: in a thread, and once.
                self._handle = await ask_gcs(("begin", METRICS_NAME), begin_metrics)
            answer: dict[str, Any] = await self._handle.report.remote(plain)
        except ray.exceptions.ActorDiedError as error:
            self._handle, self._lost_at = None, now
            raise MetricsAwayError(type(error).__name__) from None
        except (ray.exceptions.RayError, ValueError) as error:
            raise MetricsAwayError(type(error).__name__) from None
        self._lost_at = None
        return answer
