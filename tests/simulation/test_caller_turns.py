"""Turns measured from who was heard when."""

from __future__ import annotations

import pytest

from simulation.caller_events import TurnKind
from simulation.caller_turns import TurnMeter, Utterance


def said(kind: TurnKind = "say", start_s: float = 10.0, end_s: float = 12.0) -> Utterance:
    return Utterance(kind, "clip", "one two three", start_s, end_s, (10.5, 11.2, 12.0))


def test_an_answer_is_measured_from_the_true_end_of_speech() -> None:
    meter = TurnMeter()
    meter.begin(said())
    (turn,) = meter.agent_started(12.35)
    assert turn.outcome == "answered"
    assert turn.latency_s == pytest.approx(0.35)
    assert not turn.cut_in
    assert not meter.waiting


def test_a_cut_in_counts_the_words_not_yet_finished() -> None:
    meter = TurnMeter()
    meter.begin(said())
    assert meter.agent_started(11.0) == []
    (turn,) = meter.agent_stopped(13.0)
    assert (turn.outcome, turn.cut_in, turn.words_cut) == ("premature", True, 2)
    assert turn.latency_s is None


def test_an_agent_that_retreats_may_still_answer() -> None:
    meter = TurnMeter()
    meter.begin(said())
    meter.agent_started(11.0)
    assert meter.agent_stopped(11.3) == []
    (turn,) = meter.agent_started(12.2)
    assert (turn.outcome, turn.cut_in) == ("answered", True)
    assert turn.latency_s == pytest.approx(0.2)


def test_an_interruption_is_measured_to_the_last_audible_sample_then_answered() -> None:
    meter = TurnMeter()
    meter.agent_started(9.0)
    meter.begin(said("interrupt"))
    assert meter.agent_stopped(10.18) == []
    (turn,) = meter.agent_started(12.5)
    assert turn.barge_in_stop_s == pytest.approx(0.18)
    assert turn.latency_s == pytest.approx(0.5)
    assert not turn.cut_in


def test_an_agent_that_was_just_silent_stops_in_no_time() -> None:
    """It was in a pause between two sentences when the caller began."""
    meter = TurnMeter()
    meter.agent_started(9.0)
    meter.begin(said("interrupt"))
    meter.agent_stopped(9.9)
    assert meter.turns[0].barge_in_stop_s == 0.0


def test_ten_seconds_without_an_agent_is_unanswered() -> None:
    meter = TurnMeter()
    meter.begin(said())
    assert meter.advance(now=21.99) == []
    (turn,) = meter.advance(now=22.0)
    assert turn.outcome == "unanswered"
    assert meter.advance(now=40.0) == []


def test_nobody_is_unanswered_while_the_agent_still_talks() -> None:
    meter = TurnMeter()
    meter.agent_started(9.0)
    meter.begin(said("interrupt"))
    assert meter.advance(now=30.0) == []
    meter.agent_stopped(31.0)
    assert meter.advance(now=40.9) == []
    assert len(meter.advance(now=41.0)) == 1


def test_the_next_utterance_closes_a_turn_that_was_open() -> None:
    meter = TurnMeter()
    meter.begin(said())
    (turn,) = meter.begin(said(start_s=14.0, end_s=15.0))
    assert turn.outcome == "unanswered"
    assert meter.waiting


def test_a_turn_open_at_the_end_of_the_call_is_said_to_be_so() -> None:
    meter = TurnMeter()
    meter.begin(said())
    assert [turn.outcome for turn in meter.end()] == ["call_ended"]
    assert meter.end() == []


def test_a_greeting_is_no_answer_to_anything() -> None:
    meter = TurnMeter()
    assert meter.agent_started(1.0) == []
    assert meter.agent_stopped(2.0) == []
    assert meter.turns == []
