"""Audio of imported answers in the clip folder of this machine, for ``callcluster cache``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from actors.answer_audio import AnswerAudio, Rendered, sentences_of
from cache.clip_file import ClipFolder
from cache.clip_store import ClipStore
from cache.clips import ClipCache
from cluster.agent_speech import speech_source
from cluster.provider_settings import provider_settings
from cluster.settings import Settings
from dialogue.agent import Agent
from providers.errors import ProviderError
from providers.failover.voices import Voice
from providers.settings import ProviderSettings
from providers.table import build_speaker, in_spoken_forms
from voice.ports import Speaker

_MEMORY_BYTES: Final = 4 << 20  # the folder is what lasts


@dataclass(frozen=True, slots=True)
class _Chain:
    """The voices of an agent, as a source wants them; nobody calls here."""

    voices: Sequence[Voice]

    def voice_of(self, _call_id: str) -> Voice:
        """The first."""
        return self.voices[0]


async def render_answers(
    settings: Settings,
    agent: Agent,
    answers: Sequence[str],
    *,
    most_chars: int,
    on_step: Callable[[Rendered], None] = lambda _rendered: None,
) -> Rendered:
    """Render what an agent always says and these answers in all its voices, as far as it goes.

    Args:
        settings: Of the deployment.
        agent: Who speaks.
        answers: Whole texts.
        most_chars: Given to voices at most.
        on_step: Told of every segment.
    """
    sentences = sentences_of(agent, answers)
    known = provider_settings(settings)
    speakers, failures = _speakers(known, agent)
    voices = [
        Voice(speakers[each.speaker], each.voice, agent.language)
        for each in agent.voices
        if each.speaker in speakers
    ]
    if not voices:
        left = len(sentences) * len(agent.voices)
        return Rendered(total=left, left=left, failures=failures)
    store = ClipStore(ClipCache(_MEMORY_BYTES), ClipFolder(settings.data_dir.absolute() / "clips"))
    source = speech_source(known, agent, voices[0].speaker, store, chain=_Chain(voices))
    try:
        audio = AnswerAudio(source, voices, most_chars=most_chars, on_step=on_step)
        found = await audio.run(sentences)
    finally:
        await source.aclose()
        await asyncio.gather(*(speaker.aclose() for speaker in speakers.values()))
    missing = len(sentences) * (len(agent.voices) - len(voices))
    return replace(
        found,
        total=found.total + missing,
        left=found.left + missing,
        failures={**failures, **found.failures},
    )


def _speakers(known: ProviderSettings, agent: Agent) -> tuple[dict[str, Speaker], dict[str, str]]:
    """The services that can be built, and why the others cannot."""
    speakers: dict[str, Speaker] = {}
    failures: dict[str, str] = {}
    for name in agent.speakers:
        try:
            speakers[name] = in_spoken_forms(build_speaker(name, known), agent.spoken_forms)
        except ProviderError as error:
            failures[name] = str(error)
    return speakers, failures
