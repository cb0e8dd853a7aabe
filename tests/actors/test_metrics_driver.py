"""The measurements of the cluster: who counts, who is forgotten, what is shown."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest

from actors import metrics_driver
from actors.metrics_driver import FORGET_AFTER_S, SILENT_S, MetricsDriver
from telemetry import catalog as c
from telemetry.ledger import MetricsLedger

INGRESS = ("ingress",)


class Process:
    """A process and what it was last told."""

    def __init__(self, driver: MetricsDriver, name: str, active: int = 0) -> None:
        self.driver = driver
        self.ledger = MetricsLedger(name, 1)
        self.ledger.gauge(c.ACTIVE_CALLS, active, "ingress")
        self.known = 0

    def report(self, now: float, **more: Any) -> dict[str, Any]:
        snapshot = self.ledger.snapshot(self.known)
        report = {"v": 1, "snapshot": snapshot, "view": -1, **more}
        answer = self.driver.report(report, now=now)
        self.known = answer["known"]
        return answer


def active(driver: MetricsDriver) -> float:
    return driver.merged.gauges().get((c.ACTIVE_CALLS.name, INGRESS), 0)


def underruns(driver: MetricsDriver) -> float:
    return driver.merged.counters().get((c.UNDERRUNS.name, ()), 0)


def test_a_report_is_answered_with_what_is_known() -> None:
    driver = MetricsDriver(7)
    process = Process(driver, "a", 3)
    answer = process.report(0.0)
    assert answer == {"v": 1, "actor": 7, "fate": "taken", "known": 1, "every_s": 1.0}
    json.dumps(answer)
    assert process.report(1.0)["known"] == 2
    assert active(driver) == 3


def test_the_gauges_of_a_silent_process_do_not_count_and_its_counts_do() -> None:
    driver = MetricsDriver(7)
    quiet, busy = Process(driver, "quiet", 3), Process(driver, "busy", 4)
    quiet.ledger.count(c.UNDERRUNS, by=5)
    quiet.report(0.0)
    busy.report(SILENT_S)
    driver.sweep(now=SILENT_S)
    assert active(driver) == 7, "exactly ten seconds are not more than ten"
    driver.sweep(now=SILENT_S + 0.1)
    assert (active(driver), underruns(driver)) == (4, 5)
    quiet.report(SILENT_S + 1)
    assert active(driver) == 7, "it is back"


def test_a_goodbye_takes_the_gauges_away_at_once() -> None:
    driver = MetricsDriver(7)
    process = Process(driver, "a", 3)
    process.report(0.0)
    process.ledger.count(c.UNDERRUNS, by=2)
    process.report(0.1, leaving=True)
    assert (active(driver), underruns(driver)) == (0, 2)


def test_a_process_that_is_long_gone_is_forgotten_with_its_counts_kept() -> None:
    driver = MetricsDriver(7)
    process = Process(driver, "a", 3)
    process.ledger.count(c.UNDERRUNS, by=5)
    process.report(0.0)
    driver.sweep(now=FORGET_AFTER_S + 1)
    assert "a" not in driver.merged.sources
    assert underruns(driver) == 5
    process.ledger.count(c.UNDERRUNS)
    assert process.report(FORGET_AFTER_S + 2)["fate"] == "forgotten"
    assert underruns(driver) == 5, "never twice"
    process.ledger.begin_anew(2)
    process.ledger.count(c.UNDERRUNS)
    process.known = 0
    assert process.report(FORGET_AFTER_S + 3)["fate"] == "taken"
    assert underruns(driver) == 6


def test_the_number_of_processes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_driver, "MAX_SOURCES", 10)
    driver = MetricsDriver(7)
    for number in range(25):
        process = Process(driver, f"p{number}", 1)
        process.ledger.count(c.UNDERRUNS)
        process.report(number * 0.01)
    driver.sweep(now=1.0)
    assert len(driver.merged.sources) == 10
    assert set(driver.merged.sources) == {f"p{number}" for number in range(15, 25)}
    assert underruns(driver) == 25


def test_many_processes_are_asked_to_report_less_often() -> None:
    driver = MetricsDriver(7)
    answers = [Process(driver, f"p{number}").report(0.0) for number in range(400)]
    assert answers[0]["every_s"] == 1.0
    assert answers[-1]["every_s"] == 2.0


@pytest.mark.parametrize(
    "report", [None, 5, {}, {"snapshot": 3}, {"snapshot": {"v": 1}}, {"view": "x"}, []]
)
def test_nonsense_is_counted_and_changes_nothing(report: Any) -> None:
    driver = MetricsDriver(7)
    answer = driver.report(report, now=0.0)
    assert (answer["fate"], answer["known"]) == ("invalid", 0)
    assert driver.totals(now=0.0).counters == {(c.REPORTS.name, ("invalid",)): 1}


def test_everybody_is_shown_the_same_view_for_a_second() -> None:
    driver = MetricsDriver(7)
    process = Process(driver, "a", 3)
    first = process.report(0.0, view=0)["view"]
    text = zlib.decompress(first["text"]).decode()
    assert 'callcluster_active_calls{process="ingress"} 3' in text
    assert json.loads(zlib.decompress(first["summary"]))["active_calls"] == 3
    assert "view" not in process.report(0.5, view=first["number"])
    again = process.report(0.6, view=0)["view"]
    assert (again["number"], again["age_s"]) == (first["number"], pytest.approx(0.6))
    later = process.report(1.0, view=first["number"])["view"]
    assert (later["number"], later["age_s"]) == (first["number"] + 1, 0.0)


def test_the_peak_is_kept_and_outlives_a_restart() -> None:
    driver = MetricsDriver(7)
    one, two = Process(driver, "a", 3), Process(driver, "b", 4)
    one.report(0.0)
    two.report(0.0)
    driver.sweep(now=0.5)
    two.ledger.gauge(c.ACTIVE_CALLS, 0, "ingress")
    two.report(1.0)
    peak = one.report(2.0, view=0)["view"]["peak_calls"]
    assert peak == 7
    restarted = MetricsDriver(1_000)
    one.driver, one.known = restarted, 0
    one.report(3.0, peak_calls=peak)
    gauges = restarted.totals(now=3.0).gauges
    assert gauges[c.PEAK_CALLS.name, ()] == 7


def test_utilisation_is_shown_too() -> None:
    driver = MetricsDriver(7)
    process = Process(driver, "a", 3)
    process.ledger.gauge(c.CAPACITY, 10, "ingress")
    process.ledger.gauge(c.CAPACITY, 6, "call_actor")
    process.report(0.0)
    assert driver.totals(now=0.0).gauges[c.UTILISATION.name, ()] == 0.5


def test_the_more_there_is_to_add_up_the_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_driver, "SKETCHES_A_SECOND", 10)
    driver = MetricsDriver(7)
    process = Process(driver, "a")
    for stage in range(40):
        process.ledger.observe(c.TURN_STAGE, 0.1, str(stage), "t1", "ann", "en-US")
    first = process.report(0.0, view=0)["view"]["number"]
    assert "view" not in process.report(3.9, view=first)
    assert driver.totals(now=3.9) is driver.totals(now=0.0), "the export to Ray shares them"
    assert process.report(4.0, view=first)["view"]["number"] == first + 1
