"""What the benchmark of relayed calls makes of its figures."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.process_cost import CALL_ACTORS, GROUPS, HAPROXY, INGRESS, CpuUse
from benchmarks.relay import Level, relay_plan, render
from benchmarks.relay_tally import Tally

RUN: dict[str, Any] = {
    "machine": {"date": "d", "cores": 2, "cpu": "c", "python": "3.11", "ray": "2.60"},
    "period_s": 10.0,
    "window_s": 20.0,
    "replicas": 1,
    "actors": 2,
    "speculate": False,
    "emulators_alone": {"first_token": {"p50_ms": 2.5}},
    "before": {"load_average": [0.1]},
    "command": "python -m benchmarks.relay",
}


def level(calls: int, **changes: object) -> Level:
    tally = Tally()
    tally.answers_s += [0.010, 0.020, 0.030]
    tally.late_s += [0.001]
    told = {**tally.report(calls), **changes}
    cpu = CpuUse(10.0, {**dict.fromkeys(GROUPS, 0.0), INGRESS: 0.01 * calls}, 0.0)
    memory = {**dict.fromkeys(GROUPS, 1.0), INGRESS: 100 + 0.2 * calls}
    return Level(calls, told, cpu, memory, 30.0)


def test_a_number_counts_when_all_calls_stayed_and_the_callers_were_punctual() -> None:
    assert level(100).why_invalid == ""


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"up": 99}, "99 of 100 calls were up"),
        ({"unanswered": 2}, "2 prompts"),
        ({"lost": {"closed with 1011": 1}}, "lost"),
        ({"late": {"p99_ms": 5.1}}, "5.1 ms late"),
        ({"late": {"p99_ms": None}}, "late"),
    ],
)
def test_a_number_that_does_not_count_says_why(changes: dict[str, object], why: str) -> None:
    assert why in level(100, **changes).why_invalid


def test_the_cost_of_a_further_call_is_drawn_through_what_counts() -> None:
    levels = [level(100), level(400), level(1_000, up=999)]
    text = render(RUN, levels)
    assert "**1.00 ms of CPU a second**" in text
    assert "**200 kB**" in text
    assert "2 numbers of calls" in text
    assert "999 of 1000 calls were up" in text
    assert "further call" not in render(RUN, levels[:1])
    assert levels[0].cpu_ms_per_s(INGRESS, CALL_ACTORS, HAPROXY) == pytest.approx(100.0)


def test_the_product_has_room_for_the_calls() -> None:
    plan = relay_plan(1_000, actors=3, replicas=2, speculate=False)
    settings = plan.environment
    assert int(settings["CALLCLUSTER_CALLS_PER_ACTOR"]) * 3 > 1_000
    assert int(settings["CALLCLUSTER_CALLS_PER_REPLICA"]) * 2 > 1_000
    assert (plan.agents, settings["CALLCLUSTER_DEFAULT_AGENT"]) == ("relay", "relay")
