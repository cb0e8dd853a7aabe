"""What a stream that broke says of its service: the error itself, not only whether to try again."""

from __future__ import annotations

import asyncio

import pytest

from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderRejected,
    ProviderUnavailable,
)
from providers.failover.ears import ASKED_KEPT_S, ASKED_TIMES, Ears
from providers.health.local import LocalHealth
from providers.health.unit import Unit
from providers.health.view import HealthView
from tests.support import virtual_time
from tests.support.fake_ear_and_mouth import FakeRecogniser
from voice.ports import RecogniserFailed

OPEN = Unit("fake", "stt.open").key
NOW = 1e9


def judged(error: RecogniserFailed) -> LocalHealth:
    local = LocalHealth("me", lambda: 0.0)
    Ears([FakeRecogniser()], HealthView(local, lambda: NOW)).failed(0, error)
    return local


def failure(error: ProviderError) -> RecogniserFailed:
    return RecogniserFailed(str(error), error.retryable, error)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ProviderBusy("429", "fake", "", 7.0), "open"),
        (ProviderUnavailable("503", "fake", "", 7.0), "open"),
        (ProviderRefused("401", "fake", "KEY"), "open"),
        (ProviderUnavailable("gone", "fake"), "suspect"),
    ],
)
def test_who_says_when_to_come_back_is_left_until_then(error: ProviderError, state: str) -> None:
    local = judged(failure(error))
    assert local.verdict(OPEN, now=NOW).state == state
    if error.retry_after_s:
        assert not local.probes(now=NOW + 6.9)
        assert local.probes(now=NOW + 9.0)


def test_a_mistake_of_one_agent_takes_the_recogniser_from_nobody_else() -> None:
    """A 400: its language, its hints."""
    local = judged(failure(ProviderRejected("400", "fake", "language")))
    assert local.verdict(OPEN, now=NOW).state == "closed"
    assert local.alarms == 1


def test_without_its_cause_a_refusal_is_one() -> None:
    assert judged(RecogniserFailed("no", False)).verdict(OPEN, now=NOW).state == "open"


def test_a_client_that_breaks_when_all_are_asked_hears_nothing_and_ends_no_question(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene() -> None:
        recogniser, told = FakeRecogniser(), []
        ears = Ears([recogniser])
        for number in range(2):
            recogniser.refusals = [ValueError("+15550100")] * ASKED_TIMES
            ears.ask_everybody(lambda number=number: told.append(number))  # type: ignore[misc]
            await asyncio.sleep(ASKED_KEPT_S + 5.0)
        assert told == [0, 1]

    virtual_time.run(scene())
    said = [record.getMessage() for record in caplog.records]
    assert all(line.startswith("fake broke: ValueError at ") for line in said), said
    assert len(said) == 2 * ASKED_TIMES
