"""The shell of the response cache: a named Ray actor around ``CacheDriver``, and the way to it."""

from __future__ import annotations

import asyncio
import functools
import importlib
import logging
import os
import random
import time
from collections.abc import Callable
from typing import Any

import ray

from actors.actor_repr import actor_repr
from actors.cache_desk import CacheDesk, erasure_of
from actors.cache_driver import CacheDriver
from actors.errors import CacheAwayError
from actors.gcs_questions import ask_gcs
from actors.placement import NAMESPACE, cache_name, semantic_cache_options
from cache.errors import CacheError
from providers.traces import trace_of

logger = logging.getLogger(__name__)

MAKE_ANEW_AFTER_S = 4.0  # who stops the cluster has removed us by then
FORGET_WITHIN_S = 15.0  # an owner that has just started waits for copies first, and it is saved


class SemanticCacheActor:
    """The owner of the response cache; one for a cluster, or one of several (``cache.shards``).

    Args:
        build: Where the function is that builds its driver: ``module:function``.
        settings: Plain settings of the deployment.
        shard: Which of the owners.
    """

    def __init__(self, build: str, settings: dict[str, Any], shard: int = 0) -> None:
        self._build = build
        self._settings = settings
        self._shard = shard
        self._driver: CacheDriver | None = None
        self._starting: asyncio.Task[CacheDriver] | None = None

    def __repr__(self) -> str:
        return actor_repr("SemanticCache", f"owns cached answers, shard {self._shard}")

    async def tell(self, plain: dict[str, Any]) -> dict[str, Any]:
        """See ``CacheDriver.tell``."""
        return await (await self._begin()).tell(plain)

    async def watch(self, plain: dict[str, Any]) -> dict[str, Any]:
        """See ``CacheDriver.watch``."""
        return await (await self._begin()).watch(plain)

    async def restore(self, plain: dict[str, Any]) -> None:
        """See ``CacheDriver.restore``."""
        await (await self._begin()).restore(plain)

    async def summary(self) -> dict[str, Any]:
        """See ``CacheDesk.summary``; with the process id."""
        return {"pid": os.getpid(), **await (await self._desk()).summary()}

    async def look(self, plain: dict[str, Any]) -> dict[str, Any]:
        """See ``CacheDesk.look``."""
        return await (await self._desk()).look(plain)

    async def remove(self, plain: dict[str, Any]) -> dict[str, Any]:
        """See ``CacheDesk.remove``."""
        return await (await self._desk()).remove(plain)

    async def bring(self, plain: dict[str, Any]) -> dict[str, Any]:
        """See ``CacheDesk.bring``."""
        return await (await self._desk()).bring(plain)

    async def aclose(self) -> None:
        """Save what is known; called before a planned end of the process."""
        if self._driver is not None:
            await self._driver.aclose()

    async def _desk(self) -> CacheDesk:
        return CacheDesk(await self._begin(), time.time)

    async def _begin(self) -> CacheDriver:
        if self._driver is not None:
            return self._driver
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._start())
        starting = self._starting
        try:
            return await asyncio.shield(starting)
        except Exception as error:
            if self._starting is starting:
                self._starting = None  # who asks next tries again
            logger.error("the response cache does not start: %s", trace_of(error))
            raise

    async def _start(self) -> CacheDriver:
        module, _, function = self._build.partition(":")
        builder = getattr(importlib.import_module(module), function)
        term = time.time_ns() // 1_000
        driver: CacheDriver = await builder(
            self._settings, time.time, term, random.random, self._shard
        )
        await driver.start()
        self._driver = driver
        return driver


def begin_semantic_cache(build: str, settings: dict[str, Any], shard: int = 0) -> Any:
    """The handle of a SemanticCacheActor of this cluster, started if there is none."""
    actor_class: Any = ray.remote(SemanticCacheActor)
    return actor_class.options(**semantic_cache_options(shard)).remote(build, settings, shard)


def find_semantic_cache(shard: int = 0) -> Any:
    """The handle of the one that runs. Raises ``CacheAwayError`` when there is none."""
    try:
        return ray.get_actor(cache_name(shard), namespace=NAMESPACE)
    except ValueError:
        raise CacheAwayError("no response cache runs in this cluster") from None


async def forget_call(owners: int, tenant_id: str, call_id: str) -> None:
    """Have every owner forget a call that was erased. Nobody is started for it.

    Args:
        owners: How many there are.
        tenant_id: Of the call.
        call_id: Of the call.

    Raises:
        CacheAwayError: One of them is away, or does not answer; doing it again does no harm.
    """
    plain = erasure_of(tenant_id, call_id)
    await asyncio.gather(*(_remove(shard, plain) for shard in range(owners)))


async def _remove(shard: int, plain: dict[str, Any]) -> None:
    find = functools.partial(find_semantic_cache, shard)
    try:
        handle = await ask_gcs(("find", cache_name(shard)), find)
        async with asyncio.timeout(FORGET_WITHIN_S):
            await handle.remove.remote(plain)
    except CacheError:
        raise
    except (TimeoutError, ray.exceptions.RayError) as error:
        raise CacheAwayError(
            f"the response cache does not answer: {type(error).__name__}"
        ) from None


class RayCacheLink:
    """``actors.cache_replica_driver.CacheLink`` over Ray.

    The handle outlives a restart of the actor. When the actor was killed for good, it is made anew
    after a while.

    Args:
        build: For the actor, should this process be the one that starts it.
        settings: Likewise.
        shard: Which of the owners.
    """

    def __init__(self, build: str, settings: dict[str, Any], shard: int = 0) -> None:
        self._build = build
        self._settings = settings
        self._shard = shard
        self._handle: Any = None
        self._lost_at: float | None = None

    async def tell(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Hand over a batch. Raises ``CacheAwayError``, ``DeltasInvalid``."""
        answer: dict[str, Any] = await self._ask(lambda handle: handle.tell.remote(plain))
        return answer

    async def watch(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Wait for news. Raises ``CacheAwayError``, ``DeltasInvalid``."""
        answer: dict[str, Any] = await self._ask(lambda handle: handle.watch.remote(plain))
        return answer

    async def restore(self, plain: dict[str, Any]) -> None:
        """Give it what we have. Raises ``CacheAwayError``, ``DeltasInvalid``."""
        await self._ask(lambda handle: handle.restore.remote(plain))

    async def _ask(self, question: Callable[[Any], Any]) -> Any:
        now = asyncio.get_running_loop().time()
        if self._lost_at is not None and now - self._lost_at < MAKE_ANEW_AFTER_S:
            raise CacheAwayError("it was killed")
        try:
            if self._handle is None:
                # A question to the GCS that blocks: in a thread, and once.
                begin = functools.partial(
                    begin_semantic_cache, self._build, self._settings, self._shard
                )
                self._handle = await ask_gcs(("begin", cache_name(self._shard)), begin)
            answer = await question(self._handle)
        except CacheError:
            raise
        except ray.exceptions.ActorDiedError as error:
            self._handle, self._lost_at = None, now
            raise CacheAwayError(type(error).__name__) from None
        except (TimeoutError, ray.exceptions.RayError, ValueError, AttributeError) as error:
            # The last: an actor of an earlier version, which outlives a deploy.
            raise CacheAwayError(type(error).__name__) from None
        self._lost_at = None
        return answer
