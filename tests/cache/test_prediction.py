"""What is likely to be asked next: counted, authored, bounded, and never served by itself."""

from __future__ import annotations

from dataclasses import replace

from cache.context import OPEN, act_of
from cache.deltas import apply, state_of
from cache.entry import Answer, Provenance
from cache.lookup import Life, ResponseCache, ask
from cache.outcomes import Hit, Miss
from cache.pattern import LEAST_SEEN, MOST_STATES
from cache.prediction import ELSE, MOST_LIKELY, after, authored, likely_after, steps_of
from cache.replica import empty_copy
from cache.scope import Scope, caller_mark
from tests.cache.cache_world import DIMENSION, vector_of

SCOPE = Scope("shop", "anna", "3", "", "", "en-US", OPEN)
PRICE, DELIVERY, PARKING, WIFI = (
    Answer(name, f"About {name}.", provenance=Provenance.FAQ)
    for name in ("price", "delivery", "parking", "wifi")
)
NOW_S = 1_000.0


class World:
    """A cache with imported cards, and what followed what."""

    def __init__(self) -> None:
        self.cache = ResponseCache(DIMENSION)
        for answer in (PRICE, DELIVERY, PARKING, WIFI):
            self.keep(f"what about {answer.answer_id}", answer, SCOPE.common)

    def keep(self, text: str, answer: Answer, scope: Scope) -> None:
        question, caller = ask(text, scope), caller_mark("shop", "import")
        life = Life(NOW_S)
        kept = self.cache.keep(question, vector_of(text), answer, caller=caller, life=life)
        assert kept is not None

    def followed(self, before: Answer, then: str, times: int = 1, scope: Scope = SCOPE) -> None:
        for _ in range(times):
            self.cache.patterns.followed(steps_of(scope), after(before.answer_id), then)

    def likely(self, spoken: Answer = PRICE, scope: Scope = SCOPE) -> list[str]:
        return [one.answer_id for one in likely_after(self.cache, scope, spoken, NOW_S)]


def test_what_followed_often_is_expected_the_likeliest_first() -> None:
    world = World()
    world.followed(PRICE, "delivery", 3)
    world.followed(PRICE, "parking", 5)
    world.followed(PRICE, "wifi")  # one of nine
    assert world.likely() == ["parking", "delivery"]
    assert world.likely(DELIVERY) == []


def test_nothing_is_expected_of_a_few_calls() -> None:
    world = World()
    world.followed(PRICE, "delivery", LEAST_SEEN - 1)
    assert world.likely() == []
    world.followed(PRICE, "delivery")
    assert world.likely() == ["delivery"]


def test_turns_that_the_cache_could_not_answer_count_against_it() -> None:
    world = World()
    world.followed(PRICE, "delivery", 3)
    world.followed(PRICE, ELSE, 13)
    assert world.likely() == []


def test_what_the_agent_said_last_does_not_matter_and_its_version_does() -> None:
    world = World()
    world.followed(PRICE, "delivery", 3, replace(SCOPE, last_agent_act="after:x"))
    assert world.likely() == ["delivery"]
    assert world.likely(scope=replace(SCOPE, agent_version="4")) == []
    assert world.likely(scope=replace(SCOPE, tenant_id="bank")) == []


def test_a_card_says_what_comes_next_and_at_once() -> None:
    world = World()
    told = authored(SCOPE.common, "price", ("wifi", "parking", "delivery", "too many"))
    assert len(told.plans) == MOST_LIKELY
    world.cache.patterns.place(told)
    assert world.likely() == ["wifi", "parking", "delivery"]
    assert world.likely(scope=replace(SCOPE, agent_version="4")) == ["wifi", "parking", "delivery"]


def test_an_answer_that_may_not_be_given_is_not_prepared() -> None:
    world = World()
    world.followed(PRICE, "delivery", 3)
    world.followed(PRICE, "gone", 3)
    (entry,) = world.cache.store.of_answer(SCOPE.common, "delivery")
    entry.is_quarantined = True
    assert world.likely() == []


def test_answers_are_found_where_the_next_question_would_find_them() -> None:
    world = World()
    act = act_of("", heard_before=PRICE.text, said_before=(), is_first=False, language="en-US")
    learned = replace(WIFI, answer_id="learned", provenance=Provenance.FAQ)
    world.keep("and the other one", learned, replace(SCOPE, last_agent_act=act))
    hidden = replace(WIFI, answer_id="hidden", provenance=Provenance.FAQ)
    world.keep("and another one", hidden, replace(SCOPE, last_agent_act="after:else"))
    world.followed(PRICE, "learned", 3)
    world.followed(PRICE, "hidden", 3)
    assert world.likely() == ["learned"]


def test_what_is_expected_is_never_served_by_itself() -> None:
    world = World()
    world.followed(PRICE, "delivery", 50)
    for text in ("yes", "and then", "something else entirely", ""):
        asked = ask(text, SCOPE)
        outcome = world.cache.lookup(asked, vector_of(text), now_s=NOW_S)
        assert not isinstance(outcome, Hit)
        assert isinstance(outcome, Miss) or outcome.entry_id


def test_copies_expect_the_same_and_memory_is_bounded() -> None:
    world = World()
    world.followed(PRICE, "delivery", 3)
    copy = empty_copy(DIMENSION)
    for delta in state_of(world.cache):
        apply(copy, delta)
    assert [one.answer_id for one in likely_after(copy, SCOPE, PRICE, NOW_S)] == ["delivery"]
    for number in range(MOST_STATES + 5):
        world.followed(replace(PRICE, answer_id=str(number)), "delivery")
    assert len(world.cache.patterns) == MOST_STATES
