"""Recognisers over raw websockets, against their emulators: what holds for each of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.health.signals import Sign, signal_of_error
from providers.openai_transcription_stt import OpenAITranscriptionRecogniser
from providers.scribe_stt import ScribeRecogniser
from providers.socket_settings import OpenAITranscriptionConfig, ScribeConfig
from simulation.faults import Faults
from tests.providers import socket_stages, stage
from tests.providers.socket_stages import WHOLE, talk, texts
from tests.providers.stage import Stage, run_for_real
from tests.support.contract_recogniser import REQUEST, Heard, RecogniserContract
from voice.ports import Recogniser, RecogniserFailed

pytestmark = pytest.mark.e2e

Staged = Callable[..., AbstractAsyncContextManager[tuple[Stage, Any]]]
SERVICES: dict[str, Staged] = {
    "scribe": socket_stages.scribe,
    "openai_transcription": socket_stages.openai_stt,
}
KEYS = {
    "scribe": "SCRIBE_API_KEY or ELEVENLABS_API_KEY",
    "openai_transcription": "OPENAI_STT_API_KEY or OPENAI_API_KEY",
}
each = pytest.mark.parametrize("name", SERVICES)


class _Contract(RecogniserContract):
    run = staticmethod(run_for_real)
    name = ""

    @contextlib.asynccontextmanager
    async def recogniser(self) -> AsyncIterator[Recogniser]:
        async with SERVICES[self.name]() as (_, recogniser):
            yield recogniser

    def speech(self) -> bytes:
        return stage.speech()


class TestScribe(_Contract):
    name = "scribe"


class TestOpenAITranscription(_Contract):
    name = "openai_transcription"


@each
def test_mu_law_arrives_unchanged_and_the_sockets_are_given_back(name: str) -> None:
    async def body() -> None:
        async with SERVICES[name]() as (stage, recogniser):
            await recogniser.warm("en-US", 1)
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            await talk(stream, heard)
            assert texts(heard) == WHOLE
            assert recogniser.live == 2
            await stream.close()
            await stage.settle(1)

    run_for_real(body())


@each
@pytest.mark.parametrize(
    ("faults", "kind", "sign"),
    [
        (Faults(status=401), ProviderRefused, Sign.REFUSED),
        (Faults(status=402), ProviderRefused, Sign.REFUSED),
        (Faults(status=404), ProviderRejected, Sign.OUR_MISTAKE),
        (Faults(status=429, retry_after_s=2.0), ProviderBusy, Sign.BUSY),
        (Faults(status=503), ProviderUnavailable, Sign.UNAVAILABLE),
        (Faults(refuse_connection=True), ProviderUnavailable, Sign.UNAVAILABLE),
        (Faults(handshake_delay_s=30.0), ProviderTimeout, Sign.LATE),
        (Faults(hang_after_accept=True), ProviderTimeout, Sign.LATE),
    ],
)
def test_refusals_are_typed_in_the_pool_and_in_a_stream(
    name: str, faults: Faults, kind: type[ProviderError], sign: Sign
) -> None:
    async def body() -> None:
        limits = {"connect_timeout_s": 0.2} if kind is ProviderTimeout else {}
        async with SERVICES[name](**limits) as (stage, recogniser):
            stage.break_it(faults)
            with pytest.raises(ProviderError) as caught:
                await recogniser.warm("en-US", 1)
            error = caught.value
            assert type(error) is kind
            assert signal_of_error(error).sign is sign
            assert error.retry_after_s == (faults.retry_after_s or None)
            if kind is ProviderRefused:
                assert error.setting == KEYS[name]
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            await heard.final()
            assert [type(event) for event in heard.events] == [RecogniserFailed]
            assert heard.failures[0].retryable == kind.retryable
            assert error.setting in heard.failures[0].message
            await stream.close()

    run_for_real(body())


@each
@pytest.mark.parametrize(
    "faults",
    [
        Faults(drop_after_received_bytes=16_000, times=1),
        Faults(drop_after_messages=2, times=1),
        Faults(garbage_after_messages=2, times=1),
        Faults(stall_after_messages=2, times=1),
    ],
    ids=["cut", "drop", "garbage", "hang"],
)
def test_trouble_in_mid_word_loses_nothing_and_is_nothing_to_another_call(
    name: str, faults: Faults
) -> None:
    async def body() -> None:
        async with SERVICES[name](stall_timeout_s=0.4) as (stage, recogniser):
            other, heard = Heard(), Heard()
            neighbour = await recogniser.open(REQUEST, other)
            await talk(neighbour, other)
            stage.break_it(faults)
            stream = await recogniser.open(REQUEST, heard)
            await talk(stream, heard)
            assert not heard.failures + other.failures
            assert texts(heard) == WHOLE
            ends_s = [event.end_s for event in heard.finals]
            assert 1.0 < ends_s[-1] < 3.0
            other._final.clear()
            await talk(neighbour, other)
            assert texts(other) == WHOLE * 2

    run_for_real(body())


@each
def test_a_service_that_never_finishes_a_phrase_is_given_up(name: str) -> None:
    async def body() -> None:
        async with SERVICES[name](stall_timeout_s=0.1) as (stage, recogniser):
            stage.break_it(Faults(never_end=True))
            heard = Heard()
            await talk(await recogniser.open(REQUEST, heard), heard)
            assert type(heard.events[-1]) is RecogniserFailed
            assert heard.failures[0].retryable
            assert "does not answer" in heard.failures[0].message

    run_for_real(body())


@each
def test_a_caller_who_is_silent_for_long_is_no_reason_to_leave(name: str) -> None:
    async def body() -> None:
        async with SERVICES[name]() as (stage, recogniser):
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            for _ in range(35 * 50):  # beyond the longest silence between two cuts
                stream.write(b"\xff" * 160)
            await talk(stream, heard)
            assert texts(heard) == WHOLE
            assert stage.control.stats()[name]["requests"] == 1

    run_for_real(body())


@each
def test_neither_key_nor_words_are_in_the_log(name: str, caplog: pytest.LogCaptureFixture) -> None:
    async def body() -> None:
        async with SERVICES[name](api_key="topsecret") as (stage, recogniser):
            stage.break_it(Faults(drop_after_received_bytes=16_000, times=1))
            heard = Heard()
            await talk(await recogniser.open(REQUEST, heard), heard)
            stage.break_it(Faults(status=401))
            await recogniser.open(REQUEST, heard)

    with caplog.at_level(logging.INFO):
        run_for_real(body())
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("providers")]
    assert any("another socket" in line for line in ours)
    assert "topsecret" not in caplog.text
    assert "forward" not in caplog.text.lower()


GREETINGS = {
    "scribe": '{"message_type": "session_started", "session_id": "s", "config": {}}',
    "openai_transcription": '{"type": "session.created", "session": {}}',
}
CLIENTS: dict[str, Callable[[str], Any]] = {
    "scribe": lambda address: ScribeRecogniser(
        ScribeConfig("k", f"ws://{address}", stall_timeout_s=0.2)
    ),
    "openai_transcription": lambda address: OpenAITranscriptionRecogniser(
        OpenAITranscriptionConfig("k", f"ws://{address}", stall_timeout_s=0.2)
    ),
}


async def against(
    name: str, server: Callable[[ServerConnection], Awaitable[None]], heard: Heard
) -> None:
    """Speak to a server of our own until the stream failed, and close."""
    async with serve(server, "127.0.0.1", 0, max_queue=None) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        recogniser = CLIENTS[name](f"127.0.0.1:{port}")
        stream = await recogniser.open(REQUEST, heard)
        stream.write(stage.speech())
        await heard.final()
        await recogniser.aclose()


@each
@pytest.mark.parametrize(
    ("first", "says"),
    [
        ("x" * 2_000_000, "no proper message"),
        ('{"type": "hello", "message_type": "hello"}', "begins with something else"),
        (b"\x00\x01", "no JSON"),
        ("[]", "no object"),
    ],
    ids=["huge", "other", "binary", "list"],
)
def test_a_first_message_that_is_nonsense_is_typed(
    name: str, first: str | bytes, says: str
) -> None:
    async def server(connection: ServerConnection) -> None:
        await connection.send(first)
        await connection.wait_closed()

    heard = Heard()
    run_for_real(against(name, server, heard))
    assert [type(event) for event in heard.events] == [RecogniserFailed]
    assert heard.failures[0].retryable
    assert says in heard.failures[0].message
    assert len(heard.failures[0].message) < 200


@each
def test_a_flood_in_mid_call_is_a_failure_of_its_own(name: str) -> None:
    async def server(connection: ServerConnection) -> None:
        await connection.send(GREETINGS[name])
        await connection.recv()
        with contextlib.suppress(ConnectionClosed):
            await connection.send("x" * 2_000_000)
        await connection.wait_closed()

    heard = Heard()
    run_for_real(against(name, server, heard))
    assert heard.failures[0].retryable
    assert "no proper message" in heard.failures[0].message


@each
def test_a_server_that_never_reads_does_not_hold_up_closing(name: str) -> None:
    over = asyncio.Event()

    async def server(connection: ServerConnection) -> None:
        await connection.send(GREETINGS[name])
        connection.transport.pause_reading()
        await over.wait()
        connection.transport.abort()

    async def body() -> None:
        heard = Heard()
        speaking = asyncio.ensure_future(against(name, server, heard))
        await heard.final(10.0)
        over.set()
        await speaking
        assert "does not answer" in heard.failures[0].message

    run_for_real(body())
