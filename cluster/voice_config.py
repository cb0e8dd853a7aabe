"""From an agent and the settings to the configuration of the voice machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from cluster.errors import SettingsError
from cluster.settings import Settings
from dialogue.agent import Agent
from dialogue.ports import ToolCallRequested
from dialogue.tool_use import plain_action
from dialogue.tools import Transfer
from voice.config import (
    BargeInConfig,
    FillerConfig,
    PlayoutConfig,
    SpokenPhrases,
    VoiceConfig,
)
from voice.errors import BadVoiceConfig
from voice.ports import FRAME_S
from voice.presets import PRESETS, endpoint_of
from voice.speculation import SpeculationConfig


def voice_configs(agents: Iterable[Agent], settings: Settings) -> dict[str, VoiceConfig]:
    """The configuration of every agent, by its id, checked before the first call.

    Raises:
        SettingsError: An agent's turn-taking contradicts itself or the settings.
    """
    configs = {}
    for agent in agents:
        try:
            configs[agent.agent_id] = voice_config(agent, settings)
        except BadVoiceConfig as error:
            raise SettingsError(
                f"agent {agent.agent_id}: turn_taking (or CALLCLUSTER_PLAYOUT_CHUNK_MS, "
                f"{settings.playout_chunk_ms}): {error}"
            ) from None
    return configs


def voice_config(agent: Agent, settings: Settings) -> VoiceConfig:
    """How this agent's ear and mouth behave in this deployment."""
    taking, phrases = agent.turn_taking, agent.phrases
    return VoiceConfig(
        language=agent.language,
        phrases=SpokenPhrases(
            apology=phrases.apology,
            still_there=phrases.still_there,
            goodbye=phrases.goodbye,
            trouble=agent.trouble,
        ),
        endpoint=endpoint_of(
            taking.preset,
            eager_silence_s=taking.eager_silence_s,
            commit_silence_s=taking.commit_silence_s,
            longest_silence_s=taking.longest_silence_s,
            final_wait_s=taking.final_wait_s,
        ),
        playout=PlayoutConfig(
            lead_s=taking.playout_lead_s,
            chunk_frames=max(1, round(settings.playout_chunk_ms / 1_000 / FRAME_S)),
        ),
        fillers=FillerConfig(
            breath_after_s=taking.breath_after_s, sentence_after_s=taking.one_moment_after_s
        ),
        reply_wait_s=taking.reply_wait_s,
        barge_in=BargeInConfig.pausing_after(taking.barge_in_speech_s),
        idle_prompt_s=taking.idle_prompt_s,
        idle_hang_up_s=taking.idle_hang_up_s,
        speculate=settings.speculate,
        speculation=SpeculationConfig(
            max_waste_ratio=taking.max_waste_ratio or PRESETS[taking.preset].max_waste_ratio,
            steady_words_s=taking.steady_words_s,
        ),
        trouble_action=_trouble_action(agent),
    )


def config_for_mode(config: VoiceConfig, agent: Agent, mode: str) -> VoiceConfig:
    """The configuration of a call that is carried like this, with what is done when that fails.

    A way that has another one behind it is left for that, before a person is asked.
    """
    following = agent.mode_after(mode)
    if following is None or mode == "realtime":  # which changes over by itself
        return config
    phrases = agent.phrases
    waits = replace(config.phrases, trouble=phrases.one_moment or phrases.resume)
    action = {"verb": "switch", "mode": following, "why": "failed"}
    return replace(config, phrases=waits, trouble_action=action)


def _trouble_action(agent: Agent) -> dict[str, Any]:
    call = ToolCallRequested("", agent.on_trouble, "{}")
    action = agent.toolbox.check(call)
    return plain_action(action, call) if isinstance(action, Transfer) else {}
