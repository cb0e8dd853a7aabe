"""What the tests of the shared cache have in common: a scope, vectors, answers, an owner."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zlib import crc32

import numpy as np

from cache.encoder import Vector
from cache.entry import Answer, Provenance
from cache.keeper import CacheKeeper, KeeperConfig
from cache.keeper_rates import Rates
from cache.local_encoder import TurnEncoder
from cache.lookup import ResponseCache, ask
from cache.replica_reports import Batch, Learned, Report
from cache.scope import Scope, caller_mark
from cache.store import Limits

DIMENSION = 32
SCOPE = Scope("shop", "anna", "3", "9", "faq", "en-US", "answer")
HOURS = Answer("hours", "From nine to five.", tags=frozenset({"hours"}))
PARKING = Answer("parking", "Behind the house.")
FAQ = replace(HOURS, provenance=Provenance.FAQ)
FREE = Rates(1e9, 1e9, 1e9, 1e9, 1_000, 1_000)


def vector_of(text: str) -> Vector:
    """The same for the same words in any order, similar for shared words."""
    made = np.zeros(DIMENSION)
    for word in text.split():
        made += np.random.default_rng(crc32(word.encode())).standard_normal(DIMENSION)
    norm = float(np.linalg.norm(made)) or 1.0
    return (made / norm).astype(np.float16).astype(np.float32)


def keeper(
    *, limits: Limits | None = None, rates: Rates = FREE, encoder: str = "", bound: float = 0.06
) -> CacheKeeper:
    """An owner that knows nothing."""
    cache = ResponseCache(DIMENSION, limits, bound=bound)
    return CacheKeeper(cache, KeeperConfig(DIMENSION, encoder, rates), lambda: 0.0)


def learned(text: str, answer: Answer, caller: str, scope: Scope = SCOPE, **more: Any) -> Learned:
    """As a worker tells it."""
    question = ask(text, scope)
    vector = vector_of(question.text).astype("<f2").tobytes()
    mark = caller_mark(scope.tenant_id, caller)
    fields = {"features": (), "nearest": "", **more}
    return Learned(scope, question.text, answer, vector, caller=mark, **fields)


class Worker:
    """Tells an owner in numbered batches."""

    def __init__(self, owner: CacheKeeper, name: str = "w", encoder: str = "") -> None:
        self._owner, self._name, self._encoder = owner, name, encoder
        self._number = 0

    def tell(self, *reports: Report, now_s: float = 0.0) -> None:
        self._number += 1
        batch = Batch(self._name, self._number, self._encoder, reports)
        assert self._owner.tell(batch, now_s=now_s)


class WordEncoder:
    """An encoder without a model: likes share words."""

    def __init__(self, name: str = "words-1") -> None:
        self._name = name
        self.encoded: list[str] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimension(self) -> int:
        return DIMENSION

    def encode(self, text: str) -> Vector:
        self.encoded.append(text)
        return vector_of(text)

    def unknown_ratio(self, text: str) -> float:
        return 0.0


def at_once(work: Callable[[], Any]) -> asyncio.Future[Any]:
    """Runs in place of a thread, on the spot."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    try:
        future.set_result(work())
    except Exception as error:  # noqa: BLE001 - as an executor does
        future.set_exception(error)
    return future


def turn_encoder(encoder: WordEncoder | None = None, *, reads: str = "en") -> TurnEncoder:
    """An encoder that reads one language, without a thread."""
    made = TurnEncoder(encoder or WordEncoder(), run=at_once)
    made.assume({reads: True})
    return made
