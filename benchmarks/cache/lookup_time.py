"""How long a lookup takes in the worker, encoding included, with many entries in one scope."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable

import numpy as np

from benchmarks.cache.data import Turn
from benchmarks.cache.stream import SCOPE
from cache.encoder import Encoder
from cache.entry import Answer, Entry, Provenance
from cache.lookup import ResponseCache, ask
from cache.store import Limits

LOOKUPS = 300
EVERY_S = 0.1
_FAR_S = 1e9


def filled(rows: list[Turn], encoder: Encoder, entries: int) -> ResponseCache:
    """A cache with this many trusted entries: the rows, and variations of their vectors."""
    cache = ResponseCache(encoder.dimension, Limits(entries=entries, size_bytes=1 << 40))
    chance = np.random.default_rng(0)
    known = [(ask(turn.text, SCOPE), turn.answer) for turn in rows[:2_000]]
    vectors = [encoder.encode(question.text or " ") for question, _ in known]
    for number in range(entries):
        question, answer = known[number % len(known)]
        near = vectors[number % len(known)] + 0.02 * chance.standard_normal(encoder.dimension)
        vector = (near / np.linalg.norm(near)).astype(np.float32)
        text = question.text if number < len(known) else f"{question.text} {number}"
        entry = Entry(
            number + 1, SCOPE, text, Answer(answer, answer, provenance=Provenance.FAQ), 0.0, _FAR_S
        )
        cache.store.put(entry, vector)
    cache.refit()
    return cache


def semantic_ms(
    cache: ResponseCache, texts: Iterable[str], encoder: Encoder
) -> tuple[list[float], list[float]]:
    """Normalising, encoding and looking up texts that are not in the cache, in milliseconds.

    Ten a second: between two lookups the caches of the processor have seen other things. Returns
    what passed by the clock, and what of it the processor worked for the lookup: where other work
    shares the machine, the second tells what the first would be without.
    """
    took, worked = [], []
    gc.collect()
    gc.freeze()  # as a CallActor does with what it loads
    for text in texts:
        time.sleep(EVERY_S)
        begin_s, begin_cpu_s = time.perf_counter(), time.thread_time()
        question = ask(text, SCOPE)
        cache.lookup(question, encoder.encode(question.text), now_s=1.0)
        worked.append((time.thread_time() - begin_cpu_s) * 1e3)
        took.append((time.perf_counter() - begin_s) * 1e3)
    return took, worked


def exact_ms(cache: ResponseCache, texts: Iterable[str]) -> list[float]:
    """The same for texts that are in the cache: no encoding."""
    took = []
    for text in texts:
        begin_s = time.perf_counter()
        cache.lookup(ask(text, SCOPE), None, now_s=1.0)
        took.append((time.perf_counter() - begin_s) * 1e3)
    return took


def percentiles(took_ms: list[float]) -> str:
    """P50, P99 and the worst."""
    middle, late = np.percentile(took_ms, [50, 99])
    return f"P50 {middle:.2f} ms, P99 {late:.2f} ms, worst {max(took_ms):.2f} ms"
