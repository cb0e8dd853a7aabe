"""Who is on the phone where, so that a strike meets somebody, and says so when it does not.

A call is on a node when its stream is in an ingress replica there. Those whose CallActor is there
and whose stream is not are struck, too, but do not count here: nothing outside Ray tells them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any

from cluster.survival.nodes import HEAD
from cluster.survival.plan import SurvivalPlan

CALLED_WITHIN_S = 120.0
_LOOK_EVERY_S = 0.5

Reports = Iterable[Mapping[str, Any]]


def calls_of(report: Mapping[str, Any]) -> int:
    """Calls that an ingress replica carries, by what it says of itself."""
    return int(report.get("active_calls", 0))


def calls_by_node(reports: Reports, processes: Mapping[int, Collection[int]]) -> dict[int, int]:
    """Calls on each node.

    Args:
        reports: Of ingress replicas.
        processes: Process ids by node.
    """
    found = dict.fromkeys(processes, 0)
    for report in reports:
        for node, pids in processes.items():
            if report.get("pid") in pids:
                found[node] += calls_of(report)
    return found


def most_called(calls: Mapping[int, int]) -> int:
    """The node with most calls, of those that are not the head, which is another subject."""
    return max((node for node in calls if node != HEAD), key=lambda node: (calls[node], -node))


def enough(plan: SurvivalPlan) -> int:
    """Calls that a strike on a node is to meet: half of an even share of a replica, at least."""
    return max(1, plan.calls // (2 * plan.replicas))


async def until_called(
    look: Callable[[], Awaitable[Mapping[int, int]]],
    wanted: int,
    tell: Callable[[str], None],
    within_s: float = CALLED_WITHIN_S,
) -> int:
    """Wait until some node has ``wanted`` calls; the node that has most of them then.

    After a fault that node has just been started again, and the calls of before are elsewhere.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while True:
        calls = await look()
        node, left_s = most_called(calls), deadline - loop.time()
        if calls[node] >= wanted or left_s <= 0:
            return node
        tell(f"until calls have come to node {node}: {calls[node]} of {wanted}, {left_s:.0f} s")
        await asyncio.sleep(min(_LOOK_EVERY_S, left_s))
