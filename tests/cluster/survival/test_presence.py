"""Who is on the phone on a node before it is struck."""

from __future__ import annotations

import asyncio

import pytest

from cluster.survival.faults import BY_NAME
from cluster.survival.plan import SurvivalPlan
from cluster.survival.presence import (
    CALLED_WITHIN_S,
    calls_by_node,
    enough,
    most_called,
    until_called,
)
from cluster.survival.stage import node_environment
from tests.support import virtual_time

PIDS = {0: {10, 11}, 1: {20, 21}, 2: {30}}


def test_a_call_is_on_the_node_whose_replica_has_it() -> None:
    reports = [
        {"pid": 11, "active_calls": 9},
        {"pid": 20, "active_calls": 2},
        {"pid": 21, "active_calls": 3},
        {"pid": 99, "active_calls": 7},  # one that has just died
    ]
    assert calls_by_node(reports, PIDS) == {0: 9, 1: 5, 2: 0}
    assert calls_by_node([], PIDS) == {0: 0, 1: 0, 2: 0}


def test_the_head_is_not_struck_and_of_the_others_the_busiest_is() -> None:
    assert most_called({0: 9, 1: 1, 2: 4}) == 2
    assert most_called({0: 9, 1: 0}) == 1
    assert most_called({0: 9, 1: 0, 2: 0}) == 1


@pytest.mark.parametrize(("calls", "wanted"), [(20, 5), (8, 2), (4, 1), (1, 1)])
def test_half_of_what_a_replica_would_have_is_enough(calls: int, wanted: int) -> None:
    assert enough(SurvivalPlan(calls=calls)) == wanted


def waited(calls_at: dict[float, int], wanted: int) -> tuple[int, float, list[str]]:
    """The node, how long that took, and what was told; calls on node 1 from these times on."""
    said: list[str] = []

    async def scene() -> tuple[int, float]:
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def look() -> dict[int, int]:
            now = loop.time() - began
            return {0: 8, 1: max(count for at, count in calls_at.items() if at <= now)}

        return await until_called(look, wanted, said.append), loop.time() - began

    return (*virtual_time.run(scene()), said)


def test_a_node_that_has_just_returned_is_struck_once_calls_have_come_to_it() -> None:
    assert waited({0.0: 2}, 2) == (1, 0.0, [])
    node, took_s, said = waited({0.0: 0, 3.0: 1, 7.2: 2}, 2)
    assert node == 1
    assert took_s == pytest.approx(7.5)
    assert said[0] == "until calls have come to node 1: 0 of 2, 120 s"
    assert "1 of 2" in said[-1]


def test_calls_that_never_come_are_not_waited_for_without_end() -> None:
    _, took_s, _ = waited({0.0: 1}, 2)
    assert took_s == pytest.approx(CALLED_WITHIN_S)


@pytest.mark.parametrize(
    ("fault", "nodes", "a_node"), [("node-kill", 2, 1), ("node-drain", 3, 1), ("deploy", 2, 2)]
)
def test_a_replica_goes_where_the_next_strike_looks_for_it(
    fault: str, nodes: int, a_node: int
) -> None:
    """A node that returns gets its replica back, or its successor is on a node of its own."""
    at = tuple(f"10.0.0.{number}" for number in range(nodes))
    told = node_environment(at, "10.0.0.9", SurvivalPlan(faults=(BY_NAME[fault],)))
    assert told["CALLCLUSTER_MAX_REPLICAS_PER_NODE"] == str(a_node)
