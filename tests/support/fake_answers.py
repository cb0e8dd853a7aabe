"""A response cache that says what a test wants, and keeps what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cache.entry import Answer, Provenance, StorageClass, answer_id_of
from cache.lookup import Question
from cache.outcomes import Hit, Miss, MissReason, Outcome, Tier
from cache.pattern import DialogueState
from cache.ports import Complaint
from cache.scope import Scope

NOTHING = Miss(MissReason.EMPTY_SCOPE)


def hit(
    text: str,
    *,
    entry_id: int = 7,
    tier: Tier = Tier.EXACT,
    storage: StorageClass = StorageClass.GENERIC,
) -> Hit:
    """An answer of the cache."""
    answer = Answer(answer_id_of(text), text, storage, Provenance.FAQ)
    return Hit(tier, entry_id, answer, 1.0, 1.0)


class FakeAnswers:
    """An ``AnswerCache``.

    Attributes:
        outcome: What lookups say, or a function of the question.
        delay_s: How long they take.
        error: What they raise instead.
        asked: Every question.
        told: Question and answer of everything that was learned.
        marks: Who was given these answers.
        spoken: Hits that were spoken.
        likely: What ``likely_after`` says.
        steps: Which answer followed which; empty for one that was not of the cache.
        ratio: What ``check_ratio`` says.
        checks: Whether a hit was right, with which likelihood it was checked, whether it silences.
        wrong: Hits that were marked wrong.
        complaints: Hits and what a caller did.
        cancelled: Lookups that nobody waited for to their end.
    """

    def __init__(
        self, outcome: Outcome | Callable[[Question], Outcome] = NOTHING, delay_s: float = 0.0
    ) -> None:
        self.outcome = outcome
        self.delay_s = delay_s
        self.error: BaseException | None = None
        self.asked: list[Question] = []
        self.told: list[tuple[Question, Answer]] = []
        self.marks: list[bytes] = []
        self.sources: list[str] = []
        self.spoken: list[Hit] = []
        self.likely: tuple[Answer, ...] = ()
        self.steps: list[tuple[str, str]] = []
        self.ratio = 0.0
        self.checks: list[tuple[bool, float, bool]] = []
        self.wrong: list[Hit] = []
        self.complaints: list[tuple[Hit, Complaint]] = []
        self.cancelled = 0

    async def lookup(self, question: Question, *, state: DialogueState | None = None) -> Outcome:
        self.asked.append(question)
        try:
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return self.outcome(question) if callable(self.outcome) else self.outcome

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
        self.told.append((question, answer))
        self.marks.append(caller)
        self.sources.append(source)

    def likely_after(self, scope: Scope, spoken: Answer) -> tuple[Answer, ...]:
        return self.likely

    def went_on(self, scope: Scope, before: Answer, then: Answer | None) -> None:
        self.steps.append((before.text, then.text if then is not None else ""))

    def followed(self, scope: Scope, state: DialogueState, plan_id: str) -> None:
        raise AssertionError("there are no flows")

    def served(self, hit: Hit, scope: Scope) -> None:
        self.spoken.append(hit)

    def check_ratio(self, hit: Hit, scope: Scope) -> float:
        return self.ratio

    def checked(
        self,
        hit: Hit,
        scope: Scope,
        *,
        is_right: bool,
        check_ratio: float = 1.0,
        silences: bool = True,
    ) -> None:
        self.checks.append((is_right, check_ratio, silences))
        if not is_right:
            self.wrong.append(hit)

    def complained(self, hit: Hit, scope: Scope, complaint: Complaint) -> None:
        self.complaints.append((hit, complaint))
