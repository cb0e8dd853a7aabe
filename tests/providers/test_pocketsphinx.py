"""The offline recogniser: phrases by their sound, its process, and the contract on digits."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

import pytest

from providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.pocketsphinx_phrases import PhraseBegan, PhraseEnded, PhraseFinder
from providers.pocketsphinx_process import PocketsphinxProcess
from providers.pocketsphinx_settings import PocketsphinxConfig
from providers.pocketsphinx_stt import PocketsphinxRecogniser
from simulation.clip_library import load_library
from tests.providers.stage import run_for_real
from tests.support import virtual_time
from tests.support.contract_recogniser import REQUEST, Heard, RecogniserContract
from voice.ports import (
    FinalTranscript,
    Recogniser,
    RecogniseRequest,
    RecogniserEvent,
    RecogniserFailed,
    SpeechNoticed,
)

QUIET = b"\xff" * 8_000
YES = QUIET[:4_000] + load_library().clip("eot_en_yes").ulaw + QUIET


class Parrot:
    """A decoder that understands the length of a phrase."""

    def __init__(self, *errors: ProviderError) -> None:
        self.errors = list(errors)
        self.phrases: list[bytes] = []

    async def start(self) -> None:
        """Always ready."""

    async def words_of(self, ulaw: bytes) -> str:
        self.phrases.append(ulaw)
        await asyncio.sleep(0.01)
        if self.errors:
            raise self.errors.pop(0)
        return f"phrase {len(self.phrases)}"

    async def aclose(self) -> None:
        """Nothing to close."""


class TestPhrasesOfOurOwn(RecogniserContract):
    """Everything but the library."""

    @contextlib.asynccontextmanager
    async def recogniser(self) -> AsyncIterator[Recogniser]:
        recogniser = PocketsphinxRecogniser(PocketsphinxConfig(), Parrot())
        try:
            yield recogniser
        finally:
            await recogniser.aclose()

    def speech(self) -> bytes:
        return YES


@pytest.mark.e2e
class TestPocketsphinx(RecogniserContract):
    run = staticmethod(run_for_real)

    @contextlib.asynccontextmanager
    async def recogniser(self) -> AsyncIterator[Recogniser]:
        recogniser = PocketsphinxRecogniser(PocketsphinxConfig())
        try:
            yield recogniser
        finally:
            await recogniser.aclose()

    def speech(self) -> bytes:
        return YES


async def hear(recogniser: Recogniser, audio: bytes, finals: int) -> list[RecogniserEvent]:
    """What is heard until so many phrases are over, or the stream failed."""
    events: list[RecogniserEvent] = []
    over = asyncio.Event()

    def sink(event: RecogniserEvent) -> None:
        events.append(event)
        ended = [e for e in events if isinstance(e, FinalTranscript)]
        if len(ended) >= finals or isinstance(event, RecogniserFailed):
            over.set()

    stream = await recogniser.open(REQUEST, sink)
    for at in range(0, len(audio), 160):
        stream.write(audio[at : at + 160])
    async with asyncio.timeout(10):
        await over.wait()
    await stream.close()
    return events


@pytest.mark.e2e
def test_yes_and_digits_are_understood_in_order() -> None:
    async def body() -> None:
        recogniser = PocketsphinxRecogniser(PocketsphinxConfig())
        await recogniser.warm("en-US", 1)
        digits = [load_library().clip(f"digit_{digit}").ulaw for digit in (3, 9)]
        audio = YES + b"".join(digit + QUIET for digit in digits)
        events = await hear(recogniser, audio, 3)
        await recogniser.aclose()
        finals = [e.text for e in events if isinstance(e, FinalTranscript)]
        assert finals == ["yes", "three", "nine"]

    run_for_real(body())


def test_a_phrase_is_found_whole_however_the_audio_is_cut() -> None:
    def found(step: int) -> list[PhraseBegan | PhraseEnded]:
        finder = PhraseFinder(0.4)
        return [
            event for at in range(0, len(YES), step) for event in finder.hear(YES[at : at + step])
        ]

    assert found(37) == found(160) == found(len(YES))
    began, ended = found(160)
    assert isinstance(began, PhraseBegan)
    assert isinstance(ended, PhraseEnded)
    assert 0.3 < began.at_s < ended.end_s < len(YES) / 8_000 - 0.4
    assert len(ended.ulaw) / 8_000 == pytest.approx(ended.end_s - began.at_s + 0.6, abs=0.03)


def test_silence_and_a_click_are_no_phrase_and_a_long_one_is_cut() -> None:
    finder = PhraseFinder(0.4)
    assert finder.hear(QUIET * 30 + b"\x00\x80" * 160 + QUIET) == []
    loud = bytes(0x10 + (n * 7 & 0x8F) for n in range(8_000))
    ended = [e for _ in range(20) for e in finder.hear(loud) if isinstance(e, PhraseEnded)]
    assert all(len(each.ulaw) <= 9 * 8_000 for each in ended)


def test_one_failure_is_made_good_and_two_are_the_end() -> None:
    async def body() -> None:
        lost = ProviderUnavailable("its process ended", "pocketsphinx")
        parrot = Parrot(lost)
        events = await hear(PocketsphinxRecogniser(PocketsphinxConfig(), parrot), YES, 1)
        assert [type(event) for event in events] == [SpeechNoticed, FinalTranscript]
        assert len(parrot.phrases) == 2
        parrot = Parrot(lost, lost)
        events = await hear(PocketsphinxRecogniser(PocketsphinxConfig(), parrot), YES, 1)
        assert [type(event) for event in events] == [SpeechNoticed, RecogniserFailed]

    virtual_time.run(body())


def test_another_language_is_refused() -> None:
    async def body() -> None:
        recogniser = PocketsphinxRecogniser(PocketsphinxConfig(), Parrot())
        with pytest.raises(ProviderRejected) as caught:
            await recogniser.open(RecogniseRequest("call", "de-DE"), Heard())
        assert caught.value.setting == "language"

    virtual_time.run(body())


READY = "import sys,time; sys.stdout.buffer.write(b'\\0\\0\\0\\5ready'); sys.stdout.flush(); "


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("pass", ProviderUnavailable),
        (READY, ProviderUnavailable),
        ("import time; time.sleep(30)", ProviderTimeout),
        (READY + "time.sleep(30)", ProviderTimeout),
        ("print('this is no answer at all')", ProviderProtocolError),
        (
            READY + "print('neither is this one here', flush=True); time.sleep(9)",
            ProviderProtocolError,
        ),
    ],
)
def test_whatever_the_process_does_is_a_typed_error(script: str, kind: type[ProviderError]) -> None:
    async def body() -> None:
        process = PocketsphinxProcess(1.0, 0.3, (sys.executable, "-I", "-S", "-c", script))
        with pytest.raises(ProviderError) as caught:
            await process.words_of(YES)
        assert type(caught.value) is kind
        await process.aclose()
        with pytest.raises(ProviderUnavailable):
            await process.words_of(YES)

    run_for_real(body())


@pytest.mark.e2e
def test_who_hangs_up_in_the_middle_of_a_phrase_leaves_no_words_for_the_next() -> None:
    async def body() -> None:
        process = PocketsphinxProcess(10.0, 5.0)
        await process.start()
        hanging_up = asyncio.ensure_future(process.words_of(load_library().clip("digit_3").ulaw))
        await asyncio.sleep(0)
        hanging_up.cancel()
        await asyncio.gather(hanging_up, return_exceptions=True)
        assert await process.words_of(YES) == "yes"
        await process.aclose()

    run_for_real(body())
