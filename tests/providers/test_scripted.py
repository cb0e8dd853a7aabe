"""The keyless providers keep the contracts, and do the same thing every time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import numpy as np
import pytest

from dialogue.ports import Thinker, ThinkRequest
from providers.scripted import ScriptedRecogniser, ScriptedThinker, ToneSpeaker
from tests.support import virtual_time
from tests.support.contract_recogniser import REQUEST, Heard, RecogniserContract
from tests.support.contract_speaker import SpeakerContract, all_of, audio_of
from tests.support.contract_thinker import ThinkerContract, text_of
from tests.support.contract_thinker import all_of as reply_of
from voice.ports import (
    FinalTranscript,
    InterimTranscript,
    Recogniser,
    Speaker,
    SpeakRequest,
    SpeechNoticed,
)

SCRIPT = (
    (0.2, SpeechNoticed(0.2)),
    (0.5, InterimTranscript("good", 0.5)),
    (1.0, FinalTranscript("good morning", 1.0)),
)


class TestScriptedRecogniser(RecogniserContract):
    @contextlib.asynccontextmanager
    async def recogniser(self) -> AsyncIterator[Recogniser]:
        yield ScriptedRecogniser(SCRIPT)

    def speech(self) -> bytes:
        return b"\x00" * 9_600


class TestScriptedThinker(ThinkerContract):
    @contextlib.asynccontextmanager
    async def thinker(self) -> AsyncIterator[Thinker]:
        yield ScriptedThinker(["I can book a table for you."])


class TestToneSpeaker(SpeakerContract):
    @contextlib.asynccontextmanager
    async def speaker(self) -> AsyncIterator[Speaker]:
        yield ToneSpeaker()


def test_events_come_when_their_audio_has_arrived() -> None:
    async def body() -> None:
        heard = Heard()
        stream = await ScriptedRecogniser(SCRIPT).open(REQUEST, heard)
        stream.write(b"\xff" * 4_000)
        await _moment()
        assert heard.events == [event for _, event in SCRIPT[:2]]

    virtual_time.run(body())


async def _moment() -> None:
    await asyncio.sleep(0.01)


def test_finals_alone_are_a_script() -> None:
    async def body() -> None:
        heard = Heard()
        stream = await ScriptedRecogniser.of_finals([(0.1, "yes")]).open(REQUEST, heard)
        stream.write(b"\xff" * 800)
        await heard.final()
        assert heard.events == [FinalTranscript("yes", 0.1)]

    virtual_time.run(body())


def test_replies_go_round() -> None:
    async def body() -> None:
        thinker = ScriptedThinker(["one two", "three"])
        request = ThinkRequest("call", ())
        texts = [text_of(await reply_of(thinker, request)) for _ in range(3)]
        assert texts == ["one two", "three", "one two"]

    virtual_time.run(body())


def test_a_thinker_without_replies_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ScriptedThinker([])


def test_a_tone_is_as_long_as_its_text_and_ends_on_words() -> None:
    async def body() -> None:
        chunks = await all_of(ToneSpeaker(), SpeakRequest("call", "one two", "", "en-US"))
        assert len(audio_of(chunks)) == 7 * 480
        assert [(m.chars, round(m.at_s, 2)) for c in chunks for m in c.marks] == [
            (4, 0.24),
            (7, 0.42),
        ]

    virtual_time.run(body())


def test_the_tone_is_mu_law_of_a_sine() -> None:
    async def body() -> None:
        chunks = await all_of(ToneSpeaker(1_000.0), SpeakRequest("call", "tone", "", "en-US"))
        codes = np.frombuffer(audio_of(chunks), np.uint8)[:800]
        inverted = ~codes
        exponent = (inverted >> 4) & 7
        magnitude = (((inverted & 15).astype(np.int32) << 3) + 132 << exponent) - 132
        pcm = np.where(inverted & 0x80, -magnitude, magnitude)
        sine = 16_000 * np.sin(2 * np.pi * np.arange(800) / 8)
        assert np.abs(pcm - sine).max() < 520

    virtual_time.run(body())
