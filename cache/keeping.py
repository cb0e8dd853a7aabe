"""Whether an entry may be kept and served: who stands behind it, and what it may replace.

One caller alone must not decide what others hear. That an answer was given to two callers says that
it is no secret; that it answers *this* question is said by those who were given it near here.
Otherwise one caller could tie the answer of a common question to another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from cache.entry import QUORUM, Entry
from cache.evidence import Neighbour
from cache.frame import frame_of
from cache.store import ResponseStore
from cache.veto import SOFT, Veto, is_close, veto

NEAR: Final = 0.5
NOT_FAR: Final = 0.4


def is_vouched(entry: Entry, near: Iterable[Entry], callers_needed: int = QUORUM) -> bool:
    """Whether more than one caller stands behind this answer to questions like this one.

    Args:
        entry: The candidate.
        near: What is near the question, the candidate too; other answers say nothing.
        callers_needed: So many different ones.
    """
    if not entry.scope.is_public:
        return True
    callers: set[bytes] = set()
    for one in near:
        if one.answer.answer_id != entry.answer.answer_id:
            continue
        if one.answer.provenance.is_trusted:
            return True
        callers |= one.callers
    return len(callers) >= callers_needed


def is_vouched_near(question: str, entry: Entry, near: Sequence[tuple[Entry, float]]) -> bool:
    """The same by how near they are.

    Farther away it takes one caller more, and only questions that have a word of content in common
    with this one count.

    Args:
        question: Canonical.
        entry: The candidate.
        near: What was found, the candidate too, with its similarity to the question.
    """
    if is_vouched(entry, (one for one, similarity in near if similarity >= NEAR)):
        return True
    language = entry.scope.language
    content = frozenset(frame_of(question, language).content)
    akin = (
        one
        for one, similarity in near
        if similarity >= NOT_FAR
        and not content.isdisjoint(frame_of(one.question, language).content)
    )
    return is_vouched(entry, akin, QUORUM + 1)


def settled(store: ResponseStore, made: Entry, now_s: float) -> Entry | None:
    """The entry to put for one that was just made; None when it may not be kept.

    The same answer to the same question renews its entry, which keeps its id, its counters and
    where it comes from. What a person wrote is not replaced by what a model said as long as it
    holds, and a silenced answer does not come back by being said again.
    """
    known = store.exact(made.scope, made.question)
    if known is None:
        return made
    is_same = known.answer.answer_id == made.answer.answer_id
    if is_same and known.is_quarantined:
        return None
    is_less_trusted = known.answer.provenance.is_trusted and not made.answer.provenance.is_trusted
    if is_less_trusted and store.objection(known, now_s) is None:
        return None
    if not is_same:
        return made
    made.entry_id, made.counters = known.entry_id, known.counters
    made.created_s, made.source = known.created_s, known.source or made.source
    made.callers = known.callers | made.callers if len(known.callers) < QUORUM else known.callers
    return made


def vetoed(
    question: str, entry: Entry, near: Iterable[Neighbour], *, slots_may_differ: bool
) -> Veto | None:
    """Why the frames speak against this entry.

    No objection stands when another near question with the same answer is nearly this sentence and
    nothing speaks against that one. A replaced word is none either when it is known to go with this
    answer: another near question with the same answer has it, or says the whole thing otherwise.
    """
    language = entry.scope.language
    objection = veto(question, entry.question, language, slots_may_differ=slots_may_differ)
    if objection is None:
        return None
    new = set(question.split()) - set(entry.question.split())
    for one in near:
        if one.answer_id != entry.answer.answer_id or one.entry_id == entry.entry_id:
            continue
        if veto(question, one.question, language, slots_may_differ=slots_may_differ):
            continue
        if is_close(question, one.question, language):
            return None
        if objection in SOFT and new & set(one.question.split()):
            return None
    return objection
