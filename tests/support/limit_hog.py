"""A process of its own that uses up the limit of a key: for the Ray suite."""

from __future__ import annotations

import asyncio
import time

from actors.provider_health_actor import RayHealthLink
from actors.provider_health_leaser import QuotaLeaser
from providers.health.quotas import QuotaLimit, Quotas

PATIENCE_S = 10.0


class LimitHog:
    """One worker, as a Ray actor.

    Args:
        name: Of the worker.
        units: The limit of the recogniser ``azure`` of the stage, whose key is empty.
    """

    def __init__(self, name: str, units: int) -> None:
        self._quotas = Quotas(name, [QuotaLimit("recognise", "azure", units)], time.time)
        self._quotas.limits("recognise", "azure")
        self._leaser = QuotaLeaser(name, self._quotas, RayHealthLink(probes_idle=False))

    async def use(self, count: int) -> float:
        """Use so many units; returns how full the limit is by then."""
        self._leaser.start()
        for _ in range(count):
            self._quotas.begin("recognise", "azure")
        await self._leaser.next_answer()
        return self._quotas.fullness("recognise", "azure")

    async def until_used(self, least: int) -> None:
        """Returns once others use at least so many units."""
        own = self._quotas.status()["recognise.azure"]
        async with asyncio.timeout(PATIENCE_S):
            while True:
                now = self._quotas.status()["recognise.azure"]
                others = now["cluster_used_ratio"] * now["limit"] - own["in_use"]
                if others > least - 0.5:
                    return
                await self._leaser.next_answer()
