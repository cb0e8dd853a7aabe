"""The health of providers in one process: what its composites share.

Used where agents name more than one provider for the same work. A deployment without such an agent
starts none of it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping

from actors.metrics_failover import LedgerTally, show_health
from actors.provider_health_actor import RayHealthLink
from actors.provider_health_reporter import HealthReporter
from cluster.settings import Settings
from dialogue.ports import Thinker
from providers.failover.candidates import think_candidate
from providers.failover.thinker import FailoverThinker
from providers.health.budget import HedgeBudget
from providers.health.local import LocalHealth
from providers.health.view import HealthView
from providers.settings import ProviderSettings
from telemetry.ledger import MetricsLedger


class ProcessHealth:
    """One for each process.

    Args:
        name: Of this process; no other one, before or after, has it.
        settings: Of the deployment.
        ledger: Of this process.

    Attributes:
        view: For composites: what they ask and tell.
        tally: For composites: what they count.
    """

    def __init__(self, name: str, settings: Settings, ledger: MetricsLedger) -> None:
        self.view = HealthView(LocalHealth(name, random.random), time.time)
        self.tally = LedgerTally(ledger)
        self._ledger = ledger
        self._hedge_ratio = settings.hedge_ratio
        link = RayHealthLink(probes_idle=settings.probe_idle_providers)
        self._reporter = HealthReporter(name, self.view, link)
        self._is_started = False

    def budget(self) -> HedgeBudget:
        """Hedges for one kind of work in this process."""
        first = 1.0 if self._hedge_ratio else 0.0
        return HedgeBudget(self._hedge_ratio, first=first)

    def start(self) -> None:
        """Tell and hear, in the background, if anybody here has a choice. Idempotent."""
        if self.view.probes and not self._is_started:
            self._is_started = True
            self._reporter.start()

    def sample(self) -> None:
        """Write the gauges."""
        show_health(self._ledger, self.view)

    async def aclose(self) -> None:
        """Stop."""
        await self._reporter.aclose()


def think_chains(
    chains: Mapping[str, tuple[str, ...]],
    services: Mapping[str, Thinker],
    known: ProviderSettings,
    health: ProcessHealth,
) -> dict[str, Thinker]:
    """Who answers for each chain: the service itself where there is but one.

    Args:
        chains: ``Agent.think_chain`` to ``Agent.thinkers``.
        services: Every one of them, by name.
        known: What they were made of.
        health: Of this process.
    """
    budget = health.budget()
    found: dict[str, Thinker] = {}
    for chain, names in chains.items():
        if len(names) == 1:
            found[chain] = services[names[0]]
            continue
        candidates = [think_candidate(name, services[name], known) for name in names]
        found[chain] = FailoverThinker(candidates, health.view, budget, health.tally)
    return found
