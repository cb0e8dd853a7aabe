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
5. A replica that is silent for ``REPLICA_SILENT_S`` has lost its leases. It may still use them.
6. When slots run short, they are divided (``actors.lease_shares``): callers who wait come first.
   What a replica has too much of is taken back with a negative grant. It counts as held until the
   replica itself reports that it is gone, so that a lost answer promises nothing twice.
7. An actor under suspicion (somebody got no answer) is neither granted nor shown as alive until it
   has reported again.
8. A new actor is wanted as soon as fewer slots than a quarter of an actor are unused (leases in
   stock count as unused), up to a maximum: that is what may fill up while one starts. An empty
   actor beyond the minimum is let go after ``IDLE_ACTOR_S``, unless it is that reserve.

More than the capacity is promised in these cases only; then the CallActor (or the full replica)
refuses what is too much, which is one more question:
- a call whose stream comes later than ``SPENT_COUNTS_S`` after its lease was told: until it sits;
- a call that sits down without a lease (a stream that comes back to an actor or a replica that has
  not got the call any more): until that is reported, and its seat is set off for
  ``SPENT_COUNTS_S``;
- a replica that died or was silent (rule 5), and leases spent while the directory was away;
- a directory that was started again: until every actor and every replica has reported once.

The machine reads no clock and does no I/O; ``now`` is loop time in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from actors.lease_shares import Demand, divide
from actors.seat_ledger import SeatLedger
from actors.wire import Grants, ReplicaSync

REPLICA_SILENT_S = 6.0
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


@dataclass(slots=True)
class _ActorEntry:
    capacity: int = 0
    active: int = 0
    taken: int = 0
    ledger: SeatLedger = field(default_factory=SeatLedger)
    empty_since: float | None = None
    suspect: bool = False

    @property
    def unused(self) -> int:
        return max(0, self.capacity - self.taken - self.ledger.on_way)


@dataclass(slots=True)
class _ReplicaEntry:
    active: int
    maximum: int
    held: dict[str, int]
    want: int
    waiting: int
    moving: int
    seen_at: float


class Directory:
    """The machine; see the rules at the top of this file."""

    def __init__(self, config: DirectoryConfig) -> None:
        self._config = config
        self._actors: dict[str, _ActorEntry] = {}
        self._replicas: dict[str, _ReplicaEntry] = {}
        self._ears = SeatLedger()

    @property
    def actor_names(self) -> tuple[str, ...]:
        """Every CallActor that is alive."""
        return tuple(self._actors)

    def actor_reported(
        self,
        name: str,
        *,
        capacity: int,
        active: int,
        now: float,
        taken: int | None = None,
        recent: Iterable[str] = (),
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
        """
        is_first = name not in self._actors
        entry = self._actors.setdefault(name, _ActorEntry())
        entry.capacity, entry.active, entry.suspect = capacity, active, False
        entry.taken = active if taken is None else taken
        entry.ledger.forget_old(now=now)
        entry.ledger.seated(recent, now=now, is_first=is_first)
        if entry.taken or entry.ledger.on_way:
            entry.empty_since = None
        elif entry.empty_since is None:
            entry.empty_since = now

    def actor_suspected(self, name: str) -> None:
        """Somebody got no answer from it: nothing is placed there until it reports again."""
        if name in self._actors:
            self._actors[name].suspect = True

    def actor_lost(self, name: str) -> None:
        """The actor does not answer any more: nothing is placed there again."""
        self._actors.pop(name, None)
        for replica in self._replicas.values():
            replica.held.pop(name, None)

    def sync(self, report: ReplicaSync, *, now: float) -> Grants:
        """Take a replica's report and grant it what it wants, as far as there is room."""
        for entry in self._actors.values():
            entry.ledger.forget_old(now=now)
        self._ears.forget_old(now=now)
        self._take_spent(report, now)
        is_first = report.replica_id not in self._replicas
        self._ears.seated(report.begun, now=now, is_first=is_first)
        self._replicas[report.replica_id] = _ReplicaEntry(
            active=max(0, report.active_calls),
            maximum=max(0, report.max_calls),
            held={name: count for name, count in report.held.items() if count > 0},
            want=max(0, report.want),
            waiting=max(0, report.waiting),
            moving=max(0, report.moving),
            seen_at=now,
        )
        self._forget_silent_replicas(now)
        replica = self._replicas[report.replica_id]
        others = [self._demand(r) for r in self._replicas.values() if r is not replica]
        seats = sum(self._free(name) for name in self._actors)
        division = divide(self._demand(replica), others, seats=seats, ears=self._free_ears())
        granted = self._grant(division.grant)
        for name, count in granted.items():
            replica.held[name] = replica.held.get(name, 0) + count
        granted = granted or self._take_back(replica, division.take_back)
        return Grants(
            granted=granted,
            alive=tuple(name for name, entry in self._actors.items() if not entry.suspect),
            active_calls=sum(entry.active for entry in self._actors.values()),
            capacity=self.capacity,
            left=division.left,
        )

    @property
    def capacity(self) -> int:
        """Calls the cluster can carry at once, by minds and by ears."""
        minds = sum(entry.capacity for entry in self._actors.values())
        ears = sum(replica.maximum for replica in self._replicas.values())
        return min(minds, ears) if self._replicas else minds

    def wanted_actors(self) -> int:
        """How many more CallActors should be started now."""
        alive = len(self._actors)
        missing = max(0, self._config.min_actors - alive)
        if not missing and alive and self._unused_total() < self._reserve:
            missing = 1
        return min(missing, max(0, self._config.max_actors - alive))

    def idle_actors(self, *, now: float) -> list[str]:
        """Actors that can be let go: empty for long, beyond the minimum, not needed as reserve."""
        spare = len(self._actors) - self._config.min_actors
        idle = [
            name
            for name, entry in self._actors.items()
            if entry.empty_since is not None and now - entry.empty_since >= IDLE_ACTOR_S
        ]
        if self._unused_total() - self._config.calls_per_actor < self._reserve:
            return []
        return idle[: max(0, min(spare, 1))]

    @property
    def _reserve(self) -> int:
        return max(1, self._config.calls_per_actor // 4)

    def _unused_total(self) -> int:
        return sum(entry.unused for entry in self._actors.values() if not entry.suspect)

    def _take_spent(self, report: ReplicaSync, now: float) -> None:
        """Every call on which the replica has spent a lease is on its way."""
        named: dict[str, int] = {}
        for call_id, name in report.placed.items():
            named[name] = named.get(name, 0) + 1
            self._ears.spent(call_id, now=now)
            if name in self._actors:
                self._actors[name].ledger.spent(call_id, now=now)
        for call_id, name in report.moved.items():
            named[name] = named.get(name, 0) + 1
            if name in self._actors:
                self._actors[name].ledger.spent(call_id, now=now)
        for name, count in report.used.items():
            unnamed = count - named.get(name, 0)
            if unnamed > 0 and name in self._actors:
                self._ears.spent_unnamed(unnamed, now=now)
                self._actors[name].ledger.spent_unnamed(unnamed, now=now)

    def _in_hand(self, replica: _ReplicaEntry) -> int:
        return sum(count for name, count in replica.held.items() if name in self._actors)

    def _demand(self, replica: _ReplicaEntry) -> Demand:
        in_hand = self._in_hand(replica)
        return Demand(in_hand, replica.want, replica.waiting, replica.moving)

    @property
    def unused(self) -> int:
        """Slots that no call has, and none is on its way to; leases in stock count as unused."""
        seats = sum(entry.unused for entry in self._actors.values() if not entry.suspect)
        ears = sum(replica.maximum - replica.active for replica in self._replicas.values())
        return max(0, min(seats, ears - self._ears.on_way))

    def _balance(self, name: str) -> int:
        """Slots of an actor that are nobody's; negative when too many are promised."""
        entry = self._actors[name]
        held = sum(replica.held.get(name, 0) for replica in self._replicas.values())
        return entry.capacity - entry.taken - entry.ledger.owed(held)

    def _free(self, name: str) -> int:
        return 0 if self._actors[name].suspect else max(0, self._balance(name))

    def _free_ears(self) -> int:
        """Calls that the replicas can still carry, beside those that are promised."""
        room = sum(replica.maximum - replica.active for replica in self._replicas.values())
        return room - self._ears.owed(sum(map(self._in_hand, self._replicas.values())))

    def _grant(self, count: int) -> dict[str, int]:
        """``count`` slots, of the actor that has most of them, one by one."""
        free = {name: self._free(name) for name in self._actors}
        granted: dict[str, int] = {}
        for _ in range(count):
            name = max(free, key=lambda item: free[item], default=None)
            if name is None or free[name] <= 0:
                break
            free[name] -= 1
            granted[name] = granted.get(name, 0) + 1
        return granted

    def _take_back(self, replica: _ReplicaEntry, count: int) -> dict[str, int]:
        """Negative grants: ``count`` slots, those of the fullest actor first.

        Leases on an actor that has promised too much are worth nothing and go in any case.
        """
        held = {name: slots for name, slots in replica.held.items() if name in self._actors}
        over = {name: min(held[name], max(0, -self._balance(name))) for name in held}
        taken = {name: over[name] for name in held if over[name]}
        for _ in range(count - sum(taken.values())):
            name = max(held, key=lambda item: held[item] - taken.get(item, 0))
            taken[name] = taken.get(name, 0) + 1
        return {name: -number for name, number in taken.items()}

    def _forget_silent_replicas(self, now: float) -> None:
        for replica_id, entry in list(self._replicas.items()):
            if now - entry.seen_at > REPLICA_SILENT_S:
                del self._replicas[replica_id]
