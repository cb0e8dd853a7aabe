"""One call's ears, with recognisers that hang, break and hear: on virtual time."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable

import pytest

from actors.recogniser_feed import RecogniserFeed
from providers.errors import ProviderBusy, ProviderTimeout
from providers.failover.ears import ASKED_TIMES, IN_TIME_S, MOST_LATE_S, Ears
from providers.failover.listening import MOST_FAILURES, ListeningPolicy
from providers.health.local import LocalHealth
from providers.health.unit import Operation, Unit
from providers.health.view import HealthView
from tests.support import virtual_time
from tests.support.fake_ear_and_mouth import FakeRecogniser, FakeStream
from tests.support.scripted_call import AGENT
from voice import events as voice
from voice.ports import RecogniseRequest, RecogniserEvent

POLICY = ListeningPolicy()
CALL = "call-1"


class Hearing:
    """A feed with a clock of frames: each frame of the caller is its own number."""

    def __init__(self, *recognisers: FakeRecogniser) -> None:
        self.recognisers = recognisers or (FakeRecogniser(),)
        self.heard: list[str] = []
        self.ends_s: list[float] = []
        self.lost: list[str] = []
        self.changes: list[bool] = []
        self.frames = 0
        clock = asyncio.get_running_loop().time
        self.view = HealthView(LocalHealth("me", lambda: 0.5), lambda: 1e9 + clock())
        self.ears = Ears(self.recognisers, self.view, self)
        self.asked_for: list[tuple[str, str]] = []
        self.replaced_after: list[float] = []
        self.feed = RecogniserFeed(
            self.ears,
            AGENT,
            CALL,
            self._take,
            on_lost=self.lost.append,
        )
        self.feed.start()

    def _take(self, event: voice.Input) -> None:
        if isinstance(event, voice.HearingChanged):
            self.changes.append(event.is_lost)
            return
        assert isinstance(event, voice.InterimHeard | voice.FinalHeard)
        mark = "" if isinstance(event, voice.FinalHeard) else "..."
        self.heard.append(event.text + mark)
        self.ends_s.append(event.end_s)

    def asked(self, work: str, provider: str, why: str) -> None:
        assert work == "recognise"
        self.asked_for.append((provider, why))

    def waited(self, work: str, seconds: float) -> None:
        assert work == "recognise"
        self.replaced_after.append(seconds)

    def state(self, of: int, operation: Operation) -> str:
        return self.view.verdict(Unit(self.recognisers[of].name, operation).key).state

    async def say(self, seconds: float, *, speech: bool = True) -> None:
        for _ in range(round(seconds / 0.02)):
            await asyncio.sleep(0.02)
            self.feed.write(bytes([self.frames % 256]) * 160)
            self.feed.scored(is_speech=speech, now=asyncio.get_running_loop().time())
            self.frames += 1

    def stream(self, of: int = 0, at: int = -1) -> FakeStream:
        return self.recognisers[of].streams[CALL][at]

    def opened(self, of: int = 0) -> int:
        return len(self.recognisers[of].streams.get(CALL, []))


def play(scene: Callable[[Hearing], Awaitable[None]], recognisers: int = 2) -> None:
    async def whole() -> None:
        named = [FakeRecogniser() for _ in range(recognisers)]
        for number, recogniser in enumerate(named):
            recogniser.name = f"service{number}"
        ears = Hearing(*named)
        await asyncio.sleep(0)
        await scene(ears)
        await ears.feed.close()
        streams = [s for r in ears.recognisers for s in r.streams.get(CALL, [])]
        assert all(stream.closed for stream in streams)
        assert len(asyncio.all_tasks()) <= 2  # this one and the one that waits for it

    virtual_time.run(whole())


def first_frame(stream: FakeStream) -> int:
    return stream.audio[0]


def test_words_of_a_stream_come_with_the_time_of_the_call() -> None:
    async def scene(ears: Hearing) -> None:
        await ears.say(1.0, speech=False)
        await ears.say(0.5)
        ears.stream().hear("hello", final=False)
        ears.stream().hear("hello there")
        assert ears.heard == ["hello...", "hello there"]
        assert ears.ends_s[-1] == pytest.approx(1.5)

    play(scene)


def test_a_stream_that_dies_in_mid_word_is_replaced_and_the_phrase_is_heard_whole() -> None:
    async def scene(ears: Hearing) -> None:
        await ears.say(0.5)
        ears.stream().hear("first of all")
        await ears.say(0.6, speech=False)
        await ears.say(0.7)
        ears.stream().hear("then I wo", final=False)
        ears.stream().fail()
        await asyncio.sleep(0)
        second = ears.stream(1)
        began = first_frame(second)
        assert 25 <= began < 55  # in the pause after the first phrase
        assert len(second.audio) == (ears.frames - began) * 160
        await ears.say(0.2)
        assert second.audio[-1] == ears.frames - 1
        second.hear("then I would like")
        assert ears.heard[-1] == "then I would like"
        assert ears.ends_s[-1] == pytest.approx(ears.frames * 0.02)

    play(scene)


def test_a_connection_that_is_mended_slowly_loses_to_another_stream_with_new_words() -> None:
    async def scene(ears: Hearing) -> None:
        await ears.say(1.0)
        ears.stream().hear("I would", final=False)
        await ears.say(0.3)
        ears.stream().interrupt()
        await asyncio.sleep(0)
        second = ears.stream(1)
        second.hear("I would", final=False, late_s=0.3)
        assert ears.heard == ["I would..."], "told again"
        second.hear("I would like", final=False)
        assert ears.heard == ["I would...", "I would like..."]
        await asyncio.sleep(0.01)
        assert ears.stream(0).closed
        assert ears.state(0, "stt.open") == "suspect"
        assert ears.state(0, "stt.first_partial") == "closed", "it was not deaf"

    play(scene)


def test_a_connection_that_is_mended_at_once_is_listened_to() -> None:
    async def scene(ears: Hearing) -> None:
        await ears.say(0.3)
        ears.stream().interrupt()
        await asyncio.sleep(0)
        ears.stream().hear("hello", final=False)
        await asyncio.sleep(0.01)
        assert ears.stream(1).closed
        assert ears.state(0, "stt.open") == "closed"

    play(scene)


def test_while_a_fresh_stream_is_doubted_new_calls_begin_with_another_recogniser() -> None:
    async def scene(ears: Hearing) -> None:
        assert ears.ears.order() == (0, 1)
        await ears.say(POLICY.doubt_speech_s)
        await asyncio.sleep(0)
        assert ears.ears.order() == (1, 0), "before anybody was understood"
        ears.stream(0).hear("good morning")
        assert ears.ears.order() == (0, 1)
        await ears.say(POLICY.doubt_speech_s)
        await asyncio.sleep(0)
        assert ears.opened(1) == 2
        assert ears.ears.order() == (0, 1), "it has brought words before"

    play(scene)


def test_it_is_counted_how_soon_another_one_listens_after_a_stream_broke() -> None:
    async def scene(ears: Hearing) -> None:
        await ears.say(1.0, speech=False)
        ears.stream().fail()
        await ears.say(0.1, speech=False)
        assert ears.replaced_after == [pytest.approx(0.0, abs=0.05)]
        await ears.say(1.3)  # nobody understands: an understudy listens as well
        assert ears.opened(0) == 2
        ears.stream(1).fail()
        await ears.say(0.1, speech=False)
        assert ears.replaced_after[1:] == [0.0]

    play(scene)


def test_words_at_the_seam_of_unbroken_speech_come_once() -> None:
    async def scene(ears: Hearing) -> None:
        await ears.say(2.0)
        ears.stream().hear("I would like a table")
        await ears.say(0.5)
        ears.stream().fail()
        await asyncio.sleep(0)
        assert first_frame(ears.stream(1)) == 100 - 15
        ears.stream(1).hear("table for", final=False)
        ears.stream(1).hear("table for two")
        ears.stream(1).hear("table it is")
        assert ears.heard[1:] == ["for...", "for two", "table it is"]

    play(scene)


def test_a_recogniser_that_hangs_is_left_within_seconds_and_nothing_is_lost() -> None:
    async def scene(ears: Hearing) -> None:
        await ears.say(0.5, speech=False)
        await ears.say(POLICY.doubt_speech_s)
        await asyncio.sleep(0)
        assert ears.opened(1) == 1
        assert first_frame(ears.stream(1)) <= 25
        ears.stream(1).hear("are you there", final=False)
        assert ears.heard == ["are you there..."]
        assert ears.state(0, "stt.first_partial") == "suspect"
        await asyncio.sleep(0.01)
        assert ears.stream(0).closed
        ears.stream(0).hear("too late")
        assert ears.heard == ["are you there..."]

    play(scene)


def test_a_recogniser_whose_words_come_much_later_than_usual_is_left_by_new_calls() -> None:
    async def phrases(ears: Hearing, count: int, late_s: float) -> None:
        for _ in range(count):
            await ears.say(0.2)
            ears.stream().hear("well", final=False, late_s=late_s)
            ears.stream().hear("well", final=False, late_s=5.0)  # once a phrase
            ears.stream().hear("well")

    async def scene(ears: Hearing) -> None:
        await ears.say(2.0)
        await phrases(ears, 40, 0.15)
        assert ears.state(0, "stt.final_lag") == "closed"
        assert ears.ears.order() == (0, 1)
        await phrases(ears, 4, 0.9)
        assert ears.state(0, "stt.final_lag") == "open"
        assert ears.ears.order() == (1, 0)

    play(scene)


def test_one_whose_words_come_late_is_given_more_time_until_they_come_sooner() -> None:
    async def scene(ears: Hearing) -> None:
        await ears.say(2.0, speech=False)
        await ears.say(0.2)
        assert ears.ears.late_s(0) == 0.0
        ears.stream().hear("well", final=False, late_s=IN_TIME_S + 0.2)
        assert ears.ears.late_s(0) == pytest.approx(0.2, abs=0.02)
        ears.stream().hear("well")
        for _ in range(8):
            await ears.say(0.2)
            ears.stream().hear("then", final=False, late_s=0.1)
            ears.stream().hear("then")
        assert ears.ears.late_s(0) == 0.0
        await ears.say(0.2)
        ears.stream().hear("now", final=False, late_s=1.9)
        assert ears.ears.late_s(0) == MOST_LATE_S, "bounded: it may hang as well"

    play(scene)


def test_a_stream_that_hears_counts_once_however_much_is_said() -> None:
    """As one that hangs does: else the good half of the streams would hide the other."""

    async def scene(ears: Hearing) -> None:
        told: list[int] = []
        ears.ears.heard = told.append  # type: ignore[method-assign]
        for _ in range(5):
            await ears.say(0.4)
            ears.stream().hear("well")
        assert told == [0]
        ears.stream().fail()
        await asyncio.sleep(0)
        await ears.say(0.4)
        ears.stream(1).hear("well")
        assert told == [0, 1]

    play(scene)


def test_the_lag_of_what_was_sent_again_says_nothing() -> None:
    async def scene(ears: Hearing) -> None:
        lags: list[float] = []
        ears.ears.came = lambda choice, lag_s: lags.append(lag_s)  # type: ignore[method-assign]
        await ears.say(1.0)
        ears.stream().fail()
        await asyncio.sleep(0)
        await ears.say(0.5)
        ears.stream(1).hear("long ago", final=False, late_s=0.7)
        assert lags == []
        ears.stream(1).hear("long ago it", final=False, late_s=0.2)
        assert lags == [pytest.approx(0.2)]

    play(scene)


def test_what_the_understudy_hears_later_than_the_first_is_not_heard_twice() -> None:
    async def scene(ears: Hearing) -> None:
        await ears.say(POLICY.doubt_speech_s)
        await asyncio.sleep(0)
        ears.stream(0).hear("good morning")
        ears.stream(1).hear("good morning")
        assert ears.heard == ["good morning"]
        assert ears.state(0, "stt.first_partial") == "closed"

    play(scene)


def test_an_empty_final_neither_moves_the_seam_nor_proves_anybody_well() -> None:
    async def scene(ears: Hearing) -> None:
        await ears.say(POLICY.doubt_speech_s)
        await asyncio.sleep(0)
        ears.stream(0).hear("")
        assert ears.opened(1) == 1
        ears.stream(1).hear("")  # and no non-match of an understudy is told
        assert ears.heard == [""]
        ears.stream(0).fail()
        await asyncio.sleep(0)
        assert first_frame(ears.stream(1)) == 0

    play(scene)


def test_words_that_a_turn_has_taken_long_ago_do_not_come_again() -> None:
    async def scene(ears: Hearing) -> None:
        await ears.say(0.5)
        ears.stream().hear("yes please", final=False)
        await ears.say(0.6, speech=False)
        ears.feed.turn_taken(now=asyncio.get_running_loop().time())
        await ears.say(3.5, speech=False)
        ears.stream().fail()
        await asyncio.sleep(0)
        assert first_frame(ears.stream(1)) >= 55

    play(scene)


def test_refusals_go_on_to_the_next_and_all_of_them_make_the_call_deaf() -> None:
    async def scene(ears: Hearing) -> None:
        for recogniser in ears.recognisers:
            recogniser.refusals = [ProviderBusy("fake", "no place")] * MOST_FAILURES
        ears.stream().fail()
        await ears.say(3.0)
        assert len(ears.lost) == 1
        assert "no place" in ears.lost[0]

    play(scene)


def test_an_opening_that_hangs_is_given_up_for_another() -> None:
    async def scene(ears: Hearing) -> None:
        ears.recognisers[1].hanging = True
        ears.stream(0).fail()
        await ears.say(POLICY.open_within_s + 0.1)
        assert ears.opened(0) == 2
        assert first_frame(ears.stream(0)) == 0
        ears.stream(0).hear("hello")
        assert ears.heard == ["hello"]

    play(scene)


@pytest.mark.parametrize("killed_at", range(0, 100, 9))
def test_killed_anywhere_every_phrase_is_heard_once(killed_at: int) -> None:
    """Phrases of one second with a pause between; a recogniser that hears what it was sent."""

    async def scene(ears: Hearing) -> None:
        alive = 0
        for phrase in range(3):
            for step in range(50):
                if phrase * 50 + step == killed_at:
                    ears.stream(alive).fail()
                    await asyncio.sleep(0)
                    alive = 1 - alive
                await ears.say(0.02, speech=step < 35)
            audio = ears.stream(alive).audio
            sent = {audio[at] for at in range(0, len(audio), 160)}
            whole = set(range(phrase * 50, phrase * 50 + 35))
            assert whole <= sent, "the phrase was not sent whole"
            ears.stream(alive).hear(f"phrase {phrase}")
        assert ears.heard == ["phrase 0", "phrase 1", "phrase 2"]

    play(scene)


def test_streams_and_signs_are_counted() -> None:
    async def scene(ears: Hearing) -> None:
        await ears.say(0.5)
        ears.stream().hear("hello")
        ears.stream().fail()
        await asyncio.sleep(0)
        assert ears.asked_for == [("service0", "first"), ("service1", "failover")]
        assert ears.state(0, "stt.open") == "suspect"
        assert ears.state(1, "stt.open") == "closed"
        assert ears.ears.order() == (1, 0), "new calls begin with the other one for a moment"
        await asyncio.sleep(5.1)
        assert ears.ears.order() == (0, 1)
        for _ in range(4):
            ears.ears.failed(0, ProviderBusy("fake", "no place"))
        assert ears.ears.order() == (1, 0)

    play(scene)


def test_a_probe_wants_to_hear_a_word() -> None:
    class Parrot(FakeRecogniser):
        async def open(
            self, request: RecogniseRequest, sink: Callable[[RecogniserEvent], None]
        ) -> FakeStream:
            stream = await super().open(request, sink)
            if self.name == "service0":
                asyncio.get_running_loop().call_later(0.2, stream.hear, "go")
            return stream

    async def whole() -> None:
        clock = asyncio.get_running_loop().time
        view = HealthView(LocalHealth("me", lambda: 0.5), lambda: 1e9 + clock())
        parrots = [Parrot(), Parrot()]
        for number, parrot in enumerate(parrots):
            parrot.name = f"service{number}"
        Ears(parrots, view)
        good = view.probes[Unit("service0", "stt.first_partial").key]
        deaf = view.probes[Unit("service1", "stt.first_partial").key]
        assert await good() == pytest.approx(0.2)
        with pytest.raises(ProviderTimeout, match="known sentence"):
            await deaf()
        assert all(parrot.open_streams == 0 for parrot in parrots)
        assert len(parrots[0].streams["probe"][0].audio) > 16_000

    virtual_time.run(whole())


class Tried(FakeRecogniser):
    """Understands a known sentence, or does not.

    Attributes:
        answer: ``words``, ``nothing``, ``hangs`` or ``full``, to streams that are no call's.
        tried: How often it was asked.
    """

    def __init__(self, name: str, answer: str) -> None:
        super().__init__()
        self.name = name
        self.answer = answer
        self.tried = 0

    async def open(
        self, request: RecogniseRequest, sink: Callable[[RecogniserEvent], None]
    ) -> FakeStream:
        if request.call_id == CALL:
            return await super().open(request, sink)
        self.tried += 1
        if self.answer == "hangs":
            await asyncio.sleep(1e6)
        if self.answer == "full":
            raise ProviderBusy("every place is taken", self.name)
        stream = FakeStream(sink)
        if self.answer == "words":
            asyncio.get_running_loop().call_later(0.2, stream.hear, "one two three")
        return stream


@pytest.mark.parametrize(
    ("answers", "is_deaf"),
    [
        (("nothing", "nothing"), True),
        (("hangs", "nothing"), True),
        (("hangs",), True),
        (("nothing", "words"), False),
        (("words", "words"), False),
        (("nothing", "full"), False),
    ],
)
def test_a_caller_whom_nobody_hears_is_told_so_unless_a_known_sentence_is_understood(
    answers: tuple[str, ...], is_deaf: bool
) -> None:
    async def whole() -> None:
        ears = Hearing(*(Tried(f"service{at}", answer) for at, answer in enumerate(answers)))
        await asyncio.sleep(0)
        await ears.say(POLICY.doubt_speech_s)
        await ears.say(POLICY.understudy_s + 5.0, speech=False)
        assert bool(ears.lost) is is_deaf
        assert len(ears.lost) <= 1
        for recogniser in ears.recognisers:
            assert isinstance(recogniser, Tried)
            assert 1 <= recogniser.tried <= ASKED_TIMES
        await ears.feed.close()

    virtual_time.run(whole())


def test_when_all_hang_the_call_knows_within_seconds_of_the_doubt() -> None:
    """The question is put beside the understudy, and its two tries run beside one another."""

    async def whole() -> None:
        ears = Hearing(Tried("one", "hangs"), Tried("two", "hangs"))
        await asyncio.sleep(0)
        await ears.say(POLICY.doubt_speech_s)
        doubted_at = asyncio.get_running_loop().time()
        while not ears.lost:
            await ears.say(0.02, speech=False)
        took_s = asyncio.get_running_loop().time() - doubted_at
        assert took_s == pytest.approx(POLICY.ask_after_s + 2.0, abs=0.05)
        await ears.feed.close()

    virtual_time.run(whole())


def test_nobody_is_asked_while_another_caller_is_understood() -> None:
    async def whole() -> None:
        ears = Hearing(Tried("one", "nothing"), Tried("two", "nothing"))
        ears.ears.understood()
        told: list[int] = []
        ears.ears.ask_everybody(lambda: told.append(1))
        await asyncio.sleep(6.0)
        assert told == []
        assert [one.tried for one in ears.recognisers if isinstance(one, Tried)] == [0, 0]
        await ears.feed.close()

    virtual_time.run(whole())


def test_one_who_understands_at_once_is_asked_once() -> None:
    async def whole() -> None:
        ears = Hearing(Tried("one", "words"), Tried("two", "hangs"))
        ears.ears.ask_everybody(lambda: ears.lost.append("told"))
        await asyncio.sleep(6.0)
        assert ears.lost == []
        tried = [one.tried for one in ears.recognisers if isinstance(one, Tried)]
        assert tried == [1, ASKED_TIMES]
        await ears.feed.close()

    virtual_time.run(whole())


def test_the_voice_is_told_when_all_have_failed_and_when_somebody_hears_again() -> None:
    async def scene(ears: Hearing) -> None:
        for recogniser in ears.recognisers:
            recogniser.refusals = [ProviderBusy("fake", "no place")]
        ears.stream().fail()
        await ears.say(0.4)
        assert ears.changes == []
        await ears.say(0.42, speech=False)
        assert ears.changes == [True], "before the silence is long"
        await ears.say(1.0, speech=False)
        ears.stream(ears.feed._lines[ears.feed._machine.listened].choice).hear("hello")
        assert ears.changes == [True, False]

    play(scene)


def test_the_voice_is_told_when_the_process_has_left_everybody() -> None:
    async def scene(ears: Hearing) -> None:
        await ears.say(0.5)
        ears.stream().hear("hello", final=False)
        for choice in range(2):
            for _ in range(4):
                ears.ears.deaf(choice)
        await ears.say(1.5, speech=False)
        assert ears.changes == [], "this call is heard all the same"
        await ears.say(2.0, speech=False)
        await ears.say(0.8)
        await ears.say(0.42, speech=False)
        assert ears.changes == [True]

    play(scene)


def test_after_a_vain_question_other_calls_know_too() -> None:
    async def whole() -> None:
        ears = Hearing(Tried("one", "nothing"), Tried("two", "nothing"))
        ears.ears.ask_everybody(lambda: None)
        await asyncio.sleep(2.5)
        assert ears.ears.is_nobody_left()
        ears.ears.understood()
        ears.view.local = LocalHealth("fresh", lambda: 0.5)
        assert not ears.ears.is_nobody_left(), "words say more"
        await ears.feed.close()

    virtual_time.run(whole())


def test_many_calls_that_nobody_hears_ask_once_together() -> None:
    async def whole() -> None:
        ears = Hearing(Tried("one", "nothing"), Tried("two", "nothing"))
        told: list[int] = []
        for number in range(50):
            ears.ears.ask_everybody(functools.partial(told.append, number))
        await asyncio.sleep(6.0)
        assert told == list(range(50))
        ears.ears.ask_everybody(functools.partial(told.append, 50))
        await asyncio.sleep(0.001)
        assert told[-1] == 50, "what was found holds for a while"
        tried = [one.tried for one in ears.recognisers if isinstance(one, Tried)]
        assert tried == [ASKED_TIMES] * 2
        await ears.feed.close()

    virtual_time.run(whole())
