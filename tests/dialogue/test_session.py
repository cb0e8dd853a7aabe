"""The mind of one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from dialogue.agent import Agent, Phrases
from dialogue.errors import EmptyReply, StaleEpoch, StaleTurn
from dialogue.ports import ThinkRequest
from dialogue.session import (
    MAX_GUESSES_A_TURN,
    CallIdentity,
    DialogueSession,
    FixedReply,
    ReplyEnd,
)

PHRASES = Phrases()
AGENT = Agent(
    "t", "a", "v1", "en-US", "You are Ann.", "Hello!", "voice", model="m-1", max_reply_tokens=90
)
CALL = CallIdentity("t", "a", "v1", "call-1", "CA1", epoch=(0, 10))


@dataclass(frozen=True)
class Settled:
    turn_id: int
    kind: str = "caller"
    caller_text: str = "q"
    heard_text: str = "a"
    outcome: str = "heard"
    tools: tuple[dict[str, Any], ...] = ()


def session(*turns: Settled) -> DialogueSession[Settled]:
    made: DialogueSession[Settled] = DialogueSession(AGENT, CALL)
    made.settle(turns)
    return made


def test_a_turn_becomes_a_question_with_the_agents_settings() -> None:
    request = session().begin_turn(1, 1, "caller", "Hi")
    assert isinstance(request, ThinkRequest)
    assert (request.call_id, request.model, request.max_tokens) == ("call-1", "m-1", 90)
    assert [message.role for message in request.messages] == ["system", "user"]
    assert request.messages[-1].text == "Hi"


@pytest.mark.parametrize(
    ("kind", "text", "reply"),
    [
        ("silence", "", PHRASES.still_there),
        ("resume", "", PHRASES.resume),
        ("greeting", "", "Hello!"),
        ("caller", "  ", PHRASES.apology),
        ("digits", "", PHRASES.apology),
        ("of_a_later_version", "", PHRASES.apology),
    ],
)
def test_what_needs_no_thinking_gets_a_fixed_phrase(kind: str, text: str, reply: str) -> None:
    assert session().begin_turn(1, 1, kind, text) == FixedReply(reply)


@pytest.mark.parametrize("kind", ["digits", "resume", "silence", "of_a_later_version"])
def test_words_and_keys_are_always_thought_about(kind: str) -> None:
    assert isinstance(session().begin_turn(1, 1, kind, "12"), ThinkRequest)


def test_deltas_become_segments_without_markup() -> None:
    mind = session()
    mind.begin_turn(1, 1, "caller", "Hi")
    out = [mind.feed(1, 1, delta) for delta in ["**Of co", "urse**, I c", "an. ", "Bye"]]
    assert out == [[], ["Of course,"], ["I can."], []]
    assert mind.finish(1, 1) == ReplyEnd(("Bye",), hang_up=False)
    assert mind.alive == ()


@pytest.mark.parametrize("answer", ["", "  \n", "**", "<break/>", "```\n```", "😊", "*sighs*"])
def test_an_answer_without_words_is_a_typed_failure(answer: str) -> None:
    mind = session()
    mind.begin_turn(1, 1, "caller", "Hi")
    mind.feed(1, 1, answer)
    with pytest.raises(EmptyReply) as caught:
        mind.finish(1, 1)
    assert caught.value.raw_chars == len(answer)
    assert mind.alive == ()


def test_the_agent_may_hang_up_and_never_does_so_without_a_word() -> None:
    mind = session()
    mind.begin_turn(1, 1, "caller", "Bye")
    mind.feed(1, 1, "<end_call>")
    assert mind.finish(1, 1) == ReplyEnd((PHRASES.goodbye,), hang_up=True)


def test_some_guesses_live_side_by_side_and_one_too_many_ends_the_oldest() -> None:
    mind = session()
    for guess in range(1, MAX_GUESSES_A_TURN + 1):
        mind.begin_turn(1, guess, "caller", f"text {guess}")
    assert len(mind.alive) == MAX_GUESSES_A_TURN
    mind.begin_turn(1, 9, "caller", "text 9")
    assert len(mind.alive) == MAX_GUESSES_A_TURN
    assert (1, 1) not in mind.alive


def test_a_guess_knows_nothing_of_another_and_leaves_nothing_behind() -> None:
    mind = session(Settled(1))
    first = mind.begin_turn(2, 1, "caller", "I want")
    mind.feed(2, 1, "You want ")
    second = mind.begin_turn(2, 2, "caller", "I want tea")
    mind.feed(2, 2, "Tea it is. ")
    mind.feed(2, 1, "what? ")
    assert isinstance(first, ThinkRequest)
    assert isinstance(second, ThinkRequest)
    assert first.messages[:-1] == second.messages[:-1]
    mind.abandon(2, 1)
    assert mind.finish(2, 2) == ReplyEnd((), hang_up=False)
    fresh = mind.begin_turn(2, 3, "caller", "I want tea")
    assert isinstance(fresh, ThinkRequest)
    assert fresh.messages == second.messages
    assert mind.turn_log == (Settled(1),)


def test_a_guess_at_the_next_turn_leaves_the_running_one_alone() -> None:
    mind = session()
    mind.begin_turn(1, 1, "caller", "one")
    mind.begin_turn(2, 1, "caller", "two")
    assert mind.alive == ((1, 1), (2, 1))


def test_what_arrives_for_a_dead_guess_is_dropped() -> None:
    mind = session()
    mind.begin_turn(1, 1, "caller", "Hi")
    mind.abandon(1, 1)
    assert mind.feed(1, 1, "Of course, I can.") == []
    assert mind.finish(1, 1) is None


def test_an_abandoned_guess_stays_dead_even_if_it_begins_later() -> None:
    mind = session()
    mind.abandon(1, 1)
    with pytest.raises(StaleTurn):
        mind.begin_turn(1, 1, "caller", "Hi")
    assert isinstance(mind.begin_turn(1, 2, "caller", "Hi"), ThinkRequest)


def test_a_failed_guess_may_be_begun_again() -> None:
    mind = session()
    mind.begin_turn(1, 1, "caller", "Hi")
    mind.fail(1, 1)
    assert isinstance(mind.begin_turn(1, 1, "caller", "Hi"), ThinkRequest)


def test_beginning_again_forgets_the_former_text() -> None:
    mind = session()
    mind.begin_turn(1, 1, "caller", "Hi")
    mind.feed(1, 1, "half a ")
    mind.begin_turn(1, 1, "caller", "Hi")
    mind.feed(1, 1, "Whole.")
    assert mind.finish(1, 1) == ReplyEnd(("Whole.",), hang_up=False)


def test_a_settled_turn_ends_its_guesses_and_cannot_begin() -> None:
    mind = session()
    mind.begin_turn(1, 1, "caller", "one")
    mind.begin_turn(2, 1, "caller", "two")
    assert mind.settle([Settled(1)]) == [Settled(1)]
    assert mind.alive == ((2, 1),)
    with pytest.raises(StaleTurn):
        mind.begin_turn(1, 2, "caller", "again")


def test_settling_twice_changes_nothing() -> None:
    mind = session(Settled(1))
    assert mind.settle([Settled(1, heard_text="other")]) == []
    assert mind.turn_log == (Settled(1),)


def test_the_greeting_is_said_only_into_an_empty_call() -> None:
    assert session().greeting == "Hello!"
    assert session(Settled(0, "greeting")).greeting is None


def test_a_session_made_from_a_turn_log_continues_where_the_old_one_stood() -> None:
    old = session(Settled(0, "greeting", "", "Hello!"))
    for turn_id in range(1, 60):
        old.settle([Settled(turn_id, caller_text=f"q{turn_id}", heard_text=f"a{turn_id}")])
    new = session(*reversed(old.turn_log))
    assert new.begin_turn(60, 1, "caller", "Hi") == old.begin_turn(60, 1, "caller", "Hi")
    assert new.turn_log == old.turn_log


def test_an_older_epoch_is_refused_and_a_newer_one_takes_over() -> None:
    mind = session()
    mind.begin_turn(1, 1, "caller", "Hi")
    assert mind.own((0, 10)) is False
    assert mind.own((1, 5)) is True
    assert mind.call.epoch == (1, 5)
    assert mind.alive == ()
    with pytest.raises(StaleEpoch):
        mind.own((0, 11))
    assert isinstance(mind.begin_turn(1, 1, "caller", "Hi"), ThinkRequest)


def test_known_words_end_a_reply_in_the_segments_that_the_model_would_have_had() -> None:
    text = "Of course, we are open. On Sundays we close at five. <end_call>"
    made = session()
    made.begin_turn(1, 1, "caller", "Hi")
    made.begin_turn(1, 2, "caller", "Hi")
    said = made.recite(1, 1, text)
    assert said is not None
    streamed = [part for char in text for part in made.feed(1, 2, char)]
    end = made.finish(1, 2)
    assert isinstance(end, ReplyEnd)
    assert said == (*streamed, *end.segments)
    assert made.alive == ()


def test_known_words_that_say_nothing_leave_the_reply_as_it_was() -> None:
    made = session()
    made.begin_turn(1, 1, "caller", "Hi")
    assert made.recite(1, 1, " <end_call> ***") == ()
    assert made.alive == ((1, 1),)
    made.abandon(1, 1)
    assert made.recite(1, 1, "At nine.") is None
