"""The whole machine: starting, keys, silence, endings, time."""

from __future__ import annotations

import pytest

from tests.voice.stage import Stage
from voice import timeline
from voice.config import EndpointConfig, VoiceConfig
from voice.events import (
    AbandonTurn,
    BeginTurn,
    CallStarted,
    ClearPlayout,
    CommitTurn,
    DigitPressed,
    EndCall,
    HangUpRequested,
    SendAudio,
    Synthesise,
    TurnSettled,
)
from voice.reasons import ended_by, taken_by
from voice.session import VoiceSession

PHRASES = VoiceConfig().phrases


def test_the_greeting_is_spoken_without_asking_the_mind() -> None:
    stage = Stage(start=CallStarted("Welcome."))
    stage.wait(1.5)
    assert stage.of(BeginTurn) == []
    assert stage.last(Synthesise).text == "Welcome."
    assert stage.settled == [(0, "heard", "Welcome.")]
    assert stage.last(TurnSettled).kind == "greeting"


def test_the_first_turn_of_the_caller_is_number_one_after_a_greeting() -> None:
    stage = Stage(start=CallStarted("Welcome."), replies=["Yes."])
    stage.wait(1.5)
    assert stage.ask() == 1


def test_a_resumed_call_counts_on_and_says_so() -> None:
    stage = Stage(start=CallStarted(None, next_turn_id=7, resume_text="I am back."))
    stage.wait(1.5)
    assert stage.last(TurnSettled).kind == "resume"
    assert stage.settled == [(7, "heard", "I am back.")]


def test_a_silent_start_says_nothing() -> None:
    stage = Stage(start=CallStarted(None, next_turn_id=4), replies=["Yes."])
    assert stage.log == []
    assert stage.ask() == 4


def test_a_second_start_is_ignored() -> None:
    stage = Stage(start=CallStarted("Welcome."))
    stage.put(CallStarted("Welcome."))
    assert len(stage.of(Synthesise)) == 1


def test_a_turn_from_words_to_the_last_sample() -> None:
    stage = Stage(replies=["Hello.", "How can I help?"])
    stage.ask("hi")
    stage.wait(3.0)
    assert stage.names() == ["BeginTurn", "CommitTurn", "TurnSettled"]
    turn = stage.last(TurnSettled)
    assert (turn.caller_text, turn.heard_text) == ("hi", "Hello. How can I help?")
    assert turn.reason.startswith("final+silence")


def test_held_audio_goes_out_in_the_very_drain_of_the_commit() -> None:
    stage = Stage(replies=["Hello."])
    stage.ask()
    assert stage.at(BeginTurn) < stage.at(CommitTurn)
    first_audio = next(at for at, output in stage.log if isinstance(output, SendAudio))
    assert first_audio == stage.at(CommitTurn)


def test_the_timeline_holds_loop_times_in_order() -> None:
    stage = Stage(replies=["Hello."])
    stage.talk(0.6)
    speech_ended = stage.now
    stage.interim("hi")
    stage.wait(0.1)
    stage.final("hi")
    stage.wait(2.0)
    stages = stage.last(TurnSettled).timeline
    assert stages[timeline.SPEECH_ENDED] == pytest.approx(speech_ended, abs=0.021)
    assert stages[timeline.EAGER] == pytest.approx(speech_ended + 0.2, abs=0.021)
    assert stages[timeline.FINAL_TRANSCRIPT] == pytest.approx(speech_ended + 0.1, abs=0.021)
    assert stages[timeline.COMMITTED] == pytest.approx(speech_ended + 0.56, abs=0.021)
    assert stages[timeline.SPEAK_REQUESTED] == stages[timeline.EAGER]
    assert stages[timeline.SPEAK_FIRST_BYTE] == stages[timeline.EAGER]
    assert stages[timeline.FIRST_FRAME_OUT] == stages[timeline.COMMITTED]
    assert stages[timeline.FIRST_FRAME_AUDIBLE] == stages[timeline.COMMITTED]


class TestKeys:
    def test_a_pause_completes_an_entry(self) -> None:
        stage = Stage()
        for digit in "1234":
            stage.put(DigitPressed(digit))
            stage.wait(0.3)
        assert stage.of(BeginTurn) == []
        stage.wait(1.3)
        begun = stage.last(BeginTurn)
        assert (begun.kind, begun.text, begun.speculative) == ("digits", "1234", False)
        assert stage.names() == ["BeginTurn", "CommitTurn"]

    def test_the_hash_key_completes_it_at_once(self) -> None:
        stage = Stage()
        for digit in "42#":
            stage.put(DigitPressed(digit))
        assert stage.last(CommitTurn).text == "42"

    def test_a_key_stops_the_agent(self) -> None:
        stage = Stage(replies=["One two three four."], audio_s=3.0)
        stage.ask()
        stage.wait(0.5)
        stage.put(DigitPressed("1"))
        assert isinstance(stage.log[-2][1], ClearPlayout)
        assert stage.last(TurnSettled).outcome == "interrupted"
        assert ended_by(stage.last(TurnSettled).reason) == "key pressed"
        assert "silence" in taken_by(stage.last(TurnSettled).reason)

    def test_a_key_while_thinking_settles_the_turn(self) -> None:
        stage = Stage()
        stage.ask("hello")
        stage.put(DigitPressed("1"))
        assert stage.settled == [(1, "interrupted", "")]
        assert stage.last(AbandonTurn).turn_id == 1

    def test_words_said_before_the_keys_belong_to_the_entry(self) -> None:
        stage = Stage()
        stage.say("my number is")
        stage.put(DigitPressed("1"))
        stage.wait(1.0)
        stage.put(DigitPressed("2"))
        stage.put(DigitPressed("#"))
        stage.wait(2.0)
        assert stage.last(CommitTurn).text == "my number is 12"
        assert len(stage.of(CommitTurn)) == 1

    def test_what_no_telephone_can_send_is_ignored(self) -> None:
        stage = Stage()
        stage.put(DigitPressed("x"))
        stage.put(DigitPressed(""))
        stage.put(DigitPressed("12"))
        stage.wait(3.0)
        assert stage.log == []


class TestSilence:
    def test_silence_is_asked_about_once_and_then_ends_the_call(self) -> None:
        stage = Stage()
        stage.wait(39.0)
        assert [each.text for each in stage.of(Synthesise)] == [PHRASES.still_there]
        assert stage.last(TurnSettled).kind == "silence"
        stage.wait(3.0)
        assert [each.text for each in stage.of(Synthesise)][1:] == [PHRASES.goodbye]
        assert stage.last(EndCall).reason == "idle"
        assert stage.settled[-1] == (2, "heard", PHRASES.goodbye)

    def test_silence_is_measured_when_no_frame_comes_either(self) -> None:
        stage = Stage()
        stage.wait(45.0, frames=False)
        assert stage.last(EndCall).reason == "idle"

    @pytest.mark.parametrize("audio_s", [0.3, 0.7])
    def test_words_that_the_recogniser_takes_back_are_no_reason_to_wait(
        self, audio_s: float
    ) -> None:
        stage = Stage()
        stage.talk(audio_s)
        stage.interim("oh")
        stage.wait(0.3)
        assert stage.of(BeginTurn), "a reply is prepared for them"
        stage.final("")
        stage.wait(45.0)
        assert stage.of(AbandonTurn)[0].guess == stage.of(BeginTurn)[0].guess
        spoken = [each.text for each in stage.of(Synthesise)]
        assert spoken[-2:] == [PHRASES.still_there, PHRASES.goodbye]
        assert stage.last(EndCall).reason == "idle"

    def test_speech_starts_the_count_anew(self) -> None:
        stage = Stage()
        stage.wait(11.0)
        stage.talk(0.2)
        stage.wait(11.0)
        assert stage.of(Synthesise) == []

    def test_a_caller_who_speaks_during_the_goodbye_keeps_the_call(self) -> None:
        stage = Stage(audio_s=3.0)
        stage.wait(40.5)
        stage.say("wait I am here", 0.8)
        stage.wait(2.0)
        assert stage.of(EndCall) == []
        assert stage.last(CommitTurn).text == "wait I am here"


class TestEndings:
    def test_a_request_says_its_farewell_first(self) -> None:
        stage = Stage()
        stage.put(HangUpRequested("max_duration", "Time is up."))
        assert stage.of(EndCall) == []
        stage.wait(1.1)
        assert stage.last(EndCall).reason == "max_duration"
        assert stage.settled == [(1, "heard", "Time is up.")]

    def test_a_request_without_farewell_ends_at_once(self) -> None:
        stage = Stage()
        assert stage.put(HangUpRequested("drain")) == [EndCall("drain")]

    def test_a_request_lets_the_running_reply_finish(self) -> None:
        stage = Stage(replies=["One two three."])
        stage.ask()
        stage.wait(0.2)
        stage.put(HangUpRequested("drain", "Bye."))
        stage.wait(3.0)
        assert [heard for _, _, heard in stage.settled] == ["One two three.", "Bye."]
        assert stage.last(EndCall).reason == "drain"

    def test_a_request_drops_a_reply_that_is_still_silent(self) -> None:
        stage = Stage()
        stage.ask()
        stage.put(HangUpRequested("drain"))
        assert stage.settled == [(1, "dropped", "")]
        assert stage.last(EndCall).reason == "drain"

    def test_a_firm_end_does_not_listen_any_more(self) -> None:
        stage = Stage(audio_s=3.0)
        stage.put(HangUpRequested("drain", "Goodbye to all of you."))
        stage.wait(0.5)
        stage.say("no wait", 1.0)
        stage.wait(3.0)
        assert stage.of(ClearPlayout) == []
        assert stage.settled == [(1, "heard", "Goodbye to all of you.")]

    def test_the_mind_hangs_up_after_its_last_words(self) -> None:
        stage = Stage()
        stage.say("bye")
        stage.wait(0.6)
        stage.answer(stage.last(BeginTurn), "Bye bye.", hang_up=True)
        stage.wait(0.9)
        assert stage.of(EndCall) == []
        stage.wait(0.3)
        assert stage.last(EndCall).reason == "agent_hung_up"

    def test_a_lost_stream_settles_what_was_heard(self) -> None:
        stage = Stage(replies=["One two three four."], audio_s=2.0)
        stage.ask()
        stage.wait(1.2)
        stage.session.close(now=stage.now)
        stage.put(CallStarted("late"))
        turn = stage.last(TurnSettled)
        assert (turn.outcome, turn.heard_text) == ("interrupted", "One two")
        assert stage.session.next_deadline() is None

    def test_after_the_end_nothing_happens(self) -> None:
        stage = Stage()
        stage.put(HangUpRequested("drain"))
        before = len(stage.log)
        stage.say("hello")
        stage.wait(60.0)
        assert len(stage.log) == before


def test_a_new_session_asks_for_nothing() -> None:
    session = VoiceSession(VoiceConfig())
    assert session.next_output() is None
    assert session.next_deadline() is None


def test_a_guess_is_made_as_late_as_replies_are_quick() -> None:
    stage = Stage(
        VoiceConfig(endpoint=EndpointConfig(commit_silence_s=1.5)), replies=["Fine."], audio_s=0.2
    )
    ahead = []
    for _ in range(15):
        stage.say("a table tonight")
        stage.wait(4.0)
        ahead.append(stage.at(CommitTurn) - stage.at(BeginTurn))
    assert ahead[0] == pytest.approx(0.6, abs=0.03), "what is usual"
    assert 0.2 < ahead[-1] < 0.4, "here they are there at once"
