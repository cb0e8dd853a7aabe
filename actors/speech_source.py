"""Where the audio of a segment comes from: a clip made before, or the speaker.

Greetings and the phrases that must be speakable when every provider is down are rendered at start
and pinned; they cost nothing on the phone and need no provider. An agent with spare voices has them
in every one of its voices: a call that has changed its voice hears its phrases in that one, and in
the first one only as long as they were not rendered yet.

Answers that several callers are given are kept as they are spoken, in the voice that spoke them;
those that are heard often are rendered in the others too.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from actors.shared_speech import SharedSpeech
from actors.spare_clips import SpareClips
from cache.clip_key import ClipSpec, clip_key
from cache.clip_store import ClipStore
from cache.clips import Clip
from cache.errors import CacheError
from dialogue.agent import Agent
from providers.breath import breath
from providers.errors import ProviderError
from providers.failover.voices import Voice
from voice.fillers import FillerSounds
from voice.ports import Speaker, SpeakRequest, SpeechChunk, TextMark

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReadyClip:
    """A whole segment, ready to be sent."""

    ulaw: bytes
    marks: tuple[TextMark, ...]


class VoiceChain(Protocol):
    """Several voices of one agent; see ``providers.failover.speaker``."""

    @property
    def voices(self) -> Sequence[Voice]:
        """Best first."""

    def voice_of(self, call_id: str) -> Voice:
        """The one that a call is spoken to in."""


class SpeechSource:
    """The speaker of one agent's calls, with what was rendered before.

    Args:
        speaker: The text-to-speech service.
        store: Clips, in memory and perhaps on disk behind it.
        tenant_id: Whose clips these are.
        models: What each service speaks with (model, server), by its name: another one sounds
            otherwise, so that clips made with it are other clips.
        variant: Likewise, of the agent: ``dialogue.spoken.clip_variant``.
        chain: The voices behind ``speaker``, if it has several.
    """

    def __init__(
        self,
        speaker: Speaker,
        store: ClipStore,
        *,
        tenant_id: str,
        models: Mapping[str, str] | None = None,
        variant: str = "",
        chain: VoiceChain | None = None,
    ) -> None:
        self._chain = chain
        self._speaker = speaker
        self._tenant_id = tenant_id
        self._models = dict(models or {})
        self._variant = variant
        self._store = store
        self._shared = SharedSpeech(store)
        self._spare = SpareClips(self._render_everywhere) if chain is not None else None

    def ready_clip(self, request: SpeakRequest) -> ReadyClip | None:
        """The whole segment if it is in memory, in the call's voice.

        What always has to be speakable is there in another voice rather than not at all.
        """
        own, first = self._own_key(request), self._key(request, self._speaker.name)
        clip = self._store.get(own)
        if clip is None and first != own and self._store.memory.is_pinned(first):
            clip = self._store.get(first)
        elif (
            clip is not None
            and request.call_id
            and self._spare is not None
            and not self._store.memory.is_pinned(own)
        ):
            self._spare.heard(request.text)
        return _ready(clip) if clip is not None else None

    def kept_stream(self, request: SpeakRequest) -> AsyncGenerator[SpeechChunk, None]:
        """As ``stream``, for a segment that others will be told too: it is kept for them."""
        key = self._own_key(request)
        return self._shared.stream(
            key,
            lambda: self._speaker.speak(request),
            is_as_meant=lambda: self._own_key(request) == key,
        )

    def prepare_kept(self, request: SpeakRequest, on_spoken: Callable[[str], None]) -> None:
        """Have a segment in memory that may be asked for soon; what is too much is left.

        Args:
            request: As it would be asked for.
            on_spoken: Told of the text when the disk does not have it: a voice is asked.
        """
        key = self._own_key(request)
        if self._store.memory.holds(key):
            return

        def speak() -> AsyncIterator[SpeechChunk]:
            on_spoken(request.text)
            return self._speaker.speak(request)

        self._shared.prepare(key, speak, lambda: self._own_key(request) == key)

    async def aclose(self) -> None:
        """Stop what is spoken only to be kept."""
        await self._shared.aclose()
        if self._spare is not None:
            await self._spare.aclose()

    def filler_sounds(self, agent: Agent, call_id: str = "") -> FillerSounds:
        """What this agent's callers may hear while a reply is late, as far as it was rendered."""
        text = agent.phrases.one_moment
        request = SpeakRequest(call_id, text, agent.voice, agent.language)

        def sentence() -> bytes:
            clip = self.ready_clip(request) if text else None
            return clip.ulaw if clip else b""

        return FillerSounds(breath(), sentence(), sentence if self._chain is not None else None)

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
        """Render the agent's greeting and phrases in its first voice that can be had.

        Returns:
            What could not be rendered; of several voices, if none could be had.
        """
        breath()  # made once in a process: the first call would wait 45 ms for it, and all others
        failures: list[str] = []
        for voice in self.voices_of(agent):
            found = await self._prepare(agent, voice)
            if not found:
                return []
            failures += found
        return failures

    async def prepare_all(self, agent: Agent) -> list[str]:
        """Render them in every voice; returns what could not be rendered, one line a voice."""
        found = [await self._prepare(agent, voice) for voice in self.voices_of(agent)]
        return [failures[0] for failures in found if failures]

    def voices_of(self, agent: Agent) -> Sequence[Voice]:
        """The voices that its callers may be spoken to in, its own first."""
        if self._chain is not None:
            return self._chain.voices
        return (Voice(self._speaker, agent.voice, agent.language),)

    async def has(self, voice: Voice, text: str) -> bool:
        """Whether this segment is kept in this voice, in memory or on disk."""
        request = SpeakRequest("", text, voice.voice, voice.language)
        return await self._store.recall(self._key(request, voice.speaker.name)) is not None

    async def render(self, voice: Voice, text: str) -> None:
        """Have a segment spoken in this voice and kept. Raises ``ProviderError``."""
        await self._rendered(voice, text, voice.language)

    async def _prepare(self, agent: Agent, voice: Voice) -> list[str]:
        failures: list[str] = []
        for text in agent.fixed_sentences():
            try:
                await self._rendered(voice, text, agent.language, pin=True)
            except (ProviderError, CacheError) as error:
                failures.append(str(error))
                if len(failures) > 1:  # a voice that is down is not asked for everything
                    break
        return failures

    async def _render_everywhere(self, text: str) -> None:
        for voice in self._chain.voices if self._chain is not None else ():
            await self._rendered(voice, text, voice.language)

    async def _rendered(self, voice: Voice, text: str, language: str, *, pin: bool = False) -> None:
        request = SpeakRequest("", text, voice.voice, language)
        maker = functools.partial(self._render, voice.speaker, request)
        await self._store.get_or_make(self._key(request, voice.speaker.name), maker, pin=pin)

    async def _render(self, speaker: Speaker, request: SpeakRequest) -> Clip:
        audio = bytearray()
        marks: list[tuple[int, float]] = []
        async for chunk in speaker.speak(request):
            audio += chunk.ulaw
            marks.extend((mark.chars, mark.at_s) for mark in chunk.marks)
        return Clip(bytes(audio), tuple(marks))

    def _own_key(self, request: SpeakRequest) -> bytes:
        """In the voice that the call is spoken to in now."""
        if self._chain is None or not request.call_id:
            return self._key(request, self._speaker.name)
        voice = self._chain.voice_of(request.call_id)
        return self._key(replace(request, voice=voice.voice), voice.speaker.name)

    def _key(self, request: SpeakRequest, provider: str) -> bytes:
        return clip_key(
            ClipSpec(
                tenant_id=self._tenant_id,
                provider=provider,
                model="/".join(filter(None, (self._models.get(provider), self._variant))),
                voice=request.voice,
                language=request.language,
                text=request.text,
            )
        )


def _ready(clip: Clip) -> ReadyClip:
    return ReadyClip(clip.ulaw, tuple(TextMark(chars, at_s) for chars, at_s in clip.marks))
