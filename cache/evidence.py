"""What the neighbourhood of a question says: the candidate, and the features of the gate."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cache.answer_space import Closeness
from cache.answer_words import AnswerWords
from cache.gate import Features

NEIGHBOURS: Final = 16
_VOTERS: Final = 8
_SHARPNESS: Final = 8  # a neighbour's weight is its similarity to this power
_OF_SIMILARITY: Final = 0.4
_OF_WORDS: Final = 0.02
"""Beside the closeness of an answer, to choose the candidate: chosen on HWU64 and CLINC150."""


class WordCounts:
    """How common a word is among the questions of a scope."""

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()
        self._questions = 0

    def add(self, question: str) -> None:
        """One more question."""
        self._of.update(set(question.split()))
        self._questions += 1

    def remove(self, question: str) -> None:
        """A question that was added goes."""
        for word in set(question.split()):
            if self._of[word] > 1:
                self._of[word] -= 1
            else:
                del self._of[word]  # nobody says it any more
        self._questions -= 1

    def rarity(self, word: str) -> float:
        """Inverse document frequency, above 0."""
        return math.log((self._questions + 1.5) / (self._of[word] + 0.5))


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One question that is near."""

    entry_id: int
    question: str
    answer_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """The answer that would be given, and why one may believe in it.

    Attributes:
        candidate: Its nearest question.
        other: Similarity of the nearest question with another answer; None without one.
    """

    candidate: Neighbour
    other: float | None
    features: Features


def weigh(
    question: str,
    near: Sequence[Neighbour],
    rarity: Callable[[str], float],
    closeness: Closeness | None = None,
    words: AnswerWords | None = None,
) -> Evidence:
    """The candidate among the neighbours and the evidence for it.

    Args:
        question: Canonical.
        near: Nearest first, at least one, at most ``NEIGHBOURS``.
        rarity: Of a word.
        closeness: Of the answers (``cache.answer_space``); None as long as there is no space.
        words: Of the answers.
    """
    best: dict[str, Neighbour] = {}
    for neighbour in near:
        best.setdefault(neighbour.answer_id, neighbour)
    support = words.support(question, best) if words else dict.fromkeys(best, 0.0)
    candidate = near[0]
    if closeness is not None:
        candidate = max(
            best.values(),
            key=lambda one: (
                closeness.of(one.answer_id)
                + _OF_SIMILARITY * one.similarity
                + _OF_WORDS * support[one.answer_id]
            ),
        )
    answer, similarity = candidate.answer_id, candidate.similarity
    others = [one.similarity for name, one in best.items() if name != answer]
    other = max(others, default=None)
    unseen = max(0.0, near[-1].similarity - 0.1) if len(near) > 1 else 0.0
    margin = similarity - (unseen if other is None else other)
    voters = near[:_VOTERS]
    mine = [one.similarity for one in voters if one.answer_id == answer]
    weights = [max(0.0, one.similarity) ** _SHARPNESS for one in voters]
    again = [one.similarity for one in near if one.answer_id == answer]
    lead = support[answer] - max((support[one] for one in best if one != answer), default=0.0)
    spatial = _spatial(answer, near[0].answer_id, margin, closeness)
    features = (
        similarity,
        margin,
        len(mine) / len(voters),
        sum(max(0.0, one) ** _SHARPNESS for one in mine) / (sum(weights) + 1e-9),
        again[1] if len(again) > 1 else 0.0,
        near[0].similarity - similarity,
        *_lexical(question, candidate.question, rarity),
        *spatial,
        support[answer],
        lead,
        float(lead >= 0.0),
        lead * spatial[2],
        float(len(best)),
        math.log1p(words.questions(answer)) if words else 0.0,
    )
    return Evidence(candidate, other, features)


def _lexical(asked: str, known: str, rarity: Callable[[str], float]) -> Features:
    one, two = set(asked.split()), set(known.split())
    total = sum(rarity(word) for word in one | two) + 1e-9
    return (
        sum(rarity(word) for word in one & two) / total,
        max((rarity(word) for word in one - two), default=0.0),
        abs(len(one) - len(two)) / max(len(one), len(two), 1),
        math.log(len(one) + 1),
    )


def _spatial(answer: str, nearest: str, margin: float, closeness: Closeness | None) -> Features:
    if closeness is None:
        return (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    mine = closeness.of(answer)
    lead = mine - closeness.best_but(answer)
    return (1.0, mine, lead, float(lead >= 0.0), float(nearest == answer), lead * margin)
