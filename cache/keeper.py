"""The owner of the response cache: all writes, all learning, and the numbered changes for replicas.

A machine: it takes ``now_s`` and does no I/O. Rules

1. What workers tell is taken once, in the order of each worker's batches.
2. An answer of a call is kept when its caller and its tenant have not written too much, and when
   its tags were not invalidated since; who wrote it stands behind it as one caller. Nothing at
   all is learned from a call that was erased.
3. Every change is a delta in the log, made in the same step; replicas never change anything by
   themselves.
4. What takes long is computed aside (:meth:`CacheKeeper.due`, :meth:`CacheKeeper.done`).
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from cache.deltas import (
    FEATURES,
    Delta,
    Generation,
    Put,
    Remove,
    Seen,
    Silence,
    Space,
    Vouch,
    packed,
    state_of,
    unpacked,
)
from cache.deltas_log import DeltaLog
from cache.entry import Answer, Entry
from cache.evidence import Evidence, Neighbour
from cache.gate import Features
from cache.keeper_admission import Admission
from cache.keeper_gates import GateNews
from cache.keeper_jobs import Jobs, JobsDone, due_jobs
from cache.keeper_rates import Rates
from cache.lookup import Kept, Life, Question, ResponseCache, ask, may_keep
from cache.outcomes import Hit, Miss, MissReason, Tier
from cache.ports import Complaint
from cache.prediction import authored
from cache.replica_reports import (
    DELTAS,
    Batch,
    Checked,
    Complained,
    Followed,
    Learned,
    Report,
    Served,
)
from cache.scope import Scope

MOST_WRITERS: Final = 2_000
SWEPT_AT_ONCE: Final = 500
_REMOVED_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class KeeperConfig:
    """How a keeper works.

    Attributes:
        dimension: Of the encoder's vectors.
        encoder: Its name (``Encoder.name``); vectors of another one are not kept. Empty: of any.
        rates: What calls may write.
    """

    dimension: int
    encoder: str = ""
    rates: Rates = field(default_factory=Rates)


class CacheKeeper:
    """Owns one :class:`ResponseCache`.

    Args:
        cache: With what is known already; changed by nobody else from now on.
        config: See there.
        jitter: 0..1, shortens the life of entries a little.

    Attributes:
        cache: To be read.
        log: The last changes.
        refused: Why answers were not kept, and how often.
        heard: Number of the last batch of each writer.
    """

    def __init__(
        self, cache: ResponseCache, config: KeeperConfig, jitter: Callable[[], float]
    ) -> None:
        self.cache = cache
        self.log = DeltaLog()
        self.refused: Counter[str] = Counter()
        self.heard: OrderedDict[str, int] = OrderedDict()
        self._config = config
        self._jitter = jitter
        self._admission = Admission(config.rates)
        self._gate_news = GateNews(cache.gates)

    @property
    def encoder(self) -> str:
        """Which model's vectors are kept."""
        return self._config.encoder

    def state(self) -> list[Delta]:
        """Everything, for a replica that begins."""
        return list(state_of(self.cache))

    # --- what workers tell ------------------------------------------------------------------------

    def tell(self, batch: Batch, *, now_s: float) -> bool:
        """Take a batch; False when it was taken before.

        Args:
            batch: Of one worker.
            now_s: Epoch seconds.
        """
        if batch.number <= self.heard.get(batch.writer, 0):
            return False
        self.heard[batch.writer] = batch.number
        self.heard.move_to_end(batch.writer)
        if len(self.heard) > MOST_WRITERS:
            self.heard.popitem(last=False)
        may_use_vectors = not self._config.encoder or batch.encoder == self._config.encoder
        for report in batch.reports:
            self._take(report, may_use_vectors, now_s)
        self._tell_gates()
        return True

    def _take(self, report: Report, may_use_vectors: bool, now_s: float) -> None:
        match report:
            case Learned():
                self._learned(report, report.vector if may_use_vectors else b"", now_s)
            case Served(entry_id, times):
                if (entry := self.cache.store.get(entry_id)) is not None:
                    entry.counters.served += max(0, times)
                    self.cache.store.touch(entry_id)
            case Checked():
                self._checked(report)
            case Complained():
                self._complained(report)
            case Followed(scope, state, plan_id):
                self.cache.patterns.followed(scope, state, plan_id)
                self._tell(Seen(self.cache.patterns.seen(scope, state)))

    def _learned(self, told: Learned, vector: bytes, now_s: float) -> None:
        answer, scope = told.answer, told.scope
        if self._admission.is_erased(scope.tenant_id, told.source):
            self.refused["erased"] += 1
            return
        if (thought := _thought(told.features, told.nearest)) is not None:
            looked = Miss(MissReason.NOT_LIKE_ANYTHING, evidence=thought)
            self.cache.gates.answered(scope, looked, answer.answer_id)
        question = ask(told.question, scope)
        if not answer.text or not may_keep(question, answer):
            return
        if reason := self._admission.objection(told, self.cache.store, now_s):
            self.refused[reason] += 1
            return
        if len(vector) != 2 * self._config.dimension or question.text != told.question:
            vector = b""
        life = Life(
            now_s - max(0.0, told.age_s),
            self._jitter(),
            utc_offset_s=told.utc_offset_s,
            source=told.source,
        )
        self._kept(
            self.cache.keep(question, unpacked(vector), answer, caller=told.caller, life=life),
            told.caller,
        )

    def _checked(self, told: Checked) -> None:
        store, entry_id = self.cache.store, told.entry_id
        before = store.get(entry_id)
        was_silent = before is not None and before.is_quarantined
        hit = Hit(
            told.tier,
            entry_id,
            Answer(told.answer_id, ""),
            0.0,
            0.0,
            evidence=_thought(told.features, told.answer_id),
        )
        ratio = min(1.0, max(1e-3, told.check_ratio))
        if not (told.is_right or told.silences):  # the right answer to another question
            if told.tier is Tier.SEMANTIC:
                self.cache.gates.checked(told.scope, hit, is_right=False, check_ratio=ratio)
            return
        self.cache.checked(hit, told.scope, is_right=told.is_right, check_ratio=ratio)
        after = store.get(entry_id)
        if before is not None and after is None:
            self._tell(Remove(entry_id))
        elif after is not None and after.is_quarantined and not was_silent:
            self._tell(Silence(entry_id))

    def _complained(self, told: Complained) -> None:
        entry = self.cache.store.get(told.entry_id)
        is_repeat = told.complaint is Complaint.REPEAT
        if entry is not None:
            entry.counters.repeats += is_repeat
            entry.counters.barge_ins += not is_repeat
        thought = _thought(told.features, told.answer_id)
        if is_repeat and told.tier is Tier.SEMANTIC and thought is not None:
            self.cache.gates.doubted(told.scope, thought)

    # --- what people do ---------------------------------------------------------------------------

    def bring(
        self, question: Question, vector: bytes, answer: Answer, caller: bytes, life: Life
    ) -> Entry | None:
        """Import one answer; None when it may not be kept."""
        if not answer.text or not may_keep(question, answer):
            return None
        if len(vector) != 2 * self._config.dimension:
            vector = b""
        kept = self.cache.keep(question, unpacked(vector), answer, caller=caller, life=life)
        self._kept(kept, caller)
        return kept.entry if kept else None

    def step(self, scope: Scope, answer_id: str, then: tuple[str, ...]) -> None:
        """A card says which answers are asked for next (``cache.prediction``)."""
        told = authored(scope, answer_id, then)
        self.cache.patterns.place(told)
        self._tell(Seen(told))

    def encoded(self, vectors: Sequence[tuple[int, bytes]]) -> None:
        """Entries that had no vector, or that of another encoder, have one now."""
        for entry_id, vector in vectors:
            entry = self.cache.store.get(entry_id)
            if entry is not None and len(vector) == 2 * self._config.dimension:
                self.cache.store.put(entry, unpacked(vector))
                self._tell(Put(entry, vector))

    def invalidate(self, tenant_id: str, tag: str, *, now_s: float) -> int:
        """Everything of this tenant with this tag ends now; the new generation of the tag."""
        number = self.cache.store.invalidate(tenant_id, tag)
        self._admission.invalidated(tenant_id, tag, now_s)
        self._tell(Generation(tenant_id, tag, number))
        return number

    def erase(self, tenant_id: str, source: str, *, now_s: float) -> None:
        """Learn nothing more from a call of this tenant (``cache.entry.call_source``)."""
        self._admission.erased(tenant_id, source, now_s)

    def purge(self, entry_ids: Iterable[int]) -> int:
        """Remove entries; how many there were."""
        gone = [entry_id for entry_id in entry_ids if self.cache.store.get(entry_id) is not None]
        for entry_id in gone:
            self.cache.store.remove(entry_id)
            self._tell(Remove(entry_id))
        return len(gone)

    # --- what time does ---------------------------------------------------------------------------

    def sweep(self, *, now_s: float) -> int:
        """Remove what has ended; how many entries."""
        return sum(self.sweep_slices(now_s=now_s))

    def sweep_slices(
        self, *, now_s: float, looks: int = SWEPT_AT_ONCE, removes: int = _REMOVED_AT_ONCE
    ) -> Iterator[int]:
        """The same, a little at a time: between two, anything else may happen to the keeper."""
        self._admission.sweep(now_s)
        store = self.cache.store
        ids = store.ids()
        for start in range(0, len(ids), looks):
            some = filter(None, map(store.get, ids[start : start + looks]))
            ended = [one.entry_id for one in some if store.has_ended(one, now_s)]
            for first in range(0, len(ended) or 1, removes):
                yield self.purge(ended[first : first + removes])

    def due(self) -> Jobs:
        """What should be computed aside now; hand it to :meth:`done`."""
        return due_jobs(self.cache)

    def done(self, done: JobsDone) -> None:
        """Take over what was computed."""
        gates = self.cache.gates
        for found in done.measured:
            shelf = self.cache.store.shelf(found.scope)
            if found.space is None or found.survey is None or shelf is None:
                continue
            if not shelf.waits_for(found.survey):
                continue
            if shelf.adopt(found.space, found.survey):
                gates.features_changed(found.scope)
            self._tell(Space(found.scope, found.space.whitening))
        if [due for due, weights in done.gates if gates.take_over(due, weights)]:
            gates.fade()
        self._tell_gates()

    # --- the log ----------------------------------------------------------------------------------

    def _kept(self, kept: Kept | None, caller: bytes) -> None:
        if kept is None:
            return
        entry, store = kept.entry, self.cache.store
        self._tell(Put(entry, packed(store.vector(entry))))
        for entry_id in kept.gone:
            self._tell(Remove(entry_id))
        scope_key = entry.scope.key()
        if store.produced(scope_key, entry.answer.answer_id, caller):
            self._tell(Vouch(scope_key, entry.answer.answer_id, caller))

    def _tell_gates(self) -> None:
        """What was learned since it was told last."""
        for delta in self._gate_news.deltas(self.cache.gates):
            self._tell(delta)

    def _tell(self, delta: Delta) -> None:
        self.log.append(DELTAS.line(delta))


def _thought(features: Features, answer_id: str) -> Evidence | None:
    """What the gate saw, as far as it learns from it; None when another version saw it."""
    if len(features) != FEATURES:
        return None
    return Evidence(Neighbour(0, "", answer_id, 0.0), None, features)
