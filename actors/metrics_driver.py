"""The measurements of the whole cluster, without Ray: what the MetricsActor does.

Rules
1. Every process reports about once a second. Of one that is silent for ``SILENT_S`` (or has said
   goodbye) the gauges no longer count; what it counted always does.
2. After its goodbye, or silent for ``FORGET_AFTER_S``, or the longest silent of more than
   ``MAX_SOURCES``: a process is forgotten, its counts stay in the sums.
3. The answer says what is known of the process, so that it need only tell what is new, and how soon
   to report again: more processes report less often, so that one actor can hear them all.
4. The view is made when somebody asks for it, at most once in ``VIEW_EVERY_S``, and is the same for
   all who ask meanwhile. The more there is to add up, the less often.
5. A successor of another actor shows no view until everybody has told it everything: a replica that
   goes on showing its last one for some seconds is better than counters that fall and rise again,
   which every reader takes for a restart and counts twice.
6. Some of those who are shown the view keep what the dead have counted, for a successor of ours:
   see ``actors.metrics_estate``.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actors.metrics_estate import EstateMaker
from telemetry import catalog
from telemetry.errors import SnapshotInvalid
from telemetry.exposition import render
from telemetry.ledger import MetricsLedger
from telemetry.merged import MergedMetrics, Totals
from telemetry.summary import active_calls, summarise, utilisation_ratio

logger = logging.getLogger(__name__)

SILENT_S = 10.0
SETTLE_S = 5.0  # everybody has found a restarted actor by then
DOUBTFUL_REPORTS = 3  # who missed so many may be dead
FORGET_AFTER_S = 3_600.0
MAX_SOURCES = 20_000
REPORT_EVERY_S = 1.0
REPORTS_A_SECOND = 200  # what one actor hears without falling behind
VIEW_EVERY_S = 0.9
SKETCHES_A_SECOND = 5_000  # to be added up: a tenth of a core
SOURCE = "metrics-actor"
VERSION = 1


@dataclass(frozen=True, slots=True)
class _View:
    """What replicas serve, made at ``made_at`` (loop time)."""

    number: int
    made_at: float
    text: bytes
    summary: bytes


class MetricsDriver:
    """Takes reports, answers with views; synchronous, takes ``now`` (loop time).

    Args:
        incarnation: Start of this process in UTC microseconds.
        is_successor: Whether it is known that there was another one before.

    Attributes:
        is_successor: The same, or somebody has met another one.
    """

    def __init__(self, incarnation: int, *, is_successor: bool = False) -> None:
        self.merged = MergedMetrics()
        self._incarnation = incarnation
        self._ledger = MetricsLedger(SOURCE, incarnation)
        self._heard_at: dict[str, float] = {}
        self._gone: set[str] = set()
        self._goodbyes: set[tuple[str, int]] = set()
        self._estate = EstateMaker(self.merged, incarnation)
        self._peak_calls = 0
        self.is_successor = is_successor
        self._began_at: float | None = None
        self._totals: Totals | None = None
        self._added_up_at = self._add_up_at = 0.0
        self._view: _View | None = None
        self._views = incarnation  # a restarted actor's views are newer than any that replicas hold

    @property
    def report_every_s(self) -> float:
        """How often a process shall report."""
        return max(REPORT_EVERY_S, len(self._heard_at) / REPORTS_A_SECOND)

    def report(self, plain: Any, *, now: float) -> dict[str, Any]:
        """Take one report; the answer is plain data.

        A report is ``{"v": 1, "snapshot": ..., "leaving": bool, "peak_calls": int, "view": n,
        "estate": n, "inheritance": ...}``. ``view`` is the number of the view that the process has,
        -1 to be sent none; ``estate`` likewise; ``inheritance`` is a predecessor's estate.
        """
        report = plain if isinstance(plain, Mapping) else {}
        if self._began_at is None:
            self._began_at = now
        self._inherit(report.get("inheritance"), now=now)
        snapshot = report.get("snapshot")
        fate, source, incarnation = self._take(snapshot, now=now)
        self._ledger.count(catalog.REPORTS, fate)
        if fate in {"taken", "repeated"} and report.get("leaving") is True:
            self._leave(source)
            self._goodbyes.add((source, incarnation))
        self._note_peak(_count(report.get("peak_calls")))
        answer: dict[str, Any] = {
            "v": VERSION,
            "actor": self._incarnation,
            "fate": fate,
            "known": self.merged.known_version(source, incarnation),
            "every_s": self.report_every_s,
        }
        held = report.get("view")
        if fate == "incomplete" or (type(held) is int and 0 < held < self._incarnation):
            self.is_successor = True
        if type(held) is int and held >= 0 and self._may_show(now):
            view = self._newest_view(now)
            if view.number != held:
                answer["view"] = {
                    "number": view.number,
                    "age_s": now - view.made_at,
                    "peak_calls": self._peak_calls,
                    "text": view.text,
                    "summary": view.summary,
                }
            estate = self._estate.copy_for(source, report.get("estate", 0))
            if estate is not None:
                answer["estate"] = estate.to_plain()
        return answer

    def sweep(self, *, now: float) -> None:
        """Notice who is silent; call it about once a second."""
        silent_s = max(SILENT_S, 5 * self.report_every_s)
        for source, at in list(self._heard_at.items()):
            if now - at > silent_s and source not in self._gone:
                logger.info("%s does not report any more", source)
                self._leave(source)
            if now - at > FORGET_AFTER_S:
                self._forget(source)
        if self._estate.is_settled(now=now):
            while self._goodbyes:
                self._fold(*self._goodbyes.pop())
        surplus = len(self._heard_at) - MAX_SOURCES
        if surplus > 0:
            for source in sorted(self._heard_at, key=self._heard_at.__getitem__)[:surplus]:
                self._forget(source)
        self._note_peak(active_calls(self.merged.gauges()))
        self._estate.update(self._doubtful(now), now=now)

    def totals(self, *, now: float) -> Totals:
        """Everything measured, as it was when it was last added up; see rule 4."""
        held = self._totals
        if held is None or now >= self._add_up_at:
            gauges = self.merged.gauges()
            self._note_peak(active_calls(gauges))
            self._ledger.gauge(catalog.PEAK_CALLS, self._peak_calls)
            self._ledger.gauge(catalog.UTILISATION, utilisation_ratio(gauges))
            self.merged.merge(self._ledger.snapshot())
            held = self._totals = self.merged.totals()
            self._added_up_at = now
            work_s = self.merged.sketch_count / SKETCHES_A_SECOND
            self._add_up_at = now + max(VIEW_EVERY_S, work_s)
        return held

    def _take(self, snapshot: Any, *, now: float) -> tuple[str, str, int]:
        """What became of a snapshot, and whose it was."""
        try:
            is_news = self.merged.merge(snapshot)
        except SnapshotInvalid as error:
            logger.warning("a report was not taken: %s", error.message)
            return "invalid", "", 0
        source, incarnation = str(snapshot["source"]), int(snapshot["incarnation"])
        if self.merged.is_forgotten(source, incarnation):
            return "forgotten", source, incarnation
        self._heard_at[source] = now
        if is_news:
            self._gone.discard(source)
            return "taken", source, incarnation
        known = self.merged.known_version(source, incarnation)
        return ("repeated" if known >= snapshot["version"] else "incomplete"), source, incarnation

    def _may_show(self, now: float) -> bool:
        settle_s = max(SETTLE_S, DOUBTFUL_REPORTS * self.report_every_s)
        return not self.is_successor or now - (self._began_at or 0.0) >= settle_s

    def _inherit(self, plain: object, *, now: float) -> None:
        names = self._estate.inherit(plain)
        if names:
            logger.info("took over what %d processes had counted before a restart", len(names))
        for name in names:
            if name not in self._heard_at:
                self._heard_at[name] = now
                self._gone.add(name)

    def _doubtful(self, now: float) -> set[str]:
        late_s = DOUBTFUL_REPORTS * self.report_every_s
        return {source for source, at in self._heard_at.items() if now - at > late_s}

    def _leave(self, source: str) -> None:
        self._gone.add(source)
        self._estate.left(source)
        self.merged.leave(source)

    def _fold(self, source: str, incarnation: int) -> None:
        self.merged.fold(source, incarnation)
        if source not in self.merged.sources:  # else its successor lives
            self._gone.discard(source)
            self._heard_at.pop(source, None)

    def _forget(self, source: str) -> None:
        self.merged.forget(source)
        self._gone.discard(source)
        del self._heard_at[source]

    def _note_peak(self, calls: int) -> None:
        self._peak_calls = max(self._peak_calls, calls)

    def _newest_view(self, now: float) -> _View:
        totals = self.totals(now=now)
        view = self._view
        if view is None or view.made_at != self._added_up_at:
            self._views += 1
            view = self._view = _View(
                number=self._views,
                made_at=self._added_up_at,
                text=zlib.compress(render(totals).encode(), 1),
                summary=zlib.compress(json.dumps(summarise(totals)).encode(), 1),
            )
        return view


def _count(value: object) -> int:
    return value if type(value) is int and 0 <= value < 1 << 40 else 0
