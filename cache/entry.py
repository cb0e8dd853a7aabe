"""What the response cache keeps: answers, and the questions that led to them.

Several questions lead to one answer: an :class:`Answer` is told by its ``answer_id`` (of a
template, a FAQ card or a plan; the digest of its words for anything else), an :class:`Entry` is one
question with its answer in one scope.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Final

from cache.scope import Scope
from cache.text import exact_form

QUORUM: Final = 2
"""So many different callers must have been given an answer before anyone else is given it."""

_DAY_S: Final = 86_400.0
_PART_BYTES: Final = 60
"""Of ``answer_words``: measured of questions with an answer each; 20 where they share answers."""


def call_source(call_id: str) -> str:
    """How the ``Entry.source`` of everything begins that was learned from this call."""
    return f"{call_id}/"


class StorageClass(StrEnum):
    """What may be done with an answer; ``cache.storage_class`` decides it."""

    GENERIC = "generic"
    """The same for everybody: served as it is."""
    PLAN = "plan"
    """What to do, not what to say: slots are filled from this turn, tools run again."""
    NEVER = "never"
    """Personal, consent, payment, identity: not kept."""


class Provenance(StrEnum):
    """Where an answer comes from."""

    FAQ = "faq"
    AUTHORED = "authored"
    """Written in the agent's file."""
    MODEL = "model"
    TRANSCRIPT = "transcript"
    """Imported from past calls."""

    @property
    def is_trusted(self) -> bool:
        """Whether a person of the tenant wrote it: served at once, without a quorum."""
        return self in (Provenance.FAQ, Provenance.AUTHORED)


class TtlClass(StrEnum):
    """How long an answer stays true."""

    LASTING = "lasting"
    """Until it is removed or one of its tags is invalidated: what a person wrote."""
    STATIC = "static"
    BUSINESS = "business"
    TODAY = "today"
    MOMENT = "moment"

    def expires_s(self, now_s: float, *, utc_offset_s: float = 0.0, jitter: float = 0.0) -> float:
        """When an answer of now ends, in epoch seconds.

        Args:
            now_s: Epoch seconds.
            utc_offset_s: Of the business's clock; ``TODAY`` ends at its midnight.
            jitter: 0..1, spread over the last tenth of the time so that not all end at once.
                An answer about today ends at midnight whatever it is.
        """
        if self is TtlClass.TODAY:
            local_s = now_s + utc_offset_s
            return (local_s // _DAY_S + 1.0) * _DAY_S - utc_offset_s
        life_s = {
            TtlClass.LASTING: 3_650 * _DAY_S,
            TtlClass.STATIC: 7 * _DAY_S,
            TtlClass.BUSINESS: _DAY_S,
            TtlClass.MOMENT: 300.0,
        }[self]
        return now_s + life_s * (1.0 - 0.1 * min(1.0, max(0.0, jitter)))


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered.

    Attributes:
        answer_id: Equal for equal answers, within a scope. See :func:`answer_id_of`.
        text: Exactly as it is spoken; for a plan, its template.
        tags: What it depends on, such as ``kb:42``, ``prices``: invalidated together.
    """

    answer_id: str
    text: str
    storage_class: StorageClass = StorageClass.GENERIC
    provenance: Provenance = Provenance.MODEL
    tags: frozenset[str] = frozenset()
    ttl: TtlClass = TtlClass.BUSINESS


@dataclass(slots=True)
class Counters:
    """What became of an entry.

    Attributes:
        served: How often it was spoken.
        right: Checks that agreed.
        wrong: Confirmed errors: one quarantines the entry, two remove it.
        barge_ins: Callers who spoke against it in its first 700 ms.
        repeats: Callers who asked the same again within two turns.
    """

    served: int = 0
    right: int = 0
    wrong: int = 0
    barge_ins: int = 0
    repeats: int = 0


@dataclass(slots=True)
class Entry:
    """One question and its answer.

    Attributes:
        entry_id: Never used again, grows; it is written in the record of each turn it answers.
        question: Normalised (``cache.normalise.canonical``): the exact key, never the raw words.
        created_s: Epoch seconds.
        expires_s: Epoch seconds; from then on it is not served.
        generations: The counter of each of its tags when it was made.
        is_quarantined: An error was confirmed: kept as evidence, not served.
        callers: Who was given this answer to this very question, as far as the quorum needs to
            know (``cache.scope.caller_mark``).
        source: Which turn it was learned from first, or which file: for people who trace it.
    """

    entry_id: int
    scope: Scope
    question: str
    answer: Answer
    created_s: float
    expires_s: float
    generations: tuple[tuple[str, int], ...] = ()
    is_quarantined: bool = False
    counters: Counters = field(default_factory=Counters)
    callers: frozenset[bytes] = frozenset()
    source: str = ""

    @property
    def size_bytes(self) -> int:
        """About what it takes, its vector of 384 numbers apart, when it shares no words."""
        parts = 2 * self.question.count(" ") + 3  # words, and each with its neighbour
        return 900 + _PART_BYTES * parts + 2 * (len(self.question) + len(self.answer.text))


def answer_id_of(text: str) -> str:
    """The id of an answer that is no template: equal words in any punctuation are equal answers."""
    form = exact_form(text).encode("utf-8", "surrogatepass")
    return "text:" + blake2b(form, digest_size=16).hexdigest()
