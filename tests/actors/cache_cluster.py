"""An owner of the response cache and the processes that copy it, on one loop of virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from actors.cache_driver import CacheConfig, CacheDriver
from actors.cache_replica_driver import CacheReplicaDriver
from actors.errors import CacheAwayError
from cache.entry import Answer
from cache.local_encoder import TurnEncoder
from cache.lookup import ask
from cache.outcomes import Outcome
from cache.scope import Scope, caller_mark
from cache.snapshot import Snapshot, SnapshotBroken, snapshot_of
from tests.cache.cache_world import FREE, SCOPE, turn_encoder

EPOCH_S = 1_700_000_000.0


async def on_the_spot(work: Callable[[], Any]) -> Any:
    """In place of a thread."""
    await asyncio.sleep(0)
    return work()


class Disk:
    """A file that outlives its writer."""

    def __init__(self) -> None:
        self.data: bytes | None = None
        self.writes = 0
        self.trouble = ""
        self.is_full = False
        self.set_aside: list[bytes] = []

    def write(self, data: bytes) -> None:
        if self.is_full:
            raise OSError(28, "No space left on device")
        self.writes += 1
        self.data = data

    def read(self, _aside_name: str) -> Snapshot | None:
        self.trouble = ""
        if self.data is None:
            return None
        try:
            return snapshot_of(self.data)
        except SnapshotBroken as error:
            self.set_aside.append(self.data)
            self.data, self.trouble = None, error.message
            return None


class Cluster:
    """The owner may be killed and started again; the wire may lose answers."""

    def __init__(self, disk: Disk | None = None) -> None:
        self.disk = disk
        self.owner: CacheDriver | None = None
        self.encoder = turn_encoder()
        self.loses_answers = 0
        self.tells = 0
        self.snapshots = 0
        self._terms = 0
        self._started: list[CacheDriver] = []
        self._processes: list[CacheReplicaDriver] = []

    async def start_owner(self, encoder: TurnEncoder | None = None) -> CacheDriver:
        self._terms += 1_000
        owner = CacheDriver(
            CacheConfig(rates=FREE),
            self.clock,
            self._terms,
            lambda: 0.0,
            encoder=encoder or self.encoder,
            file=self.disk,
            aside=on_the_spot,
        )
        await owner.start()
        self._started.append(owner)
        self.owner = owner
        return owner

    def kill_owner(self) -> None:
        """It is gone, without a word."""
        assert self.owner is not None
        owner, self.owner = self.owner, None
        owner.abandon()
        owner.wake()  # its connections break

    def process(self, name: str, encoder: TurnEncoder | None = None) -> CacheReplicaDriver:
        made = CacheReplicaDriver(
            name,
            encoder or self.encoder,
            self,
            self.clock,
            jitter=lambda: 0.5,
            aside=on_the_spot,
        )
        made.start()
        self._processes.append(made)
        return made

    def clock(self) -> float:
        return EPOCH_S + asyncio.get_running_loop().time()

    async def aclose(self) -> None:
        for process in self._processes:
            await process.aclose()
        for owner in self._started:
            owner.abandon()

    # --- the wire -----------------------------------------------------------------------------

    async def tell(self, plain: dict[str, Any]) -> dict[str, Any]:
        self.tells += 1
        answer: dict[str, Any] = await self._carried(lambda owner: owner.tell(plain))
        if self.loses_answers:
            self.loses_answers -= 1
            raise CacheAwayError("the answer was lost")
        return answer

    async def watch(self, plain: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = await self._carried(lambda owner: owner.watch(plain))
        self.snapshots += "snapshot" in answer
        return answer

    async def restore(self, plain: dict[str, Any]) -> None:
        await self._carried(lambda owner: owner.restore(plain))

    async def _carried(self, question: Callable[[CacheDriver], Awaitable[Any]]) -> Any:
        owner = self.owner
        if owner is None:
            raise CacheAwayError("nobody is there")
        answer = await question(owner)
        if self.owner is not owner:
            raise CacheAwayError("it died meanwhile")
        return answer


@asynccontextmanager
async def cluster(disk: Disk | None = None) -> AsyncIterator[Cluster]:
    made = Cluster(disk)
    try:
        await made.start_owner()
        await asyncio.sleep(6.0)  # it no longer waits for copies
        yield made
    finally:
        await made.aclose()


async def asked(process: CacheReplicaDriver, text: str, scope: Scope = SCOPE) -> Outcome:
    return await process.answers.lookup(ask(text, scope))


async def teach(
    process: CacheReplicaDriver, text: str, answer: Answer, *callers: str, scope: Scope = SCOPE
) -> None:
    """As calls do: look up, answer, tell."""
    for caller in callers:
        question = ask(text, scope)
        outcome = await process.answers.lookup(question)
        mark = caller_mark(scope.tenant_id, caller)
        process.answers.learned(question, outcome, answer, caller=mark, source=f"call-{caller}/1")
