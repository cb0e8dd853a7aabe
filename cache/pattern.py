"""What an agent does next, by the state of the dialogue alone: no text, no vectors.

In tasks the same state and the same acts of the caller lead to the same next step nine times in
ten, whatever the words were. What is served is a plan: its slots are filled from this turn and
its tools run again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from cache.scope import Scope

LEAST_SEEN: Final = 3
LEAST_SHARE: Final = 0.9
MOST_STATES: Final = 10_000
_MOST_PLANS: Final = 16  # of one state: with more there is no majority to be had


@dataclass(frozen=True, slots=True)
class DialogueState:
    """Where a dialogue stands when the caller has spoken.

    Attributes:
        intent: What the caller is after.
        filled: Names of the slots that have a value, never the values.
        acts: What the caller did in this turn, such as ``inform:date``, ``affirm``.
    """

    intent: str
    filled: frozenset[str] = frozenset()
    acts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Expectation:
    """The plan that mostly follows.

    Attributes:
        share: Of the times this state was seen, 0..1, careful when it was seen seldom.
        seen: How often.
    """

    plan_id: str
    share: float
    seen: int

    @property
    def is_sure(self) -> bool:
        """Whether it may be served."""
        return self.seen >= LEAST_SEEN and self.share >= LEAST_SHARE


@dataclass(frozen=True, slots=True)
class SeenState:
    """How often each plan followed a state in a scope: what replicas and snapshots are told.

    Attributes:
        scope_key: ``Scope.key``.
        total: All times, those of plans that are not counted too; 0 forgets the state.
        plans: How often each followed.
    """

    scope_key: bytes
    state: DialogueState
    total: int
    plans: Mapping[str, int]


@dataclass(slots=True)
class _Seen:
    total: int = 0
    plans: dict[str, int] = field(default_factory=dict)


class PatternTier:
    """Counts which plan followed which state, in each scope."""

    def __init__(self, most_states: int = MOST_STATES) -> None:
        self._most = most_states
        self._seen: OrderedDict[tuple[bytes, DialogueState], _Seen] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def expect(self, scope: Scope, state: DialogueState) -> Expectation | None:
        """What mostly follows; None when this state was never seen. Serve only what ``is_sure``."""
        if (seen := self._seen.get((scope.key(), state))) is None or not seen.plans:
            return None
        plan_id = max(seen.plans, key=lambda plan: seen.plans[plan])
        return Expectation(plan_id, (seen.plans[plan_id] + 0.5) / (seen.total + 1), seen.total)

    def followed(self, scope: Scope, state: DialogueState, plan_id: str) -> None:
        """This plan followed, and it was not the cache that chose it."""
        key = (scope.key(), state)
        seen = self._seen.setdefault(key, _Seen())
        seen.total += 1
        if plan_id in seen.plans or len(seen.plans) < _MOST_PLANS:
            seen.plans[plan_id] = seen.plans.get(plan_id, 0) + 1
        self._seen.move_to_end(key)
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)

    def was_wrong(self, scope: Scope, state: DialogueState) -> None:
        """A plan that was served was not what should have been done: learn this state anew."""
        self._seen.pop((scope.key(), state), None)

    def seen(self, scope: Scope, state: DialogueState) -> SeenState:
        """What is known of one state."""
        found = self._seen.get((scope.key(), state), _Seen())
        return SeenState(scope.key(), state, found.total, dict(found.plans))

    def __iter__(self) -> Iterator[SeenState]:
        # A copy of the references: what is counted meanwhile may be in it or not.
        for (key, state), found in list(self._seen.items()):
            yield SeenState(key, state, found.total, dict(found.plans))

    def place(self, told: SeenState) -> None:
        """Take over what the owner has counted."""
        key = (told.scope_key, told.state)
        if told.total <= 0:
            self._seen.pop(key, None)
            return
        self._seen[key] = _Seen(told.total, dict(told.plans))
        self._seen.move_to_end(key)
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
