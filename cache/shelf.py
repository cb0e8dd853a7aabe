"""What one scope holds for the semantic tier: vectors, words, and the points of its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cache.answer_space import AnswerSpace, Closeness, Whitening, measure
from cache.answer_words import AnswerWords
from cache.encoder import Vector
from cache.evidence import NEIGHBOURS, Neighbour, WordCounts
from cache.search import VectorRows

_MEASURE_EVERY = 250  # new questions
_COPIED_AT_ONCE = 256


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What a shelf held at one moment, as it was measured.

    Attributes:
        mark: Of the inventory that it was made from.
        rows: Of each entry in ``vectors``.
        vectors: float32, shape (entries, dimension), copied.
        answers: As many.
    """

    mark: object
    rows: Mapping[int, int]
    vectors: NDArray[np.float32]
    answers: tuple[str, ...]

    def space(self, whitening: Whitening) -> AnswerSpace:
        """The points of these answers: some 10 ms for 10,000 questions."""
        made = AnswerSpace(whitening)
        made.fill(self.vectors, self.answers)
        return made

    def measure(self) -> AnswerSpace | None:
        """Measure the answers and place them: some 100 ms. None when there are too few."""
        measured = measure(self.vectors, self.answers)
        return None if measured is None else self.space(measured)


@dataclass(frozen=True, slots=True, eq=False)
class Inventory:
    """What a shelf holds at one moment, to be surveyed in another thread: written down at once."""

    mark: object
    kept: tuple[tuple[int, tuple[str, str]], ...]
    of: VectorRows

    def survey(self) -> Survey | None:
        """Copy the vectors, a few at a time, so that searches go on; None when none is left."""
        answers = {entry_id: answer_id for entry_id, (_, answer_id) in self.kept}
        ids: list[int] = []
        copied = []
        for start in range(0, len(self.kept), _COPIED_AT_ONCE):
            some = self.kept[start : start + _COPIED_AT_ONCE]
            here, vectors = self.of.some(entry_id for entry_id, _ in some)
            ids += here
            copied.append(vectors)
        if not ids:
            return None
        rows = dict(zip(ids, range(len(ids)), strict=True))
        return Survey(self.mark, rows, np.concatenate(copied), tuple(answers[one] for one in ids))


class Shelf:
    """The questions of one scope with their vectors. Scopes never share a shelf."""

    def __init__(self, dimension: int) -> None:
        self._rows = VectorRows(dimension)
        self._words = WordCounts()
        self._answer_words = AnswerWords()
        self._space: AnswerSpace | None = None
        self._kept: dict[int, tuple[str, str]] = {}
        self._since_measured = 0
        self._mark: object = None  # of the inventory that is out
        self._changed: set[int] = set()  # since then

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, entry_id: int) -> bool:
        return entry_id in self._kept

    @property
    def size_bytes(self) -> int:
        """What the vectors take."""
        return self._rows.size_bytes

    @property
    def whitening(self) -> Whitening | None:
        """Of its answer space, for a snapshot."""
        return self._space.whitening if self._space else None

    def put(self, entry_id: int, question: str, answer_id: str, vector: Vector) -> None:
        """Add a question.

        Raises:
            ValueError: The vector has another dimension.
        """
        self.remove(entry_id)
        self._has_changed(entry_id)
        self._rows.put(entry_id, vector)
        self._kept[entry_id] = (question, answer_id)
        self._words.add(question)
        self._answer_words.add(question, answer_id)
        self._since_measured += 1
        if self._space:
            self._space.add(vector, answer_id)

    def remove(self, entry_id: int) -> None:
        """Take a question out; nothing happens when it is not there."""
        if (kept := self._kept.pop(entry_id, None)) is None:
            return
        question, answer_id = kept
        self._has_changed(entry_id)
        if self._space:
            self._space.remove(self._rows.vector(entry_id), answer_id)
        self._rows.remove(entry_id)
        self._words.remove(question)
        self._answer_words.remove(question, answer_id)

    def vector(self, entry_id: int) -> Vector | None:
        """A copy of its vector."""
        return self._rows.vector(entry_id) if entry_id in self._kept else None

    def near(self, vector: Vector, count: int = NEIGHBOURS) -> list[Neighbour]:
        """The nearest questions, nearest first."""
        found = self._rows.nearest(vector, count)
        return [
            Neighbour(entry_id, *self._kept[entry_id], similarity)
            for entry_id, similarity in zip(found.ids, found.similarities, strict=True)
        ]

    def rarity(self, word: str) -> float:
        """How rare a word is here."""
        return self._words.rarity(word)

    def closeness(self, vector: Vector) -> Closeness | None:
        """To each answer; None as long as there are too few questions."""
        return self._space.closeness(vector) if self._space else None

    @property
    def answer_words(self) -> AnswerWords:
        """Which words go with which answer."""
        return self._answer_words

    @property
    def is_measuring_due(self) -> bool:
        """Whether enough questions came since the answers were measured."""
        return self._since_measured >= _MEASURE_EVERY or (
            self._space is None and len(self._kept) >= 200 and self._since_measured >= 50
        )

    def measure(self) -> bool:
        """Measure the answers anew, off the path; True when they have points for the first time."""
        self._since_measured = 0
        survey = self._survey()
        measured = measure(survey.vectors, survey.answers) if survey else None
        if measured is None:
            return False
        was_none = self._space is None
        self.place(measured)
        return was_none

    def place(self, whitening: Whitening) -> None:
        """Use what was measured here or elsewhere; the points follow from the questions."""
        survey = self._survey()
        self._space = survey.space(whitening) if survey else AnswerSpace(whitening)

    def inventory(self) -> Inventory | None:
        """What is here now, in about a millisecond for 10,000; None when nothing is."""
        if not self._kept:
            return None
        self._mark = object()
        self._changed.clear()
        return Inventory(self._mark, tuple(self._kept.items()), self._rows)

    def waits_for(self, survey: Survey) -> bool:
        """Whether it is of the last inventory of this shelf: no other one can be adopted."""
        return self._mark is not None and survey.mark is self._mark

    def adopt(self, space: AnswerSpace, survey: Survey) -> bool:
        """Use points that were made of a survey, after what has changed since was caught up with.

        True when the answers have points for the first time.
        """
        for entry_id in self._changed:
            if (row := survey.rows.get(entry_id)) is not None:
                space.remove(survey.vectors[row], survey.answers[row])
            if (kept := self._kept.get(entry_id)) is not None:
                space.add(self._rows.vector(entry_id), kept[1])
        self._mark = None
        self._changed.clear()
        was_none, self._space = self._space is None, space
        return was_none

    def measured(self) -> None:
        """A measurement was begun, or was done before: the next is due after more questions."""
        self._since_measured = 0

    def _has_changed(self, entry_id: int) -> None:
        if self._mark is not None:
            self._changed.add(entry_id)

    def _survey(self) -> Survey | None:
        return Inventory(None, tuple(self._kept.items()), self._rows).survey()
