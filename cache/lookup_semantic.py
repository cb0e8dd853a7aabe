"""The semantic tier of a lookup: the neighbours, the gate, the veto, and who stands behind it."""

from __future__ import annotations

from collections.abc import Sequence

from cache.encoder import Vector
from cache.entry import Entry, StorageClass
from cache.evidence import Evidence, Neighbour, weigh
from cache.gate import LEAST_SIMILARITY, GateWeights, cold_accepts
from cache.keeping import is_vouched_near, vetoed
from cache.learning import GateBook
from cache.outcomes import Hit, Miss, MissReason, Outcome, Refusal, RefusalReason, Tier
from cache.question import Question
from cache.store import ResponseStore
from cache.veto import says_the_same


def search(
    store: ResponseStore,
    gates: GateBook,
    question: Question,
    vector: Vector | None,
    *,
    now_s: float,
    allowed: float,
) -> Outcome:
    """What questions like this one were answered with, where that is safe.

    Args:
        store: What is searched; a hit is not counted there.
        gates: Who judges.
        question: In the scope that is searched.
        vector: Of its text; None where no encoder reads the language.
        now_s: Epoch seconds.
        allowed: The bound of the scope in which it was asked; that of the scope that is searched
            may be stricter.
    """
    scope = question.scope
    shelf = store.shelf(scope)
    if shelf is None:
        return Miss(MissReason.EMPTY_SCOPE)
    if vector is None:
        return Miss(MissReason.ENCODER_OFF)
    if question.depends_on_before:
        return Miss(MissReason.NOT_LIKE_ANYTHING, detail="too few words")
    near = shelf.near(vector)
    evidence = weigh(question.text, near, shelf.rarity, shelf.closeness(vector), shelf.answer_words)
    candidate = evidence.candidate
    entry = store.get(candidate.entry_id)
    if entry is None or candidate.similarity < LEAST_SIMILARITY:
        return Miss(
            MissReason.NOT_LIKE_ANYTHING,
            candidate.entry_id,
            candidate.similarity,
            evidence=evidence,
        )
    gate = gates.weights(scope)
    ratio = gate.right_ratio(evidence.features) if gate else 0.0
    similarity = candidate.similarity
    bound = min(allowed, gates.allowed(scope))
    refused = _doubts(gate, ratio, bound, entry, evidence, question.text)
    refused = refused or _objects(store, question.text, entry, near, now_s)
    if refused is not None:
        reason, detail = refused
        return Refusal(reason, entry.entry_id, similarity, ratio, detail, evidence)
    return Hit(Tier.SEMANTIC, entry.entry_id, entry.answer, similarity, ratio, evidence=evidence)


def _doubts(
    gate: GateWeights | None,
    ratio: float,
    allowed: float,
    entry: Entry,
    evidence: Evidence,
    asked: str,
) -> tuple[RefusalReason, str] | None:
    """Whether the answer is too likely wrong."""
    if allowed <= 0.0:
        return RefusalReason.SWITCHED_OFF, ""
    if gate is not None:
        if ratio >= 1.0 - allowed:
            return None
        return RefusalReason.BELOW_BOUND, f"{ratio:.3f} of {1.0 - allowed:.3f}"
    is_trusted = entry.answer.provenance.is_trusted
    if not cold_accepts(evidence.candidate.similarity, evidence.other, is_trusted=is_trusted):
        return RefusalReason.BELOW_BOUND, "too few labels: similarity and margin"
    if not is_trusted and not says_the_same(asked, entry.question, entry.scope.language):
        return RefusalReason.BELOW_BOUND, "too few labels: other words of content"
    return None


def _objects(
    store: ResponseStore, asked: str, entry: Entry, near: Sequence[Neighbour], now_s: float
) -> tuple[RefusalReason, str] | None:
    """Whether something speaks against this entry, however likely it is right."""
    is_plan = entry.answer.storage_class is StorageClass.PLAN
    if objection := vetoed(asked, entry, near, slots_may_differ=is_plan):
        return RefusalReason.VETO, objection.value
    if reason := store.objection(entry, now_s):
        return reason, ""
    known = [(store.get(one.entry_id), one.similarity) for one in near]
    if not is_vouched_near(asked, entry, [(one, alike) for one, alike in known if one]):
        return RefusalReason.QUORUM, "one caller alone asked anything like it"
    return None
