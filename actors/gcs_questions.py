"""Questions that block, asked beside the loop: of Ray's GCS above all, which may be away.

A GCS that is held keeps whoever asks it for a minute. In the loop's own threads, of which there are
six on a machine of two cores, a few such questions stop everything else that is done there, the
look-up of a host's address among it.

Rules
1. Each question has a thread of its own, and the loop waits for it no longer than it is told to.
2. Of the same question there is one at a time: who asks it meanwhile waits for the same answer.

Without Ray.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

T = TypeVar("T")

ANSWER_WITHIN_S: Final = 2.0
_asked: dict[Hashable, Future[Any]] = {}
_lock = threading.Lock()


async def ask_gcs(
    name: Hashable, question: Callable[[], T], within_s: float = ANSWER_WITHIN_S
) -> T:
    """The answer, or what the question raises.

    Args:
        name: Of the question; what has the same name is the same question.
        question: Blocks.
        within_s: How long to wait.

    Raises:
        TimeoutError: There is none yet.
    """
    answer = _begin(name, question)
    heard = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell(_answer: Future[T]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(heard.set)

    answer.add_done_callback(tell)
    async with asyncio.timeout(within_s):
        await heard.wait()
    return answer.result()


def _begin(name: Hashable, question: Callable[[], T]) -> Future[T]:
    with _lock:
        under_way = _asked.get(name)
        if under_way is not None:
            return under_way
        answer: Future[T] = Future()
        _asked[name] = answer
    # Ray keeps there who asks.
    run = contextvars.copy_context().run
    threading.Thread(target=run, args=(_ask, name, question, answer), daemon=True).start()
    return answer


def _ask(name: Hashable, question: Callable[[], T], answer: Future[T]) -> None:
    try:
        found = question()
    except BaseException as error:  # noqa: BLE001 - it is whose who asked
        _forget(name)
        answer.set_exception(error)
    else:
        _forget(name)
        answer.set_result(found)


def _forget(name: Hashable) -> None:
    with _lock:
        _asked.pop(name, None)
