"""What an ingress replica counts by name: for ``/readyz`` as it is, for the metrics by the catalog.

Whoever counts need not know the catalog: a name of this table has a metric of its own, any other
one is an edge event. Names are few and never hold an id.
"""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import Final

from telemetry import catalog
from telemetry.catalog import Metric
from telemetry.ledger import MetricsLedger

REFUSED_PREFIX: Final = "calls_refused_"
_ERRORS = (
    "frames_dropped",
    "handshakes_refused",
    "replies_failed",
    "resumes_exhausted",
    "speech_failed",
    "streams_lost",
    "streams_refused",
    "streams_turned_away",
    "webhooks_refused",
)
_METRICS: Final = MappingProxyType(
    {
        "protocol_warnings": (catalog.PROTOCOL_ERRORS, "media_streams"),
        **{name: (catalog.ERRORS, name) for name in _ERRORS},
    }
)


class EventCounts:
    """Counts by name in one process.

    Args:
        ledger: Where the metrics go.

    Attributes:
        ledger: The same.
        by_name: Every count since the start, as ``/readyz`` shows it.
    """

    def __init__(self, ledger: MetricsLedger) -> None:
        self.ledger = ledger
        self._known: dict[str, tuple[Metric, str]] = dict(_METRICS)
        self.by_name: Counter[str] = Counter()

    def __call__(self, name: str, amount: float = 1) -> None:
        """Count something that happened."""
        self.by_name[name] += int(amount)
        metric, label = self._known.get(name) or self._learn(name)
        self.ledger.count(metric, label, by=amount)

    def _learn(self, name: str) -> tuple[Metric, str]:
        if name.startswith(REFUSED_PREFIX):
            found = (catalog.CALLS_REFUSED, name.removeprefix(REFUSED_PREFIX))
        else:
            found = (catalog.EVENTS, name)
        self._known[name] = found
        return found
