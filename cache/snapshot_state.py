"""Between an owner at work and its snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cache.deltas import FEATURES, apply
from cache.keeper import CacheKeeper, KeeperConfig
from cache.lookup import ResponseCache
from cache.snapshot import Heard, Model, Snapshot, labels_of, lessons_of
from cache.store import Limits


def snapshot_of_keeper(keeper: CacheKeeper, model: Model, term: int = 0) -> Snapshot:
    """All that it knows now; some 50 ms for 10,000 entries."""
    return replace(
        head_of_keeper(keeper, model, term),
        lessons=lessons_of(keeper.cache.gates.lessons()),
        state=tuple(keeper.state()),
    )


def head_of_keeper(keeper: CacheKeeper, model: Model, term: int = 0) -> Snapshot:
    """All but what takes long: its state (``deltas.state_slices``) and its labels.

    They are taken afterwards and may be newer.
    """
    return Snapshot(
        model,
        keeper.cache.next_id,
        (),
        (),
        tuple(Heard(writer, number) for writer, number in keeper.heard.items()),
        (term, keeper.log.last),
    )


def keeper_of(
    snapshot: Snapshot,
    config: KeeperConfig,
    limits: Limits,
    *,
    bound: float,
    jitter: Callable[[], float],
) -> CacheKeeper:
    """An owner that knows what a snapshot says; entries beyond the limits go, oldest first.

    Raises:
        ValueError: The vectors have another dimension than the config says: see
            ``Snapshot.of_model``.
    """
    cache = ResponseCache(config.dimension, limits, bound=bound)
    for delta in snapshot.state:
        apply(cache, delta)
    cache.resume(snapshot.next_id)
    for lessons in snapshot.lessons:
        labels = labels_of(lessons, FEATURES)
        if labels or not lessons.seen:
            cache.gates.resume(lessons.family, lessons.seen, labels)
    for _, shelf in cache.store.shelves():
        if shelf.whitening is not None:
            shelf.measured()
    keeper = CacheKeeper(cache, config, jitter)
    for heard in snapshot.heard:
        keeper.heard[heard.writer] = heard.number
    return keeper
