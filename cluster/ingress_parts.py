"""What one ingress replica is made of: recognisers, speakers, clips, the clock, the mind pool."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

from actors.back_office import RayBackOffice
from actors.call_driver import CallParts
from actors.errors import ActorsError
from actors.frame_clock import FrameClock
from actors.metrics_actor import RayMetricsLink
from actors.metrics_calls import AgentMeter
from actors.metrics_counts import EventCounts
from actors.metrics_process import ProcessMeter
from actors.metrics_providers import MeteredRecogniser, MeteredSpeaker
from actors.metrics_reporter import MetricsReporter
from actors.named import ensure_directory, tell_plan
from actors.ray_mind_pool import RayMindPool
from actors.semantic_cache_actor import forget_call
from actors.speech_source import SpeechSource
from cache.clip_file import ClipFolder
from cache.clip_store import ClipStore
from cache.clips import ClipCache
from cluster.agent_speech import speech_source
from cluster.agents import load_tenants, require_agent
from cluster.back_office_parts import BACK_OFFICE_PARTS, carrier_of
from cluster.call_moves import stored_move
from cluster.call_recall import recall_from
from cluster.call_services import OutsideWorld, nothing_kept
from cluster.call_stores import open_call_stores
from cluster.edge_parts import EdgeParts
from cluster.hand_overs import stored_hand_over
from cluster.language_parts import LanguageParts, in_other_languages
from cluster.local_models import load_local_models
from cluster.mind_plan import mind_plan
from cluster.provider_health import ProcessHealth, ears_of, voices_of
from cluster.provider_settings import provider_settings
from cluster.realtime_parts import as_metered, realtime_service
from cluster.settings import Settings
from cluster.wall_clock import wall_clock_us
from cluster.watched_calls import CALL_MOVER
from dialogue.agent import Agent
from providers.errors import ProviderError
from providers.failover.speaker import FailoverSpeaker
from providers.leased import leased_recogniser, leased_speaker
from providers.table import build_recogniser, build_speaker
from records.writer import RecordWriter
from telemetry import catalog
from telemetry.errors import TracesUnavailable
from telemetry.ledger import MetricsLedger
from telemetry.traces import TraceQueue, open_traces
from voice.ports import Recogniser, Speaker
from voice.waste import SpeculationBudgets

logger = logging.getLogger(__name__)

CLIP_MEMORY_BYTES = 64 * 1024 * 1024
WARM_RECOGNISERS = 2
RETRY_WARMING_S = 2.0
RENDER_AGAIN_S = 60.0

# Told what is still missing as it waits; answers what went wrong, or nothing.
Warming = Callable[[Callable[[str], None]], Awaitable[str]]


class Pool(Protocol):
    """What of a pool is needed to join it; see ``RayMindPool``."""

    async def start(self, directory: Any) -> None:
        """First word with the directory. Raises ``DirectoryAwayError``."""


async def joined(pool: Pool, find: Callable[[], Awaitable[Any]]) -> str:
    """Join the pool at the directory that is found; why that cannot be now, or nothing."""
    try:
        await pool.start(await find())
    except ActorsError as error:
        return str(error)
    return ""


class IngressParts:
    """Built once for a replica; ``start`` warms it.

    Args:
        settings: Of the deployment.
        replica_id: For the directory.
        active_calls: Counts the calls of this replica.
    """

    def __init__(
        self, settings: Settings, replica_id: str, active_calls: Callable[[], int]
    ) -> None:
        self._settings = settings
        settings.make_data_dir()
        self._agents = load_tenants(settings.agents_dir, settings.tenant_id)
        require_agent(self._agents, settings.tenant_id, settings.default_agent, settings.agents_dir)
        known = self._known = provider_settings(settings)
        ledger = self._ledger = MetricsLedger(f"ingress-{replica_id}", wall_clock_us())
        self._health = ProcessHealth(f"ingress-{replica_id}", settings, ledger)
        quotas = self._health.quotas
        everyone = [*self._agents.values(), *in_other_languages(self._agents).values()]
        self._recognisers: dict[str, Recogniser] = {
            name: leased_recogniser(
                MeteredRecogniser(build_recogniser(name, known), ledger), quotas
            )
            for name in {name for agent in everyone for name in agent.recognisers}
        }
        self._speakers: dict[str, Speaker] = {
            name: leased_speaker(MeteredSpeaker(build_speaker(name, known), ledger), quotas)
            for name in {name for agent in everyone for name in agent.speakers}
        }
        self._ears = ears_of(self._agents, self._recognisers, self._health)
        self._voices = voices_of(self._agents, self._speakers, self._health)
        self._store = ClipStore(
            ClipCache(CLIP_MEMORY_BYTES), ClipFolder(settings.data_dir.absolute() / "clips")
        )
        self._stores = open_call_stores(settings)
        self._records = self._stores.calls
        self._journal = RecordWriter(self._stores.database)
        self._office = RayBackOffice(BACK_OFFICE_PARTS, settings.to_plain(), CALL_MOVER)
        self.send_beat = self._office.send_beat
        self.world = OutsideWorld(
            stores=self._stores,
            put=self._journal.put,
            carrier=carrier_of(settings),
            nudge=self._office.nudge,
            switch=self._office.switch,
            forget_answers=(
                partial(forget_call, settings.cache_owners) if settings.cache else nothing_kept
            ),
        )
        self._sources = {
            key: self._source(self._agents[key], voice) for key, voice in self._voices.items()
        }
        self._chores: list[asyncio.Task[None]] = []
        self._active_calls = active_calls
        self._process = ProcessMeter(ledger, "ingress")
        self._reporter = MetricsReporter(
            ledger, RayMetricsLink(), self._sample, wants_view=True, incarnation=wall_clock_us
        )
        self._traces = _open_traces()
        counts = EventCounts(ledger)
        self._models = load_local_models(settings)
        for warning in self._models.warnings:
            logger.warning("%s", warning)
        budgets = SpeculationBudgets()
        languages = self._languages = LanguageParts(
            self._agents,
            self._recognisers,
            self._speakers,
            self._health,
            self._source,
            self._models.turn_model_for,
        )
        realtime = realtime_service(self._agents.values(), known, self._health.view)
        clock = FrameClock(self._models.scorer, self._process.note_lag)
        self.unheard = clock.unheard
        plan = self._plan = mind_plan(settings)
        self._pool = RayMindPool(
            replica_id,
            settings.calls_per_replica,
            active_calls,
            settings.actor_timeout_s,
            release=plan.release,
            deployed=lambda directory: tell_plan(directory, plan),
        )
        self.edge_parts = EdgeParts(
            agents=self._agents,
            call_parts={
                key: languages.of(
                    key,
                    CallParts(
                        ears=self._ears[key],
                        speech=self._sources[key],
                        clock=clock,
                        wall_clock_us=wall_clock_us,
                        count=counts,
                        meter=AgentMeter(ledger, as_metered(agent), self._traces),
                        turn_model=self._models.turn_model_for(agent.language),
                        budgets=budgets,
                        realtime=realtime if "realtime" in agent.modes else None,
                    ),
                )
                for key, agent in self._agents.items()
            },
            pool=self._pool,
            wall_clock_us=wall_clock_us,
            counts=counts,
            cluster_view=lambda: self._reporter.view,
            planned_end=self._records.planned_end,
            handed_over=stored_hand_over(self._records.journal),
            moved=stored_move(self._records.journal),
            recall=recall_from(self._records),
            write=self._journal.put,
            gate=self._health.gate(),
        )

    def _source(self, agent: Agent, voice: Speaker) -> SpeechSource:
        """Where an agent's speech comes from, spoken or kept."""
        chain = voice if isinstance(voice, FailoverSpeaker) else None
        return speech_source(self._known, agent, voice, self._store, chain=chain)

    async def start(
        self, waiting_for: list[str], on_records: Callable[[], Awaitable[None]]
    ) -> None:
        """Warm everything.

        Args:
            waiting_for: Says at any time what is still missing.
            on_records: Awaited as soon as the tables can be read.
        """
        waiting_for[:] = ["models", "call actors", "recogniser", "voice"]
        await self._models.warm()
        waiting_for.remove("models")
        self._reporter.start()
        self._health.start()
        await self._records.prepare()
        await on_records()
        self._office.start()
        await self._until_done("call actors", self._find_minds, waiting_for)
        await self._until_done("recogniser", self._warm_recognisers, waiting_for)
        await self._until_done("voice", self._warm_voices, waiting_for)
        loop = asyncio.get_running_loop()
        self._chores.append(loop.create_task(self._render_spare_voices()))
        self._chores.append(loop.create_task(self._store.bound(self._settings.clips_bytes)))

    async def _find_minds(self, say: Callable[[str], None]) -> str:
        return await joined(self._pool, lambda: ensure_directory(self._plan, say))

    async def _until_done(self, what: str, work: Warming, waiting_for: list[str]) -> None:
        """Try until it works; what is away is said, and tried again."""

        def say(problem: str) -> None:
            line = f"{what}: {problem}" if problem else what
            if problem and line not in waiting_for:
                logger.warning("not ready, %s", line)
            waiting_for[:] = [item for item in waiting_for if not item.startswith(what)] + [line]

        while problem := await work(say):
            say(problem)
            await asyncio.sleep(RETRY_WARMING_S)
        waiting_for[:] = [item for item in waiting_for if not item.startswith(what)]

    async def _warm_recognisers(self, _say: Callable[[str], None]) -> str:
        """Ready with the agents' own; a spare one that is away is said and waited for by nobody."""
        for agent in self._agents.values():
            for name in agent.recognisers:
                try:
                    await self._recognisers[name].warm(agent.language, WARM_RECOGNISERS)
                except ProviderError as error:
                    if name == agent.recogniser:
                        return str(error)
                    logger.warning("a spare recogniser is not warm: %s", error)
        return ""

    async def _warm_voices(self, _say: Callable[[str], None]) -> str:
        for key, agent in self._agents.items():
            problem = await self._warm_voice(key, agent)
            if problem:
                return problem
        return ""

    async def _warm_voice(self, key: tuple[str, str], agent: Agent) -> str:
        """Open the voice's connection and render what must always be speakable."""
        try:
            await self._voices[key].warm(agent.voice, agent.language)
        except ProviderError as error:
            return str(error)
        failures = await self._sources[key].prepare(agent)
        return failures[0] if failures else ""

    async def _render_spare_voices(self) -> None:
        """Phrases in the other voices too, for calls that change theirs; nobody waits for it."""
        said: set[str] = set()
        while True:
            failures = [
                failure
                for key, agent in self._agents.items()
                if agent.spare_voices
                for failure in await self._sources[key].prepare_all(agent)
            ] + await self._languages.prepare()
            for failure in failures:
                if failure not in said:
                    said.add(failure)
                    logger.warning(
                        "phrases in a spare voice, or another language, are not there yet: %s",
                        failure,
                    )
            if not failures:
                return
            await asyncio.sleep(RENDER_AGAIN_S)

    def late_s(self) -> float:
        """How late the latest tick of the last second or two was."""
        return self._process.late_s

    def _sample(self) -> None:
        """What is measured by looking, about once a second."""
        ledger, clips = self._ledger, self._store.memory.counts
        capacity = self._settings.calls_per_replica
        self._process.sample(active_calls=self._active_calls(), capacity=capacity)
        self._health.sample()
        ledger.gauge(catalog.CACHE_BYTES, clips.held_bytes, "clips")
        ledger.count_up_to(catalog.CACHE_LOOKUPS, clips.hits, "clips", "hit")
        ledger.count_up_to(catalog.CACHE_LOOKUPS, clips.misses, "clips", "miss")
        if self._traces is not None:
            ledger.count_up_to(catalog.TRACES_DROPPED, self._traces.dropped)

    async def aclose(self) -> None:
        """Close every connection."""
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(self._reporter.aclose(), self._health.aclose())
        if self._traces is not None:
            await asyncio.to_thread(self._traces.close)
        await self._pool.aclose()
        await self._models.aclose()
        for recogniser in self._recognisers.values():
            await recogniser.aclose()
        for source in self._sources.values():
            await source.aclose()
        await self._languages.aclose()
        for voice in self._voices.values():
            await voice.aclose()
        await self._office.aclose()
        await self._journal.aclose()
        if self.world.carrier is not None:
            await self.world.carrier.close()
        await self._records.aclose()


def _open_traces() -> TraceQueue | None:
    """Traces, if the environment asks for them; what is wrong with them stops no call."""
    try:
        return open_traces()
    except TracesUnavailable as error:
        logger.error("no traces: %s", error)
        return None


def build_ingress_parts(
    settings: Settings, replica_id: str, active_calls: Callable[[], int]
) -> IngressParts:
    """Build the parts of one replica; nothing is connected yet."""
    return IngressParts(settings, replica_id, active_calls)
