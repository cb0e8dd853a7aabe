"""Where the audio of a segment comes from: a clip made before, or the speaker.

Greetings and the phrases that must be speakable when every provider is down are rendered at start
and pinned; they cost nothing on the phone and need no provider.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from cache.clip_key import ClipSpec, clip_key
from cache.clip_store import ClipStore
from cache.clips import Clip
from dialogue.agent import Agent
from providers.breath import breath
from providers.errors import ProviderError
from voice.fillers import FillerSounds
from voice.ports import Speaker, SpeakRequest, SpeechChunk, TextMark

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReadyClip:
    """A whole segment, ready to be sent."""

    ulaw: bytes
    marks: tuple[TextMark, ...]


class SpeechSource:
    """The speaker of one agent's calls, with what was rendered before.

    Args:
        speaker: The text-to-speech service.
        store: Clips, in memory and perhaps on disk behind it.
        tenant_id: Whose clips these are.
        model: The speaker's model, which decides how a clip sounds.
    """

    def __init__(
        self, speaker: Speaker, store: ClipStore, *, tenant_id: str, model: str = ""
    ) -> None:
        self._speaker = speaker
        self._tenant_id = tenant_id
        self._model = model
        self._store = store

    def ready_clip(self, request: SpeakRequest) -> ReadyClip | None:
        """The whole segment if it is in memory; a dictionary look-up."""
        clip = self._store.get(self._key(request))
        return _ready(clip) if clip is not None else None

    def filler_sounds(self, agent: Agent) -> FillerSounds:
        """What this agent's callers may hear while a reply is late, as far as it was rendered."""
        text = agent.phrases.one_moment
        clip = self.ready_clip(SpeakRequest("", text, agent.voice, agent.language))
        return FillerSounds(breath=breath(), sentence=clip.ulaw if text and clip else b"")

    async def stream(self, request: SpeakRequest) -> AsyncGenerator[SpeechChunk, None]:
        """The segment from the speaker, as it is made. Raises ``ProviderError``."""
        chunks = self._speaker.speak(request)
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            # An iterator that is left early goes on synthesising until it is collected.
            close = getattr(chunks, "aclose", None)
            if close is not None:
                await close()

    async def prepare(self, agent: Agent) -> list[str]:
        """Render the agent's greeting and phrases; returns what could not be rendered."""
        failures: list[str] = []
        for text in agent.fixed_sentences():
            request = SpeakRequest("", text, agent.voice, agent.language)
            try:
                await self._store.get_or_make(
                    self._key(request), functools.partial(self._render, request), pin=True
                )
            except ProviderError as error:
                failures.append(str(error))
        return failures

    async def _render(self, request: SpeakRequest) -> Clip:
        audio = bytearray()
        marks: list[tuple[int, float]] = []
        async for chunk in self._speaker.speak(request):
            audio += chunk.ulaw
            marks.extend((mark.chars, mark.at_s) for mark in chunk.marks)
        return Clip(bytes(audio), tuple(marks))

    def _key(self, request: SpeakRequest) -> bytes:
        return clip_key(
            ClipSpec(
                tenant_id=self._tenant_id,
                provider=self._speaker.name,
                model=self._model,
                voice=request.voice,
                language=request.language,
                text=request.text,
            )
        )


def _ready(clip: Clip) -> ReadyClip:
    return ReadyClip(clip.ulaw, tuple(TextMark(chars, at_s) for chars, at_s in clip.marks))
