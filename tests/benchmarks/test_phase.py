"""What the callers of a phase report decides whether it counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.phase import PhaseResult, _judge
from benchmarks.plan import PhasePlan
from simulation.caller_call import CallResult
from simulation.carrier_parts import LegReport
from simulation.carrier_ticker import Lateness
from simulation.load_report import Effort, build_report

ADMITTED = LegReport("CA1", status="completed", ended_by="caller", streams=1, duration_s=9.0)
REFUSED = LegReport("CA2", status="completed", ended_by="agent", said=["Busy."])
FAILED = LegReport("CA3", status="failed", ended_by="error")
DROPPED = LegReport("CA4", status="completed", ended_by="agent", streams=1)


def judged(folder: Path, *legs: LegReport, own: str = "") -> PhaseResult:
    lateness = Lateness()
    lateness.add(0.001)
    results = [CallResult(n, leg, (), 0.5) for n, leg in enumerate(legs)]
    report = build_report(1, len(legs), results, Effort(9.0, 0.1, lateness, False))
    path = folder / "load.json"
    path.write_text(json.dumps(report.as_dict()), "utf-8")
    result = PhaseResult(PhasePlan("talk", len(legs), 9.0), own)
    _judge(result, path, "their last words")
    return result


def test_a_phase_counts_when_every_call_was_carried(tmp_path: Path) -> None:
    result = judged(tmp_path, ADMITTED, ADMITTED)
    assert (result.valid, result.admitted, result.all_admitted) == (True, 2, True)
    assert result.callers_late_ms == pytest.approx(1.0, abs=0.1)


def test_nobody_who_called_was_late() -> None:
    assert PhaseResult(PhasePlan("idle", 0, 9.0)).callers_late_ms is None


@pytest.mark.parametrize(
    ("other", "why", "admitted"),
    [
        (REFUSED, "1 of 3 offered calls were refused (say_hangup x1)", 2),
        (FAILED, "1 of 3 offered calls failed", 2),
        (DROPPED, "1 of 3 admitted calls were ended early", 3),
    ],
)
def test_a_phase_of_fewer_calls_than_planned_does_not_count(
    other: LegReport, why: str, admitted: int, tmp_path: Path
) -> None:
    result = judged(tmp_path, ADMITTED, other, ADMITTED)
    assert not result.valid
    assert why in result.why_invalid
    assert result.admitted == admitted
    assert result.all_admitted is (admitted == 3)


def test_what_was_seen_and_what_the_callers_say_are_both_told(tmp_path: Path) -> None:
    result = judged(tmp_path, ADMITTED, REFUSED, own="2 calls were not up within 25 s")
    assert result.why_invalid.startswith("2 calls were not up within 25 s; 1 of 2 offered calls")


def test_callers_without_a_report_have_their_last_words(tmp_path: Path) -> None:
    result = PhaseResult(PhasePlan("talk", 1, 9.0))
    _judge(result, tmp_path / "none.json", "their last words")
    assert result.why_invalid == "the callers wrote no report: their last words"
    assert (result.admitted, result.all_admitted) == (None, False)
