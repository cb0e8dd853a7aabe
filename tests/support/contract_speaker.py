"""What every ``Speaker`` must do; subclass ``SpeakerContract`` and give it one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from providers.errors import ProviderError
from tests.support import virtual_time
from voice.ports import SAMPLE_RATE_HZ, Speaker, SpeakRequest, SpeechChunk

SHORT = "Yes, of course."
LONG = "Yes, of course. I will send it to you today, and you will have it tomorrow at noon."


async def all_of(speaker: Speaker, request: SpeakRequest) -> list[SpeechChunk]:
    return [chunk async for chunk in speaker.speak(request)]


def audio_of(chunks: list[SpeechChunk]) -> bytes:
    return b"".join(chunk.ulaw for chunk in chunks)


async def until_error(
    speaker: Speaker, request: SpeakRequest
) -> tuple[list[SpeechChunk], ProviderError]:
    """What came, and the error that ended it."""
    chunks: list[SpeechChunk] = []
    try:
        async for chunk in speaker.speak(request):
            chunks.append(chunk)  # noqa: PERF401 - what came before the error counts
    except ProviderError as error:
        return chunks, error
    raise AssertionError("it ended without an error")


class SpeakerContract:
    """Override ``speaker``; the rest where it differs.

    Attributes:
        length_slack_samples: By how much the same text may differ in length from time to time.
    """

    voice = "alto"
    has_marks = True
    length_slack_samples = 0

    @contextlib.asynccontextmanager
    async def speaker(self) -> AsyncIterator[Speaker]:
        raise AssertionError("a contract needs a speaker")
        yield

    def on_loop(self, test: Callable[[Speaker], Awaitable[None]]) -> None:
        async def body() -> None:
            async with self.speaker() as speaker:
                await test(speaker)

        self.run(body())

    def run(self, body: Awaitable[None]) -> None:
        virtual_time.run(body)  # type: ignore[arg-type]

    def request(self, text: str = SHORT) -> SpeakRequest:
        return SpeakRequest("call", text, self.voice, "en-US")

    def test_speaks_the_whole_segment_then_ends(self) -> None:
        async def test(speaker: Speaker) -> None:
            chunks = await all_of(speaker, self.request())
            assert len(audio_of(chunks)) > 0.3 * SAMPLE_RATE_HZ

        self.on_loop(test)

    def test_marks_go_forward_within_text_and_audio(self) -> None:
        async def test(speaker: Speaker) -> None:
            chunks = await all_of(speaker, self.request(LONG))
            marks = [mark for chunk in chunks for mark in chunk.marks]
            assert bool(marks) == self.has_marks
            assert [m.chars for m in marks] == sorted({m.chars for m in marks})
            assert [m.at_s for m in marks] == sorted(m.at_s for m in marks)
            if marks:
                assert marks[-1].chars <= len(LONG)
                assert marks[-1].chars >= len(LONG) - 2
                assert marks[-1].at_s <= len(audio_of(chunks)) / SAMPLE_RATE_HZ + 0.3

        self.on_loop(test)

    def test_blank_text_ends_without_an_error(self) -> None:
        async def test(speaker: Speaker) -> None:
            await all_of(speaker, self.request("  "))

        self.on_loop(test)

    def test_more_segments_than_one_connection_carries_do_not_mix(self) -> None:
        async def test(speaker: Speaker) -> None:
            short, long = self.request(SHORT), self.request(LONG)
            alone = [len(audio_of(await all_of(speaker, each))) for each in (short, long)]
            together = await asyncio.gather(*(all_of(speaker, each) for each in [short, long] * 4))
            sizes = [len(audio_of(chunks)) for chunks in together]
            for size, expected in zip(sizes, alone * 4, strict=True):
                assert abs(size - expected) <= self.length_slack_samples

        self.on_loop(test)

    def test_closed_early_it_still_speaks_the_next_segment(self) -> None:
        async def test(speaker: Speaker) -> None:
            for _ in range(7):
                iterator = speaker.speak(self.request(LONG))
                await anext(iterator)
                await iterator.aclose()  # type: ignore[attr-defined]
            assert audio_of(await all_of(speaker, self.request()))

        self.on_loop(test)

    def test_a_cancelled_listener_leaves_nothing_behind(self) -> None:
        async def test(speaker: Speaker) -> None:
            before = asyncio.all_tasks()
            await speaker.warm(self.voice, "en-US")
            task = asyncio.ensure_future(all_of(speaker, self.request(LONG)))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert audio_of(await all_of(speaker, self.request()))
            await speaker.aclose()
            await asyncio.sleep(0)
            assert not {t for t in asyncio.all_tasks() - before if "Speaker" in repr(t.get_coro())}

        self.on_loop(test)

    def test_warming_twice_is_warming_once(self) -> None:
        async def test(speaker: Speaker) -> None:
            await speaker.warm(self.voice, "en-US")
            await speaker.warm(self.voice, "en-US")
            assert audio_of(await all_of(speaker, self.request()))

        self.on_loop(test)

    def test_closing_is_idempotent_and_ends_the_service(self) -> None:
        async def test(speaker: Speaker) -> None:
            await speaker.aclose()
            await speaker.aclose()
            with pytest.raises(ProviderError):
                await all_of(speaker, self.request())

        self.on_loop(test)

    def test_has_a_name(self) -> None:
        async def test(speaker: Speaker) -> None:
            assert speaker.name
            assert speaker.name == speaker.name.lower()

        self.on_loop(test)
