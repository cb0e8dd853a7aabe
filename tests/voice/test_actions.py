"""What a reply asks for beside words: done when all was heard, and only then."""

from __future__ import annotations

from typing import Any

import pytest

from tests.voice.stage import Stage
from voice.events import (
    AbandonTurn,
    BeginTurn,
    CommitTurn,
    DigitPressed,
    EndCall,
    HangUpRequested,
    SpeechFailed,
    Synthesise,
    TurnSettled,
)
from voice.floor import ACTION_WAITS_S

DIAL = {"verb": "dial", "tool": "sales", "to": "+14155550123"}
DIGITS = {"verb": "digits", "digits": "1#"}


def announced(action: dict[str, Any] = DIAL, *, audio_s: float = 1.0, **more: Any) -> Stage:
    """The caller has asked; the reply with its action plays since the commit, just now."""
    stage = Stage(audio_s=audio_s)
    stage.say("sales please")
    stage.wait(0.36)
    stage.answer(stage.last(BeginTurn), "I am putting you through.", action=action, **more)
    return stage


def outcome(stage: Stage) -> tuple[str, bool]:
    settled = stage.last(TurnSettled)
    return settled.outcome, settled.performs


@pytest.mark.parametrize(("action", "reason"), [(DIAL, "transferring"), (DIGITS, "sending_digits")])
def test_it_is_done_once_the_announcement_was_heard(action: dict[str, Any], reason: str) -> None:
    stage = announced(action)
    stage.wait(0.9)
    assert stage.of(EndCall) == []
    stage.wait(0.4)
    assert stage.last(EndCall) == EndCall(reason, action)
    assert outcome(stage) == ("heard", True)


def test_a_guess_does_nothing_however_complete_it_is() -> None:
    stage = Stage()
    stage.talk(0.6)
    stage.interim("sales")
    stage.wait(0.25)
    guess = stage.last(BeginTurn)
    assert guess.speculative
    stage.answer(guess, "I am putting you through.", action=DIAL)
    stage.talk(0.4)
    stage.interim("sales or rather support")
    stage.wait(0.9)
    assert stage.last(CommitTurn).text == "sales or rather support"
    assert any(left.guess == guess.guess for left in stage.of(AbandonTurn))
    assert stage.of(EndCall) == []


def test_no_wait_takes_it_back() -> None:
    stage = announced(audio_s=2.0)
    stage.wait(1.0)
    stage.say("no wait", 0.5)
    stage.wait(3.0)
    assert stage.of(EndCall) == []
    first = stage.of(TurnSettled)[0]
    assert (first.outcome, first.performs) == ("interrupted", False)
    assert stage.last(BeginTurn).text == "no wait"


def test_a_key_takes_it_back() -> None:
    stage = announced(audio_s=2.0)
    stage.wait(1.0)
    stage.put(DigitPressed("0"))
    assert outcome(stage) == ("interrupted", False)
    stage.wait(3.0)
    assert stage.of(EndCall) == []


def test_a_caller_who_begins_to_speak_at_its_very_end_is_waited_for() -> None:
    stage = announced()
    stage.wait(0.9)
    stage.talk(0.2)  # too short to stop the agent, and over when all is heard
    stage.interim("no")
    assert stage.of(EndCall) == []
    stage.wait(0.2)
    assert stage.of(EndCall) == []
    stage.final("no wait")
    stage.wait(1.0)
    assert stage.of(EndCall) == []
    assert stage.last(BeginTurn).text == "no wait"
    assert stage.of(TurnSettled)[0].performs is False


def test_a_sound_that_is_no_word_only_delays_it() -> None:
    stage = announced()
    stage.wait(0.9)
    stage.talk(0.2)
    stage.wait(ACTION_WAITS_S + 0.2)
    assert stage.last(EndCall).hand_over == DIAL
    assert outcome(stage) == ("heard", True)


@pytest.mark.parametrize("action", [{}, {"verb": "beam"}, {"verb": ["dial"]}, {"tool": "dial"}])
def test_what_another_version_may_want_is_not_done(action: dict[str, Any]) -> None:
    stage = announced(action)
    stage.wait(2.0)
    assert stage.of(EndCall) == []
    assert outcome(stage) == ("heard", False)


def test_to_end_the_call_goes_before_anything_else() -> None:
    stage = announced({"verb": "end"}, hang_up=True)
    stage.wait(1.3)
    assert stage.last(EndCall) == EndCall("agent_hung_up")
    assert outcome(stage) == ("heard", True)


def test_an_announcement_that_could_not_be_said_transfers_nobody() -> None:
    stage = Stage(speaks=False)
    stage.say("sales please")
    stage.wait(0.6)
    stage.answer(stage.last(BeginTurn), "I am putting you through.", action=DIAL)
    order = stage.last(Synthesise)
    stage.put(SpeechFailed(order.turn_id, order.guess, order.index, "refused"))
    stage.voice(stage.last(Synthesise))
    stage.wait(2.0)
    assert outcome(stage) == ("failed", False)
    assert stage.of(EndCall) == []


def test_a_call_that_ends_for_another_reason_is_not_handed_over() -> None:
    stage = announced()
    stage.wait(0.5)
    stage.put(HangUpRequested("time_limit", "Time is up."))
    stage.wait(3.0)
    assert stage.last(EndCall) == EndCall("time_limit")
    assert not any(turn.performs for turn in stage.of(TurnSettled))


def test_a_stream_that_is_lost_performs_nothing() -> None:
    stage = announced()
    stage.wait(0.96)
    stage.now += 1.0
    stage.session.close(now=stage.now)
    stage._drain()
    assert stage.last(TurnSettled).performs is False
    assert stage.of(EndCall) == []
