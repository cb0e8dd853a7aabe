"""Deepgram's recognition over real sockets, against the emulator and against bad servers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from websockets.asyncio.server import ServerConnection, serve

from providers.deepgram_stt import DeepgramRecogniser
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.settings import DeepgramConfig
from simulation.faults import Faults
from tests.providers import stage as stages
from tests.providers.stage import Stage, run_for_real
from tests.support.contract_recogniser import REQUEST, Heard, RecogniserContract
from tests.support.flux_wire import connected
from voice.ports import Recogniser, RecogniserFailed, RecogniserStream

pytestmark = pytest.mark.e2e
WHOLE = ["Go forward ten meters."]


@contextlib.asynccontextmanager
async def staged(**fields: object) -> AsyncIterator[tuple[Stage, DeepgramRecogniser]]:
    async with stages.deepgram() as stage:
        known = {"api_key": "k", "base_url": f"http://{stage.address}", **fields}
        recogniser = DeepgramRecogniser(DeepgramConfig(**known))  # type: ignore[arg-type]
        try:
            yield stage, recogniser
        finally:
            await recogniser.aclose()


async def talk(stream: RecogniserStream, heard: Heard) -> None:
    """Write the speech faster than anybody speaks, but not all at once."""
    speech = stages.speech() + b"\xff" * 8_000
    for at in range(0, len(speech), 640):
        stream.write(speech[at : at + 640])
        await asyncio.sleep(0.004)
    await heard.final()


def texts(heard: Heard) -> list[str]:
    return [final.text for final in heard.finals]


class TestDeepgramOverSockets(RecogniserContract):
    run = staticmethod(run_for_real)

    @contextlib.asynccontextmanager
    async def recogniser(self) -> AsyncIterator[Recogniser]:
        async with staged() as (_, recogniser):
            yield recogniser

    def speech(self) -> bytes:
        return stages.speech()


def test_mu_law_arrives_unchanged_and_the_sockets_are_given_back() -> None:
    async def body() -> None:
        async with staged() as (stage, recogniser):
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            await talk(stream, heard)
            assert texts(heard) == WHOLE
            await stream.close()
            await stage.settle(0)

    run_for_real(body())


@pytest.mark.parametrize(
    ("faults", "kind", "setting"),
    [
        (Faults(status=401), ProviderRefused, "DEEPGRAM_API_KEY"),
        (Faults(status=402), ProviderRefused, "DEEPGRAM_API_KEY"),
        (Faults(status=403), ProviderRefused, "DEEPGRAM_API_KEY"),
        (Faults(status=404), ProviderRejected, "DEEPGRAM_BASE_URL"),
        (Faults(status=429, retry_after_s=2.0), ProviderBusy, ""),
        (Faults(status=503), ProviderUnavailable, ""),
        (Faults(refuse_connection=True), ProviderUnavailable, "DEEPGRAM_BASE_URL"),
        (Faults(handshake_delay_s=30.0), ProviderTimeout, ""),
        (Faults(hang_after_accept=True), ProviderTimeout, ""),
    ],
)
def test_refusals_are_typed_in_the_pool_and_in_a_stream(
    faults: Faults, kind: type[ProviderError], setting: str
) -> None:
    async def body() -> None:
        async with staged(connect_timeout_s=0.3) as (stage, recogniser):
            stage.break_it(faults)
            with pytest.raises(ProviderError) as caught:
                await recogniser.warm("en-US", 1)
            assert type(caught.value) is kind
            assert caught.value.setting == setting
            assert caught.value.retry_after_s == (faults.retry_after_s or None)
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            await heard.final()
            assert [type(event) for event in heard.events] == [RecogniserFailed]
            assert heard.failures[0].retryable == kind.retryable
            assert setting in heard.failures[0].message
            stream.write(b"\xff" * 160)
            await stream.close()
            stage.mend_it()
            heard = Heard()
            await talk(await recogniser.open(REQUEST, heard), heard)
            assert texts(heard) == WHOLE

    run_for_real(body())


@pytest.mark.parametrize(
    ("fields", "kind", "setting"),
    [
        ({"api_key": "bad"}, ProviderRefused, "DEEPGRAM_API_KEY"),
        ({"model": "flux-general-xx"}, ProviderRejected, "DEEPGRAM_MODEL"),
    ],
)
def test_a_wrong_key_and_a_wrong_model_are_named(
    fields: dict[str, object], kind: type[ProviderError], setting: str
) -> None:
    async def body() -> None:
        async with staged(**fields) as (_, recogniser):
            with pytest.raises(ProviderError) as caught:
                await recogniser.warm("en-US", 1)
            assert type(caught.value) is kind
            assert caught.value.setting == setting

    run_for_real(body())


@pytest.mark.parametrize(
    "faults",
    [
        Faults(drop_after_received_bytes=12_000, times=1),
        Faults(drop_after_received_bytes=9_000, times=2),
        Faults(drop_after_messages=5, times=1),
        Faults(garbage_after_messages=5, times=1),
        Faults(stall_after_messages=5, times=1),
    ],
    ids=["cut", "cut-twice", "drop", "garbage", "hang"],
)
def test_trouble_in_mid_word_loses_nothing_and_is_nothing_to_another_call(faults: Faults) -> None:
    async def body() -> None:
        async with staged(stall_timeout_s=0.3) as (stage, recogniser):
            other, heard = Heard(), Heard()
            neighbour = await recogniser.open(REQUEST, other)
            await talk(neighbour, other)
            stage.break_it(faults)
            stream = await recogniser.open(REQUEST, heard)
            speaking = asyncio.ensure_future(talk(stream, heard))
            await heard.final()
            await speaking
            assert not heard.failures + other.failures
            assert texts(heard) == WHOLE
            other._final.clear()
            await talk(neighbour, other)
            assert texts(other) == WHOLE * 2

    run_for_real(body())


def test_answers_under_another_id_are_believed_by_nobody() -> None:
    async def body() -> None:
        async with staged() as (stage, recogniser):
            stage.break_it(Faults(wrong_request_id=True))
            heard = Heard()
            await talk(await recogniser.open(REQUEST, heard), heard)
            assert [type(event) for event in heard.events] == [RecogniserFailed]
            assert heard.failures[0].retryable
            assert "another request" in heard.failures[0].message

    run_for_real(body())


def test_a_turn_without_an_end_is_final_all_the_same() -> None:
    async def body() -> None:
        async with staged() as (stage, recogniser):
            stage.break_it(Faults(never_end=True))
            heard = Heard()
            await talk(await recogniser.open(REQUEST, heard), heard)
            assert texts(heard) == WHOLE
            assert not heard.failures

    run_for_real(body())


def test_a_service_that_reports_on_nothing_is_given_up() -> None:
    async def body() -> None:
        async with staged(stall_timeout_s=0.1) as (stage, recogniser):
            stage.break_it(Faults(silent_ratio=1.0))
            heard = Heard()
            await talk(await recogniser.open(REQUEST, heard), heard)
            assert [type(event) for event in heard.events] == [RecogniserFailed]
            assert heard.failures[0].retryable
            assert "does not answer" in heard.failures[0].message

    run_for_real(body())


async def against(
    server: Callable[[ServerConnection], Awaitable[None]],
    heard: Heard,
    then: Callable[[], None] = lambda: None,
    **fields: object,
) -> None:
    """Speak to a server of our own until a phrase is final or the stream failed, and close."""
    async with serve(server, "127.0.0.1", 0, max_queue=None) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        known = {"api_key": "k", "base_url": f"ws://127.0.0.1:{port}", **fields}
        recogniser = DeepgramRecogniser(DeepgramConfig(**known))  # type: ignore[arg-type]
        stream = await recogniser.open(REQUEST, heard)
        stream.write(stages.speech())
        await heard.final()
        await recogniser.aclose()
        then()


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ('{"type": "Connected", "request_id": "' + "r" * 2_000_000 + '"}', "no proper message"),
        ('{"type": "Connected"}', "request_id"),
        (b"\x00\x01", "no JSON"),
    ],
    ids=["huge", "half", "binary"],
)
def test_a_first_message_that_is_nonsense_is_typed(message: str | bytes, says: str) -> None:
    async def server(connection: ServerConnection) -> None:
        await connection.send(message)
        await connection.wait_closed()

    async def body() -> None:
        heard = Heard()
        await against(server, heard)
        assert [failure.retryable for failure in heard.failures] == [
            ProviderProtocolError.retryable
        ]
        assert says in heard.failures[0].message

    run_for_real(body())


@pytest.mark.parametrize("closes", [(1011, "NET-0000"), (1008, "DATA-0000"), (1013, "")])
def test_close_codes_reach_the_stream(closes: tuple[int, str]) -> None:
    async def server(connection: ServerConnection) -> None:
        await connection.send(connected())
        await connection.recv()
        await connection.close(*closes)

    async def body() -> None:
        heard = Heard()
        await against(server, heard)
        assert [failure.retryable for failure in heard.failures] == [closes[0] != 1008]
        assert str(closes[0]) in heard.failures[0].message

    run_for_real(body())


def test_a_server_that_never_reads_does_not_hold_up_closing() -> None:
    async def server(connection: ServerConnection) -> None:
        await connection.send(connected())
        connection.transport.pause_reading()
        await over.wait()
        connection.transport.abort()

    over = asyncio.Event()

    async def body() -> None:
        heard = Heard()
        await against(server, heard, over.set, stall_timeout_s=0.2)
        assert "does not answer" in heard.failures[0].message

    run_for_real(body())


def test_neither_key_nor_words_are_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def body() -> None:
        async with staged(api_key="topsecret") as (stage, recogniser):
            stage.break_it(Faults(drop_after_received_bytes=12_000, times=1))
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
