"""``AnswerCache`` over the copy of this process: looks up here, and tells somebody else.

Who is told, the owner in this process or the batches for one elsewhere, is given as a function that
takes a report.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final

from cache.deltas import packed
from cache.entry import Answer
from cache.gate import Features
from cache.local_encoder import TurnEncoder
from cache.lookup import Question, ResponseCache, may_keep
from cache.outcomes import Hit, Miss, MissReason, Outcome
from cache.pattern import DialogueState
from cache.ports import Complaint
from cache.prediction import ELSE, after, likely_after, steps_of
from cache.replica_reports import Checked, Complained, Followed, Learned, Report, Served
from cache.scope import Scope
from cache.turnstile import Turnstile

logger = logging.getLogger(__name__)

ENCODE_TO_LEARN_WITHIN_S: Final = 10.0
MOST_TO_LEARN: Final = 500
BEGUN_EACH_STEP: Final = 8
"""Lookups that begin in one step of the event loop: some 0.05 ms each."""


class ReplicaAnswers:
    """Implements ``cache.ports.AnswerCache``.

    Args:
        cache: What is searched now; it may be another one after a snapshot was loaded.
        encoder: Of this process.
        tell: Takes what should be known elsewhere; returns at once.
        clock: Epoch seconds.
    """

    def __init__(
        self,
        cache: Callable[[], ResponseCache],
        encoder: TurnEncoder,
        tell: Callable[[Report], None],
        clock: Callable[[], float],
    ) -> None:
        self._cache = cache
        self._encoder = encoder
        self._tell = tell
        self._clock = clock
        self._turnstile = Turnstile(BEGUN_EACH_STEP)
        self._learning: set[asyncio.Task[None]] = set()

    async def lookup(self, question: Question, *, state: DialogueState | None = None) -> Outcome:
        """See ``AnswerCache.lookup``."""
        await self._turnstile.passed()
        outcome = self._cache().lookup_exact(question, now_s=self._clock())
        if outcome is None:
            language = question.scope.language
            vector, is_late = await self._encoder.vector(question.text, language)
            outcome = self._cache().lookup(question, vector, now_s=self._clock(), state=state)
            is_off = isinstance(outcome, Miss) and outcome.reason is MissReason.ENCODER_OFF
            if is_late and is_off:
                outcome = Miss(MissReason.ENCODER_LATE)
        return outcome

    def served(self, hit: Hit, scope: Scope) -> None:
        """See ``AnswerCache.served``."""
        self._tell(Served(hit.entry_id, 1))

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
        features, nearest = _features_of(outcome)
        if isinstance(outcome, Hit):
            features, nearest = (), ""  # a hit is judged by :meth:`checked`
        tenant_id = question.scope.tenant_id
        told = Learned(
            question.scope,
            question.text,
            answer,
            b"",
            features,
            nearest,
            caller,
            source,
            utc_offset_s,
            self._cache().store.generations(tenant_id, answer.tags),
        )
        if not may_keep(question, answer):
            # Its words stay here: the gate needs to know only which answer it was.
            if features:
                self._tell(replace(told, question="", answer=replace(answer, text="")))
        elif len(self._learning) < MOST_TO_LEARN:
            self._spawn(self._encode_and_tell(told))
        else:
            self._tell(told)

    def followed(self, scope: Scope, state: DialogueState, plan_id: str) -> None:
        """See ``AnswerCache.followed``."""
        self._tell(Followed(scope, state, plan_id))

    def likely_after(self, scope: Scope, spoken: Answer) -> tuple[Answer, ...]:
        """See ``AnswerCache.likely_after``."""
        return likely_after(self._cache(), scope, spoken, self._clock())

    def went_on(self, scope: Scope, before: Answer, then: Answer | None) -> None:
        """See ``AnswerCache.went_on``."""
        followed = then.answer_id if then is not None else ELSE
        self._tell(Followed(steps_of(scope), after(before.answer_id), followed))

    def check_ratio(self, hit: Hit, scope: Scope) -> float:
        """See ``AnswerCache.check_ratio``."""
        return self._cache().gates.check_ratio(hit)

    def checked(
        self,
        hit: Hit,
        scope: Scope,
        *,
        is_right: bool,
        check_ratio: float = 1.0,
        silences: bool = True,
    ) -> None:
        """See ``AnswerCache.checked``. An error silences the entry here at once."""
        is_error = silences and not is_right
        if is_error and (entry := self._cache().store.get(hit.entry_id)) is not None:
            entry.is_quarantined = True
        features, _ = _features_of(hit)
        self._tell(
            Checked(
                scope,
                hit.entry_id,
                hit.answer.answer_id,
                hit.tier,
                is_right,
                check_ratio,
                features,
                silences,
            )
        )

    def complained(self, hit: Hit, scope: Scope, complaint: Complaint) -> None:
        """See ``AnswerCache.complained``."""
        features, _ = _features_of(hit)
        answer_id = hit.answer.answer_id
        self._tell(Complained(scope, hit.entry_id, answer_id, hit.tier, complaint, features))

    async def aclose(self) -> None:
        """Wait for what is still being encoded; the encoder is closed by who has made it."""
        await asyncio.gather(*self._learning, return_exceptions=True)

    async def _encode_and_tell(self, told: Learned) -> None:
        vector, _ = await self._encoder.vector(
            told.question, told.scope.language, within_s=ENCODE_TO_LEARN_WITHIN_S
        )
        self._tell(replace(told, vector=packed(vector)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="answer-learned")
        self._learning.add(task)
        task.add_done_callback(self._learning.discard)


def _features_of(outcome: Outcome | None) -> tuple[Features, str]:
    """What the gate saw and the answer that it thought of."""
    if outcome is None or outcome.evidence is None:
        return (), ""
    return outcome.evidence.features, outcome.evidence.candidate.answer_id
