"""What recognisers claim, before it is believed."""

from __future__ import annotations

import math

import pytest

from actors.recogniser_words import MOST_PHRASE_CHARS, believable
from voice.ports import (
    FinalTranscript,
    InterimTranscript,
    RecogniserEvent,
    RecogniserFailed,
    SpeechNoticed,
    TurnEndHinted,
    TurnResumed,
)

ORDINARY = (
    InterimTranscript("hello", 0.9),
    FinalTranscript("", 1.0),
    TurnEndHinted("hello", 0.9, 0.5),
    TurnResumed(0.9),
    SpeechNoticed(0.3),
    RecogniserFailed("gone", True),
)


@pytest.mark.parametrize("event", ORDINARY)
def test_what_can_be_is_left_as_it_is(event: RecogniserEvent) -> None:
    assert believable(event, 1.0) is event


@pytest.mark.parametrize("end_s", [1.1, 1e300, math.inf])
def test_nothing_was_said_later_than_now(end_s: float) -> None:
    for kind in (InterimTranscript, FinalTranscript):
        assert believable(kind("hello", end_s), 1.0) == kind("hello", 1.0)
    assert believable(TurnResumed(end_s), 1.0) == TurnResumed(1.0)
    assert believable(TurnEndHinted("hello", end_s, None), 1.0).end_s == 1.0  # type: ignore[union-attr]


@pytest.mark.parametrize("end_s", [-0.1, -1e300, -math.inf])
def test_words_from_before_the_stream_end_at_no_known_time(end_s: float) -> None:
    for kind in (InterimTranscript, FinalTranscript):
        assert believable(kind("hello", end_s), 1.0) == kind("hello", 0.0)
    assert believable(TurnResumed(end_s), 1.0) == TurnResumed(0.0)


def test_a_time_that_is_no_number_is_now() -> None:
    assert believable(FinalTranscript("hello", math.nan), 1.0) == FinalTranscript("hello", 1.0)


@pytest.mark.parametrize("probability", [math.nan, math.inf, -0.1, 1.5, -1e300])
def test_a_belief_that_cannot_be_is_none(probability: float) -> None:
    """Else no silence would be long enough, or any."""
    found = believable(TurnEndHinted("hello", 0.9, probability), 1.0)
    assert found == TurnEndHinted("hello", 0.9, None)


def test_words_without_an_end_are_a_failure_and_are_not_repeated() -> None:
    found = believable(InterimTranscript("eleven " * MOST_PHRASE_CHARS, 0.5), 1.0)
    assert isinstance(found, RecogniserFailed)
    assert found.retryable
    assert "eleven" not in found.message
