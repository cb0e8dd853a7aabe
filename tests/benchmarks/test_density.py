from __future__ import annotations

import os
from typing import Any

import pytest

from benchmarks.cores import halves, pinned
from benchmarks.density.__main__ import parse_options
from benchmarks.density.plan import PARTS, STEPS, Wanted
from benchmarks.density.report import render
from benchmarks.density.verdicts import verdicts
from benchmarks.phase import PhaseResult
from benchmarks.plan import PhasePlan, StagePlan
from benchmarks.process_cost import CALL_ACTORS, GROUPS, HAPROXY, INGRESS, CpuUse
from benchmarks.results import StageResult
from benchmarks.turns import Turn, figures

RUN = {
    "command": "python -m benchmarks.density",
    "machine": {"date": "today", "cores": 2, "cpu": "slow", "python": "3.11", "ray": "2.60"},
    "cores": [[1], [0]],
    "before": {"load_average": [0.1], "pace_ms": 30.0},
    "after": {"load_average": [0.9], "pace_ms": 31.0},
    "took_s": 600,
}


def _step(
    plan: PhasePlan, *, call_ms: float, why: str = "", late_s: float = 0.01, frame_ms: float = 55.0
) -> PhaseResult:
    used_s = dict.fromkeys(GROUPS, 0.0)
    used_s[HAPROXY] = 0.001 * plan.calls * 10
    used_s[INGRESS] = (0.1 + call_ms / 1_000 * plan.calls) * 10 - used_s[HAPROXY]
    memory = dict.fromkeys(GROUPS, 0.0) | {
        INGRESS: 200.0 + 0.1 * plan.calls,
        CALL_ACTORS: 100.0 + 0.05 * plan.calls,
    }
    spoken = Turn("caller", "heard", {"committed": 0.5, "first_frame_out": 0.5 + late_s})
    load = {
        "counts": {"calls_admitted": plan.calls},
        "all_admitted": True,
        "distributions": {
            "first_frame": {"count": 9, "p50_ms": 20.0, "p95_ms": frame_ms, "max_ms": 78.0},
            "greeting": {"count": 9, "p50_ms": 50.0, "p95_ms": 85.0, "max_ms": 98.0},
        },
    }
    cpu = CpuUse(10.0, used_s, used_s[INGRESS] * 0.8)
    lag_s = {"ingress": {"0.5": 0.001, "0.95": 0.003, "0.99": 0.004}}
    turns = figures([spoken]) if plan.kind == "talk" else None
    return PhaseResult(plan, why, cpu, memory, load, turns, loop_lag_s=lag_s)


def _run(plan: StagePlan, **of_steps: Any) -> StageResult:
    return StageResult(plan, [_step(each, **of_steps) for each in plan.phases])


def _verdicts(**of_steps: float) -> dict[str, str]:
    plans = Wanted(("deepgram",), cores=(frozenset({1}), frozenset({0}))).plans()
    stages = [_run(plan, **{"call_ms": 9.0, **of_steps}) for plan in plans]
    return {verdict.figure: verdict.verdict for verdict in verdicts(stages)}


def test_every_figure_of_a_good_product_is_reached() -> None:
    found = _verdicts()
    assert len(found) == 5
    assert set(found.values()) == {"reached"}


@pytest.mark.parametrize(
    ("worse", "figure"),
    [
        ({"call_ms": 16.0}, "CPU of the server"),
        ({"late_s": 0.03}, "turn decided to first frame"),
        ({"frame_ms": 61.0}, "call placed to first greeting frame"),
    ],
)
def test_what_misses_its_target_is_named(worse: dict[str, float], figure: str) -> None:
    missed = [name for name, verdict in _verdicts(**worse).items() if verdict == "NOT reached"]
    assert len(missed) == 1
    assert missed[0].startswith(figure)


def test_a_step_that_does_not_count_reaches_nothing_and_says_why() -> None:
    plan = Wanted(("azure",), frozenset({"overhead"}), (1, 50)).plans()[0]
    stage = _run(plan, call_ms=9.0, why="the callers were late")
    assert [v.verdict for v in verdicts([stage])] == ["NOT VALID: the callers were late"]
    text = render(RUN, [stage])
    assert "- 50 calls: the callers were late" in text


def test_the_tables_tell_what_a_further_call_costs_part_by_part() -> None:
    plan = Wanted(("deepgram",), frozenset({"cpu", "setup"}), (1, 10, 20)).plans()[0]
    text = render(RUN, [_run(plan, call_ms=9.0)])
    assert "the product on core 1, callers and emulators on core 0" in text
    assert "| server | 9.00 | 100.0 | 1.00 |" in text
    assert "| HAProxy | 1.00 |" in text
    assert "| the first four | 0.00 | 0.00 | 1.00 | 150.0 |" not in text
    assert "150.0 | 300.0 | 1.00 |" in text  # kB for each further call, MB at rest
    assert "| call placed to first greeting frame | 9 | 20.0 | 55.0 | 78.0 | yes |" in text
    assert "| call placed to greeting audible | 9 | 50.0 | 85.0 | 98.0 | yes |" in text


def test_a_product_that_did_not_start_is_told() -> None:
    plan = Wanted(("deepgram",), frozenset({"lag"})).plans()[0]
    text = render(RUN, [StageResult(plan, failure="no port\n  | a log")])
    assert "Did not run: no port" in text


def test_steps_and_parts_can_be_chosen() -> None:
    options = ["--no-pin", "--recognisers", "azure", "--parts", "cpu", "--steps", "2,4"]
    wanted = parse_options(options).wanted
    (plan,) = wanted.plans()
    assert plan.recogniser == "azure"
    assert [phase.calls for phase in plan.phases] == [0, 2, 4]
    quick = parse_options(["--no-pin", "--quick"]).wanted.plans()
    assert [plan.recogniser for plan in quick] == ["deepgram"]


@pytest.mark.parametrize(
    "wrong", [["--parts", "all"], ["--recognisers", "whisper"], ["--steps", "0"], ["--set", "X"]]
)
def test_what_makes_no_sense_is_refused(wrong: list[str]) -> None:
    with pytest.raises(SystemExit):
        parse_options(["--no-pin", *wrong])


def test_every_part_has_a_product() -> None:
    names = [plan.name for plan in Wanted().plans()]
    assert len(names) == len(set(names)) == 3 * len(STEPS)
    assert len(PARTS) == 4


def test_a_process_started_inside_is_pinned_and_we_are_not() -> None:
    before = os.sched_getaffinity(0)
    some = frozenset(sorted(before)[:1])
    with pinned(some):
        assert os.sched_getaffinity(0) == some
    assert os.sched_getaffinity(0) == before
    with pinned(frozenset()):
        assert os.sched_getaffinity(0) == before
    if len(before) > 1:
        product, others = halves()
        assert product | others == before
        assert not product & others
