"""Whose entry goes when there is no room: that of the tenant who has most, the least used first.

A tenant who writes a great deal pushes out its own entries, and never those of one who has less
than an equal share of the cache. Who is alone in it may fill it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Tenant:
    """Its entries, least recently used first, and what they take."""

    ids: OrderedDict[int, None] = field(default_factory=OrderedDict)
    size_bytes: float = 0.0


class TenantRoom:
    """What each tenant has of one cache.

    Args:
        entries: That there is room for.
        size_bytes: Likewise.
    """

    def __init__(self, entries: int, size_bytes: float) -> None:
        self._most_entries = max(1, entries)
        self._most_bytes = max(1.0, size_bytes)
        self._tenants: dict[str, _Tenant] = {}

    def put(self, tenant_id: str, entry_id: int, size_bytes: float) -> None:
        """A new entry, used now."""
        tenant = self._tenants.setdefault(tenant_id, _Tenant())
        tenant.ids[entry_id] = None
        tenant.size_bytes += size_bytes

    def touch(self, tenant_id: str, entry_id: int) -> None:
        """An entry was used."""
        self._tenants[tenant_id].ids.move_to_end(entry_id)

    def remove(self, tenant_id: str, entry_id: int, size_bytes: float) -> None:
        """An entry is gone; the same size as when it was put."""
        tenant = self._tenants[tenant_id]
        del tenant.ids[entry_id]
        tenant.size_bytes -= size_bytes
        if not tenant.ids:
            del self._tenants[tenant_id]

    def to_go(self, *, keeping: int) -> int:
        """The entry that has to make room.

        Args:
            keeping: The one that it is made for; there is another one at least.
        """
        may_go = (
            tenant
            for tenant in self._tenants.values()
            if len(tenant.ids) > 1 or keeping not in tenant.ids
        )
        largest = max(may_go, key=self._share)
        return next(entry_id for entry_id in largest.ids if entry_id != keeping)

    def _share(self, tenant: _Tenant) -> float:
        """Of whichever is scarcer to it."""
        return max(len(tenant.ids) / self._most_entries, tenant.size_bytes / self._most_bytes)
