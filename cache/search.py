"""The nearest of some thousands of vectors, exactly, on one thread, in a fraction of a millisecond.

Each vector has a sign code, one bit a number: two vectors that point the same way have the same
signs nearly everywhere, and counting differing bits reads 1/32 of the memory. The best by code are
then compared exactly. No index is built, so that adding and removing are writes into one row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cache.encoder import Vector

_FIRST_ROWS: Final = 64
_BY_CODE: Final = 96
"""So many of the best by code are compared exactly: the true nearest eight are among them."""
_ALL_EXACT: Final = 1_500
"""Up to here comparing all of them exactly is as quick."""
_CAN_COUNT: Final = hasattr(np, "bitwise_count")  # numpy 2


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What is near, nearest first.

    Attributes:
        ids: Of the entries.
        similarities: Cosines, as many.
    """

    ids: tuple[int, ...]
    similarities: tuple[float, ...]


class VectorRows:
    """The vectors of one scope, in rows that are used again: float32, length 1."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._vectors: NDArray[np.float32] = np.zeros((0, dimension), dtype=np.float32)
        self._codes: NDArray[np.uint64] = np.zeros((-(-dimension // 64), 0), dtype=np.uint64)
        self._ids: list[int] = []
        self._row_of: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, entry_id: int) -> bool:
        return entry_id in self._row_of

    @property
    def size_bytes(self) -> int:
        """What the rows take, those kept free for more too."""
        return self._vectors.nbytes + self._codes.nbytes

    def put(self, entry_id: int, vector: Vector) -> None:
        """Add a vector, or replace that of the same entry.

        Raises:
            ValueError: It has another dimension.
        """
        if vector.shape != (self._dimension,):
            raise ValueError(f"a vector of {vector.shape}, not of {self._dimension} numbers")
        row = self._row_of.get(entry_id)
        if row is None:
            row = len(self._ids)
            if row == len(self._vectors):
                self._grow()
            self._ids.append(entry_id)
            self._row_of[entry_id] = row
        self._vectors[row] = vector
        self._codes[:, row] = self._code(vector)

    def remove(self, entry_id: int) -> None:
        """Take it out; the last row moves into its place. Nothing happens when it is not there."""
        row = self._row_of.pop(entry_id, None)
        if row is None:
            return
        last = len(self._ids) - 1
        moved = self._ids.pop()
        if row != last:
            self._ids[row] = moved
            self._row_of[moved] = row
            self._vectors[row] = self._vectors[last]
            self._codes[:, row] = self._codes[:, last]

    def vector(self, entry_id: int) -> Vector:
        """A copy of the vector of an entry that is here."""
        copy: Vector = self._vectors[self._row_of[entry_id]].copy()
        return copy

    def nearest(self, vector: Vector, count: int) -> Neighbours:
        """The ``count`` most similar, or all of them when there are fewer."""
        rows = len(self._ids)
        if not rows or count < 1:
            return Neighbours((), ())
        if rows <= _ALL_EXACT or not _CAN_COUNT:
            return self._best(self._vectors[:rows] @ vector, None, count)
        distances = self._differing_bits(self._code(vector), rows)
        likely = np.argpartition(distances, _BY_CODE)[: max(_BY_CODE, count)]
        return self._best(self._vectors[likely] @ vector, likely, count)

    def _differing_bits(self, code: NDArray[np.uint64], rows: int) -> NDArray[Any]:
        total = np.zeros(rows, dtype=np.uint16)
        for word, part in zip(self._codes[:, :rows], code, strict=True):
            total += np.bitwise_count(word ^ part)
        return total

    def _best(
        self, similarities: NDArray[np.float32], rows: NDArray[Any] | None, count: int
    ) -> Neighbours:
        if count < len(similarities):
            best = np.argpartition(-similarities, count - 1)[:count]
            best = best[np.argsort(-similarities[best], kind="stable")]
        else:
            best = np.argsort(-similarities, kind="stable")
        places = best if rows is None else rows[best]
        return Neighbours(
            tuple(self._ids[row] for row in places.tolist()), tuple(similarities[best].tolist())
        )

    def _code(self, vector: Vector) -> NDArray[np.uint64]:
        bits = np.packbits(vector > 0.0)
        whole = np.zeros(len(self._codes) * 8, dtype=np.uint8)
        whole[: len(bits)] = bits
        code: NDArray[np.uint64] = whole.view(np.uint64)
        return code

    def _grow(self) -> None:
        rows = max(_FIRST_ROWS, len(self._vectors) * 3 // 2)
        vectors = np.zeros((rows, self._dimension), dtype=np.float32)
        vectors[: len(self._vectors)] = self._vectors
        codes = np.zeros((len(self._codes), rows), dtype=np.uint64)
        codes[:, : len(self._vectors)] = self._codes
        self._vectors, self._codes = vectors, codes
