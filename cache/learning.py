"""What the gates learn from: labels, each from a lookup whose right answer became known.

One gate for all scopes of an agent in a language: a scope alone has too few labels. Tenants never
learn from each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from cache.evidence import Evidence
from cache.gate import MOST_LABELS, Bound, GateWeights, Label, fit, is_due
from cache.outcomes import Hit, Outcome
from cache.scope import Scope

DEFAULT_BOUND: Final = 0.06
CHECKED_RATIO: Final = 0.03
"""So many of the hits are asked again in the background, on the whole."""
_LEAST_CHECKED, _MOST_CHECKED = 0.005, 0.5
_WEIGHT_OF_DOUBT = 0.5
_FADE = 0.98
_MOST_COUNTED = 4.0

Family = tuple[str, str, str]


@dataclass(slots=True)
class _Learned:
    labels: list[Label] = field(default_factory=list)
    seen: int = 0
    weights: GateWeights | None = None


@dataclass(frozen=True, slots=True)
class DueFit:
    """A gate that is to be fitted anew.

    Attributes:
        seen: How many labels there have been in all.
        before: The gate in force.
    """

    family: Family
    labels: tuple[Label, ...]
    seen: int
    before: GateWeights | None

    def fit(self) -> GateWeights | None:
        """Fit it: some 10 ms."""
        return fit(list(self.labels), self.seen, self.before)


class GateBook:
    """The gates and the bounds in force."""

    def __init__(self, allowed: float = DEFAULT_BOUND) -> None:
        self._allowed = allowed
        self._learned: dict[Family, _Learned] = {}
        self._bounds: dict[bytes, Bound] = {}
        self._doubt = 0.02  # how far from certain hits are, on average

    def weights(self, scope: Scope) -> GateWeights | None:
        """The gate of the scope's agent; None as long as there are too few labels."""
        learned = self._learned.get(family_of(scope))
        return learned.weights if learned else None

    def allowed(self, scope: Scope) -> float:
        """The bound in force, 0 when the semantic tier is off here."""
        bound = self._bounds.get(scope.key())
        return bound.in_force if bound else self._allowed

    def set_bound(self, scope: Scope, allowed: float) -> None:
        """Another bound for one scope; it may only be stricter than that of the cache.

        Raises:
            ValueError: It is not between 0 and the bound of the cache.
        """
        if not 0.0 <= allowed <= self._allowed:
            raise ValueError(f"a bound of {allowed}: between 0 and {self._allowed} is allowed")
        before = self._bounds.get(scope.key(), Bound(allowed))
        self._bounds[scope.key()] = replace(before, allowed=allowed)

    def publish(self, family: Family, weights: GateWeights | None) -> None:
        """A replica takes over what the owner has fitted; None when it has to begin again."""
        self._learned.setdefault(family, _Learned()).weights = weights

    def publish_bound(self, scope_key: bytes, bound: Bound) -> None:
        """A replica takes over what the checked hits of a scope came to."""
        self._bounds[scope_key] = bound

    @property
    def bounds(self) -> Mapping[bytes, Bound]:
        """Of the scopes that differ from the bound of the cache, by ``Scope.key``."""
        return self._bounds

    def fitted(self) -> Iterator[tuple[Family, GateWeights]]:
        """The gates that there are."""
        for family, learned in self._learned.items():
            if learned.weights is not None:
                yield family, learned.weights

    def has_gate(self, family: Family) -> bool:
        """Whether there were enough labels to fit one."""
        learned = self._learned.get(family)
        return learned is not None and learned.weights is not None

    def lessons(self) -> Iterator[tuple[Family, int, list[Label]]]:
        """The labels behind the gates and how many there have been, for a snapshot."""
        for family, learned in self._learned.items():
            yield family, learned.seen, learned.labels[-MOST_LABELS:]

    def resume(self, family: Family, seen: int, labels: list[Label]) -> None:
        """Go on learning after a snapshot was loaded."""
        learned = self._learned.setdefault(family, _Learned())
        learned.seen, learned.labels = seen, list(labels)

    def answered(self, scope: Scope, outcome: Outcome, answer_id: str) -> None:
        """A question that the cache did not answer has its answer: was the nearest right?"""
        if isinstance(outcome, Hit) or outcome.evidence is None:
            return
        is_right = outcome.evidence.candidate.answer_id == answer_id
        self._label(scope, outcome.evidence, is_right=is_right)

    def check_ratio(self, hit: Hit) -> float:
        """How likely this hit should be asked again in the background, 0..1.

        Most checks go to hits that were nearly refused: there the gate has the most to learn, and
        nobody would tell it otherwise, since only misses have an answer to compare with.
        """
        if hit.right_ratio <= 0.0:
            return CHECKED_RATIO  # accepted by the rule without labels
        doubt = max(0.0, 1.0 - hit.right_ratio)
        self._doubt = _FADE * self._doubt + (1.0 - _FADE) * doubt
        ratio = CHECKED_RATIO * doubt / max(self._doubt, 1e-4)
        return min(_MOST_CHECKED, max(_LEAST_CHECKED, ratio))

    def checked(self, scope: Scope, hit: Hit, *, is_right: bool, check_ratio: float = 1.0) -> None:
        """A hit was asked again in the background, or the caller has complained.

        Args:
            scope: Of the question.
            hit: As it was served.
            is_right: Whether the answer was the right one.
            check_ratio: With which likelihood this hit was chosen; among the errors of the scope
                it then stands for others. The gate learns from it as from any other label: weighed
                by what it stands for, a few checks would decide alone.
        """
        bound = self._bounds.get(scope.key(), Bound(self._allowed))
        self._bounds[scope.key()] = bound.after(
            is_right=is_right,
            weight=min(_MOST_COUNTED, CHECKED_RATIO / check_ratio) if check_ratio < 1.0 else 1.0,
        )
        if hit.evidence is not None:
            self._label(scope, hit.evidence, is_right=is_right)

    def doubted(self, scope: Scope, evidence: Evidence) -> None:
        """A caller asked the same again after a hit: a sign that it was wrong, no proof.

        It teaches the gate a little and does not count among the errors of the scope: callers alone
        must not be able to switch it off.
        """
        self._label(scope, evidence, is_right=False, weight=_WEIGHT_OF_DOUBT)

    def features_changed(self, scope: Scope) -> None:
        """Forget the labels: they would teach what no longer holds.

        The rule without labels decides until there are new ones.
        """
        if learned := self._learned.get(family_of(scope)):
            learned.labels.clear()
            learned.seen = 0
            learned.weights = None

    def refit(self) -> list[Family]:
        """Fit the gates that are due; whose have changed."""
        changed = [due.family for due in self.due() if self.take_over(due, due.fit())]
        if changed:
            self.fade()
        return changed

    def due(self) -> list[DueFit]:
        """The gates that should be fitted now: each can be in another thread."""
        found = []
        for family, learned in self._learned.items():
            fitted_on = learned.weights.labels if learned.weights else 0
            if is_due(learned.seen, fitted_on):
                labels = tuple(learned.labels[-MOST_LABELS:])
                found.append(DueFit(family, labels, learned.seen, learned.weights))
        return found

    def take_over(self, due: DueFit, weights: GateWeights | None) -> bool:
        """Use a gate that was fitted; False when the labels were forgotten meanwhile."""
        learned = self._learned.get(due.family)
        if learned is None or learned.seen < due.seen or learned.weights is not due.before:
            return False
        if weights is None or weights is due.before:
            return False
        learned.weights = weights
        return True

    def fade(self) -> None:
        """Gates have learned from the errors that were seen: these count for less."""
        self._bounds = {key: bound.faded() for key, bound in self._bounds.items()}

    def _label(
        self, scope: Scope, evidence: Evidence, *, is_right: bool, weight: float = 1.0
    ) -> None:
        learned = self._learned.setdefault(family_of(scope), _Learned())
        learned.labels.append(Label(evidence.features, is_right, weight))
        learned.seen += 1
        if len(learned.labels) > 2 * MOST_LABELS:
            del learned.labels[:-MOST_LABELS]


def family_of(scope: Scope) -> Family:
    """Which scopes learn together."""
    return scope.tenant_id, scope.agent_id, scope.language.lower()
