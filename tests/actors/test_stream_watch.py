"""Whose calls are taken from whom, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from itertools import pairwise

import pytest

from actors.leaving import Leaving
from actors.stream_beats import BEAT_EVERY_S, UNHEARD_S, Roads, StreamBeats
from actors.stream_watch import (
    DOUBTED_FOR_S,
    IDLE_LEASE_S,
    LATE_S,
    LEASE_S,
    LostReplica,
    ReplicaPlace,
    StreamWatch,
    WatchedCall,
)
from actors.stream_watch_driver import (
    COMES_BACK_WITHIN_S,
    GONE,
    KEPT,
    LIVES,
    MOVES_AGAIN_AFTER_S,
    REFUSES_WITHIN_S,
    Ending,
    StreamWatchDriver,
)
from tests.support.virtual_time import run as run_virtual

HERE, THERE = ReplicaPlace("node-1", 11), ReplicaPlace("node-2", 12)
STEP_S = 0.1


def call(call_id: str, resume: int = 0) -> WatchedCall:
    return WatchedCall(call_id, f"CA-{call_id}", (resume, 1_000 + resume), {"resume": resume})


def looks(
    watch: StreamWatch, *, from_s: float, until_s: float, beats: str = ""
) -> list[LostReplica]:
    """What is found while time passes; ``beats`` is who goes on beating."""
    found, now = [], from_s
    while now < until_s:
        now += STEP_S
        if beats:
            watch.beat(beats, THERE, None, now=now)
        found += watch.look(now=now)
    return found


def two_replicas() -> StreamWatch:
    watch = StreamWatch()
    watch.beat("a", HERE, [call("1"), call("2")], now=0.0)
    watch.beat("b", THERE, [call("3")], now=0.0)
    watch.look(now=0.0)
    return watch


def test_a_replica_that_falls_silent_loses_its_calls_once() -> None:
    watch = two_replicas()
    assert looks(watch, from_s=0.0, until_s=LEASE_S - STEP_S, beats="b") == []
    assert looks(watch, from_s=LEASE_S - STEP_S, until_s=3 * LEASE_S, beats="b") == [
        LostReplica("a", HERE, (call("1"), call("2")))
    ]
    assert watch.replicas == ("b",)


def test_a_replica_without_calls_is_given_longer() -> None:
    watch = two_replicas()
    watch.beat("a", HERE, [], now=0.0)
    assert looks(watch, from_s=0.0, until_s=IDLE_LEASE_S - STEP_S, beats="b") == []
    found = looks(watch, from_s=IDLE_LEASE_S - STEP_S, until_s=IDLE_LEASE_S + 1.0, beats="b")
    assert found == [LostReplica("a", HERE, ())]


def test_calls_that_somebody_newer_has_are_not_taken() -> None:
    watch = two_replicas()
    watch.beat("b", THERE, [call("3"), call("1", resume=1)], now=0.5)
    watch.beat("a", HERE, [call("1"), call("2")], now=0.6)  # it does not know yet
    (lost,) = looks(watch, from_s=0.6, until_s=4.0, beats="b")
    assert [each.call_id for each in lost.calls] == ["2"]
    assert not watch.is_still_of(call("1"), "a")
    assert watch.is_still_of(call("2"), "a")


def test_when_nobody_beats_it_is_we_who_hear_nothing() -> None:
    watch = two_replicas()
    assert looks(watch, from_s=0.0, until_s=10 * LEASE_S) == []
    watch.beat("b", THERE, None, now=20.1)
    assert [lost.replica_id for lost in watch.look(now=20.2)] == ["a"]


def test_whoever_was_late_himself_judges_nobody() -> None:
    watch = two_replicas()
    watch.beat("b", THERE, None, now=5.0)
    assert watch.look(now=5.0) == []  # "a" was silent for long, but so were we
    assert looks(watch, from_s=5.0, until_s=5.0 + LEASE_S - 2 * STEP_S, beats="b") == []
    assert looks(watch, from_s=5.0 + LEASE_S, until_s=6.0 + LEASE_S, beats="b")
    assert LATE_S < LEASE_S


def test_who_says_goodbye_is_not_missed_and_ended_calls_are_forgotten() -> None:
    watch = two_replicas()
    watch.beat("a", HERE, [call("2")], now=0.1)
    assert not watch.is_still_of(call("1"), "a")
    assert watch.calls == 2
    watch.goodbye("a")
    assert looks(watch, from_s=0.1, until_s=5.0, beats="b") == []
    assert watch.calls == 1


def test_a_stranger_is_asked_for_its_calls() -> None:
    watch = StreamWatch()
    assert watch.beat("a", HERE, None, now=0.0)
    assert watch.replicas == ()
    assert not watch.beat("a", HERE, [], now=0.1)
    assert not watch.beat("a", HERE, None, now=0.2)


@pytest.mark.parametrize("zombie_first", [True, False])
def test_who_has_a_call_that_a_newer_stream_has_is_told_until_he_lets_it_go(
    zombie_first: bool,
) -> None:
    watch = StreamWatch()
    told = [("a", HERE, call("1")), ("b", THERE, call("1", resume=1))]
    for name, place, each in told if zombie_first else reversed(told):
        watch.beat(name, place, [each], now=0.0)
    assert watch.overtaken_of("a") == {"1": call("1", resume=1).epoch}
    watch.beat("a", HERE, None, now=0.1)
    assert watch.overtaken_of("a")
    assert watch.overtaken_of("b") == {}
    watch.beat("a", HERE, [], now=0.2)
    assert watch.overtaken_of("a") == {}


def test_a_call_that_comes_back_to_its_replica_is_taken_from_nobody() -> None:
    watch = two_replicas()
    watch.beat("a", HERE, [call("1", resume=1), call("2")], now=0.1)
    watch.beat("a", HERE, [call("2")], now=0.2)
    watch.beat("b", THERE, [call("1", resume=2), call("3")], now=0.3)
    assert watch.overtaken_of("a") == watch.overtaken_of("b") == {}


def test_who_says_nothing_is_doubted_before_he_is_lost_and_lives_if_he_answers() -> None:
    watch, doubt_at = two_replicas(), LEASE_S - DOUBTED_FOR_S
    watch.beat("idle", HERE, [], now=0.0)
    assert looks(watch, from_s=0.0, until_s=doubt_at - STEP_S, beats="b") == []
    assert watch.doubtful(now=doubt_at - STEP_S) == []
    assert watch.doubtful(now=doubt_at) == ["a"]
    watch.answered("a", now=doubt_at)
    watch.answered("gone", now=doubt_at)
    assert watch.doubtful(now=doubt_at) == []
    lost_at = doubt_at + LEASE_S
    assert looks(watch, from_s=doubt_at, until_s=lost_at - 2 * STEP_S, beats="b") == []
    (lost,) = looks(watch, from_s=lost_at - 2 * STEP_S, until_s=lost_at + 1.0, beats="b")
    assert lost.replica_id == "a"
    assert watch.doubtful(now=IDLE_LEASE_S - DOUBTED_FOR_S) == ["idle"]


# --- the driver ---------------------------------------------------------------------------------


class World:
    """Two replicas that beat over a link into one watch; what was ended and moved."""

    def __init__(self, *, ends: bool, lives: bool = False) -> None:
        self.ended: list[int] = []
        self.moved: list[str] = []
        self.takes_s = 0.0
        self.busy = 0  # so often the carrier is
        self._ending: Ending = LIVES if lives else GONE if ends else KEPT
        self.greeted: list[str] = []
        self.answering: set[str] = set()  # at their own ports
        self.driver = StreamWatchDriver(self.end, self.move, greets=self.greets)

    async def end(self, place: ReplicaPlace) -> Ending:
        self.ended.append(place.pid)
        await asyncio.sleep(self.takes_s)
        return self._ending

    async def move(self, each: WatchedCall) -> bool:
        self.moved.append(each.call_id)
        if self.busy:
            self.busy -= 1
            return False
        return True

    async def greets(self, address: str) -> bool:
        self.greeted.append(address)
        return address in self.answering

    def replica(self, name: str, calls: list[dict[str, object]]) -> StreamBeats:
        async def send(plain: dict[str, object]) -> dict[str, object]:
            return self.driver.beat({**plain, "pid": ord(name)})

        return StreamBeats(
            name, "node", send, lambda: calls, self.drained.append, address=lambda: f"{name}:1"
        )

    drained: list[bool] = []  # noqa: RUF012 - of the one world of a test


def plain(call_id: str, resume: int = 0) -> dict[str, object]:
    return {"call_id": call_id, "call_sid": "CA1", "epoch": [resume, 1], "claims": {}}


@pytest.mark.parametrize(("ends", "waits_s"), [(True, COMES_BACK_WITHIN_S), (False, 0.0)])
def test_a_hung_replica_is_ended_and_its_calls_moved_unless_they_come_back(
    ends: bool, waits_s: float
) -> None:
    async def run() -> None:
        world, taken = World(ends=ends), [plain("z")]
        hung, other = world.replica("h", [plain("1"), plain("2")]), world.replica("o", taken)
        hung.start()
        other.start()
        await asyncio.sleep(1.0)
        assert world.driver.calls == 3
        assert hung._task is not None
        hung._task.cancel()  # it stands still, and says nothing
        await asyncio.sleep(LEASE_S + BEAT_EVERY_S)
        assert world.ended == [ord("h")]
        taken.append(plain("1", resume=1))
        await asyncio.sleep(waits_s + 1.0)
        assert world.moved == (["2"] if ends else ["1", "2"])
        await other.aclose()
        await world.driver.aclose()

    run_virtual(run())


def test_a_replica_that_answers_again_before_it_is_ended_keeps_its_calls() -> None:
    """On a machine with too much to do: to end a process on another node takes up to seconds."""

    async def run() -> None:
        world = World(ends=True, lives=True)
        late, other = world.replica("l", [plain("1"), plain("2")]), world.replica("o", [plain("z")])
        late.start()
        other.start()
        await asyncio.sleep(1.0)
        assert late._task is not None
        late._task.cancel()
        await asyncio.sleep(LEASE_S + BEAT_EVERY_S)
        assert world.ended == [ord("l")]
        again = world.replica("l", [plain("1"), plain("2")])
        again.start()
        await asyncio.sleep(COMES_BACK_WITHIN_S + 1.0)
        assert world.moved == []
        assert world.driver.calls == 3, "its calls are known again"
        assert world.driver.totals["replicas_ended"] == 0
        for each in (again, other):
            await each.aclose()
        await world.driver.aclose()

    run_virtual(run())


def test_a_replica_that_nobody_could_end_and_that_beats_again_keeps_its_calls() -> None:
    async def run() -> None:
        world = World(ends=False)
        world.takes_s = 3.0
        late, other = world.replica("l", [plain("1"), plain("2")]), world.replica("o", [plain("z")])
        late.start()
        other.start()
        await asyncio.sleep(1.0)
        assert late._task is not None
        late._task.cancel()
        await asyncio.sleep(LEASE_S + BEAT_EVERY_S)
        assert world.ended == [ord("l")]
        again = world.replica("l", [plain("1"), plain("2")])
        again.start()
        await asyncio.sleep(world.takes_s + 1.0)
        assert world.moved == []
        assert world.driver.calls == 3
        for each in (again, other):
            await each.aclose()
        await world.driver.aclose()

    run_virtual(run())


def test_a_replica_whose_beats_are_late_and_that_answers_at_its_port_is_left_alone() -> None:
    """Beats go through Ray, which has to wait where a machine starts processes."""

    async def run() -> None:
        world = World(ends=True)
        world.answering.add("u:1")
        unheard = world.replica("u", [plain("1"), plain("2")])
        other = world.replica("o", [plain("z")])
        unheard.start()
        other.start()
        await asyncio.sleep(1.0)
        assert world.greeted == []
        assert unheard._task is not None
        unheard._task.cancel()
        await asyncio.sleep(10 * LEASE_S)
        assert world.ended == world.moved == []
        assert world.driver.calls == 3
        assert set(world.greeted) == {"u:1"}
        assert len(world.greeted) <= 10 * LEASE_S / (LEASE_S - DOUBTED_FOR_S) + 1
        world.answering.clear()  # now it hangs
        await asyncio.sleep(LEASE_S + BEAT_EVERY_S)
        assert world.ended == [ord("u")]
        await other.aclose()
        await world.driver.aclose()

    run_virtual(run())


@pytest.mark.parametrize(("busy", "asked"), [(2, 3), (99, 1 + len(MOVES_AGAIN_AFTER_S))])
def test_a_carrier_that_is_busy_is_told_again_for_a_while(busy: int, asked: int) -> None:
    async def run() -> None:
        world = World(ends=False)
        world.busy = busy
        hung, other = world.replica("h", [plain("1")]), world.replica("o", [plain("z")])
        hung.start()
        other.start()
        await asyncio.sleep(1.0)
        assert hung._task is not None
        hung._task.cancel()
        await asyncio.sleep(30.0)
        assert world.moved == ["1"] * asked
        assert world.driver.totals["calls_moved"] == 1
        await other.aclose()
        await world.driver.aclose()

    run_virtual(run())


def test_a_call_that_was_taken_up_meanwhile_is_not_moved_once_more() -> None:
    async def run() -> None:
        world, taken = World(ends=False), [plain("z")]
        world.busy = 99
        hung, other = world.replica("h", [plain("1")]), world.replica("o", taken)
        hung.start()
        other.start()
        await asyncio.sleep(1.0)
        assert hung._task is not None
        hung._task.cancel()
        await asyncio.sleep(LEASE_S + BEAT_EVERY_S)
        assert world.moved
        taken.append(plain("1", resume=1))
        await asyncio.sleep(BEAT_EVERY_S)
        told = len(world.moved)
        await asyncio.sleep(30.0)
        assert len(world.moved) == told
        await other.aclose()
        await world.driver.aclose()

    run_virtual(run())


def test_a_replica_knows_that_its_beats_are_not_answered() -> None:
    """It may be taken for hung, however well it hears its callers."""

    async def run() -> None:
        loop, heard = asyncio.get_running_loop(), True
        unheard: list[float] = []

        async def send(_beat: dict[str, object]) -> dict[str, object]:
            if not heard:
                await asyncio.sleep(60.0)
            return {"v": 1, "wants_calls": False, "drain": False}

        beats = StreamBeats(
            "a", "node", send, list, lambda _: None, on_unheard=lambda: unheard.append(loop.time())
        )
        beats.start()
        await asyncio.sleep(5.0)
        assert unheard == []
        heard, lost_at = False, loop.time()
        await asyncio.sleep(LEASE_S)
        assert unheard, "before the watch may give it up"
        assert unheard[0] - lost_at >= UNHEARD_S - BEAT_EVERY_S
        await asyncio.sleep(10.0)
        gaps = [later - earlier for earlier, later in pairwise(unheard)]
        assert max(gaps) <= BEAT_EVERY_S + STEP_S + 0.01
        heard = True
        await asyncio.sleep(3.0)
        unheard.clear()
        await asyncio.sleep(5.0)
        assert unheard == []
        await beats.aclose()

    run_virtual(run())


def test_a_watch_that_is_new_is_told_everything_and_a_drain_reaches_every_replica() -> None:
    async def run() -> None:
        world = World(ends=True)
        world.drained.clear()
        replica = world.replica("a", [plain("1")])
        replica.start()
        await asyncio.sleep(1.0)
        world.driver = StreamWatchDriver(world.end, world.move)
        await asyncio.sleep(1.5)
        assert world.driver.calls == 1
        assert not any(world.drained)
        assert StreamWatchDriver(world.end, world.move).drain() is None
        assert world.driver.drain() is None
        await asyncio.sleep(1.0)
        assert world.drained[-1]
        assert world.driver.drain() == 1
        await replica.aclose()
        assert world.driver.calls == 0
        await world.driver.aclose()

    run_virtual(run())


def test_what_is_no_beat_is_refused() -> None:
    async def run() -> None:
        driver = StreamWatchDriver(World(ends=True).end, World(ends=True).move)
        for wrong in ({}, {"replica": "a", "node": "n", "pid": "x"}, {"replica": "a", "node": "n"}):
            with pytest.raises(ValueError, match="not a beat"):
                driver.beat(wrong)
        await driver.aclose()

    run_virtual(run())


def test_many_calls_are_told_less_often_than_they_change() -> None:
    """All of them are told each time, on the loop that carries them."""

    async def run() -> None:
        told: list[int] = []
        calls = [plain(str(number)) for number in range(1_000)]

        async def send(beat: dict[str, object]) -> dict[str, object]:
            if (news := beat["calls"]) is not None:
                assert isinstance(news, list)
                told.append(len(news))
            return {"v": 1, "wants_calls": False, "drain": False}

        beats = StreamBeats("a", "node", send, lambda: calls, lambda _: None)
        beats.start()
        for number in range(30):  # ten a second
            await asyncio.sleep(0.1)
            calls.append(plain(f"more {number}"))
        await asyncio.sleep(2.0)
        assert 3 <= len(told) <= 5
        assert told[-1] == len(calls)
        await beats.aclose()

    run_virtual(run())


class Leaver:
    """Writes down what a replica is told: seconds for itself, a mapping for roads."""

    def __init__(self, told: list[object]) -> None:
        self._told = told

    def retire(self, within_s: float | None = None) -> None:
        self._told.append(within_s)

    def leave_roads(self, roads: Roads) -> None:
        if roads:
            self._told.append(dict(roads))

    def calls_by_road(self, roads: Collection[str]) -> dict[str, int]:
        return dict.fromkeys(roads, 3)


def test_a_replica_that_is_to_go_is_told_so_and_no_other() -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        now = Leaving()
        told: dict[str, list[object]] = {"g": [], "s": []}

        async def who_leaves() -> Leaving:
            return now

        world = World(ends=True)
        world.driver = StreamWatchDriver(world.end, world.move, who_leaves)

        def replica(name: str) -> StreamBeats:
            async def send(beat: dict[str, object]) -> dict[str, object]:
                return world.driver.beat({**beat, "pid": ord(name)})

            return StreamBeats(name, "node", send, list, lambda _: None, leaving=Leaver(told[name]))

        goes, stays = replica("g"), replica("s")
        goes.start()
        stays.start()
        await asyncio.sleep(3.0)
        assert told == {"g": [], "s": []}
        here, there = ReplicaPlace("node", ord("g")), ReplicaPlace("node", ord("s"))
        now = Leaving({here: None})
        await asyncio.sleep(3.0)
        assert (set(told["g"]), told["s"]) == ({None}, [])
        assert world.driver.calls_by_road() == {here: {}, there: {}}
        until = loop.time() + 100.0
        now = Leaving({here: until}, {"10.0.0.3": None})
        await asyncio.sleep(3.0)
        assert told["s"][-1] == {"10.0.0.3": None}
        assert 90.0 < [each for each in told["g"] if isinstance(each, float)][-1] < 100.0
        assert world.driver.calls_by_road() == {here: {"10.0.0.3": 3}, there: {"10.0.0.3": 3}}
        assert world.driver.calls_by_place() == {
            ReplicaPlace("node", ord("g")): 0,
            ReplicaPlace("node", ord("s")): 0,
        }
        for each in (goes, stays):
            await each.aclose()
        await world.driver.aclose()

    run_virtual(run())


class RoadLeaver(Leaver):
    """Also writes down that all roads stay."""

    def leave_roads(self, roads: Roads) -> None:
        self._told.append(dict(roads))


def test_a_road_that_is_to_go_stays_so_while_nobody_says_anything_else() -> None:
    """Who took it back and said it again would have its calls wait their minute once more."""

    async def run() -> None:
        says: Leaving | None = None
        told: list[object] = []

        async def who_leaves() -> Leaving | None:
            return says

        world = World(ends=True)
        world.driver = StreamWatchDriver(world.end, world.move, who_leaves)

        async def send(beat: dict[str, object]) -> dict[str, object]:
            return world.driver.beat({**beat, "pid": 7})

        beats = StreamBeats("a", "node", send, list, lambda _: None, leaving=RoadLeaver(told))
        beats.start()
        await asyncio.sleep(3.0)
        assert {} in told
        says = Leaving({}, {"10.0.0.3": None})
        await asyncio.sleep(3.0)
        told.clear()
        says = None  # Serve's controller stands still
        await asyncio.sleep(3.0)
        await world.driver.aclose()
        world.driver = StreamWatchDriver(world.end, world.move, who_leaves)  # started anew
        await asyncio.sleep(3.0)
        assert told
        assert all(roads == {"10.0.0.3": None} for roads in told)
        says = Leaving()
        await asyncio.sleep(3.0)
        assert told[-1] == {}
        await beats.aclose()
        await world.driver.aclose()

    run_virtual(run())


def test_calls_of_a_road_are_told_with_every_beat() -> None:
    """Beats that go on while an answer is late said that nobody comes through the node."""

    async def run() -> None:
        world = World(ends=True)

        async def who_leaves() -> Leaving:
            return Leaving({}, {"10.0.0.3": None})

        world.driver = StreamWatchDriver(world.end, world.move, who_leaves)

        async def send(beat: dict[str, object]) -> dict[str, object]:
            answer = world.driver.beat({**beat, "pid": 7})
            await asyncio.sleep(0.8)
            return answer

        beats = StreamBeats("a", "node", send, list, lambda _: None, leaving=Leaver([]))
        beats.start()
        await asyncio.sleep(3.0)
        for _ in range(40):
            assert world.driver.calls_by_road() == {ReplicaPlace("node", 7): {"10.0.0.3": 3}}
            await asyncio.sleep(0.1)
        await beats.aclose()
        await world.driver.aclose()

    run_virtual(run())


def test_nothing_that_is_asked_of_a_replica_stops_its_beats(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Who does not beat is ended, with all of its calls."""

    async def run() -> None:
        world = World(ends=True)
        beaten: list[float] = []

        async def send(beat: dict[str, object]) -> dict[str, object]:
            beaten.append(asyncio.get_running_loop().time())
            return {**world.driver.beat({**beat, "pid": 7}), "switch": {"1": "relay"}}

        def switch(_call_id: str, _mode: str) -> None:
            raise KeyError("gone")

        calls = [plain("1")]
        beats = StreamBeats("a", "node", send, lambda: calls, lambda _: None, on_switch=switch)
        beats.start()
        other = world.replica("o", [])
        other.start()
        await asyncio.sleep(4 * LEASE_S)
        assert world.ended == []
        assert len(beaten) >= 4 * LEASE_S / (2 * BEAT_EVERY_S)
        await beats.aclose()
        await other.aclose()
        await world.driver.aclose()

    run_virtual(run())
    assert len([each for each in caplog.records if "KeyError" in each.getMessage()]) == 1


def test_an_answer_that_is_late_does_not_spend_the_lease() -> None:
    """Each took three quarters of it: with a moment more, a replica that lives was ended."""

    async def run() -> None:
        beaten: list[float] = []
        loop = asyncio.get_running_loop()

        async def send(_beat: dict[str, object]) -> dict[str, object]:
            beaten.append(loop.time())
            await asyncio.sleep(1.5)
            raise TimeoutError

        before = asyncio.all_tasks()
        beats = StreamBeats("a", "node", send, lambda: [plain("1")], lambda _: None)
        beats.start()
        await asyncio.sleep(4 * LEASE_S)
        gaps = [later - earlier for earlier, later in pairwise(beaten)]
        assert max(gaps) <= BEAT_EVERY_S + STEP_S + 0.01
        assert len(beaten) <= 4 * LEASE_S / BEAT_EVERY_S + 1  # late ones are not made up for
        await beats.aclose()
        assert asyncio.all_tasks() == before

    run_virtual(run())


def test_a_late_zombie_hears_with_its_beat_that_another_replica_has_its_call() -> None:
    async def run() -> None:
        world = World(ends=True)
        told: list[tuple[str, tuple[int, int]]] = []

        async def send(beat: dict[str, object]) -> dict[str, object]:
            return world.driver.beat({**beat, "pid": 7})

        zombie = StreamBeats(
            "a",
            "node",
            send,
            lambda: [plain("1")],
            lambda _: None,
            on_overtaken=lambda call_id, epoch: told.append((call_id, epoch)),
        )
        zombie.start()
        await asyncio.sleep(BEAT_EVERY_S)
        assert told == []
        heir = world.replica("b", [plain("1", resume=1)])
        heir.start()
        await asyncio.sleep(2 * BEAT_EVERY_S + STEP_S)
        assert set(told) == {("1", (1, 1))}
        for each in (zombie, heir):
            await each.aclose()
        await world.driver.aclose()

    run_virtual(run())


def test_who_retires_is_asked_again_whatever_the_answer_was() -> None:
    async def run() -> None:
        asked: list[float] = []
        told: list[object] = []

        async def who_leaves() -> Leaving:
            asked.append(asyncio.get_running_loop().time())
            if len(asked) < 3:
                raise TypeError("of another version of Ray")
            return Leaving({ReplicaPlace("node", 7): None})

        world = World(ends=True)
        world.driver = StreamWatchDriver(world.end, world.move, who_leaves)

        async def send(beat: dict[str, object]) -> dict[str, object]:
            return world.driver.beat({**beat, "pid": 7})

        beats = StreamBeats("a", "node", send, list, lambda _: None, leaving=Leaver(told))
        beats.start()
        await asyncio.sleep(6.0)
        assert told
        await beats.aclose()
        await world.driver.aclose()

    run_virtual(run())


def test_calls_left_are_known_once_every_replica_refuses_new_ones() -> None:
    """Somebody is let in between a replica's last beat and the drain: he is waited for."""

    async def run() -> None:
        world, taken = World(ends=True), [plain("1")]
        first, other = world.replica("a", []), world.replica("b", taken)
        first.start()
        other.start()
        await asyncio.sleep(1.02)
        assert world.driver.calls == 1
        taken[:] = [plain("2")]  # the one has hung up, another one has come
        assert world.driver.drain() is None
        taken.append(plain("3"))
        await asyncio.sleep(2 * BEAT_EVERY_S)
        assert world.driver.drain() == 2
        taken.clear()
        await asyncio.sleep(BEAT_EVERY_S)
        assert world.driver.drain() == 0
        await first.aclose()
        await other.aclose()
        await world.driver.aclose()

    run_virtual(run())


def test_a_replica_that_never_says_that_it_refuses_is_believed_after_a_moment() -> None:
    async def run() -> None:
        world = World(ends=True)
        beat = {"replica": "old", "node": "n", "pid": 1, "calls": [plain("1")]}
        world.driver.beat(beat)
        assert world.driver.drain() is None
        for _ in range(round(REFUSES_WITHIN_S / BEAT_EVERY_S)):
            await asyncio.sleep(BEAT_EVERY_S)
            world.driver.beat({**beat, "calls": None})
        assert world.driver.drain() == 1
        await world.driver.aclose()

    run_virtual(run())
