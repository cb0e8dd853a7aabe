"""Google's Speech-to-Text client, version 2: one request of streaming recognition.

Imported by nobody but ``google_stt``, when the first connection is made.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final

from providers.google_calls import GoogleClient, typed_errors
from providers.google_channel import GoogleConnection, address_of, check_access, connect
from providers.google_errors import SPEECH_BLAME
from providers.google_messages import SpeechUpdate, read_update
from providers.google_settings import GoogleSpeechConfig
from providers.models import google_speech_model
from voice.ports import SAMPLE_RATE_HZ

_HOST: Final = "speech.googleapis.com"
# A phrase set takes 1,200 phrases of at most 100 characters.
_MOST_PHRASES: Final = 500
_MOST_PHRASE_CHARS: Final = 100
# How much likelier a phrase becomes, 0 to 20; high values are heard where nobody said them.
_BOOST: Final = 10.0
# Models that refuse to say when each word was spoken.
_WITHOUT_WORD_TIMES: Final = ("chirp_3",)


def check_config(config: GoogleSpeechConfig) -> None:
    """What can be known without asking anybody.

    Raises:
        ProviderRefused: The clients are not installed, or nobody is named who pays.
        ProviderRejected: The endpoint or the location is none.
    """
    address = address_of(_HOST, config.location, config.endpoint, SPEECH_BLAME)
    check_access(config.project, config.credentials, address)


class SpeechConnection(GoogleClient):
    """A connection on which many streams of recognition run; see ``google_stream.SpeechLine``.

    Args:
        connection: To the service.
        config: Model and location.
        api: The package ``google.cloud.speech_v2``.
        transport: Its transport for asyncio.
    """

    def __init__(
        self, connection: GoogleConnection, config: GoogleSpeechConfig, api: Any, transport: Any
    ) -> None:
        super().__init__(connection, config.connect_timeout_s, SPEECH_BLAME)
        self._config = config
        self._api = api
        self._client = api.SpeechAsyncClient(transport=transport(channel=connection.channel))

    async def recognise(
        self, language: str, phrases: tuple[str, ...], audio: AsyncIterator[bytes]
    ) -> AsyncGenerator[SpeechUpdate, None]:
        """See ``google_stream.SpeechLine``."""
        message = self._api.StreamingRecognizeRequest
        response_type = self._api.StreamingRecognizeResponse

        async def requests() -> AsyncIterator[Any]:
            yield self._opening(language, phrases)
            async for chunk in audio:
                yield message(audio=chunk)

        with typed_errors(SPEECH_BLAME):
            call = await self._client.streaming_recognize(
                requests=requests(), timeout=self._config.reopen_latest_s + 60.0
            )
        async with contextlib.aclosing(self._answers(call)) as answers:
            async for answer in answers:
                yield read_update(response_type.pb(answer))

    def _opening(self, language: str, phrases: tuple[str, ...]) -> Any:
        api, config = self._api, self._config
        model = google_speech_model(config.model, language)
        has_word_times = not model.startswith(_WITHOUT_WORD_TIMES)
        recognition = api.RecognitionConfig(
            explicit_decoding_config=api.ExplicitDecodingConfig(
                encoding=api.ExplicitDecodingConfig.AudioEncoding.MULAW,
                sample_rate_hertz=SAMPLE_RATE_HZ,
                audio_channel_count=1,
            ),
            language_codes=[language],
            model=model,
            features=api.RecognitionFeatures(
                enable_automatic_punctuation=True, enable_word_time_offsets=has_word_times
            ),
        )
        if hints := usable_phrases(phrases):
            phrase_set = api.PhraseSet(
                phrases=[api.PhraseSet.Phrase(value=hint, boost=_BOOST) for hint in hints]
            )
            recognition.adaptation = api.SpeechAdaptation(
                phrase_sets=[api.SpeechAdaptation.AdaptationPhraseSet(inline_phrase_set=phrase_set)]
            )
        project, location = self._connection.project, config.location
        return api.StreamingRecognizeRequest(
            recognizer=f"projects/{project}/locations/{location}/recognizers/_",
            streaming_config=api.StreamingRecognitionConfig(
                config=recognition,
                streaming_features=api.StreamingRecognitionFeatures(
                    enable_voice_activity_events=True, interim_results=True
                ),
            ),
        )


async def connect_speech(config: GoogleSpeechConfig) -> SpeechConnection:
    """A connection that is not yet waited for.

    Raises:
        ProviderRefused: There are no credentials.
    """
    address = address_of(_HOST, config.location, config.endpoint, SPEECH_BLAME)
    api, transport = await asyncio.to_thread(_load)
    connection = await connect(address, config.project, config.credentials)
    return SpeechConnection(connection, config, api, transport)


def _load() -> tuple[Any, Any]:
    from google.cloud import speech_v2
    from google.cloud.speech_v2.services.speech.transports import SpeechGrpcAsyncIOTransport

    return speech_v2, SpeechGrpcAsyncIOTransport


def usable_phrases(phrases: tuple[str, ...]) -> tuple[str, ...]:
    """Those that the service takes."""
    fitting = (phrase.strip() for phrase in phrases)
    return tuple(p for p in fitting if 0 < len(p) <= _MOST_PHRASE_CHARS)[:_MOST_PHRASES]


async def drain(updates: AsyncGenerator[SpeechUpdate, None]) -> None:
    """Read a stream to its end. Raises ``ProviderError``."""
    async with contextlib.aclosing(updates):
        async for _ in updates:
            pass
