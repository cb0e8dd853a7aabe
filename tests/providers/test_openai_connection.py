"""The thinker against servers that write every byte by hand: ends, cuts and cancellations."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable

import pytest

from dialogue.ports import ReplyDelta, ReplyDone, ToolCallBegan, ToolCallRequested
from providers import openai_chat
from providers.errors import ProviderUnavailable
from tests.providers.stage import run_for_real
from tests.providers.test_openai_chat import thinker_at, until_error
from tests.support.contract_thinker import REQUEST, all_of, text_of

pytestmark = pytest.mark.e2e

Served = tuple[asyncio.Server, str]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"


def event_of(reason: str | None = None, **delta: object) -> bytes:
    choice = {"delta": delta, "finish_reason": reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


TEXT = event_of(content="Hi")
STOP = event_of("stop")
DONE = b"data: [DONE]\n\n"


def chunked(*pieces: bytes) -> bytes:
    head = HEAD + b"transfer-encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


async def serve_once(answer: bytes) -> tuple[asyncio.Server, str]:
    """Answer the first request of a connection, then wait until the client hangs up."""

    async def talk(writer: asyncio.StreamWriter, reader: asyncio.StreamReader) -> None:
        writer.write(answer)
        await reader.read()

    return await serve_talking(talk)


async def serve(talk: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> Served:
    """Answer the first request of a connection with what ``talk`` writes, then hang up."""
    return await serve_talking(lambda writer, _: talk(writer))


async def serve_talking(
    talk: Callable[[asyncio.StreamWriter, asyncio.StreamReader], Awaitable[None]],
) -> Served:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            await talk(writer, reader)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    return server, f"{host}:{port}"


def test_the_end_is_handed_out_before_the_connection_is_tidied_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def body() -> None:
        monkeypatch.setattr(openai_chat, "_TRAILER_S", 1e6)
        server, address = await serve_once(chunked(TEXT, STOP, DONE))
        thinker = thinker_at(address)
        iterator = thinker.reply(REQUEST)
        assert [await anext(iterator), await anext(iterator)] == [
            ReplyDelta("Hi"),
            ReplyDone("stop"),
        ]
        monkeypatch.setattr(openai_chat, "_TRAILER_S", 0.01)
        await iterator.aclose()  # type: ignore[attr-defined]
        await thinker.aclose()
        server.close()

    run_for_real(body())


@pytest.mark.parametrize("cut", [b"", TEXT[:20], TEXT])
def test_a_body_that_is_cut_off_is_a_broken_stream(cut: bytes) -> None:
    async def body() -> None:
        whole = chunked(TEXT, TEXT)

        async def talk(writer: asyncio.StreamWriter) -> None:
            writer.write(whole + b"%x\r\n%s" % (len(TEXT) + 9, cut))

        server, address = await serve(talk)
        thinker = thinker_at(address)
        events, error = await until_error(thinker)
        assert text_of(events) == "HiHi" + ("Hi" if cut == TEXT else "")
        assert type(error) is ProviderUnavailable
        await thinker.aclose()
        server.close()

    run_for_real(body())


@pytest.mark.parametrize("said", [0, 1])
def test_a_cancelled_reply_hangs_up(said: int) -> None:
    async def body() -> None:
        hung_up = asyncio.Event()
        asked = asyncio.Event()

        async def talk(writer: asyncio.StreamWriter, reader: asyncio.StreamReader) -> None:
            asked.set()
            writer.write(chunked(*[TEXT] * said) if said else b"")
            await reader.read()
            hung_up.set()

        server, address = await serve_talking(talk)
        thinker = thinker_at(address, stall_timeout_s=60.0, first_token_timeout_s=60.0)
        spoken = asyncio.Event()

        async def read() -> None:
            async for _ in thinker.reply(REQUEST):
                spoken.set()

        task = asyncio.create_task(read())
        await (spoken if said else asked).wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await hung_up.wait()
        await thinker.aclose()
        server.close()

    run_for_real(body())


def test_a_tool_call_that_has_begun_is_not_silence() -> None:
    async def body() -> None:
        first = {"index": 0, "id": "c1", "function": {"name": "go", "arguments": ""}}
        second = {"index": 0, "function": {"arguments": "{}"}}

        async def talk(writer: asyncio.StreamWriter) -> None:
            writer.write(HEAD + b"\r\n" + event_of(tool_calls=[first]))
            await asyncio.sleep(0.3)  # longer than a silent model would be waited for
            writer.write(event_of(tool_calls=[second]) + STOP)

        server, address = await serve(talk)
        thinker = thinker_at(address, first_token_timeout_s=0.2, stall_timeout_s=60.0)
        assert await all_of(thinker) == [
            ToolCallBegan(),
            ToolCallRequested("c1", "go", "{}"),
            ReplyDone("stop"),
        ]
        await thinker.aclose()
        server.close()

    run_for_real(body())
