"""Adding up, describing, and refusing to believe a late caller."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulation.caller_call import CallResult
from simulation.caller_events import Outcome, TurnMeasured
from simulation.carrier_messages import Violation
from simulation.carrier_parts import LegReport
from simulation.carrier_ticker import Lateness
from simulation.load_report import (
    Distribution,
    Effort,
    LoadReport,
    build_report,
    distribution,
    render_summary,
)


def turn(outcome: Outcome = "answered", latency_s: float | None = 0.3, **more: Any) -> TurnMeasured:
    return TurnMeasured(0, 9.0, 1, "say", "a", "hello", 1.0, 2.0, outcome, latency_s, **more)


def result(*turns: TurnMeasured, **leg: Any) -> CallResult:
    report = LegReport("CA1", status="completed", ended_by="caller", streams=1, duration_s=10.0)
    for name, value in leg.items():
        setattr(report, name, value)
    return CallResult(0, report, turns, 0.5)


def effort(lateness_s: float = 0.001) -> Effort:
    lateness = Lateness()
    for _ in range(100):
        lateness.add(lateness_s)
    return Effort(wall_s=10.0, cpu_s=0.05, lateness=lateness, is_nice=False)


def report(*results: CallResult, lateness_s: float = 0.001) -> LoadReport:
    return build_report(7, 2, results, effort(lateness_s))


def test_quantiles_are_by_nearest_rank() -> None:
    got = distribution([n / 1_000 for n in range(1, 101)])
    assert got == Distribution(100, 50.5, 50.0, 90.0, 95.0, 99.0, 100.0)
    assert distribution([]) == Distribution()


def test_shares_leave_out_turns_that_the_end_of_the_call_cut_off() -> None:
    got = report(
        result(turn(), turn("unanswered", None), turn("call_ended", None)),
        result(turn("premature", None, cut_in=True, words_cut=3)),
    )
    assert got.percent["turns_answered"] == pytest.approx(33.33)
    assert got.percent["turns_unanswered"] == pytest.approx(33.33)
    assert got.percent["cut_ins"] == 25.0
    assert got.counts["words_cut"] == 3
    assert got.counts["turns_open_at_end"] == 1
    assert got.distributions["response_latency"].count == 1
    assert got.cpu_ms_per_call_second == 2.5


def test_a_punctual_run_is_valid() -> None:
    assert report(result(turn())).valid


@pytest.mark.parametrize(("lateness_s", "valid"), [(0.0049, True), (0.0051, False), (0.5, False)])
def test_a_late_caller_says_that_its_figures_are_its_own(lateness_s: float, valid: bool) -> None:
    got = report(result(turn()), lateness_s=lateness_s)
    assert got.valid is valid
    assert valid or "too busy" in got.why_invalid
    assert render_summary(got).startswith("NOT VALID") is not valid


def test_a_run_without_a_frame_is_not_valid() -> None:
    got = build_report(7, 2, [result()], Effort(1.0, 0.1, Lateness(), False))
    assert not got.valid
    assert "no call reached its stream" in got.why_invalid


def test_violations_are_counted_by_code_and_described_once() -> None:
    legs = [result(turn()), result(turn())]
    for each in legs:
        each.leg.violations.note(Violation(31951, "media: extra track"))
    legs[0].leg.errors.note(Violation(31903, "vanished"))
    got = report(*legs)
    assert got.violations == {"31951": 2}
    assert got.errors == {"31903": 1}
    assert got.details == ("31951: media: extra track", "31903: vanished")


def test_the_report_is_plain_data() -> None:
    got = report(result(turn(barge_in_stop_s=0.15), underruns_s=[0.02]))
    again = json.loads(json.dumps(got.as_dict()))
    assert again["version"] == 1
    assert again["distributions"]["underrun"]["p50_ms"] == 20.0


def test_the_summary_is_plain_text_and_narrow() -> None:
    text = render_summary(report(result(turn(), stream_gaps_s=[0.4])))
    assert "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= 100
    assert "response latency" in text
    assert "400.0" in text
