"""Are the voices that agents name there? Asked at the service, with the key of the settings.

ElevenLabs alone is asked: its voices belong to an account. Voices of the other services are told by
their names (``providers.table``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from cluster.provider_settings import provider_settings
from cluster.settings import Settings
from dialogue.agent import Agent
from providers.elevenlabs_sdk import ElevenLabsHttp, KnownVoice
from providers.errors import ProviderError, ProviderRejected

SPEAKER = "elevenlabs"
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class VoiceAnswer:
    """What is known of one voice.

    Attributes:
        voice_id: As agents name it.
        agents: Who names it.
        voice: None when there is none, or nobody would say.
        problem: Why not; empty when it is there.
        is_missing: There is none of this id; otherwise nobody would say.
    """

    voice_id: str
    agents: tuple[str, ...]
    voice: KnownVoice | None = None
    problem: str = ""
    is_missing: bool = False


def voices_in(agents: Iterable[Agent]) -> dict[str, tuple[str, ...]]:
    """The ElevenLabs voices that agents name: id to the agents' ids."""
    found: dict[str, list[str]] = {}
    for agent in agents:
        for each in agent.voices:
            if each.speaker == SPEAKER:
                found.setdefault(each.voice, []).append(agent.agent_id)
    return {voice: tuple(dict.fromkeys(names)) for voice, names in found.items()}


async def listed_voices(settings: Settings) -> list[KnownVoice]:
    """Every voice of the account. Raises ``ProviderError``."""
    http = ElevenLabsHttp(provider_settings(settings).elevenlabs)
    try:
        return await http.voices()
    finally:
        await http.aclose()


async def looked_up(settings: Settings, agents: Iterable[Agent]) -> list[VoiceAnswer]:
    """What the service says of each voice that the agents name."""
    named = voices_in(agents)
    http = ElevenLabsHttp(provider_settings(settings).elevenlabs)
    try:
        answers = [_one(http, voice_id, agents_of) for voice_id, agents_of in named.items()]
        return list(await asyncio.gather(*answers))
    finally:
        await http.aclose()


async def _one(http: ElevenLabsHttp, voice_id: str, agents: tuple[str, ...]) -> VoiceAnswer:
    try:
        return VoiceAnswer(voice_id, agents, await http.voice(voice_id))
    except ProviderRejected:
        return VoiceAnswer(
            voice_id,
            agents,
            problem=f"there is no voice {voice_id!r}{await _others(http)}",
            is_missing=True,
        )
    except ProviderError as error:
        return VoiceAnswer(voice_id, agents, problem=str(error))


async def _others(http: ElevenLabsHttp) -> str:
    """Some that there are; a key that may not see them says nothing."""
    try:
        known = await http.voices()
    except ProviderError:
        return ""
    some = ", ".join(f"{voice.voice_id} ({voice.name})" for voice in known[:_MOST_NAMED])
    return f"; there are {len(known)}: {some}" if some else "; the account has none"
