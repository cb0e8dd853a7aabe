"""Adding up, describing, and refusing to believe a late caller."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.caller_call import CallResult
from simulation.caller_events import Outcome, TurnMeasured
from simulation.carrier_messages import Violation
from simulation.carrier_parts import LegReport
from simulation.carrier_ticker import Lateness
from simulation.load_report import (
    EXIT_CALLERS_LATE,
    EXIT_NOT_CARRIED,
    EXIT_VALID,
    Effort,
    LoadReport,
    build_report,
)
from simulation.load_summary import render_summary


def turn(outcome: Outcome = "answered", latency_s: float | None = 0.3, **more: Any) -> TurnMeasured:
    return TurnMeasured(0, 9.0, 1, "say", "a", "hello", 1.0, 2.0, outcome, latency_s, **more)


def result(*turns: TurnMeasured, **leg: Any) -> CallResult:
    report = LegReport("CA1", status="completed", ended_by="caller", streams=1, duration_s=10.0)
    for name, value in leg.items():
        setattr(report, name, value)
    return CallResult(0, report, turns, 0.5 if report.streams else None)


def refused(**leg: Any) -> CallResult:
    """A call that hears a refusal in the carrier's voice."""
    return result(**{"ended_by": "agent", "streams": 0, "said": ["Busy."], **leg})


def effort(lateness_s: float = 0.001) -> Effort:
    lateness = Lateness()
    for _ in range(100):
        lateness.add(lateness_s)
    return Effort(wall_s=10.0, cpu_s=0.05, lateness=lateness, is_nice=False)


def report(*results: CallResult, lateness_s: float = 0.001) -> LoadReport:
    return build_report(7, 2, results, effort(lateness_s))


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
    assert "no frame was sent" in got.why_invalid


def test_a_refused_call_makes_the_run_one_of_fewer_calls() -> None:
    got = report(result(turn()), refused(), result(turn()))
    assert (got.valid, got.all_admitted, got.punctual) == (False, False, True)
    assert got.reasons == (
        "1 of 3 offered calls were refused (say_hangup x1)",
        "what is measured is a run of 2 calls, not of 3",
    )
    assert got.counts["calls_offered"] == 3
    assert got.counts["calls_admitted"] == got.counts["calls_completed"] == 2
    assert got.counts["calls_refused"] == got.counts["calls_refused_say_hangup"] == 1
    assert got.counts["calls_failed"] == 0
    assert got.percent["calls_completed"] == got.percent["calls_admitted"] == 66.67
    assert "refused (say_hangup x1)" in render_summary(got)


def test_refusals_are_told_apart() -> None:
    got = report(
        refused(),
        refused(said=[], status="busy"),
        refused(said=[], status="no-answer"),
        refused(said=[]),
    )
    kinds = {name: n for name, n in got.counts.items() if name.startswith("calls_refused_")}
    assert kinds == {
        "calls_refused_reject_busy": 1,
        "calls_refused_reject": 1,
        "calls_refused_say_hangup": 1,
        "calls_refused_other": 1,
    }
    assert got.counts["calls_refused"] == got.counts["calls_offered"] == 4
    assert not got.all_admitted


def test_the_figures_are_those_of_admitted_calls() -> None:
    got = report(
        result(turn(), webhook_s=0.01),
        refused(webhook_s=0.5, duration_s=90.0),
        result(streams=0, status="failed", webhook_s=5.0, duration_s=15.0),
    )
    assert got.distributions["voice_webhook"].max_ms == 10.0
    assert got.distributions["voice_webhook_refused"].max_ms == 500.0
    assert got.distributions["greeting"].count == 1
    assert got.cpu_ms_per_call_second == 5.0
    assert got.counts["calls_not_greeted"] == 0
    assert "admitted calls only" in render_summary(got)


def test_a_call_that_failed_is_not_a_refusal() -> None:
    got = report(result(turn()), result(streams=0, status="failed", ended_by="error"))
    assert got.counts["calls_failed"] == 1
    assert got.counts["calls_refused"] == 0
    assert got.reasons[0] == "1 of 2 offered calls failed: see errors"


def test_a_call_that_the_server_ended_early_is_said() -> None:
    early = result(turn(), turn("call_ended", None), ended_by="agent")
    got = report(replace(early, turns_scripted=2), result(turn()))
    assert got.all_admitted
    assert not got.valid
    assert got.reasons == ("1 of 2 admitted calls were ended early by the server",)
    assert got.counts["calls_ended_early"] == got.counts["calls_short_of_turns"] == 1
    assert got.counts["turns_missing"] == 1
    assert "1 calls had fewer turns than their script: 1 turns are missing" in render_summary(got)


def test_a_callers_own_time_limit_is_visible_and_no_fault_of_the_server() -> None:
    got = report(replace(result(turn()), turns_scripted=3))
    assert got.valid
    assert got.counts["calls_short_of_turns"] == 1
    assert got.counts["turns_missing"] == 2


def test_a_server_that_says_goodbye_after_the_last_turn_ended_nothing_early() -> None:
    got = report(replace(result(turn(), ended_by="agent"), turns_scripted=1))
    assert got.valid
    assert got.counts["calls_completed"] == 1


def test_the_most_calls_at_once_are_those_that_were_up_together() -> None:
    spans = [(0.0, 10.0), (5.0, 12.0), (10.0, 20.0), (11.0, 12.0)]
    got = report(
        refused(), *(result(first_stream_s=start, last_stream_end_s=end) for start, end in spans)
    )
    assert got.counts["calls_at_once"] == 3
    touching = [result(first_stream_s=n, last_stream_end_s=n + 1) for n in range(3)]
    assert report(*touching).counts["calls_at_once"] == 1


@pytest.mark.parametrize(
    ("results", "lateness_s", "code"),
    [
        ([result()], 0.001, EXIT_VALID),
        ([result()], 0.5, EXIT_CALLERS_LATE),
        ([result(), refused()], 0.001, EXIT_NOT_CARRIED),
        ([result(), refused()], 0.5, EXIT_CALLERS_LATE),
        ([result(ended_by="error")], 0.001, EXIT_NOT_CARRIED),
        ([], 0.001, EXIT_NOT_CARRIED),
    ],
)
def test_the_exit_code_tells_late_callers_from_calls_not_carried(
    results: list[CallResult], lateness_s: float, code: int
) -> None:
    got = report(*results, lateness_s=lateness_s)
    assert got.exit_code == code
    assert got.valid is (code == EXIT_VALID)


@given(st.lists(st.sampled_from([result(), refused(), result(streams=0, status="failed")])))
def test_every_offered_call_is_in_one_place(results: list[CallResult]) -> None:
    counts = report(*results).counts
    assert counts["calls_offered"] == (
        counts["calls_admitted"] + counts["calls_refused"] + counts["calls_failed"]
    )
    assert counts["calls_admitted"] == counts["calls_completed"] + counts["calls_ended_early"]


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
    assert again["version"] == 2
    assert (again["valid"], again["why_invalid"], again["reasons"]) == (True, "", [])
    assert again["distributions"]["underrun"]["p50_ms"] == 20.0


def test_the_summary_is_plain_text_and_narrow() -> None:
    text = render_summary(report(result(turn(), stream_gaps_s=[0.4])))
    assert "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= 100
    assert "response latency" in text
    assert "400.0" in text
