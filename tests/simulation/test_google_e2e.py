"""Google's own clients, unmodified, against the emulators; and the control routes beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import httpx
import pytest
from google.api_core import exceptions
from google.cloud import speech_v2, texttospeech_v1
from google.cloud.speech_v2.services.speech.transports import SpeechGrpcAsyncIOTransport
from google.cloud.texttospeech_v1.services.text_to_speech.transports import (
    TextToSpeechGrpcAsyncIOTransport,
)

from simulation.clip_library import load_library
from simulation.google_stt import GoogleSttConfig
from simulation.providers import ProvidersConfig, RunningProviders, run_providers
from simulation.voice_sound import HummingVoice
from tests.providers.google_stage import QUICK_EARS, QUICK_VOICE
from tests.providers.stage import run_for_real

pytestmark = pytest.mark.e2e
CLIP = load_library().clip("goforward").ulaw + b"\xff" * 8_000
VOICE = "en-US-Chirp3-HD-Aoede"


def running(
    scene: Callable[[RunningProviders], Awaitable[None]], ears: GoogleSttConfig = QUICK_EARS
) -> None:
    async def body() -> None:
        config = ProvidersConfig(
            google_port=0,
            google_tts_port=0,
            google=ears,
            google_tts=QUICK_VOICE,
            voice=HummingVoice(),
        )
        async with run_providers(config) as providers:
            await scene(providers)

    run_for_real(body())


def channel_to(providers: RunningProviders, name: str) -> Any:
    address = providers.google_endpoints[name].removeprefix("http://")
    return grpc.aio.insecure_channel(address)


def opening(**fields: Any) -> speech_v2.StreamingRecognizeRequest:
    config = {"languages": ["en-US"], "model": "telephony", **fields}
    return speech_v2.StreamingRecognizeRequest(
        recognizer="projects/p/locations/global/recognizers/_",
        streaming_config=speech_v2.StreamingRecognitionConfig(
            config=speech_v2.RecognitionConfig(
                explicit_decoding_config=speech_v2.ExplicitDecodingConfig(
                    encoding=speech_v2.ExplicitDecodingConfig.AudioEncoding.MULAW,
                    sample_rate_hertz=config.get("rate", 8_000),
                    audio_channel_count=1,
                ),
                language_codes=config["languages"],
                model=config["model"],
            ),
            streaming_features=speech_v2.StreamingRecognitionFeatures(
                interim_results=True, enable_voice_activity_events=True
            ),
        ),
    )


async def recognise(
    providers: RunningProviders, requests: list[Any], wait_s: float = 0.0
) -> list[str]:
    """Finals, by Google's client, of what is sent."""

    async def all_of_them() -> AsyncIterator[Any]:
        for request in requests:
            yield request
        await asyncio.sleep(wait_s)

    async with channel_to(providers, "google_speech_endpoint") as channel:
        client = speech_v2.SpeechAsyncClient(transport=SpeechGrpcAsyncIOTransport(channel=channel))
        call = await client.streaming_recognize(requests=all_of_them())
        return [
            result.alternatives[0].transcript
            async for response in call
            for result in response.results
            if result.is_final
        ]


def audio(data: bytes, size: int = 800) -> list[Any]:
    return [
        speech_v2.StreamingRecognizeRequest(audio=data[at : at + size])
        for at in range(0, len(data), size)
    ]


def test_googles_client_recognises_a_clip() -> None:
    async def scene(providers: RunningProviders) -> None:
        said = await recognise(providers, [opening(), *audio(CLIP)])
        assert said == ["Go forward ten meters."]

    running(scene)


@pytest.mark.parametrize(
    ("requests", "error", "said"),
    [
        ([], exceptions.InvalidArgument, "config"),
        (audio(b"\xff" * 800), exceptions.InvalidArgument, "config"),
        ([opening(), opening()], exceptions.InvalidArgument, "Only the first"),
        ([opening(rate=16_000)], exceptions.InvalidArgument, "8000"),
        ([opening(model="missing-model")], exceptions.InvalidArgument, "does not exist"),
        ([opening(languages=["Klingon"])], exceptions.InvalidArgument, "not supported"),
        ([opening(), *audio(b"\xff" * 25_601, 25_601)], exceptions.InvalidArgument, "25600"),
    ],
)
def test_what_google_refuses_is_refused(
    requests: list[Any], error: type[Exception], said: str
) -> None:
    async def scene(providers: RunningProviders) -> None:
        with pytest.raises(error, match=said):
            await recognise(providers, requests)

    running(scene)


@pytest.mark.parametrize(
    ("ears", "said"),
    [
        (GoogleSttConfig(longest_s=0.1), "Max duration of 5 minutes"),
        (GoogleSttConfig(idle_s=0.1), "no more client requests"),
    ],
)
def test_a_stream_has_its_time(ears: GoogleSttConfig, said: str) -> None:
    async def scene(providers: RunningProviders) -> None:
        with pytest.raises(exceptions.Aborted, match=said):
            await recognise(providers, [opening(), *audio(CLIP[:800])], wait_s=5.0)

    running(scene, ears)


def test_voices_are_listed_and_speak_in_both_ways() -> None:
    async def scene(providers: RunningProviders) -> None:
        tts = texttospeech_v1
        async with channel_to(providers, "google_tts_endpoint") as channel:
            client = tts.TextToSpeechAsyncClient(
                transport=TextToSpeechGrpcAsyncIOTransport(channel=channel)
            )
            listed = await client.list_voices()
            assert VOICE in {voice.name for voice in listed.voices}
            whole = await client.synthesize_speech(
                input=tts.SynthesisInput(text="Yes."),
                voice=tts.VoiceSelectionParams(language_code="en-US", name=VOICE),
                audio_config=tts.AudioConfig(
                    audio_encoding=tts.AudioEncoding.MULAW, sample_rate_hertz=8_000
                ),
            )
            spoken = HummingVoice().speak("Yes.", "en", VOICE).ulaw
            assert whole.audio_content[:4] == b"RIFF"
            assert whole.audio_content.endswith(spoken)
            with pytest.raises(exceptions.InvalidArgument, match="misspelled"):
                await client.synthesize_speech(
                    input=tts.SynthesisInput(text="Yes."),
                    voice=tts.VoiceSelectionParams(language_code="en-US", name="en-US-Nobody"),
                    audio_config=tts.AudioConfig(
                        audio_encoding=tts.AudioEncoding.MULAW, sample_rate_hertz=8_000
                    ),
                )

    running(scene)


def test_faults_are_set_over_http_on_the_same_port() -> None:
    async def scene(providers: RunningProviders) -> None:
        url = providers.google_endpoints["google_speech_endpoint"]
        async with httpx.AsyncClient(base_url=url) as http:
            answer = await http.post(
                "/_control/faults", json={"service": "google", "status": 429, "retry_after_s": 7}
            )
            assert answer.status_code == 200
            with pytest.raises(exceptions.ResourceExhausted) as caught:
                await recognise(providers, [opening()])
            assert any("7" in str(detail) for detail in caught.value.details)
            assert (await http.delete("/_control/faults")).status_code == 200
            stats = (await http.get("/_control/stats")).json()
            assert stats["google"]["requests"] == 1
            assert (await http.get("/v2/anything")).status_code == 404
        assert await recognise(providers, [opening(), *audio(CLIP)]) == ["Go forward ten meters."]

    running(scene)
