"""Whether an answer that a call has learned is kept: its writers' rates, its tags, its room.

A machine; what people import is not asked.
"""

from __future__ import annotations

from typing import Final

from cache.keeper_rates import RateLimits, Rates
from cache.replica_reports import Learned
from cache.store import ResponseStore

INVALID_FOR_S: Final = 10.0
"""An answer that was begun before an invalidation may arrive so much later."""


class Admission:
    """The door of one owner.

    Args:
        rates: What calls may write.
    """

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._limits = RateLimits(rates)
        self._invalid_since: dict[tuple[str, str], float] = {}

    def objection(self, told: Learned, store: ResponseStore, now_s: float) -> str:
        """Why an answer that may be kept is not; empty when it is.

        Args:
            told: By a worker.
            store: What is kept already.
            now_s: Epoch seconds.
        """
        scope, answer, rates = told.scope, told.answer, self._rates
        if answer.provenance.is_trusted:
            return ""
        if self._is_too_late(told, store, now_s):
            return "invalidated"
        if not self._limits.take(scope.tenant_id, told.caller, now_s):
            return "rate"
        known = store.exact(scope, told.question)
        if known is not None and known.answer.answer_id == answer.answer_id:
            return ""
        alike = store.of_answer(scope, answer.answer_id)
        if len(alike) >= rates.answer_questions:
            return "answer_full"
        own = frozenset((told.caller,))
        if sum(one.callers == own for one in alike) >= rates.answer_questions_of_one:
            return "caller_full"
        return ""

    def invalidated(self, tenant_id: str, tag: str, now_s: float) -> None:
        """Everything of this tenant with this tag has ended."""
        self._invalid_since[tenant_id, tag] = now_s

    def sweep(self, now_s: float) -> None:
        """Forget invalidations that nothing can arrive from any more."""
        self._invalid_since = {
            use: since
            for use, since in self._invalid_since.items()
            if now_s - since < INVALID_FOR_S
        }

    def _is_too_late(self, told: Learned, store: ResponseStore, now_s: float) -> bool:
        tenant_id, knew = told.scope.tenant_id, dict(told.generations)
        for tag, number in store.generations(tenant_id, told.answer.tags):
            if knew.get(tag, number) != number:
                return True
            since = self._invalid_since.get((tenant_id, tag))
            if since is not None and now_s - told.age_s - since < INVALID_FOR_S:
                return True
        return False
