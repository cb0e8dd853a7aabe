"""From an agent and the settings to the configuration of the voice machine."""

from __future__ import annotations

from cluster.settings import Settings
from dialogue.agent import Agent
from voice.config import EndpointConfig, PlayoutConfig, SpokenPhrases, VoiceConfig
from voice.ports import FRAME_S


def voice_config(agent: Agent, settings: Settings) -> VoiceConfig:
    """How this agent's ear and mouth behave in this deployment."""
    taking, phrases = agent.turn_taking, agent.phrases
    return VoiceConfig(
        phrases=SpokenPhrases(
            apology=phrases.apology,
            still_there=phrases.still_there,
            goodbye=phrases.goodbye,
            trouble=phrases.trouble,
        ),
        endpoint=EndpointConfig(
            eager_silence_s=taking.eager_silence_s,
            commit_silence_s=taking.commit_silence_s,
            final_wait_s=taking.final_wait_s,
        ),
        playout=PlayoutConfig(
            lead_s=taking.playout_lead_s,
            chunk_frames=max(1, round(settings.playout_chunk_ms / 1_000 / FRAME_S)),
        ),
        barge_in_speech_s=taking.barge_in_speech_s,
        idle_prompt_s=taking.idle_prompt_s,
        idle_hang_up_s=taking.idle_hang_up_s,
        speculate=settings.speculate,
    )
