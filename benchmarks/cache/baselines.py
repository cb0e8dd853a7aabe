"""Simpler caches on the same stream, with the same encoder and the same normal form.

A plain threshold is what most caches do. Per-entry bounds are after the idea of vCache (L. G.
Schroeder et al., "vCache: Verified Semantic Prompt Caching", 2025, arXiv 2502.03771): each entry
learns from its own lookups above which similarity it is right, and answers only where the bound
allows. Written from the paper's description, so its figures are those of this code and not of the
authors'.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.cache.data import Turn
from benchmarks.cache.stream import Score, questions
from cache.encoder import Encoder
from cache.search import VectorRows

_LEAST_SEEN = 6
_THRESHOLDS = np.linspace(0.3, 1.1, 41)
_SLOPES = np.array([10.0, 20.0, 40.0, 80.0])
_DOUBT = 0.2


def plain(rows: Sequence[Turn], encoder: Encoder, threshold: float) -> Score:
    """The nearest entry's answer when it is similar enough; every miss is kept."""
    kept, score = VectorRows(encoder.dimension), Score()
    answers: list[str] = []
    for number, (turn, question) in enumerate(zip(rows, questions(rows), strict=True)):
        vector = encoder.encode(question.text or " ")
        near = kept.nearest(vector, 1)
        is_hit = bool(near.ids) and near.similarities[0] >= threshold
        is_wrong = is_hit and answers[near.ids[0]] != turn.answer
        score.add(is_hit=is_hit, is_wrong=is_wrong, is_late=2 * number >= len(rows))
        if not is_hit:
            kept.put(len(answers), vector)
            answers.append(turn.answer)
    return score


def per_entry(rows: Sequence[Turn], encoder: Encoder, bound: float, seed: int) -> Score:
    """Each entry answers where it has shown itself right; kept is what the nearest got wrong."""
    chance = random.Random(seed)
    kept, score = VectorRows(encoder.dimension), Score()
    answers: list[str] = []
    seen: list[list[tuple[float, bool]]] = []
    for number, (turn, question) in enumerate(zip(rows, questions(rows), strict=True)):
        vector = encoder.encode(question.text or " ")
        near = kept.nearest(vector, 1)
        is_late = 2 * number >= len(rows)
        if not near.ids:
            score.add(is_hit=False, is_wrong=False, is_late=is_late)
        else:
            entry, similarity = near.ids[0], near.similarities[0]
            is_right = answers[entry] == turn.answer
            is_hit = chance.random() >= _explore_ratio(seen[entry], similarity, bound)
            score.add(is_hit=is_hit, is_wrong=is_hit and not is_right, is_late=is_late)
            if is_hit:
                continue
            seen[entry].append((similarity, is_right))
            if is_right:
                continue
        kept.put(len(answers), vector)
        answers.append(turn.answer)
        seen.append([])
    return score


def _explore_ratio(seen: list[tuple[float, bool]], similarity: float, bound: float) -> float:
    """How often to ask again, so that answers are wrong at most as often as the bound says."""
    if len(seen) < _LEAST_SEEN:
        return 1.0
    similarities = np.array([one for one, _ in seen])
    right = np.array([is_right for _, is_right in seen])
    likelihood = np.zeros((len(_THRESHOLDS), len(_SLOPES)))
    for row, threshold in enumerate(_THRESHOLDS):
        ratio = _logistic(np.outer(similarities - threshold, _SLOPES))
        likelihood[row] = np.log(np.where(right[:, None], ratio, 1.0 - ratio) + 1e-9).sum(axis=0)
    weights = np.exp(likelihood - likelihood.max())
    weights /= weights.sum()
    ratios = _logistic((similarity - _THRESHOLDS)[:, None] * _SLOPES)
    order = np.argsort(ratios, axis=None)
    among = np.cumsum(weights.ravel()[order])
    careful = float(ratios.ravel()[order][int(np.searchsorted(among, _DOUBT))])
    wrong = 1.0 - careful
    return 0.0 if wrong <= bound else 1.0 - bound / wrong


def _logistic(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(value, -30.0, 30.0))))
