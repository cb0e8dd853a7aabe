"""How likely is the nearest answer right? Learned from what became of earlier lookups.

How near the nearest question lies says little: opposite questions are nearer than paraphrases. Who
else is near says more: whether the neighbours agree on one answer, and how far the first question
with another answer is. A ridge-logistic model of these features is fitted anew each 100 labels, off
the path; a lookup is one product of some twenty numbers. Until there are enough labels, a rule that
needs none decides, and it is stricter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FIRST_LABELS: Final = 400
EVERY_LABELS: Final = 100
MOST_LABELS: Final = 6_000
"""Older ones are forgotten: questions change."""
LEAST_SIMILARITY: Final = 0.5
COLD_SIMILARITY: Final = 0.80
COLD_MARGIN: Final = 0.10
ALONE_SIMILARITY: Final = 0.75
"""Without another answer near, and with the veto: chosen on pairs of sentences."""
LEARNED_SIMILARITY: Final = 0.88
LEARNED_MARGIN: Final = 0.15
"""For answers that no person wrote: nobody knows yet how far one of them reaches."""

_RIDGE: Final = 1.0
_STEPS: Final = 12
_ROWS_AT_ONCE: Final = 256
_CLIP: Final = 6.0  # standard deviations: one strange feature does not decide alone

Features = tuple[float, ...]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Label:
    """A lookup of which the right answer became known."""

    features: Features
    is_right: bool
    weight: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class GateWeights:
    """A fitted gate: published with every snapshot, never changed.

    Attributes:
        means: Of the features, as they were when it was fitted.
        deviations: Likewise, above zero.
        weights: One for each feature and the last for 1.
        doubt: Covariance of the weights: few labels, or none like this question, are little to
            go by, and the estimate is then nearer to one half.
        labels: How many there had been when it was fitted, those that were forgotten too.
    """

    means: Numbers
    deviations: Numbers
    weights: Numbers
    doubt: Numbers
    labels: int

    def right_ratio(self, features: Features) -> float:
        """The estimate that the answer is right, 0..1.

        Raises:
            ValueError: It was fitted on other features than these.
        """
        if len(features) != len(self.means):
            raise ValueError(f"{len(features)} features for a gate of {len(self.means)}")
        point = np.ones(len(features) + 1)
        point[:-1] = np.clip((np.array(features) - self.means) / self.deviations, -_CLIP, _CLIP)
        # D. MacKay, "The evidence framework applied to classification networks", 1992, eq. 7.
        spread = 1.0 + math.pi / 8.0 * float(point @ self.doubt @ point)
        total = float(point @ self.weights) / math.sqrt(spread)
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


def fit(labels: list[Label], seen: int, before: GateWeights | None = None) -> GateWeights | None:
    """A gate fitted on the last labels: some 10 ms for 6,000, off the path.

    Args:
        labels: The last ones.
        seen: How many there have been in all.
        before: Given back when there are too few, or all say the same.
    """
    recent = labels[-MOST_LABELS:]
    if len(recent) < FIRST_LABELS or len({label.is_right for label in recent}) < 2:
        return before
    table = tabulated([label.features for label in recent])
    right = np.array([label.is_right for label in recent], dtype=np.float64)
    share = np.array([label.weight for label in recent], dtype=np.float64)
    means, deviations = table.mean(axis=0), table.std(axis=0) + 1e-6
    scaled = np.clip((table - means) / deviations, -_CLIP, _CLIP)
    design = np.concatenate([scaled, np.ones((len(recent), 1))], axis=1)
    weights, doubt = _newton(design, right, share)
    return GateWeights(means, deviations, weights, doubt, seen)


def tabulated(rows: Sequence[Features]) -> Numbers:
    """Rows of as many numbers as an array; a few at a time, since other threads wait meanwhile."""
    if not rows:
        return np.zeros((0, 0))
    return np.concatenate(
        [
            np.array(rows[start : start + _ROWS_AT_ONCE], dtype=np.float64)
            for start in range(0, len(rows), _ROWS_AT_ONCE)
        ]
    )


def _newton(design: Numbers, right: Numbers, share: Numbers) -> tuple[Numbers, Numbers]:
    """The weights and their covariance."""
    ridge = _RIDGE * np.eye(design.shape[1])
    ridge[-1, -1] = 1e-3  # the base rate is not held back
    weights, bend = np.zeros(design.shape[1]), ridge
    for _ in range(_STEPS):
        ratio = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -30.0, 30.0)))
        slope = design.T @ (share * (ratio - right)) + ridge @ weights
        bend = (design * (share * ratio * (1.0 - ratio) + 1e-9)[:, None]).T @ design + ridge
        weights = weights - np.linalg.solve(bend, slope)
    return weights, np.asarray(np.linalg.inv(bend), dtype=np.float64)


def is_due(labels: int, fitted_on: int) -> bool:
    """Whether the gate should be fitted now."""
    return labels >= FIRST_LABELS and (not fitted_on or labels - fitted_on >= EVERY_LABELS)


def cold_accepts(similarity: float, other: float | None, *, is_trusted: bool) -> bool:
    """The rule without labels; the veto comes on top.

    Args:
        similarity: To the nearest question, cosine.
        other: To the nearest question with another answer; None when there is none near.
        is_trusted: A person wrote the answer.
    """
    if not is_trusted:
        margin = LEARNED_MARGIN if other is None else similarity - other
        return similarity >= LEARNED_SIMILARITY and margin >= LEARNED_MARGIN
    if other is None:
        return similarity >= ALONE_SIMILARITY
    return similarity >= COLD_SIMILARITY and similarity - other >= COLD_MARGIN


@dataclass(frozen=True, slots=True)
class Bound:
    """The error that one scope allows, and what its checked hits say of it.

    Attributes:
        allowed: ``d``: an answer is given when its estimate reaches ``1 - allowed``.
        checked: Hits of which it became known whether they were right; a hit that was chosen more
            often than others counts for less.
        wrong: How many of these were not.
        errors: The same, each as one.
    """

    allowed: float
    checked: float = 0.0
    wrong: float = 0.0
    errors: int = 0

    def after(self, *, is_right: bool, weight: float = 1.0) -> Bound:
        """One more checked hit."""
        wrong = 0.0 if is_right else weight
        return Bound(
            self.allowed, self.checked + weight, self.wrong + wrong, self.errors + (not is_right)
        )

    def faded(self) -> Bound:
        """What was seen counts for less once the gate has learned from it."""
        return Bound(self.allowed, self.checked / 2.0, self.wrong / 2.0, self.errors // 2)

    @property
    def in_force(self) -> float:
        """``allowed``; a quarter of it when errors are surely too many, 0 when the tier is off."""
        if self.errors < LEAST_ERRORS:
            return self.allowed
        share = wilson_lower(self.wrong, self.checked)
        if share > SWITCH_OFF:
            return 0.0
        if share > TIGHTEN:
            return self.allowed / 4.0
        return self.allowed


LEAST_ERRORS: Final = 3  # one or two say nothing about a share
TIGHTEN: Final = 0.02
SWITCH_OFF: Final = 0.05
_Z: Final = 1.645  # 95 % on one side


def wilson_upper(wrong: float, checked: float) -> float:
    """The share of errors that is not passed with 95 % certainty; 1 when nothing was checked."""
    return _wilson(wrong, checked, _Z) if checked else 1.0


def wilson_lower(wrong: float, checked: float) -> float:
    """The share of errors that is passed with 95 % certainty; 0 when nothing was checked."""
    return _wilson(wrong, checked, -_Z) if checked else 0.0


def _wilson(wrong: float, checked: float, z: float) -> float:
    share, square = wrong / checked, z * z / checked
    spread = z * math.sqrt(share * (1.0 - share) / checked + square / (4.0 * checked))
    return max(0.0, min(1.0, (share + square / 2.0 + spread) / (1.0 + square)))
