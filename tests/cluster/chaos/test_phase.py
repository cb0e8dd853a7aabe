"""What belongs to which fault of an act, once all of its calls are over."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest

from cluster.chaos.faults import BY_NAME
from cluster.chaos.phase import SAYING_GOODBYE_S, _complete
from cluster.chaos.result import PhaseResult
from cluster.chaos.turns import RecordedCall
from tests.cluster.chaos.samples import PLACED_AT, recorded, turn


def call(ended_after_s: float) -> RecordedCall:
    return recorded((), (), duration_s=ended_after_s)


def phase(role: str, fault: str, from_s: float, until_s: float) -> PhaseResult:
    return PhaseResult(role, BY_NAME[fault], PLACED_AT + from_s, PLACED_AT + until_s)


def test_a_turn_counts_for_the_fault_in_which_its_caller_finished() -> None:
    first, second = phase("think", "hang", 10, 20), phase("speak", "hang", 25, 35)
    turns = [turn(ended_at=PLACED_AT + at) for at in (9.9, 10.0, 19.9, 20.0, 24.0, 30.0)]
    for result in (first, second):
        _complete(result, [], turns, [])
    assert len(first.turns) == len(first.struck) == 2
    assert len(second.turns) == 1


def test_who_is_left_of_another_kind_of_work_is_another_story() -> None:
    at = datetime.fromtimestamp(PLACED_AT + 12)  # noqa: DTZ006 - as logs are
    said = f"{at:%Y-%m-%d %H:%M:%S},000 INFO providers.health.view: "
    logs = [
        ("a", said + "azure/stt.open/// is left, as seen here: unavailable"),
        ("b", said + "openai/llm.ttft//m/ is left, as seen here: silent"),
    ]
    ears, everybody = phase("recognise", "kill", 10, 20), phase("everything", "down", 10, 20)
    for result in (ears, everybody):
        _complete(result, [], [], logs)
    assert [known.unit for known in ears.known] == ["azure/stt///"]
    assert len(everybody.known) == 2


def test_a_call_that_ends_for_a_fault_may_end_a_little_after_it() -> None:
    result = phase("everything", "down", 10, 50)
    ends = (5.0, 10.0, 49.0, 50.0 + SAYING_GOODBYE_S - 1, 50.0 + SAYING_GOODBYE_S)
    _complete(result, [call(at) for at in ends], [], [])
    assert len(result.calls) == 3


def test_requests_are_those_of_the_fault_and_a_healthy_while_has_none() -> None:
    result = phase("think", "hang", 10, 20)
    result.requests_before = Counter({("think", "first"): 100, ("think", "hedge"): 9})
    result.requests_after = Counter({("think", "first"): 150, ("think", "hedge"): 12})
    _complete(result, [], [], [])
    assert result.extra_percent == pytest.approx(6.0)
    healthy = PhaseResult(from_at=PLACED_AT, until_at=PLACED_AT + 5)
    _complete(healthy, [], [turn(ended_at=PLACED_AT + 1)], [])
    assert (len(healthy.turns), healthy.extra_percent) == (1, None)
