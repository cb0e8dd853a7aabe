"""The copy of the response cache in one process: kept up to date, and heard from, without Ray.

Rules
1. News come by a long poll; they are taken over a little at a time, and what takes long is done in
   a thread: the event loop never waits for them.
2. What the calls tell gathers for ``FLUSH_AFTER_S`` and goes in one batch, which is sent again with
   its number until the owner has it.
3. While the owner is away the copy is searched as it is. An owner that begins with nothing is given
   the copy of somebody who has one.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, Protocol

from actors.errors import CacheAwayError
from actors.long_work import gathered, uncollected, used_up
from actors.rounds import for_ever
from cache.deltas import Delta, Gate, Put, Space, apply, state_slices
from cache.errors import DeltasInvalid
from cache.learning import DEFAULT_BOUND
from cache.local_encoder import TurnEncoder
from cache.lookup import ResponseCache
from cache.replica import NEVER, CacheReplica, Stamp, empty_copy
from cache.replica_answers import ReplicaAnswers
from cache.replica_reports import DELTAS, REPORTS, Batch, Report
from providers.traces import trace_of

logger = logging.getLogger(__name__)

VERSION: Final = 1
FLUSH_AFTER_S: Final = 0.2
TELL_WITHIN_S: Final = 5.0
POLL_SPARE_S: Final = 5.0
"""Over the time that the owner said it would take; a snapshot takes some seconds to come."""
RETRY_AFTER_S: Final = 0.5
_AT_ONCE: Final = 20
_FEW_BYTES: Final = 20_000
_FIRST_POLL_S: Final = 5.0

Aside = Callable[[Callable[[], Any]], Awaitable[Any]]


class CacheLink(Protocol):
    """The way to the owner; see ``actors.cache_driver`` for the messages."""

    async def tell(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Hand over a batch. Raises ``CacheAwayError``, ``DeltasInvalid``."""

    async def watch(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Wait for news. Raises ``CacheAwayError``, ``DeltasInvalid``."""

    async def restore(self, plain: dict[str, Any]) -> None:
        """Give an owner that has nothing what we have. Raises as the others."""


class CacheReplicaDriver:
    """Keeps one copy.

    Args:
        name: Of this process; no other one, before or after, has it.
        encoder: Of this process.
        link: The way to the owner.
        clock: Epoch seconds.
        bound: The error that is allowed, 0..1.
        jitter: 0 to 1; spreads what many processes do at once.
        aside: Runs a function in a thread.

    Attributes:
        answers: For the calls of this process.
    """

    def __init__(
        self,
        name: str,
        encoder: TurnEncoder,
        link: CacheLink,
        clock: Callable[[], float],
        *,
        bound: float = DEFAULT_BOUND,
        jitter: Callable[[], float] = random.random,
        aside: Aside = asyncio.to_thread,
    ) -> None:
        self._name = name
        self._encoder = encoder
        self._link = link
        self._bound = bound
        self._jitter = jitter
        self._aside = aside
        self._replica = CacheReplica(name, self._empty(), encoder.name)
        self._news = asyncio.Event()
        self._poll_s = _FIRST_POLL_S
        self._is_away = False
        self._has_told_of_model = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.answers = ReplicaAnswers(lambda: self._replica.cache, encoder, self._hear, clock)

    @property
    def replica(self) -> CacheReplica:
        """The copy: to be looked at."""
        return self._replica

    @property
    def is_away(self) -> bool:
        """Whether the owner did not answer when it was asked last."""
        return self._is_away

    def start(self) -> None:
        """Begin, in the background. Idempotent."""
        if not self._tasks:
            told = for_ever(self._tell, RETRY_AFTER_S, "what calls have taught is not told")
            self._spawn(told, "cache-reports")
            self._spawn(self._listen(), "cache-copy")

    async def aclose(self) -> None:
        """Tell what is left, once, and stop."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if not tasks:
            return  # never started: nobody is told
        await self.answers.aclose()
        if (batch := self._replica.batch(now=self._now())) is not None:
            await self._send(batch)

    # --- what the calls tell ----------------------------------------------------------------------

    def _hear(self, report: Report) -> None:
        self._replica.tell(report, now=self._now())
        self._news.set()

    async def _tell(self) -> None:
        while True:
            await self._news.wait()
            await asyncio.sleep(FLUSH_AFTER_S)
            self._news.clear()
            while (batch := self._replica.batch(now=self._now())) is not None:
                if not await self._send(batch):
                    await asyncio.sleep(RETRY_AFTER_S * (1.0 + self._jitter()))

    async def _send(self, batch: Batch) -> bool:
        try:
            lines = await self._aside(lambda: REPORTS.lines(batch.reports))
        except (KeyError, TypeError, ValueError) as error:
            trace = trace_of(error)
            logger.error("a report for the owner of the response cache is no JSON: %s", trace)
            self._replica.refused(batch.number)
            return True
        told = {
            "v": VERSION,
            "writer": batch.writer,
            "number": batch.number,
            "encoder": batch.encoder,
            "reports": lines,
        }
        try:
            async with asyncio.timeout(TELL_WITHIN_S):
                await self._link.tell(told)
        except DeltasInvalid as error:
            logger.error("the owner of the response cache cannot read us: %s", error)
            self._replica.refused(batch.number)
            return True
        except (CacheAwayError, TimeoutError):
            return False
        self._replica.delivered(batch.number)
        return True

    # --- what the owner says ----------------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._poll_s + POLL_SPARE_S):
                    answer = await self._link.watch(
                        {"v": VERSION, "reader": self._name, "seen": list(self._replica.stamp)}
                    )
                calm_s = await self._take(answer)
            except (CacheAwayError, DeltasInvalid, TimeoutError) as error:
                self._away(error)
                await asyncio.sleep(RETRY_AFTER_S * (1.0 + self._jitter()))
            except Exception as error:  # noqa: BLE001 - the copy must go on being kept up to date
                trace = trace_of(error)
                logger.error("an answer of the owner of the response cache is none: %s", trace)
                self._replica.forget_stamp()
                await asyncio.sleep(RETRY_AFTER_S * (1.0 + self._jitter()))
            else:
                await asyncio.sleep(calm_s * (0.5 + self._jitter()))

    async def _take(self, answer: Mapping[str, Any]) -> float:
        """Take over an answer; how long to wait before the next question."""
        term, last, self._poll_s, calm_s = _head_of(answer)
        if self._is_away:
            self._is_away = False
            logger.info("the owner of the response cache answers again")
        if answer.get("wants_state") and self._replica.stamp != NEVER:
            await self._give_state()
            return calm_s
        may_use = self._may_use_vectors(str(answer.get("encoder", "")))
        if isinstance(lines := answer.get("snapshot"), bytes):
            await self._take_snapshot((term, last), lines, may_use)
        elif isinstance(lines := answer.get("deltas"), bytes):
            await self._take_deltas((term, answer.get("after", -1)), lines, last, may_use)
        else:
            raise DeltasInvalid("an answer has a snapshot or deltas")
        return calm_s

    async def _take_snapshot(self, stamp: Stamp, lines: bytes, may_use: bool) -> None:
        def build() -> ResponseCache:
            cache = self._empty()
            try:
                for delta in _usable(DELTAS.read(lines), may_use):
                    apply(cache, delta)
            except ValueError as error:
                raise DeltasInvalid(f"a snapshot: {error}") from None
            return cache

        made = await self._aside(lambda: uncollected(build, lasts=True))
        before = [self._replica.cache]
        self._replica.take_snapshot(stamp, made)
        await self._aside(before.clear)  # to let go of ten thousand entries takes long

    async def _take_deltas(self, after: Stamp, lines: bytes, last: int, may_use: bool) -> None:
        if len(lines) > _FEW_BYTES:
            read = await self._aside(lambda: DELTAS.read(lines))
        else:
            read = DELTAS.read(lines)
        replica, is_next = self._replica, True
        try:
            for count, delta in enumerate(_usable(read, may_use), 1):
                if isinstance(delta, Space):
                    await self._place(delta)
                else:  # the number is reached with the last of them: taking one twice does no harm
                    is_next = is_next and replica.take_deltas(after, (delta,), after[1])
                if count % _AT_ONCE == 0:
                    await asyncio.sleep(0)
            is_next = is_next and replica.take_deltas(after, (), last)
        except ValueError as error:
            is_next = False
            logger.warning("a change of the response cache does not fit: %s", error)
        if not is_next:
            replica.forget_stamp()

    async def _place(self, delta: Space) -> None:
        """Place answers in a thread: nobody but this task changes a shelf."""
        shelf = self._replica.cache.store.shelf(delta.scope)
        if shelf is not None:
            await self._aside(lambda: uncollected(lambda: shelf.place(delta.whitening)))

    async def _give_state(self) -> None:
        state = await gathered(state_slices(self._replica.cache))
        lines = await self._aside(lambda: used_up(state, DELTAS.lines))
        async with asyncio.timeout(TELL_WITHIN_S):
            await self._link.restore({"v": VERSION, "encoder": self._encoder.name, "state": lines})

    def _may_use_vectors(self, encoder: str) -> bool:
        may_use = encoder == self._encoder.name
        if not may_use and encoder and self._encoder.name and not self._has_told_of_model:
            self._has_told_of_model = True
            logger.warning(
                "the response cache was made with another encoder than that of this process: only "
                "questions in the same words are answered here"
            )
        return may_use

    def _away(self, error: Exception) -> None:
        if not self._is_away:
            self._is_away = True
            why = str(error) or "no answer"
            logger.warning("the owner of the response cache is away, the copy is used: %s", why)

    # --- what both need ---------------------------------------------------------------------------

    def _empty(self) -> ResponseCache:
        return empty_copy(self._encoder.dimension, bound=self._bound)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _usable(deltas: Sequence[Delta], may_use: bool) -> list[Delta]:
    """Without what was made by another encoder."""
    if may_use:
        return list(deltas)
    return [
        Put(delta.entry, b"") if isinstance(delta, Put) else delta
        for delta in deltas
        if not isinstance(delta, Gate | Space)
    ]


def _head_of(answer: Mapping[str, Any]) -> tuple[int, int, float, float]:
    term, last = answer.get("term"), answer.get("last", 0)
    poll_s, calm_s = answer.get("poll_s", _FIRST_POLL_S), answer.get("calm_s", FLUSH_AFTER_S)
    if type(term) is not int or type(last) is not int:
        raise DeltasInvalid("an answer has a term and a number")
    if not isinstance(poll_s, int | float) or not isinstance(calm_s, int | float):
        raise DeltasInvalid("an answer says in seconds when to ask again")
    return term, last, max(0.1, float(poll_s)), max(0.0, float(calm_s))
