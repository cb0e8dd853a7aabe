"""Replicas, CallActors and a directory on virtual time, with slow messages and calls in between.

Everything that decides is the product's: ``Directory``, ``LeaseStock``, ``LeaseSync``. The world
plays what lies around it: the carrier that brings a stream some time after the call was placed, to
any replica; the CallActors and the directory's questions to them; the way of every message.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from actors.directory import Directory, DirectoryConfig
from actors.lease_stock import LeaseStock
from actors.lease_sync import LeaseSync
from actors.wire import ReplicaSync

ASK_ACTORS_EVERY_S = 0.5
SEATED_LATELY_S = 10.0
MOVE_WITHIN_S = 4.0


def now() -> float:
    return asyncio.get_running_loop().time()


@dataclass
class Actor:
    """A CallActor: who sits there, and who has sat down when."""

    capacity: int
    seated: set[str] = field(default_factory=set)
    sat_down_at: dict[str, float] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def open(self, call_id: str) -> None:
        if len(self.seated) >= self.capacity:
            self.refused.append(call_id)
            return
        self.seated.add(call_id)
        self.sat_down_at[call_id] = now()

    def status(self) -> dict[str, Any]:
        lately = [c for c, at in self.sat_down_at.items() if now() - at < SEATED_LATELY_S]
        return {"capacity": self.capacity, "taken": len(self.seated), "recent": lately}


class Replica:
    """An ingress replica: its calls, its stock, and its way to the directory."""

    def __init__(self, world: LeaseWorld, name: str, ears: int) -> None:
        self.world = world
        self.ears = ears
        self.calls: set[str] = set()
        self.stock = LeaseStock()
        self.leases = LeaseSync(self.stock, self, name, ears, lambda: len(self.calls))
        self.syncs = 0
        self.granted_on_the_way: dict[str, int] = {}

    async def sync(self, report: dict[str, Any]) -> dict[str, Any]:
        """``DirectoryPort``: there and back, as JSON."""
        self.syncs += 1
        await asyncio.sleep(self.world.delay())
        told = ReplicaSync.from_plain(json.loads(json.dumps(report)))
        grants = self.world.directory.sync(told, now=now())
        self.granted_on_the_way = {n: c for n, c in grants.granted.items() if c > 0}
        self.world.check()
        await asyncio.sleep(self.world.delay())
        self.granted_on_the_way = {}
        answer: dict[str, Any] = json.loads(json.dumps(grants.to_plain()))
        return answer

    async def find_again(self) -> None:
        """It is always there."""

    async def meet(self, alive: tuple[str, ...]) -> None:
        """Nothing to prepare."""

    def place(self, call_id: str, *, avoid: str = "") -> str | None:
        """As the pool places a call."""
        actor = self.stock.take(call_id, now=now(), avoid=avoid)
        if self.stock.low:
            self.leases.hurry()
        return actor

    def promised(self, actor: str) -> int:
        """Leases on this actor in stock, and on their way here."""
        return self.stock.held.get(actor, 0) + self.granted_on_the_way.get(actor, 0)


class LeaseWorld:
    """A cluster.

    Args:
        replicas: How many.
        ears: Calls each of them can carry.
        actors: How many.
        seats: Of each actor.
        delay: Seconds that the next message takes on its way.
    """

    def __init__(
        self, *, replicas: int, ears: int, actors: int, seats: int, delay: Callable[[], float]
    ) -> None:
        self.delay = delay
        self.directory = Directory(DirectoryConfig(calls_per_actor=seats))
        self.actors = {f"a{n}": Actor(seats) for n in range(actors)}
        self.replicas = [Replica(self, f"r{n}", ears) for n in range(replicas)]
        self.coming: dict[str, str] = {}  # calls on their way, and to which actor
        self.without_ear: set[str] = set()  # those of them whose stream has not come

        self.moving = 0  # calls that have an ear and need a seat
        self.refused: list[str] = []
        self._calls = 0

    @asynccontextmanager
    async def live(self) -> AsyncIterator[None]:
        """Everybody knows the others; they talk until the end of the block."""
        for name in self.actors:
            await self._ask(name)
        for replica in self.replicas:
            await replica.leases.once()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(replica.leases.run()) for replica in self.replicas]
            tasks.append(group.create_task(self._ask_actors()))
            yield
            for task in tasks:
                task.cancel()

    async def _ask_actors(self) -> None:
        while True:
            await asyncio.gather(*map(self._ask, list(self.actors)))
            await asyncio.sleep(ASK_ACTORS_EVERY_S)

    async def _ask(self, name: str) -> None:
        await asyncio.sleep(self.delay())
        status = self.actors[name].status()
        await asyncio.sleep(self.delay())
        if name in self.actors:
            self.directory.actor_reported(name, active=status["taken"], now=now(), **status)

    # --- what can be promised ---------------------------------------------------------------------

    @property
    def capacity(self) -> int:
        """Calls that all actors and all replicas can carry."""
        seats = sum(actor.capacity for actor in self.actors.values())
        return min(seats, sum(replica.ears for replica in self.replicas))

    def check(self) -> None:
        """No slot is promised twice."""
        for name, actor in self.actors.items():
            coming = sum(where == name for where in self.coming.values())
            promised = sum(replica.promised(name) for replica in self.replicas)
            assert len(actor.seated) + coming + promised <= actor.capacity, name
            assert not actor.refused
        ears = sum(replica.ears - len(replica.calls) for replica in self.replicas)
        promised = sum(r.promised(name) for r in self.replicas for name in self.actors)
        assert promised + len(self.without_ear) <= ears + self.moving

    # --- calls ------------------------------------------------------------------------------------

    async def call(
        self,
        replica: int = 0,
        *,
        stream_s: float = 0.3,
        open_s: float = 0.01,
        talk_s: float | None = None,
        lands_at: int = 0,
    ) -> bool:
        """One call, until it is over (or for good); False when it was refused.

        Args:
            replica: Which one is asked.
            stream_s: From the answer to the stream; negative: the caller hangs up before.
            open_s: From the stream to the seat.
            talk_s: From the seat to the end; None: it stays.
            lands_at: Which replica gets the stream, counted from the first that is not full.
        """
        self._calls += 1
        call_id = f"call {self._calls}"
        asked = self.replicas[replica]
        await asked.leases.wait_for_slot()
        actor = asked.place(call_id) if asked.stock.free else None
        if actor is None:
            self.refused.append(call_id)
            return False
        if stream_s < 0:
            return True
        self.coming[call_id] = actor
        self.without_ear.add(call_id)
        self.check()
        await asyncio.sleep(stream_s)
        roomy = [one for one in self.replicas if len(one.calls) < one.ears]
        there = roomy[lands_at % len(roomy)]
        there.calls.add(call_id)
        there.stock.begun(call_id, now=now())
        self.without_ear.remove(call_id)
        await asyncio.sleep(open_s)
        self.actors[actor].open(call_id)
        del self.coming[call_id]
        self.check()
        if talk_s is not None:
            await asyncio.sleep(talk_s)
            self.actors[actor].seated.discard(call_id)
            there.calls.remove(call_id)
        return True

    async def settle(self, seconds: float = 3.0) -> None:
        """Time for every report to go round."""
        await asyncio.sleep(seconds)
        self.check()

    async def lose_actor(self, lost: str) -> int:
        """An actor dies: its calls move, as ``MindClient`` moves them; how many found a place."""
        calls = self.actors.pop(lost).seated
        self.directory.actor_lost(lost)
        moves = [
            self._move(call_id, replica, lost)
            for replica in self.replicas
            for call_id in sorted(replica.calls & calls)
        ]
        return sum(await asyncio.gather(*moves))

    async def _move(self, call_id: str, replica: Replica, lost: str) -> bool:
        replica.stock.void(lost)
        self.moving += 1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MOVE_WITHIN_S):
                while (actor := replica.place(call_id, avoid=lost)) is None:
                    await asyncio.sleep(0.1)
            self.moving -= 1
            self.actors[actor].open(call_id)
            self.check()
            return True
        self.moving -= 1
        return False
