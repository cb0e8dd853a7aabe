"""The measurements of many processes as one, whatever order their snapshots arrive in.

Rules:
1. A process is known by its name and incarnation. A snapshot replaces the one before of the same
   process if its version is larger; of a series that it leaves out as unchanged the older value
   stands.
2. A snapshot that leaves out more than we know (we were restarted, or forgot the process) is not
   taken; ``known_version`` says from where the process has to tell us.
3. A larger incarnation of a name means that the process restarted: what its predecessor counted
   stays, even if its last snapshot comes late; its gauges are gone.
4. A name that is forgotten leaves its counts in a sum. Should it come back after all, its snapshots
   are refused: it would be counted twice.
5. Anything else (repeated, older) changes nothing.
6. What no living process could tell a successor of ours (the counts of the dead, and the sum of
   rule 4) is our ``estate``. A successor takes it over with ``inherit``, before or after the living
   have told it everything, once or several times: the sums are the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from telemetry.catalog import BY_NAME
from telemetry.errors import SnapshotInvalid
from telemetry.ledger import Series
from telemetry.sketch import QuantileSketch
from telemetry.snapshot import Source, Sums, read_snapshot, read_sums, read_whole

MAX_FORGOTTEN = 20_000  # names that are remembered so that rule 4 can be kept
MAX_INHERITED = 1_000  # of them that a successor is told of
MAX_INCARNATIONS = 4  # of one name, before the oldest goes into the sum
ESTATE_VERSION = 1

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Totals:
    """The measurements of the cluster at one moment, by series."""

    counters: Mapping[Series, float]
    gauges: Mapping[Series, float]
    sketches: Mapping[Series, QuantileSketch]


class MergedMetrics:
    """The newest snapshot of every process, and the sum of what forgotten ones counted."""

    def __init__(self) -> None:
        self._sources: dict[Key, Source] = {}
        self._newest: dict[str, int] = {}
        self._former = Sums()
        self._forgotten: OrderedDict[Key, None] = OrderedDict()
        self._folds = 0
        # What a predecessor of ours had forgotten, replaced as a whole by a newer estate.
        self._inherited = Sums()
        self._inherited_forgotten: dict[Key, None] = {}

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of all processes that are not forgotten."""
        return tuple(self._newest)

    @property
    def forgotten(self) -> int:
        """How many processes are kept as a sum only; from the first on nothing can be inherited."""
        return self._folds

    @property
    def sketch_count(self) -> int:
        """How many sketches of processes there are to be added up."""
        return sum(len(source.sums.sketches) for source in self._sources.values())

    def known_version(self, source: str, incarnation: int) -> int:
        """The newest version taken of this process; 0 when there is none."""
        known = self._sources.get((source, incarnation))
        return known.version if known is not None else 0

    def is_forgotten(self, source: str, incarnation: int) -> bool:
        """Whether this process was forgotten with its counts: nothing more of it is taken."""
        key = (source, incarnation)
        return key in self._forgotten or key in self._inherited_forgotten

    def merge(self, snapshot: Any) -> bool:
        """Take a snapshot of ``MetricsLedger``.

        Returns:
            True if it was news; False if nothing was changed.

        Raises:
            SnapshotInvalid: It is not a snapshot; nothing of it was taken.
        """
        return self._take(*read_snapshot(snapshot))

    def leave(self, source: str) -> None:
        """This process is gone: its gauges no longer count, all it counted does."""
        if (newest := self._newest.get(source)) is not None:
            self._sources[source, newest].present = False

    def forget(self, source: str) -> None:
        """Keep no more of this name than its part in the sums."""
        for key in [key for key in self._sources if key[0] == source]:
            self.fold(*key)

    def fold(self, source: str, incarnation: int) -> None:
        """The same for one incarnation, which will never say anything any more."""
        key = (source, incarnation)
        if key not in self._sources:
            return
        self._former.add(self._sources.pop(key).sums)
        if self._newest.get(source) == incarnation:
            del self._newest[source]
        self._forgotten[key] = None
        self._folds += 1
        while len(self._forgotten) > MAX_FORGOTTEN:
            self._forgotten.popitem(last=False)

    def counters(self) -> dict[Series, float]:
        """Every counter, summed over all processes there ever were."""
        merged: dict[Series, float] = {}
        for sums in self._all_sums():
            for key, value in sums.counters.items():
                merged[key] = merged.get(key, 0) + value
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
        for sums in self._all_sums():
            for key, sketch in sums.sketches.items():
                merged.setdefault(key, QuantileSketch()).merge(sketch)
        return merged

    def totals(self) -> Totals:
        """All three: 20 us for each sketch of each process, which is what takes time here."""
        return Totals(self.counters(), self.gauges(), self.sketches())

    # --- what outlives us ------------------------------------------------------------------------

    def departed(self, doubtful: Collection[str] = ()) -> tuple[tuple[str, int, int], ...]:
        """Name, incarnation and version of every process that is gone, or among ``doubtful``."""
        return tuple(
            (*key, source.version)
            for key, source in self._sources.items()
            if not source.present or key[0] in doubtful
        )

    def estate(self, doubtful: Collection[str] = ()) -> dict[str, Any]:
        """What a successor cannot learn from the living (rule 6), as JSON types.

        Args:
            doubtful: Names of processes that may be dead; counted once even if they are not.
        """
        former = Sums()
        former.add(self._inherited)
        former.add(self._former)
        forgotten = [*self._inherited_forgotten, *self._forgotten]
        return {
            "v": ESTATE_VERSION,
            "former": former.to_plain(),
            "forgotten": [list(key) for key in forgotten[-MAX_INHERITED:]],
            "sources": [
                self._sources[name, incarnation].to_plain(name)
                for name, incarnation, _ in self.departed(doubtful)
            ],
        }

    def inherit(self, estate: Any) -> tuple[str, ...]:
        """Take over the estate of a predecessor, instead of any older one taken before.

        Returns:
            The names of the processes whose counts came with it.

        Raises:
            SnapshotInvalid: It is none; nothing of it was taken.
        """
        if not isinstance(estate, Mapping) or not isinstance(estate.get("former"), Mapping):
            raise SnapshotInvalid("an estate is an object")
        former = read_sums(estate["former"])
        forgotten = dict.fromkeys(_keys(estate.get("forgotten")))
        listed = estate.get("sources")
        if not isinstance(listed, list):
            raise SnapshotInvalid("the sources of an estate are a list")
        sources = [read_snapshot(item) for item in listed]
        self._inherited, self._inherited_forgotten = former, forgotten
        for name, incarnation in forgotten:
            self._sources.pop((name, incarnation), None)
            if self._newest.get(name) == incarnation:
                del self._newest[name]
        for name, source in sources:
            source.present = False
            self._take(name, source)
        return tuple(dict.fromkeys(name for name, _ in sources))

    # --- parts -----------------------------------------------------------------------------------

    def _take(self, name: str, source: Source) -> bool:
        key = (name, source.incarnation)
        if self.is_forgotten(*key):
            return False
        known = self._sources.get(key)
        if known is None:
            if source.since > 0:
                return False  # it tells only what is new, to somebody who knows nothing yet
            self._sources[key] = source
            self._note_incarnation(name, source)
            return True
        if source.version <= known.version or source.since > known.version:
            return False
        known.update(source)
        known.present = source.present and self._newest.get(name) == source.incarnation
        return True

    def _note_incarnation(self, name: str, source: Source) -> None:
        newest = self._newest.get(name, -1)
        if source.incarnation < newest:
            source.present = False
            return
        self._newest[name] = source.incarnation
        if newest >= 0:
            self._sources[name, newest].present = False
            kept = sorted(key for key in self._sources if key[0] == name)
            for key in kept[:-MAX_INCARNATIONS]:
                self.fold(*key)

    def _all_sums(self) -> list[Sums]:
        return [self._inherited, self._former, *(source.sums for source in self._sources.values())]


def _keys(listed: Any) -> list[Key]:
    if not isinstance(listed, list):
        raise SnapshotInvalid("what was forgotten is a list")
    keys = []
    for item in listed:
        if not isinstance(item, list) or len(item) != 2 or not isinstance(item[0], str):
            raise SnapshotInvalid("what was forgotten is a name and an incarnation")
        keys.append((item[0], read_whole({"incarnation": item[1]}, "incarnation")))
    return keys
