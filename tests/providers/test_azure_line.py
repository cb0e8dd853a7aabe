"""One recogniser's events: order, the last one, and what is no longer delivered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from providers.azure_line import Line, LineStream
from providers.azure_sdk import Cancelled, Connected, Disconnected
from providers.errors import ProviderRefused, ProviderTimeout
from tests.support import virtual_time
from voice.ports import (
    FinalTranscript,
    InterimTranscript,
    RecogniserEvent,
    RecogniserFailed,
    RecogniserInterrupted,
)

REFUSED = ProviderRefused("no", "azure", "AZURE_SPEECH_KEY")


class FakeSession:
    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.broken = False

    def preopen(self) -> None: ...

    def start(self, phrases: tuple[str, ...]) -> None: ...

    def write(self, ulaw: bytes) -> None:
        if self.broken:
            raise RuntimeError("SPXERR")
        self.written.append(ulaw)

    def stop(self) -> None: ...


class Watched:
    def __init__(self) -> None:
        self.lost: list[Line] = []
        self.events: list[RecogniserEvent] = []
        self.line = Line(("en-US",), 5.0, self.lost.append)
        self.session = FakeSession()
        self.line.session = self.session


def watched(test: Callable[[Watched], Awaitable[None]]) -> None:
    async def body() -> None:
        await test(Watched())

    virtual_time.run(body())


async def moment() -> None:
    await asyncio.sleep(0.001)


def test_events_go_to_the_sink_in_order() -> None:
    async def test(watch: Watched) -> None:
        watch.line.attach(watch.events.append)
        said: list[RecogniserEvent] = [
            InterimTranscript("a", 0.1),
            InterimTranscript("a b", 0.2),
            FinalTranscript("", 1),
        ]
        watch.line.post(Connected())
        for event in said:
            watch.line.post(event)
        assert watch.events == []
        await moment()
        assert watch.events == said

    watched(test)


def test_a_failure_is_the_last_event() -> None:
    async def test(watch: Watched) -> None:
        watch.line.attach(watch.events.append)
        watch.line.post(Cancelled(REFUSED))
        watch.line.post(FinalTranscript("late", 1.0))
        watch.line.post(Cancelled(REFUSED))
        await moment()
        assert watch.events == [RecogniserFailed("azure: no (look at AZURE_SPEECH_KEY)", False)]
        assert not watch.line.streaming

    watched(test)


def test_what_is_on_the_way_at_detach_is_dropped() -> None:
    async def test(watch: Watched) -> None:
        watch.line.attach(watch.events.append)
        watch.line.post(FinalTranscript("late", 1.0))
        watch.line.detach()
        await moment()
        assert watch.events == []

    watched(test)


def test_a_stream_without_a_connection_fails_in_time() -> None:
    async def test(watch: Watched) -> None:
        watch.line.attach(watch.events.append)
        await asyncio.sleep(4.9)
        assert watch.events == []
        await asyncio.sleep(0.2)
        assert [type(event) for event in watch.events] == [RecogniserFailed]

    watched(test)


def test_a_connected_stream_may_be_silent_for_long() -> None:
    async def test(watch: Watched) -> None:
        watch.line.attach(watch.events.append)
        watch.line.post(Connected())
        await asyncio.sleep(600)
        assert watch.events == []

    watched(test)


def test_a_lost_connection_in_a_stream_is_the_sdks_to_mend() -> None:
    async def test(watch: Watched) -> None:
        watch.line.attach(watch.events.append)
        watch.line.post(Connected())
        watch.line.post(Disconnected())
        watch.line.post(Disconnected())
        await moment()
        assert watch.events == [RecogniserInterrupted()], "told once, for somebody may be quicker"
        assert watch.line.streaming
        watch.line.post(Connected())
        watch.line.post(Disconnected())
        await moment()
        assert watch.events == 2 * [RecogniserInterrupted()]

    watched(test)


def test_a_connection_that_never_stood_is_not_interrupted() -> None:
    async def test(watch: Watched) -> None:
        watch.line.attach(watch.events.append)
        watch.line.post(Disconnected())
        await moment()
        assert watch.events == []

    watched(test)


@pytest.mark.parametrize("before_waiting", [True, False])
def test_waiting_for_a_connection_that_is_refused(before_waiting: bool) -> None:
    async def test(watch: Watched) -> None:
        watch.line.post(Cancelled(REFUSED))
        if before_waiting:
            await moment()
        with pytest.raises(ProviderRefused):
            await watch.line.wait_connected()
        assert watch.lost == []

    watched(test)


def test_waiting_for_a_connection_that_never_comes() -> None:
    async def test(watch: Watched) -> None:
        with pytest.raises(ProviderTimeout):
            await watch.line.wait_connected()

    watched(test)


@pytest.mark.parametrize("event", [Disconnected(), Cancelled(REFUSED)])
def test_a_pooled_line_that_breaks_is_told_to_the_pool_once(
    event: Disconnected | Cancelled,
) -> None:
    async def test(watch: Watched) -> None:
        watch.line.post(Connected())
        await watch.line.wait_connected()
        watch.line.post(event)
        watch.line.post(event)
        await moment()
        assert watch.lost == [watch.line]

    watched(test)


def test_writing_takes_any_bytes_and_never_raises() -> None:
    async def test(watch: Watched) -> None:
        async def release(line: Line) -> None:
            line.detach()

        stream = LineStream(watch.line, release)
        watch.line.attach(watch.events.append)
        stream.write(b"\xff")
        stream.write(memoryview(b"\xfe"))  # type: ignore[arg-type]
        assert watch.session.written == [b"\xff", b"\xfe"]
        watch.session.broken = True
        stream.write(b"\xff")
        await moment()
        assert [type(event) for event in watch.events] == [RecogniserFailed]
        stream.write(b"\xff")
        await stream.close()

    watched(test)
