"""The response cache: tiers in order, and a reason for whatever they say.

A machine, synchronous and without I/O. The encoder runs elsewhere: a lookup takes the vector of the
question, or none. Every worker holds one of these; learning is what the owner does, see
``ResponseCache.learn``.

    question = ask(text, scope)
    outcome = cache.lookup(question, encoder.encode(question.text), now_s=now_s)
    if not isinstance(outcome, Hit):
        answer = ...                                         # made as always
        cache.learn(question, vector, answer, outcome, caller=mark, life=Life(now_s))
"""

from __future__ import annotations

from dataclasses import dataclass

from cache import lookup_semantic
from cache.encoder import Vector
from cache.entry import Answer, Entry
from cache.keeping import is_vouched, settled
from cache.learning import DEFAULT_BOUND, GateBook
from cache.outcomes import Hit, Miss, MissReason, Outcome, Refusal, RefusalReason, Tier
from cache.pattern import DialogueState, PatternTier
from cache.question import Life, Question, ask, may_keep
from cache.scope import Scope
from cache.store import Limits, ResponseStore

__all__ = ("Kept", "Life", "Question", "ResponseCache", "ask", "may_keep")


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry that was kept, and the ids of those that had to go for it."""

    entry: Entry
    gone: tuple[int, ...]


class ResponseCache:
    """Exact, semantic and pattern tier over one store."""

    def __init__(
        self, dimension: int, limits: Limits | None = None, *, bound: float = DEFAULT_BOUND
    ) -> None:
        """An empty cache.

        Args:
            dimension: Of the encoder's vectors.
            limits: How much is kept.
            bound: The error that is allowed, 0..1: an answer is given when its estimate reaches
                ``1 - bound``. A node about money or health asks for less (``GateBook.set_bound``).
        """
        self.store = ResponseStore(dimension, limits)
        self.gates = GateBook(bound)
        self.patterns = PatternTier()
        self._next_id = 1

    @property
    def next_id(self) -> int:
        """The id of the next entry that is learned: a snapshot keeps it, no id is used twice."""
        return self._next_id

    def resume(self, next_id: int) -> None:
        """Go on counting after a snapshot was loaded."""
        self._next_id = max(self._next_id, next_id)

    def lookup(
        self,
        question: Question,
        vector: Vector | None,
        *,
        now_s: float,
        state: DialogueState | None = None,
    ) -> Outcome:
        """What to say, or why nothing.

        Args:
            question: From :func:`ask`.
            vector: Of ``question.text``; None where no encoder reads the language.
            now_s: Epoch seconds.
            state: For the pattern tier; None for an agent without a flow.
        """
        if (found := self.lookup_exact(question, now_s=now_s)) is not None:
            return found
        allowed = self.gates.allowed(question.scope)
        said = self._semantic(question, vector, now_s, allowed)
        if not isinstance(said, Hit):
            card = self._semantic(question.in_common, vector, now_s, allowed)
            if isinstance(card, Hit) or _is_empty(said):
                said = card
        if isinstance(said, Hit) or state is None:
            return said
        return self._pattern(question, state, now_s) or said

    def lookup_exact(self, question: Question, *, now_s: float) -> Outcome | None:
        """What is known without a vector: microseconds. None when the question has to be encoded.

        An entry that one caller alone was given to this very question decides nothing here, even
        when others were given its answer to another question: the semantic tier looks at who else
        asked something like it.
        """
        if question.is_too_long:
            return Miss(MissReason.TOO_LONG)
        if not question.text:
            return Miss(MissReason.NOTHING_SAID)
        found = self._exact(question, now_s)
        if isinstance(found, Hit):
            return found
        card = self._exact(question.in_common, now_s)
        return card if isinstance(card, Hit) else found

    def learn(
        self,
        question: Question,
        vector: Vector | None,
        answer: Answer,
        outcome: Outcome | None,
        *,
        caller: bytes,
        life: Life,
    ) -> Entry | None:
        """Keep an answer that was made without the cache, and learn from what the cache thought.

        Args:
            question: From :func:`ask`.
            vector: Of ``question.text``, or None.
            answer: What was said.
            outcome: What the lookup of this question said; None for an import.
            caller: ``cache.scope.caller_mark`` of who was given it.
            life: The time of now, and what shortens the time of the entry.

        Returns:
            The entry, or None when it may not be kept.
        """
        if outcome is not None:
            self.gates.answered(question.scope, outcome, answer.answer_id)
        if not may_keep(question, answer):
            return None
        kept = self.keep(question, vector, answer, caller=caller, life=life)
        if kept is None:
            return None
        self.store.produced(question.scope.key(), answer.answer_id, caller)
        return kept.entry

    def keep(
        self,
        question: Question,
        vector: Vector | None,
        answer: Answer,
        *,
        caller: bytes,
        life: Life,
    ) -> Kept | None:
        """Make an entry, or renew the one that is there (``cache.keeping.settled``).

        Args:
            question: One that :func:`may_keep`.
            vector: Of ``question.text``, or None.
            answer: What was said.
            caller: Who was given it.
            life: The time of now, and what shortens the time of the entry.
        """
        scope = question.scope
        made = Entry(
            entry_id=self._next_id,
            scope=scope,
            question=question.text,
            answer=answer,
            created_s=life.now_s,
            expires_s=answer.ttl.expires_s(
                life.now_s, utc_offset_s=life.utc_offset_s, jitter=life.jitter
            ),
            generations=self.store.generations(scope.tenant_id, answer.tags),
            callers=frozenset((caller,)),
            source=life.source,
        )
        entry = settled(self.store, made, life.now_s)
        if entry is None:
            return None
        self._next_id = max(self._next_id, entry.entry_id + 1)
        known = self.store.get(entry.entry_id)
        if known is not None and vector is None:
            vector = self.store.vector(known)
        return Kept(entry, tuple(self.store.put(entry, vector)))

    def checked(self, hit: Hit, scope: Scope, *, is_right: bool, check_ratio: float = 1.0) -> None:
        """It became known whether a hit was right.

        The first error quarantines its entry, the second removes it; the bound of the scope is
        drawn tighter by itself. ``check_ratio`` is that of ``GateBook.check_ratio`` when the hit
        was chosen by chance.
        """
        entry = self.store.get(hit.entry_id)
        if hit.tier is Tier.SEMANTIC:
            self.gates.checked(scope, hit, is_right=is_right, check_ratio=check_ratio)
        if entry is None:
            return
        if is_right:
            entry.counters.right += 1
            return
        entry.counters.wrong += 1
        entry.is_quarantined = True
        if entry.counters.wrong >= 2:
            self.store.remove(entry.entry_id)

    def refit(self) -> None:
        """Fit what is due: some 100 ms, so never in a turn."""
        for scope, shelf in self.store.shelves():
            if shelf.is_measuring_due and shelf.measure():
                self.gates.features_changed(scope)
        self.gates.refit()

    def _exact(self, question: Question, now_s: float) -> Outcome | None:
        entry = self.store.exact(question.scope, question.text)
        if entry is None:
            return None
        if question.depends_on_before:
            return Refusal(RefusalReason.TOO_FEW_WORDS, entry.entry_id, 1.0)
        if reason := self.store.objection(entry, now_s):
            return Refusal(reason, entry.entry_id, 1.0)
        if not is_vouched(entry, (entry,)):
            return None
        return self._served(Hit(Tier.EXACT, entry.entry_id, entry.answer, 1.0, 1.0))

    def _semantic(
        self, question: Question, vector: Vector | None, now_s: float, allowed: float
    ) -> Outcome:
        said = lookup_semantic.search(
            self.store, self.gates, question, vector, now_s=now_s, allowed=allowed
        )
        return self._served(said) if isinstance(said, Hit) else said

    def _pattern(self, question: Question, state: DialogueState, now_s: float) -> Hit | None:
        expected = self.patterns.expect(question.scope, state)
        if expected is None or not expected.is_sure:
            return None
        entry = self.store.plan(question.scope, expected.plan_id)
        if entry is None or self.store.objection(entry, now_s):
            return None
        return self._served(Hit(Tier.PATTERN, entry.entry_id, entry.answer, 0.0, expected.share))

    def _served(self, hit: Hit) -> Hit:
        self.store.touch(hit.entry_id)
        return hit


def _is_empty(outcome: Outcome) -> bool:
    return isinstance(outcome, Miss) and outcome.reason is MissReason.EMPTY_SCOPE
