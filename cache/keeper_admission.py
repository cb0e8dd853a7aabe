"""Whether an answer that a call has learned is kept: erased calls, writers' rates, tags, room.

A machine; what people import is not asked.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from cache.keeper_rates import RateLimits, Rates
from cache.replica_reports import Learned
from cache.store import ResponseStore

INVALID_FOR_S: Final = 10.0
"""An answer that was begun before an invalidation may arrive so much later."""

ERASED_FOR_S: Final = 5 * 3_600.0
"""An erased call may go on: four hours at most, and what it tells may wait."""
MOST_ERASED: Final = 10_000


class Admission:
    """The door of one owner.

    Args:
        rates: What calls may write.
    """

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._limits = RateLimits(rates)
        self._invalid_since: dict[tuple[str, str], float] = {}
        self._erased_at: OrderedDict[tuple[str, str], float] = OrderedDict()

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

    def erased(self, tenant_id: str, source: str, now_s: float) -> None:
        """A call was erased: nothing more is learned from it.

        Args:
            tenant_id: Of the call.
            source: ``cache.entry.call_source``.
            now_s: Epoch seconds.
        """
        self._erased_at[tenant_id, source] = now_s
        self._erased_at.move_to_end((tenant_id, source))
        if len(self._erased_at) > MOST_ERASED:
            self._erased_at.popitem(last=False)

    def is_erased(self, tenant_id: str, source: str) -> bool:
        """Whether what has this source comes from an erased call."""
        call_id, slash, _ = source.partition("/")
        return (tenant_id, call_id + slash) in self._erased_at

    def sweep(self, now_s: float) -> None:
        """Forget invalidations and erased calls that nothing can arrive from any more."""
        while self._erased_at and now_s - next(iter(self._erased_at.values())) >= ERASED_FOR_S:
            self._erased_at.popitem(last=False)
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
