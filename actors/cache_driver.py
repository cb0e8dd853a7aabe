"""The owner of the response cache, without Ray: what the SemanticCacheActor does.

Rules
1. What a worker tells is taken in the same call; what it changes answers every poll that is open.
2. Who has missed too much, or asks a new owner, gets a snapshot: it is made once for all who ask.
3. Learning, sweeping and saving happen now and then, in threads where they take long.
4. An owner that has just started and finds that a worker knows more than its file takes over that
   worker's copy; until then, some seconds at most, it takes no reports. Workers send them again.
5. Nobody waits for any of this in a turn.

Messages (plain data, ``{"v": 1, ...}``, unknown fields ignored)

    tell    ``writer``, ``number``, ``encoder``, ``reports`` (lines, ``cache.replica_reports``);
            answered by ``term``
    watch   ``reader``, ``seen`` (term and number); answered by ``term``, ``encoder``, ``poll_s``,
            ``calm_s`` and either ``after``, ``last``, ``deltas`` (lines) or ``last``, ``snapshot``
            (lines), or ``wants_state``
    restore ``encoder``, ``state`` (lines): the copy of a worker that was asked for it
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from actors.cache_messages import batch_of, copy_of, poll_of
from actors.cache_polls import CachePolls
from actors.cache_saver import Aside, CacheSaver, SnapshotKeeper
from actors.errors import CacheAwayError
from actors.long_work import gathered, uncollected
from cache.deltas import Put, packed, state_slices
from cache.keeper import SWEPT_AT_ONCE, CacheKeeper, KeeperConfig
from cache.keeper_rates import Rates
from cache.learning import DEFAULT_BOUND
from cache.local_encoder import TurnEncoder
from cache.replica_reports import DELTAS
from cache.snapshot import Model, Snapshot, lessons_of
from cache.snapshot_state import head_of_keeper, keeper_of
from cache.store import Limits
from providers.traces import trace_of

logger = logging.getLogger(__name__)

VERSION: Final = 1
WANTS_FOR_S: Final = 5.0
"""So long after its start an owner takes over the copy of a worker that knows more."""
_SPARE_IDS: Final = 1_000  # that the owner before may have given to entries nobody has heard of
MOST_DELTA_BYTES: Final = 1 << 20
TEND_EVERY_S: Final = 1.0
SWEEP_EVERY_S: Final = 60.0
_ENCODED_AT_ONCE: Final = 50
_ENCODE_WITHIN_S: Final = 30.0
_SETTLED_EVERY_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """How an owner works.

    Attributes:
        limits: How much is kept.
        bound: The error that is allowed, 0..1.
        rates: What callers may write.
        languages: Of the agents, tried with the encoder.
        waits_for_copies: Whether there may be workers that know more than the file; rule 4.
        first_id: Of its entries, while it has no file (``cache.shards``).
        owners: How many there are beside it and with it.
    """

    limits: Limits = field(default_factory=Limits)
    bound: float = DEFAULT_BOUND
    rates: Rates = field(default_factory=Rates)
    languages: tuple[str, ...] = ()
    waits_for_copies: bool = True
    first_id: int = 1
    owners: int = 1


class CacheDriver:
    """Takes reports, answers polls.

    Args:
        config: See there.
        clock: Epoch seconds.
        term: Larger after each restart.
        jitter: 0..1, for the life of entries.
        encoder: For imports, and for entries whose vectors were made by another model.
        file: Where the cache is kept; None keeps it in memory only.
        aside: Runs a function in a thread.
    """

    def __init__(
        self,
        config: CacheConfig,
        clock: Callable[[], float],
        term: int,
        jitter: Callable[[], float],
        *,
        encoder: TurnEncoder,
        file: SnapshotKeeper | None = None,
        aside: Aside = asyncio.to_thread,
    ) -> None:
        self._config = config
        self._clock = clock
        self._term = term
        self._jitter = jitter
        self._encoder = encoder
        self._saver = CacheSaver(file, aside)
        self._aside = aside
        self._model = Model(encoder.name, encoder.dimension)
        self._keeper = self._keeper_of(Snapshot(self._model, config.first_id))
        self._polls = CachePolls(aside)
        self._tending: asyncio.Task[None] | None = None
        self._may_lack_vectors = True
        self._unreadable: set[int] = set()
        self._found = Snapshot(self._model, config.first_id)
        self._wants_until = 0.0
        self._is_taking_over = False

    @property
    def keeper(self) -> CacheKeeper:
        """What it owns."""
        return self._keeper

    @property
    def encoder(self) -> TurnEncoder:
        """Its encoder."""
        return self._encoder

    async def start(self) -> None:
        """Load what is kept, and begin to tend it."""
        await self._encoder.check(self._config.languages)
        await self._load()
        if self._config.waits_for_copies:
            self._wants_until = asyncio.get_running_loop().time() + WANTS_FOR_S
        self._tending = asyncio.get_running_loop().create_task(self._tend(), name="cache-tend")

    async def aclose(self) -> None:
        """Save, and stop."""
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
        await self.save()
        self._encoder.close()

    def abandon(self) -> None:
        """Stop without saving, as when the process is killed."""
        if self._tending is not None:
            self._tending.cancel()

    # --- messages ---------------------------------------------------------------------------------

    async def tell(self, plain: Any) -> dict[str, Any]:
        """Take a batch.

        Raises:
            DeltasInvalid: It cannot be read.
            CacheAwayError: Rule 4: send it again.
        """
        batch = batch_of(plain)
        if self._wants_copies:
            raise CacheAwayError("it has just started")
        if self._keeper.tell(batch, now_s=self._clock()):
            self.changed()
        return {"v": VERSION, "term": self._term}

    async def watch(self, plain: Any) -> dict[str, Any]:
        """Answer a poll: at once when there is news, else with the next news, else later.

        Raises ``DeltasInvalid`` for a message that cannot be read, and nothing else.
        """
        reader, (term, number) = poll_of(plain)
        self._polls.asked(reader)
        news = self._news(term, number)
        if news == (b"", number):
            await self._polls.until_news()
            news = self._news(term, number)
        answer = {
            "v": VERSION,
            "term": self._term,
            "encoder": self._model.encoder,
            "poll_s": self._polls.poll_s,
            "calm_s": self._polls.calm_s,
        }
        if self._wants_copies and term != self._term and (term, number) > self._found.stamp:
            return {**answer, "wants_state": True}
        if news is None:
            last, lines = await self._polls.whole(self._keeper)
            return {**answer, "last": last, "snapshot": lines}
        return {**answer, "after": number, "last": news[1], "deltas": news[0]}

    async def restore(self, plain: Any) -> None:
        """Take over the copy of a worker. Raises ``DeltasInvalid`` when it cannot be read."""
        encoder, lines = copy_of(plain)
        if self._is_taking_over or not self._wants_copies:
            return  # one is enough
        self._is_taking_over = True
        try:
            found, model = self._found, replace(self._model, encoder=encoder)

            def taken() -> Snapshot:
                state = tuple(DELTAS.read(lines))
                ids = [one.entry.entry_id + 1 for one in state if isinstance(one, Put)]
                next_id = max(found.next_id, *ids, 1)
                return replace(found, model=model, state=state, next_id=next_id)

            await self._begin_with(taken)
            self._term += 1  # in the same step: everybody takes a new copy
            self._wants_until = 0.0
        finally:
            self._is_taking_over = False
        logger.info("the response cache was taken over from the copy of a worker")
        self.wake()

    async def settled(self) -> None:
        """Return once nobody's copy is waited for."""
        while self._wants_copies:
            await asyncio.sleep(_SETTLED_EVERY_S)

    def changed(self) -> None:
        """Somebody else changed the keeper: tell everybody."""
        self._may_lack_vectors = True
        self.wake()

    def status(self) -> dict[str, Any]:
        """For people."""
        return {
            "term": self._term,
            "owners": self._config.owners,
            "processes": self._polls.readers,
            "is_saved": self._saver.is_saved(self._keeper.log.last),
            "trouble": self._saver.trouble,
        }

    def wake(self) -> None:
        """Answer the open polls: something has changed."""
        self._polls.wake()

    # --- polls ------------------------------------------------------------------------------------

    @property
    def _wants_copies(self) -> bool:
        is_new = asyncio.get_running_loop().time() < self._wants_until
        return is_new or self._is_taking_over

    def _news(self, term: int, number: int) -> tuple[bytes, int] | None:
        """What a reader does not have; None when it needs everything."""
        if term != self._term:
            return None
        return self._keeper.log.since(number, MOST_DELTA_BYTES)

    # --- now and then -----------------------------------------------------------------------------

    async def _tend(self) -> None:
        loop = asyncio.get_running_loop()
        sweep_at = loop.time() + SWEEP_EVERY_S
        while True:
            await asyncio.sleep(TEND_EVERY_S)
            now, keeper = loop.time(), self._keeper
            before = keeper.log.last
            try:
                if jobs := keeper.due():
                    keeper.done(await self._aside(partial(uncollected, jobs.run)))
                if now >= sweep_at:
                    sweep_at = now + SWEEP_EVERY_S
                    for _ in keeper.sweep_slices(now_s=self._clock()):
                        await asyncio.sleep(0)
                    self._polls.forget_silent()
                await self._encode_missing(keeper)
                if keeper.log.last != before:
                    self.wake()
                await self.save(now=False)
            except Exception as error:  # noqa: BLE001 - what is kept must go on being kept
                logger.error("tending the response cache went wrong: %s", trace_of(error))

    async def _encode_missing(self, keeper: CacheKeeper) -> None:
        """Vectors for some entries that have none, in languages that the encoder reads."""
        if not self._may_lack_vectors:
            return
        store, missing = keeper.cache.store, []
        self._may_lack_vectors = False
        for number, entry_id in enumerate(store.without_vector(), start=1):
            entry = None if entry_id in self._unreadable else store.get(entry_id)
            if entry is not None and self._encoder.reads(entry.scope.language):
                missing.append(entry)
            if len(missing) == _ENCODED_AT_ONCE:
                break
            if not number % SWEPT_AT_ONCE:
                await asyncio.sleep(0)
        self._may_lack_vectors |= bool(missing)
        made = []
        for entry in missing:
            vector, _ = await self._encoder.vector(
                entry.question, entry.scope.language, within_s=_ENCODE_WITHIN_S
            )
            if vector is None:
                self._unreadable.add(entry.entry_id)
            made.append((entry.entry_id, packed(vector)))
        keeper.encoded(made)

    async def save(self, *, now: bool = True) -> None:
        """Write the cache to disk, if it has changed; unless it is urgent, not too often."""
        keeper = self._keeper

        async def snapshot() -> Snapshot:
            head = head_of_keeper(keeper, self._model, self._term)
            labels = list(keeper.cache.gates.lessons())
            lessons = await self._aside(lambda: lessons_of(labels))
            state = tuple(await gathered(state_slices(keeper.cache)))
            return replace(head, lessons=lessons, state=state)

        await self._saver.write(keeper.log.last, snapshot, now=now)

    async def _load(self) -> None:
        found = await self._saver.read(f"broken-{int(self._clock())}.cache")
        if found is None:
            return
        if found.model != self._model:
            logger.warning(
                "the encoder of the response cache is another one than before: its questions are "
                "encoded anew"
            )
        await self._begin_with(lambda: found)
        logger.info("the response cache holds %d entries", len(self._keeper.cache.store))

    async def _begin_with(self, read: Callable[[], Snapshot]) -> None:
        """Own what a snapshot says; all of it is made, and let go of, in a thread."""

        def made() -> tuple[Snapshot, CacheKeeper]:
            found = read()
            spared = replace(found, next_id=found.next_id + _SPARE_IDS)
            return replace(found, state=()), self._keeper_of(spared.of_model(self._model))

        self._found, self._keeper = await self._aside(lambda: uncollected(made, lasts=True))
        self._polls.forget_copy()
        self._may_lack_vectors = True

    def _keeper_of(self, snapshot: Snapshot) -> CacheKeeper:
        config = KeeperConfig(self._model.dimension, self._model.encoder, self._config.rates)
        return keeper_of(
            snapshot, config, self._config.limits, bound=self._config.bound, jitter=self._jitter
        )
