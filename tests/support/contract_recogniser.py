"""What every ``Recogniser`` must do; subclass ``RecogniserContract`` and give it one."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from providers.errors import ProviderError
from tests.support import virtual_time
from voice.ports import (
    FRAME_SAMPLES,
    SAMPLE_RATE_HZ,
    FinalTranscript,
    InterimTranscript,
    Recogniser,
    RecogniseRequest,
    RecogniserEvent,
    RecogniserFailed,
    RecogniserStream,
    SpeechNoticed,
)

REQUEST = RecogniseRequest("call", "en-US", ("callcluster",))


class Heard:
    """A sink that remembers, and notices when it is called where it must not be."""

    def __init__(self) -> None:
        self.events: list[RecogniserEvent] = []
        self.thread_ids: set[int] = set()
        self.writing = False
        self.called_inside_write = False
        self._final = asyncio.Event()

    def __call__(self, event: RecogniserEvent) -> None:
        self.events.append(event)
        self.thread_ids.add(threading.get_ident())
        self.called_inside_write |= self.writing
        if isinstance(event, FinalTranscript | RecogniserFailed):
            self._final.set()

    @property
    def finals(self) -> list[FinalTranscript]:
        return [e for e in self.events if isinstance(e, FinalTranscript) and e.text]

    @property
    def failures(self) -> list[RecogniserFailed]:
        return [e for e in self.events if isinstance(e, RecogniserFailed)]

    async def final(self, limit_s: float = 5.0) -> None:
        """Wait until a phrase is final or the stream failed."""
        async with asyncio.timeout(limit_s):
            await self._final.wait()


class RecogniserContract:
    """Override ``recogniser`` and ``speech``; ``run`` where real sockets are used."""

    @contextlib.asynccontextmanager
    async def recogniser(self) -> AsyncIterator[Recogniser]:
        raise AssertionError("a contract needs a recogniser")
        yield

    def speech(self) -> bytes:
        """Audio with one phrase in it and silence behind."""
        raise AssertionError("a contract needs audio")

    def on_loop(self, test: Callable[[Recogniser], Awaitable[None]]) -> None:
        async def body() -> None:
            async with self.recogniser() as recogniser:
                await test(recogniser)

        self.run(body())

    def run(self, body: Awaitable[None]) -> None:
        virtual_time.run(body)  # type: ignore[arg-type]

    async def talk(self, stream: RecogniserStream, heard: Heard) -> None:
        """Write the speech in frames, as fast as it is taken, and wait for the phrase."""
        speech = self.speech()
        for at in range(0, len(speech), FRAME_SAMPLES):
            heard.writing = True
            stream.write(speech[at : at + FRAME_SAMPLES])
            heard.writing = False
            await asyncio.sleep(0)
        await heard.final()

    def test_a_phrase_is_heard_in_order(self) -> None:
        async def test(recogniser: Recogniser) -> None:
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            await self.talk(stream, heard)
            await stream.close()
            assert not heard.failures
            assert len(heard.finals) >= 1
            kinds = [type(event) for event in heard.events]
            last = len(kinds) - 1 - kinds[::-1].index(FinalTranscript)
            for earlier in (SpeechNoticed, InterimTranscript):
                assert earlier not in kinds or kinds.index(earlier) < last
            ends_s = [event.end_s for event in heard.finals]
            assert ends_s == sorted(ends_s)
            assert 0 < ends_s[-1] <= len(self.speech()) / SAMPLE_RATE_HZ + 0.1

        self.on_loop(test)

    def test_writing_nothing_changes_nothing(self) -> None:
        """A call that has not sent audio yet has nothing to be heard again."""

        async def test(recogniser: Recogniser) -> None:
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            stream.write(b"")
            await self.talk(stream, heard)
            await stream.close()
            assert not heard.failures
            assert heard.finals

        self.on_loop(test)

    def test_the_sink_runs_on_the_loop_and_never_inside_write(self) -> None:
        async def test(recogniser: Recogniser) -> None:
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            await self.talk(stream, heard)
            await stream.close()
            assert heard.thread_ids == {threading.get_ident()}
            assert not heard.called_inside_write

        self.on_loop(test)

    def test_nothing_is_delivered_after_close(self) -> None:
        async def test(recogniser: Recogniser) -> None:
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            for _ in range(3):
                stream.write(self.speech())
            closing = asyncio.ensure_future(stream.close())
            await asyncio.sleep(0)
            known = len(heard.events)
            await closing
            await asyncio.sleep(0.1)
            assert len(heard.events) == known

        self.on_loop(test)

    def test_close_is_idempotent_and_writes_after_it_are_dropped(self) -> None:
        async def test(recogniser: Recogniser) -> None:
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            await asyncio.gather(stream.close(), stream.close())
            await stream.close()
            stream.write(self.speech())
            stream.write(b"")
            await asyncio.sleep(0.05)
            assert heard.events == []

        self.on_loop(test)

    def test_streams_do_not_mix(self) -> None:
        async def test(recogniser: Recogniser) -> None:
            talking, quiet = Heard(), Heard()
            streams = [await recogniser.open(REQUEST, sink) for sink in (talking, quiet)]
            await self.talk(streams[0], talking)
            await asyncio.gather(*(stream.close() for stream in streams))
            assert talking.finals
            assert not quiet.finals

        self.on_loop(test)

    def test_warm_then_open_twice(self) -> None:
        async def test(recogniser: Recogniser) -> None:
            await recogniser.warm("en-US", 1)
            await recogniser.warm("en-US", 1)
            for _ in range(2):
                heard = Heard()
                stream = await recogniser.open(REQUEST, heard)
                await stream.close()
                assert not heard.failures

        self.on_loop(test)

    def test_closing_is_idempotent_and_ends_the_service(self) -> None:
        async def test(recogniser: Recogniser) -> None:
            stream = await recogniser.open(REQUEST, Heard())
            await recogniser.aclose()
            await recogniser.aclose()
            stream.write(self.speech())
            await stream.close()
            with pytest.raises(ProviderError):
                await recogniser.open(REQUEST, Heard())

        self.on_loop(test)

    def test_has_a_name(self) -> None:
        async def test(recogniser: Recogniser) -> None:
            assert recogniser.name
            assert recogniser.name == recogniser.name.lower()

        self.on_loop(test)
