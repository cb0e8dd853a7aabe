"""The keeper of all providers' health, without Ray: what the ProviderHealthActor does.

Rules
1. What a worker reports is judged in the same call: hard failures come at once, the rest in batches
   that the workers make.
2. A change of the board answers every poll that is open, with the entries that its worker does not
   have. A poll without news is answered after ``poll_s``, so that the worker knows that the keeper
   lives.
3. A probe goes to its worker with the answer to that worker's poll.
4. More workers poll and report less often, so that one actor can hear them all; what is urgent is
   not slowed down. A poll may be that of a whole machine (``node_board_link``).

Messages (plain data, ``{"v": 1, ...}``, unknown fields ignored)

    report  ``providers.health.reports``
    watch   ``reporter``, ``seen`` (term and version of its board), ``can_probe`` (units), ``held``
            (the entries of its board that are not well), ``also`` (the units of each reporter who
            hears the answer from this one); answered by ``board`` (entries newer than ``seen``),
            ``probes`` (unit and number), ``also`` (those of each such reporter; only when asked
            so), ``poll_s``, ``calm_s``
    probed  ``reporter``, ``unit``, ``number``, ``ok``
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Any

from providers.health.board import Board, Stamp, board_of, whole
from providers.health.errors import HealthDataInvalid
from providers.health.keeper import BoardKeeper
from providers.health.reports import report_of

logger = logging.getLogger(__name__)

VERSION = 1
POLL_S = 1.0
CALM_S = 0.5
CALLS_A_SECOND = 200  # polls that one actor answers without falling behind, and twice the reports
POLLER_KEPT_S = 60.0
_MOST_UNITS = 2_000
_MOST_ALSO = 10_000
_LEFT = "%s is not used by anybody until probes of it succeed: %s"
# For people; the words of ``providers.health.breaker``.
_WHY = {
    "run": "it failed several times in a row",
    "share": "too many of its answers failed",
    "steady": "a steady part of its answers failed",
    "slow": "it is much slower than usual",
    "busy": "it asks to be left alone for a while",
    "refused": "it refuses what we ask",
    "probes": "it is too busy for probes",
}


class HealthDriver:
    """Takes reports, answers polls.

    All methods raise ``HealthDataInvalid`` for a message that cannot be read, and nothing else.

    Args:
        clock: Seconds, UTC.
        term: Larger after each restart.
        jitter: 0 to 1, for the times of probes.
        probes_idle: Try units that nobody calls, now and then.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        term: int,
        jitter: Callable[[], float],
        *,
        probes_idle: bool = True,
    ) -> None:
        self._clock = clock
        self._keeper = BoardKeeper(term, jitter)
        self._keeper.probes_idle = probes_idle
        self._probes: dict[str, list[tuple[str, int]]] = {}
        self._polls: dict[asyncio.Future[None], Collection[str]] = {}
        self._pollers: OrderedDict[str, float] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None
        self._published = self._keeper.board.stamp
        self._told: dict[str, str] = {}

    @property
    def board(self) -> Board:
        """What is published."""
        return self._keeper.board

    async def report(self, plain: Any) -> None:
        """Take what a worker has seen."""
        self._keeper.receive(report_of(plain), now=self._clock())
        self._turn()

    async def watch(self, plain: Any) -> dict[str, Any]:
        """Answer a poll: at once when there is news, else with the next news, else later."""
        reporter, seen, units, held = _poll_of(plain)
        also = _also_of(plain)
        now = self._clock()
        self._polled(reporter, now)
        for name, theirs in {**(also or {}), reporter: units}.items():
            self._keeper.enlist(name, theirs, now=now)
        self._keeper.adopt(held, now=now)
        self._turn()
        hearers = frozenset((reporter, *(also or ())))
        if not self._news(hearers, seen):
            await self._until_news(hearers)
        answer = {
            "v": VERSION,
            "board": self._keeper.board.since(seen).to_plain(),
            "probes": self._probes_for(reporter),
            "poll_s": self._poll_s,
            "calm_s": max(CALM_S, self._keeper.reporters / (2 * CALLS_A_SECOND)),
        }
        if also is not None:
            answer["also"] = {name: self._probes_for(name) for name in also if name in self._probes}
        return answer

    async def probed(self, plain: Any) -> None:
        """Take the answer to a probe."""
        reporter, unit, number, ok = _probed_of(plain)
        now = self._clock()
        self._keeper.probe_answered(unit, number, ok=ok, now=now)
        if not ok:
            logger.info("%s is still not well, as %s has found", unit, reporter)
        self._turn()

    def status(self) -> dict[str, Any]:
        """For people: who reports, and the board."""
        return {"reporters": self._keeper.reporters, "board": self.board.to_plain()}

    @property
    def _poll_s(self) -> float:
        return max(POLL_S, len(self._pollers) / CALLS_A_SECOND)

    def _polled(self, reporter: str, now: float) -> None:
        self._pollers[reporter] = now
        self._pollers.move_to_end(reporter)
        while next(iter(self._pollers.values())) < now - POLLER_KEPT_S:
            self._pollers.popitem(last=False)

    def _probes_for(self, reporter: str) -> list[list[Any]]:
        return [list(probe) for probe in self._probes.pop(reporter, [])]

    def _news(self, hearers: Collection[str], seen: Stamp) -> bool:
        return self._keeper.board.stamp != seen or not self._probes.keys().isdisjoint(hearers)

    async def _until_news(self, hearers: Collection[str]) -> None:
        poll: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._polls[poll] = hearers
        try:
            async with asyncio.timeout(self._poll_s):
                await poll
        except TimeoutError:
            return
        finally:
            del self._polls[poll]

    def _turn(self) -> None:
        """Judge what has come in, hand out probes, wake who waits for it, set the timer."""
        now = self._clock()
        due = self._keeper.next_deadline()
        if due is not None and due <= now:
            self._keeper.handle_deadline(now=now)
        chosen = self._keeper.probes(now=now)
        for probe in chosen:
            self._probes.setdefault(probe.reporter, []).append((probe.unit, probe.number))
        is_news = self._keeper.board.stamp != self._published
        if is_news:
            self._tell_people()
        probers = {probe.reporter for probe in chosen}
        for poll, hearers in self._polls.items():
            if (is_news or not probers.isdisjoint(hearers)) and not poll.done():
                poll.set_result(None)
        self._arm(now)

    def _tell_people(self) -> None:
        news = self._keeper.board.since(self._published)
        self._published = self._keeper.board.stamp
        for unit, entry in news.entries.items():
            if entry.state == "open":
                if self._told.get(unit) != entry.reason:  # not once more for each probe
                    logger.warning(_LEFT, unit, _WHY.get(entry.reason, entry.reason))
                self._told[unit] = entry.reason
            elif entry.closed_at_s and entry.state == "closed":
                self._told.pop(unit, None)
                logger.info("%s is well, and used again", unit)

    def _arm(self, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self._keeper.next_deadline()
        if due is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, due - now), self._turn)


def _poll_of(plain: Any) -> tuple[str, Stamp, list[str], Board]:
    message = _message(plain)
    seen, units = message.get("seen"), message.get("can_probe", [])
    if not isinstance(seen, list | tuple) or len(seen) != 2:
        raise HealthDataInvalid("seen is a term and a version")
    if not isinstance(units, list) or len(units) > _MOST_UNITS:
        raise HealthDataInvalid(f"can_probe is a list of at most {_MOST_UNITS} units")
    held = board_of(message["held"]) if "held" in message else Board()
    return message["reporter"], (whole(seen[0]), whole(seen[1])), [str(u) for u in units], held


def _also_of(plain: Any) -> dict[str, list[str]] | None:
    """Who else hears the answer, and what they can probe; None: nobody was asked for."""
    also = plain.get("also")
    if also is None:
        return None
    if not isinstance(also, Mapping) or len(also) > _MOST_ALSO:
        raise HealthDataInvalid(f"also is a mapping of at most {_MOST_ALSO} reporters")
    for units in also.values():
        if not isinstance(units, list) or len(units) > _MOST_UNITS:
            raise HealthDataInvalid(f"each of also is a list of at most {_MOST_UNITS} units")
    return {str(name): [str(unit) for unit in units] for name, units in also.items()}


def _probed_of(plain: Any) -> tuple[str, str, int, bool]:
    message = _message(plain)
    unit, number, ok = (message.get(name) for name in ("unit", "number", "ok"))
    if not isinstance(unit, str) or type(number) is not int or not isinstance(ok, bool):
        raise HealthDataInvalid("the answer to a probe has a unit, a number and ok")
    return message["reporter"], unit, number, ok


def _message(plain: Any) -> Mapping[str, Any]:
    if not isinstance(plain, Mapping) or not isinstance(plain.get("reporter"), str):
        raise HealthDataInvalid("a message is a mapping with a reporter")
    return plain
