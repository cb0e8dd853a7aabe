"""The cache is asked first, and never waited for: a reply is thought about meanwhile.

Rules
1. The lookup has ``HEAD_START_S`` to itself: it answers in two or three milliseconds, and a request
   to a model that is cancelled is paid for. After that both run.
2. The first that has something to say wins. Words of the model that are on their way are not taken
   back for an answer of the cache.
3. Whoever loses is ended at once. A lookup that breaks is one that found nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from time import perf_counter
from typing import Any, Final

from actors.consultation import Consultation
from cache.outcomes import Hit
from cache.ports import AnswerCache

logger = logging.getLogger(__name__)

HEAD_START_S: Final = 0.012
"""The 99th percentile of a lookup of 8 to 28 words is meant to be no more."""


async def look_up(cache: AnswerCache, consultation: Consultation) -> Hit | None:
    """Ask the cache; what it said and how long it took stands in ``consultation``.

    Returns:
        An answer that may be spoken.
    """
    asked_at = perf_counter()  # the time of a loop in Ray's processes counts milliseconds
    try:
        consultation.outcome = await cache.lookup(consultation.question)
    except Exception as error:  # noqa: BLE001 - a turn does without the cache
        consultation.is_broken = True
        logger.error("the response cache broke: %s", type(error).__name__)
    finally:
        consultation.lookup_s = perf_counter() - asked_at
    return consultation.hit


async def first_of(
    lookup: Coroutine[Any, Any, Hit | None],
    think: Callable[[], Coroutine[Any, Any, None]],
    speak: Callable[[Hit], bool],
) -> None:
    """Reply with whichever has something to say first; see the rules above.

    Args:
        lookup: Ends with an answer that may be spoken, or None.
        think: The whole reply of the model; not begun when the cache is quick.
        speak: Speaks an answer of the cache. False when there is nothing in it to say, or the model
            has begun to speak.
    """
    asked = asyncio.ensure_future(lookup)
    thinking: asyncio.Future[None] | None = None
    try:
        await asyncio.wait({asked}, timeout=HEAD_START_S)
        if asked.done():
            hit = _found(asked)
            if hit is None or not speak(hit):
                await think()
            return
        thinking = asyncio.ensure_future(think())
        await asyncio.wait({asked, thinking}, return_when=asyncio.FIRST_COMPLETED)
        if not thinking.done() and (hit := _found(asked)) is not None and speak(hit):
            return
        await thinking
    finally:
        await _end(asked, thinking)


def _found(asked: asyncio.Future[Hit | None]) -> Hit | None:
    return None if asked.cancelled() else asked.result()  # an encoder that is closed cancels


async def _end(*tasks: Awaitable[Any] | None) -> None:
    running = [task for task in tasks if isinstance(task, asyncio.Future) and not task.done()]
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)
