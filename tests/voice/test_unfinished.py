"""What a caller was saying when his stream was lost, on the stream that comes after it."""

from __future__ import annotations

import pytest

from tests.voice.stage import Stage
from voice.config import VoiceConfig
from voice.events import (
    BeginTurn,
    CallStarted,
    ClearPlayout,
    CommitTurn,
    DigitPressed,
    EndCall,
    TurnSettled,
)

BACK = "I am with you again."


def stage(unfinished: str = "do you have a table", **options: object) -> Stage:
    start = CallStarted(None, 4, resume_text=BACK, unfinished=unfinished)
    return Stage(start=start, replies=["Yes."], **options)  # type: ignore[arg-type]


def asked(of: Stage) -> list[str]:
    """What the turns that are over, or taken last, were about."""
    return [turn.text for turn in of.of(CommitTurn)]


def test_who_says_no_more_is_answered_after_the_usual_silence() -> None:
    here = stage()
    here.wait(1.02)  # the first words are heard: one second
    assert [turn.kind for turn in here.of(TurnSettled)] == ["resume"]
    heard_at = here.at(TurnSettled)
    here.wait(3.0)
    assert here.settled == [(4, "heard", BACK), (5, "heard", "Yes.")]
    assert here.last(TurnSettled).caller_text == "do you have a table"
    assert here.of(ClearPlayout) == [], "the first words are said to their end"
    assert here.last(BeginTurn).speculative, "the reply is prepared meanwhile"
    usual = Stage(replies=["Yes."])
    usual.say("do you have a table")
    spoke_at = usual.now - 0.1
    usual.wait(3.0)
    assert here.at(CommitTurn) - heard_at == pytest.approx(
        usual.at(CommitTurn) - spoke_at, abs=0.25
    )


def test_who_goes_on_is_answered_once_with_all_of_it() -> None:
    here = stage()
    here.wait(1.2)
    here.say("for two people")
    here.wait(3.0)
    assert here.last(TurnSettled).caller_text == "do you have a table for two people"
    assert asked(here) == ["do you have a table for two people"]


def test_who_says_it_again_has_said_it_once() -> None:
    here = stage()
    here.wait(1.2)
    here.say("do you have a table")
    here.wait(3.0)
    assert here.last(TurnSettled).caller_text == "do you have a table"
    assert len(here.of(TurnSettled)) == 2


@pytest.mark.parametrize(
    ("says", "whole"),
    [
        ("for two people", "do you have a table for two people"),
        ("do you have a table for two", "do you have a table for two"),
    ],
)
def test_who_speaks_over_the_first_words_goes_on_too(says: str, whole: str) -> None:
    here = stage()
    here.wait(0.3)
    here.say(says, seconds=1.0)
    here.wait(3.0)
    first, second = here.of(TurnSettled)
    assert (first.kind, first.outcome) == ("resume", "interrupted")
    assert (second.caller_text, second.outcome) == (whole, "heard")


def test_words_that_come_while_the_first_words_are_held_go_on_too() -> None:
    """Spoken before a frame of ours was heard, and taken at once: no frame is in between."""
    here = stage()
    here.wait(0.1)
    here.final("for two people please")
    here.wait(3.0)
    assert [turn.caller_text for turn in here.of(TurnSettled)] == [
        "",
        "do you have a table for two people please",
    ]


def test_a_listeners_sound_takes_nothing_away() -> None:
    here = stage()
    here.wait(0.3)
    here.say("uh-huh", seconds=0.2)
    here.wait(3.0)
    assert here.last(TurnSettled).caller_text.startswith("do you have a table")


@pytest.mark.parametrize("says", ["do you have a table", "what do you have"])
def test_who_says_it_again_while_it_is_thought_about_has_said_it_once(says: str) -> None:
    here = stage()
    here.replies = None
    here.wait(2.5)
    assert asked(here) == ["do you have a table"]
    here.say(says)
    here.wait(1.5)
    again = says.startswith("do you")
    expected = "do you have a table" if again else "do you have a table what do you have"
    assert asked(here)[-1] == expected


def test_the_same_holds_for_what_was_asked_before() -> None:
    here = Stage(start=CallStarted(None, 4, resume_text=BACK, unanswered="do you have a table"))
    here.wait(0.3)
    here.say("do you have a table for two")
    here.wait(1.5)
    assert asked(here)[-1] == "do you have a table for two"


def test_keys_belong_to_it() -> None:
    here = stage("my number is")
    here.wait(1.2)
    for digit in "42#":
        here.put(DigitPressed(digit))
    here.wait(3.0)
    assert here.last(TurnSettled).caller_text == "my number is 42"


def test_a_call_does_not_move_before_it_is_answered() -> None:
    here = stage()
    while not here.of(CommitTurn):
        assert not here.session.is_between_turns
        here.wait(0.02)
        assert here.now < 105.0
    here.wait(3.0)
    assert here.session.is_between_turns


def test_an_agent_without_first_words_answers_it_too() -> None:
    start = CallStarted(None, 4, unfinished="do you have a table")
    here = Stage(start=start, replies=["Yes."])
    here.wait(3.0)
    assert here.settled == [(4, "heard", "Yes.")]


@pytest.mark.parametrize("unfinished", ["", "...", "  "])
def test_nothing_is_made_of_nothing(unfinished: str) -> None:
    here = stage(unfinished)
    here.wait(4.0)
    assert here.settled == [(4, "heard", BACK)]
    assert here.session.is_between_turns


def test_without_frames_the_loop_tells_the_time() -> None:
    here = stage()
    here.wait(6.0, frames=False)
    assert here.last(TurnSettled).caller_text == "do you have a table"


def test_it_is_taken_in_noise_as_well() -> None:
    here = stage()
    here.wait(1.2)
    here.talk(VoiceConfig().endpoint.stuck_words_s + 1.0)
    assert asked(here)[:1] == ["do you have a table"]
    assert here.of(EndCall) == []
