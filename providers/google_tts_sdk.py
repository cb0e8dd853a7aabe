"""Google's Text-to-Speech client: the speech for one text, as mu-law at 8,000 Hz.

Imported by nobody but ``google_tts``, when the first connection is made.

Voices of the Chirp HD family stream (``StreamingSynthesize``) and give bare mu-law; the others give
the whole sentence at once (``SynthesizeSpeech``), with the head of a WAV file before it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final

from providers.errors import ProviderProtocolError
from providers.google_calls import GoogleClient, nonsense, typed_errors
from providers.google_channel import GoogleConnection, address_of, check_access, connect
from providers.google_errors import PROVIDER, TTS_BLAME
from providers.google_languages import is_streamed, voice_language
from providers.google_settings import GoogleTtsConfig
from voice.ports import SAMPLE_RATE_HZ

_HOST: Final = "texttospeech.googleapis.com"
_MULAW_FORMAT: Final = 7  # WAVE_FORMAT_MULAW


def check_config(config: GoogleTtsConfig) -> None:
    """What can be known without asking anybody.

    Raises:
        ProviderRefused: The clients are not installed, or nobody is named who pays.
        ProviderRejected: The endpoint or the location is none.
    """
    address = address_of(_HOST, config.location, config.endpoint, TTS_BLAME)
    check_access(config.project, config.credentials, address)


class VoiceConnection(GoogleClient):
    """A connection on which many texts are spoken at once.

    Args:
        connection: To the service.
        config: Deadlines.
        api: The package ``google.cloud.texttospeech_v1``.
        transport: Its transport for asyncio.
    """

    def __init__(
        self, connection: GoogleConnection, config: GoogleTtsConfig, api: Any, transport: Any
    ) -> None:
        super().__init__(connection, config.connect_timeout_s, TTS_BLAME)
        self._api = api
        self._client = api.TextToSpeechAsyncClient(transport=transport(channel=connection.channel))

    async def speak(self, text: str, voice: str, language: str) -> AsyncGenerator[bytes, None]:
        """Mu-law as it is made, in pieces of any length; closing it cancels.

        Raises:
            ProviderError: No deadline of ours among the reasons: those are the caller's.
        """
        selected = self._api.VoiceSelectionParams(
            language_code=voice_language(voice, language), name=voice
        )
        pieces = self._stream(text, selected) if is_streamed(voice) else self._whole(text, selected)
        try:
            async for piece in pieces:
                yield piece
        finally:
            await pieces.aclose()

    async def _stream(self, text: str, voice: Any) -> AsyncGenerator[bytes, None]:
        api = self._api

        async def requests() -> AsyncIterator[Any]:
            yield api.StreamingSynthesizeRequest(
                streaming_config=api.StreamingSynthesizeConfig(
                    voice=voice,
                    streaming_audio_config=api.StreamingAudioConfig(
                        audio_encoding=api.AudioEncoding.MULAW, sample_rate_hertz=SAMPLE_RATE_HZ
                    ),
                )
            )
            yield api.StreamingSynthesizeRequest(input=api.StreamingSynthesisInput(text=text))

        with typed_errors(TTS_BLAME):
            call = await self._client.streaming_synthesize(requests=requests(), timeout=None)
        async with contextlib.aclosing(self._answers(call)) as answers:
            async for answer in answers:
                if answer.audio_content:
                    yield answer.audio_content

    async def _whole(self, text: str, voice: Any) -> AsyncGenerator[bytes, None]:
        api = self._api
        with typed_errors(TTS_BLAME):
            answer = await self._client.synthesize_speech(
                request=api.SynthesizeSpeechRequest(
                    input=api.SynthesisInput(text=text),
                    voice=voice,
                    audio_config=api.AudioConfig(
                        audio_encoding=api.AudioEncoding.MULAW, sample_rate_hertz=SAMPLE_RATE_HZ
                    ),
                ),
                timeout=None,
                retry=None,
            )
        if answer is None:
            raise nonsense()
        if answer.audio_content:
            yield without_head(answer.audio_content)


async def connect_voices(config: GoogleTtsConfig) -> VoiceConnection:
    """A connection that is not yet waited for.

    Raises:
        ProviderRefused: There are no credentials.
    """
    address = address_of(_HOST, config.location, config.endpoint, TTS_BLAME)
    api, transport = await asyncio.to_thread(_load)
    connection = await connect(address, config.project, config.credentials)
    return VoiceConnection(connection, config, api, transport)


def _load() -> tuple[Any, Any]:
    from google.cloud import texttospeech_v1
    from google.cloud.texttospeech_v1.services.text_to_speech import transports

    return texttospeech_v1, transports.TextToSpeechGrpcAsyncIOTransport


def without_head(audio: bytes) -> bytes:
    """The samples of a WAV file with mu-law at 8,000 Hz in it.

    Raises:
        ProviderProtocolError: It is something else.
    """
    if audio[:4] != b"RIFF" or audio[8:12] != b"WAVE":
        raise ProviderProtocolError("the speech is no WAV file", PROVIDER)
    at, is_ours = 12, False
    while at + 8 <= len(audio):
        kind, size = audio[at : at + 4], int.from_bytes(audio[at + 4 : at + 8], "little")
        body = audio[at + 8 : at + 8 + size]
        if kind == b"fmt ":
            tag, channels = int.from_bytes(body[:2], "little"), int.from_bytes(body[2:4], "little")
            rate_hz = int.from_bytes(body[4:8], "little")
            is_ours = (tag, channels, rate_hz) == (_MULAW_FORMAT, 1, SAMPLE_RATE_HZ)
        elif kind == b"data":
            if not is_ours:
                break
            return body
        at += 8 + size + (size & 1)
    raise ProviderProtocolError("the speech is not in mu-law at 8,000 Hz", PROVIDER)
