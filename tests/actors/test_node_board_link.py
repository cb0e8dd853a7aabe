"""One listener a machine: who hears what, and what is lost when it dies or hangs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from actors.board_share import PATIENCE_S, BoardShare
from actors.node_board_link import NodeBoardLink, Pipe
from actors.provider_health_reporter import HealthReporter
from providers.health.board import Board, Entry
from providers.health.errors import HealthDataInvalid
from providers.health.policy import HealthPolicy
from providers.health.signals import Sign
from tests.actors.health_world import WIRE_S, Worker, World, _Link, chance, now
from tests.support import virtual_time

POLICY = HealthPolicy()
OPEN = Entry((2, 3), "open", "down")


# --- the machine ---------------------------------------------------------------------------------


def answer(board: Board, poll_s: float = 1.0) -> dict[str, Any]:
    return {"v": 1, "board": board.to_plain(), "probes": [], "poll_s": poll_s, "calm_s": 0.5}


def test_the_board_of_who_joins_late_is_whole() -> None:
    listener, late = BoardShare(), BoardShare()
    assert listener.whole() is None
    listener.answered(answer(Board((2, 3), {"a": OPEN})))
    listener.answered(answer(Board((2, 4), {"b": Entry((2, 4), "open", "down")})))
    assert late.take(listener.whole(), now=1.0)
    told = late.next_answer((0, 0))
    assert told is not None
    assert sorted(told["board"]["units"]) == ["a", "b"]
    assert late.next_answer((0, 0)) is None, "said once"


def test_a_newer_term_replaces_what_a_dead_keeper_has_said() -> None:
    listener = BoardShare()
    listener.answered(answer(Board((2, 3), {"a": OPEN})))
    listener.answered(answer(Board((5, 1), {"b": Entry((5, 1), "open", "down")})))
    whole = listener.whole()
    assert whole is not None
    assert sorted(whole["board"]["units"]) == ["b"]


def test_a_listener_that_knows_less_than_it_has_seen_asks_for_the_rest() -> None:
    share = BoardShare()
    assert share.seen((2, 3)) == (0, 0)
    share.answered(answer(Board((2, 3), {"a": OPEN})))
    assert share.seen((2, 3)) == (2, 3)
    assert share.seen((2, 2)) == (2, 2)


def test_a_beat_is_no_answer_but_a_sign_of_life() -> None:
    share = BoardShare()
    assert not share.take({"v": 1}, now=10.0)
    assert share.next_answer((0, 0)) is None
    assert share.is_patient(now=10.0 + PATIENCE_S - 0.01)
    assert not share.is_patient(now=10.0 + PATIENCE_S)


def test_probes_are_handed_over_once() -> None:
    share = BoardShare()
    assert share.take({"v": 1, "probes": [["u", 3]]}, now=1.0)
    told = share.next_answer((0, 0))
    assert told is not None
    assert told["probes"] == [["u", 3]]
    assert share.take({"v": 1, **answer(Board((1, 1)))} | {"probes": []}, now=1.0)
    told = share.next_answer((0, 0))
    assert told is not None
    assert told["probes"] == []


@pytest.mark.parametrize(
    "message", [None, [], {"board": 3}, {"probes": 1}, {"board": {"units": 1}}]
)
def test_what_is_no_message_is_refused(message: Any) -> None:
    with pytest.raises(HealthDataInvalid):
        BoardShare().take(message, now=0.0)


# --- the driver ----------------------------------------------------------------------------------


class _End:
    """One end of a pipe in memory; what is sent crosses as JSON."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[Any] = asyncio.Queue()
        self.other: _End = self
        self.is_open = True
        self.is_held = False

    def send(self, message: Mapping[str, Any]) -> None:
        if self.is_open and not self.is_held:
            self.other.inbox.put_nowait(json.loads(json.dumps(message)))

    async def receive(self) -> Any:
        return await self.inbox.get()

    def close(self) -> None:
        for end in (self, self.other):
            if end.is_open:
                end.is_open = False
                end.inbox.put_nowait(None)


class MemoryRoom:
    """The room of one machine.

    Attributes:
        is_shut: Nobody can enter or join.
        pipes: The listener's ends, of those who have joined.
    """

    def __init__(self) -> None:
        self.is_shut = False
        self.pipes: list[_End] = []
        self._joined: Callable[[Pipe], None] | None = None

    async def enter(self, joined: Callable[[Pipe], None]) -> Callable[[], None] | None:
        await asyncio.sleep(0)
        if self._joined is not None or self.is_shut:
            return None
        self._joined = joined

        def leave() -> None:
            self._joined = None
            for pipe in self.pipes:
                pipe.close()
            self.pipes.clear()

        return leave

    async def join(self) -> Pipe | None:
        await asyncio.sleep(0)
        if self._joined is None or self.is_shut:
            return None
        here, there = _End(), _End()
        here.other, there.other = there, here
        self.pipes.append(there)
        self._joined(there)
        return here


class Polls(_Link):
    """The way to the keeper; counts the polls of each process.

    Attributes:
        is_old: The keeper knows nothing of ``also``.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.polls: list[str] = []
        self.is_old = False

    async def watch(self, plain: dict[str, Any]) -> dict[str, Any]:
        self.polls.append(plain["reporter"])
        found = await super().watch(plain)
        if self.is_old:
            found.pop("also", None)
        return found


class Machine:
    """Processes of one machine."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.room = MemoryRoom()
        self.way = Polls(world)
        self.links: dict[str, NodeBoardLink] = {}
        self.workers: dict[str, Worker] = {}

    async def process(self, name: str, *, can_probe: bool = True) -> Worker:
        worker = Worker(name, self.world)
        if not can_probe:
            worker.view.probes.clear()
        link = NodeBoardLink(self.way, self.room)
        worker.reporter = HealthReporter(name, worker.view, link, chance)
        self.links[name], self.workers[name] = link, worker
        self.world.workers.append(worker)
        worker.reporter.start()
        await asyncio.sleep(0.1)
        return worker

    @property
    def listeners(self) -> list[str]:
        return [name for name, link in self.links.items() if link.is_listener]

    async def kill(self, name: str) -> None:
        """As the system does it: sockets close, nothing is said."""
        await self.workers[name].reporter.aclose()
        await self.links.pop(name).aclose()

    async def polls_in(self, seconds: float) -> set[str]:
        self.way.polls.clear()
        await asyncio.sleep(seconds)
        return set(self.way.polls)


def play(scene: Callable[[World, Machine], Awaitable[None]]) -> None:
    async def body() -> None:
        world = World()
        machine = Machine(world)
        try:
            await scene(world, machine)
        finally:
            await world.aclose()
            for link in machine.links.values():
                await link.aclose()

    virtual_time.run(body())


async def three(machine: Machine) -> tuple[Worker, Worker, Worker]:
    return (
        await machine.process("ann"),
        await machine.process("bob"),
        await machine.process("cid"),
    )


def test_one_process_polls_and_all_hear() -> None:
    async def scene(world: World, machine: Machine) -> None:
        ann, bob, cid = await three(machine)
        assert machine.listeners == ["ann"]
        assert await machine.polls_in(5.0) == {"ann"}
        cid.saw(Sign.UNAVAILABLE, POLICY.run_opens)
        assert await bob.until("open") <= 4 * WIRE_S
        assert await ann.until("open") <= 4 * WIRE_S

    play(scene)


def test_who_joins_late_knows_what_is_open() -> None:
    async def scene(world: World, machine: Machine) -> None:
        ann = await machine.process("ann")
        world.is_well = False
        ann.saw(Sign.UNAVAILABLE, POLICY.run_opens)
        await asyncio.sleep(0.5)
        assert (await machine.process("bob")).state == "open"

    play(scene)


def test_boards_stay_fresh_without_news() -> None:
    async def scene(world: World, machine: Machine) -> None:
        _, bob, _ = await three(machine)
        world.is_well = False
        bob.saw(Sign.UNAVAILABLE, POLICY.run_opens)
        await asyncio.sleep(0.2)
        stamps = [worker.view.local.board.stamp for worker in machine.workers.values()]
        assert len(set(stamps)) == 1
        await asyncio.sleep(20.0)
        assert bob.view.local._is_live(now()), "the keeper lives, and bob knows"

    play(scene)


def test_when_the_listener_dies_another_one_listens_within_a_second() -> None:
    async def scene(world: World, machine: Machine) -> None:
        _, bob, cid = await three(machine)
        await machine.kill("ann")
        await asyncio.sleep(0.5)
        assert len(machine.listeners) == 1
        (listener,) = machine.listeners
        assert await machine.polls_in(3.0) == {listener}
        cid.saw(Sign.UNAVAILABLE, POLICY.run_opens)
        assert await bob.until("open") <= 4 * WIRE_S

    play(scene)


def test_a_listener_that_hangs_costs_messages_and_nobody_news() -> None:
    async def scene(world: World, machine: Machine) -> None:
        _, bob, cid = await three(machine)
        for pipe in machine.room.pipes:
            pipe.is_held = True  # its sockets stay open, nothing comes
        assert await machine.polls_in(2.5) >= {"bob", "cid"}
        cid.saw(Sign.UNAVAILABLE, POLICY.run_opens)
        assert await bob.until("open") <= 4 * WIRE_S
        for pipe in machine.room.pipes:
            pipe.is_held = False
        await asyncio.sleep(2.0)
        assert await machine.polls_in(3.0) == {"ann"}, "and is believed again"

    play(scene)


def test_a_machine_without_rooms_does_as_before() -> None:
    async def scene(world: World, machine: Machine) -> None:
        machine.room.is_shut = True
        await three(machine)
        assert await machine.polls_in(3.0) == {"ann", "bob", "cid"}

    play(scene)


def test_a_keeper_of_yesterday_is_asked_by_each() -> None:
    """It would ask nobody but the listener for probes."""

    async def scene(world: World, machine: Machine) -> None:
        machine.way.is_old = True
        await three(machine)
        await asyncio.sleep(6.0)
        assert machine.listeners == []
        assert await machine.polls_in(3.0) == {"ann", "bob", "cid"}

    play(scene)


def test_who_hears_from_the_listener_is_asked_for_probes_as_well() -> None:
    """Only a CallActor can try the language model, and the listener may be an ingress replica."""

    async def scene(world: World, machine: Machine) -> None:
        await machine.process("ann", can_probe=False)
        bob = await machine.process("bob")
        await asyncio.sleep(2.0)  # the next poll names bob
        bob.saw(Sign.UNAVAILABLE, POLICY.run_opens)
        await bob.until("open")
        await bob.until("closed", 60.0)
        assert set(world.probed) == {"bob"}

    play(scene)


def test_a_keeper_that_starts_again_lets_nobody_back() -> None:
    async def scene(world: World, machine: Machine) -> None:
        _, bob, _ = await three(machine)
        world.is_well = False
        bob.saw(Sign.UNAVAILABLE, POLICY.run_opens)
        await asyncio.sleep(0.5)
        world.restart(2)
        await asyncio.sleep(8.0)
        assert {worker.state for worker in machine.workers.values()} <= {"open", "half_open"}

    play(scene)


def test_a_keeper_that_is_away_is_missed_by_all() -> None:
    async def scene(world: World, machine: Machine) -> None:
        _, bob, _ = await three(machine)
        world.is_up = False
        await asyncio.sleep(10.0)
        assert not bob.view.local._is_live(now())
        world.is_up = True
        await asyncio.sleep(5.0)
        assert bob.view.local._is_live(now())

    play(scene)
