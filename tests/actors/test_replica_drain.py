"""How a replica that retires loses its calls: they end, go between two turns, or are cut."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.replica_drain import DrainTimes, ReplicaDrain
from actors.replica_drain_driver import CLOSE_CODE, CLOSED_BECAUSE, ReplicaDrainDriver
from tests.support.virtual_time import run as run_virtual

TIMES = DrainTimes(wait_s=60.0, move_s=30.0, least_s=10.0, moves_a_second=2.0)


def retired(at: float = 0.0) -> ReplicaDrain:
    drain = ReplicaDrain(TIMES)
    assert drain.retire(now=at)
    return drain


def test_a_replica_that_stays_is_left_alone() -> None:
    drain = ReplicaDrain(TIMES)
    assert not drain.is_retiring
    step = drain.look(["1"], now=1_000.0)
    assert (step.move, step.close, step.is_over) == ((), (), False)
    assert drain.phase(now=1_000.0) == "serving"


def test_calls_may_end_by_themselves_first_and_to_retire_twice_gives_no_more_time() -> None:
    drain = retired()
    assert not drain.retire(now=50.0)
    assert drain.look(["1"], now=59.9).move == ()
    assert drain.phase(now=59.9) == "waiting"
    assert drain.look(["1"], now=60.0).move == ("1",)
    assert drain.phase(now=60.0) == "moving"


def test_they_are_asked_one_after_another_and_each_once() -> None:
    drain, calls = retired(), [str(number) for number in range(6)]
    asked = [drain.look(calls, now=60.0 + tenth / 10).move for tenth in range(40)]
    assert asked[0] == ("0",)
    assert [call for step in asked for call in step] == calls
    assert all(len(step) <= 1 for step in asked)
    assert sum(len(step) for step in asked[:11]) == 3  # two a second


def test_a_long_pause_between_two_looks_asks_no_more_than_a_second_allows() -> None:
    drain, calls = retired(), [str(number) for number in range(9)]
    drain.look(calls, now=60.0)
    assert len(drain.look(calls, now=90.0).move) == 2


def test_who_finds_no_pause_is_cut_once() -> None:
    drain = retired()
    assert drain.look(["1"], now=60.0).move == ("1",)
    assert drain.look(["1"], now=89.9).close == ()
    assert drain.look(["1"], now=90.0).close == ("1",)
    assert drain.look(["1"], now=91.0).close == ()
    assert not drain.look(["1"], now=91.0).is_over


def test_it_is_over_when_nobody_is_left_but_not_before_others_know() -> None:
    drain = retired()
    assert not drain.look([], now=9.9).is_over
    assert not drain.look(["late"], now=10.0).is_over
    assert drain.look([], now=10.1).is_over
    assert drain.look([], now=11.0).is_over
    assert drain.phase(now=11.0) == "over"


def test_without_a_wait_calls_are_asked_at_once() -> None:
    drain = ReplicaDrain(DrainTimes(wait_s=0.0))
    drain.retire(now=5.0)
    assert drain.look(["1"], now=5.0).move == ("1",)


def test_a_call_that_comes_back_is_asked_again_and_cut_again() -> None:
    drain = retired()
    assert drain.look(["1"], now=60.0).move == ("1",)
    assert drain.look([], now=60.2).is_over is True

    drain = retired()
    assert drain.look(["1", "2"], now=60.0).move == ("1",)
    assert drain.look(["2"], now=61.0).move == ("2",)  # the first one has gone
    assert drain.look(["1", "2"], now=80.0).move == ("1",)  # and was sent here once more
    assert drain.look(["1", "2"], now=91.0).close == ("2",)
    assert drain.look(["1"], now=110.0).close == ("1",)
    assert drain.look([], now=110.2).is_over


def test_one_that_must_be_gone_by_a_time_begins_to_move_so_much_earlier() -> None:
    drain = retired()
    assert not drain.retire(now=1.0, within_s=70.0)  # 30 s of which are for finding a pause
    assert drain.look(["1"], now=40.9).move == ()
    assert not drain.retire(
        now=40.0, within_s=1_000.0
    )  # more time than was said takes nothing back
    assert drain.look(["1"], now=41.0).move == ("1",)
    assert drain.phase(now=41.0) == "moving"


def test_in_whatever_haste_nobody_is_asked_before_others_know() -> None:
    drain = ReplicaDrain(DrainTimes(wait_s=0.0, settle_s=3.0))
    drain.retire(now=5.0, within_s=2.0)
    assert drain.look(["1"], now=7.9).move == ()
    assert drain.look(["1"], now=8.0).move == ("1",)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.floats(0.05, 20.0)), max_size=60)
)
def test_whoever_stays_is_asked_and_cut_and_nobody_keeps_the_replica(
    comings: list[tuple[str, bool, float]],
) -> None:
    """Calls come, go by themselves and come back at any time; each stay is treated by itself."""
    drain, now, here = retired(), 50.0, {"who stays"}
    asked: set[str] = set()
    cut: set[str] = set()

    def look() -> bool:
        step = drain.look(sorted(here), now=now)
        assert now >= TIMES.wait_s or not step.move
        assert not asked & set(step.move)
        assert set(step.close) <= asked - cut
        asked.update(step.move)
        cut.update(step.close)
        return step.is_over

    for who, comes, wait_s in comings:
        (here.add if comes else here.discard)(who)
        asked, cut = asked & here, cut & here
        if look():
            assert not here
            return
        now += wait_s
    over = False
    for _ in range(200):  # nobody comes any more, and nobody goes who is not cut
        over = look()
        here -= cut
        asked, cut = asked & here, cut & here
        now += 1.0
    assert over


# --- the driver ---------------------------------------------------------------------------------


class Caller:
    """A call that leaves when it is asked, unless it never finds a pause."""

    def __init__(self, world: World, call_id: str, *, is_talkative: bool = False) -> None:
        self._world = world
        self._call_id = call_id
        self._is_talkative = is_talkative
        self.closed: list[tuple[str, int]] = []
        world.calls[call_id] = self

    def go_elsewhere(self) -> None:
        self._world.asked.append(self._call_id)
        if not self._is_talkative:
            del self._world.calls[self._call_id]

    def shut(self, reason: str, close_code: int) -> None:
        self.closed.append((reason, close_code))
        del self._world.calls[self._call_id]


class World:
    """A replica with calls, and when it ended."""

    def __init__(self) -> None:
        self.calls: dict[str, Caller] = {}
        self.asked: list[str] = []
        self.ended_at: list[float] = []
        self.roads: dict[str, str] = {}
        self.driver = ReplicaDrainDriver(TIMES, lambda: self.calls, self.leave, lambda: self.roads)

    async def leave(self) -> None:
        self.ended_at.append(asyncio.get_running_loop().time())
        await self.driver.aclose()  # as whoever ends a replica does, whatever has ended it


def test_calls_leave_between_two_turns_and_the_process_ends_after_the_last() -> None:
    async def run() -> None:
        world = World()
        Caller(world, "1")
        loud = Caller(world, "2", is_talkative=True)
        await asyncio.sleep(100.0)
        assert not world.asked
        began = asyncio.get_running_loop().time()
        world.driver.retire()
        world.driver.retire()
        assert world.driver.is_retiring
        await asyncio.sleep(TIMES.wait_s + 2.0)
        assert world.asked == ["1", "2"]
        assert list(world.calls) == ["2"]
        await asyncio.sleep(TIMES.move_s)
        assert loud.closed == [(CLOSED_BECAUSE, CLOSE_CODE)]
        (ended_at,) = world.ended_at
        assert TIMES.wait_s + TIMES.move_s <= ended_at - began < TIMES.wait_s + TIMES.move_s + 2.0

    run_virtual(run())


def test_a_call_that_cannot_be_asked_keeps_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Caller):
        def go_elsewhere(self) -> None:
            raise RuntimeError("no")

    async def run() -> None:
        world = World()
        broken = Broken(world, "1")
        Caller(world, "2")
        world.driver.retire()
        await asyncio.sleep(TIMES.wait_s + 2.0)
        assert (world.asked, list(world.calls)) == (["2"], ["1"])
        await asyncio.sleep(TIMES.move_s)
        assert broken.closed
        assert world.ended_at

    run_virtual(run())
    assert "RuntimeError" in caplog.text


def test_somebody_else_may_end_the_process_meanwhile() -> None:
    async def run() -> None:
        world = World()
        Caller(world, "1")
        world.driver.retire()
        await asyncio.sleep(1.0)
        await world.driver.aclose()
        await asyncio.sleep(1_000.0)
        assert (world.asked, world.ended_at) == ([], [])

    run_virtual(run())


def test_calls_that_come_through_a_node_that_goes_are_moved_and_the_replica_stays() -> None:
    async def run() -> None:
        world = World()
        for name, road in (("1", "here"), ("2", "there"), ("3", "there")):
            Caller(world, name)
            world.roads[name] = road
        for _ in range(3):
            world.driver.leave_roads({"there": None})
        assert world.driver.calls_by_road(["there", "nowhere"]) == {"there": 2, "nowhere": 0}
        await asyncio.sleep(TIMES.wait_s - 1.0)
        assert world.asked == []
        await asyncio.sleep(3.0)
        assert sorted(world.asked) == ["2", "3"]
        Caller(world, "4")
        world.roads["4"] = "there"  # the front did not know yet
        await asyncio.sleep(3.0)
        assert world.asked[-1] == "4"
        world.driver.leave_roads({})  # it is gone, and its address is somebody else's
        Caller(world, "5")
        world.roads["5"] = "there"
        await asyncio.sleep(200.0)
        assert (list(world.calls), world.ended_at) == (["1", "5"], [])
        await world.driver.aclose()
        world.driver.leave_roads({"there": 0.0})
        await asyncio.sleep(10.0)
        assert list(world.calls) == ["1", "5"]

    run_virtual(run())
