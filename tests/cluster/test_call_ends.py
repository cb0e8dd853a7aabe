"""The carrier says that a call is over, whatever its driver believes; on virtual time."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from actors.call_parts import CallEnd, LiveDriver
from actors.metrics_counts import EventCounts
from actors.wire import CallState, CloseCall, OpenCall
from cluster.call_ends import CallEnds
from cluster.call_recall import CallRecall, nothing_recalled
from cluster.call_registry import CallRegistry
from cluster.edge_parts import EdgeParts
from telemetry.ledger import MetricsLedger
from telephony.stream_token import StreamClaims
from tests.support import virtual_time
from tests.support.local_mind_pool import LocalMindPool
from tests.support.scripted_call import AGENT

CLAIMS = StreamClaims("action", "t1", "a1", "call-1", "CA1", "ann", 0, 10, 99, "id")


class Leaving:
    """The driver of a call that tells its mind how it ended, which takes a while.

    Args:
        pool: The minds.
        is_too_late: It has found its socket closed, and does not change its mind any more.
    """

    def __init__(self, pool: LocalMindPool, *, is_too_late: bool) -> None:
        self._pool = pool
        self._is_too_late = is_too_late
        self._end = CallEnd(False, "stream_lost: closed with 1006")

    async def run(self) -> CallEnd:
        await asyncio.sleep(0.5)
        end = self._end
        message = CloseCall("t1", "call-1", (0, 10), end.planned, end.reason)
        await self._pool.close_call("ann", message)
        await asyncio.sleep(0.5)
        return end

    def carrier_ended(self, state: str) -> None:
        if not self._is_too_late:
            self._end = CallEnd(True, f"carrier_{state}")


async def ended(*, is_too_late: bool) -> tuple[CallState, list[tuple[str, bool, str]]]:
    pool = LocalMindPool({"a1": AGENT}, {}, names=("ann",))
    await pool.open_call("ann", OpenCall("t1", "a1", "v1", "call-1", "CA1", (0, 10), "token"))
    parts = EdgeParts(
        agents={},
        call_parts={},
        pool=pool,
        wall_clock_us=lambda: 1,
        counts=EventCounts(MetricsLedger("door", 1)),
        cluster_view=lambda: None,
        planned_end=cast(Any, None),
    )
    registry = CallRegistry(9, lambda _call, _end: None)
    ends = CallEnds(parts, registry, CallRecall(pool, nothing_recalled, 1.0), 1.0)
    driver = cast(LiveDriver, Leaving(pool, is_too_late=is_too_late))
    registry.begin("CA1", "call-1", (0, 10), driver, CLAIMS)
    await asyncio.sleep(0.1)
    await ends.carrier_ended(CLAIMS, "completed", "caller_hung_up")
    state = await pool.call_state("ann", "call-1")
    await pool.aclose()
    return state, pool.homes["ann"].recorder.closed


@pytest.mark.parametrize(
    ("is_too_late", "reason"), [(True, "caller_hung_up"), (False, "carrier_completed")]
)
def test_a_caller_who_hangs_up_has_ended_the_call_though_its_driver_lost_the_stream(
    is_too_late: bool, reason: str
) -> None:
    state, closed = virtual_time.run(ended(is_too_late=is_too_late))
    assert state.planned_end
    assert closed == [("call-1", True, reason)], "told once, as it was"
