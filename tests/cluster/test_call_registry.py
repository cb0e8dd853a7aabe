"""Who is on the line in one replica; on virtual time."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from actors.call_driver import CallEnd
from cluster import admission
from cluster.admission import Capacity
from cluster.call_registry import CallRegistry, LiveCall
from tests.support.virtual_time import run


class Driver:
    """Runs until it is told to end."""

    def __init__(self, error: Exception | None = None) -> None:
        self.ended: asyncio.Future[CallEnd] = asyncio.get_running_loop().create_future()
        self.error = error

    async def run(self) -> CallEnd:
        end = await self.ended
        if self.error is not None:
            raise self.error
        return end

    def shut(self, reason: str, close_code: int) -> None:
        self.ended.set_result(CallEnd(False, reason, close_code))

    def hang_up(self, reason: str, farewell: str | None) -> None:
        asyncio.get_running_loop().call_later(3.0, self.ended.set_result, CallEnd(True, reason))


def registry(maximum: int = 2) -> tuple[CallRegistry, list[tuple[str, CallEnd]]]:
    ends: list[tuple[str, CallEnd]] = []
    return CallRegistry(maximum, lambda call, end: ends.append((call.call_id, end))), ends


def begin(calls: CallRegistry, number: int, epoch: int = 1, driver: Any = None) -> LiveCall:
    return calls.begin(f"CA{number}", f"call-{number}", (0, epoch), driver or Driver())


def test_counts_what_is_on_the_line() -> None:
    async def scene() -> None:
        calls, ends = registry()
        first = begin(calls, 1)
        assert (len(calls), calls.full) == (1, False)
        begin(calls, 2)
        assert calls.full
        assert calls.owner_of("CA1") is first
        first.driver.shut("over", 1000)
        await asyncio.sleep(0)
        await asyncio.sleep(0.1)
        assert len(calls) == 1
        assert calls.owner_of("CA1") is None
        assert [call_id for call_id, _ in ends] == ["call-1"]

    run(scene())


def test_a_newer_stream_shuts_the_older_one_and_keeps_the_place() -> None:
    async def scene() -> None:
        calls, ends = registry(1)
        older = begin(calls, 1, epoch=1)
        newer = begin(calls, 1, epoch=2)
        await asyncio.sleep(0.1)
        assert older.task.result() == CallEnd(False, "newer_stream", 1000)
        assert calls.owner_of("CA1") is newer
        assert len(calls) == 1
        assert len(ends) == 1

    run(scene())


def test_only_an_older_stream_of_a_call_that_another_replica_has_is_shut() -> None:
    async def scene() -> None:
        calls, _ends = registry()
        first, second = begin(calls, 1, epoch=5), begin(calls, 2, epoch=5)
        for call in (first, second):
            call.driver.mind = SimpleNamespace(epoch=call.epoch)
        calls.overtaken("call-1", (0, 5))
        calls.overtaken("call-2", (0, 4))
        calls.overtaken("call-3", (1, 9))
        await asyncio.sleep(0.1)
        assert len(calls) == 2
        calls.overtaken("call-2", (1, 1))
        await asyncio.sleep(0.1)
        assert second.task.result() == CallEnd(False, "owned_elsewhere", 1000)
        assert calls.owner_of("CA1") is first

    run(scene())


def test_a_driver_that_breaks_is_told_as_an_end(caplog: Any) -> None:
    async def scene() -> None:
        calls, ends = registry()
        call = begin(calls, 1, driver=Driver(ValueError("a bug")))
        call.driver.shut("x", 1000)
        await asyncio.sleep(0.1)
        assert ends == [("call-1", CallEnd(False, "internal: ValueError", 1011))]
        assert len(calls) == 0

    run(scene())
    assert "call call-1 failed" in caplog.text


def test_draining_waits_for_the_goodbyes_but_not_for_ever() -> None:
    async def scene() -> None:
        calls, ends = registry()
        begin(calls, 1)
        begin(calls, 2)
        now = asyncio.get_running_loop().time
        began = now()
        await calls.drain(None, 10.0)
        assert now() - began <= 3.1
        assert [end.reason for _, end in ends] == ["shutting_down"] * 2
        slow = begin(calls, 3)
        began = now()
        await calls.drain(None, 1.0)
        assert now() - began <= 1.1
        assert not slow.task.done()
        await calls.drain(None, 0.1)
        slow.task.cancel()

    run(scene())


def test_who_comes_to_a_replica_as_it_leaves_goes_elsewhere_and_is_not_hung_up_on() -> None:
    async def scene() -> None:
        calls, ends = registry()
        begin(calls, 1)
        await calls.leave("replica_retires", 1012, 5.0)
        assert ends == [("call-1", CallEnd(False, "replica_retires", 1012))]
        assert len(calls) == 0
        assert calls.full, "the next one is told to ask elsewhere"
        await calls.drain(None, 1.0)
        assert len(ends) == 1

    run(scene())


def test_a_call_comes_in_or_is_told_why_not() -> None:
    room = Capacity(
        ready=True,
        draining=False,
        cluster_active=3,
        cluster_capacity=10,
        cluster_minds=10,
        free_slots=4,
    )
    table = {
        "": {},
        "draining": {"draining": True, "ready": False},
        "starting": {"ready": False},
        "descriptors_short": {"descriptors_short": True},
        "actors_full": {"free_slots": 0},
        "replicas_full": {"free_slots": 0, "cluster_minds": 20},
    }
    for answer, facts in table.items():
        assert admission.refusal(_with(room, **facts)) == answer
    assert admission.refusal(_with(room, free_slots=0, directory_away=True)) == ""
    older = _with(room, free_slots=0, cluster_minds=0)
    assert admission.refusal(older) == "actors_full"
    assert admission.refusal(_with(older, cluster_active=10)) == "replicas_full"


def _with(room: Capacity, **facts: Any) -> Capacity:
    from dataclasses import replace

    return replace(room, **facts)
