"""Processes that share the limit of a key, over a keeper that dies: on virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from actors.errors import HealthAwayError
from actors.provider_health_desks import CALLS_A_SECOND, QuotaDesks
from actors.provider_health_leaser import QuotaLeaser
from cluster.provider_gate import ProviderGate
from providers.health.errors import HealthDataInvalid
from providers.health.quota import LEASE_S
from providers.health.quotas import QuotaLimit, Quotas
from tests.support import virtual_time
from tests.support.scripted_call import AGENT

LIMIT = QuotaLimit("recognise", "azure", 10, credential="1a2b")
WIRE_S = 0.002


def now() -> float:
    return asyncio.get_running_loop().time()


class World:
    """Desks and processes; everything between them goes over a wire as JSON."""

    def __init__(self) -> None:
        self.is_up = True
        self.is_mute = False
        self.has_a_bug = False
        self.desks = QuotaDesks(now, 1)
        self.workers: list[Worker] = []

    def worker(self, name: str, limit: QuotaLimit = LIMIT) -> Worker:
        self.workers.append(Worker(name, self, limit))
        return self.workers[-1]

    async def lease(self, plain: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(WIRE_S)
        if not self.is_up:
            raise HealthAwayError("cut")
        if self.has_a_bug:
            raise KeyError("nobody thought of it")
        if self.is_mute:
            await asyncio.Event().wait()
        answer = self.desks.lease(json.loads(json.dumps(plain)))
        await asyncio.sleep(WIRE_S)
        found: dict[str, Any] = json.loads(json.dumps(answer))
        return found

    def held(self) -> int:
        return sum(int(worker.status["held"]) for worker in self.workers)


class Worker:
    def __init__(self, name: str, world: World, limit: QuotaLimit) -> None:
        self.quotas = Quotas(name, [limit], now)
        self.quotas.limits("recognise", "azure")
        self.leaser = QuotaLeaser(name, self.quotas, world)
        self.leaser.start()
        self.gate = ProviderGate(self.quotas, self.leaser.next_answer)

    @property
    def status(self) -> dict[str, float]:
        return self.quotas.status()["recognise.azure"]

    def begin(self, count: int = 1) -> None:
        for _ in range(count):
            self.quotas.begin("recognise", "azure")

    def reserves(self, call_id: str) -> bool:
        return self.quotas.reserve(call_id, "recognise", ("azure",))


def play(scene: Callable[[World], Awaitable[None]]) -> None:
    async def body() -> None:
        world = World()
        try:
            await scene(world)
        finally:
            for worker in world.workers:
                await worker.leaser.aclose()

    virtual_time.run(body())


def test_all_together_never_hold_more_than_the_limit_and_one_alone_may_have_it_all() -> None:
    async def scene(world: World) -> None:
        ann, bob = world.worker("ann"), world.worker("bob")
        for number in range(10):
            await asyncio.sleep(0.3)
            assert ann.reserves(f"call-{number}") == (number < 8), "two are kept by bob"
            if number < 8:
                ann.quotas.begun(f"call-{number}")
                ann.begin()
            assert world.held() <= LIMIT.units
        assert bob.reserves("his own")

    play(scene)


def test_what_another_process_used_is_known_here_within_a_second() -> None:
    async def scene(world: World) -> None:
        ann, bob = world.worker("ann"), world.worker("bob")
        await asyncio.sleep(0.1)
        ann.begin(5)
        await asyncio.sleep(1.2)
        assert bob.quotas.fullness("recognise", "azure") == 0.5

    play(scene)


def test_a_keeper_that_starts_again_gives_nothing_away_twice() -> None:
    async def scene(world: World) -> None:
        ann, bob = world.worker("ann"), world.worker("bob")
        await asyncio.sleep(0.1)
        ann.begin(6)
        await asyncio.sleep(1.5)
        world.desks = QuotaDesks(now, 2)
        for _ in range(int(LEASE_S * 10)):
            bob.begin()  # as many as it likes
            await asyncio.sleep(0.1)
            assert world.held() <= LIMIT.units
        assert ann.status["held"] >= 6, "nothing in use is cut"

    play(scene)


def test_while_the_keeper_is_away_calls_come_in_and_afterwards_the_limit_holds_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene(world: World) -> None:
        ann = world.worker("ann")
        for _ in range(10):
            await asyncio.sleep(0.2)
            ann.begin()
        await asyncio.sleep(0.2)
        assert not ann.reserves("beyond")
        world.is_up = False
        await asyncio.sleep(LEASE_S + 1.0)
        assert ann.reserves("while it is away")
        world.is_up = True
        await asyncio.sleep(3.0)
        assert not ann.reserves("again")

    with caplog.at_level("INFO"):
        play(scene)
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "limits of providers are not known, and do not hold: cut",
        "limits of providers hold again",
    ]


WIDE = QuotaLimit("recognise", "azure", 100)
CALLED = replace(AGENT, recogniser="azure")


@pytest.mark.parametrize("how", ["gone", "mute"])
def test_calls_that_move_here_as_the_keeper_dies_keep_no_new_caller_out(how: str) -> None:
    async def scene(world: World) -> None:
        ann, bob = world.worker("ann", WIDE), world.worker("bob", WIDE)
        await asyncio.sleep(0.1)
        ann.begin(10)
        bob.begin(10)
        await asyncio.sleep(1.5)
        await bob.leaser.aclose()  # with its node, and that with the keeper
        world.is_up, world.is_mute = how == "mute", how == "mute"
        ann.begin(10)
        for number in range(4):
            assert await ann.gate.admits(CALLED, f"first-{number}")
        await asyncio.sleep(4.0)
        world.desks, world.is_up, world.is_mute = QuotaDesks(now, 2), True, False
        for number in range(int(LEASE_S)):
            began = now()
            assert await ann.gate.admits(CALLED, f"second-{number}")
            assert now() - began < 0.5, "one that can grant nothing is not waited for"
            ann.quotas.begun(f"second-{number}")
            ann.begin()
            await asyncio.sleep(1.0)
        await asyncio.sleep(5.0)
        assert ann.status["held"] >= ann.status["in_use"] == 30, "leased like any other"

    play(scene)


def test_a_limit_that_is_nearly_used_up_is_not_passed_for_a_keeper_that_dies() -> None:
    async def scene(world: World) -> None:
        ann, bob = world.worker("ann"), world.worker("bob")
        await asyncio.sleep(0.1)
        ann.begin(4)
        bob.begin(4)
        await asyncio.sleep(2.5)
        world.is_up = False
        came = [await ann.gate.admits(CALLED, f"call-{number}") for number in range(4)]
        assert came == [True, True, False, False]
        world.desks, world.is_up = QuotaDesks(now, 2), True
        await ann.leaser.next_answer()
        assert not await ann.gate.admits(CALLED, "a new keeper does not know all of them yet")
        await asyncio.sleep(LEASE_S)
        assert await ann.gate.admits(CALLED, "those that came did not stay")

    play(scene)


def test_who_waits_for_an_answer_gets_the_next_one() -> None:
    async def scene(world: World) -> None:
        ann = world.worker("ann")
        await asyncio.sleep(0.5)
        began = now()
        await ann.leaser.next_answer()
        assert now() - began < 0.1, "it is asked at once"

    play(scene)


def test_a_mistake_is_not_the_end_of_the_limits_and_keeps_nobody_waiting() -> None:
    async def scene(world: World) -> None:
        ann = world.worker("ann")
        await asyncio.sleep(0.5)
        world.has_a_bug = True
        async with asyncio.timeout(5.0):
            await ann.leaser.next_answer()
        world.has_a_bug = False
        async with asyncio.timeout(5.0):
            await ann.leaser.next_answer()
        assert ann.status["held"] > 0

    play(scene)


def test_without_a_limit_nobody_asks_anything() -> None:
    async def scene(world: World) -> None:
        leaser = QuotaLeaser("ann", Quotas("ann"), world)
        leaser.start()
        await asyncio.sleep(5.0)
        assert world.desks.status() == {}
        await leaser.aclose()

    play(scene)


def test_many_processes_ask_less_often() -> None:
    desks = QuotaDesks(lambda: 0.0, 1)
    wishes = {LIMIT.key: [10, 1, 0, 0, 0]}
    answer: dict[str, Any] = {}
    for number in range(2 * CALLS_A_SECOND):
        answer = desks.lease({"v": 1, "reporter": f"w{number}", "wishes": wishes})
    assert answer["wait_s"] == 2.0


@pytest.mark.parametrize(
    "plain",
    [
        None,
        {},
        {"reporter": "a", "wishes": []},
        {"reporter": "a", "wishes": {"k": [1]}},
        {"reporter": "a", "term": -1, "wishes": {}},
        {"reporter": "a", "wishes": {str(n): [1, 1, 0, 0, 0] for n in range(201)}},
    ],
)
def test_what_is_no_wish_is_refused_in_words(plain: Any) -> None:
    with pytest.raises(HealthDataInvalid, match=r"\w"):
        QuotaDesks(lambda: 0.0, 1).lease(plain)


def test_unknown_fields_and_a_second_number_are_tolerated() -> None:
    desks = QuotaDesks(lambda: 0.0, 7)
    message = {"v": 2, "reporter": "a", "new": 1, "wishes": {LIMIT.key: [10, 3, 0, 0, 2, "more"]}}
    answer = desks.lease(message)
    assert answer["leases"] == {LIMIT.key: [3, 2, 0, 0.0]}
    assert desks.lease(message) == answer, "said twice is said once"
    assert desks.status() == {LIMIT.key: [10, 2, 0.0]}
