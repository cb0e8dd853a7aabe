"""One process and the MetricsActor, on virtual time."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable

import pytest

from actors import metrics_estate, metrics_reporter
from actors.metrics_driver import SETTLE_S
from actors.metrics_reporter import MetricsReporter
from telemetry import catalog as c
from telemetry.ledger import MetricsLedger
from tests.support.metrics_world import FakeMetricsActor
from tests.support.virtual_time import run


class Stage:
    def __init__(self, *, wants_view: bool = True) -> None:
        self.actor = FakeMetricsActor()
        self.ledger = MetricsLedger("a", 1)
        self.samples = 0
        self.reporter = MetricsReporter(
            self.ledger,
            self.actor,
            self._sample,
            wants_view=wants_view,
            incarnation=lambda: 5_000,
            jitter=lambda: 0.5,
        )

    def _sample(self) -> None:
        self.samples += 1
        self.ledger.gauge(c.ACTIVE_CALLS, self.samples, "ingress")

    @property
    def underruns(self) -> float:
        return self.actor.driver.merged.counters().get((c.UNDERRUNS.name, ()), 0)


def play(scene: Callable[[Stage], Awaitable[None]], **options: bool) -> None:
    async def whole() -> None:
        before = asyncio.all_tasks()
        stage = Stage(**options)
        stage.reporter.start()
        stage.reporter.start()
        try:
            await scene(stage)
        finally:
            await stage.reporter.aclose()
        assert asyncio.all_tasks() == before, "something was left running"

    run(whole())


def test_reports_about_once_a_second_and_holds_the_view() -> None:
    async def scene(stage: Stage) -> None:
        assert stage.reporter.view is None
        await asyncio.sleep(10.0)
        assert len(stage.actor.reports) == 10
        assert stage.samples == 10
        view = stage.reporter.view
        assert view is not None
        assert 0 <= asyncio.get_running_loop().time() - view.made_at <= 1.0
        assert json.loads(view.summary_json())["active_calls"] == 10
        assert "callcluster_active_calls" in view.prometheus_text()

    play(scene)


def test_a_process_that_serves_no_view_is_sent_none() -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.sleep(3.0)
        assert stage.reporter.view is None
        assert {report["view"] for report in stage.actor.reports} == {-1}

    play(scene, wants_view=False)


def test_only_what_is_new_is_told() -> None:
    async def scene(stage: Stage) -> None:
        stage.ledger.count(c.UNDERRUNS)
        await asyncio.sleep(3.0)
        counters = [report["snapshot"]["counters"] for report in stage.actor.reports]
        assert counters == [[[c.UNDERRUNS.name, [], 1]], [], []]

    play(scene)


def test_one_report_at_a_time_however_slow_the_actor_is() -> None:
    async def scene(stage: Stage) -> None:
        stage.actor.slow_s = 2.0
        for _ in range(100):
            stage.ledger.count(c.UNDERRUNS)
            await asyncio.sleep(0.1)
        assert stage.actor.most_in_flight == 1
        assert len(stage.actor.reports) == 4
        assert stage.underruns > 0

    play(scene)


def test_a_report_that_hangs_is_given_up_and_told_again() -> None:
    async def scene(stage: Stage) -> None:
        stage.ledger.count(c.UNDERRUNS)
        stage.actor.slow_s = 1e6
        await asyncio.sleep(10)
        stage.actor.slow_s = 0.0
        await asyncio.sleep(metrics_reporter.ANSWER_WITHIN_S)
        assert stage.underruns == 1

    play(scene)


def test_while_the_actor_is_away_nothing_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(stage: Stage) -> None:
        stage.actor.away = True
        for _ in range(60):
            stage.ledger.count(c.UNDERRUNS)
            await asyncio.sleep(1.0)
        assert stage.underruns == 0
        stage.actor.away = False
        await asyncio.sleep(3.0)
        assert stage.underruns == 60

    with caplog.at_level(logging.INFO):
        play(scene)
    said = [record.message for record in caplog.records]
    assert said == [
        "metrics wait, the MetricsActor is away: away",
        "the MetricsActor answers again",
    ]


def test_a_restarted_actor_is_told_everything_again() -> None:
    async def scene(stage: Stage) -> None:
        stage.ledger.count(c.UNDERRUNS, by=3)
        await asyncio.sleep(5.0)
        view = stage.reporter.view
        assert view is not None
        stage.actor.restart()
        stage.ledger.count(c.UNDERRUNS)
        await asyncio.sleep(1.5)
        assert stage.underruns == 4
        assert stage.reporter.view == view, "nobody is shown a sum that lacks the others"
        await asyncio.sleep(SETTLE_S)
        assert stage.reporter.view.number > view.number

    play(scene)


def test_what_the_dead_have_counted_survives_the_actor_with_the_replicas() -> None:
    async def scene(stage: Stage) -> None:
        dead = MetricsLedger("dead", 1)
        dead.count(c.UNDERRUNS, by=5)
        await stage.actor.report({"v": 1, "snapshot": dead.snapshot(), "view": -1})
        stage.ledger.count(c.UNDERRUNS)
        handed_out_s = metrics_estate.SETTLE_S + 3
        await asyncio.sleep(handed_out_s)
        for restarts in range(1, 4):
            stage.actor.restart()
            await asyncio.sleep(handed_out_s)
            assert stage.underruns == 6, f"after {restarts} restarts"
        offers = [r["inheritance"]["number"] for r in stage.actor.reports if "inheritance" in r]
        assert len(offers) == 3, "once for each actor"

    play(scene)


def test_answers_that_are_lost_do_no_harm() -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.sleep(2.0)
        stage.actor.lose_answers = True
        stage.ledger.count(c.UNDERRUNS, by=3)
        await asyncio.sleep(5.0)
        stage.actor.lose_answers = False
        stage.ledger.count(c.UNDERRUNS)
        await asyncio.sleep(5.0)
        assert stage.underruns == 4

    play(scene)


def test_whoever_was_forgotten_counts_anew() -> None:
    async def scene(stage: Stage) -> None:
        stage.ledger.count(c.UNDERRUNS, by=3)
        await asyncio.sleep(2.0)
        stage.actor.driver._forget("a")
        await asyncio.sleep(1.0)
        stage.ledger.count(c.UNDERRUNS)
        await asyncio.sleep(2.0)
        assert stage.underruns == 4
        assert stage.ledger.incarnation == 5_000

    play(scene)


def test_the_last_word_is_a_goodbye_with_everything() -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.sleep(2.0)
        stage.ledger.count(c.UNDERRUNS, by=3)
        await stage.reporter.aclose()
        assert stage.actor.reports[-1]["leaving"] is True
        assert stage.underruns == 3
        gauges = stage.actor.driver.merged.gauges()
        assert (c.ACTIVE_CALLS.name, ("ingress",)) not in gauges
        count = len(stage.actor.reports)
        await stage.reporter.aclose()
        await asyncio.sleep(5.0)
        assert len(stage.actor.reports) == count

    play(scene)


def test_a_goodbye_waits_a_second_at_most() -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.sleep(2.0)
        stage.actor.slow_s = 1e6
        began_at = asyncio.get_running_loop().time()
        await stage.reporter.aclose()
        assert asyncio.get_running_loop().time() - began_at <= metrics_reporter.GOODBYE_WITHIN_S

    play(scene)


def test_a_sample_that_breaks_ends_nothing() -> None:
    async def scene(stage: Stage) -> None:
        stage.reporter._sample = lambda: 1 / 0  # type: ignore[assignment, return-value]
        await asyncio.sleep(5.0)
        stage.reporter._sample = stage._sample
        await asyncio.sleep(3.0)
        assert stage.actor.reports

    play(scene)
