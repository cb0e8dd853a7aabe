"""Workers and their keeper: seen anywhere, known everywhere; a dead keeper changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from actors.provider_health_driver import CALLS_A_SECOND, POLL_S
from providers.errors import ProviderBusy
from providers.health.errors import HealthDataInvalid
from providers.health.keeper import IDLE_PROBE_S
from providers.health.policy import HealthPolicy
from providers.health.signals import Sign
from tests.actors.health_world import UNIT, WIRE_S, World, now
from tests.support import virtual_time

POLICY = HealthPolicy()


def play(scene: Callable[[World], Awaitable[None]]) -> None:
    async def body() -> None:
        world = World()
        try:
            await scene(world)
        finally:
            await world.aclose()

    virtual_time.run(body())


def test_a_hard_failure_is_known_everywhere_at_once() -> None:
    async def scene(world: World) -> None:
        ann, bob = await world.worker("ann"), await world.worker("bob")
        ann.saw(Sign.UNAVAILABLE, POLICY.run_opens)
        assert ann.state == "open", "its own evidence waits for nobody"
        assert await bob.until("open") <= 3 * WIRE_S

    play(scene)


def test_a_mistake_does_not_end_what_is_heard_of_providers() -> None:
    async def scene(world: World) -> None:
        ann, bob = await world.worker("ann"), await world.worker("bob")
        world.has_a_bug = True
        await asyncio.sleep(2 * POLL_S)
        world.has_a_bug = False
        await asyncio.sleep(2.0)
        ann.saw(Sign.UNAVAILABLE, POLICY.run_opens)
        await bob.until("open")

    play(scene)


def test_the_moment_of_leaving_is_logged_by_whoever_sees_it_and_whoever_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene(world: World) -> None:
        ann, bob = await world.worker("ann"), await world.worker("bob")
        ann.saw(Sign.UNAVAILABLE, POLICY.run_opens + 2)
        await bob.until("open")
        await asyncio.sleep(POLL_S / 2)

    with caplog.at_level("INFO"):
        play(scene)
    said = [record.getMessage() for record in caplog.records if " is left, " in record.message]
    assert said.count(f"{UNIT} is left, as seen here: unavailable") == 1
    assert said.count(f"{UNIT} is left, as the board says") == 2
    assert len(said) == 3


def test_people_are_told_once_why_nobody_asks_it_and_when_it_is_well(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene(world: World) -> None:
        ann = await world.worker("ann")
        world.is_well = False
        ann.saw(Sign.UNAVAILABLE, POLICY.run_opens)
        await asyncio.sleep(20.0)
        assert len(world.probed) > 2, "each that fails opens it anew"
        world.is_well = True
        await ann.until("closed")

    with caplog.at_level("INFO", logger="actors.provider_health_driver"):
        play(scene)
    said = [record.getMessage() for record in caplog.records if "still not" not in record.message]
    assert said == [
        f"{UNIT} is not used by anybody until probes of it succeed: it failed several times in a "
        "row",
        f"{UNIT} is well, and used again",
    ]


def test_silence_that_two_share_is_known_everywhere_with_the_next_batch() -> None:
    async def scene(world: World) -> None:
        ann, bob = await world.worker("ann"), await world.worker("bob")
        ann.saw(Sign.SILENT, POLICY.run_opens - 1)
        bob.saw(Sign.SILENT)
        assert (ann.state, bob.state) == ("suspect", "suspect")
        assert POLICY.report_s <= await bob.until("open") < 0.15

    play(scene)


def test_silence_that_makes_one_leave_waits_for_no_batch() -> None:
    async def scene(world: World) -> None:
        ann, bob = await world.worker("ann"), await world.worker("bob")
        ann.saw(Sign.SILENT, POLICY.run_opens)
        assert ann.state == "open"
        assert await bob.until("open") <= 3 * WIRE_S

    play(scene)


def test_a_share_that_makes_one_leave_makes_all_leave_when_nobody_saw_better_since() -> None:
    """The good attempts of a few seconds ago, which the others had too, say nothing against it."""

    async def scene(world: World) -> None:
        ann, bob = await world.worker("ann"), await world.worker("bob")
        ann.saw(Sign.ANSWERED, 7, latency_s=0.2)
        bob.saw(Sign.ANSWERED, 40, latency_s=0.2)
        await asyncio.sleep(4.0)
        ann.saw(Sign.SILENT, POLICY.run_opens - 1)
        assert ann.state == "open", "three of ten lately, and the seven are fading"
        assert await bob.until("open") <= 3 * WIRE_S

    play(scene)


def test_a_share_that_makes_one_leave_is_its_own_affair_when_another_one_sees_better() -> None:
    async def scene(world: World) -> None:
        ann, bob = await world.worker("ann"), await world.worker("bob")
        ann.saw(Sign.ANSWERED, 7, latency_s=0.2)
        bob.saw(Sign.ANSWERED, 40, latency_s=0.2)
        await asyncio.sleep(4.0)
        ann.saw(Sign.SILENT)
        await asyncio.sleep(0.01)
        bob.saw(Sign.ANSWERED, latency_s=0.2)
        await asyncio.sleep(2 * POLL_S)
        ann.saw(Sign.SILENT, POLICY.run_opens - 2)
        assert ann.state == "open"
        bob.saw(Sign.ANSWERED, latency_s=0.2)
        await asyncio.sleep(2 * POLL_S)
        assert bob.view.verdict(UNIT).usable

    play(scene)


def test_a_closed_unit_comes_back_by_probes_of_which_no_caller_knows() -> None:
    async def scene(world: World) -> None:
        workers = [await world.worker(name) for name in ("ann", "bob", "cid")]
        world.is_well = False
        workers[0].saw(Sign.UNAVAILABLE, POLICY.run_opens)
        await asyncio.sleep(5.0)
        assert {worker.state for worker in workers} <= {"open", "half_open"}
        failed = len(world.probed)
        assert 2 <= failed <= 4, "one prober for the cluster, not one each"
        world.is_well = True
        for worker in workers:
            await worker.until("closed")
        assert len(world.probed) - failed == POLICY.good_probes
        assert workers[2].view.verdict(UNIT).new_call_share == 0.1

    play(scene)


def test_a_slow_answer_is_no_good_probe() -> None:
    async def scene(world: World) -> None:
        ann = await world.worker("ann")
        world.took_s = 1.2
        ann.saw(Sign.UNAVAILABLE, POLICY.run_opens)
        await asyncio.sleep(30.0)
        assert ann.state != "closed"
        world.took_s = 0.2
        await ann.until("closed")

    play(scene)


def test_a_probe_that_is_told_to_stay_away_tells_all() -> None:
    async def scene(world: World) -> None:
        ann = await world.worker("ann")
        await world.worker("bob")
        world.refusal = ProviderBusy("busy", "acme", retry_after_s=60.0)
        ann.saw(Sign.BUSY, retry_after_s=1.0)
        await asyncio.sleep(3.0)
        assert len(world.probed) == 1
        await asyncio.sleep(55.0)
        assert len(world.probed) == 1
        world.refusal = None
        await ann.until("closed")

    play(scene)


def test_probes_that_land_on_a_full_process_take_the_provider_from_nobody() -> None:
    async def scene(world: World) -> None:
        world.driver._keeper.probes_idle = True
        world.refusal = ProviderBusy("every socket is in use", "acme", "ACME_SOCKETS")
        ann = await world.worker("ann")
        await asyncio.sleep(4 * IDLE_PROBE_S)
        assert len(world.probed) >= POLICY.good_probes
        assert ann.state == "closed"

    play(scene)


def test_while_the_keeper_is_away_each_judges_alone_and_probes_alone() -> None:
    async def scene(world: World) -> None:
        ann, bob = await world.worker("ann"), await world.worker("bob")
        world.is_up = False
        ann.saw(Sign.UNAVAILABLE, POLICY.run_opens)
        assert ann.state == "open"
        assert bob.state == "closed"
        await ann.until("closed")
        assert set(world.probed) == {"ann"}

    play(scene)


def test_a_keeper_that_dies_in_a_fault_lets_nobody_back_to_the_dead_provider() -> None:
    async def scene(world: World) -> None:
        ann, bob = await world.worker("ann"), await world.worker("bob")
        world.is_well = False
        ann.saw(Sign.UNAVAILABLE, POLICY.run_opens)
        await bob.until("open")
        world.is_up = False
        until = now() + 15.0
        while now() < until:
            assert ann.state in {"open", "half_open"}
            assert bob.state in {"open", "half_open"}
            await asyncio.sleep(0.05)
        world.restart(term=2)
        world.is_up = True
        until = now() + 8.0
        while now() < until:
            assert ann.state in {"open", "half_open"}
            assert bob.state in {"open", "half_open"}
            await asyncio.sleep(0.05)
        assert world.driver.board.entries[UNIT].state in {"open", "half_open"}
        world.is_well = True
        await ann.until("closed")
        await bob.until("closed")

    play(scene)


def test_what_was_seen_while_the_keeper_was_away_is_told_when_it_is_back() -> None:
    async def scene(world: World) -> None:
        ann, bob = await world.worker("ann"), await world.worker("bob")
        world.is_up, world.is_well = False, False
        ann.saw(Sign.UNAVAILABLE, POLICY.run_opens)
        await asyncio.sleep(1.0)
        world.restart(term=2)
        world.is_up = True
        assert await bob.until("open") < 3.0

    play(scene)


def test_nothing_wrong_costs_one_poll_a_second() -> None:
    async def scene(world: World) -> None:
        await world.worker("ann")
        before = world.messages
        await asyncio.sleep(60.0)
        assert world.messages - before <= 60 / POLL_S

    play(scene)


def test_a_thousand_bad_ones_are_few_reports() -> None:
    async def scene(world: World) -> None:
        ann = await world.worker("ann")
        world.is_well = False
        before = world.messages
        for _ in range(1_000):
            ann.saw(Sign.UNAVAILABLE)
            await asyncio.sleep(0.01)
        # Polls, probes, news of them, and a report each half second.
        assert world.messages - before < 60

    play(scene)


def test_many_workers_are_asked_to_poll_less_often() -> None:
    async def scene(world: World) -> None:
        for number in range(4 * CALLS_A_SECOND):
            world.driver._keeper.enlist(f"w{number}", (), now=now())
            world.driver._polled(f"w{number}", now())
        poll = {"v": 1, "reporter": "x", "seen": [1, 0], "can_probe": [UNIT]}
        answer = await world.driver.watch(poll)
        assert answer["poll_s"] == pytest.approx(4.0, rel=0.01)
        assert answer["calm_s"] == pytest.approx(2.0, rel=0.01)

    play(scene)


@pytest.mark.parametrize(
    "plain",
    [
        None,
        {},
        {"reporter": "a"},
        {"reporter": "a", "seen": [1]},
        {"reporter": "a", "seen": [1, "x"]},
        {"reporter": "a", "seen": [1, 1], "can_probe": "u"},
        {"reporter": "a", "seen": [1, 1], "held": {"units": 3}},
    ],
)
def test_what_is_no_poll(plain: object) -> None:
    async def scene(world: World) -> None:
        with pytest.raises(HealthDataInvalid):
            await world.driver.watch(plain)
        with pytest.raises(HealthDataInvalid):
            await world.driver.probed(plain)

    play(scene)


def test_a_worker_survives_a_keeper_that_talks_nonsense() -> None:
    async def scene(world: World) -> None:
        ann = await world.worker("ann")
        honest = world.driver.watch

        async def nonsense(_plain: object) -> dict[str, object]:
            return {"board": 7}

        world.driver.watch = nonsense  # type: ignore[method-assign, assignment]
        await asyncio.sleep(5.0)
        world.driver.watch = honest  # type: ignore[method-assign]
        await asyncio.sleep(5.0)
        world.is_well = False
        ann.saw(Sign.UNAVAILABLE, POLICY.run_opens)
        await asyncio.sleep(0.1)
        assert world.driver.board.entries[UNIT].state == "open"

    play(scene)
