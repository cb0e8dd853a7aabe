"""Models that agents use and that their vendor is about to take away, or has taken away already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from dialogue.agent import Agent
from providers.models import (
    DEFAULT_CHAT_MODEL,
    DEFAULT_OPENAI_SPEECH_MODEL,
    OPENAI_SPEECH_MODELS,
    TRANSCRIPTION_MODELS,
    chat_model,
    realtime_model,
)
from providers.openai_tts_wire import OPENAI_ADDRESS
from providers.realtime.config import model_of, transcriber_of
from providers.settings import (
    REALTIME_MODEL,
    TRANSCRIPTION_MODEL,
    OpenAIConfig,
    ProviderSettings,
)

SOON_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Retirement:
    """A model with a date.

    Attributes:
        agents: Who uses it.
        retires_on: First day on which it is not served.
        advice: What to change.
    """

    model: str
    agents: tuple[str, ...]
    retires_on: date
    advice: str

    def sentence(self, today: date) -> str:
        """For a log line."""
        is_gone = self.retires_on <= today
        when = f"retired on {self.retires_on}" if is_gone else f"retires on {self.retires_on}"
        return f"model {self.model} {when} (agent {', '.join(self.agents)}): {self.advice}"


def retiring(agents: Iterable[Agent], known: ProviderSettings, today: date) -> list[Retirement]:
    """What of the agents' models is gone, or will be within ``SOON_DAYS``; the soonest first."""
    used: dict[tuple[str, date, str], list[str]] = {}
    for agent in agents:
        for model, retires_on, advice in [
            *_chat(agent, known),
            *_speech(agent, known),
            *_realtime(agent, known),
        ]:
            if retires_on is not None and (retires_on - today).days <= SOON_DAYS:
                used.setdefault((model, retires_on, advice), []).append(agent.agent_id)
    found = [
        Retirement(model, tuple(dict.fromkeys(names)), retires_on, advice)
        for (model, retires_on, advice), names in used.items()
    ]
    return sorted(found, key=lambda each: (each.retires_on, each.model))


def _chat(agent: Agent, known: ProviderSettings) -> list[tuple[str, date | None, str]]:
    configs = {
        "openai": known.openai,
        "azure_openai": known.azure_openai,
        "openrouter": known.openrouter,
    }
    found = []
    for name in agent.thinkers:
        config = configs.get(name)
        if config is None or config.endpoint.kind == "azure":  # a deployment's name tells nothing
            continue
        own = agent.model if name == agent.thinker else ""
        found.append(_of(own, config))
    return found


def _of(own: str, config: OpenAIConfig) -> tuple[str, date | None, str]:
    model = own or config.endpoint.model or DEFAULT_CHAT_MODEL
    setting = config.endpoint.model_setting
    # What an agent's file names counts, whatever the setting says.
    advice = "change model in the agent's file" if own else f"set {setting}"
    return model, chat_model(model).retires_on, advice


def _realtime(agent: Agent, known: ProviderSettings) -> list[tuple[str, date | None, str]]:
    if "realtime" not in agent.modes:
        return []
    model, writer = model_of(known.openai_realtime, agent), transcriber_of(known.openai_realtime)
    own = "change realtime.model in the agent's file" if agent.realtime.model else ""
    return [
        (model, realtime_model(model).retires_on, own or f"set {REALTIME_MODEL}"),
        (writer, TRANSCRIPTION_MODELS.get(writer), f"set {TRANSCRIPTION_MODEL}"),
    ]


def _speech(agent: Agent, known: ProviderSettings) -> list[tuple[str, date | None, str]]:
    speech = known.openai_tts
    if "openai" not in agent.speakers or speech.base_url.rstrip("/") != OPENAI_ADDRESS:
        return []  # other servers have models of their own
    model = speech.model or DEFAULT_OPENAI_SPEECH_MODEL
    advice = "name another speaker in the agent's file, or set OPENAI_TTS_BASE_URL"
    return [(model, OPENAI_SPEECH_MODELS.get(model), advice)]
