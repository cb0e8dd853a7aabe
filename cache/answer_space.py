"""The answers of a scope as points, in a space where rewordings of one question are close.

An encoder that was trained on all of language spends most of its numbers on differences that do not
matter here. What varies among questions with the same answer is measured (the covariance within
answers) and divided out; each answer is then the mean of its questions. How much nearer a question
is to one answer than to the next one tells more than its distance to any single question.
Linear discriminant analysis, R. A. Fisher 1936, with shrinkage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cache.encoder import Vector

LEAST_ENTRIES: Final = 200
_LEAST_PAIRED: Final = 50
_SHRINKAGE: Final = 0.1  # towards no difference between directions
_DOUBT: Final = 1.0  # an answer with one question lies half-way to the middle of all
_FIRST_ROWS: Final = 64


@dataclass(frozen=True, slots=True)
class Whitening:
    """What was measured: published with a snapshot, the points follow from the entries.

    Attributes:
        mean: Of all questions.
        matrix: Dimension x dimension, divides out what varies within answers.
    """

    mean: Vector
    matrix: NDArray[np.float32]


def measure(vectors: NDArray[np.float32], answers: Sequence[str]) -> Whitening | None:
    """From the questions of a scope: some 100 ms for 10,000, off the path.

    None as long as there are too few answers that were asked for in two ways.
    """
    _, of, counts = _numbered(answers)
    paired = counts[of] >= 2
    if len(answers) < LEAST_ENTRIES or int(paired.sum()) < _LEAST_PAIRED:
        return None
    sums = _summed(vectors, of, counts)
    within = vectors[paired] - (sums / counts[:, None])[of[paired]]
    freedom = max(1, int(paired.sum()) - len(set(of[paired].tolist())))
    spread = within.T @ within / freedom
    size = spread.shape[0]
    level = float(np.trace(spread)) / size
    if level <= 0.0:
        return None
    spread = (1.0 - _SHRINKAGE) * spread + _SHRINKAGE * level * np.eye(size)
    matrix = np.linalg.cholesky(np.linalg.inv(spread)).T
    return Whitening(vectors.mean(axis=0).astype(np.float32), matrix.astype(np.float32))


def _numbered(
    answers: Sequence[str],
) -> tuple[list[str], NDArray[np.intp], NDArray[np.intp]]:
    """The different answers, which of them each question has, and how many questions each has."""
    names = {name: index for index, name in enumerate(dict.fromkeys(answers))}
    of = np.array([names[answer] for answer in answers], dtype=np.intp)
    return list(names), of, np.bincount(of, minlength=len(names))


def _summed(
    vectors: NDArray[np.float32], of: NDArray[np.intp], counts: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The sum of the vectors of each answer. It lets go of the interpreter: calls go on."""
    order = np.argsort(of, kind="stable")
    starts = np.cumsum(counts) - counts
    found: NDArray[np.float64] = np.add.reduceat(vectors[order], starts, axis=0, dtype=np.float64)
    return found


class Closeness:
    """How close one question is to each answer: cosines, -1..1."""

    def __init__(self, scores: NDArray[np.float32], rows: Mapping[str, int]) -> None:
        self._scores = scores
        self._rows = rows
        self._first = int(np.argmax(scores)) if len(scores) else -1

    def of(self, answer_id: str) -> float:
        """To this answer; -1 for one that has no point."""
        row = self._rows.get(answer_id)
        return -1.0 if row is None else float(self._scores[row])

    def best_but(self, answer_id: str) -> float:
        """To the closest of all other answers; -1 when there is none."""
        row = self._rows.get(answer_id, -1)
        if self._first >= 0 and row != self._first:
            return float(self._scores[self._first])
        others = np.delete(self._scores, row)
        return float(others.max()) if len(others) else -1.0


class AnswerSpace:
    """The points of the answers: follows each entry that comes and goes."""

    def __init__(self, whitening: Whitening) -> None:
        self._whitening = whitening
        size = len(whitening.mean)
        self._points = np.zeros((_FIRST_ROWS, size), dtype=np.float32)
        self._sums: dict[str, NDArray[np.float32]] = {}
        self._counts: dict[str, int] = {}
        self._rows: dict[str, int] = {}
        self._names: list[str] = []

    @property
    def whitening(self) -> Whitening:
        """What it was made from."""
        return self._whitening

    def add(self, vector: Vector, answer_id: str) -> None:
        """One more question of an answer."""
        self._change(vector, answer_id, 1)

    def remove(self, vector: Vector, answer_id: str) -> None:
        """A question that was added goes."""
        if answer_id in self._counts:
            self._change(-vector, answer_id, -1)

    def closeness(self, vector: Vector) -> Closeness:
        """To each answer, as long as nothing is added or removed."""
        return Closeness(self._points[: len(self._names)] @ self._placed(vector), self._rows)

    def fill(self, vectors: NDArray[np.float32], answers: Sequence[str]) -> None:
        """The first questions, at least one, all at once.

        Some 10 ms for 10,000, in few operations that let go of the interpreter.
        """
        names, of, counts = _numbered(answers)
        sums = _summed(vectors, of, counts).astype(np.float32)
        mean = self._whitening.mean
        doubted = (sums + _DOUBT * mean) / (counts[:, None] + _DOUBT)
        points = (doubted - mean).astype(np.float32) @ self._whitening.matrix.T
        points /= np.linalg.norm(points, axis=1, keepdims=True) + 1e-9
        self._points = np.asarray(points, dtype=np.float32)
        self._names = names
        self._rows = {name: row for row, name in enumerate(names)}
        self._counts = dict(zip(names, counts.tolist(), strict=True))
        self._sums = dict(zip(names, sums, strict=True))

    def _change(self, vector: Vector, answer_id: str, by: int) -> None:
        count = self._counts.get(answer_id, 0) + by
        total = self._sums.get(answer_id, np.zeros_like(vector)) + vector
        if count <= 0:
            self._forget(answer_id)
            return
        row = self._rows.get(answer_id)
        if row is None:
            row = len(self._names)
            if row == len(self._points):
                self._points = np.concatenate([self._points, np.zeros_like(self._points)])
            self._rows[answer_id] = row
            self._names.append(answer_id)
        self._counts[answer_id], self._sums[answer_id] = count, total
        doubted = (total + _DOUBT * self._whitening.mean) / (count + _DOUBT)
        self._points[row] = self._placed(doubted)

    def _forget(self, answer_id: str) -> None:
        row = self._rows.pop(answer_id, None)
        self._counts.pop(answer_id, None)
        self._sums.pop(answer_id, None)
        if row is None:
            return
        last = self._names.pop()
        if last != answer_id:
            self._names[row] = last
            self._rows[last] = row
            self._points[row] = self._points[len(self._names)]

    def _placed(self, vector: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        placed = self._whitening.matrix @ (vector - self._whitening.mean)
        return np.asarray(placed / (float(np.linalg.norm(placed)) + 1e-9), dtype=np.float32)
