"""What a lookup says: hit, miss or refusal, each with its reason, for the record of the turn."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cache.entry import Answer
from cache.evidence import Evidence


class Tier(StrEnum):
    """Which part of the cache answered."""

    EXACT = "exact"
    SEMANTIC = "semantic"
    PATTERN = "pattern"


class MissReason(StrEnum):
    """There was nothing to serve."""

    NOTHING_SAID = "nothing_said"
    TOO_LONG = "too_long"
    EMPTY_SCOPE = "empty_scope"
    NOT_LIKE_ANYTHING = "not_like_anything"
    ENCODER_OFF = "encoder_off"
    """No exact entry, and no encoder reads this language."""
    ENCODER_LATE = "encoder_late"
    """No exact entry, and the encoder has too much to do."""


class RefusalReason(StrEnum):
    """There was a candidate, and it was not safe to serve it."""

    TOO_FEW_WORDS = "too_few_words"
    """A short turn means something only after what the agent said, and that is not known."""
    BELOW_BOUND = "below_bound"
    VETO = "veto"
    QUORUM = "quorum"
    EXPIRED = "expired"
    INVALIDATED = "invalidated"
    QUARANTINED = "quarantined"
    SWITCHED_OFF = "switched_off"
    """The scope was wrong too often."""
    SLOTS_MISSING = "slots_missing"


@dataclass(frozen=True, slots=True)
class Hit:
    """An answer to speak.

    Attributes:
        entry_id: Which entry said it.
        similarity: Cosine, -1..1; 1.0 in the exact tier, 0.0 in the pattern tier.
        right_ratio: The gate's estimate that the answer is right, 0..1.
        detail: Short, for the waterfall.
        evidence: What the gate saw, for learning; semantic tier only.
    """

    tier: Tier
    entry_id: int
    answer: Answer
    similarity: float
    right_ratio: float
    detail: str = ""
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Miss:
    """Nothing there; ``nearest_id`` is the entry that a new answer is compared with, if any."""

    reason: MissReason
    nearest_id: int | None = None
    similarity: float = 0.0
    detail: str = ""
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A candidate that was not served."""

    reason: RefusalReason
    entry_id: int
    similarity: float = 0.0
    right_ratio: float = 0.0
    detail: str = ""
    evidence: Evidence | None = None


Outcome = Hit | Miss | Refusal
