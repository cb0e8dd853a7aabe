"""One lookup in the response cache for one guess of a call, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cache.entry import Answer, StorageClass
from cache.lookup import Question
from cache.outcomes import Hit, Miss, Outcome, Refusal, Tier
from dialogue.ports import ThinkRequest

HIT, MISS, REFUSAL = "hit", "miss", "refusal"
BROKE, LATE, REPEATED, NOT_GENERIC = "broke", "late", "repeated", "not_generic"
SIMILAR_OFF, NEEDS_CONTEXT = "similar_off", "needs_context"
CUT_OFF_REASONS = frozenset({"length", "content_filter"})


@dataclass(slots=True)
class Consultation:
    """One guess, and what the cache said to it.

    Attributes:
        text: The caller's words.
        is_barred: The cache is not asked: it would say again what was just complained of.
        is_similar_allowed: Otherwise only a question in the same words is answered.
        needs_context: The turn is to be read with what was said before.
        is_broken: The cache could not be asked.
        outcome: None until the lookup has ended.
        lookup_s: How long it took; None until then.
        is_served: The answer of the cache is the reply.
        is_complete: The model's reply came to its end.
        uses_tool: The model wanted a tool, or to end the call.
        said: The segments of the reply.
        request: What the model would be asked for this guess, or was.
        expected: Ids of the answers that were expected after the turn before; None when none were.
        likely: What is likely to be asked for next.
    """

    text: str
    question: Question
    is_barred: bool = False
    is_similar_allowed: bool = True
    needs_context: bool = False
    is_broken: bool = False
    outcome: Outcome | None = None
    lookup_s: float | None = None
    is_served: bool = False
    is_complete: bool = False
    uses_tool: bool = False
    said: list[str] = field(default_factory=list)
    request: ThinkRequest | None = None
    expected: frozenset[str] | None = None
    likely: tuple[Answer, ...] = ()

    @property
    def hit(self) -> Hit | None:
        """An answer that may be spoken; rule 2."""
        found = self.outcome
        if not isinstance(found, Hit) or self._objection(found):
            return None
        return found

    def _objection(self, hit: Hit) -> str:
        if hit.answer.storage_class is not StorageClass.GENERIC:
            return NOT_GENERIC
        if hit.tier is Tier.SEMANTIC and not self.is_similar_allowed:
            return SIMILAR_OFF
        is_imported = hit.answer.provenance.is_trusted
        if hit.tier is Tier.SEMANTIC and is_imported and self.needs_context:
            return NEEDS_CONTEXT
        return ""

    def told(self) -> dict[str, Any]:
        """What the record of the turn says; holds no words.

        ``outcome``, and as far as there is any: ``reason``, ``tier``, ``entry_id`` (which entry
        said it, or was refused), ``nearest_id``, ``similarity``, ``right_ratio``, ``detail``,
        ``lookup_s``, ``expected`` (whether this answer was one of those prepared after the turn
        before).
        """
        plain = self._unasked()
        match self.outcome:
            case Hit() as hit:
                plain = {
                    "outcome": HIT if self.is_served else REFUSAL,
                    "reason": "" if self.is_served else self._objection(hit) or LATE,
                    "tier": hit.tier.value,
                    "entry_id": hit.entry_id,
                    "similarity": round(hit.similarity, 4),
                    "right_ratio": round(hit.right_ratio, 4),
                    "detail": hit.detail,
                }
            case Miss() as miss:
                plain = {
                    "outcome": MISS,
                    "reason": miss.reason.value,
                    "nearest_id": miss.nearest_id,
                    "similarity": round(miss.similarity, 4),
                    "detail": miss.detail,
                }
            case Refusal() as refusal:
                plain = {
                    "outcome": REFUSAL,
                    "reason": refusal.reason.value,
                    "entry_id": refusal.entry_id,
                    "similarity": round(refusal.similarity, 4),
                    "right_ratio": round(refusal.right_ratio, 4),
                    "detail": refusal.detail,
                }
            case None:
                pass
        if self.expected is not None:
            plain["expected"] = self._is_as_expected
        if self.lookup_s is not None:
            plain["lookup_s"] = round(self.lookup_s, 6)
        return {key: value for key, value in plain.items() if value not in ("", None)}

    @property
    def _is_as_expected(self) -> bool:
        if self.expected is None or not isinstance(self.outcome, Hit) or not self.is_served:
            return False
        return self.outcome.answer.answer_id in self.expected

    def _unasked(self) -> dict[str, Any]:
        if self.is_barred:
            return {"outcome": REFUSAL, "reason": REPEATED}
        return {"outcome": MISS, "reason": BROKE if self.is_broken else LATE}
