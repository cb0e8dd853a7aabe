"""A process's snapshot as it crosses: read with care, written again for whoever keeps it.

Snapshots are made by ``telemetry.ledger``. A newer process may send metrics that this catalog does
not know: they are passed over.
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
class Sums:
    """What was counted and observed, by series; belongs to whoever made it."""

    counters: dict[Series, float] = field(default_factory=dict)
    sketches: dict[Series, QuantileSketch] = field(default_factory=dict)

    def add(self, other: Sums) -> None:
        """Add all of ``other``, which stays as it is."""
        for key, value in other.counters.items():
            self.counters[key] = self.counters.get(key, 0) + value
        for key, sketch in other.sketches.items():
            self.sketches.setdefault(key, QuantileSketch()).merge(sketch)

    def to_plain(self) -> dict[str, Any]:
        """As in a snapshot."""
        return {
            "counters": [[*_named(key), n] for key, n in self.counters.items()],
            "sketches": [[*_named(key), s.to_plain()] for key, s in self.sketches.items()],
        }


@dataclass(slots=True)
class Source:
    """What is known of one process.

    Attributes:
        since: The version after which the snapshot that was read is complete.
        present: False once the process is known to be gone: its gauges no longer count.
    """

    incarnation: int
    version: int
    since: int = 0
    sums: Sums = field(default_factory=Sums)
    gauges: dict[Series, float] = field(default_factory=dict)
    present: bool = True

    def update(self, newer: Source) -> None:
        """Take over what a newer snapshot says; what it leaves out is unchanged."""
        self.version = newer.version
        self.sums.counters.update(newer.sums.counters)
        self.sums.sketches.update(newer.sums.sketches)
        self.gauges.update(newer.gauges)

    def to_plain(self, name: str) -> dict[str, Any]:
        """A whole snapshot of the process, without its gauges."""
        return {
            "v": VERSION,
            "source": name,
            "incarnation": self.incarnation,
            "version": self.version,
            "since": 0,
            **self.sums.to_plain(),
        }


def read_snapshot(snapshot: Any) -> tuple[str, Source]:
    """The name of the process and what it says.

    Raises:
        SnapshotInvalid: It is no snapshot.
    """
    if not isinstance(snapshot, Mapping):
        raise SnapshotInvalid("a snapshot is an object")
    version = snapshot.get("v")
    if type(version) is not int or version < VERSION:
        raise SnapshotInvalid(f"snapshot version {version!r} is older than {VERSION}")
    name = snapshot.get("source")
    if not isinstance(name, str) or not name:
        raise SnapshotInvalid("a snapshot names its source")
    return name, Source(
        incarnation=read_whole(snapshot, "incarnation"),
        version=read_whole(snapshot, "version"),
        since=read_whole(snapshot, "since", default=0),
        sums=read_sums(snapshot),
        gauges=dict(_series(snapshot, "gauges", "gauge", _number)),
    )


def read_sums(plain: Mapping[str, Any]) -> Sums:
    """The counters and sketches of a snapshot. Raises ``SnapshotInvalid``."""
    return Sums(
        dict(_series(plain, "counters", "counter", _number)),
        dict(_series(plain, "sketches", "summary", QuantileSketch.from_plain)),
    )


def read_whole(plain: Mapping[str, Any], name: str, default: int | None = None) -> int:
    """A number that is whole and not negative. Raises ``SnapshotInvalid``."""
    value = plain.get(name, default)
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


def _named(key: Series) -> tuple[str, list[str]]:
    return key[0], list(key[1])
