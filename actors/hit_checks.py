"""Answers of the cache that are asked again behind the caller's back: were they right?

Rules
1. A few of the hits that were heard, chosen by chance (``offer``); more often those that were
   nearly refused. What a person wrote for this very question is not doubted.
2. Nothing of it is in anybody's turn: a check begins after its turn has settled, one at a time in a
   process, ``EVERY_S`` apart at least, and lets replies that are being thought about go first, for
   ``QUIET_WITHIN_S``. What is too much is dropped.
3. None is made while the language model is not well, or full, for ``REST_S`` after it failed, or
   while the tenant has wasted as much as it allows (``voice.waste``): checks count as waste.
4. A difference (``actors.hit_examination``) silences an answer of a model at once, and tightens the
   bound of its scope. What a person wrote stays: only the gate learns that it was the wrong one.
5. What is not clear changes nothing. What a check took is told, whatever came of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from actors.consultation import Consultation
from actors.hit_examination import Examination, ServedHit
from actors.reply_units import WASTED
from actors.wire import TurnEntry
from cache.learning import CHECKED_RATIO
from cache.outcomes import Tier
from cache.ports import AnswerCache
from cache.same_answer import Sameness
from dialogue.agent import Agent
from dialogue.ports import Thinker
from dialogue.session import CallIdentity
from providers.errors import ProviderError
from telemetry.cost import CHECKED_PREFIX
from voice.presets import PRESETS
from voice.waste import SpeculationBudget, SpeculationBudgets, TurnSpend

logger = logging.getLogger(__name__)

EVERY_S: Final = 1.0
QUIET_WITHIN_S: Final = 10.0
ANSWERED_WITHIN_S: Final = 20.0
REST_S: Final = 60.0
MOST_WAITING: Final = 20
_LOOK_EVERY_S: Final = 0.25
FAILED, BUSY, UNWELL, SPENT = "failed", "busy", "unwell", "spent"


@dataclass(frozen=True, slots=True)
class CheckConfig:
    """What is checked.

    Attributes:
        ratio: How many of the hits, on the whole, 0..1; 0 for none.
        judge: Model that judges; empty for the agent's own.
    """

    ratio: float = 0.02
    judge: str = ""


DEFAULT: Final = CheckConfig()


class CheckLog(Protocol):
    """Where what became of checks is written; must not wait."""

    def checked(self, call: CallIdentity, result: str) -> None:
        """One is over: ``same``, ``different``, ``unclear``, ``failed``; or why none was made."""

    def units_used(self, call: CallIdentity, usage: Mapping[str, float]) -> None:
        """Provider units that went into it, and beside them as ``checked_...``."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    examination: Examination
    ratio: float


class HitChecks:
    """The checks of one process.

    Args:
        cache: Is told what comes of them.
        thinkers: By what ``Agent.think_chain`` says.
        log: See there.
        chance: 0..1, drawn for each hit.
        config: How many, and who judges.
        is_well: Whether the model of this agent takes more than it is given by callers.
        is_busy: Whether a caller waits for a reply.
    """

    def __init__(
        self,
        cache: AnswerCache,
        thinkers: Callable[[str], Thinker | None],
        log: CheckLog,
        chance: Callable[[], float],
        *,
        config: CheckConfig = DEFAULT,
        is_well: Callable[[Agent], bool] = lambda _agent: True,
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._cache = cache
        self._thinkers = thinkers
        self._log = log
        self._chance = chance
        self._ratio = config.ratio
        self._judge = config.judge
        self._is_well = is_well
        self._is_busy = is_busy
        self._budgets = SpeculationBudgets()
        self._waiting: deque[_Waiting] = deque()
        self._rests_until: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None

    def turn_over(
        self, agent: Agent, call: CallIdentity, turn: TurnEntry, served: Consultation | None
    ) -> None:
        """A turn of a caller is over.

        Args:
            agent: Who has answered.
            call: Whose turn it was.
            turn: As it was settled.
            served: The lookup that was heard; None when the cache did not answer.
        """
        missed = max(0, round(turn.usage.get(WASTED, 0.0)))
        self._budget(agent).settle(TurnSpend(1 + missed, missed, missed, missed))
        if served is None or served.request is None or (hit := served.hit) is None:
            return
        asked, scope = served.text, served.question.scope
        self.offer(ServedHit(call, agent, served.request, asked, hit.answer.text, hit, scope))

    def troubled(self, agent: Agent) -> None:
        """The model of this agent has failed a caller: it is left alone for a while."""
        self._rests_until[agent.think_chain] = asyncio.get_running_loop().time() + REST_S

    def offer(self, served: ServedHit) -> bool:
        """A hit was heard; True when it will be checked. Costs microseconds."""
        is_exact = served.hit.tier is not Tier.SEMANTIC
        if self._ratio <= 0.0 or (served.is_written and is_exact):
            return False
        ratio, likelihood = 1.0, self._ratio
        if not is_exact:
            # At least half of the share, or hits that are all sure would never be looked at.
            ratio = max(CHECKED_RATIO / 2, self._cache.check_ratio(served.hit, served.scope))
            likelihood *= ratio / CHECKED_RATIO
        if self._chance() >= likelihood:
            return False
        if reason := BUSY if len(self._waiting) >= MOST_WAITING else self._objection(served.agent):
            self._log.checked(served.call, reason)
            return False
        thinker = self._thinkers(served.agent.think_chain)
        if thinker is None:
            return False
        self._waiting.append(_Waiting(Examination(served, thinker, self._judge), ratio))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work(), name="hit-checks")
        return True

    async def aclose(self) -> None:
        """Check nothing more."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # --- whether ----------------------------------------------------------------------------------

    def _objection(self, agent: Agent) -> str:
        now = asyncio.get_running_loop().time()
        if now < self._rests_until.get(agent.think_chain, 0.0) or not self._is_well(agent):
            return UNWELL
        return SPENT if self._is_spent(agent) else ""

    def _is_spent(self, agent: Agent) -> bool:
        return self._budget(agent).recent.missed_ratio > _allowed(agent)

    def _budget(self, agent: Agent) -> SpeculationBudget:
        return self._budgets.of(agent.tenant_id, _allowed(agent))

    # --- one after the other ----------------------------------------------------------------------

    async def _work(self) -> None:
        while self._waiting:
            await asyncio.sleep(EVERY_S)
            await self._until_quiet()
            if not self._waiting:
                return
            check = self._waiting.popleft()
            served, usage = check.examination.served, check.examination.usage
            result = self._objection(served.agent)  # again: it may have waited
            if not result:
                self._budget(served.agent).settle(TurnSpend(1, 1, 1, 1))
                result = await self._checked(check)
            self._log.checked(served.call, result)
            if usage:
                self._log.units_used(served.call, _told(usage))

    async def _until_quiet(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + QUIET_WITHIN_S
        while self._is_busy() and loop.time() < until:
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _checked(self, check: _Waiting) -> str:
        served = check.examination.served
        try:
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                found = await check.examination.result()
        except (ProviderError, TimeoutError) as error:
            logger.info("an answer could not be asked again: %s", type(error).__name__)
            self.troubled(served.agent)
            return FAILED
        except Exception as error:  # noqa: BLE001 - its message may quote a caller
            logger.error("asking an answer again broke: %s", type(error).__name__)
            return FAILED
        if found is Sameness.UNCLEAR:
            return found.value
        is_right = found is Sameness.SAME
        if not is_right:
            logger.info("entry %d was asked again and was wrong", served.hit.entry_id)
        self._cache.checked(
            served.hit,
            served.scope,
            is_right=is_right,
            check_ratio=check.ratio,
            silences=not served.is_written,
        )
        return found.value


def _allowed(agent: Agent) -> float:
    taking = agent.turn_taking
    return taking.max_waste_ratio or PRESETS[taking.preset].max_waste_ratio


def _told(usage: Mapping[str, float]) -> dict[str, float]:
    """Units as they are billed, and once more as what checks took of them."""
    return {**usage, **{CHECKED_PREFIX + unit: amount for unit, amount in usage.items()}}
