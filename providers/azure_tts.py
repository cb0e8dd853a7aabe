"""Azure text-to-speech through the Speech SDK: mu-law as it is made, a mark for every word."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from providers.azure_sdk import PROVIDER
from providers.azure_tts_pool import SynthesiserPool
from providers.azure_tts_sdk import SdkSynthesiser
from providers.azure_tts_segment import Segment
from providers.azure_tts_synthesiser import Build
from providers.azure_tts_wire import check_config
from providers.errors import ProviderError, ProviderRejected, ProviderUnavailable
from providers.settings import AzureTtsConfig
from voice.ports import SpeakRequest, SpeechChunk

# In UTF-8 less than the 64 KiB that the service takes in one message.
_MOST_CHARS = 10_000
# Control characters and halves of surrogate pairs cannot be sent; marks count characters.
_UNSPEAKABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
# Can be said in every language, and is all that a voice has to say to show that it exists.
_WARMING_TEXT = "1"


class AzureSpeaker:
    """Text-to-speech by Azure.

    Args:
        config: Key, address, limits.
        build: Makes one synthesiser; to be replaced in tests.

    Raises:
        ProviderRefused: The key or the region is missing.
        ProviderRejected: The host is no websocket address.
    """

    def __init__(self, config: AzureTtsConfig, build: Build = SdkSynthesiser) -> None:
        check_config(config)
        self._config = config
        self._pool = SynthesiserPool(config, build)

    @property
    def name(self) -> str:
        """Always ``azure``."""
        return PROVIDER

    @property
    def live(self) -> int:
        """Synthesisers that exist now, idle ones included."""
        return self._pool.live

    async def warm(self, voice: str, language: str) -> None:
        """Have one digit spoken for nobody, and keep a synthesiser connected from now on.

        Raises:
            ProviderError: No connection; the key or the voice is refused.
        """
        async for _ in self.speak(SpeakRequest("", _WARMING_TEXT, voice, language)):
            pass
        self._pool.keep((voice, language))

    async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        """Yield the audio of one segment; see ``voice.ports.Speaker``."""
        self._pool.refuse_when_closed()
        text = _UNSPEAKABLE.sub(" ", request.text)
        if not text.strip():
            return
        if not request.voice:
            raise ProviderRejected("no voice is given", PROVIDER, "voice")
        if len(text) > _MOST_CHARS:
            raise ProviderRejected(f"a segment of more than {_MOST_CHARS} characters", PROVIDER)
        key = (request.voice, request.language)
        for is_second_try in (False, True):
            synthesiser = await self._pool.take(key, is_new=is_second_try)
            segment = Segment(text, self._config)
            has_failed = False
            try:
                await self._pool.begin(synthesiser, segment, text)
                async for chunk in segment.chunks():
                    yield chunk
                return
            except ProviderError as error:
                has_failed = True
                # An idle socket may have been closed over there the moment we took it.
                is_stale = synthesiser.is_used and not (segment.heard or segment.ended)
                if is_second_try or not (is_stale and isinstance(error, ProviderUnavailable)):
                    raise
            finally:
                self._pool.give_back(synthesiser, has_ended=segment.ended, has_failed=has_failed)

    async def aclose(self) -> None:
        """Close every synthesiser; segments still running fail as unavailable."""
        await self._pool.aclose()
