"""Which ingress replicas live, and whose calls must be taken from one that does not.

Rules
1. A replica beats about twice a second and says which calls it has. Its lease lasts ``LEASE_S``
   from its latest beat; then it hangs, whatever else of it still seems to live. One without calls
   keeps nobody waiting and may only be starting on a busy machine: it has ``IDLE_LEASE_S``.
   For the last ``DOUBTED_FOR_S`` of it the replica is asked at its own port: one that answers
   there lives, and its lease begins anew. Beats go through Ray, which may be late where a machine
   starts processes; the port is served by the loop that carries the calls.
2. A call belongs to the replica that told its newest epoch. What an older owner says of it, or does
   not say any more, changes nothing.
3. Who was late himself judges nobody: when two looks are ``LATE_S`` apart, all leases begin anew.
4. When no replica at all beats, it is we who hear nothing, or nobody is left who could take the
   calls: nothing is done.
5. A replica that goes says so, and takes its calls out of our books.
6. A watch that has just begun knows only those who have beaten: it asks each for its calls.
7. A replica that has a call which another one has told under a newer epoch is told so until it has
   let it go: two must never speak.

Synchronous; ``now`` is loop time in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

LEASE_S = 2.0
IDLE_LEASE_S = 6.0
DOUBTED_FOR_S = 0.8
LATE_S = 0.75
OWNERS_KEPT_S = 60.0  # of calls whose replica is gone: until somebody newer has them


@dataclass(frozen=True, slots=True)
class ReplicaPlace:
    """Where a replica runs: the id of its node, and its process there."""

    node: str
    pid: int


@dataclass(frozen=True, slots=True)
class WatchedCall:
    """A call as its replica tells it.

    Attributes:
        epoch: Under which the replica has it.
        claims: What the next ``action`` token of the call has to say; plain data.
    """

    call_id: str
    call_sid: str
    epoch: tuple[int, int]
    claims: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LostReplica:
    """A replica whose lease has ended, and the calls that were its own."""

    replica_id: str
    place: ReplicaPlace
    calls: tuple[WatchedCall, ...]


@dataclass(slots=True)
class _Replica:
    place: ReplicaPlace
    seen_at: float
    calls: dict[str, WatchedCall] = field(default_factory=dict)
    overtaken: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def lease_s(self) -> float:
        return LEASE_S if self.calls else IDLE_LEASE_S

    def is_silent(self, now: float) -> bool:
        return now - self.seen_at > self.lease_s

    def is_doubtful(self, now: float) -> bool:
        return now - self.seen_at >= self.lease_s - DOUBTED_FOR_S


@dataclass(frozen=True, slots=True)
class _Owner:
    replica_id: str
    epoch: tuple[int, int]
    told_at: float


class StreamWatch:
    """See the rules above."""

    def __init__(self) -> None:
        self._replicas: dict[str, _Replica] = {}
        self._owners: dict[str, _Owner] = {}
        self._looked_at: float | None = None

    @property
    def replicas(self) -> tuple[str, ...]:
        """Who is watched."""
        return tuple(self._replicas)

    @property
    def calls(self) -> int:
        """Calls that the replicas have."""
        return sum(len(replica.calls) for replica in self._replicas.values())

    def calls_by_place(self) -> dict[ReplicaPlace, int]:
        """How many calls each replica has."""
        return {replica.place: len(replica.calls) for replica in self._replicas.values()}

    def owner_of(self, call_id: str) -> tuple[str, WatchedCall] | None:
        """The replica that has this call, and the call as it told it; None for nobody known."""
        owner = self._owners.get(call_id)
        replica = self._replicas.get(owner.replica_id) if owner is not None else None
        call = replica.calls.get(call_id) if replica is not None else None
        return None if owner is None or call is None else (owner.replica_id, call)

    def overtaken_of(self, replica_id: str) -> dict[str, tuple[int, int]]:
        """Calls of this replica that another one has, by id, with the newer epoch of that one."""
        replica = self._replicas.get(replica_id)
        return {} if replica is None else dict(replica.overtaken)

    def beat(
        self,
        replica_id: str,
        place: ReplicaPlace,
        calls: Iterable[WatchedCall] | None,
        *,
        now: float,
    ) -> bool:
        """A replica lives.

        Args:
            replica_id: Of one incarnation; no other has it.
            place: Where it runs.
            calls: All that it has; None: the same as before.
            now: Loop time.

        Returns:
            Whether it is to say next time which calls it has.
        """
        known = self._replicas.get(replica_id)
        if calls is None:
            if known is None:
                return True
            known.seen_at = now
            return False
        mine = {call.call_id: call for call in calls}
        if known is not None:
            self._forget_ended(replica_id, known.calls.keys() - mine.keys())
        replica = self._replicas[replica_id] = _Replica(place, now, mine)
        for call in mine.values():
            owner = self._owners.get(call.call_id)
            if owner is None or call.epoch >= owner.epoch:
                self._owners[call.call_id] = _Owner(replica_id, call.epoch, now)
                if owner is not None and owner.replica_id != replica_id:
                    self._overtake(owner, call)
            elif owner.replica_id != replica_id:
                replica.overtaken[call.call_id] = owner.epoch
        return False

    def _overtake(self, owner: _Owner, newer: WatchedCall) -> None:
        replica = self._replicas.get(owner.replica_id)
        has_it = replica is not None and newer.call_id in replica.calls
        if replica is not None and has_it and newer.epoch > owner.epoch:
            replica.overtaken[newer.call_id] = newer.epoch

    def goodbye(self, replica_id: str) -> None:
        """A replica ends as planned."""
        replica = self._replicas.pop(replica_id, None)
        if replica is not None:
            self._forget_ended(replica_id, replica.calls.keys())

    def doubtful(self, *, now: float) -> list[str]:
        """Replicas that say nothing, and whose lease is nearly over."""
        return [name for name, each in self._replicas.items() if each.is_doubtful(now)]

    def answered(self, replica_id: str, *, now: float) -> None:
        """A replica lives, though it does not beat."""
        replica = self._replicas.get(replica_id)
        if replica is not None:
            replica.seen_at = now

    def look(self, *, now: float) -> list[LostReplica]:
        """Who is lost since the last look; call it several times in each lease."""
        before, self._looked_at = self._looked_at, now
        if before is None or now - before > LATE_S:
            for replica in self._replicas.values():
                replica.seen_at = now
            return []
        silent = [name for name, each in self._replicas.items() if each.is_silent(now)]
        if len(silent) == len(self._replicas):
            return []
        self._forget_old_owners(now)
        return [self._lost(name) for name in silent]

    def is_still_of(self, call: WatchedCall, replica_id: str) -> bool:
        """Whether nobody newer has told of this call."""
        owner = self._owners.get(call.call_id)
        return owner is not None and owner.replica_id == replica_id

    def _lost(self, replica_id: str) -> LostReplica:
        replica = self._replicas.pop(replica_id)
        own = (call for call in replica.calls.values() if self.is_still_of(call, replica_id))
        return LostReplica(replica_id, replica.place, tuple(own))

    def _forget_ended(self, replica_id: str, call_ids: Iterable[str]) -> None:
        for call_id in call_ids:
            owner = self._owners.get(call_id)
            if owner is not None and owner.replica_id == replica_id:
                del self._owners[call_id]

    def _forget_old_owners(self, now: float) -> None:
        gone = [
            call_id
            for call_id, owner in self._owners.items()
            if owner.replica_id not in self._replicas and now - owner.told_at > OWNERS_KEPT_S
        ]
        for call_id in gone:
            del self._owners[call_id]
