"""What a reporter tells the keeper.

Rules
1. A report holds sightings, whole: a lost one is made up for by the next about the same unit, and a
   doubled or a late one changes nothing (``evidence``).
2. Latencies travel in the same way, with numbers of their own, since they are sent rarely.
3. A reporter that starts again takes a new name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from providers.health.board import numbers_of, whole
from providers.health.errors import HealthDataInvalid
from providers.health.evidence import Sighting

_MOST_UNITS = 2_000
_MOST_BINS = 512


@dataclass(frozen=True, slots=True, order=True)
class LatencyView:
    """One reporter's latencies of one unit.

    Attributes:
        number: Of this reporter; the higher one replaces the lower.
        as_of_s: When the counts were faded to.
        bins: ``(bin, faded count)``, see ``latency``.
    """

    number: int = 0
    as_of_s: float = 0.0
    bins: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What changed at one reporter.

    Attributes:
        reporter: A name that no other process ever has.
        sightings: By unit key.
        latencies: By unit key.
    """

    reporter: str
    sightings: Mapping[str, Sighting] = field(default_factory=dict)
    latencies: Mapping[str, LatencyView] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """As JSON types; about 150 bytes for each unit, 400 more with its latencies."""
        return {
            "v": 1,
            "reporter": self.reporter,
            "seen": {key: _plain_sighting(seen) for key, seen in self.sightings.items()},
            "latency": {
                key: [view.number, round(view.as_of_s, 3), [list(pair) for pair in view.bins]]
                for key, view in self.latencies.items()
            },
        }


def _plain_sighting(seen: Sighting) -> list[Any]:
    return [
        seen.number,
        [list(second) for second in seen.seconds],
        _plain_time(seen.last_good_s),
        [round(at, 3) for at in seen.bad_at_s],
        _plain_time(seen.shut_until_s),
    ]


def _plain_time(at_s: float) -> float | None:
    return round(at_s, 3) if math.isfinite(at_s) else None


def report_of(plain: Any) -> Report:
    """Read what ``Report.to_plain`` of this or a later version wrote.

    Raises:
        HealthDataInvalid: It is not a report.
    """
    if not isinstance(plain, Mapping) or not isinstance(plain.get("reporter"), str):
        raise HealthDataInvalid("a report is a mapping with a reporter")
    seen, latency = plain.get("seen", {}), plain.get("latency", {})
    if not isinstance(seen, Mapping) or not isinstance(latency, Mapping):
        raise HealthDataInvalid("what was seen is a mapping by unit")
    if max(len(seen), len(latency)) > _MOST_UNITS:
        raise HealthDataInvalid(f"more than {_MOST_UNITS} units in one report")
    return Report(
        plain["reporter"],
        {str(key): _sighting_of(value) for key, value in seen.items()},
        {str(key): _latency_of(value) for key, value in latency.items()},
    )


def _sighting_of(plain: Any) -> Sighting:
    if not isinstance(plain, list) or len(plain) < 5 or not isinstance(plain[1], list):
        raise HealthDataInvalid("a sighting is a list of five")
    number, seconds, last_good, bad_at, shut_until = plain[:5]
    return Sighting(
        whole(number),
        tuple(_second_of(second) for second in seconds[:60]),
        _time_of(last_good),
        tuple(numbers_of(bad_at))[-64:],
        _time_of(shut_until),
    )


def _second_of(plain: Any) -> tuple[int, int, int, int]:
    if not isinstance(plain, list) or len(plain) != 4:
        raise HealthDataInvalid("a second has good, bad and slow")
    second, good, bad, slow = (whole(value) for value in plain)
    return second, good, bad, slow


def _time_of(plain: Any) -> float:
    return -math.inf if plain is None else next(iter(numbers_of([plain])))


def _latency_of(plain: Any) -> LatencyView:
    if not isinstance(plain, list) or len(plain) < 3 or not isinstance(plain[2], list):
        raise HealthDataInvalid("latencies are a list of three")
    pairs: list[tuple[int, float]] = []
    for pair in plain[2][:_MOST_BINS]:
        if not isinstance(pair, list) or len(pair) != 2:
            raise HealthDataInvalid("a bin is a pair")
        (weight,) = numbers_of(pair[1:])
        pairs.append((min(whole(pair[0]), _MOST_BINS), max(0.0, weight)))
    (as_of_s,) = numbers_of([plain[1]])
    return LatencyView(whole(plain[0]), as_of_s, tuple(pairs))
