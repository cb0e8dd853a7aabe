"""One worker's view: its own breakers, its copy of the board, and what it tells the keeper.

Rules
1. A verdict is the worse of the worker's own and the board's: own evidence opens at once, without
   waiting for anybody, and so does the board.
2. What the board opened, the board closes. What only this worker opened, this worker probes (its
   own network may be the fault). While the board has it open too, the board's one prober does.
3. A board not renewed for ``board_stale_s`` says nothing any more: what it held open last is open
   for this worker's own breaker too, whose own probes then decide alone.
4. A hard failure is told at once, and so is whatever makes this worker leave a unit; the rest goes
   in batches, more often while something is wrong.
   What everybody knows already is in no hurry: a thousand workers that all see one provider down
   must not bury the keeper.
5. A keeper of a new term knows nothing; ``held`` tells it what its predecessor had found, so that a
   restart reopens no dead provider.

Synchronous; reading a verdict touches only memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from providers.health.board import Board, Entry
from providers.health.breaker import Breaker, State, ramp_share
from providers.health.deadline import Quantiles
from providers.health.evidence import Window
from providers.health.latency import FadingLatency
from providers.health.policy import HealthPolicy, policy_of
from providers.health.reports import LatencyView, Report
from providers.health.signals import URGENT, Sign, Signal
from providers.health.unit import operation_of

LATENCIES_S = 5.0
_SEVERITY: dict[State, int] = {"closed": 0, "suspect": 1, "half_open": 2, "open": 3}
_WELL = Entry()
_USABLE = frozenset({"closed", "suspect"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What this worker holds of one unit.

    Attributes:
        state: The worse of its own and the board's.
        demoted: To be used after all others.
        new_call_share: Share of new calls it may take, 0 to 1.
        quantiles: Of the unit; None while unknown.
    """

    state: State
    demoted: bool
    new_call_share: float
    quantiles: Quantiles | None

    @property
    def usable(self) -> bool:
        """True while callers may use it."""
        return self.state in _USABLE


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on somebody of whom several units are needed; quantiles are those of the first.

    Args:
        verdicts: At least one.
    """
    return Verdict(
        max((verdict.state for verdict in verdicts), key=_SEVERITY.__getitem__),
        any(verdict.demoted for verdict in verdicts),
        min(verdict.new_call_share for verdict in verdicts),
        verdicts[0].quantiles,
    )


class _Seen:
    def __init__(self, policy: HealthPolicy, jitter: Callable[[], float]) -> None:
        self.window = Window()
        self.latency = FadingLatency()
        self.breaker = Breaker(policy, jitter)
        self.number = 0
        self.quantiles: Quantiles | None = None
        self.quantiles_at_s = -math.inf


class LocalHealth:
    """What one worker knows.

    Attributes:
        board: The newest board it was given.
        alarms: Our own mistakes that providers told us of.
        stale_after_s: A board not renewed for so long says nothing.
        calm_s: Reports go out this often while nothing is wrong.
    """

    def __init__(
        self, reporter: str, jitter: Callable[[], float], policy: HealthPolicy | None = None
    ) -> None:
        self._reporter = reporter
        self._jitter = jitter
        self._policy = policy or HealthPolicy()
        self._units: dict[str, _Seen] = {}
        self._untold: set[str] = set()
        self._report_at_s = math.inf
        self._latencies_at_s = -math.inf
        self._board_at_s = -math.inf
        self._is_board_live = False
        self.stale_after_s = self._policy.board_stale_s
        self.calm_s = self._policy.report_calm_s
        self.board = Board()
        self.alarms = 0

    def saw(self, unit: str, signal: Signal, *, now: float) -> bool:
        """Take one signal; the unit's own breaker has judged it on return.

        Returns:
            Whether this is the moment in which the unit is left, by this worker and before others.
        """
        weight = signal.weight
        if weight == "nothing":
            return False
        if weight == "alarm":
            self.alarms += 1
            return False
        seen = self._unit(unit)
        was_usable = seen.breaker.usable
        if weight == "good":
            self._good(unit, seen, signal.latency_s, now)
        elif weight == "bad":
            seen.window.bad(now=now)
        else:
            until_s = now + self._away_s(signal)
            seen.window.shut(until_s)
            seen.breaker.shut(until_s, signal.sign.value, now=now)
        since_s = seen.breaker.closed_at_s
        seen.breaker.judge(seen.window.recent(now=now, since_s=since_s), now=now)
        seen.number += 1
        self._untold.add(unit)
        is_news = self._shared(unit, now).state in _USABLE
        is_left = is_news and was_usable and not seen.breaker.usable
        wait_s = 0.0 if is_left else self._wait_s(signal, is_news=is_news)
        self._report_at_s = min(self._report_at_s, now + wait_s)
        return is_left

    def _away_s(self, signal: Signal) -> float:
        """How long a unit that shuts its door is left alone."""
        policy = self._policy
        if signal.sign is Sign.REFUSED:
            return policy.refused_s
        return min(max(signal.retry_after_s or 0.0, policy.busy_s), policy.busy_longest_s)

    def _wait_s(self, signal: Signal, *, is_news: bool) -> float:
        """How soon a signal is told that does not make the unit be left; see rule 4."""
        if signal.weight == "good" or not is_news:
            return self.calm_s
        return 0.0 if signal.sign in URGENT else self._policy.report_s

    def _good(self, unit: str, seen: _Seen, latency_s: float | None, now: float) -> None:
        known = self._quantiles(unit, seen, now)
        slow = False
        if latency_s is not None:
            slow = known is not None and latency_s > self._policy.slow_ratio * known.p50_s
            seen.latency.add(latency_s, now=now)
        seen.window.good(now=now, slow=slow)

    def verdict(self, unit: str, *, now: float) -> Verdict:
        """What to hold of a unit now."""
        seen = self._unit(unit)
        seen.breaker.handle_deadline(now=now)
        own = seen.breaker
        shared = self._shared(unit, now)
        state = max(own.state, shared.state, key=_SEVERITY.__getitem__)
        demoted_until_s = max(own.demoted_until_s, shared.demoted_until_s)
        share = 0.0
        if state in _USABLE:
            since_s = shared.closed_at_s or -math.inf
            share = ramp_share(max(since_s, demoted_until_s), self._policy, now=now)
            share = min(share, own.share_of_new_calls(now=now))
        quantiles = self._quantiles(unit, seen, now)
        return Verdict(state, now < demoted_until_s, share, quantiles)

    def receive_board(self, news: Board, *, now: float) -> None:
        """Take a board or a delta; also an empty one, which says that the keeper lives."""
        for unit, entry in news.entries.items():
            known = self.board.entries.get(unit)
            # A new term counts from zero again: what it has closed shows with its next closing.
            if known is None or entry.stamp[0] != known.stamp[0]:
                healed = entry.recoveries > 0 and entry.state in _USABLE
            else:
                healed = entry.recoveries > known.recoveries
            if healed and unit in self._units:
                self._units[unit].breaker.recovered(now=now)
        self.board = self.board.merged(news)
        self._board_at_s = now
        self._is_board_live = True

    def held(self) -> Board:
        """What the board has that is not well, for a keeper that may not know it."""
        entries = self.board.entries.items()
        bad = {unit: entry for unit, entry in entries if entry.state not in _USABLE}
        return Board(self.board.stamp, bad)

    def probes(self, *, now: float) -> list[tuple[str, int]]:
        """``(unit, number)`` of the probes this worker is to make for itself; each once."""
        due: list[tuple[str, int]] = []
        self._is_live(now)
        for unit, seen in self._units.items():
            seen.breaker.handle_deadline(now=now)
            if self._shared(unit, now).state in _USABLE and seen.breaker.probe_due(now=now):
                due.append((unit, seen.breaker.probe_sent(now=now)))
        return due

    def probe_answered(self, unit: str, number: int, *, ok: bool, now: float) -> None:
        """One of these probes has its answer."""
        self._unit(unit).breaker.probe_answered(number, ok=ok, now=now)

    def next_deadline(self, *, now: float) -> float | None:
        """When there may be a report to send or a probe to make; None for never.

        A breaker that waits for the board's probes has no deadline of its own until the board is
        stale.
        """
        due = [self._report_at_s]
        self._is_live(now)
        for unit, seen in self._units.items():
            at_s = seen.breaker.next_deadline()
            if at_s is None:
                continue
            is_board_s = self._shared(unit, now).state not in _USABLE
            due.append(max(at_s, self._board_at_s + self.stale_after_s) if is_board_s else at_s)
        at_s = min(due)
        return at_s if math.isfinite(at_s) else None

    def report(self, *, now: float) -> Report | None:
        """What the keeper does not know yet; None while it is not yet due."""
        if now < self._report_at_s:
            return None
        sightings = {
            unit: self._units[unit].window.sighting(self._units[unit].number)
            for unit in sorted(self._untold)
        }
        latencies: dict[str, LatencyView] = {}
        if now >= self._latencies_at_s + LATENCIES_S:
            self._latencies_at_s = now
            for unit, seen in self._units.items():
                if bins := seen.latency.bins(now=now):
                    latencies[unit] = LatencyView(seen.number, now, bins)
        self._untold.clear()
        self._report_at_s = math.inf
        return Report(self._reporter, sightings, latencies)

    def report_lost(self, report: Report, *, now: float) -> None:
        """A report did not arrive: what it told is told again with the next."""
        self._untold.update(unit for unit in report.sightings if unit in self._units)
        if report.latencies:
            self._latencies_at_s = -math.inf
        self._report_at_s = min(self._report_at_s, now + self._policy.report_s)

    def tell_all(self, *, now: float) -> None:
        """The keeper is a new one: everything is told again, at once."""
        self._untold.update(self._units)
        self._latencies_at_s = -math.inf
        if self._untold:
            self._report_at_s = now

    def _unit(self, unit: str) -> _Seen:
        seen = self._units.get(unit)
        if seen is None:
            policy = policy_of(operation_of(unit), self._policy)
            seen = self._units[unit] = _Seen(policy, self._jitter)
        return seen

    def _shared(self, unit: str, now: float) -> Entry:
        return self.board.entries.get(unit, _WELL) if self._is_live(now) else _WELL

    def _is_live(self, now: float) -> bool:
        """Whether the board says anything; when it falls silent, see rule 3."""
        if now - self._board_at_s <= self.stale_after_s:
            return True
        if self._is_board_live:
            self._is_board_live = False
            for name, entry in self.held().entries.items():
                until_s = now + self._policy.busy_s
                self._unit(name).breaker.shut(until_s, entry.reason or "board", now=now)
        return False

    def _quantiles(self, unit: str, seen: _Seen, now: float) -> Quantiles | None:
        entry = self.board.entries.get(unit, _WELL)
        if entry.p99_s > 0:
            return Quantiles(entry.p50_s, entry.p95_s, entry.p99_s)
        if now >= seen.quantiles_at_s + 1.0:
            seen.quantiles_at_s = now
            found = seen.latency.quantiles(0.5, 0.95, 0.99, now=now)
            seen.quantiles = Quantiles(*found) if found else None
        return seen.quantiles
