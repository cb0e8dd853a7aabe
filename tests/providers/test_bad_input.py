"""Wrong keys, ids and formats, nonsense and floods: typed, named, and nobody else's matter.

Every service that is asked over a network, against emulators and odd servers; a client that is fine
works beside the one in trouble. What each service does in detail is tested with its client.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from dialogue.ports import Message, Thinker, ThinkRequest
from providers.azure_stt import AzureRecogniser
from providers.azure_tts import AzureSpeaker
from providers.azure_tts_segment import Segment as AzureSegment
from providers.azure_tts_wire import AudioMade
from providers.containers import container_of
from providers.deepgram_stt import DeepgramRecogniser
from providers.elevenlabs_tts import ElevenLabsSpeaker
from providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.openai_chat import OpenAIThinker
from providers.openai_tts import OpenAISpeaker
from providers.settings import (
    AzureSpeechConfig,
    AzureTtsConfig,
    ChatEndpoint,
    DeepgramConfig,
    ElevenLabsConfig,
    OpenAIConfig,
    OpenAITtsConfig,
)
from simulation.faults import Faults
from tests.providers import speaker_stages
from tests.providers import stage as stages
from tests.providers.stage import Stage, run_for_real
from tests.support.contract_recogniser import REQUEST, Heard
from voice.ports import Recogniser, Speaker, SpeakRequest

KEY = "topsecret"
WORDS = "My number is four seven eleven."
TOO_MUCH = 20_000_000
SOON = {"first_byte_timeout_s": 0.8, "stall_timeout_s": 0.8}


def elevenlabs(address: str, **fields: Any) -> Speaker:
    known = {"api_key": KEY, "base_url": f"http://{address}", **SOON, **fields}
    return ElevenLabsSpeaker(ElevenLabsConfig(**known))


def azure_tts(address: str, **fields: Any) -> Speaker:
    return AzureSpeaker(AzureTtsConfig(**{"key": KEY, "host": f"ws://{address}", **SOON, **fields}))


def openai_tts(address: str, **fields: Any) -> Speaker:
    known = {"api_key": KEY, "base_url": f"http://{address}/v1", **SOON, **fields}
    return OpenAISpeaker(OpenAITtsConfig(**known))


def openai(address: str, model: str = "") -> Thinker:
    endpoint = ChatEndpoint(base_url=f"http://{address}/v1", api_key=KEY, model=model)
    return OpenAIThinker(OpenAIConfig(endpoint, first_token_timeout_s=0.8, stall_timeout_s=0.8))


VOICES = {
    "elevenlabs": "Rachel",
    "azure_tts": "en-US-AvaMultilingualNeural",
    "openai_tts": "alloy",
}
CLIENTS: dict[str, Callable[..., Any]] = {
    "elevenlabs": elevenlabs,
    "azure_tts": azure_tts,
    "openai_tts": openai_tts,
    "openai": openai,
}
STAGES: dict[str, Callable[[], contextlib.AbstractAsyncContextManager[Stage]]] = {
    "elevenlabs": stages.elevenlabs,
    "azure_tts": speaker_stages.azure_tts,
    "openai_tts": speaker_stages.openai_tts,
    "openai": stages.openai,
    "azure": stages.azure,
    "deepgram": stages.deepgram,
}


async def work(service: str, client: Any, voice: str = "") -> int:
    """Have one thing done; how much came of it. Raises ``ProviderError``."""
    if service == "openai":
        request = ThinkRequest("call", (Message("user", WORDS),))
        return len([event async for event in client.reply(request)])
    wanted = SpeakRequest("call", WORDS, voice or VOICES[service], "en-US")
    return sum([len(chunk.ulaw) async for chunk in client.speak(wanted)])


async def trouble(service: str, client: Any, voice: str = "") -> ProviderError:
    """The error that work ends with."""
    with pytest.raises(ProviderError) as caught:
        await work(service, client, voice)
    return caught.value


def is_discreet(error: ProviderError, caplog: pytest.LogCaptureFixture) -> None:
    """Neither key nor words in what people read; who cannot go on is told what to change."""
    told = f"{error} {caplog.text}"
    assert KEY not in told
    assert "eleven." not in told
    assert error.provider
    assert error.retryable or error.setting


SPOKEN = ("elevenlabs", "azure_tts", "openai_tts", "openai")
TROUBLE = [
    *((service, Faults(status=401), (ProviderRefused,)) for service in SPOKEN),
    *((service, Faults(status=400), (ProviderRejected,)) for service in SPOKEN),
    ("elevenlabs", Faults(garbage_after_messages=0), (ProviderProtocolError,)),
    ("azure_tts", Faults(garbage_after_messages=0), (ProviderTimeout,)),  # its SDK skips it
    ("openai", Faults(garbage_after_messages=0), (ProviderProtocolError,)),
    # A chunk whose length is wrong: the HTTP client waits for the rest of it, or says so.
    (
        "openai_tts",
        Faults(garbage_after_messages=0),
        (ProviderTimeout, ProviderUnavailable, ProviderProtocolError),
    ),
    ("elevenlabs", Faults(wrong_request_id=True), (ProviderTimeout,)),
    ("azure_tts", Faults(wrong_request_id=True), (ProviderTimeout,)),
]


@pytest.mark.e2e
@pytest.mark.parametrize(("service", "faults", "kinds"), TROUBLE)
def test_it_is_typed_and_its_neighbour_does_not_notice(
    service: str,
    faults: Faults,
    kinds: tuple[type[ProviderError], ...],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def body() -> None:
        async with STAGES[service]() as bad, STAGES[service]() as good:
            ill, well = CLIENTS[service](bad.address), CLIENTS[service](good.address)
            bad.break_it(faults)
            error, *amounts = await asyncio.gather(
                trouble(service, ill), *(work(service, well) for _ in range(3))
            )
            assert type(error) in kinds
            assert error.retryable == kinds[0].retryable
            assert min(amounts) > 0
            is_discreet(error, caplog)
            bad.mend_it()
            assert await work(service, ill) > 0
            await asyncio.gather(ill.aclose(), well.aclose())

    with caplog.at_level(logging.INFO):
        run_for_real(body())


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("service", "fields", "voice", "setting"),
    [
        ("elevenlabs", {}, "missing-voice", "voice"),
        ("elevenlabs", {"api_key": "bad"}, "", "ELEVENLABS_API_KEY"),
        ("azure_tts", {}, "en-US-MissingNeural", "voice"),
        ("azure_tts", {"key": "bad"}, "", "AZURE_SPEECH_KEY"),
        ("openai_tts", {}, "missing-voice", "voice"),
        ("openai_tts", {"model": "missing-model"}, "", "OPENAI_TTS_MODEL"),
        ("openai", {"model": "missing-model"}, "", "OPENAI_MODEL"),
    ],
)
def test_what_is_not_there_is_named_and_not_tried_again(
    service: str,
    fields: dict[str, Any],
    voice: str,
    setting: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A key, a voice, a model that has retired."""

    async def body() -> None:
        async with STAGES[service]() as stage:
            client = CLIENTS[service](stage.address, **fields)
            error = await trouble(service, client, voice)
            assert isinstance(error, ProviderRejected | ProviderRefused)
            assert error.setting == setting
            is_discreet(error, caplog)
            await client.aclose()

    with caplog.at_level(logging.INFO):
        run_for_real(body())


# --- recognisers ----------------------------------------------------------------------------------


def recogniser(service: str, address: str) -> Recogniser:
    if service == "azure":
        return AzureRecogniser(AzureSpeechConfig(key=KEY, host=f"ws://{address}"))
    known = DeepgramConfig(KEY, f"ws://{address}", stall_timeout_s=0.5)
    return DeepgramRecogniser(known)


async def talk(client: Recogniser, heard: Heard, limit_s: float) -> None:
    """Say the clip; wait for words, a failure, or for so long."""
    stream = await client.open(REQUEST, heard)
    clip = stages.speech()
    for at in range(0, len(clip), 800):
        stream.write(clip[at : at + 800])
        await asyncio.sleep(0.002)
    with contextlib.suppress(TimeoutError):
        await heard.final(limit_s)
    await stream.close()


@pytest.mark.e2e
@pytest.mark.parametrize("service", ["azure", "deepgram"])
@pytest.mark.parametrize(
    "faults",
    [Faults(garbage_after_messages=0), Faults(wrong_request_id=True)],
    ids=["garbage", "ids"],
)
def test_a_recogniser_that_talks_nonsense_hears_nothing_and_others_hear_on(
    service: str, faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    """Azure's SDK keeps quiet about it: a stream that stays silent is left by its call."""

    async def body() -> None:
        async with STAGES[service]() as bad, STAGES[service]() as good:
            ill, well = recogniser(service, bad.address), recogniser(service, good.address)
            bad.break_it(faults)
            nothing, words = Heard(), Heard()
            await asyncio.gather(talk(ill, nothing, 1.5), talk(well, words, 5.0))
            assert nothing.finals == []
            assert all(failure.retryable for failure in nothing.failures)
            assert [final.text for final in words.finals] == ["Go forward ten meters."]
            assert KEY not in caplog.text
            assert "forward" not in caplog.text.lower()
            await asyncio.gather(ill.aclose(), well.aclose())

    with caplog.at_level(logging.INFO):
        run_for_real(body())


# --- floods ---------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def flooding(answer: Callable[[str | bytes], str | bytes]) -> AsyncIterator[str]:
    """A socket server that answers each first message with far too much."""

    async def flood(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            await connection.send(answer(await connection.recv()))
            await connection.wait_closed()

    async with serve(flood, "127.0.0.1", 0, max_size=None, max_queue=None) as listening:
        yield f"127.0.0.1:{next(iter(listening.sockets)).getsockname()[1]}"


def far_too_much(_message: str | bytes) -> str:
    return json.dumps({"contextId": "s1", "audio": "A" * TOO_MUCH})


def turn_without_end(_message: str | bytes) -> str:
    return f"X-RequestId:{'0' * 32}\r\nPath:turn.start\r\n\r\n{'x' * TOO_MUCH}"


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("service", "answer"), [("elevenlabs", far_too_much), ("azure_tts", turn_without_end)]
)
def test_a_flood_over_a_socket_is_a_failure_of_its_own_segment(
    service: str, answer: Callable[[str | bytes], str], caplog: pytest.LogCaptureFixture
) -> None:
    async def body() -> None:
        async with flooding(answer) as address, STAGES[service]() as good:
            ill, well = CLIENTS[service](address), CLIENTS[service](good.address)
            error, amount = await asyncio.gather(trouble(service, ill), work(service, well))
            assert error.retryable
            assert amount > 0
            is_discreet(error, caplog)
            await asyncio.gather(ill.aclose(), well.aclose())

    with caplog.at_level(logging.INFO):
        run_for_real(body())


@pytest.mark.e2e
@pytest.mark.parametrize("service", ["azure", "deepgram"])
def test_a_flood_of_a_recogniser_is_nothing_to_another_stream(service: str) -> None:
    async def body() -> None:
        async with flooding(turn_without_end) as address, STAGES[service]() as good:
            ill, well = recogniser(service, address), recogniser(service, good.address)
            nothing, words = Heard(), Heard()
            await asyncio.gather(talk(ill, nothing, 1.5), talk(well, words, 5.0))
            assert nothing.finals == []
            assert [final.text for final in words.finals] == ["Go forward ten meters."]
            await asyncio.gather(ill.aclose(), well.aclose())

    run_for_real(body())


@pytest.mark.e2e
def test_a_flood_of_a_language_model_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """A line without an end."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: "
        writer.write(head.encode())
        with contextlib.suppress(ConnectionError):
            for _ in range(TOO_MUCH // 100_000):
                writer.write(b"x" * 100_000)
                await writer.drain()
        writer.close()

    async def body() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        client = openai(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with server:
            error = await trouble("openai", client)
            assert type(error) is ProviderProtocolError
            is_discreet(error, caplog)
            await client.aclose()

    with caplog.at_level(logging.INFO):
        run_for_real(body())


# --- audio of another format ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begin", "name"),
    [
        (b"RIFF\x00\x00\x00\x00WAVE", "WAV"),
        (b"ID3\x04", "MP3"),
        (b"OggS", "Ogg"),
        (b"fLaC", "FLAC"),
        (b"\xff\xff\x7e\x7f", ""),
        (b"", ""),
    ],
)
def test_files_are_told_from_samples(begin: bytes, name: str) -> None:
    assert container_of(begin) == name


@pytest.mark.e2e
def test_a_wav_where_mu_law_was_asked_for_is_no_noise_on_the_line() -> None:
    wav = base64.b64encode(b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(400)).decode()

    def answer(message: str | bytes) -> str:
        return json.dumps({"contextId": json.loads(message)["context_id"], "audio": wav})

    async def body() -> None:
        async with flooding(answer) as address:
            client = elevenlabs(address)
            error = await trouble("elevenlabs", client)
            assert type(error) is ProviderProtocolError
            assert error.setting == "ELEVENLABS_BASE_URL"
            assert "WAV" in str(error)
            await client.aclose()

    run_for_real(body())


def test_azures_voice_in_another_format_is_told_before_it_is_heard() -> None:
    async def body() -> None:
        segment = AzureSegment("Hi.", AzureTtsConfig(region="westeurope"))
        segment.take(AudioMade(b"RIFF" + bytes(100)))
        with pytest.raises(ProviderProtocolError) as caught:
            _ = [chunk async for chunk in segment.chunks()]
        assert caught.value.setting == "AZURE_SPEECH_REGION"

    asyncio.run(body())
