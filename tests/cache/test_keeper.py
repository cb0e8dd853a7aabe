"""What the owner of the response cache takes, what it refuses, and what it tells replicas."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.deltas import FEATURES, packed
from cache.entry import Answer, Provenance, StorageClass, TtlClass, call_source
from cache.keeper import CacheKeeper
from cache.keeper_admission import ERASED_FOR_S, INVALID_FOR_S, MOST_ERASED
from cache.keeper_rates import Rates
from cache.lookup import Life, ask
from cache.normalise import MOST_CHARS
from cache.outcomes import Hit, MissReason, Outcome, RefusalReason, Tier
from cache.pattern import DialogueState
from cache.ports import Complaint
from cache.replica_reports import (
    DELTAS,
    Batch,
    Checked,
    Complained,
    Followed,
    Learned,
    Report,
    Served,
)
from cache.scope import Scope
from cache.store import Limits
from tests.cache.cache_world import (
    FAQ,
    FREE,
    HOURS,
    PARKING,
    SCOPE,
    Worker,
    keeper,
    learned,
    vector_of,
)

OPEN = "what time do you open"


def looked_up(
    owner: CacheKeeper, text: str = OPEN, scope: Scope = SCOPE, now_s: float = 1.0
) -> Outcome:
    question = ask(text, scope)
    return owner.cache.lookup(question, vector_of(question.text), now_s=now_s)


def reason(outcome: Outcome) -> object:
    return None if isinstance(outcome, Hit) else outcome.reason


def words(owner: CacheKeeper) -> list[str]:
    """The kinds of the deltas so far."""
    found = owner.log.since(0, 1 << 20)
    assert found is not None
    return [type(delta).__name__ for delta in DELTAS.read(found[0])]


def test_two_callers_make_an_answer_that_is_shared() -> None:
    owner = keeper()
    worker = Worker(owner)
    worker.tell(learned(OPEN, HOURS, "ann"))
    assert reason(looked_up(owner)) == RefusalReason.QUORUM
    worker.tell(learned(OPEN, HOURS, "ben"))
    assert isinstance(looked_up(owner), Hit)
    assert words(owner) == ["Put", "Vouch", "Put", "Vouch"]


def test_the_same_again_renews_its_entry_and_keeps_its_history() -> None:
    owner = keeper()
    worker = Worker(owner)
    worker.tell(learned(OPEN, HOURS, "ann", source="call-1"), Served(1, 3))
    worker.tell(learned(OPEN, HOURS, "ben", source="call-2"), now_s=1_000.0)
    (entry,) = owner.cache.store
    assert (entry.entry_id, entry.counters.served, entry.source) == (1, 3, "call-1")
    assert (entry.created_s, entry.expires_s) == (0.0, 1_000.0 + 86_400.0)


def test_a_batch_that_comes_twice_is_taken_once() -> None:
    owner = keeper()
    batch = Batch("w", 1, "", (learned(OPEN, HOURS, "ann"), Served(1, 2)))
    assert owner.tell(batch, now_s=0.0)
    before = owner.log.last
    assert not owner.tell(batch, now_s=0.0)
    (entry,) = owner.cache.store
    assert (owner.log.last, entry.counters.served) == (before, 2)


def test_one_caller_cannot_tie_the_answer_of_a_common_question_to_another_one() -> None:
    owner = keeper()
    worker = Worker(owner)
    worker.tell(learned(OPEN, HOURS, "ann"), learned(OPEN, HOURS, "ben"))
    worker.tell(*(learned("how do i cancel my contract", HOURS, "mallory") for _ in range(5)))
    assert reason(looked_up(owner, "how do i cancel my contract")) == RefusalReason.QUORUM
    assert reason(looked_up(owner, "how do i cancel the contract")) in RefusalReason
    worker.tell(learned("how do i cancel my contract", HOURS, "carla"))
    assert isinstance(looked_up(owner, "how do i cancel my contract"), Hit)


def test_one_caller_cannot_fill_an_answer_with_questions() -> None:
    owner = keeper(rates=replace(FREE, answer_questions_of_one=3))
    worker = Worker(owner)
    worker.tell(*(learned(f"tell me about thing {n} please", HOURS, "mallory") for n in range(9)))
    assert len(owner.cache.store) == 3
    assert owner.refused == {"caller_full": 6}
    worker.tell(learned("tell me about thing 0 please", HOURS, "mallory"))
    worker.tell(learned("tell me about thing 7 please", HOURS, "ann"))
    assert len(owner.cache.store) == 4


def test_an_answer_has_no_more_questions_than_are_allowed() -> None:
    owner = keeper(rates=replace(FREE, answer_questions=4))
    Worker(owner).tell(*(learned(f"about thing {n}", HOURS, f"caller-{n}") for n in range(9)))
    assert (len(owner.cache.store), owner.refused["answer_full"]) == (4, 5)


def test_callers_and_tenants_may_write_so_much() -> None:
    owner = keeper(rates=Rates(caller_burst=2, caller_per_s=1, tenant_burst=5, tenant_per_s=0))
    worker = Worker(owner)
    answers = [Answer(f"a{n}", f"answer {n}") for n in range(20)]
    worker.tell(*(learned(f"about thing {n}", answers[n], "ann") for n in range(3)))
    assert (len(owner.cache.store), owner.refused["rate"]) == (2, 1)
    worker.tell(learned("about thing 3", answers[3], "ann"), now_s=1.0)
    assert len(owner.cache.store) == 3
    worker.tell(*(learned(f"about thing {n}", answers[n], f"c{n}") for n in range(4, 9)), now_s=1.0)
    assert len(owner.cache.store) == 5, "the tenant has written enough"
    other = replace(SCOPE, tenant_id="bank")
    worker.tell(learned("about thing 9", answers[9], "ann", other), now_s=1.0)
    assert len(owner.cache.store) == 6


@pytest.mark.parametrize(
    "report",
    [
        learned("", HOURS, "ann"),
        learned("\x00\x07\x1b", HOURS, "ann"),
        learned("hours " * 10_000, HOURS, "ann"),
        replace(learned(OPEN, HOURS, "ann"), question="x" * (MOST_CHARS + 1)),
        learned(OPEN, replace(HOURS, text=""), "ann"),
        learned(OPEN, replace(HOURS, storage_class=StorageClass.NEVER), "ann"),
        learned("yes", HOURS, "ann", replace(SCOPE, last_agent_act="")),
    ],
)
def test_what_may_not_be_kept_is_not_kept(report: Learned) -> None:
    owner = keeper()
    Worker(owner).tell(report)
    assert (len(owner.cache.store), words(owner)) == (0, [])


def test_scripts_may_be_mixed() -> None:
    owner = keeper()
    text = "你好 opening hours ١٢٣ открыто 🕘 \u202e\u0000"
    Worker(owner).tell(learned(text, HOURS, "ann"), learned(text, HOURS, "ben"))
    assert isinstance(looked_up(owner, text), Hit)


@pytest.mark.parametrize(
    ("vector", "encoder"),
    [(b"", "words-1"), (b"\0\0", "words-1"), (vector_of(OPEN).tobytes(), "other-model")],
)
def test_vectors_of_another_model_or_length_are_not_kept(vector: bytes, encoder: str) -> None:
    owner = keeper(encoder="words-1")
    report = replace(learned(OPEN, FAQ, "ann"), vector=vector)
    Worker(owner, encoder=encoder).tell(report)
    (entry,) = owner.cache.store
    assert not owner.cache.store.has_vector(entry)
    assert isinstance(looked_up(owner), Hit), "in the same words it is found all the same"


def test_nothing_of_another_tenant_is_served_or_ended() -> None:
    owner = keeper()
    bank = replace(SCOPE, tenant_id="bank")
    worker = Worker(owner)
    worker.tell(learned(OPEN, FAQ, "ann"), learned(OPEN, FAQ, "ann", bank))
    owner.invalidate("shop", "hours", now_s=0.0)
    assert reason(looked_up(owner)) == RefusalReason.INVALIDATED
    assert isinstance(looked_up(owner, OPEN, bank), Hit)
    owner.purge([entry.entry_id for entry in owner.cache.store if entry.scope == bank])
    assert reason(looked_up(owner, OPEN, bank)) == MissReason.EMPTY_SCOPE


def test_an_expired_price_is_not_served_and_swept() -> None:
    owner = keeper()
    price = replace(FAQ, answer_id="price", ttl=TtlClass.MOMENT)
    Worker(owner).tell(learned("how much is it", price, "ann"))
    assert reason(looked_up(owner, "how much is it", now_s=300.0)) == RefusalReason.EXPIRED
    assert owner.sweep(now_s=299.0) == 0
    assert owner.sweep(now_s=300.0) == 1
    assert words(owner)[-1] == "Remove"


def test_sweeping_goes_on_while_entries_go() -> None:
    owner = keeper()
    price = replace(FAQ, ttl=TtlClass.MOMENT)
    for number in range(5):
        Worker(owner, f"w{number}").tell(learned(f"how much is thing {number}", price, "ann"))
    swept = owner.sweep_slices(now_s=300.0, looks=3, removes=2)
    assert next(swept) == 2
    owner.purge(owner.cache.store.ids()[:1])
    assert list(swept) == [0, 2]
    assert not len(owner.cache.store)


def test_what_a_person_wrote_lasts() -> None:
    owner = keeper()
    Worker(owner).tell(learned(OPEN, replace(FAQ, ttl=TtlClass.LASTING), "ann"))
    assert isinstance(looked_up(owner, now_s=300 * 86_400.0), Hit)


def test_an_answer_that_was_begun_before_an_invalidation_comes_too_late() -> None:
    owner = keeper()
    knew = owner.cache.store.generations("shop", HOURS.tags)
    worker = Worker(owner)
    owner.invalidate("shop", "hours", now_s=100.0)
    worker.tell(learned(OPEN, HOURS, "ann", generations=knew), now_s=200.0)
    now = owner.cache.store.generations("shop", HOURS.tags)
    worker.tell(learned(OPEN, HOURS, "ann", generations=now), now_s=100.0 + INVALID_FOR_S - 1)
    assert owner.refused == {"invalidated": 2}
    worker.tell(learned(OPEN, HOURS, "ann", generations=now), now_s=100.0 + INVALID_FOR_S)
    assert len(owner.cache.store) == 1


def test_nothing_more_is_learned_from_a_call_that_was_erased() -> None:
    owner = keeper()
    worker = Worker(owner)
    owner.erase("shop", call_source("call-1"), now_s=100.0)
    thought = {"features": (0.5,) * FEATURES, "nearest": "hours"}
    worker.tell(learned(OPEN, HOURS, "ann", source="call-1/3", **thought), now_s=101.0)
    assert (len(owner.cache.store), words(owner), owner.refused) == (0, [], {"erased": 1})
    assert not list(owner.cache.gates.lessons()), "nor does a gate learn from it"
    bank = replace(SCOPE, tenant_id="bank")
    worker.tell(
        learned(OPEN, HOURS, "ann", source="call-10/3"),
        learned("do you have parking", PARKING, "ann", source="call-1"),  # a file of that name
        learned(OPEN, HOURS, "ann", bank, source="call-1/3"),
        now_s=101.0,
    )
    assert len(owner.cache.store) == 3


def test_erased_calls_are_remembered_as_long_as_they_may_go_on_and_so_many() -> None:
    owner = keeper()
    worker = Worker(owner)
    owner.erase("shop", call_source("call-1"), now_s=100.0)
    owner.sweep(now_s=100.0 + ERASED_FOR_S - 1)
    worker.tell(learned(OPEN, HOURS, "ann", source="call-1/3"), now_s=100.0)
    assert len(owner.cache.store) == 0
    owner.sweep(now_s=100.0 + ERASED_FOR_S)
    worker.tell(learned(OPEN, HOURS, "ann", source="call-1/4"), now_s=100.0)
    assert len(owner.cache.store) == 1
    for number in range(MOST_ERASED + 1):
        owner.erase("shop", call_source(f"other-{number}"), now_s=200.0)
    worker.tell(
        learned("about thing 1", HOURS, "ann", source="other-0/1"),
        learned("about thing 2", HOURS, "ann", source="other-1/1"),
        now_s=200.0,
    )
    assert (len(owner.cache.store), owner.refused) == (2, {"erased": 2})


def test_the_first_error_silences_and_the_second_removes() -> None:
    owner = keeper()
    worker = Worker(owner)
    worker.tell(learned(OPEN, FAQ, "ann"))
    wrong = Checked(SCOPE, 1, "hours", Tier.EXACT, is_right=False)
    worker.tell(wrong)
    assert reason(looked_up(owner)) == RefusalReason.QUARANTINED
    worker.tell(wrong, wrong)
    assert words(owner)[2:] == ["Silence", "Remove"]


def test_many_confirmed_errors_close_the_tier_of_a_scope_and_replicas_hear_of_it() -> None:
    owner = keeper()
    features = (0.5,) * FEATURES
    wrong = Checked(SCOPE, 1, "hours", Tier.SEMANTIC, is_right=False, features=features)
    Worker(owner).tell(*[wrong] * 6)
    assert owner.cache.gates.allowed(SCOPE) == 0.0
    assert words(owner) == ["BoundIs"]


def test_the_right_answer_to_another_question_teaches_the_gate_and_stays() -> None:
    owner = keeper()
    worker = Worker(owner)
    worker.tell(learned(OPEN, FAQ, "ann"))
    features = (0.5,) * FEATURES
    wrong = Checked(
        SCOPE, 1, "hours", Tier.SEMANTIC, is_right=False, features=features, silences=False
    )
    worker.tell(wrong, replace(wrong, tier=Tier.EXACT))
    assert isinstance(looked_up(owner), Hit)
    assert [seen for _, seen, _ in owner.cache.gates.lessons()] == [1]
    assert words(owner)[-1] == "BoundIs"
    (entry,) = owner.cache.store
    assert entry.counters.wrong == 0


def test_callers_who_ask_again_leave_a_trace_and_close_nothing() -> None:
    owner = keeper()
    worker = Worker(owner)
    worker.tell(learned(OPEN, FAQ, "ann"))
    signs = [
        Complained(SCOPE, 1, "hours", Tier.SEMANTIC, kind, (0.5,) * FEATURES)
        for kind in [Complaint.REPEAT] * 9 + [Complaint.BARGE_IN]
    ]
    worker.tell(*signs)
    (entry,) = owner.cache.store
    assert (entry.counters.repeats, entry.counters.barge_ins) == (9, 1)
    assert owner.cache.gates.allowed(SCOPE) > 0.0
    assert isinstance(looked_up(owner), Hit)


def test_features_of_another_version_teach_nothing() -> None:
    owner = keeper()
    report = learned(OPEN, HOURS, "ann", features=(1.0,) * (FEATURES + 1), nearest="hours")
    Worker(owner).tell(report)
    assert list(owner.cache.gates.lessons()) == []


def test_gates_are_fitted_from_what_workers_saw() -> None:
    owner = keeper()
    worker = Worker(owner)
    never = replace(HOURS, storage_class=StorageClass.NEVER, text="")
    for number in range(450):
        is_right = number % 2 == 0
        features = (float(is_right),) * FEATURES
        nearest = "hours" if is_right else "parking"
        worker.tell(learned("", never, "ann", features=features, nearest=nearest))
    jobs = owner.due()
    assert len(jobs.fits) == 1
    owner.done(jobs.run())
    assert words(owner) == ["Gate"]
    weights = owner.cache.gates.weights(SCOPE)
    assert weights is not None
    assert (
        weights.right_ratio((1.0,) * FEATURES) > 0.9 > 0.1 > weights.right_ratio((0.0,) * FEATURES)
    )
    assert not owner.due()


def test_answers_are_measured_aside_while_entries_come_and_go() -> None:
    owner = keeper()
    worker = Worker(owner)
    for number in range(260):
        answer = Answer(f"a{number % 20}", f"answer {number % 20}")
        worker.tell(learned(f"topic{number % 20} case{number}", answer, f"c{number}"))
    jobs = owner.due()
    assert len(jobs.measuring) == 1
    worker.tell(learned("topic3 newcase", Answer("a3", "answer 3"), "zed"))
    owner.purge([5])
    owner.done(jobs.run())
    assert words(owner)[-1] == "Space"
    shelf = owner.cache.store.shelf(SCOPE)
    assert shelf is not None
    assert shelf.closeness(vector_of("topic3 newcase")) is not None


def test_what_a_person_wrote_is_not_replaced_by_what_a_model_said() -> None:
    owner = keeper()
    worker = Worker(owner)
    worker.tell(learned(OPEN, FAQ, "import"))
    worker.tell(learned(OPEN, Answer("wrong", "Never."), "mallory"))
    found = looked_up(owner)
    assert isinstance(found, Hit)
    assert found.answer == FAQ


def test_the_least_used_goes_and_replicas_hear_of_it() -> None:
    owner = keeper(limits=Limits(entries=2))
    worker = Worker(owner)
    worker.tell(learned(OPEN, FAQ, "a"), learned("is there parking", PARKING, "a"), Served(1, 1))
    worker.tell(learned("do you deliver", Answer("deliver", "Yes."), "a"))
    assert sorted(entry.entry_id for entry in owner.cache.store) == [1, 3]
    assert words(owner)[-2:] == ["Remove", "Vouch"]


def test_imports_are_served_at_once_and_in_every_state_of_the_dialogue() -> None:
    owner = keeper()
    question = ask(OPEN, SCOPE.common)
    vector = packed(vector_of(question.text))
    life = Life(0.0, source="faq.csv:2")
    entry = owner.bring(question, vector, FAQ, b"import", life)
    assert entry is not None
    assert entry.source == "faq.csv:2"
    for scope in (SCOPE, replace(SCOPE, flow_node="order", last_agent_act="ask:date")):
        assert isinstance(looked_up(owner, OPEN, scope), Hit)
        near = looked_up(owner, "what time do you open shop", scope)
        assert isinstance(near, Hit)
        assert near.tier is Tier.SEMANTIC
    for scope in (replace(SCOPE, agent_id="bert"), replace(SCOPE, tenant_id="bank")):
        assert not isinstance(looked_up(owner, OPEN, scope), Hit)


def test_an_imported_transcript_waits_for_two_callers() -> None:
    owner = keeper()
    question = ask(OPEN, SCOPE.common)
    said = replace(HOURS, provenance=Provenance.TRANSCRIPT)
    for caller, is_served in ((b"one", False), (b"two", True)):
        owner.bring(question, b"", said, caller, Life(0.0))
        assert isinstance(looked_up(owner), Hit) is is_served


def test_states_of_the_dialogue_are_counted() -> None:
    owner = keeper()
    state = DialogueState("book", frozenset({"date"}), frozenset({"inform:date"}))
    Worker(owner).tell(*[Followed(SCOPE, state, "ask:time")] * 5)
    expected = owner.cache.patterns.expect(SCOPE, state)
    assert expected is not None
    assert (expected.plan_id, expected.seen) == ("ask:time", 5)
    assert words(owner) == ["Seen"] * 5


@pytest.mark.parametrize(
    "report",
    [
        Served(99, 1),
        Served(1, -5),
        Checked(SCOPE, 99, "hours", Tier.EXACT, is_right=False, check_ratio=-1.0),
        Complained(SCOPE, 99, "hours", Tier.EXACT, Complaint.REPEAT),
    ],
)
def test_reports_about_what_is_not_there_do_no_harm(report: Report) -> None:
    owner = keeper()
    Worker(owner).tell(report)
    assert len(owner.cache.store) == 0
