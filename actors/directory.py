"""The directory of CallActors: who is alive, and who may place how many calls where.

Rules
1. A CallActor has a capacity and a number of calls; both come from its own reports.
2. An ingress replica holds *leases*: the right to place so many calls on that actor. It spends them
   without asking, so that no call waits for the directory.
3. A slot is granted once: free = capacity - calls - leases held by replicas - leases just spent.
   A spent lease counts until the actor's own report shows one call more, at most
   ``SPENT_COUNTS_S``.
4. A replica that is silent for ``REPLICA_SILENT_S`` has lost its leases. It may still use them: the
   CallActor refuses what is over its capacity, so the worst case is one more question.
5. The sum of all slots never exceeds what the ingress replicas can carry.
6. When slots run short, each replica may hold its even share of them and no more: what it has too
   much of is taken back with a negative grant, for those that have less. A replica without a slot
   would refuse callers while others sit on free ones.
7. An actor under suspicion (somebody got no answer) is neither granted nor shown as alive until it
   has reported again.
8. A new actor is wanted as soon as fewer slots than a quarter of an actor are unused (leases in
   stock count as unused), up to a maximum: that is what may fill up while one starts. An empty
   actor beyond the minimum is let go after ``IDLE_ACTOR_S``, unless it is that reserve.

The machine reads no clock and does no I/O; ``now`` is loop time in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from actors.wire import Grants, ReplicaSync

REPLICA_SILENT_S = 6.0
SPENT_COUNTS_S = 5.0
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
    capacity: int
    active: int = 0
    spent: list[tuple[float, int]] = field(default_factory=list)
    empty_since: float | None = None
    suspect: bool = False


@dataclass(slots=True)
class _ReplicaEntry:
    active: int
    maximum: int
    held: dict[str, int]
    want: int
    seen_at: float

    @property
    def in_hand(self) -> int:
        return sum(self.held.values())


class Directory:
    """The machine; see the rules at the top of this file."""

    def __init__(self, config: DirectoryConfig) -> None:
        self._config = config
        self._actors: dict[str, _ActorEntry] = {}
        self._replicas: dict[str, _ReplicaEntry] = {}

    @property
    def actor_names(self) -> tuple[str, ...]:
        """Every CallActor that is alive."""
        return tuple(self._actors)

    def actor_reported(self, name: str, *, capacity: int, active: int, now: float) -> None:
        """Take an actor's own numbers; an unknown actor is welcome."""
        entry = self._actors.setdefault(name, _ActorEntry(capacity))
        shown = max(0, active - entry.active)
        entry.capacity, entry.active, entry.suspect = capacity, active, False
        entry.spent = _still_unseen(entry.spent, shown, now)
        if active or entry.spent:
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
        for name, count in report.used.items():
            if count > 0 and name in self._actors:
                self._actors[name].spent.append((now, count))
        self._replicas[report.replica_id] = _ReplicaEntry(
            active=max(0, report.active_calls),
            maximum=max(0, report.max_calls),
            held={n: c for n, c in report.held.items() if n in self._actors and c > 0},
            want=max(0, report.want),
            seen_at=now,
        )
        self._forget_silent_replicas(now)
        replica = self._replicas[report.replica_id]
        share = self._even_share()
        missing = max(0, min(replica.want, share) - replica.in_hand)
        granted = self._grant(min(missing, self._ingress_room()))
        if not granted:
            granted = self._take_back(replica, share)
        for name, count in granted.items():
            replica.held[name] = replica.held.get(name, 0) + count
        return Grants(
            granted=granted,
            alive=tuple(name for name, entry in self._actors.items() if not entry.suspect),
            active_calls=sum(entry.active for entry in self._actors.values()),
            capacity=self.capacity,
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
        return sum(
            max(0, entry.capacity - entry.active - sum(count for _, count in entry.spent))
            for entry in self._actors.values()
            if not entry.suspect
        )

    def _free(self, name: str) -> int:
        entry = self._actors[name]
        if entry.suspect:
            return 0
        held = sum(replica.held.get(name, 0) for replica in self._replicas.values())
        spent = sum(count for _, count in entry.spent)
        return max(0, entry.capacity - entry.active - held - spent)

    def _free_total(self) -> int:
        return sum(self._free(name) for name in self._actors)

    def _ingress_room(self) -> int:
        room = sum(r.maximum - r.active - r.in_hand for r in self._replicas.values())
        spent = sum(count for entry in self._actors.values() for _, count in entry.spent)
        return max(0, room - spent)

    def _grant(self, count: int) -> dict[str, int]:
        free = {name: self._free(name) for name in self._actors}
        granted: dict[str, int] = {}
        for _ in range(count):
            name = max(free, key=lambda item: free[item], default=None)
            if name is None or free[name] <= 0:
                break
            free[name] -= 1
            granted[name] = granted.get(name, 0) + 1
        return granted

    def _even_share(self) -> int:
        """Slots that one replica may hold when all want more than there is."""
        held = sum(replica.in_hand for replica in self._replicas.values())
        return max(1, (self._free_total() + held) // max(1, len(self._replicas)))

    def _take_back(self, replica: _ReplicaEntry, share: int) -> dict[str, int]:
        """Negative grants: what ``replica`` holds beyond its share and others are short of."""
        short = sum(
            max(0, min(other.want, share) - other.in_hand)
            for other in self._replicas.values()
            if other is not replica
        )
        held = dict(replica.held)
        for _ in range(min(replica.in_hand - share, short - self._free_total())):
            held[max(held, key=lambda item: held[item])] -= 1
        return {
            name: held[name] - count for name, count in replica.held.items() if held[name] != count
        }

    def _forget_silent_replicas(self, now: float) -> None:
        for replica_id, entry in list(self._replicas.items()):
            if now - entry.seen_at > REPLICA_SILENT_S:
                del self._replicas[replica_id]


def _still_unseen(
    spent: list[tuple[float, int]], shown: int, now: float
) -> list[tuple[float, int]]:
    """Spent leases, oldest first, without what ``shown`` calls account for and what is old."""
    left = []
    for at, count in spent:
        seen = min(count, shown)
        shown -= seen
        if count > seen and now - at < SPENT_COUNTS_S:
            left.append((at, count - seen))
    return left
