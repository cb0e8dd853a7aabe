"""Barge-in, holding the tongue, and callers who had not finished."""

from __future__ import annotations

import pytest

from tests.voice.stage import Stage
from voice.config import PlayoutConfig, VoiceConfig
from voice.events import (
    AbandonTurn,
    BeginTurn,
    CallStarted,
    ClearPlayout,
    CommitTurn,
    HangUpRequested,
    MarkPlayed,
    ReplyFailed,
    RetractTurn,
    SegmentPlanned,
    SendAudio,
    SendMark,
    SpeechFailed,
    Synthesise,
    TurnSettled,
)
from voice.reasons import ended_by, taken_by

UNFADED = PlayoutConfig(duck_db=0.0, fade_s=0.0, join_s=0.0)


def speaking(seconds: float = 1.0) -> Stage:
    """A stage on which the agent has been speaking for so long."""
    stage = Stage(replies=["One two three four.", "Five six."], audio_s=2.0)
    stage.ask("hello")
    stage.wait(seconds)
    return stage


def clears(stage: Stage) -> int:
    return len(stage.of(ClearPlayout))


class TestBargeIn:
    def test_a_sound_turns_the_voice_down_and_then_silences_it(self) -> None:
        stage = speaking()
        stage.talk(0.02)
        assert clears(stage) == 0
        stage.talk(0.02)
        assert clears(stage) == 1
        assert 0x01 not in stage.audio[160:]
        stage.talk(0.08)
        assert clears(stage) == 2
        assert len(stage.audio) <= 320, "what dies away is all that is sent"
        assert stage.settled == []

    def test_words_take_the_floor(self) -> None:
        stage = speaking()
        stage.talk(0.3)
        stage.interim("can you")
        turn = stage.last(TurnSettled)
        assert (turn.outcome, turn.heard_text) == ("interrupted", "One two")
        assert ended_by(turn.reason) == "barge-in"
        assert "silence" in taken_by(turn.reason), "what took the turn is not forgotten"

    def test_nothing_is_sent_after_the_clear(self) -> None:
        stage = speaking()
        stage.talk(0.3)
        stage.interim("can you")
        stopped_at = stage.now
        stage.wait(3.0)
        sent = [(at, each.turn_id) for at, each in stage.log if isinstance(each, SendAudio)]
        assert {turn_id for at, turn_id in sent if at > stopped_at} == {2}

    @pytest.mark.parametrize("seconds", [0.06, 0.16, 0.3, 0.5])
    def test_a_sound_without_words_costs_nothing(self, seconds: float) -> None:
        stage = speaking()
        stage.talk(seconds)
        ended_at = stage.now
        stage.wait(0.3)
        resumed_at = next(
            at for at, output in stage.log if isinstance(output, SendAudio) and at > ended_at
        )
        assert resumed_at - ended_at <= 0.25
        stage.wait(5.0)
        assert stage.settled[-1] == (1, "heard", "One two three four. Five six.")

    def test_what_was_said_meanwhile_is_said_from_the_exact_sample(self) -> None:
        """Every sample of the reply is heard once, but for what died away."""
        stage = Stage(VoiceConfig(playout=UNFADED), replies=["One two."], audio_s=2.0)
        stage.ask()
        stage.wait(0.7)
        stage.talk(0.3)
        stage.wait(4.0)
        assert stage.settled == [(1, "heard", "One two.")]
        heard_before = [at for at, output in stage.log if isinstance(output, ClearPlayout)]
        assert len(heard_before) == 2
        started = stage.at(CommitTurn)
        assert len(stage.audio) == 16_000 - round((heard_before[-1] - started) * 8_000)

    def test_a_stammer_adds_up_within_the_window(self) -> None:
        stage = speaking()
        for _ in range(4):
            stage.talk(0.06)
            stage.wait(0.06)
        assert clears(stage) == 2

    def test_a_real_word_stops_the_agent_sooner(self) -> None:
        stage = speaking()
        stage.talk(0.1)
        stage.interim("stop")
        assert stage.settled[-1][1] == "interrupted"

    @pytest.mark.parametrize("sound", ["mhm", "uh-huh", "Hmm.", "Okay.", "yeah", "I see"])
    def test_a_listeners_word_is_ridden_over(self, sound: str) -> None:
        stage = speaking()
        stage.talk(0.3)
        stage.interim(sound)
        stage.wait(0.2)
        stage.final(sound)
        stage.wait(5.0)
        assert stage.settled == [(1, "heard", "One two three four. Five six.")]
        assert len(stage.of(CommitTurn)) == 1

    @pytest.mark.parametrize(
        ("sound", "outcome"), [("嗯", "heard"), ("好", "heard"), ("等陣", "interrupted")]
    )
    def test_each_language_has_its_own(self, sound: str, outcome: str) -> None:
        stage = Stage(VoiceConfig(language="zh-HK"), replies=["我幫你睇一睇先。"], audio_s=3.0)
        stage.ask("你好")
        stage.wait(1.0)
        stage.talk(0.3)
        stage.interim(sound)
        stage.final(sound)
        stage.wait(4.0)
        assert stage.settled[0][1] == outcome

    @pytest.mark.parametrize(
        ("reply", "outcome"),
        [
            ("Your table is at seven on Friday.", "heard"),
            ("Shall I book the table for Friday?", "interrupted"),
            ("The table is booked. Shall I call you a taxi?", "heard"),
        ],
    )
    def test_yes_is_an_answer_once_a_question_was_begun(self, reply: str, outcome: str) -> None:
        stage = Stage(replies=[reply], audio_s=3.0)
        stage.ask()
        stage.wait(1.0)
        stage.talk(0.3)
        stage.interim("yes")
        stage.wait(5.0)
        assert stage.settled[0][1] == outcome

    def test_a_stop_word_stops_whatever_else_is_said(self) -> None:
        stage = speaking()
        stage.talk(0.1)
        stage.interim("okay stop")
        assert stage.settled[-1][1] == "interrupted"

    def test_words_that_come_late_still_stop_the_agent(self) -> None:
        stage = speaking()
        stage.talk(0.3)
        stage.wait(0.5)
        stage.interim("no wait")
        assert stage.settled[-1][1] == "interrupted"

    def test_the_utterance_that_stopped_the_agent_becomes_the_next_turn(self) -> None:
        stage = speaking()
        stage.say("no wait", 0.5)
        stage.wait(0.9)
        assert stage.last(CommitTurn).text == "no wait"
        assert stage.last(CommitTurn).turn_id == 2

    def test_words_of_a_caller_too_quiet_for_the_detector_count(self) -> None:
        stage = speaking(1.5)
        stage.interim("stop it")
        stage.final("stop it")
        stage.wait(0.6)
        assert clears(stage) == 1
        assert stage.last(CommitTurn).text == "stop it"

    def test_the_greeting_can_be_interrupted(self) -> None:
        stage = Stage(start=CallStarted("Welcome to everything."), audio_s=3.0)
        stage.wait(0.5)
        stage.talk(0.3)
        stage.interim("hello who is there")
        assert stage.settled[0][:2] == (0, "interrupted")

    def test_the_playout_is_cleared_even_if_everything_was_sent(self) -> None:
        stage = Stage(replies=["One."], audio_s=1.0)
        stage.ask()
        stage.wait(0.5)
        stage.talk(0.26)
        stage.interim("can you")
        assert isinstance(stage.last(ClearPlayout), ClearPlayout)
        assert stage.of(AbandonTurn) == []

    def test_a_reply_that_is_not_complete_is_abandoned(self) -> None:
        stage = Stage(audio_s=1.0)
        stage.ask()
        turn = stage.last(CommitTurn)
        stage.put(SegmentPlanned(turn.turn_id, turn.guess, 0, "One two."))
        stage.wait(0.5)
        stage.talk(0.3)
        stage.interim("can you")
        assert stage.last(AbandonTurn).turn_id == turn.turn_id

    def test_a_paused_reply_goes_on_when_frames_stop_coming(self) -> None:
        stage = speaking()
        stage.talk(0.3)
        stage.wait(6.0, frames=False)
        assert stage.settled[0][:2] == (1, "heard")

    def test_lasting_sound_of_a_caller_nobody_understands_takes_the_floor(self) -> None:
        stage = Stage(start=CallStarted("Welcome to everything."), audio_s=6.0)
        stage.wait(0.5)
        stage.talk(2.2)
        assert stage.settled[0][:2] == (0, "interrupted")

    def test_lasting_noise_does_not(self) -> None:
        stage = Stage(replies=["One two three four."], audio_s=6.0)
        stage.ask()
        stage.wait(0.8)
        stage.talk(4.0)
        stage.wait(6.0)
        assert stage.settled[0][:2] == (1, "heard")

    def test_a_firm_end_lets_a_paused_reply_go_on(self) -> None:
        stage = speaking()
        stage.talk(0.3)
        stage.put(HangUpRequested("drain"))
        stage.talk(5.0)
        assert stage.settled == [(1, "heard", "One two three four. Five six.")]

    def test_the_next_reply_is_as_loud_as_ever(self) -> None:
        stage = speaking()
        stage.talk(0.1)
        stage.interim("stop")
        stage.wait(0.1)
        stage.say("go on then", 0.4)
        stage.wait(1.5)
        assert set(stage.audio[:1_600]) == {0x01}


class TestCallerWentOn:
    def answered(self) -> Stage:
        """The agent has begun to speak, 60 ms ago."""
        stage = Stage(replies=["One two three."], audio_s=2.0)
        stage.ask("I want a table")
        stage.wait(stage.at(CommitTurn) + 0.06 - stage.now)
        return stage

    def test_speech_in_our_first_moments_takes_the_turn_back(self) -> None:
        stage = self.answered()
        stage.talk(0.08)
        assert stage.last(ClearPlayout) == ClearPlayout()
        assert stage.last(RetractTurn).turn_id == 1
        assert stage.settled == []
        stage.talk(0.4)
        stage.interim("for two")
        stage.final("for two")
        stage.wait(0.6)
        assert stage.last(CommitTurn).text == "I want a table for two"
        assert stage.last(CommitTurn).turn_id == 1
        assert [left.guess for left in stage.of(AbandonTurn)] == [1]

    def test_a_turn_taken_back_is_answered_even_if_no_words_follow(self) -> None:
        stage = self.answered()
        stage.talk(0.14)
        stage.wait(1.5)
        assert [each.guess for each in stage.of(CommitTurn)] == [1, 1]
        assert len(stage.of(BeginTurn)) == len(stage.of(Synthesise)) == 1
        stage.wait(3.0)
        assert stage.settled == [(1, "heard", "One two three.")]
        assert stage.audio == b"\x01" * 16_000

    def test_marks_of_what_was_taken_back_prove_nothing_of_what_is_said_again(self) -> None:
        stage = Stage(audio_s=2.0, speaks=False)
        stage.ask("I want a table")
        turn = stage.last(CommitTurn)
        stage.answer(turn, "Yes.", "One two three four five six.")
        stage.voice(stage.of(Synthesise)[0], 0.1)
        stage.wait(0.04)
        stage.voice(stage.of(Synthesise)[1])
        cleared = [mark.name for mark in stage.of(SendMark)]
        stage.talk(0.14)
        assert stage.of(RetractTurn) != []
        stage.wait(stage.at(RetractTurn) + 1.4 - stage.now)
        assert [each.guess for each in stage.of(CommitTurn)] == [turn.guess, turn.guess]
        for name in cleared:  # a carrier sends them back when it clears, and that can be late
            stage.put(MarkPlayed(name))
        again = [mark.name for mark in stage.of(SendMark)[len(cleared) :]]
        assert cleared != []
        assert set(again).isdisjoint(cleared)

    def test_noise_takes_no_turn_back_for_long_and_not_again(self) -> None:
        stage = self.answered()
        stage.talk(4.0)
        assert [each.turn_id for each in stage.of(RetractTurn)] == [1]
        assert [each.guess for each in stage.of(CommitTurn)] == [1, 1]
        assert stage.at(CommitTurn) - stage.at(RetractTurn) < 1.3
        stage.wait(3.0)
        assert stage.settled == [(1, "heard", "One two three.")]
        assert "sound without words" in stage.last(TurnSettled).reason
        stage.ask("a table for three")
        stage.wait(stage.at(CommitTurn) + 0.06 - stage.now)
        stage.talk(0.3)
        assert len(stage.of(RetractTurn)) == 1, "there is noise on this line"

    @pytest.mark.parametrize("late_s", [0.3, 0.5])
    def test_later_speech_is_a_barge_in(self, late_s: float) -> None:
        stage = self.answered()
        stage.wait(late_s)
        stage.talk(0.1)
        assert (stage.of(RetractTurn) == []) is (late_s > 0.4)

    def test_words_while_thinking_ask_again_with_all_of_them(self) -> None:
        stage = Stage()
        stage.ask("I want a table")
        stage.wait(0.3)
        stage.talk(0.2)
        stage.interim("for two")
        assert stage.last(RetractTurn).turn_id == 1
        stage.talk(0.2)
        stage.final("for two")
        stage.wait(0.8)
        commit = stage.last(CommitTurn)
        assert (commit.turn_id, commit.text) == (1, "I want a table for two")
        assert commit.guess > 1
        assert stage.last(AbandonTurn).guess == 1
        assert stage.of(TurnSettled) == []

    def test_a_late_final_with_new_words_while_thinking_asks_again(self) -> None:
        stage = Stage()
        stage.talk(0.6)
        stage.interim("I want to book")
        stage.wait(0.9)
        assert stage.last(CommitTurn).text == "I want to book"
        stage.final("I want to book a table")
        assert stage.last(CommitTurn).text == "I want to book a table"
        assert stage.last(CommitTurn).turn_id == 1

    def test_a_late_final_of_the_same_words_changes_nothing(self) -> None:
        stage = Stage(replies=["One."])
        stage.talk(0.6)
        stage.interim("I want to book")
        stage.wait(0.9)
        stage.final("I want to book.")
        stage.wait(2.0)
        assert len(stage.of(CommitTurn)) == 1
        assert stage.settled == [(1, "heard", "One.")]

    def test_a_turn_taken_back_settles_once(self) -> None:
        stage = self.answered()
        stage.talk(0.6)
        stage.final("for two")
        stage.wait(5.0)
        assert [turn_id for turn_id, _, _ in stage.settled] == [1]

    def test_a_turn_taken_back_is_settled_if_the_call_ends_first(self) -> None:
        stage = Stage()
        stage.ask("I want a table")
        stage.talk(0.2)
        stage.interim("for two")
        stage.put(HangUpRequested("drain"))
        turn = stage.last(TurnSettled)
        assert (turn.turn_id, turn.outcome, turn.caller_text) == (1, "dropped", "I want a table")


class TestHold:
    def ready_while_sounding(self) -> Stage:
        """The reply is asked for; the caller makes a sound; then the reply comes."""
        stage = Stage()
        stage.ask()
        stage.talk(0.2)
        stage.answer(stage.last(BeginTurn), "One two.")
        return stage

    def test_a_ready_reply_waits_for_the_caller_to_be_quiet(self) -> None:
        stage = self.ready_while_sounding()
        assert stage.of(SendAudio) == []
        stage.wait(0.3)
        assert stage.of(SendAudio) != []

    @pytest.mark.parametrize("spoken_s", [0.3, 0.6, 1.2])
    def test_it_waits_for_the_words_of_what_was_said(self, spoken_s: float) -> None:
        stage = Stage()
        stage.ask()
        stage.talk(spoken_s)
        stage.answer(stage.last(BeginTurn), "One two.")
        stage.wait(0.24)
        assert stage.of(SendAudio) == [], "quiet, and the words are not there yet"
        stage.interim("and one more thing")
        stage.wait(0.1)
        assert stage.last(RetractTurn).turn_id == 1
        assert stage.of(SendAudio) == []

    def test_words_that_do_not_come_are_not_waited_for(self) -> None:
        stage = Stage()
        stage.ask()
        stage.talk(0.6)
        stage.answer(stage.last(BeginTurn), "One two.")
        stage.wait(0.4)
        assert stage.of(SendAudio) != []

    def test_it_does_not_wait_for_ever(self) -> None:
        stage = self.ready_while_sounding()
        stage.talk(1.7)
        assert stage.of(SendAudio) == []
        stage.talk(0.2)
        assert stage.of(SendAudio) != []

    def test_the_wait_ends_when_frames_stop_coming(self) -> None:
        stage = self.ready_while_sounding()
        stage.wait(2.0, frames=False)
        assert stage.of(SendAudio) != []

    def test_a_held_apology_that_cannot_be_said_settles_all_the_same(self) -> None:
        stage = Stage(speaks=False)
        stage.ask()
        turn = stage.last(CommitTurn)
        stage.put(ReplyFailed(turn.turn_id, turn.guess, "busy"))
        stage.talk(0.2)
        stage.put(SpeechFailed(turn.turn_id, turn.guess + 1, 0, "gone"))
        assert stage.settled == [(1, "failed", "")]

    def test_a_held_reply_that_is_taken_back_is_never_heard(self) -> None:
        stage = self.ready_while_sounding()
        stage.interim("and one more thing")
        stage.wait(0.1)
        assert stage.last(RetractTurn).turn_id == 1
        stage.wait(0.3)
        assert stage.of(SendAudio) == []


def test_what_the_caller_says_in_the_window_only_counts_if_he_was_answered() -> None:
    stage = Stage(VoiceConfig(), start=CallStarted("Welcome to everything."), audio_s=3.0)
    stage.wait(0.04)
    stage.talk(0.4)
    stage.interim("hello who is there")
    assert stage.settled[0][1] == "interrupted"
