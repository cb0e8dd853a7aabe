"""What the response cache never does, and why it says what it says."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.encoder import Vector
from cache.entry import Answer, Provenance, StorageClass, TtlClass
from cache.lookup import Life, ResponseCache, ask
from cache.outcomes import Hit, Miss, MissReason, Outcome, Refusal, RefusalReason, Tier
from cache.pattern import DialogueState
from cache.scope import Scope, caller_mark, private_to
from cache.store import Limits

SCOPE = Scope("shop", "anna", "3", "9", "faq", "en-US", "answer")
HOURS = Answer("hours", "From nine to five.", tags=frozenset({"hours"}))
FAQ = replace(HOURS, provenance=Provenance.FAQ)
DIMENSION = 32


def vector(seed: int, near: Vector | None = None, similarity: float = 0.0) -> Vector:
    """A random direction, or one that is this similar to another."""
    made = np.random.default_rng(seed).standard_normal(DIMENSION)
    if near is not None:
        made -= (made @ near) * near
        made /= np.linalg.norm(made)
        made = similarity * near + np.sqrt(1.0 - similarity**2) * made
    return (made / np.linalg.norm(made)).astype(np.float32)


OPEN = vector(1)


def learned(
    answer: Answer, *callers: str, scope: Scope = SCOPE, limits: Limits | None = None
) -> ResponseCache:
    cache = ResponseCache(DIMENSION, limits)
    for caller in callers or ("import",):
        teach(cache, "what time do you open", OPEN, answer, caller, scope)
    return cache


def teach(
    cache: ResponseCache,
    text: str,
    at: Vector | None,
    answer: Answer,
    caller: str,
    scope: Scope = SCOPE,
) -> None:
    mark = caller_mark(scope.tenant_id, caller)
    cache.learn(ask(text, scope), at, answer, None, caller=mark, life=Life(0.0))


def asked(
    cache: ResponseCache,
    text: str,
    at: Vector | None = None,
    scope: Scope = SCOPE,
    now_s: float = 1.0,
) -> Outcome:
    return cache.lookup(ask(text, scope), at, now_s=now_s)


def reason(outcome: Outcome) -> object:
    return None if isinstance(outcome, Hit) else outcome.reason


def test_an_imported_answer_is_served_at_once() -> None:
    found = asked(learned(FAQ), "Um, what time do you open please?")
    assert isinstance(found, Hit)
    assert (found.tier, found.answer, found.entry_id) == (Tier.EXACT, FAQ, 1)


def test_like_questions_have_its_answer() -> None:
    found = asked(learned(FAQ), "when are you opening", vector(2, OPEN, 0.8))
    assert isinstance(found, Hit)
    assert (found.tier, round(found.similarity, 3)) == (Tier.SEMANTIC, 0.8)


def test_what_no_person_wrote_is_given_at_first_only_to_who_says_the_same() -> None:
    more, at = "when are you opening the garage", vector(2, OPEN, 0.95)
    model = learned(HOURS, "ann", "ben")
    assert isinstance(asked(model, "when are you opening", at), Hit)
    assert reason(asked(model, more, at)) == RefusalReason.BELOW_BOUND
    assert isinstance(asked(learned(FAQ), more, at), Hit)


@pytest.mark.parametrize(
    ("text", "similarity", "why"),
    [
        ("when do you close", 0.99, RefusalReason.VETO),
        ("when are you opening", 0.70, RefusalReason.BELOW_BOUND),
        ("do you sell bicycles", 0.30, MissReason.NOT_LIKE_ANYTHING),
        ("", 0.99, MissReason.NOTHING_SAID),
        ("?!", 0.99, MissReason.NOTHING_SAID),
        ("hours " * 10_000, 0.99, MissReason.TOO_LONG),
    ],
)
def test_why_there_is_no_answer(text: str, similarity: float, why: object) -> None:
    assert reason(asked(learned(FAQ), text, vector(2, OPEN, similarity))) == why


@pytest.mark.parametrize(
    "text",
    [
        "what\x00 time\x07 do you open\x1b",
        "\u202ewhat time\u200b do you \ufeffopen",
        "WHAT\ttime\r\ndo\u00a0you open\x7f",
    ],
)
def test_control_characters_make_no_other_question(text: str) -> None:
    found = asked(learned(FAQ), text)
    assert isinstance(found, Hit)
    assert found.tier is Tier.EXACT


@pytest.mark.parametrize("text", ["what 時間 time do you open", "wh\u0430t time do you \u043epen"])
def test_another_script_makes_another_question(text: str) -> None:
    """Letters that only look alike are other letters."""
    assert reason(asked(learned(FAQ), text)) == MissReason.ENCODER_OFF


def test_an_empty_scope_and_a_language_that_no_encoder_reads() -> None:
    assert reason(asked(ResponseCache(DIMENSION), "hello there shop", OPEN)) == (
        MissReason.EMPTY_SCOPE
    )
    assert reason(asked(learned(FAQ), "when are you opening")) == MissReason.ENCODER_OFF


OTHER_SCOPES = [
    replace(SCOPE, **{field: value})
    for field, value in [
        ("tenant_id", "bank"),
        ("agent_id", "bert"),
        ("agent_version", "4"),
        ("prompt_version", "10"),
        ("flow_node", "order"),
        ("language", "en-GB"),
        ("last_agent_act", "ask:date"),
        ("visibility", private_to("ann")),
    ]
]


@pytest.mark.parametrize("scope", OTHER_SCOPES)
def test_nothing_crosses_a_scope(scope: Scope) -> None:
    cache = learned(FAQ)
    assert reason(asked(cache, "what time do you open", OPEN, scope)) == MissReason.EMPTY_SCOPE
    teach(cache, "do you have parking", vector(9), FAQ, "import", scope)
    assert not isinstance(asked(cache, "what time do you open", OPEN, scope), Hit)


def test_scopes_whose_fields_run_together_differ() -> None:
    scopes = [SCOPE, *OTHER_SCOPES, replace(SCOPE, tenant_id="sho", agent_id="panna")]
    for one, other in itertools.combinations(scopes, 2):
        assert one.key() != other.key()


def test_one_caller_alone_writes_nothing_for_others() -> None:
    cache = learned(HOURS, "mallory", "mallory", "mallory")
    assert reason(asked(cache, "what time do you open", OPEN)) == RefusalReason.QUORUM
    assert reason(asked(cache, "when are you opening", vector(2, OPEN, 0.9))) == (
        RefusalReason.QUORUM
    )


def test_two_callers_do() -> None:
    assert isinstance(asked(learned(HOURS, "ann", "ben"), "what time do you open"), Hit)


def test_two_callers_who_were_told_different_things_do_not() -> None:
    cache = learned(HOURS, "ann")
    teach(cache, "what time do you open", OPEN, replace(HOURS, answer_id="never"), "ben")
    assert reason(asked(cache, "what time do you open")) == RefusalReason.QUORUM


def test_a_caller_hears_their_own_answer_again() -> None:
    own = replace(SCOPE, visibility=private_to("ann"))
    cache = learned(HOURS, "ann", scope=own)
    assert isinstance(asked(cache, "what time do you open", scope=own), Hit)


@pytest.mark.parametrize("at", [OPEN, None])
def test_what_must_not_be_kept_is_not_kept(at: Vector | None) -> None:
    cache = ResponseCache(DIMENSION)
    secret = replace(FAQ, storage_class=StorageClass.NEVER)
    for caller in ("ann", "ben", "import"):
        teach(cache, "what is my balance", at, secret, caller)
    assert len(cache.store) == 0
    assert not isinstance(asked(cache, "what is my balance", OPEN), Hit)


def test_few_words_need_what_was_said_before() -> None:
    unknown = replace(SCOPE, last_agent_act="")
    cache = ResponseCache(DIMENSION)
    for scope in (SCOPE, unknown):
        for caller in ("ann", "ben"):
            teach(cache, "yes please", OPEN, HOURS, caller, scope)
    assert isinstance(asked(cache, "yes"), Hit)
    assert not isinstance(asked(cache, "yes", OPEN, unknown), Hit)


def test_an_answer_ends() -> None:
    cache = learned(replace(FAQ, ttl=TtlClass.MOMENT))
    assert isinstance(asked(cache, "what time do you open", now_s=299.0), Hit)
    assert reason(asked(cache, "what time do you open", now_s=300.0)) == RefusalReason.EXPIRED
    near = vector(2, OPEN, 0.9)
    assert reason(asked(cache, "when are you opening", near, now_s=300.0)) == RefusalReason.EXPIRED


def test_a_tag_ends_all_that_depends_on_it() -> None:
    cache = learned(FAQ)
    cache.store.invalidate("shop", "prices")
    assert isinstance(asked(cache, "what time do you open"), Hit)
    cache.store.invalidate("bank", "hours")
    assert isinstance(asked(cache, "what time do you open"), Hit)
    cache.store.invalidate("shop", "hours")
    assert reason(asked(cache, "what time do you open")) == RefusalReason.INVALIDATED
    teach(cache, "what time do you open", OPEN, FAQ, "import")
    assert isinstance(asked(cache, "what time do you open"), Hit)


def test_the_first_error_silences_an_entry_and_the_second_removes_it() -> None:
    cache = learned(FAQ)
    hit = asked(cache, "what time do you open")
    assert isinstance(hit, Hit)
    cache.checked(hit, SCOPE, is_right=False)
    assert reason(asked(cache, "what time do you open")) == RefusalReason.QUARANTINED
    cache.checked(hit, SCOPE, is_right=False)
    assert cache.store.get(hit.entry_id) is None


def test_a_silenced_entry_is_not_learned_anew_with_the_same_answer() -> None:
    cache = learned(FAQ)
    hit = asked(cache, "what time do you open")
    assert isinstance(hit, Hit)
    cache.checked(hit, SCOPE, is_right=False)
    teach(cache, "what time do you open", OPEN, FAQ, "import")
    assert reason(asked(cache, "what time do you open")) == RefusalReason.QUARANTINED


def test_many_errors_switch_the_semantic_tier_off_in_this_scope_only() -> None:
    cache = learned(FAQ)
    other = replace(SCOPE, flow_node="order")
    teach(cache, "what time do you open", OPEN, FAQ, "import", other)
    near = vector(2, OPEN, 0.9)
    hit = asked(cache, "when are you opening", near)
    assert isinstance(hit, Hit)
    for _ in range(5):
        cache.gates.checked(SCOPE, hit, is_right=False)
    assert reason(asked(cache, "when are you opening", near)) == RefusalReason.SWITCHED_OFF
    assert isinstance(asked(cache, "when are you opening", near, other), Hit)


def test_a_word_that_goes_with_the_answer_is_no_objection() -> None:
    cache = ResponseCache(DIMENSION)
    lost = replace(FAQ, answer_id="lost")
    teach(cache, "i lost my key", OPEN, lost, "import")
    at = vector(2, OPEN, 0.9)
    assert reason(asked(cache, "i lost my wallet", at)) == RefusalReason.VETO
    teach(cache, "where did i leave that wallet of mine today", vector(3, OPEN, 0.6), lost, "x")
    assert isinstance(asked(cache, "i lost my wallet", at), Hit)


def test_nearly_the_same_sentence_with_the_same_answer_settles_any_objection() -> None:
    cache = ResponseCache(DIMENSION)
    card = replace(FAQ, answer_id="card")
    teach(cache, "my card does not work", OPEN, card, "import")
    at = vector(2, OPEN, 0.9)
    assert reason(asked(cache, "my card works", at)) == RefusalReason.VETO
    teach(cache, "tell me about this plastic thing i pay with", vector(3, OPEN, 0.6), card, "x")
    assert reason(asked(cache, "my card works", at)) == RefusalReason.VETO
    teach(cache, "my card works abroad", vector(4, OPEN, 0.6), card, "x")
    assert isinstance(asked(cache, "my card works", at), Hit)


def test_the_least_used_goes_first() -> None:
    cache = learned(FAQ, limits=Limits(entries=2))
    teach(cache, "do you have parking", vector(5), replace(FAQ, answer_id="parking"), "import")
    assert isinstance(asked(cache, "what time do you open"), Hit)
    teach(cache, "do you deliver", vector(6), replace(FAQ, answer_id="deliver"), "import")
    assert isinstance(asked(cache, "what time do you open"), Hit)
    assert not isinstance(asked(cache, "do you have parking"), Hit)


def test_bytes_are_a_limit_too() -> None:
    cache = learned(FAQ, limits=Limits(size_bytes=5_000))
    for number in range(50):
        teach(cache, f"question about thing {number}", vector(number), FAQ, "import")
    assert 1 <= len(cache.store) < 8
    assert cache.store.size_bytes <= 5_000


def test_a_sure_plan_is_served_when_the_words_are_new() -> None:
    cache = ResponseCache(DIMENSION)
    plan = replace(FAQ, answer_id="ask:time", storage_class=StorageClass.PLAN)
    teach(cache, "a table on friday", OPEN, plan, "import")
    state = DialogueState("book", frozenset({"date"}), frozenset({"inform:date"}))
    question = ask("make it the day after my birthday", SCOPE)
    for _ in range(9):
        cache.patterns.followed(SCOPE, state, "ask:time")
    found = cache.lookup(question, vector(8), now_s=1.0, state=state)
    assert isinstance(found, Hit)
    assert (found.tier, found.answer) == (Tier.PATTERN, plan)
    other = replace(SCOPE, tenant_id="bank")
    said = cache.lookup(ask("make it friday", other), vector(8), now_s=1.0, state=state)
    assert isinstance(said, Miss)


def test_a_replica_that_is_fed_the_same_says_the_same() -> None:
    owner = learned(HOURS, "ann", "ben")
    replica = ResponseCache(DIMENSION)
    for entry in owner.store:
        shelf = owner.store.shelf(entry.scope)
        assert shelf is not None
        replica.store.put(entry, shelf.vector(entry.entry_id))
        for mark in owner.store.callers_of(entry):
            replica.store.produced(entry.scope.key(), entry.answer.answer_id, mark)
    replica.resume(owner.next_id)
    near = vector(2, OPEN, 0.9)
    assert asked(replica, "when are you opening", near) == asked(
        owner, "when are you opening", near
    )
    teach(replica, "do you deliver", vector(6), FAQ, "import")
    assert replica.store.get(owner.next_id) is not None


TEXTS = st.sampled_from(["open now", "close now", "parking place", "yes", "", "open shop 5"])


@given(
    st.lists(
        st.tuples(TEXTS, st.integers(0, 3), st.integers(0, 2), st.integers(0, 1), st.booleans()),
        max_size=25,
    ),
    TEXTS,
)
def test_only_what_was_learned_here_from_two_callers_is_served(
    events: list[tuple[str, int, int, int, bool]], text: str
) -> None:
    cache = ResponseCache(DIMENSION, Limits(entries=6))
    scopes = (SCOPE, replace(SCOPE, tenant_id="bank"))
    told: dict[tuple[int, str], set[int]] = {}
    for said, answer, caller, where, is_secret in events:
        kept = StorageClass.NEVER if is_secret else StorageClass.GENERIC
        made = Answer(f"{where}:{answer}", "words", kept)
        teach(cache, said, OPEN, made, str(caller), scopes[where])
        if not is_secret:
            told.setdefault((where, made.answer_id), set()).add(caller)
    assert len(cache.store) <= 6
    for where, scope in enumerate(scopes):
        found = asked(cache, text, OPEN, scope)
        if isinstance(found, Hit):
            assert len(told[where, found.answer.answer_id]) >= 2
        elif isinstance(found, Refusal):
            entry = cache.store.get(found.entry_id)
            assert entry is not None
            assert entry.scope == scope
