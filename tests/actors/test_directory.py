"""Who may place how many calls where: tables, and a small world that plays at random."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.directory import IDLE_ACTOR_S, REPLICA_SILENT_S, Directory, DirectoryConfig
from actors.lease_stock import LeaseStock
from actors.release_book import RETIRED_EMPTY_S
from actors.seat_ledger import SPENT_COUNTS_S
from actors.wire import Grants, ReplicaSync


def directory(**fields: int) -> Directory:
    return Directory(DirectoryConfig(**{"calls_per_actor": 10, **fields}))


def sync(name: str = "r1", **fields: Any) -> ReplicaSync:
    return ReplicaSync(name, **{"active_calls": 0, "max_calls": 100, "want": 8, **fields})


def test_slots_are_granted_from_the_emptiest_actor_first() -> None:
    machine = directory()
    machine.actor_reported("ann", capacity=10, active=7, now=0.0)
    machine.actor_reported("bob", capacity=10, active=2, now=0.0)
    grants = machine.sync(sync(want=6), now=0.0)
    assert grants.granted == {"bob": 6} or grants.granted == {"bob": 5, "ann": 1}
    assert grants.alive == ("ann", "bob")
    assert (grants.active_calls, grants.capacity) == (9, 20)


def test_nothing_is_granted_twice() -> None:
    machine = directory()
    machine.actor_reported("ann", capacity=10, active=0, now=0.0)
    first = machine.sync(sync("r1", want=8), now=0.0).granted["ann"]
    second = machine.sync(sync("r2", want=8), now=0.0).granted.get("ann", 0)
    assert first + second <= 10


def test_an_answer_that_was_lost_is_granted_again() -> None:
    """What counts as held is what the replica says it holds."""
    machine = directory()
    machine.actor_reported("ann", capacity=8, active=0, now=0.0)
    assert machine.sync(sync(want=8), now=0.0).granted == {"ann": 8}
    assert machine.sync(sync(want=8), now=1.0).granted == {"ann": 8}


def test_who_asks_is_told_what_bounds_the_cluster_and_who_is_on_the_way() -> None:
    machine = directory()
    machine.actor_reported("ann", capacity=10, active=0, now=0.0)
    told = machine.sync(sync(max_calls=6, placed=placed("k", "l")), now=0.0)
    assert (told.capacity, told.minds, told.on_way) == (6, 10, 2)
    machine.actor_reported("ann", capacity=10, active=1, recent="k", now=0.5)
    told = machine.sync(sync(max_calls=6, active_calls=1, begun=("k",)), now=0.6)
    assert (told.active_calls, told.on_way) == (1, 1)


def placed(*calls: str, on: str = "ann") -> dict[str, str]:
    return dict.fromkeys(calls, on)


def test_a_spent_slot_counts_until_its_call_is_seated_or_it_is_old() -> None:
    machine = directory()
    machine.actor_reported("ann", capacity=4, active=0, now=0.0)
    machine.sync(sync(want=4), now=0.0)
    four = placed("k", "l", "m", "n")
    assert machine.sync(sync(want=4, placed=four, begun=tuple(four)), now=0.1).granted == {}
    machine.actor_reported("ann", capacity=4, active=3, recent="klm", now=0.5)
    assert machine.sync(sync(want=4), now=0.6).granted == {}
    machine.actor_reported("ann", capacity=4, active=3, recent="klm", now=SPENT_COUNTS_S + 1)
    assert machine.sync(sync(want=4), now=SPENT_COUNTS_S + 1).granted == {"ann": 1}


ANN_KNOWS = {"capacity": 10, "active": 2, "recent": ("k", "l")}
REPLICA_TELLS = {"held": {"ann": 2}, "want": 8, "placed": placed("k", "l"), "begun": ("k", "l")}


@pytest.mark.parametrize("actor_first", [True, False])
def test_a_call_counts_once_whoever_tells_of_it_first(actor_first: bool) -> None:
    machine = directory()
    machine.actor_reported("ann", capacity=10, active=0, now=0.0)
    assert machine.sync(sync(want=4), now=0.0).granted == {"ann": 4}
    if actor_first:
        machine.actor_reported("ann", now=0.2, **ANN_KNOWS)
        # Two are seated; the four leases of the last report still count two of them.
        assert machine.sync(sync("r2", want=9), now=0.3).granted.get("ann", 0) <= 6
    grants = machine.sync(sync(**REPLICA_TELLS), now=0.5)
    if not actor_first:
        machine.actor_reported("ann", now=0.6, **ANN_KNOWS)
        held = {"ann": 2 + grants.granted.get("ann", 0)}
        grants = machine.sync(sync(held=held, want=8), now=0.7)
        assert held["ann"] + grants.granted.get("ann", 0) == 8
    else:
        # r2 holds 3 (a third of nine); r1 may have its share, and all of it adds up to ten.
        assert 2 + sum(grants.granted.values()) + 3 <= 8
    assert machine.sync(sync("r3", want=99, waiting=99), now=0.8).active_calls == 2


@pytest.mark.parametrize("actor_first", [True, False])
def test_a_replica_that_is_alone_gets_the_last_slot(actor_first: bool) -> None:
    machine = directory()
    machine.actor_reported("ann", capacity=4, active=0, now=0.0)
    machine.sync(sync(want=2, max_calls=4), now=0.0)
    told = sync(
        want=2, max_calls=4, active_calls=2, placed=placed("k", "l"), begun=("k", "l"), waiting=2
    )
    if actor_first:
        machine.actor_reported("ann", capacity=4, active=2, recent="kl", now=0.1)
        granted = machine.sync(told, now=0.2).granted
    else:
        machine.sync(told, now=0.1)
        machine.actor_reported("ann", capacity=4, active=2, recent="kl", now=0.2)
        granted = machine.sync(replace(told, placed={}, begun=()), now=0.3).granted
    assert granted == {"ann": 2}


def test_calls_that_end_while_others_begin_are_told_apart() -> None:
    machine = directory()
    machine.actor_reported("ann", capacity=4, active=2, recent="kl", now=0.0)
    machine.sync(sync(want=2), now=0.0)
    machine.sync(sync(want=0, placed=placed("m", "n"), begun=("m", "n")), now=0.1)
    # Two have gone and two have come: the number is the same.
    machine.actor_reported("ann", capacity=4, active=2, recent="klmn", now=0.5)
    assert machine.sync(sync(want=4), now=0.6).granted == {"ann": 2}


def test_a_call_of_which_is_told_twice_counts_once() -> None:
    machine = directory()
    machine.actor_reported("ann", capacity=3, active=0, now=0.0)
    for now in (0.1, 0.2, 0.3):
        machine.sync(sync(want=0, placed=placed("k")), now=now)
    assert machine.sync(sync(want=4), now=0.4).granted == {"ann": 2}


def test_a_seat_that_waits_for_its_stream_is_taken() -> None:
    machine = directory()
    machine.actor_reported("ann", capacity=4, active=1, taken=3, now=0.0)
    grants = machine.sync(sync(want=4), now=0.0)
    assert (grants.granted, grants.active_calls) == ({"ann": 1}, 1)


def test_an_older_replica_names_no_calls() -> None:
    """Its slots count for ``SPENT_COUNTS_S``: too careful, never too bold."""
    machine = directory()
    machine.actor_reported("ann", capacity=4, active=0, now=0.0)
    machine.sync(sync(want=4), now=0.0)
    machine.sync(sync(want=0, used={"ann": 2}), now=0.1)
    assert machine.sync(sync(want=4), now=0.2).granted == {"ann": 2}
    machine.sync(sync(want=0), now=0.3)
    machine.actor_reported("ann", capacity=4, active=2, now=0.5)
    assert machine.sync(sync(want=4), now=0.6).granted == {}
    assert machine.sync(sync(want=4), now=SPENT_COUNTS_S + 0.1).granted == {"ann": 2}


def test_an_older_actor_names_no_calls() -> None:
    machine = directory()
    machine.actor_reported("ann", capacity=4, active=0, now=0.0)
    machine.sync(sync(want=0, placed=placed("k"), begun=("k",)), now=0.1)
    machine.actor_reported("ann", capacity=4, active=1, now=0.5)
    assert machine.sync(sync(want=4), now=0.6).granted == {"ann": 2}
    assert machine.sync(sync(held={"ann": 2}, want=4), now=SPENT_COUNTS_S + 0.1).granted == {
        "ann": 1
    }


def test_a_new_directory_sets_nothing_off_for_calls_it_has_not_seen_begin() -> None:
    """Their leases were told as spent to its predecessor; the others are still held."""
    machine = directory()
    machine.sync(sync(held={"ann": 4}, want=4), now=0.0)
    machine.actor_reported("ann", capacity=8, active=4, recent="klmn", now=0.1)
    assert machine.sync(sync("r2", want=9, waiting=9), now=0.2).granted == {}


def test_what_is_taken_back_is_free_once_its_holder_has_said_so() -> None:
    machine = directory()
    machine.actor_reported("ann", capacity=4, active=0, now=0.0)
    assert machine.sync(sync("r1", want=4), now=0.0).granted == {"ann": 4}
    caller = sync("r2", want=0, waiting=3)
    assert machine.sync(caller, now=0.1).left == 4
    for now in (0.2, 0.3):  # the first answer is lost
        assert machine.sync(sync("r1", want=4, held={"ann": 4}), now=now).granted == {"ann": -4}
        assert machine.sync(caller, now=now + 0.05).granted == {}
    assert machine.sync(sync("r1", want=4), now=0.4).granted == {}
    assert machine.sync(caller, now=0.5).granted == {"ann": 3}


def test_leases_on_an_actor_that_is_full_are_taken_back() -> None:
    machine = directory()
    machine.actor_reported("ann", capacity=4, active=0, now=0.0)
    machine.actor_reported("bob", capacity=4, active=0, now=0.0)
    held = {"ann": 2, "bob": 2}
    machine.actor_reported("ann", capacity=4, active=3, now=0.1)  # without a lease
    assert machine.sync(sync(want=0, held=held), now=0.2).granted == {"ann": -1}


def test_a_call_that_lost_its_actor_needs_no_ear() -> None:
    machine = directory()
    machine.actor_reported("ann", capacity=50, active=0, now=0.0)
    full = sync(max_calls=25, active_calls=25, want=8)
    assert machine.sync(full, now=0.0).granted == {}
    assert machine.sync(replace(full, moving=25), now=0.1).granted == {"ann": 25}
    # They were spent on moves: no ear is on its way.
    moved = placed(*(f"call {n}" for n in range(25)))
    machine.sync(replace(full, active_calls=24, moved=moved, want=0), now=0.2)
    assert machine.sync(replace(full, active_calls=24), now=0.3).granted == {"ann": 1}


def test_leases_beyond_the_ears_are_taken_back() -> None:
    machine = directory()
    machine.actor_reported("ann", capacity=50, active=0, now=0.0)
    report = sync(max_calls=25, active_calls=24, held={"ann": 3}, want=8)
    assert machine.sync(report, now=0.0).granted == {"ann": -2}


def test_a_silent_replica_loses_its_leases() -> None:
    machine = directory()
    machine.actor_reported("ann", capacity=8, active=0, now=0.0)
    machine.sync(sync("r1", want=8), now=0.0)
    assert machine.sync(sync("r2", want=8), now=1.0).granted.get("ann", 0) == 0
    late = machine.sync(sync("r2", want=8), now=REPLICA_SILENT_S + 0.1)
    assert late.granted == {"ann": 8}


def test_a_lost_actor_is_worth_nothing() -> None:
    machine = directory()
    for name in ("ann", "bob"):
        machine.actor_reported(name, capacity=4, active=0, now=0.0)
    machine.sync(sync(want=8), now=0.0)
    machine.actor_lost("ann")
    machine.actor_lost("nobody")
    grants = machine.sync(sync(want=8, held={"ann": 4, "bob": 4}), now=0.1)
    assert (grants.alive, grants.granted, grants.capacity) == (("bob",), {}, 4)


def test_no_more_is_granted_than_the_ears_can_carry() -> None:
    machine = directory()
    machine.actor_reported("ann", capacity=50, active=0, now=0.0)
    grants = machine.sync(sync(want=8, max_calls=5, active_calls=2), now=0.0)
    assert grants.granted == {"ann": 3}
    assert grants.capacity == 5


def test_reports_that_make_no_sense_are_read_as_nothing() -> None:
    machine = directory()
    machine.actor_reported("ann", capacity=6, active=0, now=0.0)
    wild = sync(active_calls=-3, max_calls=-1, want=-5, held={"ann": -9}, used={"ann": -4, "x": 9})
    assert machine.sync(wild, now=0.0).granted == {}
    assert machine.sync(sync("r2", want=2), now=0.0).granted == {"ann": 2}


@pytest.mark.parametrize(
    ("alive", "active", "wanted"),
    [(0, 0, 2), (1, 0, 1), (2, 0, 0), (2, 9, 0), (2, 10, 1), (5, 10, 0)],
)
def test_actors_are_started_ahead_of_need(alive: int, active: int, wanted: int) -> None:
    machine = directory(min_actors=2, max_actors=5)
    for number in range(alive):
        machine.actor_reported(f"a{number}", capacity=10, active=active, now=0.0)
    assert machine.wanted_actors() == wanted


def test_an_empty_actor_is_let_go_when_it_is_not_needed() -> None:
    machine = directory(min_actors=1)
    for name in ("ann", "bob", "cleo"):
        machine.actor_reported(name, capacity=10, active=0, now=0.0)
    assert machine.idle_actors(now=IDLE_ACTOR_S - 1) == []
    assert set(machine.sync(sync(want=30), now=IDLE_ACTOR_S - 1).granted) == {"ann", "bob", "cleo"}
    assert machine.idle_actors(now=IDLE_ACTOR_S) == [], "leases on it are in stock"
    assert machine.sync(sync(), now=IDLE_ACTOR_S).retired == ("ann",)
    assert machine.idle_actors(now=IDLE_ACTOR_S + RETIRED_EMPTY_S) == ["ann"]
    machine.actor_lost("ann")
    machine.actor_lost("bob")
    for passed in (2, 3):
        assert machine.idle_actors(now=IDLE_ACTOR_S * passed) == []


# --- a world --------------------------------------------------------------------------------------


@dataclass
class Replica:
    stock: LeaseStock = field(default_factory=LeaseStock)
    calls: list[str] = field(default_factory=list)


@dataclass
class Actor:
    capacity: int
    calls: list[str] = field(default_factory=list)
    seated: list[str] = field(default_factory=list)
    on_the_way: list[tuple[float, str]] = field(default_factory=list)


class World:
    """Replicas that sync every second, actors that report every second, calls that come and go.

    A call is opened within 2 s of its placement. Everybody is truthful and nobody falls silent; any
    answer may be lost. Each message is there at once (``test_lease_sync`` has slow ones).
    """

    def __init__(self, replicas: int, actors: int, capacity: int) -> None:
        self.now = 0.0
        self.machine = directory(calls_per_actor=capacity)
        self.replicas = {f"r{n}": Replica() for n in range(replicas)}
        self.actors = {f"a{n}": Actor(capacity) for n in range(actors)}
        self.maximum = capacity * 2
        self.placed = 0
        self.report()

    def report(self) -> None:
        for name, actor in self.actors.items():
            self.machine.actor_reported(
                name,
                capacity=actor.capacity,
                active=len(actor.calls),
                recent=actor.seated,
                now=self.now,
            )

    def sync(self, name: str, *, is_answer_lost: bool = False) -> None:
        replica = self.replicas[name]
        report = replica.stock.report(
            name, active_calls=len(replica.calls), max_calls=self.maximum, now=self.now
        )
        plain = self.machine.sync(report, now=self.now).to_plain()
        if not is_answer_lost:
            replica.stock.granted(Grants.from_plain(plain), report)

    def place(self, name: str) -> None:
        self.placed += 1
        call = f"call {self.placed}"
        replica = self.replicas[name]
        actor = replica.stock.take(call, now=self.now)
        if actor is not None:
            self.actors[actor].on_the_way.append((self.now, call))
            replica.calls.append(call)
            replica.stock.begun(call, now=self.now)

    def open(self, name: str) -> None:
        actor = self.actors[name]
        if actor.on_the_way:
            _, call = actor.on_the_way.pop(0)
            actor.calls.append(call)
            actor.seated.append(call)

    def hang_up(self, name: str) -> None:
        actor = self.actors[name]
        if actor.calls:
            call = actor.calls.pop()
            next(r for r in self.replicas.values() if call in r.calls).calls.remove(call)

    def second(self) -> None:
        for name, actor in self.actors.items():
            while actor.on_the_way and actor.on_the_way[0][0] <= self.now - 1.0:
                self.open(name)
        self.now += 1.0
        self.report()
        for name in self.replicas:
            self.sync(name)

    def check(self) -> None:
        for name, actor in self.actors.items():
            held = sum(replica.stock.held.get(name, 0) for replica in self.replicas.values())
            assert len(actor.calls) + len(actor.on_the_way) + held <= actor.capacity
        for replica in self.replicas.values():
            assert all(count >= 0 for count in replica.stock.held.values())


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["place", "place", "place", "open", "hang_up", "sync", "lost", "second"]),
        st.integers(0, 9),
    ),
    max_size=80,
)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 12), ACTS)
def test_an_actor_is_never_promised_to_more_calls_than_it_holds(
    replicas: int, actors: int, capacity: int, acts: list[tuple[str, int]]
) -> None:
    world = World(replicas, actors, capacity)
    for act, number in acts:
        replica, actor = f"r{number % replicas}", f"a{number % actors}"
        match act:
            case "place":
                world.place(replica)
            case "open":
                world.open(actor)
            case "hang_up":
                world.hang_up(actor)
            case "sync":
                world.sync(replica)
            case "lost":
                world.sync(replica, is_answer_lost=True)
            case _:
                world.second()
        world.check()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(4, 12), ACTS)
def test_when_all_have_hung_up_everything_can_be_placed_again(
    replicas: int, actors: int, capacity: int, acts: list[tuple[str, int]]
) -> None:
    """No slot leaks, whatever happened before."""
    world = World(replicas, actors, capacity)
    for act, number in acts:
        if act == "second":
            world.second()
        else:
            world.place(f"r{number % replicas}")
    world.second()
    world.second()
    for name, actor in world.actors.items():
        while actor.calls:
            world.hang_up(name)
    for _ in range(12):
        world.second()
    caller = sync("newcomer", max_calls=0, want=0, waiting=999)
    room = min(actors * capacity, world.maximum * replicas)
    assert sum(world.machine.sync(caller, now=world.now).granted.values()) + sum(
        replica.stock.free for replica in world.replicas.values()
    ) == min(room, 999)
