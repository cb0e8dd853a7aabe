"""What an ingress replica has for agents that hear and speak by a Realtime model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dialogue.agent import Agent
from providers.health.view import HealthView
from providers.realtime.judged import JudgedRealtime
from providers.realtime.leased import leased_realtime
from providers.realtime.refusals import PROVIDER
from providers.realtime.service import OpenAIRealtime, RealtimeService
from providers.settings import ProviderSettings


def realtime_service(
    agents: Iterable[Agent], known: ProviderSettings, view: HealthView
) -> RealtimeService | None:
    """The service, if some agent uses it; its sessions are judged, and counted where limited.

    Raises:
        ProviderError: It cannot be used as it is set up; names the setting.
    """
    users = [agent for agent in agents if "realtime" in agent.modes]
    if not users:
        return None
    service = leased_realtime(OpenAIRealtime(known.openai_realtime), view.quotas)
    return JudgedRealtime(service, view, users)


def as_metered(agent: Agent) -> Agent:
    """The agent as the metrics of its calls name who hears and who thinks."""
    if agent.mode != "realtime":
        return agent
    return replace(agent, recogniser=PROVIDER, thinker=PROVIDER)
