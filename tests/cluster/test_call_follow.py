"""A call as it is watched: each state and each turn once."""

from __future__ import annotations

from cluster.api_client import ApiCall, ApiTurn
from cluster.call_follow import CallFollower, heard_and_unheard, transcript
from cluster.call_simulated import event_line
from simulation.caller_events import (
    AgentHeard,
    CallEnded,
    CallerEvent,
    CallerSaid,
    CallStarted,
    Interrupted,
    StreamResumed,
    TurnMeasured,
)

GREETING = ApiTurn(0, "greeting", "", "Good morning.", "Good morning.")
CUT = ApiTurn(1, "say", "Ten of clubs", "A fine card. Another?", "A fine card.")


def test_news_are_told_once_and_in_order() -> None:
    follower = CallFollower()
    assert follower.news(ApiCall("c", "queued")) == ["-- waiting for its turn"]
    assert follower.news(ApiCall("c", "queued")) == []
    assert follower.news(ApiCall("c", "answered", (GREETING,))) == [
        "-- answered",
        "Agent   Good morning.",
    ]
    assert follower.news(ApiCall("c", "completed", (GREETING, CUT))) == [
        "Caller  Ten of clubs",
        "Agent   A fine card. [Another?]",
        "-- over",
    ]
    assert follower.news(ApiCall("c", "completed", (GREETING, CUT))) == []


def test_why_a_call_waits_is_told_whenever_it_changes() -> None:
    follower = CallFollower()
    assert follower.news(ApiCall("c", "queued")) == ["-- waiting for its turn"]
    slow = ApiCall("c", "queued", waiting_for="the carrier asks for a pause")
    assert follower.news(slow) == ["-- waiting for its turn: the carrier asks for a pause"]
    assert follower.news(slow) == []


def test_why_a_call_failed_is_told() -> None:
    failed = ApiCall("c", "failed", error="21211: not a valid number")
    assert CallFollower().news(failed) == ["-- failed: 21211: not a valid number"]
    transferred = ApiCall("c", "completed", end_reason="caller_hung_up")
    assert CallFollower().news(transferred) == ["-- over: caller hung up"]
    assert CallFollower().news(ApiCall("c", "paused")) == ["-- paused"]  # a state of the future


def test_words_that_nobody_heard_stand_in_brackets() -> None:
    assert heard_and_unheard("One two three", "One two") == "One two [three]"
    assert heard_and_unheard("One", "") == "[One]"
    assert heard_and_unheard("One", "One") == "One"
    assert heard_and_unheard("One.", "Won") == "Won"
    assert heard_and_unheard("", "") == ""
    assert transcript([GREETING, CUT])[0] == "Agent   Good morning."


def test_a_simulated_call_is_told_as_it_happens() -> None:
    events: list[tuple[CallerEvent, str]] = [
        (CallStarted(0, 0.1, "CA1"), "-- the line is open"),
        (CallerSaid(0, 1.0, "ten of clubs", "card", 2.0), "Caller  ten of clubs"),
        (AgentHeard(0, 2.5, True), "Agent   ..."),
        (AgentHeard(0, 3.5, False), ""),
        (Interrupted(0, 4.0, 0.25), "-- the agent fell silent after 250 ms"),
        (StreamResumed(0, 5.0, 1.5), "-- another stream after 1.5 s"),
        (TurnMeasured(0, 6, 1, "say", "c", "t", 1, 2, "answered", 0.6), "-- answered after 600 ms"),
        (TurnMeasured(0, 6, 1, "say", "c", "t", 1, 2, "unanswered"), "-- unanswered"),
        (
            CallEnded(0, 9, "completed", "caller", "completed"),
            "-- completed, ended by the caller",
        ),
    ]
    for event, said in events:
        assert event_line(event).endswith(said)
