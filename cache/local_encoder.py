"""The encoder of one process, off its event loop: in the order of arrival, and a bounded wait.

One thread encodes; a second one helps while a crowd waits, where there is a processor for it. Texts
are computed one by one: together they take 7 % less, and in int8 the vector of a turn would then
depend on its company (by as much as int8 itself is off: a cosine of 0.985 at worst). Who asks for a
text that is being encoded already waits for that; who would have to wait too long goes without.
What was made, or that it is too late, is told to one turn in each step of the loop: each looks up
then, and all at once would hold up everything else.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from cache.encoder import Encoder, Vector
from cache.encoder_queue import EncoderQueue
from cache.language_check import check_language

logger = logging.getLogger(__name__)

ENCODE_WITHIN_S: Final = 0.1
MOST_WAITING: Final = 200
REMEMBERED: Final = 512
NO_ENCODER_DIMENSION: Final = 384
"""Of a cache without an encoder: it keeps no vectors."""
_CROWD: Final = 8
"""From so many waiting texts on a second thread helps."""

Run = Callable[[Callable[[], Any]], "asyncio.Future[Any]"]
_Said = tuple[Vector | None, bool]


class TurnEncoder:
    """Vectors of turns for the event loop.

    Args:
        encoder: None when there is none: nobody gets a vector then.
        run: Runs a function elsewhere; threads of its own unless a test says otherwise.
        within_s: How long a turn waits for its vector.
        threads: At most.
    """

    def __init__(
        self,
        encoder: Encoder | None,
        *,
        run: Run | None = None,
        within_s: float = ENCODE_WITHIN_S,
        threads: int | None = None,
    ) -> None:
        self._encoder = encoder
        self._within_s = within_s
        self._threads = min(2, _processors()) if threads is None else threads
        self._pool: ThreadPoolExecutor | None = None
        self._run = run or self._in_thread
        self._reads: dict[str, bool] = {}
        self._queue = EncoderQueue()
        self._runs = 0
        self._waiters: dict[str, list[asyncio.Future[_Said]]] = {}
        self._finished: deque[tuple[asyncio.Future[_Said], _Said]] = deque()
        self._is_handing_over = False
        self._known: OrderedDict[str, Vector] = OrderedDict()

    @property
    def name(self) -> str:
        """Of the model; empty without one."""
        return self._encoder.name if self._encoder else ""

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return self._encoder.dimension if self._encoder else NO_ENCODER_DIMENSION

    def reads(self, language: str) -> bool:
        """Whether the semantic tier is on for a language: not before :meth:`check`."""
        return self._reads.get(_first(language), False)

    def assume(self, reads: Mapping[str, bool]) -> None:
        """What is known of languages without trying them, by the first part of their tags."""
        self._reads.update(reads)

    async def check(self, languages: Iterable[str]) -> None:
        """Try the languages that were not tried yet; says where the semantic tier is off."""
        if self._encoder is None:
            return
        for language in sorted({_first(one) for one in languages} - self._reads.keys()):
            try:
                reading = await self._run(partial(check_language, self._encoder, language))
            except Exception as error:  # noqa: BLE001 - of a third-party runtime
                logger.warning("the encoder failed on %s: %s", language, type(error).__name__)
                self._reads[language] = False
                continue
            self._reads[language] = reading.can_read
            if not reading.can_read:
                logger.info("the semantic tier is off for %s: %s", language, reading.why)

    async def vector(
        self, text: str, language: str, *, within_s: float | None = None
    ) -> tuple[Vector | None, bool]:
        """The vector of a canonical text, and whether it was late.

        Never raises; cancelling leaves others who wait for the same text alone.

        Args:
            text: Canonical.
            language: BCP-47 tag.
            within_s: Another limit than that of turns, for work that nobody waits for.
        """
        if self._encoder is None or not self.reads(language):
            return None, False
        if (known := self._known.get(text)) is not None:
            self._known.move_to_end(text)
            return known, False
        is_turn = within_s is None
        if is_turn and text not in self._waiters and len(self._waiters) >= MOST_WAITING:
            return None, True
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[_Said] = loop.create_future()
        self._wait(text, waiter, is_turn=is_turn)
        self._begin_runs(self._encoder)
        limit_s = self._within_s if within_s is None else within_s
        timer = loop.call_later(limit_s, self._time_is_up, text, waiter)
        try:
            return await waiter
        finally:
            timer.cancel()
            self._leave(text, waiter)

    def close(self) -> None:
        """Let go of the threads."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _wait(self, text: str, waiter: asyncio.Future[_Said], *, is_turn: bool) -> None:
        waiters = self._waiters.get(text)
        if waiters is None:
            waiters = self._waiters[text] = []
            self._queue.add(text, is_turn=is_turn)
        elif is_turn and text in self._queue:
            self._queue.add(text, is_turn=True)
        waiters.append(waiter)

    def _leave(self, text: str, waiter: asyncio.Future[_Said]) -> None:
        """Takes the text out of the queue when nobody waits for it any more."""
        waiters = self._waiters.get(text)
        if waiters is None or waiter not in waiters:
            return
        waiters.remove(waiter)
        if not waiters and text in self._queue:
            self._queue.discard(text)
            del self._waiters[text]

    def _time_is_up(self, text: str, waiter: asyncio.Future[_Said]) -> None:
        if not waiter.done():
            vector = self._known.get(text)
            self._finished.append((waiter, (vector, vector is None)))
            self._begin_to_hand_over()

    def _begin_runs(self, encoder: Encoder) -> None:
        while len(self._queue) and self._runs < self._threads:
            if self._runs and len(self._queue) < _CROWD:
                return
            texts = self._queue.take()
            self._runs += 1
            made = self._run(partial(_encoded, encoder, texts))
            made.add_done_callback(partial(self._ended, encoder, texts))

    def _ended(self, encoder: Encoder, texts: list[str], done: asyncio.Future[Any]) -> None:
        self._runs -= 1
        self._begin_runs(encoder)
        failed = done.cancelled() or done.exception() is not None
        made = dict.fromkeys(texts) if failed else done.result()
        for text, vector in made.items():
            if vector is not None:
                self._remember(text, vector)
            for waiter in self._waiters.pop(text, ()):
                self._finished.append((waiter, (vector, False)))
        self._begin_to_hand_over()

    def _begin_to_hand_over(self) -> None:
        if not self._is_handing_over:
            self._is_handing_over = True
            self._hand_over()

    def _hand_over(self) -> None:
        """To the next one who still waits; to the others in later steps of the loop."""
        self._is_handing_over = False
        while self._finished:
            waiter, said = self._finished.popleft()
            if not waiter.done():
                waiter.set_result(said)
                self._is_handing_over = True
                asyncio.get_running_loop().call_soon(self._hand_over)
                return

    def _remember(self, text: str, vector: Vector) -> None:
        self._known[text] = vector
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _in_thread(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="encoder")
        return asyncio.get_running_loop().run_in_executor(self._pool, work)


def _encoded(encoder: Encoder, texts: list[str]) -> dict[str, Vector | None]:
    """In another thread; None where the encoder failed."""
    made: dict[str, Vector | None] = {}
    for text in texts:
        try:
            made[text] = encoder.encode(text)
        except Exception as error:  # noqa: BLE001 - of a third-party runtime
            logger.warning("a turn could not be encoded: %s", type(error).__name__)
            made[text] = None
    return made


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _first(language: str) -> str:
    return language.lower().split("-")[0]
