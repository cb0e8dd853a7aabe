"""How choosy guessing gets when too much of it was in vain."""

from __future__ import annotations

import random

import pytest

from voice.waste import FEWEST_TURNS, WINDOW_TURNS, SpeculationBudget, TurnSpend

HIT = TurnSpend(calls=1, guessed_calls=1)
MISS = TurnSpend(calls=2, guessed_calls=1, missed_calls=1, wasted_calls=1)


def after(*turns: TurnSpend, allowed: float = 0.15) -> SpeculationBudget:
    budget = SpeculationBudget(allowed)
    for turn in turns:
        budget.settle(turn)
    return budget


def test_a_new_budget_guesses_at_once() -> None:
    budget = after()
    assert budget.delay_ratio(None) == budget.delay_ratio(0.0) == 0.0
    assert budget.recent.missed_ratio == 0.0


def test_a_few_turns_decide_nothing() -> None:
    assert after(*[MISS] * (FEWEST_TURNS - 1)).patience == 0.0
    assert after(*[MISS] * FEWEST_TURNS).patience > 0.0


@pytest.mark.parametrize(
    ("allowed", "misses", "hits", "is_choosy"),
    [(0.15, 2, 18, False), (0.15, 5, 15, True), (0.35, 5, 15, False), (0.35, 12, 8, True)],
)
def test_it_gets_choosy_above_the_allowed_waste(
    allowed: float, misses: int, hits: int, is_choosy: bool
) -> None:
    turns, all_turns = [], misses + hits
    for at in range(all_turns):  # spread evenly
        is_miss = (at + 1) * misses // all_turns > at * misses // all_turns
        turns.append(MISS if is_miss else HIT)
    budget = after(*turns, allowed=allowed)
    assert (budget.recent.missed_ratio > allowed) is is_choosy
    assert (budget.patience > 0.0) is is_choosy


def test_sure_guesses_are_made_at_once_however_choosy() -> None:
    budget = after(*[MISS] * 40)
    assert budget.patience == 1.0
    assert budget.delay_ratio(0.95) == 0.0
    assert 0.0 < budget.delay_ratio(0.9) < budget.delay_ratio(0.7) < 1.0
    assert budget.delay_ratio(0.6) == budget.delay_ratio(None) == 1.0


def test_better_times_are_noticed_and_old_ones_forgotten() -> None:
    budget = after(*[MISS] * 40, *[HIT] * 45)
    assert budget.patience < 1.0
    for _ in range(20):
        budget.settle(HIT)
    assert budget.patience == 0.0
    assert budget.total.wasted_calls == 40
    assert budget.recent == TurnSpend(calls=WINDOW_TURNS, guessed_calls=WINDOW_TURNS)


def test_tokens_belong_to_the_turn_that_was_settled_last() -> None:
    budget = after()
    budget.count_tokens(10.0, 5.0)
    budget.settle(HIT)
    budget.count_tokens(120.0, 20.0)
    assert (budget.recent.tokens, budget.recent.wasted_tokens) == (120.0, 20.0)
    assert (budget.total.tokens, budget.total.wasted_tokens) == (130.0, 25.0)


@pytest.mark.parametrize("allowed", [0.15, 0.35])
@pytest.mark.parametrize("seed", range(4))
def test_waste_settles_near_what_is_allowed(allowed: float, seed: int) -> None:
    """Callers whose early pauses lie half of the time, and whose longer ones hardly ever do."""
    dice = random.Random(seed)
    budget = SpeculationBudget(allowed)
    for turn in range(600):
        is_wrong = dice.random() < 0.5 - 0.48 * budget.delay_ratio(None)
        budget.settle(MISS if is_wrong else HIT)
        if turn == 200:
            before = budget.total
    late = budget.total
    ratio = (late.wasted_calls - before.wasted_calls) / (late.calls - before.calls)
    assert ratio < allowed * 1.3
    assert ratio > allowed * 0.4, "what is allowed is used"
