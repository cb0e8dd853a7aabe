"""The directory of CallActors: who is alive, and who may place how many calls where.

Rules
1. A CallActor has a capacity and a number of seats taken; both come from its own reports.
2. An ingress replica holds *leases*: the right to place so many calls on that actor. It spends them
   without asking; it asks when it has none.
3. A slot is granted once: free = capacity - seats taken - leases held - calls on their way. Actors
   and replicas report by the call's id and in any order: a call counts in exactly one of these
   (``actors.seat_ledger``), and in none once it is over and its actor has said so.
4. The ears of all replicas together are counted alike: what they carry - calls they have - leases
   held - new calls whose stream has not come yet. No more is granted for new calls than both allow.
   A call that lost its actor has its ear already.
5. A replica that is silent for ``REPLICA_SILENT_S`` (or for so many times as long as it was told
   to wait) has lost its leases. It may still use them.
6. When slots run short, they are divided (``actors.lease_shares``): callers who wait come first.
   What a replica has too much of is taken back with a negative grant. It counts as held until the
   replica itself reports that it is gone, so that a lost answer promises nothing twice.
7. An actor under suspicion (somebody got no answer) is neither granted nor shown as alive until it
   has reported again.
8. New actors are wanted as soon as fewer slots are unused (leases in stock count as unused) than
   may fill up while one starts: a quarter of an actor, or what ``AHEAD_S`` of calls like those of
   the last seconds take, if that is more. Never more actors than a maximum. An empty
   actor beyond the minimum is retired after ``IDLE_ACTOR_S``, unless it is that reserve.
9. More replicas report less often, and more actors are asked less often, so that one directory can
   hear them all; a replica that runs short asks at once all the same.

10. When something newer is deployed, its actors take the place of the others one by one
   (``actors.release_book``), and likewise when their node is drained; who is retired gets no calls,
   and is let go once it is empty.
11. A tenant with a limit has leases of its own, beside those on seats (``actors.tenant_book``).

More than the capacity is promised in these cases only; then the CallActor (or the full replica)
refuses what is too much, which is one more question:
- a call whose stream comes later than ``SPENT_COUNTS_S`` after its lease was told: until it sits;
- a call that sits down without a lease (a stream that comes back to an actor or a replica that has
  not got the call any more): until that is reported, and its seat is set off for
  ``SPENT_COUNTS_S``;
- a replica that died or was silent (rule 5), and leases spent while the directory was away;
- a directory that was started again, which hears everybody first (``actors.roll_call``): calls of
  which the one before was told, until they sit; and who was not heard in time, until he is.

The machine reads no clock and does no I/O; ``now`` is loop time in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from actors.lease_shares import divide
from actors.release_book import ReleaseBook
from actors.replica_book import ReplicaBook, ReplicaEntry
from actors.roll_call import RollCall
from actors.seat_book import SeatBook
from actors.seat_ledger import SeatLedger
from actors.tenant_book import TenantBook
from actors.wire import Grants, ReplicaSync

REPLICA_SILENT_S = 6.0
SYNC_EVERY_S = 1.0
SYNCS_A_SECOND = 200  # that one directory answers without falling behind, and twice the questions
ASK_EVERY_S = 0.5
AHEAD_S = 4.0  # a CallActor starts in two or three seconds
RATE_OVER_S = 10.0
IDLE_ACTOR_S = 120.0


@dataclass(frozen=True, slots=True)
class DirectoryConfig:
    """How many actors of which size.

    Attributes:
        calls_per_actor: Capacity of each CallActor.
        min_actors: Actors that are always there.
        max_actors: Never more than these.
    """

    calls_per_actor: int = 50
    min_actors: int = 1
    max_actors: int = 1_000


class Directory:
    """The machine; see the rules at the top of this file.

    Args:
        config: How many actors of which size.
        term: Larger after each restart, 0 or more: what replicas know from an earlier one is old.
    """

    def __init__(self, config: DirectoryConfig, *, term: int = 0) -> None:
        self._config = config
        self._seats = SeatBook(term)
        self._replicas = ReplicaBook(self._seats)
        self._ears = SeatLedger()
        self._tenants = TenantBook()
        self._calls_per_s = self._rated_at = 0.0
        self._roll = RollCall()
        self._releases = ReleaseBook(self._seats, self._roll)

    @property
    def release(self) -> str:
        """What is deployed; empty while nobody has said."""
        return self._releases.release

    @property
    def current(self) -> int:
        """How many actors there are of what is deployed."""
        return self._releases.current

    def found(self, names: Collection[str], *, now: float) -> None:
        """These CallActors were there before this directory, which was started again."""
        self._roll.found(names, now=now)

    def is_settled(self, *, now: float) -> bool:
        """Whether enough of a cluster that was there before is known; see ``actors.roll_call``."""
        return self._roll.is_over(now=now)

    def deployed(self, config: DirectoryConfig, release: str) -> bool:
        """This is deployed now; False when it was known, or something newer is."""
        is_new = self._releases.deployed(release)
        if is_new:
            self._config = config
        return is_new

    def nodes_drained(self, nodes: Collection[str], *, now: float) -> None:
        """These nodes, by id, are drained and no others; asked about once a second."""
        least, most = self._config.min_actors, self._config.max_actors
        self._releases.drained(nodes, now=now, least=least, most=most)

    @property
    def calls_by_node(self) -> dict[str, int]:
        """Calls whose stream is up, by the node of their actor."""
        found: dict[str, int] = {}
        for _, entry in self._seats:
            found[entry.node] = found.get(entry.node, 0) + entry.active
        return found

    @property
    def actor_names(self) -> tuple[str, ...]:
        """Every CallActor that is alive."""
        return self._seats.names

    def actor_reported(  # noqa: PLR0913 - what each is for stands below
        self,
        name: str,
        *,
        capacity: int,
        active: int,
        now: float,
        taken: int | None = None,
        recent: Iterable[str] = (),
        release: str = "",
        node: str = "",
    ) -> None:
        """Take an actor's own numbers; an unknown actor is welcome.

        Args:
            name: Of the actor.
            capacity: Its seats.
            active: Calls whose stream is up.
            now: Loop time, s.
            taken: Seats taken: active calls and those that wait for their stream to come back.
                None for an actor that does not say: then the active ones.
            recent: Ids of the calls that took a seat in the last ten seconds or so.
            release: What it was started from.
            node: Id of the node that it runs on; empty when it does not say.
        """
        entry = self._seats.get(name)
        is_first = entry is None
        if entry is None:
            entry = self._replicas.welcome(name)
        entry.capacity, entry.active = capacity, active
        entry.taken = active if taken is None else taken
        entry.ledger.forget_old(now=now)
        if entry.ledger.seated(recent, now=now, is_first=is_first):
            self._seats.expect_change(name, now=now)
        if entry.taken or entry.ledger.on_way:
            entry.empty_since = None
        elif entry.empty_since is None:
            entry.empty_since = now
        self._seats.suspect(name, suspect=False)
        self._seats.changed(name)
        entry.release, entry.node = release, node
        if self._roll.heard(name):
            self._releases.all_heard()
        least, most = self._config.min_actors, self._config.max_actors
        self._releases.reported(entry, least=least, most=most, now=now)

    def tenants_reported(
        self, name: str, taken: Mapping[str, int], recent: Iterable[str], *, now: float
    ) -> None:
        """Take an actor's seats taken by tenant, and ``recent`` as in ``actor_reported``."""
        self._tenants.actor_reported(name, taken, recent, now=now)

    def actor_suspected(self, name: str) -> None:
        """Somebody got no answer from it: nothing is placed there until it reports again."""
        if name in self._seats:
            self._seats.suspect(name, suspect=True)

    def actor_lost(self, name: str) -> None:
        """The actor does not answer any more: nothing is placed there again."""
        self._replicas.part_with(name)
        self._tenants.actor_lost(name)
        if self._roll.heard(name):
            self._releases.all_heard()

    def sync(self, report: ReplicaSync, *, now: float) -> Grants:
        """Take a replica's report and grant it what it wants, as far as there is room."""
        self.heard(report, now=now)
        return self.answer(report)

    def heard(self, report: ReplicaSync, *, now: float) -> None:
        """Take a replica's report; ``answer`` comes at once or, at the start, a little later."""
        self._seats.forget_old(now=now)
        self._ears.forget_old(now=now)
        self._take_spent(report, now)
        self._rate(len(report.placed), now)
        is_first = report.replica_id not in self._replicas
        self._ears.seated(report.begun, now=now, is_first=is_first)
        self._replicas.heard(report, now=now)
        silent_since = now - REPLICA_SILENT_S * self._sync_every_s / SYNC_EVERY_S
        self._replicas.forget_silent(silent_since)
        self._tenants.forget_silent(silent_since)
        self._tenants.heard(report, now=now)

    def answer(self, report: ReplicaSync) -> Grants:
        """Grant a replica what it wants by the report that was taken last, within seconds."""
        replica = self._replicas.of(report.replica_id)
        tenant_granted = self._tenants.grant(report)
        division = divide(
            replica.demand,
            self._replicas.demand,
            self._replicas.demands(),
            seats=self._seats.free,
            ears=self._free_ears(),
        )
        granted = self._grant(replica, division.grant)
        granted = granted or self._take_back(replica, division.take_back)
        known = report.knows == self._seats.version
        return Grants(
            granted=granted,
            alive=() if known else self._seats.alive,
            alive_version=self._seats.version,
            every_ms=round(1_000 * self._sync_every_s),
            active_calls=self._seats.active,
            capacity=self.capacity,
            left=division.left,
            retired=() if known else self._seats.retired,
            release=self.release,
            counts_tenants=True,
            tenant_granted=tenant_granted,
            tenant_calls=self._tenants.used(),
            minds=self._seats.capacity,
            on_way=self._ears.on_way,
        )

    @property
    def calls_by_tenant(self) -> dict[str, int]:
        """Calls in progress, and those with a limit on their way, of every tenant with any."""
        return self._tenants.calls()

    @property
    def capacity(self) -> int:
        """Calls the cluster can carry at once, by minds and by ears."""
        minds = self._seats.capacity
        return min(minds, self._replicas.ears) if len(self._replicas) else minds

    def wanted_actors(self) -> int:
        """How many more CallActors should be started now."""
        alive = self.current
        config = self._config
        missing = max(0, self._releases.pool_size(config.min_actors, config.max_actors) - alive)
        short = self._reserve - self._seats.unused
        if not missing and alive and short > 0:
            missing = math.ceil(short / self._config.calls_per_actor)
        return min(missing, max(0, self._config.max_actors - alive))

    def idle_actors(self, *, now: float) -> list[str]:
        """Retired actors that can be let go: empty, and nobody can be on the way there any more.

        One that is empty for long, beyond the minimum and not needed as reserve, is retired first:
        replicas have leases on it in stock.
        """
        if gone := self._releases.gone(now=now):
            return gone
        spare = self.current - self._config.min_actors
        if spare < 1 or self._seats.unused - self._config.calls_per_actor < self._reserve:
            return []
        for name, entry in self._seats:
            if (
                entry.is_open
                and entry.empty_since is not None
                and now - entry.empty_since >= IDLE_ACTOR_S
            ):
                self._seats.retire(name, now=now)
                break
        return []

    @property
    def unused(self) -> int:
        """Slots that no call has, and none is on its way to; leases in stock count as unused."""
        ears = self._replicas.room - self._ears.on_way
        return max(0, min(self._seats.unused, ears))

    @property
    def ask_every_s(self) -> float:
        """How often each actor is to be asked how it is."""
        return max(ASK_EVERY_S, len(self._seats) / (2 * SYNCS_A_SECOND))

    @property
    def _sync_every_s(self) -> float:
        return max(SYNC_EVERY_S, len(self._replicas) / SYNCS_A_SECOND)

    @property
    def _reserve(self) -> int:
        ahead = math.ceil(self._calls_per_s * AHEAD_S)
        return max(1, self._config.calls_per_actor // 4, ahead)

    def _take_spent(self, report: ReplicaSync, now: float) -> None:
        """Every call on which the replica has spent a lease is on its way."""
        named: dict[str, int] = {}
        for call_id, name in report.placed.items():
            named[name] = named.get(name, 0) + 1
            self._ears.spent(call_id, now=now)
            self._spent(name, call_id, now)
        for call_id, name in report.moved.items():
            named[name] = named.get(name, 0) + 1
            self._spent(name, call_id, now)
        for name, count in report.used.items():
            unnamed = count - named.get(name, 0)
            entry = self._seats.get(name)
            if unnamed > 0 and entry is not None:
                self._ears.spent_unnamed(unnamed, now=now)
                entry.ledger.spent_unnamed(unnamed, now=now)
                self._seats.expect_change(name, now=now)
                self._seats.changed(name)

    def _rate(self, calls: int, now: float) -> None:
        """New calls a second; those of the last seconds count most."""
        self._calls_per_s *= math.exp((self._rated_at - now) / RATE_OVER_S)
        self._calls_per_s += calls / RATE_OVER_S
        self._rated_at = now

    def _spent(self, name: str, call_id: str, now: float) -> None:
        entry = self._seats.get(name)
        if entry is not None:
            entry.ledger.spent(call_id, now=now)
            self._seats.expect_change(name, now=now)
            self._seats.changed(name)

    def _free_ears(self) -> int:
        """Calls that the replicas can still carry, beside those that are promised."""
        return self._replicas.room - self._ears.owed(self._replicas.demand.in_hand)

    def _grant(self, replica: ReplicaEntry, count: int) -> dict[str, int]:
        """``count`` slots, of the actor that has most of them, one by one."""
        granted: dict[str, int] = {}
        for _ in range(count):
            name = self._seats.emptiest()
            if name is None:
                break
            granted[name] = granted.get(name, 0) + 1
            self._replicas.granted(replica, name)
        return granted

    def _take_back(self, replica: ReplicaEntry, count: int) -> dict[str, int]:
        """Negative grants: ``count`` slots, those of the fullest actor first.

        Leases on an actor that has promised too much are worth nothing and go in any case.
        """
        taken: dict[str, int] = {}
        held: dict[str, int] = {}
        for name, slots in replica.held.items():
            entry = self._seats.get(name)
            if entry is not None:
                held[name] = slots
                if entry.balance < 0:
                    taken[name] = min(slots, -entry.balance)
        for _ in range(count - sum(taken.values())):
            name = max(held, key=lambda item: held[item] - taken.get(item, 0))
            taken[name] = taken.get(name, 0) + 1
        return {name: -number for name, number in taken.items()}
