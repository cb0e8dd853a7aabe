"""A Realtime service whose sessions count for its health, and which is left while it is down.

Rules
1. A session that opens is a good sign, as late as it was; one that cannot be had, and one that
   breaks, is a bad one. What we close ourselves says nothing.
2. While the service is left, a call that somebody else can carry on does not wait for it to fail
   once more: it is given up at once. A call that nobody else carries asks all the same: somebody
   doubtful is better than nobody.
3. A probe opens a session, and closes it: nothing is said in it, so it costs nothing.
"""

from __future__ import annotations

import asyncio
from functools import partial

from dialogue.agent import Agent
from providers.accounts import account_at
from providers.errors import ProviderError, ProviderUnavailable
from providers.health.signals import Sign, Signal, signal_of_error
from providers.health.unit import Unit
from providers.health.view import HealthView
from providers.realtime.config import RealtimeConfig, model_of
from providers.realtime.service import RealtimeService
from providers.realtime.socket import RealtimeSocket


class ServiceLeft(ProviderUnavailable):
    """Others were failed by it just now: whoever has somebody else to turn to does so."""

    retryable = False


def unit_of(service: RealtimeService, agent: Agent) -> str:
    """Key of the unit of health by which this agent is served."""
    account = account_at(service.config.base_url, service.config.api_key)
    return Unit.at(account, service.name, "converse.open", model_of(service.config, agent)).key


class JudgedRealtime:
    """See the top of this file.

    Args:
        service: Opens sessions.
        view: The health of providers as this process sees it.
        agents: That use it: for each model of theirs it is probed.
    """

    def __init__(self, service: RealtimeService, view: HealthView, agents: list[Agent]) -> None:
        self._service = service
        self._view = view
        for agent in agents:
            view.can_probe(unit_of(service, agent), partial(self._probe, agent))

    @property
    def name(self) -> str:
        """The service's name."""
        return self._service.name

    @property
    def config(self) -> RealtimeConfig:
        """Its times."""
        return self._service.config

    async def open(self, agent: Agent, instructions: str) -> RealtimeSocket:
        """A session of the service. Raises ``ProviderError``."""
        unit = unit_of(self._service, agent)
        if "pipeline" in agent.then_modes and not self._view.verdict(unit).usable:
            raise ServiceLeft("it fails just now, calls do without it", self.name)
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        try:
            socket = await self._service.open(agent, instructions)
        except ProviderError as error:
            self._view.saw(unit, signal_of_error(error))
            raise
        self._view.saw(unit, Signal(Sign.ANSWERED, latency_s=loop.time() - asked_at))
        socket.on_broken = lambda error: self._view.saw(unit, signal_of_error(error))
        return socket

    async def _probe(self, agent: Agent) -> float:
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        socket = await self._service.open(agent, agent.prompt)
        took_s = loop.time() - asked_at
        await socket.aclose()
        return took_s
