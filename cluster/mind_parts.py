"""What one CallActor is made of: thinkers, records, known answers, the driver of its calls."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Mapping
from typing import Any

from actors.hit_checks import HitChecks
from actors.metrics_actor import RayMetricsLink
from actors.metrics_process import ProcessMeter
from actors.metrics_providers import MeteredThinker
from actors.metrics_reporter import MetricsReporter
from actors.mind_driver import MindConfig, MindDriver
from cluster.agents import load_tenants
from cluster.call_costs import CallCosts
from cluster.call_store import open_call_store
from cluster.hit_check_parts import LedgerCheckLog, hit_checks
from cluster.logs import configure_logging
from cluster.provider_health import ProcessHealth, think_chains
from cluster.provider_settings import provider_settings
from cluster.recorder import StoreRecorder
from cluster.response_cache import ProcessCache, open_process_cache
from cluster.settings import Settings
from cluster.tool_complaints import tool_complaints
from cluster.tool_parts import build_tool_runs, build_tool_table
from cluster.wall_clock import wall_clock_us
from dialogue.ports import Thinker
from providers.errors import ProviderError
from providers.leased import leased_thinker
from providers.table import build_thinker
from providers.tools.table import ToolTable
from records.writer import RecordWriter
from telemetry import catalog
from telemetry.errors import PricesInvalid
from telemetry.ledger import MetricsLedger
from telemetry.prices import PriceTable, load_prices

logger = logging.getLogger(__name__)

WARM_WITHIN_S = 10.0


class CallActorParts:
    """The parts of one CallActor.

    Args:
        driver: Holds the calls.
        thinkers: By name.
        writer: Behind the recorder.
        ledger: What this process measures.
        health: Of the providers, in the view of this process.
        cache: Its copy of the response cache.
        checks: Has answers of the cache asked again; None has none.
        tools: Runs the tools of its agents.
    """

    def __init__(  # noqa: PLR0913 - what each is for stands above
        self,
        driver: MindDriver,
        thinkers: Mapping[str, Thinker],
        writer: RecordWriter,
        ledger: MetricsLedger,
        health: ProcessHealth,
        cache: ProcessCache,
        checks: HitChecks | None,
        tools: ToolTable,
    ) -> None:
        self._tools = tools
        self._checks = checks
        self._health = health
        self._cache = cache
        self._driver = driver
        self._thinkers = thinkers
        self._writer = writer
        self._ledger = ledger
        self._process = ProcessMeter(ledger, "call_actor")
        self._reporter = MetricsReporter(
            ledger, RayMetricsLink(), self._sample, wants_view=False, incarnation=wall_clock_us
        )

    @property
    def driver(self) -> MindDriver:
        """The driver of all calls of this process."""
        return self._driver

    async def start(self) -> None:
        """Warm the thinkers. One that is away is said and does not keep the actor from starting.

        The copy of the cache is filled in the background: until then there is nothing in it.
        """
        for name, thinker in self._thinkers.items():
            try:
                await asyncio.wait_for(thinker.warm(), WARM_WITHIN_S)
            except (ProviderError, TimeoutError) as error:
                logger.warning("%s is not warm: %s", name, str(error) or "no answer")
        self._process.start()
        self._reporter.start()
        self._health.start()
        await self._cache.start()

    def _sample(self) -> None:
        """What is measured by looking, about once a second."""
        status, written = self._driver.status(), self._writer.status
        self._process.sample(active_calls=status["active_calls"], capacity=status["capacity"])
        for labels, calls in self._driver.open_by_agent().items():
            self._ledger.gauge(catalog.AGENT_ACTIVE_CALLS, calls, *labels)
        self._health.sample()
        self._cache.sample(self._ledger)
        self._ledger.gauge(catalog.RECORDS_PENDING, written.pending)
        lost = written.dropped + written.rejected
        self._ledger.count_up_to(catalog.RECORDS_DROPPED, lost)

    async def aclose(self) -> None:
        """Write what is pending and close every connection."""
        await self._driver.aclose()
        await self._tools.aclose()
        if self._checks is not None:
            await self._checks.aclose()
        await self._cache.aclose()
        await self._health.aclose()
        await self._process.aclose()
        await asyncio.gather(self._writer.aclose(), self._reporter.aclose())
        for thinker in self._thinkers.values():
            await thinker.aclose()


async def build_mind_parts(plain_settings: dict[str, Any]) -> CallActorParts:
    """Build the parts from the settings of the deployment."""
    settings = Settings.from_plain(plain_settings)
    configure_logging(settings.log_level)
    settings.make_data_dir()
    agents = load_tenants(settings.agents_dir, settings.tenant_id)
    known = provider_settings(settings)
    own_name = f"call-actor-{uuid.uuid4().hex[:12]}"
    ledger = MetricsLedger(own_name, wall_clock_us())
    health = ProcessHealth(own_name, settings, ledger)
    services = {
        name: leased_thinker(MeteredThinker(build_thinker(name, known), ledger), health.quotas)
        for name in {name for agent in agents.values() for name in agent.thinkers}
    }
    chains = {agent.think_chain: agent.thinkers for agent in agents.values()}
    thinkers = think_chains(chains, services, known, health)
    costs = CallCosts(ledger, _prices(settings), agents, known)
    writer = RecordWriter(open_call_store(settings))
    cache = await open_process_cache(
        own_name, settings, {agent.language for agent in agents.values()}
    )
    recorder = StoreRecorder(writer, costs)
    log = LedgerCheckLog(ledger, recorder)
    checks = hit_checks(
        settings, cache.answers, thinkers, health, log, is_busy=lambda: driver.is_thinking
    )
    tools = build_tool_table(settings)
    for complaint in tool_complaints(settings, agents.values()):
        logger.error("%s", complaint)
    driver = MindDriver(
        agents,
        thinkers,
        recorder,
        MindConfig(calls_per_actor=settings.calls_per_actor),
        wall_clock_us,
        cache.answers,
        checks,
        build_tool_runs(tools, writer, wall_clock_us),
    )
    return CallActorParts(driver, thinkers, writer, ledger, health, cache, checks, tools)


def _prices(settings: Settings) -> PriceTable:
    """The price table; a file that is wrong on this node keeps no call from being answered."""
    try:
        return load_prices(settings.prices_file)
    except PricesInvalid as error:
        logger.error("the built-in prices are used: %s", error)
        return load_prices()
