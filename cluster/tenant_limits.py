"""Calls that a tenant may have in progress at once, over the whole cluster.

Of all tenants: ``CALLCLUSTER_CALLS_PER_TENANT``; of single ones: ``CALLCLUSTER_TENANT_CALLS``.

``acme=20 beta=5``: of single tenants; 0 for one that may have any number.
"""

from __future__ import annotations

import re

from actors.tenant_leases import TenantLimit
from cluster.setting_entries import checked_entries

_ENTRY = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,63})=(\d{1,7})")


def checked_tenant_calls(text: str) -> str:
    """The setting with one blank between its entries.

    Raises:
        ValueError: An entry cannot be read, or a tenant stands there twice.
    """
    return checked_entries(
        text, _ENTRY, "write the tenant and its calls at once, as acme=20 (0: any number)"
    )


class TenantLimits:
    """The limit of every tenant.

    Args:
        of_all: Calls at once of a tenant that is not named; 0: any number.
        of_single: What ``checked_tenant_calls`` has answered.
    """

    def __init__(self, of_all: int, of_single: str) -> None:
        self._of_all = of_all
        self._of_single = {name: int(calls) for name, calls in _ENTRY.findall(of_single)}

    def of(self, tenant_id: str) -> TenantLimit | None:
        """The limit; None when there is none."""
        calls = self._of_single.get(tenant_id, self._of_all)
        return TenantLimit(tenant_id, calls) if calls else None

    def room(self, tenant_id: str, calls: int) -> int | None:
        """Further calls of a tenant that has ``calls``; None: any number."""
        limit = self.of(tenant_id)
        return None if limit is None else max(0, limit.calls - calls)
