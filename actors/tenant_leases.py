"""The leases of tenants with a limit that one replica has in hand (``actors.tenant_book``).

Rules
1. A new caller waits for a lease; the next report says how many wait beyond what is in hand.
2. A lease is claimed for one call by its id as soon as its caller has it, so that nobody else takes
   it while the providers are asked. It is spent when the call is placed, and told with it.
3. What nobody claims or waits for is given back with the next report, and so is what was claimed
   ``CLAIM_KEPT_S`` ago and not spent.
4. While the directory is away, as many calls are let in as were left when it last
   answered. A directory of an older release counts no tenants: nothing is limited then.

Synchronous; ``now`` is loop time in seconds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from actors.wire import Grants

CLAIM_KEPT_S = 5.0


@dataclass(frozen=True, slots=True)
class TenantLimit:
    """Calls that a tenant may have in progress at once, over the whole cluster; 1 or more."""

    tenant_id: str
    calls: int


class TenantLeases:
    """Of one replica; see the rules at the top of this file."""

    def __init__(self) -> None:
        self._limits: dict[str, int] = {}
        self._free: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()
        self._claims: dict[str, tuple[str, float]] = {}  # by call id, oldest first
        self._used: Counter[str] = Counter()
        self._is_counted = True
        self._away = False

    def is_full(self, limit: TenantLimit) -> bool:
        """Whether no further call of the tenant was possible at the last sync."""
        return self._used[limit.tenant_id] >= limit.calls

    def has_one(self, limit: TenantLimit | None, *, waited: bool) -> bool:
        """Whether a caller could claim one now; who has ``waited`` comes before who has not."""
        if limit is None or not self._is_counted:
            return True
        tenant = limit.tenant_id
        if self._free[tenant] > (0 if waited else self._waiting[tenant]):
            return True
        return self._away and not self.is_full(limit)

    def waits(self, limit: TenantLimit | None, callers: int) -> None:
        """So many more callers wait; fewer when negative."""
        if limit is not None:
            self._limits[limit.tenant_id] = limit.calls
            self._waiting[limit.tenant_id] += callers

    def claim(self, call_id: str, limit: TenantLimit, *, now: float) -> bool:
        """Take one for this call; False when there is none."""
        tenant = limit.tenant_id
        self._limits[tenant] = limit.calls
        if call_id in self._claims or not self._is_counted:
            return True
        if self._free[tenant] > 0:
            self._free[tenant] -= 1
            self._claims[call_id] = (tenant, now)
            return True
        if self._away and not self.is_full(limit):
            self._used[tenant] += 1
            return True
        return False

    def drop(self, call_id: str) -> None:
        """The call is placed, or is not to be: its claim is over."""
        self._claims.pop(call_id, None)

    def report(self, *, now: float) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
        """Limits, leases held and callers without one, of the tenants in question."""
        while self._claims:
            call_id, (_, at) = next(iter(self._claims.items()))
            if now - at < CLAIM_KEPT_S:
                break
            del self._claims[call_id]
        for tenant, count in self._free.items():
            self._free[tenant] = max(0, min(count, self._waiting[tenant]))
        held = self._free + Counter(tenant for tenant, _ in self._claims.values())
        waiting = self._waiting - self._free
        return (
            {tenant: self._limits[tenant] for tenant in held | waiting},
            dict(held),
            dict(waiting),
        )

    def granted(self, grants: Grants) -> None:
        """Take the directory's answer."""
        self._away = False
        self._is_counted = grants.counts_tenants
        self._free.update(grants.tenant_granted)
        self._used = Counter(grants.tenant_calls)

    def directory_away(self) -> None:
        """The directory did not answer."""
        self._away = True
