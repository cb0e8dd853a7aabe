"""What changes in the response cache, as values: the owner makes them, replicas take them over.

Each delta says how something is, not how it changed, so that taking one over twice does no harm.
The whole state of a cache is a list of deltas too: what a snapshot holds, and what a replica gets
that was away for too long.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from cache.answer_space import Whitening
from cache.encoder import Vector
from cache.entry import Entry
from cache.evidence import Neighbour, weigh
from cache.gate import Bound, GateWeights
from cache.learning import Family
from cache.lookup import ResponseCache
from cache.pattern import SeenState
from cache.scope import Scope

FEATURES: Final = len(weigh("", [Neighbour(0, "", "", 0.0)], lambda _: 1.0).features)
"""How many numbers the gates of this version are fitted on."""


@dataclass(frozen=True, slots=True)
class Put:
    """An entry is there, or is as it is now.

    Attributes:
        vector: Of its question, see :func:`packed`; empty where no encoder reads the language.
    """

    entry: Entry
    vector: bytes


@dataclass(frozen=True, slots=True)
class Remove:
    """An entry is gone."""

    entry_id: int


@dataclass(frozen=True, slots=True)
class Silence:
    """An entry is kept and not served."""

    entry_id: int


@dataclass(frozen=True, slots=True)
class Vouch:
    """A caller was given an answer, not by the cache."""

    scope_key: bytes
    answer_id: str
    caller: bytes


@dataclass(frozen=True, slots=True)
class Generation:
    """What has this tag and another number has ended."""

    tenant_id: str
    tag: str
    number: int


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """A gate was fitted; without weights it has to begin again."""

    family: Family
    weights: GateWeights | None


@dataclass(frozen=True, slots=True)
class BoundIs:
    """What the checked hits of a scope came to."""

    scope_key: bytes
    bound: Bound


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """The answers of a scope were measured."""

    scope: Scope
    whitening: Whitening


@dataclass(frozen=True, slots=True)
class Seen:
    """What followed a state of the dialogue."""

    seen: SeenState


Delta = Put | Remove | Silence | Vouch | Generation | Gate | BoundIs | Space | Seen


def packed(vector: Vector | None) -> bytes:
    """Half floats, little-endian: what goes over the wire and to disk; empty for none."""
    return b"" if vector is None else vector.astype("<f2").tobytes()


def unpacked(vector: bytes) -> Vector | None:
    """The vector again: float32; None for none."""
    return np.frombuffer(vector, dtype="<f2").astype(np.float32) if vector else None


def apply(cache: ResponseCache, delta: Delta) -> None:
    """Take over one delta, in the order in which they were made.

    Raises:
        ValueError: A vector has another dimension than the cache.
    """
    match delta:
        case Put(entry, vector):
            cache.store.put(entry, unpacked(vector))
            cache.resume(entry.entry_id + 1)
        case Remove(entry_id):
            cache.store.remove(entry_id)
        case Silence(entry_id):
            if (silenced := cache.store.get(entry_id)) is not None:
                silenced.is_quarantined = True
        case Vouch(scope_key, answer_id, caller):
            cache.store.produced(scope_key, answer_id, caller)
        case Generation(tenant_id, tag, number):
            cache.store.set_generation(tenant_id, tag, number)
        case _:
            _apply_learned(cache, delta)


def _apply_learned(cache: ResponseCache, delta: Gate | BoundIs | Space | Seen) -> None:
    match delta:
        case Gate(family, weights):
            if weights is None or len(weights.means) == FEATURES:  # else: of another version
                cache.gates.publish(family, weights)
        case BoundIs(scope_key, bound):
            cache.gates.publish_bound(scope_key, bound)
        case Space(scope, whitening):
            if (shelf := cache.store.shelf(scope)) is not None:
                shelf.place(whitening)
        case Seen(seen):
            cache.patterns.place(seen)


def state_of(cache: ResponseCache) -> Iterator[Delta]:
    """Everything that a cache holds: taken over by an empty one, it makes the same.

    The least recently used come first.
    """
    for part in state_slices(cache):
        yield from part


def state_slices(cache: ResponseCache, size: int = 100) -> Iterator[list[Delta]]:
    """The same, a little at a time: between two the cache may change.

    What changes meanwhile is in it or is not. Who also takes over the deltas that were made since
    the first slice has everything: each says how something is.

    Args:
        cache: What is told.
        size: Entries, or others, in a slice: 200 take about a millisecond.
    """
    store = cache.store
    ids = [entry.entry_id for entry in store]
    vouched: set[tuple[bytes, str]] = set()
    for start in range(0, len(ids), size):
        part: list[Delta] = []
        for entry in filter(None, map(store.get, ids[start : start + size])):
            part.append(Put(entry, packed(store.vector(entry))))
            use = (entry.scope.key(), entry.answer.answer_id)
            if use not in vouched:
                vouched.add(use)
                part += [Vouch(*use, caller) for caller in sorted(store.callers_of(entry))]
        yield part
    yield list(_learned_of(cache))
    seen = iter(cache.patterns)
    while some := [Seen(one) for one in islice(seen, size)]:
        yield list(some)


def _learned_of(cache: ResponseCache) -> Iterator[Delta]:
    store = cache.store
    for tenant_id, tag, number in store.all_generations():
        yield Generation(tenant_id, tag, number)
    for scope, shelf in store.shelves():
        if shelf.whitening is not None:
            yield Space(scope, shelf.whitening)
    for family, weights in cache.gates.fitted():
        yield Gate(family, weights)
    for scope_key, bound in cache.gates.bounds.items():
        yield BoundIs(scope_key, bound)
