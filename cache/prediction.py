"""What is likely to be asked next after an answer: prepared for, never served by itself.

Callers who were told the price ask about delivery. Which answer followed which is counted with the
states of the pattern tier (``cache.pattern``): in each agent, version and language, shared, kept in
snapshots and bounded like those. Cards may name what comes next themselves.

What is expected here has no say in a lookup: the question decides, when it has come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from cache.context import OPEN, act_of
from cache.entry import Answer
from cache.lookup import ResponseCache
from cache.pattern import LEAST_SEEN, DialogueState, SeenState
from cache.scope import Scope

MOST_LIKELY: Final = 3
LEAST_SHARE: Final = 0.2
ELSE: Final = ""
"""What followed when the cache did not have it."""
_STEP: Final = "step"
_AFTER: Final = "after:"


def steps_of(scope: Scope) -> Scope:
    """Where the steps of a scope are counted: whatever the agent said last."""
    return replace(scope, last_agent_act=_STEP)


def after(answer_id: str) -> DialogueState:
    """The state of a dialogue in which this answer was given."""
    return DialogueState(_AFTER + answer_id)


def authored(scope: Scope, answer_id: str, then: tuple[str, ...]) -> SeenState:
    """What a card says comes next.

    Args:
        scope: Of the card (``Scope.common``).
        answer_id: Of the card.
        then: Answers, the likeliest first; none takes back what it said before.
    """
    plans = {other: MOST_LIKELY - place for place, other in enumerate(then[:MOST_LIKELY])}
    return SeenState(scope.key(), after(answer_id), sum(plans.values()), plans)


def likely_after(
    cache: ResponseCache, scope: Scope, spoken: Answer, now_s: float
) -> tuple[Answer, ...]:
    """The answers that are likely to be given next, the likeliest first; some 20 µs.

    Args:
        cache: What may be given.
        scope: Of the question that was answered.
        spoken: The answer to it.
        now_s: Epoch seconds.
    """
    state = after(spoken.answer_id)
    seen = cache.patterns.seen(steps_of(scope), state)
    wanted = dict.fromkeys(_by_count(cache.patterns.seen(scope.common, state).plans))
    if seen.total >= LEAST_SEEN:
        least = LEAST_SHARE * seen.total
        often = {plan: count for plan, count in seen.plans.items() if count >= least}
        wanted.update(dict.fromkeys(_by_count(often)))
    places = tuple(_places(scope, spoken))
    found: list[Answer] = []
    for answer_id in wanted:
        if len(found) == MOST_LIKELY:
            break
        if (answer := _given(cache, places, answer_id, now_s)) is not None:
            found.append(answer)
    return tuple(found)


def _by_count(plans: Mapping[str, int]) -> list[str]:
    return sorted((plan for plan in plans if plan != ELSE), key=lambda plan: -plans[plan])


def _places(scope: Scope, spoken: Answer) -> Iterator[Scope]:
    """Where the next question may find its answer."""
    yield scope.common
    yield replace(scope, last_agent_act=OPEN)
    act = act_of(
        "", heard_before=spoken.text, said_before=(), is_first=False, language=scope.language
    )
    yield replace(scope, last_agent_act=act)


def _given(
    cache: ResponseCache, places: tuple[Scope, ...], answer_id: str, now_s: float
) -> Answer | None:
    for place in places:
        entry = cache.store.plan(place, answer_id)
        if entry is not None and cache.store.objection(entry, now_s) is None:
            return entry.answer
    return None
