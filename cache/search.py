"""The nearest of some thousands of vectors, by FAISS on one thread, in a fraction of a millisecond.

Each vector has a sign code, one bit a number: two vectors that point the same way have the same
signs nearly everywhere, and counting differing bits reads 1/32 of the memory. The best by code are
then compared exactly. FAISS searches rows that are kept here, without an index of its own: its flat
indexes move all that follows when one vector goes, its graphs cannot remove at all, and here adding
and removing are writes into one row.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cache.encoder import Vector

_FIRST_ROWS: Final = 64
_BY_CODE: Final = 96
"""So many of the best by code are compared exactly: the true nearest eight are among them."""
_ALL_EXACT: Final = 1_000
"""Up to here comparing all of them exactly is as quick."""
_WORD_BYTES: Final = 8  # codes are counted in words of this size

_of_thread = threading.local()


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
    """The vectors of one scope, in rows that are used again: float32, length 1.

    Any thread may call it; while one searches, the others wait.
    """

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._vectors: NDArray[np.float32] = np.zeros((0, dimension), dtype=np.float32)
        code_bytes = -(-dimension // (8 * _WORD_BYTES)) * _WORD_BYTES
        self._codes: NDArray[np.uint8] = np.zeros((0, code_bytes), dtype=np.uint8)
        self._ids: list[int] = []
        self._row_of: dict[int, int] = {}
        # FAISS lets go of the interpreter and reads memory that a write could move.
        self._lock = threading.Lock()

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
        with self._lock:
            row = self._row_of.get(entry_id)
            if row is None:
                row = len(self._ids)
                if row == len(self._vectors):
                    self._grow()
                self._ids.append(entry_id)
                self._row_of[entry_id] = row
            self._vectors[row] = vector
            self._codes[row] = self._code(vector)

    def remove(self, entry_id: int) -> None:
        """Take it out; the last row moves into its place. Nothing happens when it is not there."""
        with self._lock:
            row = self._row_of.pop(entry_id, None)
            if row is None:
                return
            last = len(self._ids) - 1
            moved = self._ids.pop()
            if row != last:
                self._ids[row] = moved
                self._row_of[moved] = row
                self._vectors[row] = self._vectors[last]
                self._codes[row] = self._codes[last]

    def vector(self, entry_id: int) -> Vector:
        """A copy of the vector of an entry that is here."""
        copy: Vector = self._vectors[self._row_of[entry_id]].copy()
        return copy

    def some(self, entry_ids: Iterable[int]) -> tuple[list[int], NDArray[np.float32]]:
        """Those of these entries that are here, and a copy of their vectors, as many.

        A search waits meanwhile: ask for some hundreds at a time.
        """
        with self._lock:
            here = [entry_id for entry_id in entry_ids if entry_id in self._row_of]
            return here, self._vectors[[self._row_of[entry_id] for entry_id in here]]

    def nearest(self, vector: Vector, count: int) -> Neighbours:
        """The ``count`` most similar, or all of them when there are fewer."""
        faiss = _library()
        asked = np.ascontiguousarray(vector, dtype=np.float32)[None]
        with self._lock:
            rows = len(self._ids)
            if not rows or count < 1:
                return Neighbours((), ())
            count = min(count, rows)
            among, likely = self._vectors[:rows], None
            if rows > _ALL_EXACT and rows > _BY_CODE >= count:
                code = self._code(asked[0])[None]
                likely = faiss.knn_hamming(code, self._codes[:rows], _BY_CODE)[1][0]
                among = self._vectors[likely]
            similarities, places = faiss.knn(asked, among, count, faiss.METRIC_INNER_PRODUCT)
            best = places[0] if likely is None else likely[places[0]]
            ids = tuple(self._ids[row] for row in best.tolist())
        return Neighbours(ids, tuple(similarities[0].tolist()))

    def _code(self, vector: Vector) -> NDArray[np.uint8]:
        code = np.zeros(self._codes.shape[1], dtype=np.uint8)
        bits = np.packbits(vector > 0.0)
        code[: len(bits)] = bits
        return code

    def _grow(self) -> None:
        rows = max(_FIRST_ROWS, len(self._vectors) * 3 // 2)
        vectors = np.zeros((rows, self._dimension), dtype=np.float32)
        vectors[: len(self._vectors)] = self._vectors
        codes = np.zeros((rows, self._codes.shape[1]), dtype=np.uint8)
        codes[: len(self._codes)] = self._codes
        self._vectors, self._codes = vectors, codes


def load() -> None:
    """Load FAISS now and not at the first search, which is in a turn."""
    with contextlib.suppress(ImportError):
        _library()


def _library() -> Any:
    """FAISS, loaded at the first search and kept to one thread.

    A second thread made a search nine times slower where other calls want the processor. The
    setting of OpenMP is one of each thread that calls.
    """
    known = getattr(_of_thread, "faiss", None)
    if known is None:
        import faiss

        faiss.omp_set_num_threads(1)
        _of_thread.faiss = known = faiss
    return known
