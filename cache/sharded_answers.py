"""``AnswerCache`` over the copies of several owners: each question goes to that of its agent."""

from __future__ import annotations

from collections.abc import Sequence

from cache.entry import Answer
from cache.lookup import Question
from cache.outcomes import Hit, Outcome
from cache.pattern import DialogueState
from cache.ports import AnswerCache, Complaint
from cache.scope import Scope
from cache.shards import shard_of


class ShardedAnswers:
    """Implements ``cache.ports.AnswerCache``.

    Args:
        shards: The copy of each owner, in order.
    """

    def __init__(self, shards: Sequence[AnswerCache]) -> None:
        self._shards = tuple(shards)
        self._known: dict[tuple[str, str], AnswerCache] = {}

    async def lookup(self, question: Question, *, state: DialogueState | None = None) -> Outcome:
        """See ``AnswerCache.lookup``."""
        return await self._of(question.scope).lookup(question, state=state)

    def learned(
        self,
        question: Question,
        outcome: Outcome | None,
        answer: Answer,
        *,
        caller: bytes,
        source: str = "",
        utc_offset_s: float = 0.0,
    ) -> None:
        """See ``AnswerCache.learned``."""
        self._of(question.scope).learned(
            question, outcome, answer, caller=caller, source=source, utc_offset_s=utc_offset_s
        )

    def followed(self, scope: Scope, state: DialogueState, plan_id: str) -> None:
        """See ``AnswerCache.followed``."""
        self._of(scope).followed(scope, state, plan_id)

    def served(self, hit: Hit, scope: Scope) -> None:
        """See ``AnswerCache.served``."""
        self._of(scope).served(hit, scope)

    def likely_after(self, scope: Scope, spoken: Answer) -> tuple[Answer, ...]:
        """See ``AnswerCache.likely_after``."""
        return self._of(scope).likely_after(scope, spoken)

    def went_on(self, scope: Scope, before: Answer, then: Answer | None) -> None:
        """See ``AnswerCache.went_on``."""
        self._of(scope).went_on(scope, before, then)

    def check_ratio(self, hit: Hit, scope: Scope) -> float:
        """See ``AnswerCache.check_ratio``."""
        return self._of(scope).check_ratio(hit, scope)

    def checked(
        self,
        hit: Hit,
        scope: Scope,
        *,
        is_right: bool,
        check_ratio: float = 1.0,
        silences: bool = True,
    ) -> None:
        """See ``AnswerCache.checked``."""
        self._of(scope).checked(
            hit, scope, is_right=is_right, check_ratio=check_ratio, silences=silences
        )

    def complained(self, hit: Hit, scope: Scope, complaint: Complaint) -> None:
        """See ``AnswerCache.complained``."""
        self._of(scope).complained(hit, scope, complaint)

    def _of(self, scope: Scope) -> AnswerCache:
        agent = (scope.tenant_id, scope.agent_id)
        known = self._known.get(agent)
        if known is None:
            known = self._known[agent] = self._shards[shard_of(*agent, len(self._shards))]
        return known
