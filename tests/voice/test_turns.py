"""Guesses, commits and failures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.voice.stage import Stage
from voice.config import VoiceConfig
from voice.events import (
    AbandonTurn,
    BeginTurn,
    CallStarted,
    CommitTurn,
    EndCall,
    HangUpRequested,
    ReplyFailed,
    ReplyFinished,
    SegmentPlanned,
    SendAudio,
    SpeechArrived,
    SpeechFailed,
    SpeechFinished,
    Synthesise,
    TurnSettled,
)
from voice.speculation import SpeculationConfig

CONFIG = VoiceConfig()
PHRASES = CONFIG.phrases


class TestGuesses:
    def test_a_guess_is_prepared_but_not_played(self) -> None:
        stage = Stage(replies=["Hello.", "More."])
        stage.say("hi")
        stage.wait(0.2)
        assert stage.last(BeginTurn).speculative
        assert [each.index for each in stage.of(Synthesise)] == [0]
        assert stage.of(SendAudio) == []

    @pytest.mark.parametrize("final", ["Hi there!", "HI THERE", "hi  there."])
    def test_the_same_words_in_another_spelling_are_a_hit(self, final: str) -> None:
        stage = Stage(replies=["Hello."])
        stage.talk(0.6)
        stage.interim("hi there")
        stage.wait(0.4)
        stage.final(final)
        stage.wait(0.3)
        assert stage.names() == ["BeginTurn", "CommitTurn"]
        assert stage.last(CommitTurn).text == final

    def test_other_words_are_another_guess(self) -> None:
        stage = Stage(replies=["Hello."])
        stage.talk(0.6)
        stage.interim("I want to cook")
        stage.wait(0.3)
        stage.final("I want to book")
        stage.wait(0.4)
        assert stage.names() == ["BeginTurn", "BeginTurn", "CommitTurn", "AbandonTurn"]
        assert [(each.turn_id, each.guess) for each in stage.of(BeginTurn)] == [(1, 1), (1, 2)]
        assert stage.last(CommitTurn).guess == 2
        assert stage.last(AbandonTurn).guess == 1

    def test_a_caller_who_goes_on_abandons_the_guess(self) -> None:
        stage = Stage(replies=["Hello."])
        stage.talk(0.6)
        stage.interim("a table")
        stage.wait(0.3)
        stage.talk(0.4)
        stage.final("a table tonight")
        stage.wait(0.7)
        assert stage.names() == ["BeginTurn", "BeginTurn", "CommitTurn", "AbandonTurn"]
        assert stage.last(CommitTurn).text == "a table tonight"
        assert stage.last(AbandonTurn).guess == 1

    def test_nothing_of_an_abandoned_guess_is_sent(self) -> None:
        stage = Stage(speaks=False)
        stage.talk(0.6)
        stage.interim("a table")
        stage.wait(0.3)
        stale = stage.last(BeginTurn)
        stage.answer(stale, "Stale.")
        stage.talk(0.4)
        stage.final("a table tonight")
        stage.wait(0.7)
        stage.voice(Synthesise(stale.turn_id, stale.guess, 0, "Stale."))
        stage.put(SegmentPlanned(stale.turn_id, stale.guess, 1, "Staler."))
        stage.wait(0.5)
        assert stage.of(SendAudio) == []
        assert [each.text for each in stage.of(Synthesise)] == ["Stale."]

    def test_guesses_at_one_turn_are_bounded(self) -> None:
        stage = Stage(replace(CONFIG, speculation=SpeculationConfig(max_guesses=2)))
        for words in ("one", "one two", "one two three", "one two three four"):
            stage.talk(0.3)
            stage.interim(words)
            stage.wait(0.3)
        assert len(stage.of(BeginTurn)) == 2
        stage.final("one two three four")
        stage.wait(0.5)
        assert stage.last(CommitTurn).text == "one two three four"

    def test_without_speculation_the_mind_is_asked_at_commit(self) -> None:
        stage = Stage(replace(CONFIG, speculate=False), replies=["Hello."])
        stage.ask("hi")
        assert stage.at(BeginTurn) == stage.at(CommitTurn)
        assert not stage.last(BeginTurn).speculative

    def test_a_guess_that_fails_is_asked_again_at_commit(self) -> None:
        stage = Stage()
        stage.say("hi")
        stage.wait(0.2)
        guess = stage.last(BeginTurn)
        stage.put(ReplyFailed(guess.turn_id, guess.guess, "busy"))
        stage.wait(0.5)
        assert stage.names() == ["BeginTurn", "AbandonTurn", "BeginTurn", "CommitTurn"]
        assert not stage.last(BeginTurn).speculative


class TestSegments:
    def test_at_most_two_segments_are_synthesised_ahead(self) -> None:
        stage = Stage(speaks=False, replies=["A.", "B.", "C.", "D.", "E."])
        stage.ask()
        assert [each.text for each in stage.of(Synthesise)] == ["A.", "B.", "C."]
        stage.voice(stage.of(Synthesise)[0])
        stage.wait(0.9)
        assert stage.last(Synthesise).text == "D."

    def test_segments_are_played_in_order_whatever_comes_first(self) -> None:
        stage = Stage(speaks=False, replies=["A.", "B."])
        stage.ask()
        first, second = stage.of(Synthesise)
        stage.voice(second, 0.2)
        assert stage.of(SendAudio) == []
        stage.voice(first, 0.2)
        stage.wait(1.0)
        assert stage.audio == b"\x01" * 1600 + b"\x02" * 1600

    def test_segments_out_of_order_or_twice_are_ignored(self) -> None:
        stage = Stage()
        stage.ask()
        turn = stage.last(CommitTurn)
        for index, text in ((1, "B."), (0, "A."), (0, "A."), (1, "B.")):
            stage.put(SegmentPlanned(turn.turn_id, turn.guess, index, text))
        assert [each.text for each in stage.of(Synthesise)] == ["A.", "B."]

    def test_an_empty_reply_is_settled_at_once(self) -> None:
        stage = Stage()
        stage.ask()
        stage.answer(stage.last(CommitTurn))
        assert stage.settled == [(1, "heard", "")]

    def test_a_blank_segment_needs_no_voice(self) -> None:
        stage = Stage(replies=["A.", " ", "B."])
        stage.ask()
        stage.wait(3.0)
        assert [each.text for each in stage.of(Synthesise)] == ["A.", "B."]
        assert stage.settled == [(1, "heard", "A. B.")]


class TestFailures:
    def test_a_mind_that_fails_becomes_an_apology(self) -> None:
        stage = Stage()
        stage.ask("hi")
        turn = stage.last(CommitTurn)
        stage.put(ReplyFailed(turn.turn_id, turn.guess, "busy"))
        stage.wait(1.5)
        assert stage.last(Synthesise).text == PHRASES.apology
        assert stage.last(Synthesise).guess == turn.guess + 1
        settled = stage.last(TurnSettled)
        assert (settled.outcome, settled.reason) == ("failed", "busy")
        assert settled.heard_text == PHRASES.apology

    def test_a_voice_that_fails_at_the_first_segment_becomes_an_apology(self) -> None:
        stage = Stage(speaks=False, replies=["A.", "B."])
        stage.ask()
        turn = stage.last(CommitTurn)
        stage.put(SpeechFailed(turn.turn_id, turn.guess, 0, "gone"))
        assert stage.last(AbandonTurn).guess == turn.guess
        assert stage.last(Synthesise).text == PHRASES.apology

    def test_segments_planned_before_a_failure_are_still_said(self) -> None:
        stage = Stage()
        stage.ask()
        turn = stage.last(CommitTurn)
        stage.put(SegmentPlanned(turn.turn_id, turn.guess, 0, "Half of it."))
        stage.put(ReplyFailed(turn.turn_id, turn.guess, "cut off"))
        stage.wait(1.5)
        assert stage.settled == [(1, "failed", "Half of it.")]

    def test_a_voice_that_fails_in_the_middle_keeps_what_was_said(self) -> None:
        stage = Stage(speaks=False, replies=["A.", "B.", "C."])
        stage.ask()
        stage.voice(stage.of(Synthesise)[0])
        stage.wait(0.3)
        turn = stage.last(CommitTurn)
        stage.put(SpeechFailed(turn.turn_id, turn.guess, 1, "gone"))
        stage.wait(1.5)
        assert stage.settled == [(1, "failed", "A.")]
        assert stage.last(AbandonTurn).guess == turn.guess

    def test_an_earlier_segment_is_awaited_when_a_later_one_fails(self) -> None:
        stage = Stage(speaks=False, replies=["A.", "B."])
        stage.ask()
        turn = stage.last(CommitTurn)
        stage.put(SpeechFailed(turn.turn_id, turn.guess, 1, "gone"))
        stage.voice(stage.of(Synthesise)[0])
        stage.wait(1.5)
        assert stage.settled == [(1, "failed", "A.")]

    def test_a_voice_that_sends_nothing_has_failed(self) -> None:
        stage = Stage(speaks=False, replies=["A."])
        stage.ask()
        turn = stage.last(CommitTurn)
        stage.put(SpeechFinished(turn.turn_id, turn.guess, 0))
        assert stage.last(Synthesise).text == PHRASES.apology

    def test_an_apology_that_cannot_be_said_settles_the_turn(self) -> None:
        stage = Stage(speaks=False)
        stage.ask()
        turn = stage.last(CommitTurn)
        stage.put(ReplyFailed(turn.turn_id, turn.guess, "busy"))
        apology = stage.last(Synthesise)
        stage.put(SpeechFailed(apology.turn_id, apology.guess, 0, "gone too"))
        assert stage.settled == [(1, "failed", "")]

    def test_a_reply_that_never_comes_fails(self) -> None:
        stage = Stage()
        stage.ask()
        stage.wait(10.1)
        assert stage.last(Synthesise).text == PHRASES.apology

    def test_a_voice_that_stalls_is_cut_off(self) -> None:
        stage = Stage(speaks=False, replies=["One two three four.", "B."])
        stage.ask()
        turn = stage.last(CommitTurn)
        stage.put(SpeechArrived(turn.turn_id, turn.guess, 0, b"\x01" * 4000))
        stage.wait(11.0)
        assert [outcome for _, outcome, _ in stage.settled] == ["failed"]

    def test_three_failures_in_a_row_end_the_call(self) -> None:
        stage = Stage()
        for _ in range(3):
            stage.ask()
            turn = stage.last(CommitTurn)
            stage.put(ReplyFailed(turn.turn_id, turn.guess, "busy"))
            stage.wait(1.5)
        spoken = [each.text for each in stage.of(Synthesise)]
        assert spoken == [PHRASES.apology, PHRASES.apology, PHRASES.trouble]
        assert stage.last(EndCall).reason == "provider_trouble"

    def test_a_third_failure_in_the_middle_says_so_too(self) -> None:
        stage = Stage(replace(CONFIG, max_failures=1))
        stage.ask()
        turn = stage.last(CommitTurn)
        stage.put(SegmentPlanned(turn.turn_id, turn.guess, 0, "Half."))
        stage.put(ReplyFailed(turn.turn_id, turn.guess, "cut off"))
        stage.wait(3.0)
        assert stage.last(Synthesise).text == PHRASES.trouble
        assert stage.last(EndCall).reason == "provider_trouble"

    @pytest.mark.parametrize("requested", [False, True])
    def test_a_call_that_cannot_be_served_is_handed_over(self, requested: bool) -> None:
        dial = {"verb": "dial", "tool": "people", "to": "+14155550100"}
        stage = Stage(replace(CONFIG, max_failures=1, trouble_action=dial))
        if requested:
            stage.put(HangUpRequested("recogniser_lost", PHRASES.trouble, is_trouble=True))
        else:
            stage.ask()
            turn = stage.last(CommitTurn)
            stage.put(ReplyFailed(turn.turn_id, turn.guess, "busy"))
        stage.wait(3.0)
        assert [each.text for each in stage.of(Synthesise)] == [PHRASES.trouble]
        reason = "recogniser_lost" if requested else "provider_trouble"
        assert stage.last(EndCall) == EndCall(reason, dial)

    def test_an_end_for_another_reason_hands_nothing_over(self) -> None:
        dial = {"verb": "dial", "tool": "people", "to": "+14155550100"}
        stage = Stage(replace(CONFIG, trouble_action=dial))
        stage.put(HangUpRequested("time_limit", "Bye."))
        stage.wait(3.0)
        assert stage.last(EndCall) == EndCall("time_limit", {})

    def test_a_turn_that_succeeds_resets_the_count(self) -> None:
        stage = Stage()
        for fails in (True, True, False, True, True):
            stage.ask()
            turn = stage.last(CommitTurn)
            if fails:
                stage.put(ReplyFailed(turn.turn_id, turn.guess, "busy"))
            else:
                stage.answer(turn, "Fine.")
            stage.wait(1.5)
        assert stage.of(EndCall) == []

    def test_a_greeting_that_cannot_be_said_is_no_reason_to_apologise(self) -> None:
        stage = Stage(speaks=False, start=CallStarted("Welcome."))
        stage.put(SpeechFailed(0, 1, 0, "gone"))
        assert stage.settled == [(0, "failed", "")]
        assert len(stage.of(Synthesise)) == 1


def test_late_events_of_a_settled_turn_change_nothing() -> None:
    stage = Stage(replies=["A."])
    stage.ask()
    stage.wait(1.5)
    turn = stage.last(CommitTurn)
    before = len(stage.log)
    stage.put(ReplyFinished(turn.turn_id, turn.guess))
    stage.put(SpeechArrived(turn.turn_id, turn.guess, 0, b"\x01" * 800))
    stage.put(SpeechFinished(turn.turn_id, turn.guess, 0))
    stage.put(SpeechFailed(turn.turn_id, turn.guess, 0, "late"))
    assert len(stage.log) == before
