"""How many calls may be made that would not have been needed: a token bucket of hedges.

Rules
1. Each request that is sent earns ``ratio`` of a hedge, when it is sent and not when it succeeds:
   a provider that answers nothing earns nothing back.
2. At most ``most`` are saved up, so that a long quiet time does not pay for a flood.
3. Whatever happens, ``spent <= first + ratio * requests``.

One for each operation and tenant.
"""

from __future__ import annotations

from collections import OrderedDict

HEDGE_RATIO = 0.05


class HedgeBudget:
    """The bucket.

    Attributes:
        requests: Requests sent.
        spent: Hedges sent.
        refused: Hedges that would have been sent.
    """

    def __init__(
        self, ratio: float = HEDGE_RATIO, *, first: float = 1.0, most: float = 10.0
    ) -> None:
        self._ratio = ratio
        self._most = most
        self._tokens = first
        self.requests = 0
        self.spent = 0
        self.refused = 0

    def request_sent(self) -> None:
        """A request went out to its first candidate."""
        self.requests += 1
        self._tokens = min(self._most, self._tokens + self._ratio)

    def spend(self) -> bool:
        """Take one hedge; False when there is none."""
        if self._tokens < 1.0 - 1e-9:
            self.refused += 1
            return False
        self._tokens -= 1.0
        self.spent += 1
        return True


MOST_TENANTS = 1_000


class TenantBudgets:
    """A bucket for each tenant: one whose requests are all late spends nobody else's hedges.

    Args:
        ratio: Of each; none is ever spent where it is 0.
        first: What each begins with; None for one hedge, or none where ``ratio`` is 0.
    """

    def __init__(self, ratio: float = HEDGE_RATIO, *, first: float | None = None) -> None:
        self._ratio = ratio
        self._first = first if first is not None else (1.0 if ratio else 0.0)
        self._budgets: OrderedDict[str, HedgeBudget] = OrderedDict()

    def of(self, tenant_id: str) -> HedgeBudget:
        """The bucket of this tenant; those unused for longest are forgotten."""
        budget = self._budgets.get(tenant_id)
        if budget is None:
            budget = self._budgets[tenant_id] = HedgeBudget(self._ratio, first=self._first)
            if len(self._budgets) > MOST_TENANTS:
                self._budgets.popitem(last=False)
        else:
            self._budgets.move_to_end(tenant_id)
        return budget
