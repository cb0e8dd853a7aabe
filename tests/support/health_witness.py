"""A process of its own that sees a provider fail, or hears of it: for the Ray suite."""

from __future__ import annotations

import asyncio
import os
import time

from actors.node_board_link import NodeBoardLink
from actors.node_room import NodeRoom
from actors.provider_health_actor import RayHealthLink, this_node
from actors.provider_health_reporter import HealthReporter
from providers.health.local import LocalHealth
from providers.health.signals import Sign, Signal
from providers.health.view import HealthView

PATIENCE_S = 20.0


class HealthWitness:
    """One worker, as a Ray actor.

    Args:
        name: Of the reporter.
        unit: Key of the unit that it looks at.
    """

    def __init__(self, name: str, unit: str) -> None:
        self._unit = unit
        self._is_well = True
        self._view = HealthView(LocalHealth(name, lambda: 0.0), time.time)
        self._view.can_probe(unit, self._probe)
        self._link = NodeBoardLink(RayHealthLink(probes_idle=False), NodeRoom(this_node))
        self._reporter = HealthReporter(name, self._view, self._link)

    async def start(self) -> int:
        """Begin; returns once the keeper has answered, with this process' id."""
        self._reporter.start()
        async with asyncio.timeout(PATIENCE_S):
            while self._view.local.board.stamp == (0, 0):
                await asyncio.sleep(0.01)
        return os.getpid()

    async def listens(self) -> bool:
        """Whether it is the one that listens for its machine."""
        return self._link.is_listener

    async def see_it_fail(self) -> float:
        """Four hard failures; returns the time (UTC) of the last one."""
        self._is_well = False
        for _ in range(4):
            self._view.saw(self._unit, Signal(Sign.UNAVAILABLE))
        return time.time()

    async def mend(self) -> None:
        """Probes of this process succeed from now on."""
        self._is_well = True

    async def when_it_is(self, *states: str) -> float:
        """The time (UTC) at which its verdict was one of ``states``, looked at every 0.2 ms."""
        async with asyncio.timeout(PATIENCE_S):
            while self._view.verdict(self._unit).state not in states:
                await asyncio.sleep(0.000_2)
        return time.time()

    async def state(self) -> str:
        """Its verdict now."""
        return self._view.verdict(self._unit).state

    async def _probe(self) -> float:
        if not self._is_well:
            await asyncio.sleep(5.0)
        return 0.1
