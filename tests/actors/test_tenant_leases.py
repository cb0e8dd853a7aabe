"""The limit of a tenant: leases, reports of actors, and what is counted when somebody dies."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.directory import REPLICA_SILENT_S, Directory, DirectoryConfig
from actors.errors import DirectoryAwayError
from actors.lease_stock import LeaseStock
from actors.lease_sync import SLOT_WITHIN_S, LeaseSync
from actors.seat_ledger import SPENT_COUNTS_S
from actors.tenant_leases import CLAIM_KEPT_S, TenantLimit
from actors.wire import Grants, ReplicaSync
from tests.support import virtual_time

ACME = TenantLimit("acme", 3)


class Cluster:
    """A directory, two replicas and two CallActors, without time between them.

    Attributes:
        calls: Call id to the actor on which it was placed; it sits in ``seated`` later.
    """

    def __init__(self, limit: TenantLimit = ACME) -> None:
        self.limit = limit
        self.directory = Directory(DirectoryConfig())
        self.stocks = {name: LeaseStock() for name in ("r0", "r1")}
        self.coming: dict[str, str] = {}
        self.seated: dict[str, str] = {}
        self.lately: dict[str, list[str]] = {"a0": [], "a1": []}
        self.now = 0.0
        self.placed = 0
        for name in ("a0", "a1"):
            self.report(name)
        for name in self.stocks:
            self.sync(name)

    def report(self, actor: str) -> None:
        """The actor tells of its seats."""
        taken = sum(where == actor for where in self.seated.values())
        self.directory.actor_reported(
            actor, capacity=50, active=taken, now=self.now, recent=self.lately[actor]
        )
        by_tenant = {self.limit.tenant_id: taken}
        self.directory.tenants_reported(actor, by_tenant, self.lately[actor], now=self.now)

    def sync(self, replica: str) -> Grants:
        stock = self.stocks[replica]
        report = stock.report(replica, active_calls=0, max_calls=99, now=self.now)
        told = ReplicaSync.from_plain(json.loads(json.dumps(report.to_plain())))
        grants = self.directory.sync(told, now=self.now)
        stock.granted(Grants.from_plain(json.loads(json.dumps(grants.to_plain()))), report)
        return grants

    def call(self, replica: str = "r0") -> str | None:
        """A caller asks, waits for one answer and is placed; None: refused."""
        tenants = self.stocks[replica].tenants
        tenants.waits(self.limit, 1)
        self.sync(replica)
        tenants.waits(self.limit, -1)
        self.placed += 1
        call_id = f"call {self.placed}"
        if not tenants.claim(call_id, self.limit, now=self.now):
            return None
        actor = self.stocks[replica].take(call_id, now=self.now, tenant=self.limit.tenant_id)
        assert actor is not None
        self.coming[call_id] = actor
        return call_id

    def sit(self, call_id: str) -> None:
        self.seated[call_id] = self.coming.pop(call_id)
        self.lately[self.seated[call_id]].append(call_id)

    def rounds(self) -> None:
        """Everybody reports."""
        for _ in range(2):
            for name in self.stocks:
                self.sync(name)
            for actor in self.directory.actor_names:
                self.report(actor)

    @property
    def in_progress(self) -> int:
        return len(self.coming) + len(self.seated)


def test_the_limit_holds_over_all_replicas() -> None:
    cluster = Cluster()
    assert [cluster.call(name) is not None for name in ("r0", "r1", "r0", "r1", "r0")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert cluster.stocks["r1"].tenants.is_full(ACME)
    assert not cluster.stocks["r1"].tenants.is_full(TenantLimit("beta", 1))


def test_a_call_that_ends_leaves_its_place_to_the_next() -> None:
    cluster = Cluster()
    calls = [cluster.call() for _ in range(3)]
    for call_id in calls:
        assert call_id is not None
        cluster.sit(call_id)
    cluster.rounds()
    assert cluster.directory.calls_by_tenant == {"acme": 3}
    assert cluster.call("r1") is None
    cluster.seated.popitem()
    cluster.rounds()
    assert cluster.call("r1") is not None
    assert cluster.call("r1") is None


def test_a_caller_who_hangs_up_before_the_stream_keeps_no_place() -> None:
    cluster = Cluster()
    for _ in range(3):
        assert cluster.call()
    cluster.rounds()
    assert cluster.call() is None
    cluster.now += SPENT_COUNTS_S
    assert cluster.call() is not None


def test_a_claim_that_is_not_spent_is_given_back() -> None:
    cluster = Cluster(TenantLimit("acme", 1))
    tenants = cluster.stocks["r0"].tenants
    tenants.waits(cluster.limit, 1)
    cluster.sync("r0")
    tenants.waits(cluster.limit, -1)
    assert tenants.claim("asks providers", cluster.limit, now=cluster.now)
    assert cluster.call("r1") is None
    cluster.now += CLAIM_KEPT_S
    cluster.sync("r0")
    assert cluster.call("r1") is not None


def test_what_a_dead_replica_held_is_free_again() -> None:
    cluster = Cluster(TenantLimit("acme", 1))
    tenants = cluster.stocks["r0"].tenants
    tenants.waits(cluster.limit, 1)
    cluster.sync("r0")
    assert cluster.call("r1") is None
    cluster.now += REPLICA_SILENT_S + 0.1
    cluster.sync("r1")
    assert cluster.call("r1") is not None


def test_seats_of_an_actor_that_died_count_where_the_calls_sit_next() -> None:
    cluster = Cluster()
    for _ in range(3):
        call_id = cluster.call()
        assert call_id is not None
        cluster.sit(call_id)
    cluster.rounds()
    lost = next(iter(cluster.seated.values()))
    other = "a1" if lost == "a0" else "a0"
    cluster.directory.actor_lost(lost)
    cluster.seated = dict.fromkeys(cluster.seated, other)
    cluster.report(other)
    assert cluster.directory.calls_by_tenant == {"acme": 3}
    assert cluster.call() is None
    assert cluster.stocks["r0"].take("call 1", now=cluster.now, avoid=lost), "moved calls go on"


def test_a_new_directory_knows_the_calls_once_actors_have_reported() -> None:
    cluster = Cluster()
    for _ in range(3):
        call_id = cluster.call()
        assert call_id is not None
        cluster.sit(call_id)
    cluster.rounds()
    cluster.directory = Directory(DirectoryConfig(), term=1)
    assert cluster.call() is None, "nobody has reported"
    cluster.report("a0")
    cluster.report("a1")
    assert cluster.call() is None
    cluster.seated.popitem()
    cluster.rounds()
    assert cluster.call() is not None


def test_while_the_directory_is_away_what_it_said_was_left_is_let_in() -> None:
    cluster = Cluster()
    assert cluster.call()
    cluster.rounds()
    stock = cluster.stocks["r0"]
    stock.directory_away()
    admitted = [stock.tenants.claim(f"away {n}", ACME, now=0.0) for n in range(4)]
    assert admitted == [True, True, False, False]


def test_a_directory_of_an_older_release_limits_nothing() -> None:
    stock = LeaseStock()
    stock.granted(Grants({"a": 2}, ("a",)))
    assert stock.tenants.has_one(ACME, waited=False)
    assert stock.tenants.claim("call", ACME, now=0.0)


def test_who_comes_later_takes_no_lease_of_one_who_waits() -> None:
    stock = LeaseStock()
    stock.tenants.waits(ACME, 1)
    stock.granted(Grants({"a": 9}, ("a",), counts_tenants=True, tenant_granted={"acme": 1}))
    assert not stock.tenants.has_one(ACME, waited=False)
    assert stock.tenants.has_one(ACME, waited=True)


class Way:
    """``DirectoryPort`` to a directory that may hang or be away."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.hangs = False

    async def sync(self, report: dict[str, Any]) -> dict[str, Any]:
        if self.hangs:
            await asyncio.sleep(3.0)
            raise DirectoryAwayError("no answer")
        await asyncio.sleep(0.005)
        now = asyncio.get_running_loop().time()
        return self.directory.sync(ReplicaSync.from_plain(report), now=now).to_plain()

    async def find_again(self) -> None:
        """It is the same one."""

    async def meet(self, alive: tuple[str, ...]) -> None:
        """Nothing to prepare."""


async def _admitted(leases: LeaseSync, stock: LeaseStock, call_id: str) -> bool:
    await leases.wait_for_slot(ACME)
    now = asyncio.get_running_loop().time()
    return stock.tenants.claim(call_id, ACME, now=now)


def test_callers_at_once_share_one_round_and_no_more_than_the_limit_come_in() -> None:
    async def scene() -> None:
        loop, directory = asyncio.get_running_loop(), Directory(DirectoryConfig())
        directory.actor_reported("a", capacity=50, active=0, now=loop.time())
        directory.tenants_reported("a", {}, (), now=loop.time())
        stock, way = LeaseStock(), Way(directory)
        leases = LeaseSync(stock, way, "r", 50, lambda: 0)
        await leases.once()
        running = loop.create_task(leases.run())
        began = loop.time()
        calls = (_admitted(leases, stock, f"call {n}") for n in range(9))
        assert sum(await asyncio.gather(*calls)) == 3
        assert loop.time() - began < 0.1, "who is over the limit does not wait in vain"
        running.cancel()

    virtual_time.run(scene())


def test_a_slot_that_came_free_is_for_tenants_with_a_limit_too() -> None:
    """That nothing is left holds for a moment, in which they were refused what others got."""

    async def scene() -> None:
        loop, directory = asyncio.get_running_loop(), Directory(DirectoryConfig())

        def report(active: int) -> None:
            directory.actor_reported("a", capacity=1, active=active, now=loop.time())
            directory.tenants_reported("a", {"other": active}, (), now=loop.time())

        report(1)
        stock, way = LeaseStock(), Way(directory)
        leases = LeaseSync(stock, way, "r", 50, lambda: 0)
        await leases.once()
        running = loop.create_task(leases.run())
        await leases.wait_for_slot()
        assert not stock.free
        report(0)
        await leases.once()
        assert stock.free
        assert await _admitted(leases, stock, "call")
        running.cancel()

    virtual_time.run(scene())


class Queue(Way):
    """A directory that always says: there are slots, in other stocks."""

    async def sync(self, report: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0.005)
        return Grants({}, ("a",), left=1, counts_tenants=True, tenant_calls={"acme": 2}).to_plain()


@pytest.mark.parametrize("limit", [None, ACME])
def test_who_waits_in_vain_for_a_seat_lets_nobody_in_without_a_lease(
    limit: TenantLimit | None,
) -> None:
    """The directory has answered all the time: what is left is its to give."""

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        stock = LeaseStock()
        leases = LeaseSync(stock, Queue(Directory(DirectoryConfig())), "r", 50, lambda: 0)
        await leases.once()
        running = loop.create_task(leases.run())
        began = loop.time()
        await leases.wait_for_slot(limit)
        if limit is None:
            assert loop.time() - began == pytest.approx(SLOT_WITHIN_S)
        assert not stock.tenants.has_one(ACME, waited=True)
        assert not stock.tenants.claim("without a lease", ACME, now=loop.time())
        running.cancel()

    virtual_time.run(scene())


def test_a_directory_that_hangs_keeps_nobody_longer_than_any_caller() -> None:
    async def scene() -> None:
        loop, directory = asyncio.get_running_loop(), Directory(DirectoryConfig())
        directory.actor_reported("a", capacity=50, active=0, now=loop.time())
        stock, way = LeaseStock(), Way(directory)
        leases = LeaseSync(stock, way, "r", 50, lambda: 0)
        await leases.once()
        way.hangs = True
        running = loop.create_task(leases.run())
        began = loop.time()
        assert await _admitted(leases, stock, "call")
        assert loop.time() - began <= SLOT_WITHIN_S + 0.01
        running.cancel()

    virtual_time.run(scene())


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.integers(0, 1)),
        st.tuples(st.just("sync"), st.integers(0, 1)),
        st.tuples(st.just("report"), st.integers(0, 1)),
        st.tuples(st.sampled_from(["sit", "end", "hang_up"]), st.integers(0, 9)),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(limit=st.integers(1, 5), steps=STEPS)
def test_no_order_of_reports_exceeds_the_limit_or_makes_the_count_drift(
    limit: int, steps: list[tuple[str, int]]
) -> None:
    cluster = Cluster(TenantLimit("acme", limit))
    for what, which in steps:
        cluster.now += 0.01
        match what:
            case "call":
                cluster.call(f"r{which}")
            case "sync":
                cluster.sync(f"r{which}")
            case "report":
                cluster.report(f"a{which}")
            case "sit" if cluster.coming:
                cluster.sit(sorted(cluster.coming)[which % len(cluster.coming)])
            case "end" if cluster.seated:
                del cluster.seated[sorted(cluster.seated)[which % len(cluster.seated)]]
            case "hang_up" if cluster.coming:
                del cluster.coming[sorted(cluster.coming)[which % len(cluster.coming)]]
        assert cluster.in_progress <= limit
    cluster.rounds()
    cluster.now += SPENT_COUNTS_S  # nobody is on the way any more
    cluster.coming.clear()
    cluster.rounds()
    assert cluster.directory.calls_by_tenant.get("acme", 0) == len(cluster.seated)
    more = sum(cluster.call(f"r{n % 2}") is not None for n in range(limit + 1))
    assert more == limit - len(cluster.seated)
