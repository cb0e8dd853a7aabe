"""Sessions of a service with a limit are counted until they are closed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from providers.errors import ProviderUnavailable
from providers.health.quotas import QuotaLimit, Quotas
from providers.realtime.config import RealtimeConfig
from providers.realtime.leased import leased_realtime
from tests.support.scripted_call import AGENT

CALLED = replace(AGENT, mode="realtime")


class Session:
    """Closed by whoever has it."""

    def on_closed(self) -> None:
        """Nobody counts yet."""


class Service:
    """Opens a session, or does not."""

    name = "openai_realtime"
    config = RealtimeConfig()

    def __init__(self) -> None:
        self.is_down = False

    async def open(self, agent: Any, instructions: str) -> Any:
        if self.is_down:
            raise ProviderUnavailable("refused", self.name)
        return Session()


def in_use(quotas: Quotas) -> float:
    (status,) = quotas.status().values()
    return float(status["in_use"])


def test_without_a_limit_it_is_the_service_itself() -> None:
    service = Service()
    assert leased_realtime(service, Quotas()) is service


def test_a_session_counts_until_it_is_closed_and_one_that_failed_not_at_all() -> None:
    async def scene() -> None:
        quotas, service = Quotas("w", [QuotaLimit("converse", "openai_realtime", 5)]), Service()
        leased = leased_realtime(service, quotas)
        assert (leased.name, leased.config) == (service.name, service.config)
        first, second = await leased.open(CALLED, ""), await leased.open(CALLED, "")
        assert in_use(quotas) == 2
        first.on_closed()
        first.on_closed()
        assert in_use(quotas) == 1
        service.is_down = True
        with pytest.raises(ProviderUnavailable):
            await leased.open(CALLED, "")
        assert in_use(quotas) == 1
        second.on_closed()
        assert in_use(quotas) == 0

    asyncio.run(scene())
