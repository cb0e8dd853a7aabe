"""What a replica needs for the other languages of its agents: ears, voices, phrases."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from actors.call_parts import CallParts
from actors.speech_source import SpeechSource
from cluster.provider_health import ProcessHealth, ears_of, voices_of
from dialogue.agent import Agent
from providers.errors import ProviderError
from voice.ports import Recogniser, Speaker, TurnModel

logger = logging.getLogger(__name__)

AgentKey = tuple[str, str]
LanguageKey = tuple[str, str, str]
"""(``tenant_id``, ``agent_id``, language tag)."""


def in_other_languages(agents: Mapping[AgentKey, Agent]) -> dict[LanguageKey, Agent]:
    """Every agent as it speaks in each language that its calls may change to."""
    return {
        (*key, spoken.language): agent.speaking(spoken.language)
        for key, agent in agents.items()
        for spoken in agent.languages
    }


class LanguageParts:
    """Of one replica.

    Args:
        agents: Of all tenants, as their files have them.
        recognisers, speakers: Of the replica, by name: those of ``in_other_languages`` as well.
        health: Of this process.
        source: Makes the source of an agent's speech.
        turn_model: The end-of-turn model for a language, if one knows it.
    """

    def __init__(
        self,
        agents: Mapping[AgentKey, Agent],
        recognisers: Mapping[str, Recogniser],
        speakers: Mapping[str, Speaker],
        health: ProcessHealth,
        source: Callable[[Agent, Speaker], SpeechSource],
        turn_model: Callable[[str], TurnModel | None],
    ) -> None:
        self._agents = in_other_languages(agents)
        self._ears = ears_of(self._agents, recognisers, health)
        self._voices = voices_of(self._agents, speakers, health)
        self._sources = {
            key: source(agent, self._voices[key]) for key, agent in self._agents.items()
        }
        self._turn_model = turn_model

    def of(self, key: AgentKey, own: CallParts) -> CallParts:
        """An agent's parts, with those of its other languages."""
        languages = {
            tag: replace(
                own,
                ears=self._ears[tenant_id, agent_id, tag],
                speech=self._sources[tenant_id, agent_id, tag],
                turn_model=self._turn_model(tag),
            )
            for tenant_id, agent_id, tag in self._agents
            if (tenant_id, agent_id) == key
        }
        return replace(own, languages=languages) if languages else own

    async def prepare(self) -> list[str]:
        """Open the voices and render what is always said; returns what could not be done."""
        problems: list[str] = []
        for key, agent in self._agents.items():
            try:
                await self._voices[key].warm(agent.voice, agent.language)
            except ProviderError as error:
                problems.append(f"{agent.language}: {error}")
                continue
            problems += (await self._sources[key].prepare(agent))[:1]
        return problems

    async def aclose(self) -> None:
        """Close what was opened here; services are closed by whoever made them."""
        for source in self._sources.values():
            await source.aclose()
