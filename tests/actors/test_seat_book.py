"""Sums that are kept are those that adding up would give, whatever happens in whichever order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.directory import REPLICA_SILENT_S, Directory, DirectoryConfig
from actors.lease_shares import Demand, DemandSum
from actors.replica_book import ReplicaBook
from actors.seat_book import SeatBook
from actors.seat_ledger import SPENT_COUNTS_S
from actors.wire import ReplicaSync

NAMES = st.sampled_from(["ann", "bob", "cyd"])
REPLICAS = st.sampled_from(["r1", "r2", "r3"])
STOCKS = st.dictionaries(NAMES, st.integers(0, 9))
ACTOR = st.tuples(st.just("actor"), NAMES, st.integers(0, 20), st.integers(0, 20))
REPLICA = st.tuples(st.just("replica"), REPLICAS, STOCKS, st.integers(0, 9))
LOST = st.tuples(st.just("lost"), NAMES)
SUSPECTED = st.tuples(st.just("suspected"), NAMES)
SPENT = st.tuples(st.just("spent"), NAMES, st.integers(0, 50))
LATER = st.tuples(st.just("later"), st.floats(0, 4))
EVENTS = st.lists(st.one_of(ACTOR, REPLICA, LOST, SUSPECTED, SPENT, LATER), max_size=25)


class Books:
    """Both, and what happens to them."""

    def __init__(self) -> None:
        self.seats = SeatBook()
        self.replicas = ReplicaBook(self.seats)
        self.held: dict[str, tuple[float, dict[str, int]]] = {}
        self.now = 0.0

    def actor(self, name: str, capacity: int, active: int) -> None:
        entry = self.seats.get(name) or self.replicas.welcome(name)
        entry.capacity, entry.active, entry.taken = capacity, active, active
        self.seats.suspect(name, suspect=False)
        self.seats.changed(name)

    def replica(self, name: str, held: dict[str, int], active: int) -> None:
        self.replicas.heard(ReplicaSync(name, active, 10, held=held), now=self.now)
        self.held[name] = (self.now, dict(held))

    def lost(self, name: str) -> None:
        self.replicas.part_with(name)
        for _, held in self.held.values():
            held.pop(name, None)

    def suspected(self, name: str) -> None:
        if name in self.seats:
            self.seats.suspect(name, suspect=True)

    def spent(self, name: str, call: int) -> None:
        entry = self.seats.get(name)
        if entry is not None:
            entry.ledger.spent(str(call), now=self.now)
            self.seats.expect_change(name, now=self.now)
            self.seats.changed(name)

    def later(self, passed_s: float) -> None:
        self.now += passed_s
        self.seats.forget_old(now=self.now)
        since = self.now - REPLICA_SILENT_S
        self.replicas.forget_silent(since)
        self.held = {name: row for name, row in self.held.items() if row[0] >= since}

    def check(self) -> None:
        held = [stock for _, stock in self.held.values()]
        for name, entry in self.seats:
            entry.ledger.forget_old(now=self.now)
            assert entry.held == sum(stock.get(name, 0) for stock in held)
        entries = dict(self.seats)
        assert self.seats.capacity == sum(entry.capacity for entry in entries.values())
        assert self.seats.active == sum(entry.active for entry in entries.values())
        assert self.seats.free == sum(entry.free for entry in entries.values())
        assert self.seats.unused == sum(entry.unused for entry in entries.values())
        assert self.seats.alive == tuple(n for n, entry in entries.items() if not entry.suspect)
        in_hand = sum(count for stock in held for n, count in stock.items() if n in entries)
        assert self.replicas.demand == DemandSum.of(self.replicas.demands())
        assert (self.replicas.demand.in_hand, self.replicas.demand.count) == (in_hand, len(held))
        assert self.replicas.ears == 10 * len(held)
        most = max((entry.free for entry in entries.values()), default=0)
        name = self.seats.emptiest()
        assert (entries[name].free if name else 0) == most


@given(EVENTS)
def test_sums_are_what_adding_up_gives(events: list[tuple[object, ...]]) -> None:
    books = Books()
    for kind, *what in events:
        getattr(books, str(kind))(*what)
        books.check()


def test_a_call_that_never_sat_down_frees_its_seat_after_a_while() -> None:
    books = Books()
    books.actor("ann", 2, 0)
    books.spent("ann", 1)
    assert books.seats.free == 1
    books.later(SPENT_COUNTS_S)
    assert books.seats.free == 2


def sync(name: str, **fields: object) -> ReplicaSync:
    return ReplicaSync(name, 0, 100, want=8, **fields)  # type: ignore[arg-type]


def test_names_that_a_replica_knows_are_not_told_again() -> None:
    machine = Directory(DirectoryConfig(10), term=7)
    machine.actor_reported("ann", capacity=10, active=0, now=0.0)
    first = machine.sync(sync("r1"), now=0.0)
    assert first.alive == ("ann",)
    known = machine.sync(sync("r1", knows=first.alive_version), now=1.0)
    assert (known.alive, known.alive_version) == ((), first.alive_version)
    machine.actor_reported("bob", capacity=10, active=0, now=1.5)
    assert machine.sync(sync("r1", knows=first.alive_version), now=2.0).alive == ("ann", "bob")


def test_another_incarnation_tells_all_names() -> None:
    versions = []
    for term in (1_000, 2_000):
        machine = Directory(DirectoryConfig(10), term=term)
        machine.actor_reported("ann", capacity=10, active=0, now=0.0)
        versions.append(machine.sync(sync("r1"), now=0.0).alive_version)
    assert versions[0] != versions[1]


def test_many_replicas_report_less_often_and_are_not_taken_for_silent() -> None:
    machine = Directory(DirectoryConfig(10))
    machine.actor_reported("ann", capacity=10, active=0, now=0.0)
    answers = [machine.sync(sync(f"r{number}"), now=0.0) for number in range(1_000)]
    assert answers[0].every_ms == 1_000
    assert answers[-1].every_ms == 5_000
    machine.sync(sync("r1"), now=5 * REPLICA_SILENT_S)
    assert machine.capacity == min(10, 100 * 1_000)
    assert machine.sync(sync("r1"), now=5 * REPLICA_SILENT_S + 1).every_ms == 1_000


def test_actors_are_started_ahead_of_the_calls_of_the_last_seconds() -> None:
    machine = Directory(DirectoryConfig(calls_per_actor=50, max_actors=100))
    machine.actor_reported("ann", capacity=50, active=0, now=0.0)
    assert machine.wanted_actors() == 0
    for second in range(20):
        calls = {f"{second}.{number}": "ann" for number in range(60)}
        machine.sync(sync("r1", placed=calls), now=float(second))
    machine.actor_reported("ann", capacity=50, active=50, now=20.0)
    assert machine.wanted_actors() == 5, "60 calls a second for the 4 s that one takes to start"


def test_leases_on_an_actor_that_is_gone_are_in_nobodys_hand() -> None:
    books = Books()
    books.actor("ann", 10, 0)
    books.replica("r1", {"ann": 2, "gone": 3}, 0)
    assert list(books.replicas.demands()) == [Demand(in_hand=2)]
