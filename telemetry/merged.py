"""The measurements of many processes as one, whatever order their snapshots arrive in.

Rules:
1. A snapshot replaces the one before of the same source and incarnation if its version is larger;
   of a series that it leaves out as unchanged the older value stands.
2. A snapshot that leaves out more than we know (we were restarted, or forgot the source) is not
   taken; ``known_version`` says from where the source has to tell us.
3. A larger incarnation means that the process restarted: what its predecessor counted is kept as a
   sum, its gauges are gone.
4. A source that is forgotten leaves its counts in the same sum. Should it come back after all, its
   snapshots are refused: it would be counted twice.
5. Anything else (repeated, older) changes nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from telemetry.catalog import BY_NAME, Metric
from telemetry.errors import SnapshotInvalid
from telemetry.ledger import VERSION, Series
from telemetry.sketch import QuantileSketch

MAX_FORGOTTEN = 20_000  # names that are remembered so that rule 4 can be kept

ValueT = TypeVar("ValueT")


@dataclass(slots=True)
class _Source:
    """What is known of one process.

    Attributes:
        since: The version after which this snapshot is complete.
        present: False once the process is known to be gone: its gauges no longer count.
    """

    incarnation: int
    version: int
    since: int = 0
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
        self._forgotten: OrderedDict[tuple[str, int], None] = OrderedDict()

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of all sources that are not forgotten."""
        return tuple(self._sources)

    def known_version(self, source: str, incarnation: int) -> int:
        """The newest version taken of this source; 0 when there is none."""
        known = self._sources.get(source)
        return known.version if known is not None and known.incarnation == incarnation else 0

    def is_forgotten(self, source: str, incarnation: int) -> bool:
        """Whether this source was forgotten with its counts: nothing more of it is taken."""
        return (source, incarnation) in self._forgotten

    def merge(self, snapshot: Any) -> bool:
        """Take a snapshot of ``MetricsLedger``.

        Returns:
            True if it was news; False if nothing was changed.

        Raises:
            SnapshotInvalid: It is not a snapshot; nothing of it was taken.
        """
        name, source = _read(snapshot)
        known = self._sources.get(name)
        if (name, source.incarnation) in self._forgotten:
            return False
        if known is not None and source.incarnation < known.incarnation:
            return False
        if known is None or source.incarnation > known.incarnation:
            if source.since > 0:
                return False  # it tells only what is new, to somebody who knows nothing yet
            if known is not None:
                self._keep_counts_of(known)
            self._sources[name] = source
            return True
        if source.version <= known.version or source.since > known.version:
            return False
        known.version = source.version
        known.counters.update(source.counters)
        known.gauges.update(source.gauges)
        known.sketches.update(source.sketches)
        known.present = True
        return True

    def leave(self, source: str) -> None:
        """This process is gone: its gauges no longer count, all it counted does."""
        if (known := self._sources.get(source)) is not None:
            known.present = False

    def forget(self, source: str) -> None:
        """Keep no more of this process than its part in the sums."""
        known = self._sources.pop(source, None)
        if known is None:
            return
        self._keep_counts_of(known)
        self._forgotten[source, known.incarnation] = None
        while len(self._forgotten) > MAX_FORGOTTEN:
            self._forgotten.popitem(last=False)

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

    def _keep_counts_of(self, gone: _Source) -> None:
        _add(self._former_counters, gone.counters)
        _absorb(self._former_sketches, gone.sketches)


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
        since=_whole(snapshot, "since", default=0),
        counters=dict(_series(snapshot, "counters", "counter", _number)),
        gauges=dict(_series(snapshot, "gauges", "gauge", _number)),
        sketches=dict(_series(snapshot, "sketches", "summary", QuantileSketch.from_plain)),
    )


def _whole(snapshot: Mapping[str, Any], name: str, default: int | None = None) -> int:
    value = snapshot.get(name, default)
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
