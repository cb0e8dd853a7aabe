"""A keeper of providers' health and workers, on virtual time, with wires that can be cut."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from actors.errors import HealthAwayError
from actors.provider_health_driver import HealthDriver
from actors.provider_health_reporter import HealthReporter
from providers.errors import ProviderError
from providers.health.local import LocalHealth
from providers.health.signals import Sign, Signal
from providers.health.unit import Unit
from providers.health.view import HealthView

UNIT = Unit("acme", "llm.ttft").key
WIRE_S = 0.002


def chance() -> float:
    return 0.0


def now() -> float:
    return asyncio.get_running_loop().time()


class World:
    """The keeper's side.

    Attributes:
        is_up: False: nobody answers.
        is_well: Whether probes succeed.
        has_a_bug: Questions raise what nobody thought of.
        took_s: How long the provider takes to answer a probe.
        probed: Who probed, in order.
        messages: How many reached the keeper.
    """

    def __init__(self) -> None:
        self.is_up = True
        self.is_well = True
        self.has_a_bug = False
        self.took_s = 0.2
        self.refusal: ProviderError | None = None
        self.probed: list[str] = []
        self.messages = 0
        self.workers: list[Worker] = []
        self.restart(1)

    def restart(self, term: int) -> None:
        self.driver = HealthDriver(now, term, chance, probes_idle=False)

    async def worker(self, name: str) -> Worker:
        worker = Worker(name, self)
        self.workers.append(worker)
        worker.reporter.start()
        await asyncio.sleep(0.1)
        return worker

    async def aclose(self) -> None:
        for worker in self.workers:
            await worker.reporter.aclose()


class Worker:
    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self.world = world
        self.view = HealthView(LocalHealth(name, chance), now)
        self.view.can_probe(UNIT, self._probe)
        self.reporter = HealthReporter(name, self.view, _Link(world), chance)

    @property
    def state(self) -> str:
        return self.view.verdict(UNIT).state

    def saw(self, sign: Sign, times: int = 1, **fields: float) -> None:
        for _ in range(times):
            self.view.saw(UNIT, Signal(sign, **fields))

    async def until(self, state: str, limit_s: float = 20.0) -> float:
        """Seconds until its view of the unit is ``state``."""
        began = now()
        async with asyncio.timeout(limit_s):
            while self.state != state:
                await asyncio.sleep(0.001)
        return now() - began

    async def _probe(self) -> float:
        self.world.probed.append(self.name)
        await asyncio.sleep(self.world.took_s)
        if self.world.refusal is not None:
            raise self.world.refusal
        if not self.world.is_well:
            raise ProviderError("down", "acme")
        return self.world.took_s


class _Link:
    """Everything goes over the wire as JSON, and takes its time both ways."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def report(self, plain: dict[str, Any]) -> None:
        await self._carry(lambda driver, message: driver.report(message), plain)

    async def watch(self, plain: dict[str, Any]) -> dict[str, Any]:
        answer = await self._carry(lambda driver, message: driver.watch(message), plain)
        found: dict[str, Any] = json.loads(json.dumps(answer))
        return found

    async def probed(self, plain: dict[str, Any]) -> None:
        await self._carry(lambda driver, message: driver.probed(message), plain)

    async def _carry(
        self, what: Callable[[HealthDriver, Any], Awaitable[Any]], plain: dict[str, Any]
    ) -> Any:
        await asyncio.sleep(WIRE_S)
        if not self._world.is_up:
            raise HealthAwayError("cut")
        if self._world.has_a_bug:
            raise KeyError("nobody thought of it")
        self._world.messages += 1
        driver = self._world.driver
        answer = await what(driver, json.loads(json.dumps(plain)))
        await asyncio.sleep(WIRE_S)
        if driver is not self._world.driver or not self._world.is_up:
            raise HealthAwayError("it died")
        return answer
