"""The health of providers as one process sees it: what is asked and told from inside calls.

One for each process, shared by all calls. Nothing here waits: a verdict is read from memory, a
signal is taken into memory. Whoever carries reports and boards hangs itself into ``on_news``
(``actors.provider_health_reporter``); without it the process judges alone, by what it sees itself.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from providers.health.local import LocalHealth, Verdict, worst
from providers.health.quotas import Quotas
from providers.health.signals import Signal

logger = logging.getLogger(__name__)

# One small request that nobody waits for; answers the seconds to its first useful output.
# Raises ``ProviderError``.
ProbeCall = Callable[[], Awaitable[float]]


class HealthView:
    """Verdicts and signals of one process.

    Args:
        local: The machine behind it.
        clock: Seconds of the clock that all processes share (UTC).
        quotas: How full each provider is; without it none has a limit.

    Attributes:
        probes: How each unit can be tried off the path of any call, by its key.
        on_news: Called after each signal; must not wait.
    """

    def __init__(
        self, local: LocalHealth, clock: Callable[[], float], quotas: Quotas | None = None
    ) -> None:
        self.local = local
        self.clock = clock
        self.quotas = quotas or Quotas()
        self.probes: dict[str, ProbeCall] = {}
        self.on_news: Callable[[], None] = _nobody

    def verdict(self, *units: str) -> Verdict:
        """What to hold of somebody of whom all ``units`` are needed; quantiles of the first."""
        now = self.clock()
        if len(units) == 1:
            return self.local.verdict(units[0], now=now)
        return worst([self.local.verdict(unit, now=now) for unit in units])

    def saw(self, unit: str, signal: Signal) -> None:
        """Tell what an attempt has shown; the moment in which a unit is left is logged."""
        if self.local.saw(unit, signal, now=self.clock()):
            logger.info("%s is left, as seen here: %s", unit, signal.sign.value)
        self.on_news()

    def can_probe(self, unit: str, call: ProbeCall) -> None:
        """A unit that this process uses, and how it is tried while no call may use it."""
        if unit not in self.probes:
            self.probes[unit] = call
            self.on_news()


def _nobody() -> None:
    """Nobody carries news: the process judges alone."""
