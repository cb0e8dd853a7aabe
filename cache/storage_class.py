"""May an answer be kept, and for whom: decided when it is made, from what the turn did.

Nothing personal is ever kept. What cannot be told apart from something personal is not kept either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cache.entry import StorageClass, TtlClass
from cache.normalise import canonical

MOST_ANSWER_CHARS: Final = 2_000

_SECRET: Final = re.compile(
    r"[\w.+-]+@[\w-]+\.\w"  # an e-mail address
    r"|(?:\d[ -]?){9,}"  # a telephone, card or account number
    r"|\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,}"  # an IBAN
)
_MOMENT_WORDS: Final = re.compile(
    r"\b(?:right now|at the moment|currently|just now)\b|現在|而家|目前", re.IGNORECASE
)
_TODAY_WORDS: Final = re.compile(
    r"\b(?:today|tonight|tomorrow|yesterday|this (?:morning|afternoon|evening|week))\b"
    r"|今天|今日|今晚|明天|聽日|尋日|昨天",
    re.IGNORECASE,
)
_FIRST_PERSON: Final = re.compile(
    r"\byour (?:name|number|address|account|balance|order|card|booking|appointment|birthday|email"
    r"|invoice|payment|subscription) (?:is|was|has|ends|will)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """What is known of a turn when its answer is complete.

    Attributes:
        asked: The caller's words.
        answered: The agent's, as spoken.
        language: BCP-47 tag.
        is_complete: Generated and spoken to its end, not filtered.
        used_tool: A tool ran, or state outside the call was read.
        has_side_effect: The node or the tool changes something.
        is_sensitive: The node is marked consent, identity, payment or health.
        slots: Values that were taken from what the caller said, in this call.
        caller_data: Values that are known of the caller: name, number, address.
        plan_id: The template or plan that the answer was made from; empty for free words.
    """

    asked: str
    answered: str
    language: str
    is_complete: bool = True
    used_tool: bool = False
    has_side_effect: bool = False
    is_sensitive: bool = False
    slots: tuple[str, ...] = ()
    caller_data: tuple[str, ...] = ()
    plan_id: str = ""


def storage_class(facts: AnswerFacts) -> StorageClass:
    """What may be done with the answer. Never raises; in doubt ``NEVER``."""
    if not facts.is_complete or facts.is_sensitive or facts.has_side_effect:
        return StorageClass.NEVER
    if not facts.answered.strip() or len(facts.answered) > MOST_ANSWER_CHARS:
        return StorageClass.NEVER
    if not canonical(facts.asked, facts.language):
        return StorageClass.NEVER
    if facts.plan_id:  # what is kept of a plan is its template: no value of this turn
        return StorageClass.PLAN if facts.used_tool or facts.slots else StorageClass.GENERIC
    if facts.used_tool:
        return StorageClass.NEVER
    if _SECRET.search(facts.answered) or _SECRET.search(facts.asked):
        return StorageClass.NEVER
    if _FIRST_PERSON.search(facts.answered):
        return StorageClass.NEVER
    answered = canonical(facts.answered, facts.language)
    if _holds_any(answered, facts.caller_data, facts.language):
        return StorageClass.NEVER
    if _holds_any(answered, facts.slots, facts.language) or _shares_a_number(facts, answered):
        return StorageClass.NEVER
    return StorageClass.GENERIC


def ttl_class(answered: str, wanted: TtlClass = TtlClass.BUSINESS) -> TtlClass:
    """``wanted``, or shorter when the answer speaks of today or of this moment."""
    if wanted is TtlClass.MOMENT or _MOMENT_WORDS.search(answered):
        return TtlClass.MOMENT
    return TtlClass.TODAY if _TODAY_WORDS.search(answered) else wanted


def _holds_any(answered: str, values: Iterable[str], language: str) -> bool:
    words = f" {answered} "
    for value in values:
        form = canonical(value, language)
        if form and (f" {form} " in words or (not form.isascii() and form in answered)):
            return True
        parts = [part for part in form.split() if len(part) > 2]  # "Mrs Smith" of "Ann Smith"
        if any(f" {part} " in words for part in parts):
            return True
    return False


def _shares_a_number(facts: AnswerFacts, answered: str) -> bool:
    """The answer repeats a number of the question: it was made for this question alone."""
    asked = {word for word in canonical(facts.asked, facts.language).split() if _digits(word)}
    return bool(asked & {word for word in answered.split() if _digits(word)})


def _digits(word: str) -> bool:
    return any(char.isdecimal() for char in word)
