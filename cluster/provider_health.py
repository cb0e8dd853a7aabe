"""The health of providers in one process: what its composites share.

Used where agents name more than one provider for the same work, or a provider has a limit. Without
either none of it is started.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from typing import TypeVar

from actors.metrics_failover import LedgerTally, show_health
from actors.node_board_link import NodeBoardLink
from actors.node_room import NodeRoom
from actors.provider_health_actor import RayHealthLink, this_node
from actors.provider_health_leaser import QuotaLeaser
from actors.provider_health_reporter import HealthReporter
from cluster.provider_gate import ProviderGate
from cluster.provider_limits import quota_limits
from cluster.provider_settings import provider_settings
from cluster.settings import Settings
from dialogue.agent import Agent
from dialogue.ports import Thinker
from providers.accounts import account_of
from providers.failover.candidates import think_candidate
from providers.failover.ears import Ears
from providers.failover.speaker import FailoverSpeaker
from providers.failover.thinker import FailoverThinker
from providers.failover.voices import Voice
from providers.health.budget import TenantBudgets
from providers.health.local import LocalHealth
from providers.health.quotas import Quotas
from providers.health.view import HealthView
from providers.settings import ProviderSettings
from providers.table import in_spoken_forms
from telemetry.ledger import MetricsLedger
from voice.ports import Recogniser, Speaker

Key = TypeVar("Key")


class ProcessHealth:
    """One for each process.

    Args:
        name: Of this process; no other one, before or after, has it.
        settings: Of the deployment.
        ledger: Of this process.

    Attributes:
        quotas: What limits allow this process.
        view: For composites: what they ask and tell.
        tally: For composites: what they count.
        known: What providers are made of here.
    """

    def __init__(self, name: str, settings: Settings, ledger: MetricsLedger) -> None:
        self.known = provider_settings(settings)
        limits = quota_limits(settings.provider_limits, self.known)
        self.quotas = Quotas(name, limits, time.time)
        self.view = HealthView(LocalHealth(name, random.random), time.time, self.quotas)
        self.tally = LedgerTally(ledger)
        self._ledger = ledger
        self._hedge_ratio = settings.hedge_ratio
        link = RayHealthLink(probes_idle=settings.probe_idle_providers)
        self._board_link = NodeBoardLink(link, NodeRoom(this_node))
        self._reporter = HealthReporter(name, self.view, self._board_link)
        self._leaser = QuotaLeaser(name, self.quotas, link)
        self._is_started = False

    def budgets(self) -> TenantBudgets:
        """Hedges for one kind of work in this process."""
        return TenantBudgets(self._hedge_ratio)

    def start(self) -> None:
        """Tell and hear, in the background, if anybody has a choice or a limit. Idempotent."""
        self._leaser.start()
        if self.view.probes and not self._is_started:
            self._is_started = True
            self._reporter.start()

    def gate(self) -> ProviderGate:
        """Whether providers take one more call."""
        return ProviderGate(self.quotas, self._leaser.next_answer)

    def sample(self) -> None:
        """Write the gauges."""
        show_health(self._ledger, self.view)

    async def aclose(self) -> None:
        """Stop."""
        await asyncio.gather(self._reporter.aclose(), self._leaser.aclose())
        await self._board_link.aclose()


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
    budgets = health.budgets()
    found: dict[str, Thinker] = {}
    for chain, names in chains.items():
        if len(names) == 1:
            found[chain] = services[names[0]]
            continue
        candidates = [think_candidate(name, services[name], known) for name in names]
        found[chain] = FailoverThinker(candidates, health.view, budgets, health.tally)
    return found


def ears_of(
    agents: Mapping[Key, Agent], services: Mapping[str, Recogniser], health: ProcessHealth
) -> dict[Key, Ears]:
    """Who hears the callers of each agent; those with one recogniser judge nobody.

    Args:
        agents: By any key.
        services: Every recogniser of theirs, by name.
        health: Of this process.
    """
    found: dict[Key, Ears] = {}
    shared: dict[tuple[str, ...], Ears] = {}
    for key, agent in agents.items():
        chain = agent.recognisers
        if chain not in shared:
            recognisers = [services[name] for name in chain]
            accounts = [account_of("recogniser", name, health.known) for name in chain]
            has_choice = len(chain) > 1
            shared[chain] = (
                Ears(recognisers, health.view, health.tally, random.random, accounts)
                if has_choice
                else Ears(recognisers)
            )
        found[key] = shared[chain]
    return found


def voices_of(
    agents: Mapping[Key, Agent], services: Mapping[str, Speaker], health: ProcessHealth
) -> dict[Key, Speaker]:
    """Who speaks for each agent, in spoken forms: one service where it has one voice only."""
    budgets = health.budgets()
    found: dict[Key, Speaker] = {}
    for key, agent in agents.items():
        forms = agent.spoken_forms
        if not agent.spare_voices:
            found[key] = in_spoken_forms(services[agent.speaker], forms)
            continue
        voices = [
            Voice(
                in_spoken_forms(services[each.speaker], forms),
                each.voice,
                agent.language,
                account_of("speaker", each.speaker, health.known),
            )
            for each in agent.voices
        ]
        budget = budgets.of(agent.tenant_id)
        found[key] = FailoverSpeaker(voices, health.view, budget, random.random, health.tally)
    return found
