"""What was seen of one unit lately: by one reporter, and by all of them together.

Rules
1. Each second has its counts of good, bad and slow attempts; ten seconds are kept, and behind them
   the rest of a minute in sums of ten seconds: a share that is small but steady shows only there
   where few calls are made.
2. A *run* is the bad attempts of the last minute since anybody saw a good one: where few calls are
   made, four failures in a row take longer than ten seconds, and mean no less.
3. A sighting is what one reporter saw, whole; of two the one with the higher number stays. So
   sightings may be lost, doubled and reordered, and what they add up to does not depend on it.
4. What was seen before the unit was closed for the last time counts no more.
5. What one reporter saw is *undisputed* when nobody saw a good attempt since its run began. A run
   has ``UNDISPUTED_RUN`` bad attempts at least.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

WINDOW_S = 10
STEADY_WINDOW_S = 60
FADE_S = 2.0
SLOW_WINDOW_S = 5
RUN_KEPT = 8
RUN_WINDOW_S = 60.0
UNDISPUTED_RUN = 2


@dataclass(frozen=True, slots=True, order=True)
class Sighting:
    """What one reporter saw of one unit in the last seconds.

    Attributes:
        number: Of this reporter; the higher one replaces the lower.
        seconds: ``(second, good, bad, slow)``, ascending; slow ones are good ones too. What is
            older than ``WINDOW_S`` stands at the ten seconds that it belongs to.
        last_good_s: When it saw the last good one; minus infinity for never.
        bad_at_s: The bad ones since then, at most ``RUN_KEPT``.
        shut_until_s: The provider asked not to be called before this; minus infinity for never.
    """

    number: int = 0
    seconds: tuple[tuple[int, int, int, int], ...] = ()
    last_good_s: float = -math.inf
    bad_at_s: tuple[float, ...] = ()
    shut_until_s: float = -math.inf


@dataclass(frozen=True, slots=True)
class Recent:
    """What a breaker judges by.

    Attributes:
        run: Bad attempts in a row.
        good: Good ones in the window.
        bad: Bad ones in the window.
        fading_share: Share of bad ones, each second weighing less than the next.
        slow_share: Share of slow ones among the good of the last ``SLOW_WINDOW_S``.
        slow_of: How many good ones that are.
        lately: ``(attempts, bad)`` since ever earlier moments of the last minute, newest first.
        last_bad_s: Minus infinity for none in the run.
        shut_until_s: See ``Sighting``.
    """

    run: int = 0
    good: int = 0
    bad: int = 0
    fading_share: float = 0.0
    slow_share: float = 0.0
    slow_of: int = 0
    lately: tuple[tuple[int, int], ...] = ()
    last_bad_s: float = -math.inf
    shut_until_s: float = -math.inf


class Window:
    """One reporter's own view of one unit."""

    def __init__(self) -> None:
        self._seconds: dict[int, list[int]] = {}
        self._last_good_s = -math.inf
        self._bad_at_s: list[float] = []
        self._shut_until_s = -math.inf

    def good(self, *, now: float, slow: bool = False) -> None:
        """An attempt gave its first useful output."""
        counts = self._second(now)
        counts[0] += 1
        counts[2] += slow
        self._last_good_s = now
        self._bad_at_s.clear()

    def bad(self, *, now: float) -> None:
        """An attempt failed, or has been silent for too long."""
        self._second(now)[1] += 1
        self._bad_at_s.append(now)
        del self._bad_at_s[:-RUN_KEPT]

    def shut(self, until_s: float) -> None:
        """The provider asked to be left alone; a later time extends, an earlier one is ignored."""
        self._shut_until_s = max(self._shut_until_s, until_s)

    def sighting(self, number: int = 0) -> Sighting:
        """The view as plain values."""
        return Sighting(
            number,
            tuple((second, *counts) for second, counts in sorted(self._seconds.items())),  # type: ignore[misc]
            self._last_good_s,
            tuple(self._bad_at_s),
            self._shut_until_s,
        )

    def _second(self, now: float) -> list[int]:
        second = math.floor(now)
        counts = self._seconds.get(second)
        if counts is None:
            counts = self._seconds[second] = [0, 0, 0]
            for old in sorted(old for old in self._seconds if old <= second - WINDOW_S):
                self._fold(old, second)
        return counts

    def _fold(self, old: int, second: int) -> None:
        begin = old - old % WINDOW_S
        if begin <= second - STEADY_WINDOW_S:
            del self._seconds[old]
        elif begin != old:
            sums = self._seconds.setdefault(begin, [0, 0, 0])
            for place, count in enumerate(self._seconds.pop(old)):
                sums[place] += count

    def recent(self, *, now: float, since_s: float = -math.inf) -> Recent:
        """What this reporter alone would judge by."""
        return _recent(
            self._seconds,
            self._last_good_s,
            self._bad_at_s,
            self._shut_until_s,
            now=now,
            since_s=since_s,
        )


class Evidence:
    """All reporters' sightings of one unit, with their sums kept up to date.

    Putting costs a few steps for each second of the window, however many reporters there are.
    """

    def __init__(self) -> None:
        self._by_reporter: dict[str, Sighting] = {}
        self._seconds: dict[int, list[int]] = {}
        self._runs: dict[str, tuple[float, ...]] = {}
        self._last_good_s = -math.inf
        self._shut_until_s = -math.inf

    @property
    def sightings(self) -> Mapping[str, Sighting]:
        """Reporter to its newest sighting."""
        return self._by_reporter

    def put(self, reporter: str, sighting: Sighting) -> bool:
        """Take a sighting; False when a newer one, or this one, is here already."""
        before = self._by_reporter.get(reporter)
        # Two different ones with one number cannot be, but then too all keepers choose the same.
        if before is not None and sighting <= before:
            return False
        if before is not None:
            self._sum(before, -1)
        self._by_reporter[reporter] = sighting
        self._sum(sighting, 1)
        if sighting.bad_at_s:
            self._runs[reporter] = sighting.bad_at_s
        else:
            self._runs.pop(reporter, None)
        self._last_good_s = max(self._last_good_s, sighting.last_good_s)
        self._shut_until_s = max(self._shut_until_s, sighting.shut_until_s)
        return True

    def merge(self, other: Evidence) -> None:
        """Take all that another keeper knows."""
        for reporter, sighting in other.sightings.items():
            self.put(reporter, sighting)

    def forget(self, reporter: str) -> None:
        """This reporter is gone."""
        gone = self._by_reporter.pop(reporter, None)
        if gone is not None:
            self._sum(gone, -1)
            self._runs.pop(reporter, None)

    def _sum(self, sighting: Sighting, sign: int) -> None:
        for second, *counts in sighting.seconds:
            sums = self._seconds.setdefault(second, [0, 0, 0])
            for place, count in enumerate(counts):
                sums[place] += sign * count
            if sums == [0, 0, 0]:
                del self._seconds[second]

    def recent(self, *, now: float, since_s: float = -math.inf) -> Recent:
        """What the cluster judges by."""
        runs = [at for run in self._runs.values() for at in run]
        return _recent(
            self._seconds, self._last_good_s, runs, self._shut_until_s, now=now, since_s=since_s
        )

    def undisputed(self, *, now: float, since_s: float = -math.inf) -> list[Recent]:
        """What each reporter alone would judge by, of those whom nobody contradicts; see rule 5."""
        begin_s = max(since_s, now - RUN_WINDOW_S)
        found = []
        for reporter in self._runs:
            seen = self._by_reporter[reporter]
            run = [at for at in seen.bad_at_s if at > begin_s]
            if len(run) >= UNDISPUTED_RUN and run[0] > self._last_good_s:
                seconds = {second: list(counts) for second, *counts in seen.seconds}
                own = (seconds, seen.last_good_s, run, seen.shut_until_s)
                found.append(_recent(*own, now=now, since_s=since_s))
        return found


def _recent(
    seconds: Mapping[int, list[int]],
    last_good_s: float,
    bad_at_s: list[float],
    shut_until_s: float,
    *,
    now: float,
    since_s: float,
) -> Recent:
    good = bad = slow = slow_of = 0
    fading_good = fading_bad = 0.0
    oldest = max(math.floor(now) - WINDOW_S, since_s - 1e-9)
    lately = _lately(seconds, max(math.floor(now) - STEADY_WINDOW_S, since_s - 1e-9))
    for second, (goods, bads, slows) in seconds.items():
        if second <= oldest:
            continue
        good += goods
        bad += bads
        weight = math.exp2(-max(0.0, math.floor(now) - second) / FADE_S)
        fading_good += weight * goods
        fading_bad += weight * bads
        if second > now - SLOW_WINDOW_S:
            slow += slows
            slow_of += goods
    begin_s = max(last_good_s, since_s, now - RUN_WINDOW_S)
    run = [at for at in bad_at_s if at > begin_s]
    fading = fading_good + fading_bad
    return Recent(
        run=len(run),
        good=good,
        bad=bad,
        fading_share=fading_bad / fading if fading else 0.0,
        slow_share=slow / slow_of if slow_of else 0.0,
        slow_of=slow_of,
        lately=lately,
        last_bad_s=max(run, default=-math.inf),
        shut_until_s=shut_until_s,
    )


def _lately(seconds: Mapping[int, list[int]], oldest: float) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    attempts = bad = 0
    for second in sorted(seconds, reverse=True):
        if second <= oldest:
            break
        goods, bads, _ = seconds[second]
        attempts, bad = attempts + goods + bads, bad + bads
        found.append((attempts, bad))
    return tuple(found)
