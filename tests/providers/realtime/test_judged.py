"""What is seen of a Realtime service, and who is kept from it while it is down."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from providers.errors import ProviderError, ProviderRefused, ProviderUnavailable
from providers.health.local import LocalHealth
from providers.health.policy import HealthPolicy
from providers.health.view import HealthView
from providers.realtime.config import RealtimeConfig
from providers.realtime.judged import JudgedRealtime, ServiceLeft, unit_of
from tests.support.scripted_call import AGENT

ALONE = replace(AGENT, mode="realtime")
CARRIED_ON = replace(ALONE, then_modes=("pipeline",))


class Session:
    """Closed by whoever has it, or broken by the service."""

    is_closed = False

    def on_broken(self, error: ProviderError) -> None:
        """Nobody is told yet."""

    async def aclose(self) -> None:
        self.is_closed = True


class Service:
    """Opens a session, or does not."""

    name = "openai_realtime"
    config = RealtimeConfig()

    def __init__(self) -> None:
        self.error: ProviderError | None = None
        self.sessions: list[Session] = []
        self.asked = 0

    async def open(self, agent: Any, instructions: str) -> Any:
        self.asked += 1
        if self.error is not None:
            raise self.error
        self.sessions.append(Session())
        return self.sessions[-1]


class World:
    def __init__(self) -> None:
        self.now = 1_000.0
        self.view = HealthView(LocalHealth("w", lambda: 0.0), lambda: self.now)
        self.service = Service()
        self.judged = JudgedRealtime(self.service, self.view, [CARRIED_ON])
        self.unit = unit_of(self.service, CARRIED_ON)

    @property
    def is_usable(self) -> bool:
        return self.view.verdict(self.unit).usable

    async def fail(self, times: int, agent: Any = ALONE) -> None:
        self.service.error = ProviderUnavailable("refused", self.service.name)
        for _ in range(times):
            with pytest.raises(ProviderUnavailable):
                await self.judged.open(agent, "")
        self.service.error = None


RUN = HealthPolicy().run_opens


def test_sessions_that_cannot_be_had_make_it_left_and_calls_go_on_without_it() -> None:
    async def scene() -> None:
        world = World()
        await world.judged.open(CARRIED_ON, "")
        assert world.is_usable
        world.now += 60.0
        await world.fail(RUN)
        assert not world.is_usable
        asked = world.service.asked
        with pytest.raises(ServiceLeft) as left:
            await world.judged.open(CARRIED_ON, "")
        assert not left.value.retryable, "whoever is next takes the call at once"
        assert world.service.asked == asked

    asyncio.run(scene())


def test_a_call_that_nobody_else_carries_asks_it_all_the_same() -> None:
    async def scene() -> None:
        world = World()
        await world.fail(RUN)
        assert not world.is_usable
        await world.judged.open(ALONE, "")
        assert len(world.service.sessions) == 1

    asyncio.run(scene())


def test_a_session_that_breaks_is_a_bad_sign_and_a_refused_key_opens_at_once() -> None:
    async def scene() -> None:
        world = World()
        for _ in range(RUN):
            session = await world.judged.open(ALONE, "")
            world.now += 60.0
            session.on_broken(ProviderUnavailable("closed", "openai_realtime"))
        other = World()
        other.service.error = ProviderRefused("no such key", "openai_realtime")
        with pytest.raises(ProviderRefused):
            await other.judged.open(ALONE, "")
        assert not other.is_usable
        assert world.view.verdict(world.unit).state != "closed"

    asyncio.run(scene())


def test_a_probe_opens_a_session_and_closes_it() -> None:
    async def scene() -> None:
        world = World()
        (probe,) = world.view.probes.values()
        assert await probe() >= 0.0
        assert [session.is_closed for session in world.service.sessions] == [True]
        world.service.error = ProviderUnavailable("refused", "openai_realtime")
        with pytest.raises(ProviderUnavailable):
            await probe()

    asyncio.run(scene())
