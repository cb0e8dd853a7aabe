"""Work that a webhook leaves behind, on virtual time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from actors.errors import CacheAwayError
from cluster import patient_work
from cluster.patient_work import GIVE_UP_AFTER_S, PatientWork, may_pass
from records.errors import RowRejected, StoreUnavailable
from telephony.errors import (
    CarrierRefused,
    CarrierThrottled,
    CarrierUnreachable,
    InvalidCall,
)
from tests.support import virtual_time

AWAY = StoreUnavailable("the database is away")


class Job:
    """Fails for a while, or for ever."""

    def __init__(self, *failures: Exception, for_ever: Exception | None = None) -> None:
        self._failures = list(failures)
        self._for_ever = for_ever
        self.tried: list[float] = []
        self.is_done = False

    async def __call__(self) -> None:
        self.tried.append(asyncio.get_running_loop().time())
        if self._failures:
            raise self._failures.pop(0)
        if self._for_ever is not None:
            raise self._for_ever
        self.is_done = True


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await scene()

    virtual_time.run(main(), limit_s=10_000)


def test_a_job_is_tried_until_it_is_done_ever_less_often() -> None:
    async def scene() -> None:
        work, job = PatientWork(), Job(*[AWAY] * 8)
        work.begin("call 1", job)
        assert job.tried == []  # never in the time of whoever begins it
        await work.settle(600)
        assert job.is_done
        assert len(job.tried) == 9
        gaps = [b - a for a, b in zip(job.tried, job.tried[1:], strict=False)]
        assert gaps[0] < 0.5
        assert max(gaps) < 20
        assert sum(gaps) > 20
        assert (work.waiting, work.given_up) == (0, 0)

    play(scene)


def test_what_never_passes_is_given_up_at_once() -> None:
    async def scene() -> None:
        work = PatientWork()
        jobs = [
            Job(for_ever=error)
            for error in (RowRejected("no"), CarrierRefused("no"), InvalidCall("no"), KeyError("x"))
        ]
        for job in jobs:
            work.begin("call 1", job)
        await work.settle(1)
        assert [len(job.tried) for job in jobs] == [1, 1, 1, 1]
        assert (work.waiting, work.given_up) == (0, 4)

    play(scene)


def test_an_outage_that_does_not_end_is_given_up_after_a_quarter_of_an_hour() -> None:
    async def scene() -> None:
        work, job = PatientWork(), Job(for_ever=AWAY)
        work.begin("call 1", job)
        await work.settle(10 * GIVE_UP_AFTER_S)
        took_s = job.tried[-1] - job.tried[0]
        assert GIVE_UP_AFTER_S <= took_s < GIVE_UP_AFTER_S + 30
        assert (work.waiting, work.given_up) == (0, 1)

    play(scene)


def test_those_that_wait_hold_up_nobody() -> None:
    async def scene() -> None:
        work, stuck, quick = PatientWork(at_once=1), Job(for_ever=AWAY), Job()
        work.begin("call 1", stuck)
        work.begin("call 2", quick)
        await asyncio.sleep(0.01)
        assert quick.is_done
        await work.aclose(0.01)

    play(scene)


def test_jobs_are_bounded_and_what_is_lost_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(patient_work, "MAX_WAITING", 3)

    async def scene() -> None:
        work = PatientWork()
        for number in range(5):
            work.begin(f"call {number}", Job(for_ever=AWAY))
        assert (work.waiting, work.given_up) == (3, 2)
        await work.aclose(0.01)
        assert work.waiting == 0

    with caplog.at_level(logging.ERROR):
        play(scene)
    assert "call 4 was given up" in caplog.text


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (AWAY, True),
        (CarrierThrottled("429", 1.0), True),
        (CarrierUnreachable("no answer"), True),
        (CacheAwayError("it has just started"), True),
        (CarrierRefused("no", 20001, 400), False),
        (RowRejected("no"), False),
    ],
)
def test_what_may_pass(error: Exception, passes: bool) -> None:
    assert may_pass(error) == passes
