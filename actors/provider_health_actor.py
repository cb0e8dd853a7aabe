"""The shells of providers' health: a named Ray actor around ``HealthDriver``, and the way to it."""

from __future__ import annotations

import asyncio
import functools
import os
import random
import time
from collections.abc import Callable
from typing import Any

import ray

from actors.actor_repr import actor_repr
from actors.errors import HealthAwayError
from actors.gcs_questions import ask_gcs
from actors.placement import HEALTH_NAME, provider_health_options
from actors.provider_health_desks import QuotaDesks
from actors.provider_health_driver import HealthDriver

MAKE_ANEW_AFTER_S = 4.0  # who stops the cluster has removed us by then


class ProviderHealthActor:
    """The health of all providers; one for a cluster.

    It holds nothing that its workers could not tell it again: a restart begins a new term.

    Args:
        probes_idle: Try units that nobody calls, now and then.
    """

    def __init__(self, probes_idle: bool = True) -> None:
        term = time.time_ns() // 1_000
        self._driver = HealthDriver(time.time, term, random.random, probes_idle=probes_idle)
        self._desks = QuotaDesks(time.time, term)
        self._probes_idle = probes_idle

    def __repr__(self) -> str:
        return actor_repr(
            "ProviderHealth",
            "keeps breakers and quotas of all providers",
            "probes idle ones" if self._probes_idle else "",
        )

    async def report(self, plain: dict[str, Any]) -> None:
        """See ``HealthDriver.report``."""
        await self._driver.report(plain)

    async def watch(self, plain: dict[str, Any]) -> dict[str, Any]:
        """See ``HealthDriver.watch``."""
        return await self._driver.watch(plain)

    async def probed(self, plain: dict[str, Any]) -> None:
        """See ``HealthDriver.probed``."""
        await self._driver.probed(plain)

    async def lease(self, plain: dict[str, Any]) -> dict[str, Any]:
        """See ``QuotaDesks.lease``."""
        return self._desks.lease(plain)

    async def status(self) -> dict[str, Any]:
        """For people: the process, who reports to it, the board, and what is leased."""
        return {"pid": os.getpid(), **self._driver.status(), "quotas": self._desks.status()}


def begin_provider_health(*, probes_idle: bool = True) -> Any:
    """The handle of the ProviderHealthActor of this cluster, started if there is none."""
    actor_class: Any = ray.remote(ProviderHealthActor)
    return actor_class.options(**provider_health_options()).remote(probes_idle)


def this_node() -> str:
    """The id of this process' node, for the processes of one to meet; empty when Ray has none."""
    try:
        node_id: str = ray.get_runtime_context().get_node_id()
    except (RuntimeError, AttributeError, AssertionError, ray.exceptions.RayError):
        return ""
    return node_id


class RayHealthLink:
    """``HealthLink`` and ``QuotaLink`` over Ray.

    The handle outlives a restart of the actor. When the actor was killed for good, it is made anew
    after a while.

    Args:
        probes_idle: For the actor, should this process be the one that starts it.
    """

    def __init__(self, *, probes_idle: bool = True) -> None:
        self._probes_idle = probes_idle
        self._handle: Any = None
        self._lost_at: float | None = None

    async def report(self, plain: dict[str, Any]) -> None:
        """Hand over a report. Raises ``HealthAwayError``."""
        await self._ask(lambda handle: handle.report.remote(plain))

    async def watch(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Wait for news. Raises ``HealthAwayError``."""
        answer: dict[str, Any] = await self._ask(lambda handle: handle.watch.remote(plain))
        return answer

    async def probed(self, plain: dict[str, Any]) -> None:
        """Hand over the answer to a probe. Raises ``HealthAwayError``."""
        await self._ask(lambda handle: handle.probed.remote(plain))

    async def lease(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Say what is needed of the limits. Raises ``HealthAwayError``."""
        answer: dict[str, Any] = await self._ask(lambda handle: handle.lease.remote(plain))
        return answer

    async def _ask(self, question: Callable[[Any], Any]) -> Any:
        now = asyncio.get_running_loop().time()
        if self._lost_at is not None and now - self._lost_at < MAKE_ANEW_AFTER_S:
            raise HealthAwayError("it was killed")
        try:
            if self._handle is None:
                # A question to the GCS that blocks: in a thread, and once.
                begin = functools.partial(begin_provider_health, probes_idle=self._probes_idle)
                self._handle = await ask_gcs(("begin", HEALTH_NAME), begin)
            answer = await question(self._handle)
        except ray.exceptions.ActorDiedError as error:
            self._handle, self._lost_at = None, now
            raise HealthAwayError(type(error).__name__) from None
        except (TimeoutError, ray.exceptions.RayError, ValueError, AttributeError) as error:
            # The last: an actor of an earlier version, which outlives a deploy.
            raise HealthAwayError(type(error).__name__) from None
        self._lost_at = None
        return answer
