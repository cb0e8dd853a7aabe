"""The way of a command to the response cache: to its owner, or to its file when nobody runs."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from cluster.errors import ClusterError, NoCacheFileError
from cluster.found_cluster import FoundCluster, look_around
from cluster.settings import Settings

ANSWER_WITHIN_S: Final = 120.0  # an import of some hundred cards is encoded


class Desk(Protocol):
    """What people may ask; see ``actors.cache_desk`` for the messages."""

    async def summary(self) -> dict[str, Any]:
        """Numbers about the cache."""

    async def look(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Some entries."""

    async def remove(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Remove entries."""

    async def bring(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Import answers."""


class RayDesk:
    """The owner that runs in the cluster that this process has joined.

    All methods raise ``ClusterError`` when it does not answer, and ``CacheError`` as it does.

    Args:
        handle: Of the SemanticCacheActor.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    async def summary(self) -> dict[str, Any]:
        """Numbers about the cache."""
        return await self._answer(self._handle.summary.remote())

    async def look(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Some entries."""
        return await self._answer(self._handle.look.remote(plain))

    async def remove(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Remove entries."""
        return await self._answer(self._handle.remove.remote(plain))

    async def bring(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Import answers."""
        return await self._answer(self._handle.bring.remote(plain))

    async def _answer(self, question: Any) -> dict[str, Any]:
        import ray

        from cache.errors import CacheError

        try:
            answer: dict[str, Any] = await asyncio.wait_for(question, ANSWER_WITHIN_S)
        except CacheError:
            raise
        except (ray.exceptions.RayError, TimeoutError) as error:
            raise ClusterError(
                f"the response cache does not answer: {type(error).__name__}"
            ) from None
        return answer


@asynccontextmanager
async def open_desk(
    settings: Settings, *, needs_file: bool = False
) -> AsyncIterator[tuple[Desk, bool]]:
    """The desk, and whether it is that of a running cluster.

    RAY_ADDRESS names the cluster; without it, it is the one of this machine. When there is none,
    the file in the folder of the settings is opened, and written when something was changed.

    Args:
        settings: Of the deployment.
        needs_file: Where no cluster runs and there is no file, none is begun.

    Raises:
        NoCacheFileError: That is so.
        ClusterError: The cluster that RAY_ADDRESS names cannot be joined, or has no such cache; the
            one of this machine is not this deployment's.
    """
    if await asyncio.to_thread(_join):
        import ray

        from actors.errors import CacheAwayError
        from actors.semantic_cache_actor import find_semantic_cache

        try:
            if not os.environ.get("RAY_ADDRESS"):
                await asyncio.to_thread(_require_ours, settings.port)
            yield await _owners(find_semantic_cache), True
        except CacheAwayError:
            raise ClusterError(
                "no response cache runs in this cluster: it starts with the first CallActor, "
                "unless CALLCLUSTER_CACHE is off"
            ) from None
        finally:
            await asyncio.to_thread(ray.shutdown)
        return
    if needs_file and not has_file(settings):
        raise NoCacheFileError(f"no cluster runs here, and {settings.cache_folder} has no answers")
    async with open_file(settings) as desk:
        yield desk, False


def has_file(settings: Settings) -> bool:
    """Whether a response cache was kept on this machine."""
    return any(settings.cache_folder.glob("responses*.cache"))


@asynccontextmanager
async def open_file(settings: Settings) -> AsyncIterator[Desk]:
    """The desk of the file in the folder of the settings; nobody else may have it open."""
    from actors.cache_desk import CacheDesk
    from cluster.response_cache import cache_driver, open_turn_encoder
    from cluster.sharded_desk import ShardedDesk

    encoder = await asyncio.to_thread(open_turn_encoder, settings)
    term = time.time_ns() // 1_000
    drivers = [
        cache_driver(
            settings,
            time.time,
            term,
            random.random,
            encoder,
            waits_for_copies=False,
            shard=shard,
        )
        for shard in range(settings.cache_owners)
    ]
    for driver in drivers:
        await driver.start()
    try:
        desks = [CacheDesk(driver, time.time) for driver in drivers]
        yield ShardedDesk(desks) if len(desks) > 1 else desks[0]
    finally:
        for driver in drivers:
            await driver.aclose()


def _require_ours(port: int) -> None:
    """Raises ``ClusterError`` when Ray has found somebody else's cluster here."""
    why_not = objection(look_around(), port, Path.cwd())
    if why_not:
        raise ClusterError(why_not)


def objection(found: FoundCluster, port: int, folder: Path) -> str:
    """Why nobody is asked on this cluster, which was not named; empty when it may be ours.

    Args:
        found: What is there.
        port: Of our settings.
        folder: Where we are.
    """
    if not found.has_product:
        return (
            f"nothing of callcluster runs on {found.name}, which Ray has found here. Name the "
            "cluster that is meant: RAY_ADDRESS=HOST:PORT callcluster cache"
        )
    differs = found.differs(port, folder)
    if differs:
        return (
            f"nobody was asked: {found.name} is another deployment's ({differs}). Ask from where "
            f"it was started, or name it: RAY_ADDRESS={found.address} callcluster cache"
        )
    return ""


async def _owners(find: Callable[[int], Any]) -> Desk:
    """The desk of all owners that run; the first says how many they are."""
    from cluster.sharded_desk import ShardedDesk

    first = RayDesk(await asyncio.to_thread(find, 0))
    owners = (await first.summary()).get("owners", 1)
    others = [RayDesk(await asyncio.to_thread(find, shard)) for shard in range(1, owners)]
    return ShardedDesk([first, *others]) if others else first


def _join() -> bool:
    """Join the cluster; False when this machine has none and no other one is named."""
    import logging

    from cluster.run_serve import connect

    logging.getLogger("ray").setLevel(logging.ERROR)
    address = os.environ.get("RAY_ADDRESS", "")
    try:
        connect(address or "auto")
    except ClusterError:
        if address:
            raise
        return False
    return True
