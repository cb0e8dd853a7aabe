"""Text-to-speech through the OpenAI SDK, at any address that speaks the protocol.

The voice comes as PCM, mostly at 24 kHz, and is brought to the telephone's mu-law as it arrives. It
says nothing about which word is when. OpenAI's own models of this kind retire (``models``); servers
that people run themselves speak the same protocol.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

from providers.audio_bounds import Trickle, check_length
from providers.errors import ProviderRejected, ProviderUnavailable
from providers.openai_connection import SpareConnection, build_client, typed_errors
from providers.openai_tts_wire import (
    BLAME,
    PROVIDER,
    blame_of,
    check_beginning,
    check_config,
    model_of,
    rate_of,
    request_body,
)
from providers.settings import OPENAI_TTS_SAMPLE_RATE, ChatEndpoint, OpenAITtsConfig
from providers.telephone_audio import TelephoneAudio
from voice.ports import SpeakRequest, SpeechChunk

# Can be said in every language, and is all that a voice has to say to show that it exists.
_WARMING_TEXT = "1"
_SAMPLE_BYTES = 2


class OpenAISpeaker:
    """A voice behind the protocol of OpenAI's speech endpoint.

    Args:
        config: Key, address, deadlines.

    Raises:
        ProviderRefused: There is no key, and the address is OpenAI's own.
        ProviderRejected: The address is no http or https URL, or the sample rate is out of range.
    """

    def __init__(self, config: OpenAITtsConfig) -> None:
        check_config(config)
        try:
            TelephoneAudio(config.sample_rate_hz)
        except ValueError as error:
            raise ProviderRejected(str(error), PROVIDER, OPENAI_TTS_SAMPLE_RATE) from None
        self._config = config
        endpoint = ChatEndpoint(base_url=config.base_url.rstrip("/"), api_key=config.api_key)
        self._client = build_client(endpoint, config.connect_timeout_s)
        self._spare = SpareConnection(
            self._client,
            model_of(config),
            BLAME,
            limit_s=config.connect_timeout_s + config.stall_timeout_s,
            every_s=config.keep_warm_s,
        )
        self._closed = False

    @property
    def name(self) -> str:
        """Always ``openai``, whichever address is used."""
        return PROVIDER

    async def warm(self, voice: str, language: str) -> None:
        """Have one digit spoken for nobody, and keep a connection open from now on.

        Raises:
            ProviderError: No connection; the key, the model or the voice is refused.
        """
        async for _ in self.speak(SpeakRequest("", _WARMING_TEXT, voice, language)):
            pass
        self._spare.keep()

    async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        """Yield the audio of one segment; see ``voice.ports.Speaker``."""
        if self._closed:
            raise ProviderUnavailable("closed", PROVIDER)
        if not request.text.strip():
            return
        body, is_whole, samples = request_body(self._config, request), False, 0
        try:
            async with contextlib.aclosing(self._pieces(body)) as pieces:
                async for ulaw in pieces:
                    samples += len(ulaw)
                    check_length(samples, request.text, PROVIDER)
                    yield SpeechChunk(ulaw)
                is_whole = True
        finally:
            self._spare.was_used()
            if not is_whole:
                self._spare.refill()
        if not samples and any(char.isalnum() for char in request.text):
            raise ProviderUnavailable("it said nothing", PROVIDER)

    async def aclose(self) -> None:
        """Close every connection; segments still running fail as unavailable."""
        self._closed = True
        await self._spare.aclose()
        await self._client.close()

    async def _pieces(self, body: dict[str, object]) -> AsyncGenerator[bytes, None]:
        """Mu-law as it comes, never empty. Raises ``ProviderError``."""
        config, loop = self._config, asyncio.get_running_loop()
        deadline_s = loop.time() + config.first_byte_timeout_s
        async with contextlib.AsyncExitStack() as stack:
            with typed_errors(BLAME, blame_of):
                async with asyncio.timeout_at(deadline_s):
                    response = await stack.enter_async_context(
                        self._client.audio.speech.with_streaming_response.create(**body)  # type: ignore[arg-type]
                    )
            rate_hz = rate_of(response.headers, config.sample_rate_hz)
            audio, trickle = TelephoneAudio(rate_hz), Trickle(_SAMPLE_BYTES * rate_hz)
            stream, begin = response.iter_bytes(), b""
            while True:
                with typed_errors(BLAME, blame_of):
                    async with asyncio.timeout_at(deadline_s):
                        piece = await anext(stream, None)
                if piece is None:
                    break
                if trickle.took(len(piece)):
                    deadline_s = loop.time() + config.stall_timeout_s
                if len(begin) < 4:
                    begin += piece[:4]
                    check_beginning(begin)
                if ulaw := audio.push(piece):
                    yield ulaw
            if ulaw := audio.finish():
                yield ulaw
