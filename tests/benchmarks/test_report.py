from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.phase import PhaseResult
from benchmarks.plan import TYPICAL, ZERO, PhasePlan, StagePlan, full_plan, limited, quick_plan
from benchmarks.process_cost import GROUPS, INGRESS, CpuUse
from benchmarks.report import BEGIN, END, render, write_between_markers
from benchmarks.results import StageResult, fits
from benchmarks.turns import Turn, figures
from benchmarks.verdicts import verdicts


def _phase(
    calls: int, *, overhead_s: float = 0.01, why: str = "", hole_ms: float = 0, refused: int = 0
) -> PhaseResult:
    groups = dict.fromkeys(GROUPS, 0.0)
    cpu = CpuUse(10.0, {**groups, INGRESS: 0.1 * 10 + 0.03 * 10 * calls}, 0.0)
    load = {
        "counts": {
            "calls_admitted": calls - refused,
            "turns_unanswered": 0,
            "underruns": int(hole_ms > 0),
            "turns": 9,
        },
        "all_admitted": not refused,
        "distributions": {"underrun": {"max_ms": hole_ms or None}},
    }
    turns = figures(
        [Turn("caller", "heard", {"committed": 0.5, "first_frame_out": 0.5 + overhead_s})]
    )
    memory = {**groups, INGRESS: 100.0 + 0.4 * calls}
    return PhaseResult(PhasePlan("talk", calls, 10.0), why, cpu, memory, load, turns)


def _stage(*phases: PhaseResult, cold: bool = False) -> StageResult:
    lags = ZERO if cold else TYPICAL
    plan = StagePlan("product", lags, not cold, tuple(phase.plan for phase in phases))
    return StageResult(plan, list(phases))


def test_idle_cost_is_kept_apart_from_the_cost_of_a_call() -> None:
    found = fits(_stage(_phase(1), _phase(10), _phase(25)))
    assert found["cpu:server"].slope == pytest.approx(30.0)
    assert found["cpu:server"].intercept == pytest.approx(100.0)
    assert found["memory:server"].slope == pytest.approx(0.4)


def test_memory_of_a_product_that_has_carried_as_many_is_a_line_of_its_own() -> None:
    again = [_phase(calls) for calls in (1, 25)]
    for phase in again:
        phase.plan = PhasePlan("again", phase.plan.calls, 6.0)
        phase.memory[INGRESS] = 150.0 + 0.1 * phase.plan.calls
    stage = _stage(_phase(1), _phase(25), *again)
    found = fits(stage)
    assert found["memory:server"].slope == pytest.approx(0.4)
    assert found["memory_again:server"].slope == pytest.approx(0.1)
    assert found["cpu:server"].n == 2
    rows = {verdict.figure: verdict.measured for verdict in verdicts([stage], found)}
    assert rows["memory for each further call, MB"].startswith("0.40 ")
    assert rows["where as many were before, MB"].startswith("0.10 ")


def test_runs_that_do_not_count_and_more_than_25_calls_are_not_fitted() -> None:
    found = fits(_stage(_phase(1), _phase(10), _phase(20, why="late"), _phase(50)))
    assert found["cpu:server"].n == 2


@pytest.mark.parametrize(
    ("phase", "verdict"),
    [
        (_phase(25, overhead_s=0.014), "reached"),
        (_phase(25, overhead_s=0.016), "NOT reached"),
        (_phase(20, overhead_s=0.01), "not measured at 25 calls"),
        (_phase(25, overhead_s=0.01, why="late"), "NOT VALID: late"),
    ],
)
def test_overhead_beside_its_target(phase: PhaseResult, verdict: str) -> None:
    assert verdicts([_stage(phase, cold=True)], {})[0].verdict == verdict


@pytest.mark.parametrize(("hole_ms", "most"), [(0.0, "20"), (40.0, "20"), (41.0, "10")])
def test_most_calls_without_a_hole(hole_ms: float, most: str) -> None:
    found = verdicts([_stage(_phase(10), _phase(20, hole_ms=hole_ms))], {})
    assert found[-1].measured == most


def _run() -> dict[str, object]:
    machine = dict.fromkeys(("date", "cores", "cpu", "python", "ray", "azure_speech_sdk"), "x")
    others = [{"name": "cron", "cpu_percent": 3.0}]
    load = {"load_average": [0.1, 0.2, 0.3], "pace_ms": 30.0, "others": others}
    return {
        "machine": {**machine, "memory_gb": 8},
        "command": "bench",
        "took_s": 60,
        "before": load,
        "after": load,
        "micro_us_per_frame": {"scorer": 4.0},
    }


def test_what_failed_is_said() -> None:
    broken = StageResult(
        StagePlan("never up", ZERO, True, ()), failure="it ended:\n  | why\n  | port taken\nmore"
    )
    text = render(_run(), [_stage(_phase(1), _phase(5, why="callers late")), broken])
    assert "| never up | all | port taken |" in text
    assert "| product | talk x5 | callers late |" in text
    assert "cron 3 %" in text


def test_a_phase_with_a_refusal_has_no_cost_of_a_call() -> None:
    phases = _phase(10), _phase(25, why="3 of 25 offered calls were refused", refused=3)
    text = render(_run(), [_stage(*phases)])
    assert "| product | talk x25 | 3 of 25 offered calls were refused |" in text
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| 25 | 22 |")]
    (row,) = rows
    assert row[-1] == "NO |"
    assert row[11] == "-"  # per call-second
    assert fits(_stage(*phases)) == {}
    assert verdicts([_stage(*phases)], {})[-1].measured == "10"


def test_prose_around_the_table_stays(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text(f"# Before\n\n{BEGIN}\nold\n{END}\n\nAfter.\n", "utf-8")
    write_between_markers(document, "new")
    text = document.read_text("utf-8")
    assert text.startswith("# Before\n")
    assert text.endswith("\n\nAfter.\n")
    assert "new" in text
    assert "old" not in text
    write_between_markers(document, "newer")
    assert document.read_text("utf-8") == text.replace("new", "newer")


def test_a_lost_end_marker_loses_nothing(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text(f"# Before\n{BEGIN}\nold\nAfter.\n", "utf-8")
    with pytest.raises(ValueError, match="put the end marker back"):
        write_between_markers(document, "new")
    assert "After." in document.read_text("utf-8")


def test_parts_choose_stages_and_limits_choose_phases() -> None:
    assert {stage.lags for stage in full_plan(frozenset({"calls"}))} == {TYPICAL}
    shortened = limited(full_plan(frozenset({"overhead", "fit"})), 10, 0.5)
    assert max(phase.calls for stage in shortened for phase in stage.phases) == 10
    assert all(stage.phases for stage in shortened)
    assert quick_plan(frozenset({"fit"})) == []
