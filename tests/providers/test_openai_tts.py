"""OpenAI's speech endpoint over real sockets: the contract, refusals, breaks and odd servers."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import struct
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
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
from providers.openai_tts import OpenAISpeaker
from providers.settings import OpenAITtsConfig
from simulation.faults import Faults
from simulation.openai_tts import OpenAITtsConfig as EmulatorConfig
from telephony import g711
from tests.providers import speaker_stages as stages
from tests.providers.stage import Stage, run_for_real
from tests.support.contract_speaker import LONG, SpeakerContract, all_of, audio_of, until_error
from voice.ports import Speaker, SpeakRequest

pytestmark = pytest.mark.e2e
PACED = EmulatorConfig(first_byte_s=0.0, speed_ratio=20.0)


def request(text: str = "Hello.", voice: str = "alloy") -> SpeakRequest:
    return SpeakRequest("call", text, voice, "en-US")


def speaker_at(address: str, **fields: object) -> OpenAISpeaker:
    known = {"api_key": "k", "base_url": f"http://{address}/v1", **fields}
    return OpenAISpeaker(OpenAITtsConfig(**known))  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def staged(
    emulator: EmulatorConfig | None = None, **fields: object
) -> AsyncIterator[tuple[Stage, OpenAISpeaker]]:
    async with stages.openai_tts(emulator) as stage:
        speaker = speaker_at(stage.address, **fields)
        try:
            yield stage, speaker
        finally:
            await speaker.aclose()


class TestOpenAISpeaker(SpeakerContract):
    run = staticmethod(run_for_real)
    voice = "alloy"
    has_marks = False

    @contextlib.asynccontextmanager
    async def speaker(self) -> AsyncIterator[Speaker]:
        async with staged() as (_, speaker):
            yield speaker


@pytest.mark.parametrize(
    ("faults", "kind", "setting"),
    [
        (Faults(status=401), ProviderRefused, "OPENAI_TTS_API_KEY"),
        (Faults(status=403), ProviderRefused, "OPENAI_TTS_API_KEY"),
        (Faults(status=404), ProviderRejected, "OPENAI_TTS_MODEL"),
        (Faults(status=400), ProviderRejected, "voice"),
        (Faults(status=429, retry_after_s=4.0), ProviderBusy, ""),
        (Faults(status=503), ProviderUnavailable, ""),
        (Faults(refuse_connection=True), ProviderUnavailable, "OPENAI_TTS_BASE_URL"),
        (Faults(handshake_delay_s=30.0), ProviderTimeout, ""),
        (Faults(hang_after_accept=True), ProviderTimeout, ""),
    ],
)
def test_refusals_are_typed(faults: Faults, kind: type[ProviderError], setting: str) -> None:
    async def body() -> None:
        async with staged(first_byte_timeout_s=1.0) as (stage, speaker):
            stage.break_it(faults)
            with pytest.raises(kind) as caught:
                await speaker.warm("alloy", "en-US")
            assert type(caught.value) is kind
            assert caught.value.setting == setting
            assert caught.value.retry_after_s == (faults.retry_after_s or None)
            stage.mend_it()
            assert audio_of(await all_of(speaker, request()))

    run_for_real(body())


def test_a_wrong_key_voice_and_model_and_a_closed_port_are_named() -> None:
    async def body() -> None:
        async with staged() as (stage, speaker):
            with pytest.raises(ProviderRejected) as rejected:
                await speaker.warm("Rachel", "en-US")
            assert rejected.value.setting == "voice"
            assert "Rachel" not in str(rejected.value)
            for fields, setting in (
                ({"model": "missing-model"}, "OPENAI_TTS_MODEL"),
                ({"api_key": "bad"}, "OPENAI_TTS_API_KEY"),
            ):
                wrong = speaker_at(stage.address, **fields)
                with pytest.raises((ProviderRejected, ProviderRefused)) as caught:
                    await wrong.warm("alloy", "en-US")
                assert caught.value.setting == setting
                await wrong.aclose()
            address = stage.address
        gone = speaker_at(address)
        with pytest.raises(ProviderUnavailable) as unavailable:
            await gone.warm("alloy", "en-US")
        assert unavailable.value.setting == "OPENAI_TTS_BASE_URL"
        await gone.aclose()

    run_for_real(body())


@pytest.mark.parametrize(
    ("faults", "kind", "some_audio"),
    [
        (Faults(stall_after_messages=2), ProviderTimeout, True),
        (Faults(drop_after_messages=2), ProviderUnavailable, True),
        (Faults(drop_after_messages=0), ProviderUnavailable, False),
        (Faults(never_end=True), ProviderTimeout, True),
        (Faults(first_byte_delay_s=5.0), ProviderTimeout, False),
    ],
)
def test_a_break_comes_after_what_was_spoken(
    faults: Faults, kind: type[ProviderError], some_audio: bool
) -> None:
    async def body() -> None:
        limits = {"first_byte_timeout_s": 1.0, "stall_timeout_s": 0.5}
        async with staged(PACED, **limits) as (stage, speaker):
            stage.break_it(faults)
            chunks, error = await until_error(speaker, request(LONG))
            assert type(error) is kind
            assert bool(chunks) == some_audio
            stage.mend_it()
            assert audio_of(await all_of(speaker, request()))

    run_for_real(body())


def test_barge_in_ends_the_synthesis_there_and_a_spare_connection_is_opened() -> None:
    slow = EmulatorConfig(first_byte_s=0.0, speed_ratio=1.0)

    async def body() -> None:
        async with staged(slow) as (stage, speaker):
            service: Any = stage.server._service
            await speaker.warm("alloy", "en-US")
            for _ in range(5):
                audio = speaker.speak(request(LONG))
                await anext(audio)
                assert service.speaking == 1
                await audio.aclose()  # type: ignore[attr-defined]
                async with asyncio.timeout(2):
                    while service.speaking or speaker._spare.is_refilling:
                        await asyncio.sleep(0.002)
            assert stage.open_connections == 1
            before = set(stage.server._connections)
            assert audio_of(await all_of(speaker, request()))
            assert set(stage.server._connections) == before

    run_for_real(body())


def test_a_connection_is_kept_warm() -> None:
    async def body() -> None:
        async with staged(keep_warm_s=0.02) as (stage, speaker):
            await speaker.warm("alloy", "en-US")
            asked = stage.control.stats()["openai_tts"]["requests"]
            async with asyncio.timeout(3):
                while stage.control.stats()["openai_tts"]["requests"] < asked + 3:
                    await asyncio.sleep(0.005)
            stage.break_it(Faults(status=401))  # no news for anybody
            await asyncio.sleep(0.05)
            stage.mend_it()
            assert audio_of(await all_of(speaker, request()))
            assert stage.open_connections <= 2  # one of them may be in use just now

    run_for_real(body())


def test_a_sample_rate_out_of_range_names_its_setting() -> None:
    with pytest.raises(ProviderRejected) as caught:
        OpenAISpeaker(OpenAITtsConfig(api_key="k", sample_rate_hz=96_000))
    assert caught.value.setting == "OPENAI_TTS_SAMPLE_RATE"


# --- servers that answer byte by byte ------------------------------------------------------------


@contextlib.asynccontextmanager
async def answering(
    pieces: list[bytes], content: str = "audio/pcm", **fields: object
) -> AsyncIterator[tuple[OpenAISpeaker, list[dict[str, Any]]]]:
    """A server that sends these pieces, whatever it is asked; and what it was asked."""
    asked: list[dict[str, Any]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r")[0])
        asked.append(json.loads(await reader.readexactly(length)))
        start = f"HTTP/1.1 200 OK\r\ncontent-type: {content}\r\ntransfer-encoding: chunked\r\n\r\n"
        writer.write(start.encode())
        for piece in pieces:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            await asyncio.sleep(0.002)
        writer.write(b"0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    speaker = speaker_at(f"{host}:{port}", **fields)
    try:
        yield speaker, asked
    finally:
        await speaker.aclose()
        server.close()


def tone(rate_hz: int, seconds: float = 0.5) -> bytes:
    t = np.arange(round(rate_hz * seconds)) / rate_hz
    return np.rint(12_000 * np.sin(2 * np.pi * 1_000 * t)).astype("<i2").tobytes()


@pytest.mark.parametrize(
    ("rate_hz", "content", "fields"),
    [
        (24_000, "audio/pcm", {}),
        (16_000, "audio/pcm;rate=16000", {}),
        (48_000, "audio/pcm", {"sample_rate_hz": 48_000}),
        (8_000, "application/octet-stream", {"sample_rate_hz": 8_000}),
    ],
)
def test_any_rate_becomes_the_telephones_however_it_is_cut(
    rate_hz: int, content: str, fields: dict[str, object]
) -> None:
    pcm = tone(rate_hz)
    edges = [0, 1, 2, 5, 1_000, 1_003, 9_999, len(pcm)]
    pieces = [pcm[a:b] for a, b in itertools.pairwise(edges) if a < b]

    async def body() -> None:
        async with answering(pieces, content, **fields) as (speaker, asked):
            ulaw = audio_of(await all_of(speaker, request("Hi.")))
            assert len(ulaw) == 4_000
            heard = g711.decode(ulaw).astype(float)[400:-400]
            expected = np.frombuffer(tone(8_000), "<i2").astype(float)[400:-400]
            assert np.abs(heard - expected).max() < 600  # mu-law alone differs by up to 2 %
            assert asked[0]["response_format"] == "pcm"

    run_for_real(body())


@pytest.mark.parametrize(
    ("pieces", "content"),
    [
        ([b'{"error": "no"}'], "application/json"),
        ([b"RI", b"FF" + struct.pack("<I", 99) + b"WAVEfmt "], "audio/pcm"),
        ([b"ID3\x04" + bytes(99)], "application/octet-stream"),
        ([b"\xff\xfb" + bytes(99)], "audio/mpeg"),
    ],
)
def test_another_format_than_was_asked_for_is_no_noise_on_the_line(
    pieces: list[bytes], content: str
) -> None:
    async def body() -> None:
        async with answering(pieces, content) as (speaker, _):
            chunks, error = await until_error(speaker, request())
            assert type(error) is ProviderProtocolError
            assert error.setting == "OPENAI_TTS_BASE_URL"
            assert not chunks

    run_for_real(body())


def test_no_sound_is_an_error_only_if_there_were_words() -> None:
    async def body() -> None:
        async with answering([]) as (speaker, _):
            _, error = await until_error(speaker, request())
            assert type(error) is ProviderUnavailable
            assert await all_of(speaker, request("…")) == []

    run_for_real(body())
