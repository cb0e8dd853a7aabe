"""Google's voices through its own client over gRPC, against the emulator."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.google_settings import GoogleTtsConfig
from providers.google_tts import GoogleSpeaker
from providers.google_tts_sdk import without_head
from simulation.faults import Faults
from simulation.google_tts import GoogleTtsConfig as Pace
from simulation.voice_sound import HummingVoice
from tests.providers.google_stage import QUICK_VOICE, VoiceStage, google_voice
from tests.providers.stage import run_for_real
from tests.support.contract_speaker import (
    LONG,
    SHORT,
    SpeakerContract,
    all_of,
    audio_of,
    until_error,
)
from voice.ports import Speaker, SpeakRequest

pytestmark = pytest.mark.e2e
STREAMED = "en-US-Chirp3-HD-Aoede"
WHOLE = "en-US-Neural2-C"


def request(text: str = SHORT, voice: str = STREAMED, language: str = "en-US") -> SpeakRequest:
    return SpeakRequest("call", text, voice, language)


@contextlib.asynccontextmanager
async def staged(
    pace: Pace = QUICK_VOICE, **fields: Any
) -> AsyncIterator[tuple[VoiceStage, GoogleSpeaker]]:
    async with google_voice(pace) as stage:
        speaker = GoogleSpeaker(GoogleTtsConfig(**{"endpoint": stage.endpoint, **fields}))
        try:
            yield stage, speaker
        finally:
            await speaker.aclose()


class TestGoogleVoice(SpeakerContract):
    run = staticmethod(run_for_real)
    voice = STREAMED
    has_marks = False

    @contextlib.asynccontextmanager
    async def speaker(self) -> AsyncIterator[Speaker]:
        async with staged() as (_, speaker):
            yield speaker


class TestGoogleVoiceThatDoesNotStream(TestGoogleVoice):
    voice = WHOLE


@pytest.mark.parametrize("voice", [STREAMED, WHOLE])
def test_mu_law_comes_through_byte_for_byte(voice: str) -> None:
    async def body() -> None:
        async with staged() as (stage, speaker):
            spoken = audio_of(await all_of(speaker, request(LONG, voice)))
            assert spoken == HummingVoice().speak(LONG, "en", voice).ulaw
            await stage.settle()

    run_for_real(body())


@pytest.mark.parametrize(
    ("faults", "kind", "setting"),
    [
        (Faults(status=401), ProviderRefused, "GOOGLE_APPLICATION_CREDENTIALS"),
        (Faults(status=403), ProviderRefused, "GOOGLE_CLOUD_PROJECT"),
        (Faults(status=400), ProviderRejected, "voice"),
        (Faults(status=429, retry_after_s=1.5), ProviderBusy, ""),
        (Faults(status=503), ProviderUnavailable, ""),
        (Faults(refuse_connection=True), ProviderUnavailable, "GOOGLE_TTS_ENDPOINT"),
        (Faults(hang_after_accept=True), ProviderTimeout, ""),
        (Faults(silent_ratio=1.0), ProviderTimeout, ""),
        (Faults(garbage_after_messages=0), ProviderProtocolError, ""),
        (Faults(drop_after_messages=1), ProviderUnavailable, ""),
        (Faults(stall_after_messages=1), ProviderTimeout, ""),
        (Faults(never_end=True), ProviderTimeout, ""),
    ],
    ids=[
        "401", "403", "400", "429", "503", "refused", "hangs", "silent", "garbage", "cut",
        "stalls", "no-end",
    ],
)  # fmt: skip
def test_every_failure_is_typed_and_the_next_segment_is_spoken(
    faults: Faults, kind: type[ProviderError], setting: str
) -> None:
    async def body() -> None:
        async with staged(first_byte_timeout_s=0.3, stall_timeout_s=0.3) as (stage, speaker):
            stage.break_it(faults)
            _, error = await until_error(speaker, request(LONG))
            assert isinstance(error, kind)
            if kind is not ProviderUnavailable or faults.refuse_connection:
                assert error.setting == setting
            assert error.retry_after_s == (faults.retry_after_s or None)
            stage.mend_it()
            assert audio_of(await all_of(speaker, request()))
            await stage.settle()

    run_for_real(body())


def test_a_connection_that_was_closed_unnoticed_costs_nothing() -> None:
    async def body() -> None:
        async with staged() as (stage, speaker):
            await speaker.warm(STREAMED, "en-US")
            for _ in range(3):
                assert stage.server.drop_all() <= 1
                assert audio_of(await all_of(speaker, request()))

    run_for_real(body())


@pytest.mark.parametrize("voice", [STREAMED, WHOLE])
def test_barge_in_ends_the_work_over_there(voice: str) -> None:
    async def body() -> None:
        slow = Pace(first_byte_s=0.01, piece_s=0.05, speed_ratio=1.0)
        async with staged(slow) as (stage, speaker):
            iterator = speaker.speak(request(LONG, voice))
            reading = asyncio.ensure_future(anext(iterator))
            await stage.settle(1)
            if voice == STREAMED:
                await reading
            else:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
            await iterator.aclose()  # type: ignore[attr-defined]
            await stage.settle(0)

    run_for_real(body())


@pytest.mark.parametrize(
    ("wanted", "setting"),
    [
        (request(voice="alto"), "voice"),
        (request(voice="en-US-Chirp3-HD-Missing"), "voice"),
        (request("word " * 1_001), ""),
    ],
)
def test_what_the_service_would_refuse_is_rejected(wanted: SpeakRequest, setting: str) -> None:
    async def body() -> None:
        async with staged() as (_, speaker):
            _, error = await until_error(speaker, wanted)
            assert isinstance(error, ProviderRejected)
            assert error.setting == setting

    run_for_real(body())


def test_a_voice_is_asked_for_in_its_own_language() -> None:
    async def body() -> None:
        async with staged() as (_, speaker):
            for voice, language in (
                ("yue-HK-Standard-A", "zh-HK"),
                ("cmn-CN-Chirp3-HD-Kore", "zh-CN"),
            ):
                assert audio_of(await all_of(speaker, request("你好", voice, language)))

    run_for_real(body())


@pytest.mark.parametrize(
    "audio", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"\xff" * 400, b"RIFF\0\0\0\0WAVEdata\4\0\0\0abcd"]
)
def test_speech_that_is_no_wav_file_is_no_speech(audio: bytes) -> None:
    with pytest.raises(ProviderProtocolError):
        without_head(audio)
