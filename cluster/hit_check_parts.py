"""What a CallActor needs to have answers of the cache asked again (``actors.hit_checks``)."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Final

from actors.hit_checks import CheckConfig, HitChecks
from actors.mind_calls import Recorder
from cache.ports import AnswerCache
from cluster.provider_health import ProcessHealth
from cluster.settings import Settings
from dialogue.agent import Agent
from dialogue.ports import Thinker
from dialogue.session import CallIdentity
from providers.failover.thinker import FailoverThinker
from telemetry import catalog
from telemetry.ledger import MetricsLedger

FULL_ENOUGH: Final = 0.8
"""Of a limit: what is left of it then belongs to callers."""


class LedgerCheckLog:
    """``actors.hit_checks.CheckLog``: counted in the metrics, billed to the call.

    Args:
        ledger: Of this process.
        recorder: Of its calls.
    """

    def __init__(self, ledger: MetricsLedger, recorder: Recorder) -> None:
        self._ledger = ledger
        self._recorder = recorder

    def checked(self, call: CallIdentity, result: str) -> None:
        """Count it."""
        self._ledger.count(catalog.CACHE_CHECKS, call.tenant_id, call.agent_id, result)

    def units_used(self, call: CallIdentity, usage: Mapping[str, float]) -> None:
        """Add it to the bill of the call, also when that is over."""
        self._recorder.units_used(call, usage)


def hit_checks(
    settings: Settings,
    cache: AnswerCache | None,
    thinkers: Mapping[str, Thinker],
    health: ProcessHealth,
    log: LedgerCheckLog,
    is_busy: Callable[[], bool],
) -> HitChecks | None:
    """The checks of one process; None when the settings want none.

    Args:
        settings: Of the deployment.
        cache: Of this process; None when it is off.
        thinkers: By ``Agent.think_chain``.
        health: Of the providers, as this process sees it.
        log: Where what comes of them goes.
        is_busy: Whether a caller waits for a reply.
    """
    if cache is None or settings.cache_check_ratio <= 0.0:
        return None

    def is_well(agent: Agent) -> bool:
        if health.quotas.fullness("think", agent.thinker) >= FULL_ENOUGH:
            return False
        thinker = thinkers.get(agent.think_chain)
        return not isinstance(thinker, FailoverThinker) or thinker.is_well(agent.model)

    return HitChecks(
        cache,
        thinkers.get,
        log,
        random.random,
        config=CheckConfig(settings.cache_check_ratio, settings.cache_judge_model),
        is_well=is_well,
        is_busy=is_busy,
    )
