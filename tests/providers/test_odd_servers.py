"""Servers that answer nothing, trickle, hang up in the middle, or never end: real sockets.

Whatever is there instead of the service, a segment or a reply ends with a typed error, soon, and a
client of the same kind works beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from providers.errors import ProviderBusy, ProviderError
from providers.health.signals import Sign, signal_of_error
from tests.providers.stage import run_for_real
from tests.providers.test_bad_input import CLIENTS, STAGES, is_discreet, recogniser, trouble, work
from tests.support.contract_recogniser import REQUEST, Heard

pytestmark = pytest.mark.e2e
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\n"
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
EVERY_S = 0.04


async def empty(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """200, and nothing in it."""
    writer.write(HEAD % b"audio/pcm" + b"content-length: 0\r\n\r\n")


async def half_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """No more comes from there, and it goes on to listen."""
    writer.write_eof()
    await reader.read()


async def trickling_head(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte now and then, and no end of the head."""
    for byte in HEAD * 100:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(EVERY_S)


async def trickling_body(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A proper head, and a byte now and then."""
    writer.write(HEAD % b"audio/pcm" + b"\r\n")
    while True:
        writer.write(b"\x01")
        await writer.drain()
        await asyncio.sleep(EVERY_S)


async def cut_off(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Less than was announced."""
    writer.write(HEAD % b"audio/pcm" + b"content-length: 90000\r\n\r\n\x00\x01")


async def keeping_alive(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Comments of an event stream, and never a word."""
    writer.write(HEAD % b"text/event-stream" + b"\r\n")
    while True:
        writer.write(b": wait\n\n")
        await writer.drain()
        await asyncio.sleep(EVERY_S)


async def mute(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Takes everything."""
    await reader.read()


async def resetting(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Gone before a word."""
    writer.transport.abort()


ANSWERS = (
    empty,
    half_closed,
    trickling_head,
    trickling_body,
    cut_off,
    keeping_alive,
    mute,
    resetting,
)


@contextlib.asynccontextmanager
async def odd(answer: Answer) -> AsyncIterator[str]:
    """A server that answers so, once it was asked something."""
    open_now: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for writer in open_now:
            writer.transport.abort()


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.__name__)
@pytest.mark.parametrize("service", ["elevenlabs", "azure_tts", "openai_tts", "openai"])
def test_who_is_asked_fails_soon_and_typed(
    service: str, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    async def body() -> None:
        async with odd(answer) as address, STAGES[service]() as good:
            ill, well = CLIENTS[service](address), CLIENTS[service](good.address)
            error, amount = await asyncio.gather(trouble(service, ill), work(service, well))
            assert error.retryable
            assert amount > 0
            is_discreet(error, caplog)
            await asyncio.gather(ill.aclose(), well.aclose())

    with caplog.at_level(logging.INFO):
        run_for_real(body(), limit_s=12.0)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.__name__)
@pytest.mark.parametrize("service", ["azure", "deepgram"])
def test_a_recogniser_fails_or_hears_nothing_and_others_hear(
    service: str, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    async def body() -> None:
        async with odd(answer) as address:
            ill, heard = recogniser(service, address), Heard()
            try:
                stream = await ill.open(REQUEST, heard)
            except ProviderError as error:
                is_discreet(error, caplog)
            else:
                stream.write(bytes(8_000))
                await asyncio.sleep(1.0)
                await stream.close()
            assert heard.finals == []
            assert len(heard.failures) <= 1
            await ill.aclose()

    with caplog.at_level(logging.INFO):
        run_for_real(body(), limit_s=15.0)


# --- when to come back ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        b"-5",
        b"nan",
        b"1e999",
        b"soon",
        b"",
        b"9" * 400,
        b"Wed, 21 Oct 2015 07:28:00 GMT",
        b"Wed, 99 Foo 99999 99:99:99 GMT",
    ],
)
@pytest.mark.parametrize("service", ["elevenlabs", "openai_tts", "openai"])
def test_when_to_come_back_is_never_before_now_and_never_for_ever(
    service: str, header: bytes
) -> None:
    async def busy(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = b'{"detail": {"code": "busy"}, "error": {"code": "busy"}}'
        head = b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\n"
        length = b"content-length: %d\r\n" % len(said)
        writer.write(head + b"retry-after: " + header + b"\r\n" + length + b"\r\n" + said)

    async def body() -> None:
        async with odd(busy) as address:
            client = CLIENTS[service](address)
            error = await trouble(service, client)
            assert type(error) is ProviderBusy
            assert error.retry_after_s is None or error.retry_after_s >= 0.0
            assert signal_of_error(error).sign is Sign.BUSY
            await client.aclose()

    run_for_real(body())


# --- without an end -------------------------------------------------------------------------------


async def endless_words(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A reply that goes on and on."""
    writer.write(HEAD % b"text/event-stream" + b"\r\n")
    delta = {"choices": [{"index": 0, "delta": {"content": "and eleven. " * 500}}]}
    while True:
        writer.write(b"data: " + json.dumps(delta).encode() + b"\n\n")
        await writer.drain()
        await asyncio.sleep(0)


async def endless_sound(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speech that goes on and on."""
    writer.write(HEAD % b"audio/pcm" + b"\r\n")
    while True:
        writer.write(b"\x10\x20" * 50_000)
        await writer.drain()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("service", "answer"), [("openai", endless_words), ("openai_tts", endless_sound)]
)
def test_what_never_ends_is_ended_here(
    service: str, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    async def body() -> None:
        async with odd(answer) as address:
            client = CLIENTS[service](address)
            error = await trouble(service, client)
            assert "without an end" in str(error)
            is_discreet(error, caplog)
            await client.aclose()

    with caplog.at_level(logging.INFO):
        run_for_real(body())
