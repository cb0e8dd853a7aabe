"""The response cache as a call sees it, whether its owner lives here or elsewhere.

Nothing here waits for the owner. A lookup searches the copy of this process; what is told is put
aside and goes when there is time. When the owner is gone, lookups go on with what is here.

    question = ask(text, scope)                                    # cache.lookup
    outcome = await answers.lookup(question)                       # never raises, bounded
    if isinstance(outcome, Hit):
        answers.served(outcome, scope)                             # once it was spoken
        if random() < (ratio := answers.check_ratio(outcome, scope)):  # ask again, in background
            answers.checked(outcome, scope, is_right=..., check_ratio=ratio)
    else:
        answer = ...                                               # made as always
        answers.learned(question, outcome, answer, caller=mark, source=call_id)
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from cache.entry import Answer
from cache.lookup import Question
from cache.outcomes import Hit, Outcome
from cache.pattern import DialogueState
from cache.scope import Scope


class Complaint(StrEnum):
    """What a caller did against an answer of the cache. A sign, no proof."""

    BARGE_IN = "barge_in"
    """Spoke in its first 700 ms."""
    REPEAT = "repeat"
    """Asked the same again within two turns."""


class AnswerCache(Protocol):
    """Answers that were given before.

    All methods are called from the event loop of the process, none raises, and all but ``lookup``
    return at once.
    """

    async def lookup(self, question: Question, *, state: DialogueState | None = None) -> Outcome:
        """What to say, or why nothing.

        The exact tier answers without waiting for anything. For the semantic tier the question is
        encoded in a thread; who waits longer than ``local_encoder.ENCODE_WITHIN_S`` has a miss
        (``MissReason.ENCODER_LATE``). May be cancelled.

        Args:
            question: From ``cache.lookup.ask``.
            state: For the pattern tier; None for an agent without a flow.
        """

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
        """An answer was made without the cache, and spoken to its end.

        Say it of every such turn, of those too whose answer may not be kept
        (``cache.storage_class``): the gates learn from what the lookup thought.

        Args:
            question: As it was looked up.
            outcome: What the lookup said; None when there was none.
            answer: What was said.
            caller: ``cache.scope.caller_mark`` of who was given it.
            source: Which turn it was, for people who ask where an answer comes from: a call id
                and a turn, never words.
            utc_offset_s: Of the business's clock: an answer about today ends at its midnight.
        """

    def followed(self, scope: Scope, state: DialogueState, plan_id: str) -> None:
        """This plan followed that state, and it was not the cache that chose it."""

    def served(self, hit: Hit, scope: Scope) -> None:
        """A hit was spoken to a question of this scope, and heard, some of it at least."""

    def likely_after(self, scope: Scope, spoken: Answer) -> tuple[Answer, ...]:
        """The answers that are likely to be given next: to be prepared, not to be spoken.

        Args:
            scope: Of the question that was answered.
            spoken: The answer to it.
        """

    def went_on(self, scope: Scope, before: Answer, then: Answer | None) -> None:
        """After this answer of the cache that one was given, or one that the cache did not have.

        Args:
            scope: Of the question that was asked first.
            before: The answer to it.
            then: To the next question; None when it was not of the cache.
        """

    def check_ratio(self, hit: Hit, scope: Scope) -> float:
        """How likely this hit should be asked again in the background, 0..1."""

    def checked(
        self,
        hit: Hit,
        scope: Scope,
        *,
        is_right: bool,
        check_ratio: float = 1.0,
        silences: bool = True,
    ) -> None:
        """It became known whether a hit was right.

        The first error silences its entry, the second removes it.

        Args:
            hit: As it was served.
            scope: Of its question.
            is_right: Whether it was the right answer.
            check_ratio: What :meth:`check_ratio` said, when the hit was chosen by chance.
            silences: False: the answer is right in itself and was given to another question; the
                gate learns from it and the entry stays.
        """

    def complained(self, hit: Hit, scope: Scope, complaint: Complaint) -> None:
        """A caller did something that speaks against a hit."""
