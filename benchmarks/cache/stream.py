"""A stream of turns through a cache that begins empty: each is looked up, each miss is learned."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from benchmarks.cache.data import Turn
from cache.encoder import Encoder, Vector
from cache.entry import Answer, StorageClass
from cache.lookup import Life, Question, ResponseCache, ask
from cache.outcomes import Hit, Refusal
from cache.scope import Scope, caller_mark

SCOPE = Scope("bench", "agent", "1", "1", "", "en-US", "greet")
A_SECOND_S = 1.0


class Kept(Enum):
    """What counts as the same answer, and so what is kept."""

    ANSWERS = "answers"
    """One answer for an intent."""
    STRICT = "strict"
    """The same words: intent and slot values; what holds a value is never kept."""
    PLANS = "plans"
    """One plan for an intent, its slots taken from the turn."""


@dataclass(slots=True)
class Score:
    """What came of a stream; the second half apart."""

    turns: int = 0
    hits: int = 0
    wrong: int = 0
    late_turns: int = 0
    late_hits: int = 0
    late_wrong: int = 0
    checks: int = 0
    why: Counter[str] = field(default_factory=Counter)

    def add(self, *, is_hit: bool, is_wrong: bool, is_late: bool) -> None:
        """One turn."""
        self.turns += 1
        self.hits += is_hit
        self.wrong += is_wrong
        self.late_turns += is_late
        self.late_hits += is_hit and is_late
        self.late_wrong += is_wrong and is_late

    def __add__(self, other: Score) -> Score:
        """Both streams together."""
        return Score(
            self.turns + other.turns,
            self.hits + other.hits,
            self.wrong + other.wrong,
            self.late_turns + other.late_turns,
            self.late_hits + other.late_hits,
            self.late_wrong + other.late_wrong,
            self.checks + other.checks,
            self.why + other.why,
        )

    def __str__(self) -> str:
        late = f"{_percent(self.late_hits, self.late_turns)}"
        return (
            f"{_percent(self.hits, self.turns)} hits, {_percent(self.wrong, self.hits)} wrong"
            f"   (second half {late}, {_percent(self.late_wrong, self.late_hits)})"
        )


class Remembering:
    """An encoder that encodes each text once, for streams that are played again and again."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vector] = {}

    @property
    def name(self) -> str:
        """Of the encoder."""
        return self._encoder.name

    @property
    def dimension(self) -> int:
        """Of its vectors."""
        return self._encoder.dimension

    def encode(self, text: str) -> Vector:
        """The vector, the same array each time."""
        if text not in self._known:
            self._known[text] = self._encoder.encode(text)
        return self._known[text]

    def unknown_ratio(self, text: str) -> float:
        """Of the encoder."""
        return self._encoder.unknown_ratio(text)


def run(rows: Sequence[Turn], encoder: Encoder, seed: int, kept: Kept, bound: float) -> Score:
    """All turns once, each from another caller; hits are checked as rarely as in the product."""
    cache = ResponseCache(encoder.dimension, bound=bound)
    chance = random.Random(seed)
    score = Score()
    for number, turn in enumerate(rows):
        now_s = number * A_SECOND_S
        cache.refit()
        scope = replace(SCOPE, agent_id=turn.line or SCOPE.agent_id)
        question = ask(turn.text, scope)
        vector = encoder.encode(question.text) if question.text else None
        outcome = cache.lookup(question, vector, now_s=now_s)
        wanted = turn.strict if kept is Kept.STRICT else turn.answer
        is_hit = isinstance(outcome, Hit)
        is_right = isinstance(outcome, Hit) and outcome.answer.answer_id == wanted
        score.add(is_hit=is_hit, is_wrong=is_hit and not is_right, is_late=2 * number >= len(rows))
        if isinstance(outcome, Hit):
            score.why[outcome.tier.value] += 1
            ratio = cache.gates.check_ratio(outcome)
            if chance.random() < ratio:
                score.checks += 1
                cache.checked(outcome, scope, is_right=is_right, check_ratio=ratio)
            continue
        detail = (
            f" {outcome.detail}"
            if isinstance(outcome, Refusal) and "." not in outcome.detail
            else ""
        )
        score.why[outcome.reason.value + detail] += 1
        mark = caller_mark("bench", str(number))
        answer = _answer(turn, kept, wanted)
        cache.learn(question, vector, answer, outcome, caller=mark, life=Life(now_s))
    return score


def _answer(turn: Turn, kept: Kept, wanted: str) -> Answer:
    stored = StorageClass.PLAN if kept is Kept.PLANS else StorageClass.GENERIC
    if kept is Kept.STRICT and turn.slots:
        stored = StorageClass.NEVER
    return Answer(wanted, wanted, stored)


def questions(rows: Sequence[Turn]) -> list[Question]:
    """The turns as the cache sees them."""
    return [ask(turn.text, SCOPE) for turn in rows]


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "-"
