"""The emulators against the real, unmodified client libraries, over loopback sockets."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Callable
from typing import Any

import azure.cognitiveservices.speech as speech
import httpx
import openai
import pytest
import websockets

from simulation.azure_stt import AzureConfig
from simulation.azure_tts_session import AzureTtsConfig
from simulation.clip_library import load_library
from simulation.elevenlabs_tts import ElevenLabsConfig
from simulation.faults import Faults
from simulation.openai_chat import OpenAIConfig
from simulation.openai_replies import ScriptLine
from simulation.providers import ProvidersConfig, RunningProviders, run_providers
from simulation.voice_sound import HummingVoice

pytestmark = pytest.mark.e2e
QUIET = b"\xff" * 4_800
GO = load_library().clip("goforward").ulaw
SCRIPT = (ScriptLine(("order",), "", "find_order", (("id", 7),)),)
CONFIG = ProvidersConfig(
    azure=AzureConfig(interim_lag_s=0.0, final_lag_s=0.0),
    openai=OpenAIConfig(first_token_s=0.0, per_token_s=0.0, script=SCRIPT),
    elevenlabs=ElevenLabsConfig(first_byte_s=0.0, speed_ratio=0.0),
    azure_tts=AzureTtsConfig(first_byte_s=0.0, speed_ratio=0.0),
    voice=HummingVoice(),
)


def running(scene: Callable[[RunningProviders], Any]) -> Any:
    """Run ``scene`` beside the emulators; it may be a coroutine, or block in a thread."""

    async def run() -> Any:
        async with run_providers(CONFIG) as providers:
            if asyncio.iscoroutinefunction(scene):
                return await scene(providers)
            return await asyncio.to_thread(scene, providers)

    return asyncio.run(asyncio.wait_for(run(), 20))


def recognise(config: speech.SpeechConfig, audio: bytes) -> dict[str, list[Any]]:
    """Let Azure's SDK recognise ``audio``; returns what it reported until it stopped."""
    config.speech_recognition_language = "en-US"
    config.set_property(speech.PropertyId.Speech_SegmentationSilenceTimeoutMs, "300")
    config.set_property_by_name("SPEECH-BytesPerFrame", "160")
    config.set_property_by_name("SPEECH-TelemetryDataEnabled", "false")
    config.set_property_by_name("SPEECH-StopRecognitionTimeoutInSeconds", "1")
    form = speech.audio.AudioStreamFormat(
        8_000, 8, 1, wave_stream_format=speech.audio.AudioStreamWaveFormat.MULAW
    )
    stream = speech.audio.PushAudioInputStream(form)
    recogniser = speech.SpeechRecognizer(
        config, audio_config=speech.audio.AudioConfig(stream=stream)
    )
    seen: dict[str, list[Any]] = {"interim": [], "final": [], "ended": []}
    done = threading.Event()
    recogniser.recognizing.connect(lambda e: seen["interim"].append(e.result.text))
    recogniser.recognized.connect(lambda e: seen["final"].append(e.result.text))
    recogniser.canceled.connect(
        lambda e: seen["ended"].append((e.cancellation_details.reason, e.cancellation_details.code))
    )
    recogniser.canceled.connect(lambda _: done.set())
    recogniser.start_continuous_recognition_async().get()
    stream.write(audio)
    stream.close()
    assert done.wait(8)
    if seen["ended"][0][1] == speech.CancellationErrorCode.NoError:  # else it has stopped itself
        recogniser.stop_continuous_recognition_async().get()
    return seen


def azure_config(providers: RunningProviders, key: str = "x" * 32) -> speech.SpeechConfig:
    return speech.SpeechConfig(host=providers.azure_host, subscription=key)


def test_azures_sdk_hears_interims_and_the_final_on_both_paths() -> None:
    def scene(providers: RunningProviders) -> None:
        endpoint = providers.azure_host.replace("ws", "http")
        for config in (
            azure_config(providers),
            speech.SpeechConfig(endpoint=endpoint, subscription="x" * 32),
        ):
            seen = recognise(config, GO + QUIET)
            assert seen["interim"][-1] == "go forward ten meters"
            assert seen["final"] == ["Go forward ten meters."]
            assert seen["ended"][0][0] == speech.CancellationReason.EndOfStream

    running(scene)


@pytest.mark.parametrize(
    ("faults", "key", "code"),
    [
        (Faults(), "bad", speech.CancellationErrorCode.AuthenticationFailure),
        (Faults(status=429), "k", speech.CancellationErrorCode.TooManyRequests),
    ],
)
def test_azures_sdk_sees_a_refusal_as_what_it_is(faults: Faults, key: str, code: Any) -> None:
    def scene(providers: RunningProviders) -> None:
        providers.board.set("azure", faults)
        assert recognise(azure_config(providers, key), QUIET)["ended"][0][1] == code

    running(scene)


def test_azures_sdk_reconnects_after_a_drop_and_loses_no_word() -> None:
    def scene(providers: RunningProviders) -> None:
        providers.board.set("azure", Faults(drop_after_received_bytes=30_000, times=1))
        seen = recognise(azure_config(providers), GO + QUIET)
        assert seen["final"] == ["Go forward ten meters."]
        assert providers.control.stats()["azure"]["requests"] == 2

    running(scene)


def test_azures_sdk_lists_voices_and_speaks_ssml_over_the_first_version() -> None:
    def scene(providers: RunningProviders) -> None:
        config = speech.SpeechConfig(host=providers.azure_tts_host, subscription="x" * 32)
        config.set_speech_synthesis_output_format(
            speech.SpeechSynthesisOutputFormat.Raw8Khz8BitMonoMULaw
        )
        synthesiser = speech.SpeechSynthesizer(config, audio_config=None)
        voices = synthesiser.get_voices_async("zh-HK").get()
        assert [voice.short_name for voice in voices.voices][:1] == ["zh-HK-HiuMaanNeural"]
        ssml = (
            "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' xml:lang='en-US'>"
            "<voice name='en-US-JennyNeural'>Tea &amp; milk.</voice></speak>"
        )
        result = synthesiser.speak_ssml_async(ssml).get()
        assert result.reason == speech.ResultReason.SynthesizingAudioCompleted
        spoken = HummingVoice().speak("Tea & milk.", "en-US", "en-US-JennyNeural")
        assert result.audio_data == spoken.ulaw

    running(scene)


def ask(text: str) -> dict[str, Any]:
    return {"model": "gpt-6-luna", "messages": [{"role": "user", "content": text}]}


def client_of(providers: RunningProviders, key: str = "k") -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=providers.openai_base_url, api_key=key, max_retries=0)


def test_openais_sdk_streams_answers_tools_and_usage() -> None:
    async def scene(providers: RunningProviders) -> None:
        async with client_of(providers) as client:
            options = {"stream": True, "stream_options": {"include_usage": True}}
            stream = await client.chat.completions.create(**ask("go forward ten meters"), **options)
            chunks = [chunk async for chunk in stream]
            text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
            assert text.startswith("All right, going forward ten meters.")
            assert chunks[-2].choices[0].finish_reason == "stop"
            assert chunks[-1].usage.completion_tokens > 5
            whole = await client.chat.completions.create(**ask("go forward ten meters"))
            assert whole.choices[0].message.content == text
            models = [model.id async for model in client.models.list()]
            assert models[:1] == ["gpt-6-luna"]

    running(scene)


def offer(*names: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"digits": {"type": "string"}}}
    return {
        "reasoning_effort": "none",  # the only one that goes with tools
        "tools": [
            {"type": "function", "function": {"name": name, "parameters": parameters}}
            for name in names
        ],
    }


def test_openais_sdk_streams_tool_calls_in_pieces() -> None:
    async def scene(providers: RunningProviders) -> None:
        async with client_of(providers) as client:
            asked = ask("please press one, then hang up") | offer("send_digits", "end_call")
            async with client.chat.completions.stream(**asked) as stream:
                pieces = [
                    event
                    async for event in stream
                    if event.type == "tool_calls.function.arguments.delta"
                ]
                whole = await stream.get_final_completion()
            assert len(pieces) > 3
            assert whole.choices[0].finish_reason == "tool_calls"
            message = whole.choices[0].message
            assert message.content is None
            assert [
                (call.function.name, call.function.arguments) for call in message.tool_calls
            ] == [("send_digits", '{"digits": "1"}'), ("end_call", "{}")]
            one = await client.chat.completions.create(**asked, parallel_tool_calls=False)
            assert len(one.choices[0].message.tool_calls) == 1
            results = [
                {"role": "tool", "tool_call_id": call.id, "content": '{"ok": true}'}
                for call in message.tool_calls
            ]
            asked["messages"] += [message.model_dump(exclude_none=True), *results]
            said = await client.chat.completions.create(**asked)
            assert said.choices[0].message.content == "Goodbye."
            asked["messages"].pop()
            with pytest.raises(openai.BadRequestError, match="did not have response messages"):
                await client.chat.completions.create(**asked)

    running(scene)


def test_openais_sdk_is_told_which_scripted_tool_to_call() -> None:
    async def scene(providers: RunningProviders) -> None:
        async with client_of(providers) as client:
            asked = ask("my order") | offer("find_order")
            stream = await client.chat.completions.create(**asked, stream=True)
            calls = [
                call async for chunk in stream for call in (chunk.choices[0].delta.tool_calls or [])
            ]
            assert calls[0].function.name == "find_order"
            assert "".join(call.function.arguments for call in calls) == '{"id": 7}'
            forced = await client.chat.completions.create(
                **ask("hi"), **offer("find_order"), tool_choice="required"
            )
            assert forced.choices[0].message.tool_calls[0].function.name == "find_order"
            with pytest.raises(openai.BadRequestError, match="reasoning_effort"):
                await client.chat.completions.create(**asked | {"reasoning_effort": "low"})

    running(scene)


def test_openais_sdk_raises_its_own_errors_for_keys_limits_and_drops() -> None:
    async def scene(providers: RunningProviders) -> None:
        async with client_of(providers, "bad") as client:
            with pytest.raises(openai.AuthenticationError):
                await client.models.list()
        async with client_of(providers) as client:
            providers.board.set("openai", Faults(status=429, retry_after_s=3, times=1))
            with pytest.raises(openai.RateLimitError) as limited:
                await client.chat.completions.create(**ask("hi"))
            assert limited.value.response.headers["retry-after"] == "3"
            assert limited.value.code == "rate_limit_exceeded"
            providers.board.set("openai", Faults(drop_after_messages=3, times=1))
            stream = await client.chat.completions.create(**ask("hi"), stream=True)
            with pytest.raises(openai.APIConnectionError):
                async for _ in stream:
                    pass
            with pytest.raises(openai.BadRequestError, match="messages"):
                await client.chat.completions.create(model="m", messages="x")  # type: ignore[call-overload]

    running(scene)


def test_the_classic_azure_route_of_openai() -> None:
    async def scene(providers: RunningProviders) -> None:
        endpoint = providers.openai_base_url.removesuffix("/v1")
        async with openai.AsyncAzureOpenAI(
            azure_endpoint=endpoint, api_key="k", api_version="2025-04-01-preview"
        ) as client:
            stream = await client.chat.completions.create(**ask("hello"), stream=True)
            texts = [c.choices[0].delta.content or "" async for c in stream if c.choices]
            assert "".join(texts).startswith("Hello")

    running(scene)


def test_a_socket_client_gets_aligned_speech_and_the_end_of_its_context() -> None:
    async def scene(providers: RunningProviders) -> None:
        url = (
            f"{providers.elevenlabs_socket_url}/v1/text-to-speech/Rachel/multi-stream-input"
            "?output_format=ulaw_8000&auto_mode=true&model_id=eleven_flash_v2_5"
        )
        async with websockets.connect(url, additional_headers={"xi-api-key": "k"}) as socket:
            for body in (
                {"text": " ", "context_id": "c", "voice_settings": {"stability": 0.5}},
                {"text": "Hello there. ", "context_id": "c"},
                {"context_id": "c", "close_context": True},
            ):
                await socket.send(json.dumps(body))
            messages = [json.loads(await socket.recv())]
            while not messages[-1].get("isFinal"):
                messages.append(json.loads(await socket.recv()))
        audio = b"".join(base64.b64decode(m["audio"]) for m in messages[:-1])
        chars = [c for m in messages[:-1] if m["alignment"] for c in m["alignment"]["chars"]]
        assert audio == HummingVoice().speak("Hello there. ", "en", "Rachel").ulaw
        assert "".join(chars) == "Hello there. "

    running(scene)


def test_http_speech_faults_and_control_routes() -> None:
    async def scene(providers: RunningProviders) -> None:
        base, key = providers.elevenlabs_base_url, {"xi-api-key": "k"}
        path = "/v1/text-to-speech/Rachel/stream?output_format=ulaw_8000"
        async with httpx.AsyncClient(base_url=base, headers=key) as client:
            spoken = await client.post(path, json={"text": "Hello."})
            assert spoken.content == HummingVoice().speak("Hello.", "en", "Rachel").ulaw
            mp3 = await client.post("/v1/text-to-speech/Rachel/stream", json={"text": "Hello."})
            assert mp3.json()["detail"]["code"] == "invalid_output_format"
            assert (await client.get("/v1/voices")).json()["voices"]
            refused = {"service": "elevenlabs", "status": 429, "times": 1}
            assert (await client.post("/_control/faults", json=refused)).status_code == 200
            assert (await client.get("/v1/models")).status_code == 429
            assert (await client.get("/v1/models")).status_code == 200
            wrong = await client.post("/_control/faults", json={"service": "azure", "x": 1})
            assert (wrong.status_code, "no fault 'x'" in wrong.text) == (400, True)
            assert (await client.get("/_control/stats")).json()["elevenlabs"]["requests"] == 5
            with pytest.raises(httpx.HTTPError):
                await client.post("/_control/drop", json={"service": "elevenlabs"})

    running(scene)
