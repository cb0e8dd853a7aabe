"""A call that was erased is forgotten by the owners of the response cache, and teaches no more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import ray

from actors import semantic_cache_actor
from actors.cache_desk import CacheDesk, erasure_of
from actors.cache_driver import WANTS_FOR_S
from actors.cache_replica_driver import FLUSH_AFTER_S
from actors.errors import CacheAwayError
from actors.semantic_cache_actor import forget_call
from cache.deltas import Put
from cache.outcomes import Hit
from cache.snapshot import snapshot_of
from tests.actors.cache_cluster import Cluster, Disk, asked, cluster, teach
from tests.cache.cache_world import HOURS, PARKING
from tests.support.virtual_time import run

OPEN = "what time do you open"
PARK = "do you have parking"
SOON_S = FLUSH_AFTER_S + 0.5


def desk_of(world: Cluster) -> CacheDesk:
    assert world.owner is not None
    return CacheDesk(world.owner, world.clock)


def test_its_answers_go_from_every_copy_and_from_the_file_and_stay_away() -> None:
    async def story() -> None:
        disk = Disk()
        async with cluster(disk) as world:
            one, two = world.process("one"), world.process("two")
            await asyncio.sleep(WANTS_FOR_S)
            await teach(one, OPEN, HOURS, "ann", "ben")
            await teach(one, PARK, PARKING, "ben", "ann")
            await asyncio.sleep(SOON_S)
            assert isinstance(await asked(two, OPEN), Hit)
            await teach(one, "when do you close", HOURS, "ann")  # is on its way
            done = await desk_of(world).remove(erasure_of("shop", "call-ann"))
            assert done["removed"] == 1, "what another call has said first is that call's"
            assert disk.data is not None
            kept = [one for one in snapshot_of(disk.data).state if isinstance(one, Put)]
            assert [put.entry.question for put in kept] == [PARK]
            await asyncio.sleep(SOON_S)
            assert not isinstance(await asked(two, OPEN), Hit)
            assert isinstance(await asked(two, PARK), Hit)
            assert world.owner is not None
            assert len(world.owner.keeper.cache.store) == 1

    run(story())


class Owner:
    """The handle of one."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answer = answer
        self.remove = self

    async def remote(self, plain: dict[str, Any]) -> Any:
        self.asked.append(plain)
        return self._answer()


def dies() -> None:
    raise ray.exceptions.ActorDiedError


def test_every_owner_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    owners = [Owner(dict), Owner(dict)]
    monkeypatch.setattr(semantic_cache_actor, "find_semantic_cache", owners.__getitem__)
    asyncio.run(forget_call(2, "shop", "call-1"))
    assert [owner.asked for owner in owners] == [[erasure_of("shop", "call-1")]] * 2


def test_an_owner_that_is_away_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(shard: int) -> Owner:
        if shard:
            raise CacheAwayError("none")
        return Owner(dies)

    monkeypatch.setattr(semantic_cache_actor, "find_semantic_cache", find)
    with pytest.raises(CacheAwayError, match="ActorDiedError"):
        asyncio.run(forget_call(1, "shop", "call-1"))
    monkeypatch.setattr(semantic_cache_actor, "find_semantic_cache", lambda _shard: find(1))
    with pytest.raises(CacheAwayError, match="none"):
        asyncio.run(forget_call(1, "shop", "call-1"))
