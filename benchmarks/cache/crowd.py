"""Many calls of one process ask at the same instant: how long each waits, and what the loop feels.

As in a worker: one event loop, the threads that encode (``cache.local_encoder``), the copy of the
entries in the process, and ``cache.replica_answers`` before it.
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
from cache.local_encoder import ENCODE_WITHIN_S, TurnEncoder
from cache.lookup import ResponseCache, ask
from cache.outcomes import Miss, MissReason
from cache.replica_answers import ReplicaAnswers
from cache.replica_reports import Report

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
        late_ms: How late a timer of 1 ms was, each time, while the askers waited.
        held_ms: What the loop's own thread worked between two times of that timer: at most its
            longest step, and a millisecond. How late the timer was beyond that is what others had
            of the processor and of the interpreter.
        without: How many went without a vector, since their turn to be encoded came too late.
    """

    took_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    held_ms: list[float] = field(default_factory=list)
    without: int = 0

    def __str__(self) -> str:
        middle, last = np.percentile(self.took_ms, [50, 99])
        return (
            f"P50 {middle:.0f} ms, P99 {last:.0f} ms, {self.without / len(self.took_ms):.0%} went "
            f"without; the loop was late by {max(self.late_ms, default=0.0):.1f} ms at worst "
            f"({max(self.held_ms, default=0.0):.1f} ms of work of its own)"
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
    turns = TurnEncoder(encoder, within_s=ENCODE_WITHIN_S if within_s is None else within_s)
    turns.assume({"en": True})
    answers = ReplicaAnswers(lambda: cache, turns, _nobody, lambda: 1.0)
    instant = asyncio.Event()
    begin_s = [0.0]

    async def asks(text: str) -> None:
        await instant.wait()
        found = await answers.lookup(ask(text, SCOPE))
        crowd.without += isinstance(found, Miss) and found.reason is MissReason.ENCODER_LATE
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


def _nobody(_: Report) -> None:
    """Hears what is told; a lookup tells nothing."""
