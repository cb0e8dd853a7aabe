"""Which words go with which answer: a second opinion, of the letters and not of the encoder.

Each answer has a unigram and bigram language model of the questions that led to it, smoothed with
that of its whole scope. How much likelier a question is under one answer than under the others is
told nowhere else: an encoder finds "top up" and "topped up" alike, whatever they are followed by.
Query likelihood with a Dirichlet prior: C. Zhai, J. Lafferty, "A study of smoothing methods for
language models applied to information retrieval", 2004.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

_PRIOR: Final = 5.0
"""How many words of the scope are mixed into each answer; chosen on HWU64 and CLINC150."""


class AnswerWords:
    """Counted questions of one scope."""

    def __init__(self) -> None:
        self._of: dict[str, Counter[str]] = {}
        self._lengths: Counter[str] = Counter()
        self._questions: Counter[str] = Counter()
        self._all: Counter[str] = Counter()
        self._length = 0

    def add(self, question: str, answer_id: str) -> None:
        """One more question of an answer."""
        self._change(question, answer_id, 1)

    def remove(self, question: str, answer_id: str) -> None:
        """A question that was added goes."""
        self._change(question, answer_id, -1)

    def questions(self, answer_id: str) -> int:
        """How many there are of this answer."""
        return self._questions[answer_id]

    def support(self, question: str, answers: Iterable[str]) -> dict[str, float]:
        """How the words of a question speak for each answer; 0 is what any question has.

        Args:
            question: Canonical.
            answers: That come into question: each costs some 10 µs.
        """
        parts = _parts(question)
        scale = 1.0 / math.sqrt(len(parts))
        rare = [(part, (self._length + 1.0) / (_PRIOR * (self._all[part] + 0.5))) for part in parts]
        found = {}
        for answer_id in answers:
            counts: Mapping[str, int] = self._of.get(answer_id, {})
            shared = sum(
                math.log1p(count * factor)
                for part, factor in rare
                if (count := counts.get(part, 0))
            )
            alone = math.log(_PRIOR / (self._lengths[answer_id] + _PRIOR))
            found[answer_id] = scale * (shared + len(parts) * alone)
        return found

    def _change(self, question: str, answer_id: str, by: int) -> None:
        parts = _parts(question)
        counts = self._of.setdefault(answer_id, Counter())
        for part in parts:
            for counter in (counts, self._all):
                counter[part] += by
                if not counter[part]:
                    del counter[part]
        self._lengths[answer_id] += by * len(parts)
        self._questions[answer_id] += by
        self._length += by * len(parts)
        if not self._questions[answer_id]:
            del self._of[answer_id], self._lengths[answer_id], self._questions[answer_id]


def _parts(question: str) -> set[str]:
    """The words, and each with its neighbour; the ends count as neighbours."""
    words = question.split()
    pairs = pairwise(("<", *words, ">"))
    return {sys.intern(part) for part in (*words, *(f"{one} {two}" for one, two in pairs))}
