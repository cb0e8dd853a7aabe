"""Where an agent's speech comes from, spoken or kept.

Calls and ``callcluster cache render`` both come here: what one has made, the other finds.
"""

from __future__ import annotations

from actors.speech_source import SpeechSource, VoiceChain
from cache.clip_store import ClipStore
from dialogue.agent import Agent
from dialogue.spoken import clip_variant
from providers.settings import ProviderSettings
from providers.speech_models import speech_models
from voice.ports import Speaker


def speech_source(
    known: ProviderSettings,
    agent: Agent,
    voice: Speaker,
    store: ClipStore,
    *,
    chain: VoiceChain | None = None,
) -> SpeechSource:
    """The source of an agent's speech.

    Args:
        known: The settings that its speakers were built with.
        agent: Who speaks, and whose clips these are.
        voice: Speaks what is not kept.
        store: Clips.
        chain: The voices behind ``voice``, if it has several.
    """
    return SpeechSource(
        voice,
        store,
        tenant_id=agent.tenant_id,
        models=speech_models(known),
        variant=clip_variant(agent.spoken_forms),
        chain=chain,
    )
