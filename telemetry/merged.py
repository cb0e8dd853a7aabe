"""The measurements of many processes as one, whatever order their snapshots arrive in.

Rules:
1. A snapshot replaces the one before of the same source and incarnation if its version is larger.
2. A larger incarnation means that the process restarted: what its predecessor counted is kept as a
   sum, its gauges are gone.
3. Anything else (repeated, older) changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from telemetry.catalog import BY_NAME, Metric
from telemetry.errors import SnapshotInvalid
from telemetry.ledger import VERSION, Series
from telemetry.sketch import QuantileSketch

ValueT = TypeVar("ValueT")


@dataclass(slots=True)
class _Source:
    """What is known of one process.

    Attributes:
        present: False once the process is known to be gone: its gauges no longer count.
    """

    incarnation: int
    version: int
    counters: dict[Series, float] = field(default_factory=dict)
    gauges: dict[Series, float] = field(default_factory=dict)
    sketches: dict[Series, QuantileSketch] = field(default_factory=dict)
    present: bool = True


class MergedMetrics:
    """The newest snapshot of every source, and the sum of what former processes counted."""

    def __init__(self) -> None:
        self._sources: dict[str, _Source] = {}
        self._former_counters: dict[Series, float] = {}
        self._former_sketches: dict[Series, QuantileSketch] = {}

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of all sources ever seen."""
        return tuple(self._sources)

    def merge(self, snapshot: Any) -> bool:
        """Take a snapshot of ``MetricsLedger``.

        Returns:
            True if it was news.

        Raises:
            SnapshotInvalid: It is not a snapshot; nothing of it was taken.
        """
        name, source = _read(snapshot)
        known = self._sources.get(name)
        if known is not None:
            if (source.incarnation, source.version) <= (known.incarnation, known.version):
                return False
            if source.incarnation > known.incarnation:
                _add(self._former_counters, known.counters)
                _absorb(self._former_sketches, known.sketches)
        self._sources[name] = source
        return True

    def leave(self, source: str) -> None:
        """This process is gone: its gauges no longer count, all it counted does."""
        if (known := self._sources.get(source)) is not None:
            known.present = False

    def counters(self) -> dict[Series, float]:
        """Every counter, summed over all processes there ever were."""
        merged = dict(self._former_counters)
        for source in self._sources.values():
            _add(merged, source.counters)
        return merged

    def gauges(self) -> dict[Series, float]:
        """Every gauge of the processes that are present, merged as the catalog says."""
        merged: dict[Series, float] = {}
        for source in self._sources.values():
            if not source.present:
                continue
            for key, value in source.gauges.items():
                if key not in merged:
                    merged[key] = value
                elif BY_NAME[key[0]].merge == "max":
                    merged[key] = max(merged[key], value)
                else:
                    merged[key] += value
        return merged

    def sketches(self) -> dict[Series, QuantileSketch]:
        """Every summary, merged over all processes there ever were; the caller owns the result."""
        merged: dict[Series, QuantileSketch] = {}
        _absorb(merged, self._former_sketches)
        for source in self._sources.values():
            _absorb(merged, source.sketches)
        return merged


def _add(into: dict[Series, float], counters: Mapping[Series, float]) -> None:
    for key, value in counters.items():
        into[key] = into.get(key, 0) + value


def _absorb(into: dict[Series, QuantileSketch], sketches: Mapping[Series, QuantileSketch]) -> None:
    for key, sketch in sketches.items():
        into.setdefault(key, QuantileSketch()).merge(sketch)


def _read(snapshot: Any) -> tuple[str, _Source]:
    if not isinstance(snapshot, Mapping):
        raise SnapshotInvalid("a snapshot is an object")
    version = snapshot.get("v")
    if type(version) is not int or version < VERSION:
        raise SnapshotInvalid(f"snapshot version {version!r} is older than {VERSION}")
    name = snapshot.get("source")
    if not isinstance(name, str) or not name:
        raise SnapshotInvalid("a snapshot names its source")
    return name, _Source(
        incarnation=_whole(snapshot, "incarnation"),
        version=_whole(snapshot, "version"),
        counters=dict(_series(snapshot, "counters", "counter", _number)),
        gauges=dict(_series(snapshot, "gauges", "gauge", _number)),
        sketches=dict(_series(snapshot, "sketches", "summary", QuantileSketch.from_plain)),
    )


def _whole(snapshot: Mapping[str, Any], name: str) -> int:
    value = snapshot.get(name)
    if type(value) is not int or value < 0:
        raise SnapshotInvalid(f"{name} must be a whole number")
    return value


def _number(value: Any) -> float:
    if type(value) not in {int, float} or not -1e300 <= value <= 1e300:
        raise SnapshotInvalid("a value must be a finite number")
    return float(value)


def _series(
    snapshot: Mapping[str, Any], section: str, kind: str, read: Callable[[Any], ValueT]
) -> Iterable[tuple[Series, ValueT]]:
    """The entries of a section that our catalog knows; a newer process may send more."""
    entries = snapshot.get(section, [])
    if not isinstance(entries, list):
        raise SnapshotInvalid(f"{section} must be a list")
    for entry in entries:
        if not isinstance(entry, list) or len(entry) != 3:
            raise SnapshotInvalid(f"an entry of {section} is name, labels, value")
        name, labels, value = entry
        if not isinstance(name, str) or not isinstance(labels, list):
            raise SnapshotInvalid(f"an entry of {section} is name, labels, value")
        if _fits(BY_NAME.get(name), kind, labels):
            yield (name, tuple(labels)), read(value)


def _fits(metric: Metric | None, kind: str, labels: list[Any]) -> bool:
    return (
        metric is not None
        and metric.kind == kind
        and len(labels) == len(metric.labels)
        and all(isinstance(label, str) for label in labels)
    )
