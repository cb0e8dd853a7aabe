"""The encoder of one process, off its event loop: one turn at a time, and a bounded wait.

A batch saves nothing on a processor, and a second thread costs more than it brings (see
``cache.encoder``). So there is one thread with a queue before it. Who asks for a text that is being
encoded already waits for that; who would have to wait too long goes without.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from cache.encoder import Encoder, Vector
from cache.language_check import check_language

logger = logging.getLogger(__name__)

ENCODE_WITHIN_S: Final = 0.12
MOST_WAITING: Final = 200
REMEMBERED: Final = 512
NO_ENCODER_DIMENSION: Final = 384
"""Of a cache without an encoder: it keeps no vectors."""

Run = Callable[[Callable[[], Any]], "asyncio.Future[Any]"]


@dataclass(slots=True)
class _Flight:
    made: asyncio.Future[Any]
    waiting: int = 0


class TurnEncoder:
    """Vectors of turns for the event loop.

    Args:
        encoder: None when there is none: nobody gets a vector then.
        run: Runs a function elsewhere; a thread of its own unless a test says otherwise.
        within_s: How long a turn waits for its vector.
    """

    def __init__(
        self,
        encoder: Encoder | None,
        *,
        run: Run | None = None,
        within_s: float = ENCODE_WITHIN_S,
    ) -> None:
        self._encoder = encoder
        self._within_s = within_s
        self._thread: ThreadPoolExecutor | None = None
        self._run = run or self._in_thread
        self._reads: dict[str, bool] = {}
        self._flights: dict[str, _Flight] = {}
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
        flight = self._flights.get(text)
        if flight is None:
            if len(self._flights) >= MOST_WAITING and within_s is None:
                return None, True
            flight = self._flights[text] = _Flight(self._begin(self._encoder, text))
        flight.waiting += 1
        try:
            async with asyncio.timeout(self._within_s if within_s is None else within_s):
                return await asyncio.shield(flight.made), False
        except TimeoutError:
            return None, True
        except Exception as error:  # noqa: BLE001 - of a third-party runtime
            logger.warning("a turn could not be encoded: %s", type(error).__name__)
            return None, False
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.made.done():
                flight.made.cancel()  # takes it out of the queue, unless it has begun

    def close(self) -> None:
        """Let go of the thread."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
            self._thread = None

    def _begin(self, encoder: Encoder, text: str) -> asyncio.Future[Any]:
        made = self._run(lambda: encoder.encode(text))

        def ended(done: asyncio.Future[Any]) -> None:
            self._flights.pop(text, None)
            if not done.cancelled() and done.exception() is None:
                self._known[text] = done.result()
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)

        made.add_done_callback(ended)
        return made

    def _in_thread(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="encoder")
        return asyncio.get_running_loop().run_in_executor(self._thread, work)


def _first(language: str) -> str:
    return language.lower().split("-")[0]
