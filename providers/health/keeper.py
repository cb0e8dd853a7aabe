"""The keeper of the board: folds what all reporters saw, and publishes verdicts.

Rules
1. Reports are only gathered; ``handle_deadline`` judges the units that changed, at once for what is
   urgent and every ``JUDGE_S`` otherwise. A change of a verdict is a new version.
2. One reporter at a time probes an open unit: of those who said that they can, the one whose
   sighting is newest, another one after each failed probe, since the fault may be the prober's own.
3. A unit nobody calls is probed as well, every ``IDLE_PROBE_S``: a fallback that is found dead only
   when it is needed is none. Three bad answers in a row open it like live ones. What follows a
   first output is not: that would double the price.
4. Reporters that say nothing for ``REPORTER_KEPT_S`` are forgotten, and units that nobody names.
5. A keeper that starts again knows nothing but what reporters still hold of its predecessor's
   board: what was open there is opened, and probed like all that is open. Their next reports hold
   the last ten seconds whole; meanwhile workers rely on themselves. So it is with a unit that was
   open when it was forgotten (rule 4) and is named again: its reporters hold that it is open until
   they hear something newer, and nobody else would probe it.
6. What makes one reporter leave a unit opens it for all, unless another one has seen a good attempt
   since: the good ones of a minute ago, which the others had as well, say nothing against it. A
   single failure somewhere does not.
7. Quantiles are folded from the newest ``VIEWS_FOLDED`` reporters at most: more make them no truer,
   and folding must not hold up a verdict.

Synchronous.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from providers.health.board import Board, Entry
from providers.health.breaker import Breaker
from providers.health.evidence import Evidence
from providers.health.latency import merged_quantiles
from providers.health.policy import SHARED_POLICY, HealthPolicy, policy_of
from providers.health.reports import LatencyView, Report
from providers.health.unit import is_flow, operation_of

JUDGE_S = 0.05
QUANTILES_S = 5.0
IDLE_PROBE_S = 30.0
REPORTER_KEPT_S = 30.0
VIEWS_FOLDED = 64


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe that one reporter is to make.

    Attributes:
        unit: Key of the unit.
        reporter: Who makes it.
        number: To be given back with the answer.
    """

    unit: str
    reporter: str
    number: int


class _Judged:
    """All the keeper knows of one unit."""

    def __init__(self, policy: HealthPolicy, jitter: Callable[[], float]) -> None:
        self.evidence = Evidence()
        self.latencies: dict[str, LatencyView] = {}
        self.breaker = Breaker(policy, jitter)
        self.touched_s = -math.inf
        self.idle_number = 0
        self.idle_failures = 0
        self.probers: set[str] = set()


class BoardKeeper:
    """Gathers reports and keeps the board.

    Attributes:
        board: What is published.
        probes_idle: Whether units that nobody calls are probed; see rule 3.
    """

    def __init__(
        self, term: int, jitter: Callable[[], float], policy: HealthPolicy = SHARED_POLICY
    ) -> None:
        self.probes_idle = True
        self._policy = policy
        self._jitter = jitter
        self._term = term
        self._units: dict[str, _Judged] = {}
        self._heard_s: dict[str, float] = {}
        self._changed: set[str] = set()
        self._judge_at_s = math.inf
        self._quantiles_at_s = -math.inf
        self.board = Board((term, 0))

    def receive(self, report: Report, *, now: float) -> None:
        """Gather one report."""
        self._heard_s[report.reporter] = now
        for key, sighting in report.sightings.items():
            unit = self._unit(key)
            if unit.evidence.put(report.reporter, sighting):
                unit.touched_s = now
                unit.idle_failures = 0
                self._changed.add(key)
                urgent = bool(sighting.bad_at_s) or sighting.shut_until_s > now
                self._judge_at_s = min(self._judge_at_s, now if urgent else now + JUDGE_S)
        for key, view in report.latencies.items():
            latencies = self._unit(key).latencies
            if report.reporter not in latencies or view > latencies[report.reporter]:
                latencies[report.reporter] = view

    @property
    def reporters(self) -> int:
        """How many have said something lately."""
        return len(self._heard_s)

    def enlist(self, reporter: str, units: Iterable[str], *, now: float) -> None:
        """A reporter lives and can probe these units; a unit that is new is probed soon."""
        self._heard_s[reporter] = now
        for key in units:
            is_new = key not in self._units
            unit = self._unit(key)
            unit.probers.add(reporter)
            if is_new:
                unit.touched_s = now - IDLE_PROBE_S

    def adopt(self, held: Board, *, now: float) -> None:
        """Take over what was found open by an earlier keeper, or by this one before it forgot it.

        What this one has judged itself, and knows, stands.
        """
        for key, entry in held.entries.items():
            mine = self.board.entries.get(key)
            is_judged = mine is not None and mine.stamp[0] == self._term
            is_older = entry.stamp[0] < self._term
            is_forgotten = mine is None and key in self._units
            is_news = (is_older or is_forgotten) and not is_judged
            if is_news and entry.state in {"open", "half_open"}:
                until_s = now + self._policy.busy_s
                self._unit(key).breaker.shut(until_s, entry.reason or "board", now=now)
        self._publish(now)

    def next_deadline(self) -> float | None:
        """When ``handle_deadline`` is to be called."""
        due = [self._judge_at_s, self._quantiles_at_s + QUANTILES_S]
        for unit in self._units.values():
            at_s = unit.breaker.next_deadline()
            # An open unit that nobody can probe waits for somebody who can.
            if at_s is not None and (unit.breaker.usable or self._probers(unit)):
                due.append(at_s)
        at_s = min(due)
        return at_s if at_s < math.inf else None

    def handle_deadline(self, *, now: float) -> None:
        """Judge what changed; publish what follows."""
        for key in self._changed:
            unit = self._units[key]
            since_s = unit.breaker.closed_at_s
            unit.breaker.judge(unit.evidence.recent(now=now, since_s=since_s), now=now)
            if unit.breaker.usable:
                for alone in unit.evidence.undisputed(now=now, since_s=since_s):
                    unit.breaker.judge(alone, now=now)
        self._changed.clear()
        self._judge_at_s = math.inf
        if now >= self._quantiles_at_s + QUANTILES_S:
            self._quantiles_at_s = now
            self._forget(now)
        for unit in self._units.values():
            unit.breaker.handle_deadline(now=now)
        self._publish(now)

    def probes(self, *, now: float) -> list[Probe]:
        """The probes that are to be sent now; each is returned once."""
        due: list[Probe] = []
        for key, unit in self._units.items():
            probers = self._probers(unit)
            if not probers:
                continue
            if unit.breaker.probe_due(now=now):
                number = unit.breaker.probe_sent(now=now)
                due.append(Probe(key, probers[(number - 1) % len(probers)], number))
            elif self._is_idle(key, unit, now):
                unit.touched_s = now
                unit.idle_number -= 1
                prober = probers[(-unit.idle_number - 1) % len(probers)]
                due.append(Probe(key, prober, unit.idle_number))
        self._publish(now)
        return due

    def _is_idle(self, key: str, unit: _Judged, now: float) -> bool:
        lies_idle = now - unit.touched_s >= IDLE_PROBE_S
        return self.probes_idle and unit.breaker.usable and lies_idle and not is_flow(key)

    def probe_answered(self, unit: str, number: int, *, ok: bool, now: float) -> None:
        """A prober has its answer; numbers below zero are those of idle units."""
        judged = self._units.get(unit)
        if judged is None:
            return
        if number > 0:
            judged.breaker.probe_answered(number, ok=ok, now=now)
        elif number == judged.idle_number:
            judged.idle_failures = 0 if ok else judged.idle_failures + 1
            if judged.idle_failures:
                judged.touched_s = now - IDLE_PROBE_S + 1.0  # ask again soon
            if judged.idle_failures >= self._policy.good_probes:
                judged.breaker.shut(now + self._policy.busy_s, "probes", now=now)
                judged.idle_failures = 0
        self._publish(now)

    def _unit(self, key: str) -> _Judged:
        unit = self._units.get(key)
        if unit is None:
            policy = policy_of(operation_of(key), self._policy)
            unit = self._units[key] = _Judged(policy, self._jitter)
        return unit

    def _probers(self, unit: _Judged) -> list[str]:
        """Who can probe it, best first: who has seen it last."""
        sightings = unit.evidence.sightings

        def seen_s(name: str) -> int:
            seconds = sightings[name].seconds if name in sightings else ()
            return max((second[0] for second in seconds), default=0)

        return sorted(unit.probers, key=lambda name: (-seen_s(name), name))

    def _forget(self, now: float) -> None:
        gone = [name for name, at in self._heard_s.items() if now - at > REPORTER_KEPT_S]
        for name in gone:
            del self._heard_s[name]
            for unit in self._units.values():
                unit.evidence.forget(name)
                unit.latencies.pop(name, None)
                unit.probers.discard(name)
        unnamed = {
            key
            for key, unit in self._units.items()
            if not unit.probers and not unit.evidence.sightings
        }
        if unnamed:
            self._changed -= unnamed
            self._units = {key: unit for key, unit in self._units.items() if key not in unnamed}
            kept = {key: at for key, at in self.board.entries.items() if key not in unnamed}
            self.board = Board(self.board.stamp, kept)

    def _publish(self, now: float) -> None:
        changed: dict[str, Entry] = {}
        stamp = (self._term, self.board.stamp[1] + 1)
        for key, unit in self._units.items():
            known = self.board.entries.get(key, Entry())
            entry = replace(_entry(unit, known, now, self._quantiles_at_s), stamp=known.stamp)
            if entry != known:
                changed[key] = replace(entry, stamp=stamp)
        if changed:
            self.board = Board(stamp, {**self.board.entries, **changed})


def _entry(unit: _Judged, known: Entry, now: float, quantiles_at_s: float) -> Entry:
    p50_s, p95_s, p99_s = known.p50_s, known.p95_s, known.p99_s
    if quantiles_at_s == now:
        newest = sorted(unit.latencies.items(), key=lambda item: -item[1].as_of_s)[:VIEWS_FOLDED]
        views = {name: (view.as_of_s, view.bins) for name, view in newest}
        found = merged_quantiles(views, 0.5, 0.95, 0.99, now=now)
        # A bin more or less is no news.
        if found is not None and abs(found[2] - p99_s) > 0.06 * p99_s:
            p50_s, p95_s, p99_s = found
    breaker = unit.breaker
    return Entry(
        (0, 0),
        breaker.state,
        "" if breaker.usable else breaker.reason,
        breaker.recoveries,
        max(0.0, breaker.closed_at_s),
        max(0.0, breaker.demoted_until_s),
        p50_s,
        p95_s,
        p99_s,
    )
