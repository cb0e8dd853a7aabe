"""Both ends of the link between an ingress replica and a CallActor, over loopback."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from actors.errors import LinkLostError
from actors.link_frames import encode
from actors.link_server import LinkServer
from actors.mind_link import MindLink

pytestmark = pytest.mark.e2e


def in_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(**arguments: Any) -> None:
        asyncio.run(asyncio.wait_for(test(**arguments), 20))

    return run


class Mind:
    """Answers by telling back; remembers what became of its streams."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.stopped = asyncio.Event()
        self.going_on = asyncio.Event()
        self.finished = asyncio.Event()

    async def echo(self, argument: Any) -> Any:
        self.asked.append(argument)
        return argument

    async def refuse(self, argument: Any) -> Any:
        raise ValueError(f"the caller said {argument}")

    async def wait(self, _argument: Any) -> Any:
        await self.going_on.wait()
        self.finished.set()

    async def count(self, upto: int) -> AsyncGenerator[int, None]:
        for number in range(upto):
            yield number

    async def for_ever(self, _argument: Any) -> AsyncGenerator[str, None]:
        try:
            yield "first"
            await asyncio.Event().wait()
        finally:
            self.stopped.set()

    async def flood(self, _argument: Any) -> AsyncGenerator[str, None]:
        for _ in range(400):
            yield "x" * 100_000
            await asyncio.sleep(0)
        self.finished.set()


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Mind, LinkServer, dict[str, Any]]]:
    mind = Mind()
    server = LinkServer(
        {"echo": mind.echo, "refuse": mind.refuse, "wait": mind.wait},
        {"count": mind.count, "for_ever": mind.for_ever, "flood": mind.flood},
    )
    where = await server.start("127.0.0.1")
    try:
        yield mind, server, where
    finally:
        await server.aclose()


@in_a_loop
async def test_questions_are_answered_whatever_else_is_asked_at_the_same_time() -> None:
    async with running() as (_, _, where):
        link = await MindLink.connect(where)
        streams = [link.stream("count", n) for n in (3, 0, 2)]
        endless = link.stream("for_ever", None)
        assert await anext(endless) == "first"
        answers = await asyncio.gather(*(link.ask("echo", {"n": n, "字": "係"}) for n in range(20)))
        assert answers == [{"n": n, "字": "係"} for n in range(20)]
        assert [[n async for n in stream] for stream in streams] == [[0, 1, 2], [], [0, 1]]
        await endless.aclose()
        link.close()


@in_a_loop
async def test_questions_begin_in_the_order_in_which_they_were_asked() -> None:
    async with running() as (mind, _, where):
        link = await MindLink.connect(where)
        await asyncio.gather(*(link.ask("echo", n) for n in range(50)))
        assert mind.asked == list(range(50))
        link.close()


@in_a_loop
async def test_closing_a_stream_ends_the_work_at_the_other_end() -> None:
    async with running() as (mind, _, where):
        link = await MindLink.connect(where)
        stream = link.stream("for_ever", None)
        assert await anext(stream) == "first"
        await stream.aclose()
        await mind.stopped.wait()
        assert await link.ask("echo", 1) == 1
        link.close()


@in_a_loop
async def test_an_error_fails_its_own_question_and_says_nothing_of_what_was_in_it() -> None:
    async with running() as (_, _, where):
        link = await MindLink.connect(where)
        with pytest.raises(LinkLostError) as failed:
            await link.ask("refuse", "my card number")
        assert str(failed.value) == "refuse: ValueError"
        with pytest.raises(LinkLostError, match="there is no 'settle' here"):
            await link.ask("settle", {})
        assert await link.ask("echo", 1) == 1
        link.close()


@in_a_loop
async def test_all_that_wait_are_told_when_the_other_end_goes() -> None:
    async with running() as (_, server, where):
        link = await MindLink.connect(where)
        waiting = asyncio.ensure_future(link.ask("wait", None))
        stream = link.stream("for_ever", None)
        assert await anext(stream) == "first"
        await server.aclose()
        with pytest.raises(LinkLostError):
            await waiting
        with pytest.raises(LinkLostError):
            await anext(stream)
        assert link.is_lost
        with pytest.raises(LinkLostError):
            await link.ask("echo", 1)


@in_a_loop
async def test_what_was_asked_goes_on_when_the_one_who_asked_is_gone() -> None:
    async with running() as (mind, _, where):
        link = await MindLink.connect(where)
        waiting = asyncio.ensure_future(link.ask("wait", None))
        assert await link.ask("echo", 1) == 1
        link.close()
        with pytest.raises(LinkLostError):
            await waiting
        mind.going_on.set()
        await mind.finished.wait()
        assert not mind.stopped.is_set()


@in_a_loop
async def test_nobody_comes_in_without_the_token() -> None:
    async with running() as (mind, _, where):
        with pytest.raises(LinkLostError):
            await MindLink.connect({**where, "token": "guessed"})
        reader, writer = await asyncio.open_connection(where["host"], where["port"])
        writer.write(encode("ask", 1, "echo", "let me in"))
        assert await reader.read() == b""
        assert mind.asked == []
        writer.close()


@in_a_loop
async def test_half_a_character_is_no_token_and_no_error() -> None:
    async with running() as (_, server, where):
        assert not server.knows("\ud800")
        with pytest.raises(LinkLostError):
            await MindLink.connect({**where, "token": "guessed\udfff"})


@pytest.mark.parametrize("bytes_sent", [b"GET / HTTP/1.1\r\n\r\n", struct.pack("!I", 5) + b"hello"])
@in_a_loop
async def test_a_stranger_that_speaks_otherwise_is_closed(bytes_sent: bytes) -> None:
    async with running() as (_, _, where):
        reader, writer = await asyncio.open_connection(where["host"], where["port"])
        writer.write(bytes_sent)
        assert await reader.read() == b""
        writer.close()


@in_a_loop
async def test_nobody_listening_is_said_with_the_address() -> None:
    async with running() as (_, server, where):
        await server.aclose()
        with pytest.raises(LinkLostError, match=f"127.0.0.1:{where['port']}"):
            await MindLink.connect(where)


@in_a_loop
async def test_a_reader_that_does_not_read_is_cut_off_and_hurts_nobody_else() -> None:
    async with running() as (mind, _, where):
        reader, writer = await asyncio.open_connection(where["host"], where["port"])
        transport = cast(asyncio.Transport, writer.transport)
        transport.pause_reading()
        writer.write(encode("hello", where["token"], 1) + encode("ask", 1, "flood", None))
        link = await MindLink.connect(where)
        assert await link.ask("echo", 1) == 1
        await mind.finished.wait()
        transport.resume_reading()
        came = 0
        with contextlib.suppress(ConnectionResetError):
            while data := await reader.read(1_000_000):
                came += len(data)
        assert came < 30_000_000  # of forty
        assert await link.ask("echo", 2) == 2
        link.close()
        writer.close()


@in_a_loop
async def test_when_the_other_end_last_spoke_is_known_whoever_it_spoke_to() -> None:
    async with running() as (mind, _, where):
        link = await MindLink.connect(where)
        waiting = asyncio.ensure_future(link.ask("wait", None))
        loop = asyncio.get_running_loop()
        before = loop.time()
        assert link.heard_at <= before
        await link.ask("echo", 1)
        assert link.heard_at >= before, "though the first question has no answer yet"
        mind.going_on.set()
        await waiting
        link.close()
