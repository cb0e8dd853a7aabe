"""No check can raise, hang or hold up another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from cluster.doctor.examination import Check, examine, examine_all, in_thread
from cluster.doctor.finding import Finding, fail, ok
from cluster.doctor.place import Place
from tests.support.virtual_time import run

PLACE = Place(settings=None)


async def good(_place: Place) -> Sequence[Finding]:
    return [ok("a thing", "there")]


async def bad(_place: Place) -> Sequence[Finding]:
    raise ValueError("what the check did not think of")


async def hangs(_place: Place) -> Sequence[Finding]:
    await asyncio.get_running_loop().create_future()
    return []


def test_the_report_has_the_order_of_the_checks() -> None:
    async def slow(place: Place) -> Sequence[Finding]:
        await asyncio.sleep(3)
        return await good(place)

    examined = run(examine_all([Check("slow", slow), Check("quick", good)], PLACE))
    assert [part.title for part in examined] == ["slow", "quick"]
    assert examined[0].findings == (ok("a thing", "there"),)


def test_a_check_that_breaks_or_hangs_is_a_warning_and_the_others_go_on() -> None:
    checks = [Check("breaks", bad), Check("hangs", hangs, timeout_s=5), Check("good", good)]
    breaks, hung, fine = run(examine_all(checks, PLACE))
    assert breaks.findings[0].status == "warn"
    assert "ValueError: what the check did not think of" in breaks.findings[0].found
    assert hung.findings[0].status == "warn"
    assert hung.findings[0].found == "no answer within 5 s"
    assert fine.findings[0].status == "ok"


def test_offline_nothing_is_asked_of_the_network() -> None:
    place = Place(settings=None, is_offline=True)
    far, near = run(
        examine_all([Check("far", bad, needs_network=True), Check("near", good)], place)
    )
    assert (far.findings[0].status, far.findings[0].found) == ("skipped", "--offline")
    assert near.findings[0].status == "ok"


def test_a_failure_of_a_thread_comes_out_where_it_is_waited_for() -> None:
    def work() -> str:
        raise OSError("no such disk")

    async def body() -> None:
        with pytest.raises(OSError, match="no such disk"):
            await in_thread(work)
        assert await in_thread(lambda: threading.current_thread().daemon)

    asyncio.run(body())


def test_a_thread_that_never_ends_keeps_nobody_waiting() -> None:
    forever = threading.Event()

    async def stuck(_place: Place) -> Sequence[Finding]:
        await in_thread(forever.wait)
        return [fail("never", "")]

    (part,) = examine([Check("stuck", stuck, timeout_s=0.01)], PLACE)
    assert part.findings[0].found.startswith("no answer within")
    forever.set()
