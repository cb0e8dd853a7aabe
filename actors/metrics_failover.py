"""What composites of providers count, in this process' ledger."""

from __future__ import annotations

from providers.failover.tally import Work
from providers.health.unit import unit_of_key
from providers.health.view import HealthView
from telemetry import catalog
from telemetry.ledger import MetricsLedger


class LedgerTally:
    """``FailoverTally`` over the ledger.

    Args:
        ledger: Of this process.
    """

    def __init__(self, ledger: MetricsLedger) -> None:
        self._ledger = ledger

    def asked(self, work: Work, provider: str, why: str) -> None:
        """A request went out."""
        self._ledger.count(catalog.PROVIDER_REQUESTS, provider, work, why)

    def waited(self, work: Work, seconds: float) -> None:
        """Somebody else than the first gave the first useful output."""
        self._ledger.observe(catalog.FAILOVER_WAIT, seconds, work)


def show_health(ledger: MetricsLedger, view: HealthView) -> None:
    """Write the gauges: 1 for everything that is left, and how full what has a limit is."""
    worst: dict[tuple[str, str], float] = {}
    for key in view.probes:
        unit = unit_of_key(key)
        where = (unit.provider, str(unit.operation))
        is_left = 0.0 if view.verdict(key).usable else 1.0
        worst[where] = max(worst.get(where, 0.0), is_left)
    for where, is_left in worst.items():
        ledger.gauge(catalog.PROVIDER_LEFT, is_left, *where)
    for work, provider in view.quotas.limited:
        used_ratio = view.quotas.fullness(work, provider)
        ledger.gauge(catalog.PROVIDER_QUOTA_USED, used_ratio, provider, work)
