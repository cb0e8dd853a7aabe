"""Realtime sessions of which a limit is set: each is counted until it is closed (``quotas``)."""

from __future__ import annotations

from dialogue.agent import Agent
from providers.health.quotas import Quotas
from providers.realtime.config import RealtimeConfig
from providers.realtime.service import RealtimeService
from providers.realtime.socket import RealtimeSocket


def leased_realtime(service: RealtimeService, quotas: Quotas) -> RealtimeService:
    """The service, counted where there is a limit."""
    return LeasedRealtime(service, quotas) if quotas.limits("converse", service.name) else service


class LeasedRealtime:
    """A service whose sessions are counted, from their opening until they are closed."""

    def __init__(self, service: RealtimeService, quotas: Quotas) -> None:
        self._service = service
        self._quotas = quotas

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
        over = self._quotas.begin("converse", self.name)
        try:
            socket = await self._service.open(agent, instructions)
        except BaseException:
            over()
            raise
        socket.on_closed = over
        return socket
