"""When the caller counts as finished; loop time runs with the frames unless a test says other."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from voice.decisions import CallerFinished, CallerPaused, CallerWentOn, EndpointDecision
from voice.endpoint_config import EndpointConfig
from voice.endpointing import Endpointer
from voice.errors import BadVoiceConfig
from voice.ports import FRAME_S


class Ear:
    """An endpointer with a clock and a log of (media seconds, decision)."""

    def __init__(self, **settings: Any) -> None:
        self.endpointer = Endpointer(EndpointConfig(**settings))
        self.now = 50.0
        self.log: list[tuple[float, EndpointDecision]] = []

    def _note(self, decision: EndpointDecision | None) -> None:
        if decision is not None:
            self.log.append((round(self.now - 50.0, 3), decision))

    def frames(self, seconds: float, *, speech: bool) -> None:
        for _ in range(round(seconds / FRAME_S)):
            self.now += FRAME_S
            self._note(self.endpointer.hear_frame(speech, now=self.now))

    def talk(self, seconds: float) -> None:
        self.frames(seconds, speech=True)

    def hush(self, seconds: float) -> None:
        self.frames(seconds, speech=False)

    def interim(self, text: str, end_s: float = 0.0) -> None:
        self._note(self.endpointer.hear_interim(text, now=self.now, end_s=end_s))

    def final(self, text: str, end_s: float = 0.0) -> None:
        self._note(self.endpointer.hear_final(text, now=self.now, end_s=end_s))

    def stall(self, seconds: float) -> None:
        end = self.now + seconds
        while (deadline := self.endpointer.next_deadline()) is not None and deadline <= end:
            self.now = max(deadline, self.now)
            self._note(self.endpointer.handle_deadline(now=self.now))
        self.now = end

    @property
    def finished(self) -> list[tuple[float, str, str]]:
        return [(at, d.text, d.reason) for at, d in self.log if isinstance(d, CallerFinished)]

    @property
    def paused(self) -> list[tuple[float, str]]:
        return [(at, d.text) for at, d in self.log if isinstance(d, CallerPaused)]

    @property
    def went_on(self) -> list[float]:
        return [at for at, d in self.log if isinstance(d, CallerWentOn)]


def test_eager_then_commit_after_their_silences() -> None:
    ear = Ear()
    ear.talk(1.0)
    ear.final("hello")
    ear.hush(1.0)
    assert ear.paused == [(1.2, "hello")]
    assert ear.finished == [(1.56, "hello", "final+silence 560 ms (550 needed: no known end)")]


def test_words_need_not_be_final() -> None:
    ear = Ear()
    ear.talk(1.0)
    ear.interim("hello")
    ear.hush(1.0)
    assert ear.finished == [(1.56, "hello", "interim+silence 560 ms (550 needed: no known end)")]


def test_words_after_the_commit_silence_commit_at_once() -> None:
    ear = Ear()
    ear.talk(1.0)
    ear.hush(0.6)
    ear.final("hello")
    assert ear.finished == [(1.6, "hello", "final+silence 600 ms (550 needed: no known end)")]


def test_words_that_have_just_changed_are_given_a_moment() -> None:
    ear = Ear()
    ear.talk(1.0)
    ear.interim("hello")
    ear.hush(0.54)
    ear.interim("hello you")
    ear.hush(0.06)
    assert [(at, text) for at, text, _ in ear.finished] == [(1.6, "hello you")]


def test_a_long_utterance_is_taken_sooner_than_a_short_one() -> None:
    taken_s = []
    for spoken_s in (1.0, 4.0):
        ear = Ear(spoken_weight=0.3)
        ear.talk(spoken_s)
        ear.interim("I want a table by the window", end_s=spoken_s)
        ear.hush(1.0)
        [(at_s, _, reason)] = ear.finished
        assert f"{spoken_s:.1f} s spoken" in reason
        taken_s.append(at_s - spoken_s)
    assert taken_s[1] < taken_s[0] - 0.1


class TestWordsOnTheirWay:
    def test_words_that_reach_the_end_of_the_speech_are_not_waited_for(self) -> None:
        ear = Ear(commit_silence_s=0.2)
        ear.talk(1.0)
        ear.interim("a table", end_s=0.95)
        ear.hush(0.3)
        assert [at for at, _, _ in ear.finished] == [1.2]

    def test_speech_behind_the_last_word_waits_as_long_as_words_usually_need(self) -> None:
        ear = Ear(commit_silence_s=0.2)
        ear.talk(1.0)
        ear.interim("a table", end_s=0.7)  # it came 300 ms late, so will the next one
        ear.hush(0.5)
        assert [at for at, _, _ in ear.finished] == [1.36]

    def test_what_this_recogniser_needs_is_learned(self) -> None:
        ear = Ear(commit_silence_s=0.2)
        ear.talk(0.6)
        ear.interim("a", end_s=0.1)
        ear.talk(0.4)
        ear.interim("a table", end_s=0.75)
        ear.hush(0.7)
        assert [at for at, _, _ in ear.finished] == [1.46]  # but final_wait_s beyond at most

    def test_speech_for_whole_words_is_waited_for_to_the_last(self) -> None:
        ear = Ear()
        ear.talk(1.5)
        ear.interim("a table", end_s=0.9)
        ear.hush(1.0)
        assert [at for at, _, _ in ear.finished] == [2.3]

    def test_a_cough_is_no_word_for_long(self) -> None:
        ear = Ear()
        ear.talk(1.0)
        ear.interim("a table", end_s=0.95)
        ear.hush(0.4)
        ear.talk(0.14)
        ear.hush(1.0)
        assert [at for at, _, _ in ear.finished] == [2.1]

    def test_the_words_that_were_waited_for_are_taken(self) -> None:
        ear = Ear(commit_silence_s=0.2)
        ear.talk(1.0)
        ear.interim("a table", end_s=0.7)
        ear.hush(0.24)
        ear.interim("a table tonight", end_s=0.98)
        ear.hush(0.3)
        assert [(at, text) for at, text, _ in ear.finished] == [(1.3, "a table tonight")]


class TestNoise:
    def heard_four(self, asked: str) -> Ear:
        ear = Ear()
        ear.endpointer.hear_agent(asked)
        ear.talk(1.6)
        ear.interim("five five one two", end_s=1.5)
        ear.talk(3.0)
        return ear

    def test_all_that_was_asked_for_is_taken_soon_whatever_the_line_does(self) -> None:
        ((at, text, reason),) = self.heard_four("Please tell me your four digit PIN.").finished
        assert (at, text) == (pytest.approx(1.5 + 0.3 + 0.25, abs=0.1), "five five one two")
        assert reason.startswith("sound without words")

    def test_other_words_are_given_longer(self) -> None:
        ((at, *_),) = self.heard_four("What happened?").finished
        assert at > 3.2

    def test_digits_that_are_as_many_as_was_said_wait_for_no_more_words(self) -> None:
        ear = Ear()
        ear.endpointer.hear_agent("Please tell me your four digit PIN.")
        ear.talk(1.6)
        ear.interim("five five one two", end_s=1.2)
        ear.hush(0.5)
        assert [at for at, *_ in ear.finished] == [1.66]


def test_noise_without_words_is_no_turn() -> None:
    ear = Ear()
    ear.talk(0.4)
    ear.hush(5.0)
    assert ear.log == []
    assert not ear.endpointer.is_waiting


def test_long_speech_without_words_is_reported_twice_in_a_row_at_most() -> None:
    ear = Ear()
    for _ in range(4):
        ear.talk(0.8)
        ear.hush(3.0)
    assert ear.finished == [
        (2.2, "", "speech without words"),
        (6.0, "", "speech without words"),
    ]


def test_nobody_waits_for_words_that_cannot_come() -> None:
    ear = Ear()
    ear.endpointer.is_hearing_lost = True
    ear.talk(0.4)
    ear.hush(1.0)
    assert ear.finished == [(1.0, "", "speech without words")]


def test_words_that_came_before_hearing_was_lost_are_taken_at_once() -> None:
    ear = Ear()
    ear.talk(0.6)
    ear.interim("my number is")
    ear.talk(0.6)
    ear.endpointer.is_hearing_lost = True
    ear.hush(1.0)
    ((at, text, reason),) = ear.finished
    assert (at, text, reason) == (1.8, "my number is", "no more words can come")


def test_a_click_is_no_turn_even_when_hearing_is_lost() -> None:
    ear = Ear()
    ear.endpointer.is_hearing_lost = True
    ear.talk(0.1)
    ear.hush(3.0)
    assert ear.log == []


def test_words_reset_the_count_of_empty_turns() -> None:
    ear = Ear()
    for words in ("", "", "hello", ""):
        ear.talk(0.8)
        ear.final(words)
        ear.hush(3.0)
    assert [text for _, text, _ in ear.finished] == ["", "", "hello", ""]


def test_phrases_of_one_utterance_are_joined() -> None:
    ear = Ear()
    ear.talk(0.6)
    ear.final("I want")
    ear.hush(0.4)
    ear.talk(0.6)
    ear.final("a table.")
    ear.hush(0.6)
    assert [text for _, text, _ in ear.finished] == ["I want a table."]


def test_an_interim_is_appended_to_the_finals() -> None:
    ear = Ear()
    ear.talk(0.6)
    ear.final("I want")
    ear.interim("a table")
    assert ear.endpointer.text == "I want a table"


def test_han_phrases_are_joined_without_a_space() -> None:
    ear = Ear()
    ear.talk(0.6)
    ear.final("我想訂")
    ear.final("一張檯")
    assert ear.endpointer.text == "我想訂一張檯"


def test_a_caller_who_goes_on_is_noticed_by_his_voice() -> None:
    ear = Ear()
    ear.talk(0.6)
    ear.interim("a table")
    ear.hush(0.3)
    ear.talk(0.2)
    assert ear.went_on == [1.02]
    ear.interim("a table tonight")
    ear.hush(0.3)
    assert [text for _, text in ear.paused] == ["a table", "a table tonight"]


def test_a_click_in_the_pause_is_not_going_on() -> None:
    ear = Ear()
    ear.talk(0.6)
    ear.interim("a table")
    ear.hush(0.3)
    ear.talk(0.02)
    ear.hush(0.5)
    assert ear.went_on == []
    assert ear.finished[0][0] == 1.16


def test_new_words_in_the_pause_replace_the_eager_ones() -> None:
    ear = Ear()
    ear.talk(0.6)
    ear.interim("a table")
    ear.hush(0.3)
    ear.interim("a table tonight")
    assert [text for _, text in ear.paused] == ["a table", "a table tonight"]


def test_words_that_vanish_take_the_pause_back() -> None:
    ear = Ear()
    ear.talk(0.3)
    ear.interim("oh")
    ear.hush(0.3)
    ear.final("")
    assert len(ear.went_on) == 1
    ear.hush(3.0)
    assert ear.finished == []


def test_speech_newer_than_the_final_words_waits_for_more() -> None:
    ear = Ear()
    ear.talk(0.6)
    ear.final("I want")
    ear.hush(0.3)
    ear.talk(0.4)
    ear.hush(0.7)
    assert ear.finished == []
    ear.final("a table")
    ear.hush(0.1)
    assert [text for _, text, _ in ear.finished] == ["I want a table"]


def test_words_without_any_acoustic_speech_are_timed_at_arrival() -> None:
    ear = Ear()
    ear.hush(1.0)
    ear.final("hello")
    ear.hush(1.0)
    assert ear.paused == [(1.2, "hello")]
    assert ear.finished[0][0] == 1.56
    decision = ear.log[-1][1]
    assert isinstance(decision, CallerFinished)
    assert decision.speech_ended_at == pytest.approx(51.0)


def test_new_words_long_after_the_last_speech_frame_mean_missed_speech() -> None:
    ear = Ear()
    ear.talk(0.6)
    ear.interim("I want")
    ear.hush(0.5)
    ear.hush(0.2)
    ear.interim("I want a table tonight")
    ear.hush(0.5)
    assert ear.finished == []
    ear.hush(0.1)
    assert [text for _, text, _ in ear.finished] == ["I want a table tonight"]


def test_words_that_stay_the_same_are_taken_in_steady_noise() -> None:
    ear = Ear()
    ear.talk(1.0)
    ear.final("hello")
    ear.talk(3.1)
    assert ear.finished == [(4.0, "hello", "words unchanged for 3.0 s")]


class TestSoundWithoutWords:
    """Words end at 1.0 s and are known at 1.3 s, which is the lag that is learned."""

    SLOW: ClassVar = {"commit_silence_s": 1.9, "word_lag_s": 0.3, "wordless_s": 1.6}

    def paused(self, silence_s: float, **more: Any) -> Ear:
        ear = Ear(**(self.SLOW | more))
        ear.talk(1.0)
        ear.hush(0.3)
        ear.interim("hello there my friend", end_s=1.0)
        ear.hush(silence_s - 0.3)
        assert ear.finished == []
        return ear

    def test_noise_that_never_ends_does_not_hold_a_turn_for_ever(self) -> None:
        ear = Ear(**self.SLOW)
        ear.talk(1.3)
        ear.interim("hello there my friend", end_s=1.0)
        ear.talk(3.0)
        ((at_s, text, reason),) = ear.finished
        assert (text, reason.split(" for ")[0]) == (
            "hello there my friend",
            "sound without words",
        )
        assert at_s == pytest.approx(3.2, abs=0.1)

    def test_a_caller_who_goes_on_after_a_long_pause_may_end_a_word_first(self) -> None:
        ear = self.paused(1.8)
        ear.talk(1.0)
        assert ear.finished == []
        ear.interim("hello there my friend i", end_s=3.4)
        ear.talk(1.0)
        assert ear.finished == []

    def test_without_that_time_he_would_be_cut(self) -> None:
        ear = self.paused(1.8, first_word_s=0.0)
        ear.talk(1.0)
        assert [reason.split(" for ")[0] for _, _, reason in ear.finished] == [
            "sound without words"
        ]

    def test_nor_do_words_that_stood_still_in_his_pause_end_his_turn(self) -> None:
        ear = self.paused(1.8, stuck_words_s=2.0)
        ear.talk(0.9)
        assert ear.finished == []
        ear.talk(1.0)
        assert len(ear.finished) == 1


class TestLateFinal:
    def committed_on_interim(self) -> Ear:
        ear = Ear()
        ear.talk(1.0)
        ear.interim("I'm gonna book")
        ear.hush(0.9)
        assert [text for _, text, _ in ear.finished] == ["I'm gonna book"]
        return ear

    @pytest.mark.parametrize(
        "late", ["I'm gonna book.", "I'm going to book", "I'm gonna", "I'm gonna cook", ""]
    )
    def test_the_same_words_open_no_new_turn(self, late: str) -> None:
        ear = self.committed_on_interim()
        ear.final(late)
        ear.hush(4.0)
        assert len(ear.finished) == 1
        assert ear.endpointer.text == ""

    def test_only_genuinely_new_words_do(self) -> None:
        ear = self.committed_on_interim()
        ear.final("I'm gonna book a table.")
        assert [text for _, text, _ in ear.finished] == ["I'm gonna book", "a table."]

    def test_interims_of_the_same_phrase_count_from_where_it_was_taken(self) -> None:
        ear = self.committed_on_interim()
        ear.talk(0.4)
        ear.interim("I'm gonna book a table")
        assert ear.endpointer.text == "a table"
        ear.final("I'm gonna book a table")
        assert ear.endpointer.text == "a table"

    def test_a_new_phrase_after_new_speech_is_taken_whole(self) -> None:
        ear = self.committed_on_interim()
        ear.talk(0.4)
        ear.final("yes please")
        assert ear.endpointer.text == "yes please"

    def test_the_next_phrase_is_not_measured_against_an_old_one(self) -> None:
        ear = self.committed_on_interim()
        ear.hush(4.0)
        ear.final("I'm gonna book")
        assert ear.endpointer.text == "I'm gonna book"


class TestStall:
    def test_silence_goes_on_in_loop_time_when_frames_stop(self) -> None:
        ear = Ear()
        ear.talk(1.0)
        ear.final("hello")
        ear.stall(1.0)
        assert ear.paused[0][0] == pytest.approx(1.2, abs=0.03)
        assert ear.finished[0][0] == pytest.approx(1.55, abs=0.03)

    def test_a_short_gap_between_frames_is_not_silence(self) -> None:
        ear = Ear(eager_silence_s=0.06, commit_silence_s=0.12)
        ear.talk(1.0)
        ear.final("hello")
        ear.stall(0.09)
        assert ear.log == []

    def test_nothing_is_due_on_a_quiet_call(self) -> None:
        ear = Ear()
        ear.hush(1.0)
        assert ear.endpointer.next_deadline() is None


def test_words_put_back_open_the_next_turn() -> None:
    ear = Ear()
    ear.talk(1.0)
    ear.final("a table")
    ear.hush(0.6)
    ear.talk(0.4)
    ear.endpointer.put_back("a table", now=ear.now)
    ear.final("tonight")
    ear.hush(0.8)
    assert [text for _, text, _ in ear.finished] == ["a table", "a table tonight"]


@pytest.mark.parametrize(
    "settings",
    [
        {"eager_silence_s": 0.9},
        {"longest_silence_s": 0.3},
        {"judge_at_s": (0.4, 0.1)},
        {"final_wait_s": -1.0},
    ],
)
def test_settings_that_contradict_themselves_are_refused_by_name(settings: Any) -> None:
    with pytest.raises(BadVoiceConfig, match=next(iter(settings))):
        EndpointConfig(**settings)
