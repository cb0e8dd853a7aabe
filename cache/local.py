"""The response cache in one process: owner and copy are the same thing.

For tests, for a process that stands alone, and wherever no shared actor is wanted. It keeps what it
knows as long as it lives; ``cache.snapshot`` takes it to disk.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from cache.keeper import CacheKeeper, KeeperConfig
from cache.keeper_rates import Rates
from cache.learning import DEFAULT_BOUND
from cache.local_encoder import TurnEncoder
from cache.lookup import ResponseCache
from cache.replica_answers import ReplicaAnswers
from cache.replica_reports import Batch, Report
from cache.store import Limits

_NAME = "local"


class LocalAnswerCache(ReplicaAnswers):
    """``AnswerCache`` without an actor.

    Args:
        encoder: Of this process.
        clock: Epoch seconds.
        limits: How much is kept.
        bound: The error that is allowed, 0..1.
        rates: How much callers may write.
        jitter: 0..1.

    Attributes:
        keeper: The owner: imports, invalidation, purges.
    """

    def __init__(
        self,
        encoder: TurnEncoder,
        clock: Callable[[], float],
        limits: Limits | None = None,
        *,
        bound: float = DEFAULT_BOUND,
        rates: Rates | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        cache = ResponseCache(encoder.dimension, limits, bound=bound)
        config = KeeperConfig(encoder.dimension, encoder.name, rates or Rates())
        self.keeper = CacheKeeper(cache, config, jitter)
        self._batches = 0
        self._now = clock
        super().__init__(lambda: cache, encoder, self._take, clock)

    async def refit(self) -> None:
        """Learn from what was told, in a thread: call it now and then, in the background."""
        if jobs := self.keeper.due():
            self.keeper.done(await asyncio.to_thread(jobs.run))

    def _take(self, report: Report) -> None:
        self._batches += 1
        batch = Batch(_NAME, self._batches, self.keeper.encoder, (report,))
        self.keeper.tell(batch, now_s=self._now())
