"""How many calls each tenant with a limit has over the whole cluster, and who may add one.

Rules
1. A replica needs a lease of the tenant for each new call of it, and asks for one when the caller
   is there: nothing lies in stock, so the last place is free for whichever replica asks.
2. free = limit - seats taken - calls on their way - leases held. Seats come from the CallActors'
   own reports, leases and calls on their way from the replicas': what either says replaces what it
   said before, so nothing is added up that could drift, and who is gone counts no more.
3. A call that a replica has told is on its way until an actor reports it, for ``SPENT_COUNTS_S`` at
   most: its caller may have hung up before the stream came. A call counts once, by its id. One that
   sits before it was told counts beside its lease until the replica's next report: for that second
   fewer are let in, never more.
4. Calls that are resumed or moved take no lease. Between two actors they are not seen.
5. While no CallActor has reported, as after a restart, nothing is granted.
6. The limit is what the replica that asks says: it has the settings.

The machine reads no clock and does no I/O; ``now`` is loop time in seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from actors.seat_ledger import REMEMBERED_S, SPENT_COUNTS_S
from actors.wire import ReplicaSync


class TenantBook:
    """All tenants; see the rules at the top of this file."""

    def __init__(self) -> None:
        self._limited: set[str] = set()
        self._seats: dict[str, dict[str, int]] = {}  # by actor
        self._taken: Counter[str] = Counter()
        self._leases: dict[str, tuple[float, dict[str, int]]] = {}  # by replica: since when
        self._held: Counter[str] = Counter()
        self._told: dict[str, float] = {}  # by call id, oldest first, as the two below
        self._seated: dict[str, float] = {}
        self._on_way: dict[str, tuple[str, float]] = {}
        self._coming: Counter[str] = Counter()

    def calls(self) -> dict[str, int]:
        """Calls in progress or on their way, of every tenant that has any."""
        return {name: count for name, count in (self._taken + self._coming).items() if count}

    def used(self) -> dict[str, int]:
        """The same of the tenants with a limit, and the leases that replicas hold."""
        used = ((tenant, self._used(tenant)) for tenant in self._limited)
        return {tenant: count for tenant, count in used if count}

    def actor_reported(
        self, name: str, taken: Mapping[str, int], recent: Iterable[str], *, now: float
    ) -> None:
        """Take an actor's seats taken, by tenant, and the calls that took one lately."""
        self.actor_lost(name)
        self._seats[name] = {tenant: count for tenant, count in taken.items() if count > 0}
        self._taken.update(self._seats[name])
        for call_id in recent:
            self._seated.setdefault(call_id, now)
            self._arrived(call_id)

    def actor_lost(self, name: str) -> None:
        """Its seats count no more; nothing if it is not known."""
        self._taken.subtract(self._seats.pop(name, {}))

    def heard(self, report: ReplicaSync, *, now: float) -> None:
        """Take a replica's report."""
        self._forget_old(now)
        self._limited.update(report.tenant_limits)
        for call_id, tenant in report.tenant_of.items():
            if call_id not in self._told:
                self._told[call_id] = now
                if call_id not in self._seated:
                    self._on_way[call_id] = (tenant, now)
                    self._coming[tenant] += 1
        self._let_go(report.replica_id)
        held = {tenant: count for tenant, count in report.tenant_held.items() if count > 0}
        self._leases[report.replica_id] = (now, held)
        self._held.update(held)

    def grant(self, report: ReplicaSync) -> dict[str, int]:
        """The leases that a replica gets now, by tenant, by the report that was taken last."""
        _, held = self._leases[report.replica_id]
        granted: dict[str, int] = {}
        for tenant, limit in report.tenant_limits.items():
            missing = report.tenant_waiting.get(tenant, 0)
            if (count := min(missing, limit - self._used(tenant))) > 0 and self._seats:
                granted[tenant] = count
                held[tenant] = held.get(tenant, 0) + count
                self._held[tenant] += count
        return granted

    def forget_silent(self, since: float) -> None:
        """Who has not been heard of since this loop time holds nothing any more."""
        while self._leases:
            replica_id = next(iter(self._leases))  # who was heard of longest ago
            if self._leases[replica_id][0] >= since:
                return
            self._let_go(replica_id)

    def _used(self, tenant: str) -> int:
        return self._taken[tenant] + self._coming[tenant] + self._held[tenant]

    def _let_go(self, replica_id: str) -> None:
        _, held = self._leases.pop(replica_id, (0.0, {}))
        self._held.subtract(held)

    def _arrived(self, call_id: str) -> None:
        if call_id in self._on_way:
            tenant, _ = self._on_way.pop(call_id)
            self._coming[tenant] -= 1

    def _forget_old(self, now: float) -> None:
        while self._on_way:
            call_id, (_, at) = next(iter(self._on_way.items()))
            if now - at < SPENT_COUNTS_S:
                break
            self._arrived(call_id)
        for calls in (self._told, self._seated):
            while calls and now - next(iter(calls.values())) >= REMEMBERED_S:
                del calls[next(iter(calls))]
