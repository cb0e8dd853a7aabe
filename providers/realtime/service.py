"""The Realtime service as a process knows it: one configuration, a session for each call."""

from __future__ import annotations

import asyncio
from typing import Protocol

from dialogue.agent import Agent
from providers.realtime.config import (
    RealtimeConfig,
    check_config,
    model_of,
    session_update,
    socket_url,
)
from providers.realtime.messages import update_session
from providers.realtime.refusals import PROVIDER
from providers.realtime.socket import RealtimeSocket, connect, open_socket


class RealtimeService(Protocol):
    """Opens sessions."""

    @property
    def name(self) -> str:
        """Short name for records."""

    @property
    def config(self) -> RealtimeConfig:
        """Its times."""

    async def open(self, agent: Agent, instructions: str) -> RealtimeSocket:
        """A session that is set up for this agent. Raises ``ProviderError``."""


class OpenAIRealtime:
    """OpenAI Realtime.

    Args:
        config: Where and as whom.

    Raises:
        ProviderError: The configuration cannot work; names the setting.
    """

    name = PROVIDER

    def __init__(self, config: RealtimeConfig) -> None:
        check_config(config)
        self.config = config

    async def open(self, agent: Agent, instructions: str) -> RealtimeSocket:
        """A session that is set up for this agent. Raises ``ProviderError``."""
        config, loop = self.config, asyncio.get_running_loop()
        give_up_at = loop.time() + config.connect_timeout_s
        url = socket_url(config, model_of(config, agent))
        connection = await connect(url, config.api_key, config.connect_timeout_s)
        update = update_session(session_update(config, agent, instructions))
        return await open_socket(connection, update, max(0.1, give_up_at - loop.time()))
