"""A process tells the keeper of providers' health what it saw, and hears what all others saw.

Nobody in a call waits for any of it. Three things go on beside the calls:

1. Reports: hard failures at once, the rest in batches. One is on its way at most; one that is lost
   is made up for by the next, and a keeper that is new is told everything again.
2. A long poll: it brings the board's news as they happen, and probes that this process is to make.
3. Probes: those that the keeper asks for, and this process' own for what it alone found broken, or
   while the keeper is away.

While the keeper is away the process judges by what it sees itself.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from actors.errors import HealthAwayError
from actors.rounds import for_ever
from providers.errors import ProviderError
from providers.health.board import board_of, numbers_of
from providers.health.deadline import probe_limit_s
from providers.health.errors import HealthDataInvalid
from providers.health.reports import Report
from providers.health.signals import signal_of_error
from providers.health.unit import unit_of_key
from providers.health.view import HealthView
from providers.traces import trace_of

logger = logging.getLogger(__name__)

VERSION = 1
REPORT_WITHIN_S = 2.0
POLL_SPARE_S = 2.0  # over the time that the keeper said it would take
RETRY_AFTER_S = 0.5
PROBE_WITHIN_S = 1.8  # below the two seconds after which a breaker counts it as failed
STALE_POLLS = 2.5
_LONGEST_NAP_S = 1.0
_SHORTEST_NAP_S = 0.01


class HealthLink(Protocol):
    """The way to the keeper; see ``actors.provider_health_driver`` for the messages."""

    async def report(self, plain: dict[str, Any]) -> None:
        """Hand over a report. Raises ``HealthAwayError``."""

    async def watch(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Wait for news. Raises ``HealthAwayError``."""

    async def probed(self, plain: dict[str, Any]) -> None:
        """Hand over the answer to a probe. Raises ``HealthAwayError``."""


class HealthReporter:
    """Reports and boards for one process.

    Args:
        name: Of this process; no other one, before or after, has it.
        view: What the calls ask and tell.
        link: The way to the keeper.
        jitter: 0 to 1; spreads what many processes do at once.
    """

    def __init__(
        self,
        name: str,
        view: HealthView,
        link: HealthLink,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._name = name
        self._view = view
        self._link = link
        self._jitter = jitter
        self._news = asyncio.Event()
        self._term = 0
        self._poll_s = 1.0
        self._is_away = False
        self._sending: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        view.on_news = self._news.set

    def start(self) -> None:
        """Begin, in the background. Idempotent."""
        if not self._tasks:
            told = for_ever(self._tell, RETRY_AFTER_S, "what was seen of providers is not told")
            heard = for_ever(self._listen, RETRY_AFTER_S, "the health of providers is not heard")
            self._spawn(told, "health-reports")
            self._spawn(heard, "health-board")

    async def aclose(self) -> None:
        """Stop."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- what this process saw --------------------------------------------------------------------

    async def _tell(self) -> None:
        local, clock = self._view.local, self._view.clock
        while True:
            now = clock()
            for unit, number in local.probes(now=now):
                self._spawn(self._probe_for_us(unit, number), "health-probe")
            if self._sending is None and (report := local.report(now=now)):
                self._sending = self._spawn(self._send(report), "health-report")
            due = local.next_deadline(now=now)
            wait_s = _LONGEST_NAP_S if due is None else due - now
            if self._sending is not None:
                wait_s = _LONGEST_NAP_S  # its end is news
            try:
                async with asyncio.timeout(min(max(wait_s, _SHORTEST_NAP_S), _LONGEST_NAP_S)):
                    await self._news.wait()
            except TimeoutError:
                continue
            self._news.clear()

    async def _send(self, report: Report) -> None:
        try:
            async with asyncio.timeout(REPORT_WITHIN_S):
                await self._link.report(report.to_plain())
        except (HealthAwayError, TimeoutError):
            self._view.local.report_lost(report, now=self._view.clock())
            await asyncio.sleep(RETRY_AFTER_S * self._jitter())
        finally:
            self._sending = None
            self._news.set()

    # --- what all others saw ----------------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._poll_s + POLL_SPARE_S):
                    answer = await self._link.watch(self._poll())
                self._take(answer)
            except (HealthAwayError, HealthDataInvalid, TimeoutError) as error:
                self._away(error)
                await asyncio.sleep(RETRY_AFTER_S * (1.0 + self._jitter()))
            else:
                await asyncio.sleep(0)  # an answer that comes at once must not starve the calls

    def _poll(self) -> dict[str, Any]:
        local = self._view.local
        held = local.held()
        poll: dict[str, Any] = {
            "v": VERSION,
            "reporter": self._name,
            "seen": list(local.board.stamp),
            "can_probe": sorted(self._view.probes),
        }
        return {**poll, "held": held.to_plain()} if held.entries else poll

    def _take(self, answer: Mapping[str, Any]) -> None:
        board = board_of(answer.get("board"))
        poll_s, calm_s = numbers_of([answer.get("poll_s", 1.0), answer.get("calm_s", 0.5)])
        if self._is_away:
            self._is_away = False
            logger.info("the keeper of providers' health answers again")
        local, now = self._view.local, self._view.clock()
        self._poll_s, local.calm_s = poll_s, calm_s
        local.stale_after_s = STALE_POLLS * poll_s
        for unit in board.left_since(local.board):
            logger.info("%s is left, as the board says", unit)
        local.receive_board(board, now=now)
        if board.stamp[0] != self._term:
            self._term = board.stamp[0]
            local.tell_all(now=now)
        for unit, number in answer.get("probes", ()):
            self._spawn(self._probe_for_all(str(unit), int(number)), "health-probe")
        self._news.set()

    def _away(self, error: Exception) -> None:
        if not self._is_away:
            self._is_away = True
            why = str(error) or "no answer"
            logger.warning("the keeper of providers' health is away, we judge alone: %s", why)

    # --- probes -----------------------------------------------------------------------------------

    async def _probe_for_us(self, unit: str, number: int) -> None:
        ok = await self._probe(unit)
        self._view.local.probe_answered(unit, number, ok=bool(ok), now=self._view.clock())
        self._news.set()

    async def _probe_for_all(self, unit: str, number: int) -> None:
        found = await self._probe(unit)
        if found is None and number < 0:
            return  # an idle unit is asked again in its time; three bad answers would open it
        ok = bool(found)
        told = {"v": VERSION, "reporter": self._name, "unit": unit, "number": number, "ok": ok}
        try:
            async with asyncio.timeout(REPORT_WITHIN_S):
                await self._link.probed(told)
        except (HealthAwayError, TimeoutError):
            logger.info("the answer to a probe was lost; the keeper has another one made")

    async def _probe(self, unit: str) -> bool | None:
        """Whether a small request was answered as quickly as usual; None: it was never sent."""
        call = self._view.probes.get(unit)
        if call is None:
            return False
        try:
            async with asyncio.timeout(PROBE_WITHIN_S):
                took_s = await call()
        except ProviderError as error:
            signal = signal_of_error(error)
            if signal.weight == "shut":  # it says how long to stay away, which all should know
                self._view.saw(unit, signal)
            return None if signal.weight == "nothing" else False
        except TimeoutError:
            return False
        except Exception as error:  # noqa: BLE001 - a broken client must not end all probes
            logger.error("a probe broke: %s", trace_of(error))
            return False
        quantiles = self._view.verdict(unit).quantiles
        return took_s <= probe_limit_s(unit_of_key(unit).operation, quantiles)
