"""Logistic regression on hashed features, by Adagrad in small batches, from a fixed seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.completeness.examples import Example
from voice.completeness import STEP
from voice.completeness_features import PLACES, places_of

_BATCH = 4096
_RATE = 0.15
_PASSES = 12


@dataclass(frozen=True, eq=False)
class Table:
    """Examples as arrays.

    Attributes:
        places: Row by row, of shape (examples, most features); filled up with ``PLACES``.
        is_whole, weight: Of each example.
    """

    places: NDArray[np.int32]
    is_whole: NDArray[np.float32]
    weight: NDArray[np.float32]


def tabulate(examples: list[Example], *, is_unspaced: bool) -> Table:
    """The features of many examples."""
    rows = [places_of(example.words, is_unspaced=is_unspaced) for example in examples]
    places = np.full((len(rows), max(map(len, rows))), PLACES, np.int32)
    for number, row in enumerate(rows):
        places[number, : len(row)] = row
    return Table(
        places,
        np.array([example.is_whole for example in examples], np.float32),
        np.array([example.weight for example in examples], np.float32),
    )


def fit(table: Table, *, penalty: float, seed: int) -> NDArray[np.float64]:
    """Weights of all places; ``penalty`` is that of their squares, per example."""
    random = np.random.default_rng(seed)
    weights = np.zeros(PLACES + 1)
    squares = np.full(PLACES + 1, 1e-8)
    for _ in range(_PASSES):
        order = random.permutation(len(table.weight))
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            places = table.places[batch]
            error = _sigmoid(weights[places].sum(1)) - table.is_whole[batch]
            error *= table.weight[batch]
            spread = np.repeat(error, places.shape[1])
            slope = np.bincount(places.ravel(), spread, PLACES + 1) / len(batch)
            slope += penalty * weights
            squares += slope * slope
            weights -= _RATE * slope / np.sqrt(squares)
            weights[PLACES] = 0.0
    return weights


def as_bytes(weights: NDArray[np.float64]) -> bytes:
    """The table as ``voice.completeness`` reads it."""
    return np.clip(np.round(weights[:PLACES] / STEP), -127, 127).astype(np.int8).tobytes()


def chances(table: Table, weights: bytes) -> NDArray[np.float64]:
    """How likely each example is whole, by the table of bytes."""
    steps = np.append(np.frombuffer(weights, np.int8).astype(np.float64), 0.0)
    return _sigmoid(STEP * steps[table.places].sum(1))


def _sigmoid(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0)))
