"""ElevenLabs over HTTP, by its own package: speech without a websocket, and its voices."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import Request, Response, ServerConnection, serve

from providers.elevenlabs_sdk import ElevenLabsHttp, KnownVoice, http_address
from providers.elevenlabs_spare import SOCKET_AGAIN_S
from providers.elevenlabs_tts import ElevenLabsSpeaker
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.settings import ElevenLabsConfig
from simulation.elevenlabs_tts import ElevenLabsConfig as EmulatorConfig
from simulation.elevenlabs_tts import ElevenLabsTextToSpeech
from simulation.faults import FaultBoard, Faults
from simulation.voice_sound import HummingVoice
from tests.providers import stage as stages
from tests.providers.stage import run_for_real
from tests.providers.test_elevenlabs_tts import Exchange
from tests.support import virtual_time
from tests.support.contract_speaker import SpeakerContract, all_of, audio_of
from voice.ports import Speaker, SpeakRequest

VOICE = "21m00Tcm4TlvDq8ikWAM"
HELLO = SpeakRequest("call", "Hello.", VOICE, "en-US")


def config(address: str, **fields: Any) -> ElevenLabsConfig:
    return ElevenLabsConfig(**{"api_key": "k", "base_url": f"http://{address}", **fields})


@contextlib.asynccontextmanager
async def http_at(address: str, **fields: Any) -> AsyncIterator[ElevenLabsHttp]:
    http = ElevenLabsHttp(config(address, **fields))
    try:
        yield http
    finally:
        await http.aclose()


# --- when to leave the socket: on virtual time ----------------------------------------------------


class Http(ElevenLabsHttp):
    """Speaks one piece, or fails."""

    def __init__(self) -> None:
        self.error: ProviderError | None = None
        self.spoken = 0

    async def speak(self, request: SpeakRequest) -> AsyncGenerator[bytes, None]:
        if self.error is not None:
            raise self.error
        self.spoken += 1
        yield b"\x20" * 160

    async def aclose(self) -> None:
        pass


REFUSED = ProviderProtocolError("no websocket there (HTTP 403)", "elevenlabs")


async def refused(times: int) -> tuple[ElevenLabsSpeaker, Exchange, Http]:
    exchange, http = Exchange(), Http()
    exchange.errors = [REFUSED] * times
    speaker = ElevenLabsSpeaker(ElevenLabsConfig(api_key="k"), exchange.connect, http)
    return speaker, exchange, http


def test_a_refused_socket_costs_one_try_and_is_tried_again_later() -> None:
    async def scene() -> None:
        speaker, exchange, http = await refused(1)
        for _ in range(3):
            assert audio_of(await all_of(speaker, HELLO)) == b"\x20" * 160
        assert (http.spoken, exchange.opened) == (3, [])
        await asyncio.sleep(SOCKET_AGAIN_S)
        await all_of(speaker, HELLO)
        assert (http.spoken, len(exchange.opened)) == (3, 1)
        await speaker.aclose()

    virtual_time.run(scene())


def test_a_warm_voice_whose_socket_is_refused_is_warm_and_goes_back_when_one_opens() -> None:
    async def scene() -> None:
        speaker, exchange, http = await refused(2)
        await speaker.warm(VOICE, "en-US")
        assert http.spoken == 1
        await asyncio.sleep(30.0)  # the pool tries by itself
        await all_of(speaker, HELLO)
        assert (http.spoken, len(exchange.opened)) == (1, 1)
        await speaker.aclose()

    virtual_time.run(scene())


def test_when_http_fails_as_well_the_refusal_comes_out() -> None:
    async def scene() -> None:
        speaker, _, http = await refused(2)
        http.error = ProviderUnavailable("503", "elevenlabs")
        with pytest.raises(ProviderProtocolError, match="no websocket there"):
            await speaker.warm(VOICE, "en-US")
        with pytest.raises(ProviderProtocolError, match="no websocket there"):
            await all_of(speaker, HELLO)
        await speaker.aclose()

    virtual_time.run(scene())


@pytest.mark.parametrize(
    "error", [ProviderUnavailable("503"), ProviderBusy("429"), ProviderRefused("401")]
)
def test_what_the_service_itself_says_is_not_asked_twice(error: ProviderError) -> None:
    async def scene() -> None:
        speaker, exchange, http = await refused(0)
        exchange.errors = [error]
        with pytest.raises(type(error)):
            await all_of(speaker, HELLO)
        assert http.spoken == 0
        await speaker.aclose()

    virtual_time.run(scene())


def test_a_model_without_sockets_never_asks_for_one() -> None:
    async def scene() -> None:
        exchange, http = Exchange(), Http()
        known = ElevenLabsConfig(api_key="k", model="eleven_v3")
        speaker = ElevenLabsSpeaker(known, exchange.connect, http)
        await speaker.warm(VOICE, "en-US")
        await all_of(speaker, HELLO)
        assert (http.spoken, exchange.opened) == (2, [])
        await speaker.aclose()

    virtual_time.run(scene())


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("https://api.elevenlabs.io/", "https://api.elevenlabs.io"),
        ("wss://h/x", "https://h/x"),
        ("ws://h", "http://h"),
    ],
)
def test_the_address_for_http(address: str, wanted: str) -> None:
    assert http_address(address) == wanted
    with pytest.raises(ProviderRejected):
        http_address("ftp://h")


# --- over real sockets, by the package ------------------------------------------------------------


@pytest.mark.e2e
class TestOverHttp(SpeakerContract):
    """A model without sockets passes the same contract."""

    has_marks = False
    run = staticmethod(run_for_real)

    @contextlib.asynccontextmanager
    async def speaker(self) -> AsyncIterator[Speaker]:
        async with stages.elevenlabs() as stage:
            speaker = ElevenLabsSpeaker(config(stage.address, model="eleven_v3"))
            yield speaker
            await speaker.aclose()


@contextlib.asynccontextmanager
async def proxy(stage_address: str, status: HTTPStatus) -> AsyncIterator[str]:
    """Something in between that lets no websocket through, and everything else."""

    async def refuse(_connection: ServerConnection) -> None:
        raise AssertionError("nobody comes this far")

    def answer(connection: ServerConnection, request: Request) -> Response | None:
        return connection.respond(status, "<html>no</html>")

    import socket

    listening = socket.create_server(("127.0.0.1", 0))
    address = f"127.0.0.1:{listening.getsockname()[1]}"
    async with serve(refuse, sock=listening, process_request=answer):
        yield address


@pytest.mark.e2e
@pytest.mark.parametrize("status", [HTTPStatus.FORBIDDEN, HTTPStatus.UPGRADE_REQUIRED])
def test_a_network_that_lets_no_websocket_through_is_spoken_over(status: HTTPStatus) -> None:
    """Handshakes meet a proxy's page, plain requests the service."""

    async def body() -> None:
        async with stages.elevenlabs() as stage, proxy(stage.address, status) as barred:
            http = ElevenLabsHttp(config(stage.address))
            speaker = ElevenLabsSpeaker(config(barred), http=http)
            await speaker.warm(VOICE, "en-US")
            chunks = await all_of(speaker, HELLO)
            assert len(audio_of(chunks)) > 1_000
            await speaker.aclose()

    run_for_real(body())


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("faults", "kind", "setting"),
    [
        (Faults(status=401), ProviderRefused, "ELEVENLABS_API_KEY"),
        (Faults(status=402), ProviderRefused, "ELEVENLABS_API_KEY"),
        (Faults(status=404), ProviderRejected, "voice"),
        (Faults(status=429, retry_after_s=4.0), ProviderBusy, ""),
        (Faults(status=503), ProviderUnavailable, ""),
        (Faults(refuse_connection=True), ProviderUnavailable, "ELEVENLABS_BASE_URL"),
        (Faults(hang_after_accept=True), ProviderTimeout, ""),
        (Faults(stall_after_messages=2), ProviderTimeout, ""),
        (Faults(drop_after_messages=2), ProviderUnavailable, "ELEVENLABS_BASE_URL"),
    ],
)
def test_failures_are_typed(faults: Faults, kind: type[ProviderError], setting: str) -> None:
    async def body() -> None:
        limits = {"first_byte_timeout_s": 0.3, "stall_timeout_s": 0.3, "model": "eleven_v3"}
        async with stages.elevenlabs() as stage:
            speaker = ElevenLabsSpeaker(config(stage.address, **limits))
            await all_of(speaker, HELLO)
            stage.break_it(faults)
            with pytest.raises(ProviderError) as caught:
                await all_of(speaker, HELLO)
            assert type(caught.value) is kind
            assert caught.value.setting == setting
            assert caught.value.retry_after_s == (faults.retry_after_s or None)
            stage.mend_it()
            assert audio_of(await all_of(speaker, HELLO))
            await speaker.aclose()

    run_for_real(body())


@pytest.mark.e2e
def test_voices_are_listed_over_pages_and_looked_up() -> None:
    async def body() -> None:
        board = FaultBoard()
        voices = tuple((f"voice-{n:03}", f"Voice {n}") for n in range(130))
        service = ElevenLabsTextToSpeech(EmulatorConfig(voices=voices), HummingVoice(), board)
        try:
            async with stages._listen(service, board) as stage, http_at(stage.address) as http:
                found = await http.voices()
                assert [voice.voice_id for voice in found] == [name for name, _ in voices]
                known = KnownVoice("voice-007", "Voice 7", "premade", ("en",))
                assert await http.voice("voice-007") == known
                with pytest.raises(ProviderRejected) as caught:
                    await http.voice("somebody")
                assert caught.value.setting == "voice"
        finally:
            service.close()

    run_for_real(body())


@pytest.mark.e2e
@pytest.mark.parametrize("page", [b"<html>no</html>", b'{"voices": 1}', b"[]", b"\xff" * 4_000])
def test_a_list_that_is_none_is_a_protocol_error_without_its_words(page: bytes) -> None:
    async def body() -> None:
        async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(page)}\r\n\r\n"
            writer.write(head.encode() + page)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, http_at(f"127.0.0.1:{port}") as http:
            with pytest.raises(ProviderProtocolError) as caught:
                await http.voices()
            assert "html" not in str(caught.value)
            assert caught.value.setting == "ELEVENLABS_BASE_URL"

    run_for_real(body())


@pytest.mark.e2e
def test_a_wrong_key_sees_no_voices_and_a_page_is_no_speech() -> None:
    async def body() -> None:
        async with stages.elevenlabs() as stage, http_at(stage.address, api_key="bad") as http:
            with pytest.raises(ProviderRefused) as caught:
                await http.voices()
            assert "bad" not in str(caught.value)

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n"
            writer.write(head.encode() + b"Hi!\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, http_at(f"127.0.0.1:{port}") as http:
            with pytest.raises(ProviderProtocolError, match="text/html"):
                async for _ in http.speak(HELLO):
                    pass

    run_for_real(body())
