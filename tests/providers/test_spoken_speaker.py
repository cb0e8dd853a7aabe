"""A voice that is given spoken forms and answers in the written text."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from dialogue.agent import SpokenForms
from providers.spoken_speaker import SpokenFormSpeaker
from providers.table import in_spoken_forms
from tests.support import virtual_time
from tests.support.contract_speaker import SpeakerContract, all_of
from tests.support.fake_ear_and_mouth import FakeSpeaker
from voice.heard import SpokenSegment, segment_heard_text
from voice.ports import SAMPLE_RATE_HZ, Speaker, SpeakRequest

TEXT = "Call 415-555-0123 now."


def request(text: str = TEXT) -> SpeakRequest:
    return SpeakRequest("call-1", text, "alto", "en-US")


class TestContract(SpeakerContract):
    @contextlib.asynccontextmanager
    async def speaker(self) -> AsyncIterator[Speaker]:
        from providers.scripted import ToneSpeaker

        speaker = SpokenFormSpeaker(ToneSpeaker(440.0, 0.05), "full")
        yield speaker
        await speaker.aclose()


def test_the_voice_gets_words_and_marks_count_what_is_written() -> None:
    inner = FakeSpeaker()
    chunks = virtual_time.run(all_of(SpokenFormSpeaker(inner, "light"), request()))
    assert inner.asked == ["Call four one five, five five five, zero one two three now."]
    marks = [mark for chunk in chunks for mark in chunk.marks]
    assert [mark.chars for mark in marks][:5] == [4, 6, 7, 9, 10]
    assert marks[-1].chars == len(TEXT)
    total_s = marks[-1].at_s

    def heard(seconds: float) -> str:
        heard_samples = round(seconds * SAMPLE_RATE_HZ)
        whole = round(total_s * SAMPLE_RATE_HZ)
        return segment_heard_text(SpokenSegment(TEXT, marks, heard_samples, whole, True))

    assert heard(marks[0].at_s) == "Call"
    assert heard(total_s) == TEXT
    assert heard(marks[-2].at_s) == "Call 415-555-0123"


def test_text_that_needs_no_words_goes_through_untouched() -> None:
    inner = FakeSpeaker()
    virtual_time.run(all_of(SpokenFormSpeaker(inner, "full"), request("Hello there.")))
    assert inner.asked == ["Hello there."]


def test_a_segment_that_is_left_is_left_behind_too() -> None:
    inner = FakeSpeaker()

    async def leave() -> None:
        chunks = SpokenFormSpeaker(inner, "light").speak(request())
        async for _ in chunks:
            break
        await chunks.aclose()  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    virtual_time.run(leave())
    assert inner.open_segments == 0


@pytest.mark.parametrize(
    ("name", "option", "said"),
    [
        ("elevenlabs", "auto", "It is $5."),
        ("elevenlabs", "on", "It is 5 dollars."),
        ("espeak", "auto", "It is 5 dollars."),
        ("espeak", "off", "It is $5."),
        ("unknown", "auto", "It is $5."),
    ],
)
def test_each_speaker_gets_what_it_needs(name: str, option: SpokenForms, said: str) -> None:
    inner = FakeSpeaker()
    inner.name = name
    speaker = in_spoken_forms(inner, option)
    assert speaker.name == name
    virtual_time.run(all_of(speaker, request("It is $5.")))
    assert inner.asked == [said]
