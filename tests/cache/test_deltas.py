"""Deltas as lines and back; copies that end equal to their owner, whatever got lost on the way."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache.answer_space import Whitening
from cache.deltas import (
    FEATURES,
    Gate,
    Put,
    Remove,
    Space,
    apply,
    packed,
    state_of,
    state_slices,
    unpacked,
)
from cache.entry import Answer, Counters, Entry, StorageClass
from cache.errors import DeltasInvalid
from cache.gate import GateWeights
from cache.keeper import CacheKeeper
from cache.lookup import ResponseCache
from cache.outcomes import Tier
from cache.pattern import DialogueState
from cache.ports import Complaint
from cache.replica import MOST_GATHERED, CacheReplica, empty_copy
from cache.replica_reports import (
    DELTAS,
    REPORTS,
    Batch,
    Checked,
    Complained,
    Followed,
    Learned,
    Report,
    Served,
)
from cache.store import Limits
from tests.cache.cache_world import (
    DIMENSION,
    FAQ,
    HOURS,
    SCOPE,
    Worker,
    keeper,
    learned,
    vector_of,
)

STATE = DialogueState("book", frozenset({"date", "time"}), frozenset({"inform:date"}))
ENTRY = Entry(
    7,
    SCOPE,
    "wann 你好 \ud800",
    replace(HOURS, storage_class=StorageClass.PLAN),
    1.5,
    2e9,
    (("hours", 3),),
    is_quarantined=True,
    counters=Counters(1, 2, 3, 4, 5),
    callers=frozenset({b"\0" * 16, b"\xff" * 16}),
    source="call-1/4",
)


def weights(value: float) -> GateWeights:
    return GateWeights(
        np.full(FEATURES, value),
        np.ones(FEATURES),
        np.ones(FEATURES + 1),
        np.eye(FEATURES + 1) * 0.01,
        400,
    )


REPORTS_OF_EACH_KIND: list[Report] = [
    learned("what time do you open", HOURS, "ann", features=(0.5, -1.0), nearest="hours"),
    Served(7, 3),
    Checked(SCOPE, 7, "hours", Tier.SEMANTIC, is_right=True, check_ratio=0.03, features=(1.0,)),
    Complained(SCOPE, 7, "hours", Tier.PATTERN, Complaint.BARGE_IN),
    Followed(SCOPE, STATE, "ask:time"),
]


@pytest.mark.parametrize("report", REPORTS_OF_EACH_KIND, ids=lambda one: type(one).__name__)
def test_a_report_comes_back_as_it_was(report: Report) -> None:
    assert REPORTS.read(REPORTS.lines([report])) == [report]


def test_an_entry_comes_back_as_it_was() -> None:
    delta = Put(ENTRY, packed(vector_of("a b")))
    assert DELTAS.read(DELTAS.lines([delta, Remove(3)])) == [delta, Remove(3)]


def test_arrays_come_back_as_they_were() -> None:
    whitening = Whitening(vector_of("a"), np.arange(6, dtype=np.float32).reshape(2, 3))
    gate, space = DELTAS.read(
        DELTAS.lines([Gate(("shop", "anna", "en"), weights(0.5)), Space(SCOPE, whitening)])
    )
    assert gate.weights.doubt.tolist() == weights(0.5).doubt.tolist()
    assert space.whitening.matrix.tolist() == whitening.matrix.tolist()
    assert space.whitening.matrix.dtype == np.float32


def test_half_floats_lose_nothing_twice() -> None:
    vector = unpacked(packed(vector_of("opening hours")))
    assert vector is not None
    assert packed(vector) == packed(unpacked(packed(vector)))
    assert unpacked(b"") is None


def test_fields_and_words_of_a_later_version_are_passed_over() -> None:
    assert REPORTS.read(b'["served",[7,3,"new"]]\n["unheard_of",[1]]\n') == [Served(7, 3)]


def test_fields_with_defaults_may_be_missing() -> None:
    (told,) = REPORTS.read(b'["checked",[["t","a","1","1","","en","",""],7,"hours","exact",true]]')
    assert told.check_ratio == 1.0


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"null",
        b'["served",{}]',
        b'["served",[7]]',
        b'["served",["7",3]]',
        b'["served",[true,3]]',
        b'["checked",[["t"],7,"hours","exact",true]]',
        b'["checked",[["t","a","1","1","","en","",""],7,"hours","no such tier",true]]',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_cannot_be_read_is_refused_without_its_words(line: bytes) -> None:
    with pytest.raises(DeltasInvalid) as caught:
        REPORTS.read(line)
    assert "hours" not in str(caught.value)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    try:
        DELTAS.read(data)
    except DeltasInvalid:
        return


# --- any interleaving ends the same ---------------------------------------------------------------

TEXTS = st.sampled_from(
    ["open now please", "close now please", "parking place here", "any shop in town", "deliver it"]
)
ANSWERS = st.sampled_from(
    [HOURS, FAQ, Answer("p", "Behind."), Answer("d", "Yes.", tags=HOURS.tags)]
)


def _learn(text: str, answer: Answer, caller: int, where: int) -> Learned:
    scope = SCOPE if where else replace(SCOPE, tenant_id="bank")
    return learned(text, answer, str(caller), scope, features=(float(caller),) * FEATURES)


WRITES: st.SearchStrategy[Any] = st.one_of(
    st.builds(_learn, TEXTS, ANSWERS, st.integers(0, 3), st.integers(0, 1)),
    st.builds(Served, st.integers(1, 12), st.integers(1, 3)),
    st.builds(
        Checked,
        st.just(SCOPE),
        st.integers(1, 12),
        st.just("hours"),
        st.sampled_from(Tier),
        st.booleans(),
        st.just(1.0),
        st.just((0.5,) * FEATURES),
    ),
    st.builds(Followed, st.just(SCOPE), st.just(STATE), st.sampled_from(["a", "b"])),
    st.sampled_from(["invalidate", "purge", "sweep", "snapshot"]),
)


def exchange(owner: CacheKeeper, replica: CacheReplica, most_bytes: int) -> None:
    """One poll that comes through."""
    term, number = replica.stamp
    news = owner.log.since(number, most_bytes) if term == 1 else None
    if news is None:
        copy = empty_copy(DIMENSION)
        for delta in DELTAS.read(DELTAS.lines(state_of(owner.cache))):
            apply(copy, delta)
        replica.take_snapshot((1, owner.log.last), copy)
        return
    assert replica.take_deltas((term, number), DELTAS.read(news[0]), news[1])


def seen_of(cache: ResponseCache) -> dict[str, Any]:
    """Everything that decides what a lookup says; order and counters decide nothing."""
    deltas = list(state_of(cache))
    puts = {
        one.entry.entry_id: (replace(one.entry, counters=Counters()), one.vector)
        for one in deltas
        if isinstance(one, Put)
    }
    rest = {repr(one) for one in deltas if not isinstance(one, Put | Gate | Space)}
    return {"entries": puts, "rest": rest}


def write(owner: CacheKeeper, what: Report | str, at: int) -> None:
    match what:
        case "invalidate":
            owner.invalidate("shop", "hours", now_s=float(at))
        case "purge":
            owner.purge([at, at // 2])
        case "sweep":
            owner.sweep(now_s=float(at) * 10_000)
        case "snapshot":
            pass
        case _:
            assert not isinstance(what, str)
            owner.tell(Batch("w", at + 1, "", (what,)), now_s=float(at))


@settings(deadline=None)
@given(
    st.lists(st.tuples(WRITES, st.integers(0, 3)), max_size=30),
    st.integers(1, 3_000),
    st.integers(1, 40),
)
def test_replicas_end_equal_to_their_owner(
    steps: Sequence[tuple[Any, int]], most_bytes: int, kept: int
) -> None:
    """Polls of two replicas come at any time, or never; the log forgets; one begins in between."""
    owner = keeper(limits=Limits(entries=5))
    owner.log = type(owner.log)(most_deltas=kept)
    replicas = [CacheReplica(f"r{n}", empty_copy(DIMENSION), "") for n in range(2)]
    for at, (what, polls) in enumerate(steps):
        write(owner, what, at)
        for bit, replica in enumerate(replicas):
            if polls & (1 << bit):
                exchange(owner, replica, most_bytes)
        if what == "snapshot":
            replicas.append(CacheReplica(f"r{len(replicas)}", empty_copy(DIMENSION), ""))
            exchange(owner, replicas[-1], most_bytes)
    for replica in replicas:
        while replica.stamp != (1, owner.log.last):
            exchange(owner, replica, most_bytes)
        assert seen_of(replica.cache) == seen_of(owner.cache)


@settings(deadline=None)
@given(
    st.lists(st.tuples(TEXTS, ANSWERS, st.sampled_from(["sent", "lost", "doubled"])), max_size=20)
)
def test_batches_that_are_lost_or_come_twice_are_taken_once(
    steps: Sequence[tuple[str, Answer, str]],
) -> None:
    told, straight = keeper(), keeper()
    replica = CacheReplica("w", empty_copy(DIMENSION), "")
    numbers = itertools.count(1)
    for text, answer, fate in steps:
        report = learned(text, answer, "ann")
        straight.tell(Batch("w", next(numbers), "", (report,)), now_s=0.0)
        replica.tell(report, now=0.0)
        batch = replica.batch(now=0.0)
        assert batch is not None
        if fate == "lost":
            continue
        told.tell(batch, now_s=0.0)
        if fate == "doubled":
            told.tell(batch, now_s=0.0)  # the answer to the first was lost
        replica.delivered(batch.number)
    while (batch := replica.batch(now=0.0)) is not None:
        told.tell(batch, now_s=0.0)
        replica.delivered(batch.number)
    assert seen_of(told.cache) == seen_of(straight.cache)


# --- the copy -------------------------------------------------------------------------------------


def test_deltas_with_a_gap_change_nothing() -> None:
    replica = CacheReplica("w", empty_copy(DIMENSION), "")
    replica.take_snapshot((1, 5), empty_copy(DIMENSION))
    for after in ((1, 6), (1, 4), (2, 5), (0, 0)):
        assert not replica.take_deltas(after, [Put(ENTRY, b"")], after[1] + 1)
    assert not replica.take_deltas((1, 5), [Put(ENTRY, b"")], 4)
    assert (len(replica.cache.store), replica.stamp) == (0, (1, 5))
    assert replica.take_deltas((1, 5), [Put(ENTRY, b"")], 6)
    assert (len(replica.cache.store), replica.stamp) == (1, (1, 6))


def test_a_batch_keeps_its_number_until_it_was_delivered() -> None:
    replica = CacheReplica("w", empty_copy(DIMENSION), "words-1")
    assert replica.batch(now=0.0) is None
    replica.tell(Served(1, 1), now=0.0)
    replica.tell(Served(1, 2), now=0.0)
    first = replica.batch(now=0.0)
    replica.tell(Served(2, 1), now=0.0)
    assert first == replica.batch(now=9.0) == Batch("w", 1, "words-1", (Served(1, 3),))
    replica.delivered(99)
    assert replica.batch(now=9.0) == first
    replica.delivered(1)
    assert replica.batch(now=9.0) == Batch("w", 2, "words-1", (Served(2, 1),))


def test_what_was_learned_says_how_long_ago() -> None:
    replica = CacheReplica("w", empty_copy(DIMENSION), "")
    replica.tell(learned("open now", HOURS, "ann"), now=10.0)
    batch = replica.batch(now=14.5)
    assert batch is not None
    (report,) = batch.reports
    assert isinstance(report, Learned)
    assert report.age_s == 4.5


def test_when_too_much_gathers_the_oldest_is_dropped_and_counted() -> None:
    replica = CacheReplica("w", empty_copy(DIMENSION), "")
    for _ in range(MOST_GATHERED + 3):
        replica.tell(Followed(SCOPE, STATE, "a"), now=0.0)
    assert replica.lost == 3
    batch = replica.batch(now=0.0)
    assert batch is not None
    replica.refused(batch.number)
    assert replica.lost == 3 + len(batch.reports)


def test_a_gate_of_another_version_is_not_used() -> None:
    cache = empty_copy(DIMENSION)
    strange = replace(weights(0.5), means=np.zeros(FEATURES + 1))
    apply(cache, Gate(("shop", "anna", "en-us"), strange))
    assert cache.gates.weights(SCOPE) is None
    apply(cache, Gate(("shop", "anna", "en-us"), weights(0.5)))
    assert cache.gates.weights(SCOPE) is not None


def test_a_state_that_is_told_in_slices_may_change_meanwhile() -> None:
    owner = keeper()
    worker = Worker(owner)
    for number in range(30):
        worker.tell(learned(f"question number {number}", replace(FAQ, answer_id=str(number)), "a"))
    last, told = owner.log.last, []
    for count, part in enumerate(state_slices(owner.cache, size=5)):
        told += part
        if count == 1:
            owner.purge([1, 30])
            worker.tell(learned("one more", FAQ, "a"))
    copy = empty_copy(DIMENSION)
    for delta in told:
        apply(copy, delta)
    found = owner.log.since(last, 1 << 20)
    assert found is not None
    for delta in DELTAS.read(found[0]):
        apply(copy, delta)
    assert {entry.question for entry in copy.store} == {
        entry.question for entry in owner.cache.store
    }
    assert len(copy.store) == 29
