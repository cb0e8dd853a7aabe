"""Calls up to the capacity come in, at any rate; the syncs of replicas that make it so."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.errors import DirectoryAwayError
from actors.lease_stock import LeaseStock
from actors.lease_sync import FULL_HOLDS_S, RETRY_EVERY_S, SLOT_WITHIN_S, LeaseSync
from actors.roll_call import HEARD_WITHIN_S
from actors.wire import Grants
from tests.support.lease_world import Actor, LeaseWorld, now
from tests.support.virtual_time import run

EARS = 25


def world(**fields: Any) -> LeaseWorld:
    return LeaseWorld(
        **{"replicas": 1, "ears": EARS, "actors": 1, "seats": 50, "delay": lambda: 0.002, **fields}
    )


def play(cluster: LeaseWorld, scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        async with cluster.live():
            await scene()

    run(whole())


async def ramp(cluster: LeaseWorld, calls: int, every_s: float, **call: Any) -> list[bool]:
    """``calls`` callers, to one replica after the other."""
    async with asyncio.TaskGroup() as group:
        placed = []
        for number in range(calls):
            where = {"replica": number % len(cluster.replicas), "lands_at": number}
            placed.append(group.create_task(cluster.call(**{**where, **call})))
            await asyncio.sleep(every_s)
    return [task.result() for task in placed]


@pytest.mark.parametrize("every_s", [0.0, 0.001, 1 / 6, 0.4, 1.1])
@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_calls_up_to_the_capacity_all_come_in(every_s: float, replicas: int) -> None:
    async def scene() -> None:
        assert all(await ramp(cluster, cluster.capacity, every_s))
        assert not await cluster.call()

    cluster = world(replicas=replicas, seats=100)
    play(cluster, scene)


@pytest.mark.parametrize("stream_s", [0.05, 0.4, 0.9, 2.5])
@pytest.mark.parametrize("actor_delay_s", [0.0, 0.45])
def test_it_does_not_matter_who_reports_first(stream_s: float, actor_delay_s: float) -> None:
    """The actor shows a call before or after its replica has told of the lease."""

    async def scene() -> None:
        cluster.delay = lambda: actor_delay_s / 2
        assert all(await ramp(cluster, EARS, 1 / 6, stream_s=stream_s))

    cluster = world(seats=EARS)
    play(cluster, scene)


def test_calls_that_end_while_others_begin_hide_nobody() -> None:
    async def scene() -> None:
        assert all(await ramp(cluster, 20, 0.05))
        # Five seats change hands again and again, each within one interval of the reports.
        for _ in range(8):
            assert all(await ramp(cluster, 5, 0.02, stream_s=0.1, talk_s=0.2))
            await cluster.settle(1.3)

    cluster = world(seats=EARS)
    play(cluster, scene)


def test_callers_who_hang_up_before_the_stream_cost_a_slot_for_five_seconds_each() -> None:
    async def scene() -> None:
        for _ in range(12):
            assert all(await ramp(cluster, 2, 0.1, stream_s=-1.0))
            assert all(await ramp(cluster, 2, 0.2, talk_s=1.0))
            await asyncio.sleep(0.5)
        await cluster.settle(8.0)
        assert all(await ramp(cluster, EARS, 0.1))

    cluster = world(seats=EARS)
    play(cluster, scene)


def test_a_slot_in_another_stock_is_fetched_for_a_caller() -> None:
    async def scene() -> None:
        assert all(await ramp(cluster, 4, 0.3, replica=0))
        await cluster.settle()
        assert [replica.stock.free for replica in cluster.replicas] == [0, 0]  # two, undealt
        assert all(await ramp(cluster, 2, 0.01, replica=1))
        assert not await cluster.call(replica=1)

    cluster = world(replicas=2, ears=4, seats=6)
    play(cluster, scene)


def test_what_one_replica_holds_comes_back_for_the_callers_of_the_other() -> None:
    async def scene() -> None:
        await cluster.settle()
        assert [replica.stock.free for replica in cluster.replicas] == [4, 4]
        began = now()
        assert all(await ramp(cluster, 12, 0.0, replica=1))
        assert now() - began < SLOT_WITHIN_S + 0.5

    cluster = world(replicas=2, ears=6, seats=12)
    play(cluster, scene)


def test_a_full_cluster_refuses_at_once_and_is_not_asked_by_everybody() -> None:
    async def scene() -> None:
        assert all(await ramp(cluster, EARS, 0.0))
        await cluster.settle()
        asked, began = cluster.replicas[0].syncs, now()
        assert not any(await ramp(cluster, 200, 0.005))
        assert cluster.replicas[0].syncs - asked <= (now() - began) / FULL_HOLDS_S + 3

    cluster = world()
    play(cluster, scene)


def test_calls_move_to_a_new_actor_although_every_ear_is_taken() -> None:
    async def scene() -> None:
        assert all(await ramp(cluster, EARS, 0.0))
        await cluster.settle()
        cluster.actors["new"] = Actor(50)
        assert await cluster.lose_actor("a0") == EARS
        await cluster.settle()
        assert not await cluster.call()

    cluster = world()
    play(cluster, scene)


def test_moving_calls_come_before_new_ones() -> None:
    async def scene() -> None:
        assert all(await ramp(cluster, 10, 0.0))
        await cluster.settle()
        moving = asyncio.create_task(cluster.lose_actor("a0"))
        await asyncio.sleep(0.2)
        new = asyncio.create_task(ramp(cluster, 6, 0.0))
        cluster.actors["new"] = Actor(12)
        assert await moving == 10
        assert sum(await new) <= 2

    cluster = world(seats=12)
    play(cluster, scene)


DELAYS = st.sampled_from([0.001, 0.02, 0.2, 0.45])


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    delay_s=DELAYS,
    replicas=st.integers(1, 3),
    actors=st.integers(1, 3),
    ears=st.integers(1, 8),
    seats=st.integers(1, 8),
    calls=st.integers(1, 60),
)
def test_no_slot_is_promised_twice_however_slow_the_reports(
    seed: int, delay_s: float, replicas: int, actors: int, ears: int, seats: int, calls: int
) -> None:
    dice = random.Random(seed)

    async def scene() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(calls):
                group.create_task(
                    cluster.call(
                        dice.randrange(replicas),
                        stream_s=dice.choice([-1.0, 0.0, 0.3, 1.0, 2.0]),
                        open_s=dice.choice([0.0, 0.01, 0.5]),
                        talk_s=dice.choice([0.0, 0.1, 0.4, 3.0, None]),
                        lands_at=dice.randrange(replicas),
                    )
                )
                await asyncio.sleep(dice.choice([0.0, 0.02, 0.15, 1.0]))
        await cluster.settle()

    cluster = world(
        replicas=replicas,
        actors=actors,
        ears=ears,
        seats=seats,
        delay=lambda: dice.uniform(0.0, delay_s),
    )
    play(cluster, scene)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    replicas=st.integers(1, 4),
    actors=st.integers(1, 3),
    ears=st.integers(1, 10),
    seats=st.integers(1, 12),
)
def test_as_many_calls_as_the_capacity_come_in_whatever_went_before(
    seed: int, replicas: int, actors: int, ears: int, seats: int
) -> None:
    """A caller is let in as long as a slot is there.

    One sync is enough for a slot that is nobody's. One in the stock of another replica takes three
    more: that replica's next one, by which it is told to give it back, the one by which it says
    that it has, and another of one's own.
    """
    dice = random.Random(seed)

    async def scene() -> None:
        for _ in range(3):
            async with asyncio.TaskGroup() as group:
                for _ in range(dice.randrange(cluster.capacity + 1)):
                    group.create_task(cluster.call(dice.randrange(replicas), talk_s=0.5))
                    await asyncio.sleep(dice.choice([0.0, 0.1]))
            assert not cluster.refused
            await asyncio.sleep(1.7)  # until the ends have been reported as well
        waits = []
        async with asyncio.TaskGroup() as group:
            for _ in range(cluster.capacity):
                call = cluster.call(
                    dice.randrange(replicas),
                    stream_s=dice.uniform(0.0, 2.0),
                    lands_at=dice.randrange(replicas),
                )
                waits.append(group.create_task(call))
                await asyncio.sleep(dice.choice([0.0, 0.01, 1 / 6, 0.5]))
        assert all(task.result() for task in waits)
        await cluster.settle()
        assert not await cluster.call(dice.randrange(replicas))

    cluster = world(
        replicas=replicas,
        actors=actors,
        ears=ears,
        seats=seats,
        delay=lambda: dice.uniform(0.0, 0.01),
    )
    play(cluster, scene)


# --- the driver itself ----------------------------------------------------------------------------


class ScriptedDirectory:
    """Answers with what a test puts here; an exception is raised."""

    def __init__(self, *answers: Grants | Exception) -> None:
        self.answers = list(answers)
        self.reports: list[dict[str, Any]] = []
        self.looked_for = 0

    async def sync(self, report: dict[str, Any]) -> dict[str, Any]:
        self.reports.append(report)
        await asyncio.sleep(0.01)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer.to_plain()

    async def find_again(self) -> None:
        self.looked_for += 1

    async def meet(self, alive: tuple[str, ...]) -> None:
        """Nothing to prepare."""


def sync_with(directory: ScriptedDirectory) -> tuple[LeaseSync, LeaseStock]:
    stock = LeaseStock()
    return LeaseSync(stock, directory, "r", 10, lambda: 3), stock


async def for_a_while(leases: LeaseSync, seconds: float) -> None:
    task = asyncio.create_task(leases.run())
    await asyncio.sleep(seconds)
    task.cancel()


def test_a_quiet_replica_syncs_once_a_second() -> None:
    async def scene() -> None:
        directory = ScriptedDirectory(Grants({}, ("a",)))
        leases, _ = sync_with(directory)
        await for_a_while(leases, 5.5)
        assert len(directory.reports) == 5

    run(scene())


def test_slots_that_were_taken_back_are_confirmed_at_once() -> None:
    async def scene() -> None:
        directory = ScriptedDirectory(
            Grants({"a": 3}, ("a",)), Grants({"a": -2}, ("a",)), Grants({}, ("a",))
        )
        leases, _ = sync_with(directory)
        await leases.once()
        await for_a_while(leases, 1.1)
        assert [report["held"] for report in directory.reports] == [{}, {"a": 3}, {"a": 1}]

    run(scene())


def test_a_directory_that_does_not_answer_is_looked_for_and_calls_go_on() -> None:
    async def scene() -> None:
        away = DirectoryAwayError("no answer")
        directory = ScriptedDirectory(Grants({}, ("a",)), away, away, Grants({}, ("a",)))
        leases, stock = sync_with(directory)
        await leases.once()
        task = asyncio.create_task(leases.run())
        await leases.wait_for_slot()
        assert stock.take("call", now=now()) == "a"
        await asyncio.sleep(5.5)
        task.cancel()
        assert directory.looked_for == 2
        assert not stock.away
        assert [list(report["placed"]) for report in directory.reports[1:5]] == [
            [],
            ["call"],
            ["call"],
            [],
        ]

    run(scene())


def test_a_directory_that_is_back_hears_of_this_replica_within_a_second() -> None:
    """One that was started again waits so long for what replicas hold, and no longer."""

    async def scene() -> None:
        away = DirectoryAwayError("no answer")
        directory = ScriptedDirectory(Grants({}, ("a",)), *[away] * 4, Grants({}, ("a",)))
        leases, stock = sync_with(directory)
        await leases.once()
        leases.hurry()
        await for_a_while(leases, 4 * RETRY_EVERY_S + 0.1)
        assert (len(directory.reports), directory.looked_for, stock.away) == (6, 4, False)
        assert RETRY_EVERY_S < HEARD_WITHIN_S

    run(scene())


def test_a_caller_waits_no_longer_than_it_may_ring() -> None:
    async def scene() -> None:
        directory = ScriptedDirectory(Grants({}, ("a",), left=1))
        leases, stock = sync_with(directory)
        task = asyncio.create_task(leases.run())
        began = now()
        await leases.wait_for_slot()
        task.cancel()
        assert now() - began == pytest.approx(SLOT_WITHIN_S)
        assert stock.waiting == 0
        assert 5 <= len(directory.reports) <= SLOT_WITHIN_S / 0.1
        assert {report["waiting"] for report in directory.reports} == {1}

    run(scene())


def test_a_caller_who_hangs_up_waits_no_more() -> None:
    async def scene() -> None:
        leases, stock = sync_with(ScriptedDirectory(Grants({}, ("a",), left=1)))
        task = asyncio.create_task(leases.wait_for_slot())
        await asyncio.sleep(0.1)
        assert stock.waiting == 1
        task.cancel()
        await asyncio.wait([task])
        assert stock.waiting == 0

    run(scene())


def test_a_directory_that_cannot_be_read_is_one_that_is_away() -> None:
    """Or this replica would spend what it has, and then refuse everybody until it is restarted."""

    class Directory:
        answers: list[Any]

        def __init__(self) -> None:
            self.answers = [{"v": 1, "granted": "many"}, ["?"], Grants({"ann": 3}, ("ann",))]

        async def sync(self, _report: dict[str, Any]) -> dict[str, Any]:
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            return answer.to_plain() if isinstance(answer, Grants) else answer

        async def find_again(self) -> None:
            pass

        async def meet(self, _alive: tuple[str, ...]) -> None:
            pass

    async def scene() -> None:
        stock = LeaseStock()
        sync = LeaseSync(stock, Directory(), "r", 10, lambda: 0)
        running = asyncio.ensure_future(sync.run())
        await asyncio.sleep(8.0)
        assert not running.done()
        assert stock.free >= 3
        running.cancel()

    run(scene())
