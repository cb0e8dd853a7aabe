"""Several voices that are one: on virtual time, with voices whose audio can be read back."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
import pytest

import providers.failover.speaker as speaker_module
from providers.errors import ProviderBusy, ProviderError, ProviderRefused, ProviderUnavailable
from providers.failover.speaker import MOST_ROUTES, FailoverSpeaker
from providers.failover.voices import Voice
from providers.health.budget import HedgeBudget
from providers.health.local import LocalHealth
from providers.health.signals import Sign, Signal
from providers.health.view import HealthView
from providers.telephone_audio import decode_ulaw, encode_ulaw
from tests.support import virtual_time
from tests.support.contract_speaker import SpeakerContract
from tests.support.fake_ear_and_mouth import FakeSpeaker, text_of
from voice.ports import FRAME_S, Speaker, SpeakRequest, SpeechChunk, TextMark

TEXT = "yes of course i will send it to you today and you will have it tomorrow at noon"


class FakeVoice(FakeSpeaker):
    """A voice with a name and without end: closing it is for the service as a whole."""

    def __init__(self, name: str, **options: float) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.name = name
        self.closed = False
        self.marks = True

    async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        if self.closed:
            raise ProviderUnavailable("closed", self.name)
        async for chunk in super().speak(request):
            yield chunk if self.marks else SpeechChunk(chunk.ulaw)

    async def aclose(self) -> None:
        self.closed = True


class OrdinaryVoice(FakeVoice):
    """About as long over each character as a person: 60 ms."""

    async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        async for chunk in super().speak(request):
            marks = tuple(TextMark(mark.chars, 3 * mark.at_s) for mark in chunk.marks)
            ulaw = b"".join(chunk.ulaw[at : at + 160] * 3 for at in range(0, len(chunk.ulaw), 160))
            yield SpeechChunk(ulaw, marks)


def letters(text: str) -> str:
    return text.replace(" ", "")


def squashed(text: str) -> str:
    """Letters, doubled ones once: so long drawn they cannot be told apart."""
    return "".join(char for char, _ in itertools.groupby(letters(text)))


@pytest.fixture(autouse=True)
def _levels(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes of these voices are letters: made louder they would be others."""
    if "loud" not in request.node.name:
        monkeypatch.setattr(speaker_module, "gain_db", lambda _before, _after: 0.0)


class Stage:
    def __init__(self, *voices: FakeVoice) -> None:
        self.voices = voices or (FakeVoice("one"), FakeVoice("two"), FakeVoice("three"))
        loop = asyncio.get_running_loop()
        self.view = HealthView(LocalHealth("me", lambda: 0.5), lambda: 1e9 + loop.time())
        self.told: list[tuple[str, str]] = []
        self.waits: list[float] = []
        self.speaker = FailoverSpeaker(
            [Voice(voice, f"voice of {voice.name}", "en-US") for voice in self.voices],
            self.view,
            HedgeBudget(),
            lambda: 0.5,
            self,
        )

    def asked(self, work: str, provider: str, why: str) -> None:
        assert work == "speak"
        if why != "first":
            self.told.append((provider, why))

    def waited(self, work: str, seconds: float) -> None:
        self.waits.append(seconds)

    async def say(self, text: str = TEXT, call_id: str = "call") -> tuple[str, list[float]]:
        """What was heard, and when each chunk of it came."""
        loop = asyncio.get_running_loop()
        began, ulaw, times = loop.time(), b"", []
        request = SpeakRequest(call_id, text, "the first", "en-US")
        async for chunk in self.speaker.speak(request):
            ulaw += chunk.ulaw
            times.append(loop.time() - began)
        return text_of(ulaw), times


def play(scene: Callable[[Stage], Awaitable[None]], *voices: str) -> None:
    async def whole() -> None:
        stage = Stage(*(FakeVoice(name) for name in voices))
        await scene(stage)
        await stage.speaker.aclose()
        assert all(voice.open_segments >= 0 for voice in stage.voices)

    virtual_time.run(whole())


def slow() -> Stage:
    return Stage(OrdinaryVoice("one"), OrdinaryVoice("two"), OrdinaryVoice("three"))


class TestContract(SpeakerContract):
    @contextlib.asynccontextmanager
    async def speaker(self) -> AsyncIterator[Speaker]:
        yield slow().speaker


class TestContractWhileTheFirstIsDead(SpeakerContract):
    @contextlib.asynccontextmanager
    async def speaker(self) -> AsyncIterator[Speaker]:
        stage = slow()
        stage.voices[0].fail_after_chunks = 0
        yield stage.speaker


class TestContractWhileTheFirstDiesInMidSentence(SpeakerContract):
    length_slack_samples = 3_200

    @contextlib.asynccontextmanager
    async def speaker(self) -> AsyncIterator[Speaker]:
        stage = slow()
        stage.voices[0].fail_after_chunks = 1
        yield stage.speaker


def test_all_well_the_first_one_speaks_in_its_own_voice() -> None:
    async def scene(stage: Stage) -> None:
        heard, times = await stage.say()
        assert heard == TEXT
        assert times[0] == pytest.approx(0.05)
        assert stage.voices[0].voices == [("voice of one", "en-US")]
        assert stage.voices[1].asked == []
        assert stage.told == []

    play(scene)


def test_a_hard_error_goes_to_the_next_at_once_and_the_call_stays_there() -> None:
    async def scene(stage: Stage) -> None:
        stage.voices[0].fail_after_chunks = 0
        heard, times = await stage.say()
        assert heard == TEXT
        assert times[0] == pytest.approx(0.05)
        assert stage.told == [("two", "failover")]
        assert stage.waits == [pytest.approx(0.05)]
        stage.voices[0].fail_after_chunks = None
        await stage.say()
        assert len(stage.voices[0].asked) == 1  # a voice does not change back within a call
        await stage.say(call_id="another")
        assert len(stage.voices[0].asked) == 2

    play(scene)


def test_two_dead_ones_cost_no_time_either() -> None:
    async def scene(stage: Stage) -> None:
        stage.voices[0].fail_after_chunks = stage.voices[1].fail_after_chunks = 0
        heard, times = await stage.say()
        assert (heard, times[0]) == (TEXT, pytest.approx(0.05))

    play(scene)


def test_one_that_hangs_is_not_waited_for() -> None:
    async def scene(stage: Stage) -> None:
        stage.voices[0].hang_after_chunks = 0
        _, times = await stage.say(call_id="1")
        assert times[0] < 0.6
        for number in range(2, 10):
            await stage.say(call_id=str(number))
        asked = len(stage.voices[0].asked)
        _, times = await stage.say(call_id="later")
        assert len(stage.voices[0].asked) == asked  # the breaker is open
        assert times[0] == pytest.approx(0.05)

    play(scene)


@pytest.mark.parametrize("chunks", range(1, 8))
@pytest.mark.parametrize("hangs", [False, True])
def test_left_in_mid_sentence_no_word_is_missing_and_none_comes_twice(
    chunks: int, hangs: bool
) -> None:
    async def scene(stage: Stage) -> None:
        if hangs:
            stage.voices[0].hang_after_chunks = chunks
        else:
            stage.voices[0].fail_after_chunks = chunks
        heard, times = await stage.say()
        assert letters(heard) == letters(TEXT)
        assert stage.told == [("two", "continued")]
        if not hangs:
            assert max(b - a for a, b in itertools.pairwise(times)) < 0.2

    play(scene)


@pytest.mark.parametrize("chunks", range(1, 8))
def test_without_marks_no_word_is_missing_and_few_come_twice(chunks: int) -> None:
    async def whole() -> None:
        stage = Stage(OrdinaryVoice("one"), OrdinaryVoice("two"))
        stage.voices[0].marks = False
        stage.voices[0].fail_after_chunks = chunks
        heard = squashed((await stage.say())[0])
        rest = stage.voices[1].asked[0]
        begun = heard[: -len(squashed(rest))]
        assert squashed(TEXT).startswith(begun)  # nothing was left out,
        assert len(begun) + len(squashed(rest)) >= len(squashed(TEXT))  # nor at the seam
        # At most three words, the one that was cut, and one that the estimate is wrong by.
        words_given = len(TEXT[: round(chunks * 10)].split())
        assert words_given - (len(TEXT.split()) - len(rest.split())) <= 5
        await stage.speaker.aclose()

    virtual_time.run(whole())


def test_a_voice_that_stalls_is_left_before_the_ear_runs_dry_for_half_a_second() -> None:
    async def scene(stage: Stage) -> None:
        stage.voices[0].hang_after_chunks = 3
        ear_dry_at, longest_s = 0.0, 0.0
        loop = asyncio.get_running_loop()
        async for chunk in stage.speaker.speak(SpeakRequest("call", TEXT, "", "en-US")):
            if ear_dry_at:
                longest_s = max(longest_s, loop.time() - ear_dry_at)
            ear_dry_at = max(ear_dry_at, loop.time()) + len(chunk.ulaw) / 8_000
        assert longest_s < 0.5

    play(scene)


def test_marks_are_those_of_the_whole_sentence() -> None:
    async def scene(stage: Stage) -> None:
        stage.voices[0].fail_after_chunks = 3
        marks: list[TextMark] = []
        ulaw = b""
        async for chunk in stage.speaker.speak(SpeakRequest("call", TEXT, "", "en-US")):
            ulaw += chunk.ulaw
            marks += chunk.marks
        heard = text_of(ulaw)
        assert marks[-1].chars == len(TEXT)
        assert marks[-1].at_s == pytest.approx(len(ulaw) / 8_000)
        words = {mark.chars: mark.at_s for mark in marks}
        for chars, at_s in words.items():
            said = heard[: round(at_s / FRAME_S)]
            assert letters(said) == letters(TEXT[:chars])

    play(scene)


def test_the_only_voice_is_asked_once_more_in_mid_sentence() -> None:
    class Stumbling(FakeVoice):
        async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
            self.fail_after_chunks = 2 if not self.asked else None
            async for chunk in super().speak(request):
                yield chunk

    async def whole() -> None:
        stage = Stage(Stumbling("one"))
        assert letters((await stage.say())[0]) == letters(TEXT)
        assert len(stage.voices[0].asked) == 2
        await stage.speaker.aclose()

    virtual_time.run(whole())


def test_when_nobody_speaks_the_error_is_the_newest_one() -> None:
    async def scene(stage: Stage) -> None:
        for voice in stage.voices:
            voice.fail_after_chunks = 0
            voice.error = ProviderBusy("no place", voice.name)
        with pytest.raises(ProviderError, match="no place"):
            await stage.say()

    play(scene)


def test_a_process_without_a_place_for_it_says_nothing_of_the_first_voice() -> None:
    async def scene(stage: Stage) -> None:
        stage.voices[0].fail_after_chunks = 0
        stage.voices[0].error = ProviderBusy("every socket is in use", "one", "ONE_SOCKETS")
        for _ in range(6):
            heard, times = await stage.say()
            assert heard == TEXT
            assert times[0] < 0.1, "the second is asked at once"
        assert len(stage.voices[1].asked) == 6
        unit = Voice(stage.voices[0], "voice of one", "en-US").unit
        assert stage.view.verdict(unit).state == "closed"

    play(scene)


def test_a_wrong_key_is_no_reason_to_be_silent() -> None:
    async def scene(stage: Stage) -> None:
        stage.voices[0].fail_after_chunks = 0
        stage.voices[0].error = ProviderRefused("wrong key", "one", "ONE_API_KEY")
        for number in range(3):
            assert (await stage.say(call_id=str(number)))[0] == TEXT
        assert len(stage.voices[0].asked) == 1

    play(scene)


@pytest.mark.parametrize("silence", [b"\xff", b"\x7f\xff", b"\0"])
def test_one_that_answers_with_silence_is_left(silence: bytes) -> None:
    class Mute(FakeVoice):
        async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
            self.asked.append(request.text)
            yield SpeechChunk(silence * 1_600)

    async def whole() -> None:
        stage = Stage(Mute("one"), FakeVoice("two"))
        assert (await stage.say())[0] == TEXT
        await stage.speaker.aclose()

    virtual_time.run(whole())


def test_a_caller_who_speaks_up_blames_nobody_and_leaves_nothing_running() -> None:
    async def scene(stage: Stage) -> None:
        for _ in range(20):
            iterator = stage.speaker.speak(SpeakRequest("call", TEXT, "", "en-US"))
            await anext(iterator)
            await iterator.aclose()  # type: ignore[attr-defined]
        await asyncio.sleep(1)
        assert stage.voices[0].open_segments == 0
        verdict = stage.view.verdict(Voice(stage.voices[0], "voice of one", "en-US").unit)
        assert verdict.state == "closed"

    play(scene)


def test_what_is_open_on_the_board_is_not_asked() -> None:
    async def scene(stage: Stage) -> None:
        unit = Voice(stage.voices[0], "voice of one", "en-US").unit
        stage.view.saw(unit, Signal(Sign.BUSY, retry_after_s=5.0))
        await stage.say()
        assert stage.voices[0].asked == []
        assert stage.voices[1].asked == [TEXT]

    play(scene)


def test_calls_are_forgotten_in_time() -> None:
    async def scene(stage: Stage) -> None:
        for number in range(MOST_ROUTES + 50):
            stage.speaker._route(str(number))
        assert len(stage.speaker._routes) == MOST_ROUTES

    play(scene)


def test_the_second_voice_is_as_loud_as_the_first() -> None:
    class Tone(FakeVoice):
        level = 8_000

        async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
            tone = encode_ulaw(np.tile(np.array([1, -1], np.int16) * self.level, 80))
            async for chunk in super().speak(request):
                yield SpeechChunk(tone * (len(chunk.ulaw) // 160), chunk.marks)

    async def whole() -> None:
        stage = Stage(Tone("one"), Tone("two"))
        stage.voices[0].fail_after_chunks = 3
        stage.voices[1].level = 4_000  # type: ignore[attr-defined]
        ulaw = b""
        async for chunk in stage.speaker.speak(SpeakRequest("call", TEXT, "", "en-US")):
            ulaw += chunk.ulaw
        samples = np.abs(decode_ulaw(ulaw).astype(np.int32))
        assert samples.min() > 7_000
        assert samples.max() < 9_000
        await stage.speaker.aclose()

    virtual_time.run(whole())


def test_both_units_of_a_voice_have_a_probe_or_it_would_never_be_used_again() -> None:
    async def scene(stage: Stage) -> None:
        for voice in stage.speaker.voices:
            assert {voice.unit, voice.flow_unit} <= set(stage.view.probes)
        flow = stage.speaker.voices[0].flow_unit
        assert await stage.view.probes[flow]() < 0.01

    play(scene)


@pytest.mark.parametrize("end", ["silent", "broken"])
def test_the_flow_of_a_voice_that_stalls_or_breaks_is_no_good_one(end: str) -> None:
    async def scene(stage: Stage) -> None:
        first = stage.voices[0]
        if end == "broken":
            first.fail_after_chunks = 1
        else:
            first.hang_after_chunks = 1
        probe = stage.view.probes[stage.speaker.voices[0].flow_unit]
        with pytest.raises((ProviderError, TimeoutError)):
            async with asyncio.timeout(1.8):
                await probe()

    play(scene)
