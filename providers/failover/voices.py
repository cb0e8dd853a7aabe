"""The voices of an agent: their units of health, and how each is tried off the path of any call.

A voice is asked while both of its units are well: the first audio, and the audio after it. Each has
a probe of its own: what has no probe is never used again once it was left.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Final

from providers.errors import ProviderError, ProviderTimeout
from providers.health.unit import NO_ACCOUNT, Account, Unit
from providers.health.view import ProbeCall
from voice.ports import SAMPLE_RATE_HZ, Speaker, SpeakRequest, SpeechChunk

PROBE_TEXT: Final = "One two three."
SHORTEST_STALL_S: Final = 0.25
# Zero is the loudest of all codes: nothing but zeros is no sound, it is a buffer without one.
_SILENCE: Final = b"\xff\x7f\xfe\x7e\x00"


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice of an agent.

    Attributes:
        speaker: Who speaks it.
        voice: Its id there.
        language: Of the agent, for probes.
        account: Where and as whom its speaker is asked.
    """

    speaker: Speaker
    voice: str
    language: str
    account: Account = NO_ACCOUNT

    @property
    def unit(self) -> str:
        """Key of its unit of health for the first audio."""
        return Unit.at(self.account, self.speaker.name, "tts.ttfa", self.voice).key

    @property
    def flow_unit(self) -> str:
        """Likewise for the audio after that."""
        return Unit.at(self.account, self.speaker.name, "tts.realtime_factor", self.voice).key


def is_audible(chunk: SpeechChunk) -> bool:
    """Whether anything of it is to be heard."""
    return bool(chunk.ulaw.strip(_SILENCE))


def first_audio_probe(voice: Voice) -> ProbeCall:
    """A few words, up to their first sound: how long that took."""

    async def ask() -> float:
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        async with contextlib.aclosing(_chunks(voice)) as chunks:
            async for chunk in chunks:
                if is_audible(chunk):
                    return loop.time() - began_at
        raise ProviderError("spoke nothing", voice.speaker.name)

    return ask


def flow_probe(voice: Voice) -> ProbeCall:
    """A few words to their end: how much later than it is wanted the latest audio came.

    The ear is taken to begin with the first audio; what is there in time is 0 s late.
    """

    async def ask() -> float:
        loop = asyncio.get_running_loop()
        dry_at, late_s, is_heard = 0.0, 0.0, False
        async with contextlib.aclosing(_chunks(voice)) as chunks:
            async for chunk in chunks:
                now = loop.time()
                if dry_at:
                    late_s = max(late_s, now - dry_at)
                dry_at = max(now, dry_at) + len(chunk.ulaw) / SAMPLE_RATE_HZ
                is_heard = is_heard or is_audible(chunk)
        if not is_heard:
            raise ProviderError("spoke nothing", voice.speaker.name)
        if late_s > SHORTEST_STALL_S:
            raise ProviderTimeout("stalled in a few words", voice.speaker.name)
        return late_s

    return ask


async def _chunks(voice: Voice) -> AsyncGenerator[SpeechChunk, None]:
    """The words of a probe, from a generator that can be closed whatever the speaker gives."""
    request = SpeakRequest("", PROBE_TEXT, voice.voice, voice.language)
    chunks: AsyncIterator[SpeechChunk] = voice.speaker.speak(request)
    try:
        async for chunk in chunks:
            yield chunk
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()
