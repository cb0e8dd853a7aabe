"""How much guessing costs in vain, and how choosy it gets for that.

Rules:

1. The last ``WINDOW_TURNS`` turns count, of all calls that share the budget. The *waste* is the
   share of wrong guesses among all replies asked for in these turns. A turn that was taken too
   early wastes its reply as well, but guessing later would not have saved it.
2. Above the allowed waste *patience* rises turn by turn, below it it falls again, between 0 and 1.
   One turn alone decides nothing: the first ``FEWEST_TURNS`` are only counted.
3. Patience asks for more before a guess is made: a surer endpointer, or a longer silence. It never
   asks for so much that no guess is made, so it always learns whether times have changed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

WINDOW_TURNS = 40
FEWEST_TURNS = 10
_STEP_UP = 0.05  # small: the last turns tell late what a step has done
_STEP_DOWN = 0.05
_COMFORT = 0.9  # of the allowed waste: nearer to it nothing changes
_SURE = 0.95
_UNSURE = 0.6


@dataclass(frozen=True, slots=True)
class TurnSpend:
    """What one turn, or several, asked of language model and voice.

    Attributes:
        calls: Replies asked for.
        guessed_calls: Those asked for before the turn was taken.
        missed_calls: Those asked for before, and never taken: the guess was wrong.
        wasted_calls: Those whose answer was not the reply: missed, or taken too early.
        chars, wasted_chars: Characters given to the voice, and those of replies in vain.
        tokens, wasted_tokens: Of prompts and answers, as far as they are known.
    """

    calls: int = 0
    guessed_calls: int = 0
    missed_calls: int = 0
    wasted_calls: int = 0
    chars: int = 0
    wasted_chars: int = 0
    tokens: float = 0.0
    wasted_tokens: float = 0.0

    def __add__(self, other: TurnSpend) -> TurnSpend:
        """Both together."""
        return TurnSpend(
            self.calls + other.calls,
            self.guessed_calls + other.guessed_calls,
            self.missed_calls + other.missed_calls,
            self.wasted_calls + other.wasted_calls,
            self.chars + other.chars,
            self.wasted_chars + other.wasted_chars,
            self.tokens + other.tokens,
            self.wasted_tokens + other.wasted_tokens,
        )

    @property
    def missed_ratio(self) -> float:
        """Wrong guesses, of all replies asked for; 0 when none was."""
        return self.missed_calls / self.calls if self.calls else 0.0


class SpeculationBudgets:
    """The budgets of one process."""

    __slots__ = ("_budgets",)

    def __init__(self) -> None:
        self._budgets: dict[tuple[str, float], SpeculationBudget] = {}

    def of(self, tenant_id: str, max_waste_ratio: float) -> SpeculationBudget:
        """The one that all calls of this tenant share that allow this waste."""
        key = (tenant_id, max_waste_ratio)
        budget = self._budgets.get(key)
        if budget is None:
            budget = self._budgets[key] = SpeculationBudget(max_waste_ratio)
        return budget


class SpeculationBudget:
    """The guessing of all calls of one tenant in one process that allow the same waste.

    Args:
        max_waste_ratio: Of the replies asked for, how many may be in vain.

    Attributes:
        patience: 0 while guesses are made at once, 1 when only the surest are.
        total: Everything since the beginning.
    """

    __slots__ = ("_max_waste_ratio", "_turns", "patience", "total")

    def __init__(self, max_waste_ratio: float) -> None:
        self._max_waste_ratio = max_waste_ratio
        self._turns: deque[TurnSpend] = deque(maxlen=WINDOW_TURNS)
        self.patience = 0.0
        self.total = TurnSpend()

    @property
    def recent(self) -> TurnSpend:
        """What the last turns asked for."""
        return sum(self._turns, TurnSpend())

    def delay_ratio(self, confidence: float | None) -> float:
        """How much of the longest wait a guess is put off; 0 to make it at once.

        Args:
            confidence: That the turn is over, 0 to 1; None when nobody says.
        """
        if confidence is None or confidence <= _UNSURE:
            return self.patience
        return self.patience * max(0.0, (_SURE - confidence) / (_SURE - _UNSURE))

    @property
    def _missed_ratio(self) -> float:
        """Of ``recent``, which sums up more than this."""
        calls = sum(turn.calls for turn in self._turns)
        return sum(turn.missed_calls for turn in self._turns) / calls if calls else 0.0

    def settle(self, spend: TurnSpend) -> None:
        """A turn is over."""
        self.total += spend
        self._turns.append(spend)
        if len(self._turns) < FEWEST_TURNS:
            return
        waste_ratio = self._missed_ratio
        if waste_ratio > self._max_waste_ratio:
            self.patience = min(1.0, round(self.patience + _STEP_UP, 3))
        elif waste_ratio < self._max_waste_ratio * _COMFORT:
            self.patience = max(0.0, round(self.patience - _STEP_DOWN, 3))

    def count_tokens(self, tokens: float, wasted_tokens: float) -> None:
        """Tokens of the turn that was settled last: only the mind knows them."""
        spend = TurnSpend(tokens=tokens, wasted_tokens=wasted_tokens)
        self.total += spend
        if self._turns:
            self._turns[-1] += spend
