from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.failover.listening import (
    MOST_FAILURES,
    MOST_PATIENCE,
    PROVEN_S,
    STEADY_S,
    Listening,
    ListeningPolicy,
)
from providers.failover.listening_outputs import (
    AskEverybody,
    CallIsDeaf,
    CloseStream,
    OpenStream,
    Output,
    TellBroken,
    TellDeaf,
)

POLICY = ListeningPolicy()


class Stage:
    """A call with a clock of frames."""

    def __init__(self, recognisers: int = 2, *, opened: bool = True) -> None:
        self.doubles = 0
        self.machine = Listening(range(recognisers), POLICY, may_double=self.may_double)
        self.now = 10.0
        self.late_s = 0.0
        self.log: list[Output] = []
        self.machine.start(now=self.now)
        self.drain()
        if opened:
            self.machine.opened(1, now=self.now)

    def may_double(self) -> bool:
        self.doubles -= 1
        return self.doubles >= 0

    def drain(self) -> list[Output]:
        fresh: list[Output] = []
        while (output := self.machine.next_output()) is not None:
            fresh.append(output)
        self.log += fresh
        return fresh

    def wait(self, seconds: float, *, speech: bool = False) -> list[Output]:
        before = len(self.log)
        for _ in range(round(seconds / 0.02)):
            self.now += 0.02
            self.machine.frame_heard(is_speech=speech, now=self.now, late_s=self.late_s)
            self.drain()
            at = self.machine.next_deadline()
            if at is not None and at <= self.now:
                self.machine.handle_deadline(now=self.now)
                self.drain()
        return self.log[before:]

    def words(
        self, stream: int, *, uncovered_s: float = 0.0, is_new: bool = True
    ) -> tuple[bool, list[Output]]:
        counts = self.machine.words_came(
            stream, now=self.now, uncovered_s=uncovered_s, is_new=is_new
        )
        return counts, self.drain()

    def interrupt(self, stream: int) -> list[Output]:
        self.machine.interrupted(stream, now=self.now)
        return self.drain()

    def fail(self, stream: int, *, retryable: bool = True) -> list[Output]:
        self.machine.failed(stream, "gone", retryable=retryable, now=self.now)
        return self.drain()


def test_a_recogniser_that_hears_is_never_doubted() -> None:
    stage = Stage()
    for _ in range(20):
        stage.wait(0.9, speech=True)
        assert stage.words(1) == (True, [])
        stage.wait(0.5)
    assert stage.log == [OpenStream(1, 0)]


def test_a_stream_that_breaks_is_replaced_at_once_by_the_next_recogniser() -> None:
    stage = Stage()
    assert stage.fail(1) == [CloseStream(1), OpenStream(2, 1)]
    stage.machine.opened(2, now=stage.now)
    assert stage.words(1) == (False, [])
    assert stage.words(2) == (True, [])
    assert (stage.machine.listened, stage.machine.switches) == (2, 1)


def test_the_only_recogniser_is_opened_again_after_a_pause() -> None:
    stage = Stage(1)
    assert stage.fail(1) == [CloseStream(1)]
    assert stage.wait(0.3) == [OpenStream(2, 0)]
    stage.machine.opened(2, now=stage.now)
    assert stage.words(2) == (True, [])
    assert stage.machine.switches == 0


def test_speech_without_a_word_asks_an_understudy_and_its_words_win() -> None:
    stage = Stage()
    assert stage.wait(POLICY.doubt_speech_s - 0.02, speech=True) == []
    assert stage.wait(0.02, speech=True) == [OpenStream(2, 1)]
    stage.machine.opened(2, now=stage.now)
    assert stage.words(2) == (True, [CloseStream(1), TellDeaf(0)])
    assert stage.machine.listened == 2


def test_a_connection_that_breaks_in_mid_word_has_an_understudy_at_once() -> None:
    stage = Stage()
    stage.wait(0.1, speech=True)
    assert stage.interrupt(1) == [OpenStream(2, 1)]
    stage.machine.opened(2, now=stage.now)
    assert stage.words(2) == (True, [CloseStream(1), TellBroken(0)])


def test_what_an_understudy_of_a_broken_connection_tells_again_decides_nothing() -> None:
    stage = Stage()
    stage.wait(0.1, speech=True)
    stage.interrupt(1)
    stage.machine.opened(2, now=stage.now)
    assert stage.words(2, is_new=False) == (False, [])
    assert stage.words(2) == (True, [CloseStream(1), TellBroken(0)])


def test_where_nobody_hears_an_understudy_need_bring_nothing_new() -> None:
    stage = Stage()
    stage.wait(POLICY.doubt_speech_s, speech=True)
    stage.machine.opened(2, now=stage.now)
    assert stage.words(2, is_new=False) == (True, [CloseStream(1), TellDeaf(0)])


def test_one_that_mends_its_connection_sooner_is_kept() -> None:
    stage = Stage()
    stage.wait(0.1, speech=True)
    stage.interrupt(1)
    stage.machine.opened(2, now=stage.now)
    assert stage.words(1) == (True, [CloseStream(2)])
    assert stage.words(2) == (False, [])


def test_where_no_words_are_awaited_a_break_is_the_streams_own_to_mend() -> None:
    stage = Stage()
    stage.wait(1.0, speech=True)
    stage.words(1)
    assert stage.interrupt(1) == []
    stage.wait(POLICY.mending_s)
    assert stage.wait(0.2, speech=True) == [], "it stands again by now"


def test_what_is_said_while_a_connection_is_mended_has_an_understudy() -> None:
    stage = Stage()
    stage.interrupt(1)
    assert stage.wait(POLICY.awaited_s, speech=True) == [OpenStream(2, 1)]
    assert stage.wait(0.5, speech=True) == [], "one"


def test_a_break_of_an_understudy_or_of_a_stream_that_is_closed_is_nothing() -> None:
    stage = Stage()
    stage.wait(POLICY.doubt_speech_s, speech=True)
    assert stage.interrupt(2) == []
    stage.machine.close()
    stage.drain()
    assert stage.interrupt(1) == []


def test_whom_another_one_hears_long_after_a_break_is_deaf_and_not_broken() -> None:
    stage = Stage()
    stage.interrupt(1)
    stage.wait(2.0)
    stage.wait(POLICY.doubt_speech_s, speech=True)
    stage.machine.opened(2, now=stage.now)
    assert stage.words(2) == (True, [CloseStream(1), TellDeaf(0)])


def test_when_all_connections_break_and_nobody_hears_everybody_is_asked() -> None:
    stage = Stage()
    stage.wait(0.2, speech=True)
    stage.interrupt(1)
    stage.machine.opened(2, now=stage.now)
    asked = stage.wait(POLICY.doubt_silence_s + POLICY.ask_after_s + 0.1)
    assert asked == [AskEverybody()]


def test_a_short_word_is_doubted_once_silence_follows() -> None:
    stage = Stage()
    stage.wait(0.4, speech=True)
    assert stage.wait(POLICY.doubt_silence_s - 0.02) == []
    assert stage.wait(0.02) == [OpenStream(2, 1)]


@pytest.mark.parametrize(
    ("speech_s", "silence_s"), [(POLICY.doubt_speech_s, 0.0), (0.4, POLICY.doubt_silence_s)]
)
def test_one_that_is_slow_at_the_moment_is_doubted_so_much_later(
    speech_s: float, silence_s: float
) -> None:
    stage = Stage()
    stage.late_s = 0.25
    stage.wait(speech_s, speech=True)
    stage.wait(silence_s)
    assert stage.wait(0.2, speech=not silence_s) == []
    assert stage.wait(0.1, speech=not silence_s) == [OpenStream(2, 1)]


@pytest.mark.parametrize("doubles", [0, 1])
def test_an_end_that_is_missing_is_listened_to_again_if_the_budget_allows_it(doubles: int) -> None:
    """The recogniser falls silent in the last word, after 0.15 s of it."""
    stage = Stage()
    stage.doubles = doubles
    stage.wait(1.0, speech=True)
    stage.words(1, uncovered_s=0.16)
    stage.wait(0.16, speech=True)
    assert stage.wait(POLICY.doubt_silence_s - 0.02) == []
    opened = [OpenStream(2, 1)] if doubles else []
    assert stage.wait(0.04) == opened
    stage.machine.opened(2, now=stage.now)
    assert stage.wait(POLICY.understudy_s - 0.1) == [], "and nobody is asked for a breath's sake"
    assert stage.doubles == doubles - 1, "once"
    if doubles:
        assert stage.words(2) == (True, [CloseStream(1), TellDeaf(0)])


@pytest.mark.parametrize(("uncovered_s", "speech_s"), [(0.0, 0.2), (0.1, 0.1), (0.26, 0.0)])
def test_a_short_rest_is_a_breath(uncovered_s: float, speech_s: float) -> None:
    stage = Stage()
    stage.doubles = 9
    stage.wait(1.0, speech=True)
    stage.words(1, uncovered_s=uncovered_s)
    stage.wait(speech_s, speech=True)
    assert stage.wait(3.0) == []


@pytest.mark.parametrize(("doubles", "speech_s"), [(0, 0.2), (1, 0.1), (1, 0.2), (2, 0.2)])
def test_a_very_short_word_is_doubted_within_the_budget(doubles: int, speech_s: float) -> None:
    stage = Stage()
    stage.doubles = doubles
    stage.wait(speech_s, speech=True)
    assert stage.wait(POLICY.doubt_silence_s - 0.02) == []
    is_doubted = doubles > 0 and speech_s >= POLICY.shortest_word_s
    assert stage.wait(0.02) == ([OpenStream(2, 1)] if is_doubted else [])
    assert stage.doubles == doubles - is_doubted - (doubles == 0), "it is asked once"
    if is_doubted:
        stage.machine.opened(2, now=stage.now)
        assert stage.wait(POLICY.ask_after_s + 0.1) == [AskEverybody()]


def test_two_short_words_are_doubted_whatever_was_spent() -> None:
    stage = Stage()
    stage.wait(0.2, speech=True)
    assert stage.wait(1.2) == []
    stage.wait(0.2, speech=True)
    assert stage.wait(POLICY.doubt_silence_s) == [OpenStream(2, 1)]


def test_a_click_is_no_word() -> None:
    stage = Stage()
    for _ in range(10):
        stage.wait(0.1, speech=True)
        stage.wait(2.0)
    assert stage.log == [OpenStream(1, 0)]


def test_words_of_the_first_close_the_understudy() -> None:
    stage = Stage()
    stage.wait(POLICY.doubt_speech_s, speech=True)
    stage.machine.opened(2, now=stage.now)
    assert stage.words(1) == (True, [CloseStream(2)])
    assert stage.words(2) == (False, [])
    assert stage.machine.listened == 1


def test_noise_that_nobody_understands_is_doubted_ever_less_often() -> None:
    stage = Stage()
    opened_at: list[float] = []
    for _ in range(60):
        for output in stage.wait(1.0, speech=True):
            if isinstance(output, OpenStream):
                opened_at.append(stage.now)
                stage.machine.opened(output.stream, now=stage.now)
    gaps = [round(b - a, 3) for a, b in itertools.pairwise(opened_at)]
    assert len(gaps) >= 3
    assert gaps == sorted(gaps)
    assert gaps[-1] >= POLICY.doubt_speech_s * MOST_PATIENCE
    assert stage.machine.listened == 1
    stage.words(1)
    assert OpenStream in [type(o) for o in stage.wait(POLICY.doubt_speech_s, speech=True)]


@pytest.mark.parametrize(("recognisers", "following"), [(3, 2), (2, 0), (1, 0)])
def test_after_an_understudy_that_failed_somebody_else_is_asked(
    recognisers: int, following: int
) -> None:
    stage = Stage(recognisers)
    stage.wait(POLICY.doubt_speech_s, speech=True)
    stage.fail(2)
    asked = stage.wait(2 * POLICY.doubt_speech_s + 0.1, speech=True)
    assert OpenStream(3, following) in asked
    stage.machine.opened(3, now=stage.now)
    heard, outputs = stage.words(3)
    assert heard
    assert outputs == [CloseStream(1), *([TellDeaf(0)] if following else [])], "only its stream"


def test_an_understudy_that_does_not_open_in_time_has_failed() -> None:
    stage = Stage()
    stage.wait(POLICY.doubt_speech_s, speech=True)
    stage.wait(POLICY.open_within_s + 0.1)
    assert OpenStream(3, 0) in stage.wait(2 * POLICY.doubt_speech_s + 0.1, speech=True)


def test_an_understudy_that_hears_nothing_has_one_more_try() -> None:
    """It may have been a noise the first time; who hears nothing twice hears nothing."""
    stage = Stage(3)
    asked = []
    for _ in range(50 * 60):
        for output in stage.wait(0.02, speech=True):
            if isinstance(output, OpenStream):
                asked.append(output.choice)
                stage.machine.opened(output.stream, now=stage.now)
    assert asked[:6] == [1, 1, 2, 2, 0, 0]


def test_words_begin_the_order_of_understudies_anew() -> None:
    stage = Stage(3)
    stage.wait(POLICY.doubt_speech_s, speech=True)
    stage.fail(2)
    stage.words(1)
    assert stage.wait(POLICY.doubt_speech_s + 0.1, speech=True) == [OpenStream(3, 1)]


def test_the_first_breaks_while_the_understudy_listens() -> None:
    stage = Stage()
    stage.wait(POLICY.doubt_speech_s, speech=True)
    assert stage.fail(1) == [CloseStream(1)]
    assert stage.machine.listened == 2
    assert stage.words(2) == (True, [])


def test_an_understudy_that_breaks_changes_nothing() -> None:
    stage = Stage()
    stage.wait(POLICY.doubt_speech_s, speech=True)
    assert stage.fail(2) == [CloseStream(2)]
    assert stage.words(1) == (True, [])


def test_an_opening_that_hangs_is_given_up() -> None:
    stage = Stage(opened=False)
    assert stage.wait(POLICY.open_within_s + 0.02) == [CloseStream(1), OpenStream(2, 1)]


@pytest.mark.parametrize("recognisers", [1, 2, 3])
def test_when_nobody_can_be_opened_the_call_is_deaf(recognisers: int) -> None:
    stage = Stage(recognisers, opened=False)
    failed = 0
    for _ in range(40):
        last = [output for output in stage.log if isinstance(output, OpenStream)][-1]
        if stage.machine.listened == last.stream:
            failed += 1
            stage.fail(last.stream)
        stage.wait(0.2)
    assert failed == MOST_FAILURES
    assert [output for output in stage.log if isinstance(output, CallIsDeaf)] == [
        CallIsDeaf("gone")
    ]


def test_what_no_other_try_can_mend_is_deafness_only_without_another_recogniser() -> None:
    assert Stage(1).fail(1, retryable=False) == [CloseStream(1), CallIsDeaf("gone")]
    assert Stage(2).fail(1, retryable=False) == [CloseStream(1), OpenStream(2, 1)]


def test_words_forgive_earlier_failures() -> None:
    stage = Stage()
    for number in range(1, 20):
        stage.fail(number)
        stage.wait(0.02)
        stage.machine.opened(number + 1, now=stage.now)
        assert stage.words(number + 1)[0]


def test_after_the_end_nothing_is_opened() -> None:
    stage = Stage()
    stage.wait(POLICY.doubt_speech_s, speech=True)
    stage.machine.close()
    assert stage.drain() == [CloseStream(1), CloseStream(2)]
    stage.fail(1)
    assert stage.wait(5.0, speech=True) == []
    assert stage.machine.next_deadline() is None


EVENTS = st.one_of(
    st.tuples(st.just("frames"), st.booleans(), st.integers(1, 120)),
    st.tuples(st.just("opened"), st.integers(1, 12), st.none()),
    st.tuples(st.just("failed"), st.integers(1, 12), st.booleans()),
    st.tuples(st.just("words"), st.integers(1, 12), st.none()),
    st.tuples(st.just("interrupted"), st.integers(1, 12), st.none()),
)


@given(st.integers(1, 3), st.lists(EVENTS, max_size=40))
def test_whatever_happens_every_stream_is_closed_once_and_words_come_from_one(
    recognisers: int, events: list[tuple[str, int, bool | None]]
) -> None:
    stage = Stage(recognisers, opened=False)
    for kind, value, more in events:
        if kind == "frames":
            stage.wait(0.02 * (more or 1), speech=bool(value))
        elif kind == "opened":
            stage.machine.opened(value, now=stage.now)
        elif kind == "failed":
            stage.fail(value, retryable=bool(more))
        elif kind == "interrupted":
            stage.interrupt(value)
        else:
            counted, _ = stage.words(value)
            assert not counted or stage.machine.listened == value
        opened = [o.stream for o in stage.log if isinstance(o, OpenStream)]
        closed = [o.stream for o in stage.log if isinstance(o, CloseStream)]
        assert len(closed) == len(set(closed))
        assert set(closed) <= set(opened)
        assert len(set(opened) - set(closed)) <= 2
    stage.machine.close()
    stage.drain()
    opened = [o.stream for o in stage.log if isinstance(o, OpenStream)]
    closed = [o.stream for o in stage.log if isinstance(o, CloseStream)]
    assert sorted(opened) == sorted(closed)
    assert sum(isinstance(o, CallIsDeaf) for o in stage.log) <= 1


def test_streams_that_each_stood_for_long_are_no_failures_in_a_row() -> None:
    """A caller on hold says nothing, and a service that closes idle streams is not broken."""
    stage = Stage()
    stream = 1
    for _ in range(3 * MOST_FAILURES):
        stage.wait(STEADY_S + 0.1)
        opened = [output for output in stage.fail(stream) if isinstance(output, OpenStream)]
        stream = opened[0].stream
        stage.machine.opened(stream, now=stage.now)
    assert not any(isinstance(output, CallIsDeaf) for output in stage.log)


def test_streams_that_open_and_break_soon_leave_the_call_deaf() -> None:
    stage = Stage()
    stream = 1
    for _ in range(MOST_FAILURES - 1):
        stage.wait(STEADY_S / 2)
        stage.fail(stream)
        stage.wait(0.3)
        stream = next(o.stream for o in reversed(stage.log) if isinstance(o, OpenStream))
        stage.machine.opened(stream, now=stage.now)
    assert any(isinstance(output, CallIsDeaf) for output in stage.fail(stream))


def test_when_nobody_hears_a_word_all_are_asked_and_their_silence_makes_the_call_deaf() -> None:
    stage = Stage()
    stage.wait(POLICY.doubt_speech_s, speech=True)
    stage.machine.opened(2, now=stage.now)
    assert stage.wait(POLICY.ask_after_s + 0.02) == [AskEverybody()], "while the other listens"
    assert stage.wait(POLICY.understudy_s) == [CloseStream(2)]
    assert stage.machine.listened == 1, "it was a dog, perhaps"
    stage.machine.nobody_hears()
    (deaf,) = stage.drain()
    assert isinstance(deaf, CallIsDeaf)
    stage.machine.nobody_hears()
    assert stage.drain() == [], "once"


def test_words_that_come_before_the_answer_say_more_than_it() -> None:
    stage = Stage()
    stage.wait(POLICY.doubt_speech_s, speech=True)
    stage.machine.opened(2, now=stage.now)
    stage.wait(POLICY.ask_after_s + 0.1)
    assert stage.words(2)[0]
    stage.machine.nobody_hears()
    assert stage.drain() == []


def test_nobody_is_asked_once_words_came() -> None:
    stage = Stage()
    stage.wait(POLICY.doubt_speech_s, speech=True)
    stage.machine.opened(2, now=stage.now)
    stage.words(2)
    assert AskEverybody() not in stage.wait(POLICY.understudy_s)


def test_hearing_is_lost_when_all_have_failed_until_a_stream_stands() -> None:
    stage = Stage()
    lost = [stage.machine.is_lost(now=stage.now)]
    stage.fail(1)
    lost.append(stage.machine.is_lost(now=stage.now))  # the other is being opened
    assert OpenStream(3, 0) in stage.fail(2)
    lost.append(stage.machine.is_lost(now=stage.now))
    assert lost == [False, False, True]
    stage.machine.opened(3, now=stage.now)
    assert stage.machine.is_lost(now=stage.now), "it may only seem to be open"
    stage.wait(PROVEN_S + 0.02)
    assert not stage.machine.is_lost(now=stage.now)


def test_words_prove_that_hearing_is_not_lost() -> None:
    stage = Stage(1)
    stage.fail(1)
    stage.wait(0.3)
    stage.fail(2)
    assert stage.machine.is_lost(now=stage.now)
    stage.wait(0.6)
    stage.machine.opened(3, now=stage.now)
    assert stage.words(3)[0]
    assert not stage.machine.is_lost(now=stage.now)


def test_an_understudy_that_never_opens_is_a_reason_to_ask_as_well() -> None:
    stage = Stage()
    stage.wait(POLICY.doubt_speech_s, speech=True)
    assert AskEverybody() in stage.wait(POLICY.open_within_s + 0.1)


def test_a_call_that_is_over_does_not_become_deaf() -> None:
    stage = Stage()
    stage.machine.close()
    stage.drain()
    stage.machine.nobody_hears()
    assert stage.drain() == []
