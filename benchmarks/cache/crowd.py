"""Many calls of one process ask at the same instant: how long each waits, and what the loop feels.

As in a worker: one event loop, one thread that encodes (``cache.local_encoder``), and the copy of
the entries in the process.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.cache.stream import SCOPE
from cache.encoder import Encoder
from cache.local_encoder import TurnEncoder
from cache.lookup import ResponseCache, ask

ASKERS = 100
ROUNDS = 5
FOREVER_S = 60.0
_BEAT_S = 0.001
_SETTLED_S = 0.05


@dataclass(slots=True)
class Crowd:
    """What all rounds came to.

    Attributes:
        took_ms: From the instant to the outcome, of each asker.
        steps_ms: What the processor worked on the loop for each asker without a break:
            normalising, and looking up.
        late_ms: How late a timer of 1 ms was, each time, while the askers waited.
        held_ms: What of that the loop's own thread worked meanwhile: the rest is what others had of
            the processor and of the interpreter.
        without: How many went without a vector, since their turn to be encoded came too late.
    """

    took_ms: list[float] = field(default_factory=list)
    steps_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    held_ms: list[float] = field(default_factory=list)
    without: int = 0

    def __str__(self) -> str:
        middle, last = np.percentile(self.took_ms, [50, 99])
        return (
            f"P50 {middle:.0f} ms, P99 {last:.0f} ms, {self.without / len(self.took_ms):.0%} went "
            f"without; the loop was late by {max(self.late_ms, default=0.0):.1f} ms at worst "
            f"({max(self.held_ms, default=0.0):.1f} ms of work of its own), its "
            f"longest step {max(self.steps_ms):.2f} ms"
        )


def measure(
    cache: ResponseCache,
    encoder: Encoder,
    texts: Sequence[str],
    *,
    rounds: int = ROUNDS,
    within_s: float | None = None,
) -> Crowd:
    """All texts, which were never encoded before, in so many rounds of as many askers each.

    Args:
        cache: With entries.
        encoder: Of their vectors.
        texts: What is asked.
        rounds: One after another.
        within_s: How long an asker waits for a vector; None as in the product.
    """
    crowd, askers = Crowd(), len(texts) // rounds
    for number in range(rounds):
        some = texts[number * askers : (number + 1) * askers]
        gc.collect()
        gc.freeze()  # as a CallActor does with what it loads
        asyncio.run(_round(cache, encoder, some, crowd, within_s))
    return crowd


async def _round(
    cache: ResponseCache,
    encoder: Encoder,
    texts: Sequence[str],
    crowd: Crowd,
    within_s: float | None,
) -> None:
    turns = TurnEncoder(encoder)
    turns.assume({"en": True})
    instant = asyncio.Event()
    begin_s = [0.0]

    async def asks(text: str) -> None:
        await instant.wait()
        step_s = time.thread_time()
        question = ask(text, SCOPE)
        crowd.steps_ms.append((time.thread_time() - step_s) * 1e3)
        vector, is_late = await turns.vector(question.text, SCOPE.language, within_s=within_s)
        crowd.without += is_late
        step_s = time.thread_time()
        cache.lookup(question, vector, now_s=1.0)
        crowd.steps_ms.append((time.thread_time() - step_s) * 1e3)
        crowd.took_ms.append((time.perf_counter() - begin_s[0]) * 1e3)

    async with asyncio.TaskGroup() as group:
        askers = [group.create_task(asks(text)) for text in texts]
        await asyncio.sleep(_SETTLED_S)
        begin_s[0] = time.perf_counter()
        instant.set()
        while not all(asker.done() for asker in askers):
            due_s, worked_s = time.perf_counter() + _BEAT_S, time.thread_time()
            await asyncio.sleep(_BEAT_S)
            crowd.late_ms.append((time.perf_counter() - due_s) * 1e3)
            crowd.held_ms.append((time.thread_time() - worked_s) * 1e3)
    turns.close()
