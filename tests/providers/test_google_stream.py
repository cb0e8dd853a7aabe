"""One call's recognition over many of Google's streams, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

import pytest

from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.google_errors import StreamEnded
from providers.google_messages import Heard, SpeechUpdate
from providers.google_settings import GoogleSpeechConfig
from providers.google_stream import MOST_BYTES, GoogleStream
from providers.google_turns import TurnReader
from tests.support import virtual_time
from voice.ports import (
    FinalTranscript,
    InterimTranscript,
    RecogniseRequest,
    RecogniserEvent,
    RecogniserFailed,
)

REQUEST = RecogniseRequest("call", "en-US")
PIECE_S = 0.1  # five frames at once: an hour of a call in a moment
PIECE = b"\xff" * 800


class Line:
    """Remembers what each stream was sent; says what it is told to say."""

    def __init__(self) -> None:
        self.sent: list[bytearray] = []
        self.sizes: list[int] = []
        self.begun_at: list[float] = []
        self.ends: list[ProviderError | None] = []
        self.refusals: list[ProviderError] = []
        self.open = 0
        self.ended = 0
        self._says: list[asyncio.Queue[SpeechUpdate | ProviderError]] = []

    async def line(self) -> Line:
        if self.refusals:
            raise self.refusals.pop(0)
        return self

    def ended_stream(self) -> None:
        self.ended += 1

    def say(self, update: SpeechUpdate | ProviderError) -> None:
        self._says[-1].put_nowait(update)

    async def recognise(
        self, language: str, phrases: tuple[str, ...], audio: AsyncIterator[bytes]
    ) -> AsyncGenerator[SpeechUpdate, None]:
        sent = bytearray()
        self.sent.append(sent)
        self.begun_at.append(asyncio.get_running_loop().time())
        says: asyncio.Queue[SpeechUpdate | ProviderError] = asyncio.Queue()
        self._says.append(says)
        self.open += 1

        async def listen() -> None:
            async for chunk in audio:
                sent.extend(chunk)
                self.sizes.append(len(chunk))

        listening = asyncio.ensure_future(listen())
        try:
            while True:
                update = await says.get()
                if isinstance(update, ProviderError):
                    raise update
                yield update
        finally:
            self.open -= 1
            listening.cancel()


class Source:
    def __init__(self, line: Line) -> None:
        self._line = line

    async def line(self) -> Line:
        return await self._line.line()

    def ended(self, stream: GoogleStream) -> None:
        self._line.ended_stream()


class Call:
    """A call, its stream, and what was heard."""

    def __init__(self, **fields: float) -> None:
        self.line = Line()
        self.events: list[RecogniserEvent] = []
        config = GoogleSpeechConfig(**fields)  # type: ignore[arg-type]
        self.stream = GoogleStream(config, Source(self.line), self.events.append)
        self.stream.start(REQUEST, "en-US")

    async def write(self, seconds: float) -> None:
        for _ in range(round(seconds / PIECE_S)):
            self.stream.write(PIECE)
            await asyncio.sleep(PIECE_S)


def calling(scene: Callable[[Call], Awaitable[None]], **fields: float) -> None:
    async def body() -> None:
        call = Call(**fields)
        await scene(call)
        await call.stream.close()
        assert call.line.open == 0
        assert call.line.ended == 1

    virtual_time.run(body())


def interim(text: str, end_s: float) -> SpeechUpdate:
    return SpeechUpdate(interim=Heard(text, end_s))


def final(text: str, end_s: float) -> SpeechUpdate:
    return SpeechUpdate(final=Heard(text, end_s))


def test_in_a_silent_call_a_stream_is_replaced_on_time_and_the_next_begins_two_seconds_before() -> (
    None
):
    async def scene(call: Call) -> None:
        await call.write(600)
        lives_s = [b - a for a, b in zip(call.line.begun_at, call.line.begun_at[1:], strict=False)]
        assert len(lives_s) == 2
        assert lives_s == [pytest.approx(240.0, abs=0.5)] * 2
        # All audio of ten minutes, and two seconds again for each change.
        assert 603.5 < sum(map(len, call.line.sent)) / 8_000 < 604.5
        assert call.events == []

    calling(scene)


def test_whoever_speaks_is_not_interrupted_until_it_has_to_be() -> None:
    async def scene(call: Call) -> None:
        await call.write(239)
        call.line.say(SpeechUpdate(began_s=238.5))
        call.line.say(interim("hello", 239.0))
        await call.write(10)
        assert len(call.line.sent) == 1
        call.line.say(final("Hello.", 248.5))
        call.line.say(SpeechUpdate(ended_s=248.5))
        await call.write(1)
        assert len(call.line.sent) == 2
        # The next begins behind the final words: nothing of them is said twice.
        assert len(call.line.sent[1]) / 8_000 < 2.6
        call.line.say(interim("there", 1.0))
        await call.write(0.1)
        assert call.events[-1] == InterimTranscript("there", pytest.approx(249.5))

    calling(scene)


def test_who_speaks_at_the_limit_is_heard_again_by_the_next_stream() -> None:
    async def scene(call: Call) -> None:
        await call.write(239)
        call.line.say(SpeechUpdate(began_s=238.0))
        await call.write(45)
        call.line.say(final("One.", 283.0))
        call.line.say(interim("two", 283.9))
        await call.write(2)
        assert len(call.line.sent) == 2
        # From the end of the final words on.
        assert len(call.line.sent[1]) / 8_000 == pytest.approx(3.0, abs=0.11)
        known = list(call.events)
        call.line.say(interim("tw", 0.5))
        await call.write(0.1)
        assert call.events == known  # behind what is known already
        call.line.say(interim("two three", 1.5))
        call.line.say(final("Two three.", 2.0))
        await call.write(0.1)
        texts = [e.text for e in call.events if isinstance(e, FinalTranscript)]
        assert texts == ["One.", "Two three."]

    calling(scene)


def test_a_phrase_longer_than_the_ring_is_final_as_it_stands() -> None:
    async def scene(call: Call) -> None:
        await call.write(20)
        call.line.say(interim("a very long story", 19.0))
        await call.write(0.1)
        call.line.say(ProviderUnavailable("broke", "google"))
        await call.write(1)
        assert [e.text for e in call.events if isinstance(e, FinalTranscript)] == [
            "a very long story"
        ]
        assert 1.0 < len(call.line.sent[1]) / 8_000 < 2.5

    calling(scene)


def test_breaks_that_lead_nowhere_are_a_failure_and_those_between_words_are_not() -> None:
    async def scene(call: Call) -> None:
        for number in range(5):
            await call.write(2)
            call.line.say(final(f"{number}.", 1.5))
            await call.write(0.2)
            call.line.say(ProviderUnavailable("broke", "google"))
            await call.write(1)
        assert not [e for e in call.events if isinstance(e, RecogniserFailed)]
        before = len(call.line.sent)
        for _ in range(3):
            call.line.say(ProviderTimeout("late", "google"))
            await call.write(1)
        assert isinstance(call.events[-1], RecogniserFailed)
        assert call.events[-1].retryable
        assert len(call.line.sent) == before + 2

    calling(scene)


@pytest.mark.parametrize(
    "error",
    [
        ProviderBusy("RESOURCE_EXHAUSTED", "google", "", 30.0),
        ProviderUnavailable("UNAVAILABLE", "google", "", 30.0),
        ProviderRefused("PERMISSION_DENIED", "google", "GOOGLE_CLOUD_PROJECT"),
    ],
)
def test_who_is_told_to_stay_away_stays_away(error: ProviderError) -> None:
    async def scene(call: Call) -> None:
        await call.write(1)
        call.line.say(error)
        await call.write(5)
        assert call.events == [RecogniserFailed(str(error), error.retryable)]
        assert len(call.line.sent) == 1

    calling(scene)


def test_a_first_connection_that_cannot_be_had_is_a_failure_and_a_later_one_is_tried_again() -> (
    None
):
    async def never(call: Call) -> None:
        call.line.refusals = [ProviderUnavailable("no connection", "google")]
        await call.write(1)
        assert isinstance(call.events[0], RecogniserFailed)

    async def later(call: Call) -> None:
        await call.write(2)
        call.line.say(interim("hello", 1.0))
        await call.write(0.1)
        call.line.refusals = [ProviderUnavailable("no connection", "google")] * 2
        call.line.say(ProviderUnavailable("broke", "google"))
        await call.write(1)
        assert not [e for e in call.events if isinstance(e, RecogniserFailed)]
        assert len(call.line.sent) == 2

    calling(never)
    calling(later)


def test_without_audio_a_stream_that_ended_is_left_and_audio_brings_it_back() -> None:
    async def scene(call: Call) -> None:
        await call.write(6)
        call.line.say(StreamEnded("ABORTED", "google"))
        await asyncio.sleep(60)
        assert len(call.line.sent) == 1
        await call.write(0.2)
        assert len(call.line.sent) == 2
        assert len(call.line.sent[1]) / 8_000 == pytest.approx(2.2, abs=0.11)

    calling(scene)


def test_a_service_that_ends_every_stream_at_once_is_given_up() -> None:
    async def scene(call: Call) -> None:
        for _ in range(3):
            await call.write(1)
            call.line.say(StreamEnded("ABORTED", "google"))
        await call.write(1)
        assert isinstance(call.events[-1], RecogniserFailed)

    calling(scene)


def test_messages_are_no_larger_than_the_service_takes() -> None:
    async def scene(call: Call) -> None:
        call.stream.write(b"\xff" * 50_000)
        await asyncio.sleep(1)
        assert max(call.line.sizes) == MOST_BYTES
        assert sum(call.line.sizes) == 49_600

    calling(scene)


def test_a_final_that_is_told_twice_is_heard_once() -> None:
    reader = TurnReader()
    heard = [reader.receive(final("go on", 2.0), sent_s=3.0) for _ in range(3)]
    finals = [event for events in heard for event in events if isinstance(event, FinalTranscript)]
    assert finals == [FinalTranscript("go on", 2.0)]
    assert reader.receive(final("go on", 2.5), sent_s=3.0)[-1] == FinalTranscript("go on", 2.5)
