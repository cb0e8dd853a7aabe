"""What people see of the response cache, and how they choose entries: to look at, purge, export."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from cache.entry import Entry
from cache.keeper import CacheKeeper
from cache.prediction import after
from cache.text import exact_form

ALIVE: Final = "alive"
"""The status of an entry that may be served; any other is the reason why not."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries: all that is given must hold; with nothing given, all entries.

    Attributes:
        entry_id: One entry; 0 for any.
        text: Words that stand in its question or its answer, in this order.
        source: Learned from this call or file: the beginning of ``Entry.source``.
    """

    entry_id: int = 0
    tenant_id: str = ""
    agent_id: str = ""
    language: str = ""
    tag: str = ""
    text: str = ""
    source: str = ""

    @property
    def is_everything(self) -> bool:
        """Whether nothing is given."""
        return not any(getattr(self, one.name) for one in fields(self))

    def of(self, keeper: CacheKeeper) -> Iterator[Entry]:
        """The entries, the most recently used first."""
        words = exact_form(self.text)
        for entry in reversed(list(keeper.cache.store)):
            if self._holds(entry) and (not words or _has(entry, words)):
                yield entry

    def _holds(self, entry: Entry) -> bool:
        scope = entry.scope
        return (
            self.entry_id in (0, entry.entry_id)
            and self.tenant_id in ("", scope.tenant_id)
            and self.agent_id in ("", scope.agent_id)
            and self.language.lower() in ("", scope.language.lower())
            and (not self.tag or self.tag in entry.answer.tags)
            and entry.source.startswith(self.source)
        )

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Selection:
        """From JSON types; what is not known is ignored, what has another type raises.

        Raises:
            ValueError: A field has another type.
        """
        chosen: dict[str, Any] = {}
        for one in fields(cls):
            value = plain.get(one.name, one.default)
            if type(value) is not type(one.default):
                raise ValueError(f"{one.name} is of another type than wanted")
            chosen[one.name] = value
        return cls(**chosen)


def _has(entry: Entry, words: str) -> bool:
    return words in exact_form(entry.question) or words in exact_form(entry.answer.text)


def row_of(keeper: CacheKeeper, entry: Entry, now_s: float) -> dict[str, Any]:
    """One entry as JSON types, with everything that is known of it. Holds its words."""
    store, scope, answer = keeper.cache.store, entry.scope, entry.answer
    objection = store.objection(entry, now_s)
    return {
        "entry_id": entry.entry_id,
        "question": entry.question,
        "answer": answer.text,
        "answer_id": answer.answer_id,
        "status": objection.value if objection else ALIVE,
        "storage_class": answer.storage_class.value,
        "provenance": answer.provenance.value,
        "tags": sorted(answer.tags),
        "ttl": answer.ttl.value,
        "created_s": entry.created_s,
        "expires_s": entry.expires_s,
        "source": entry.source,
        "callers": len(store.callers_of(entry)),
        "callers_of_question": len(entry.callers),
        "has_vector": store.has_vector(entry),
        "next": sorted(keeper.cache.patterns.seen(scope.common, after(answer.answer_id)).plans),
        "scope": {one.name: getattr(scope, one.name) for one in fields(scope)},
        "counters": {one.name: getattr(entry.counters, one.name) for one in fields(entry.counters)},
    }


def summary_of(keeper: CacheKeeper, now_s: float) -> dict[str, Any]:
    """Numbers about the whole cache; holds no words of anybody."""
    store, gates = keeper.cache.store, keeper.cache.gates
    by_status: Counter[str] = Counter()
    by_provenance: Counter[str] = Counter()
    by_agent: Counter[str] = Counter()
    served = right = wrong = 0
    for entry in store:
        objection = store.objection(entry, now_s)
        by_status[objection.value if objection else ALIVE] += 1
        by_provenance[entry.answer.provenance.value] += 1
        by_agent[f"{entry.scope.tenant_id}/{entry.scope.agent_id}"] += 1
        served += entry.counters.served
        right += entry.counters.right
        wrong += entry.counters.wrong
    return {
        "entries": len(store),
        "size_bytes": store.size_bytes,
        "served": served,
        "checked": {"right": right, "wrong": wrong},
        "by_status": dict(by_status),
        "by_provenance": dict(by_provenance),
        "by_agent": dict(by_agent.most_common(50)),
        "states": len(keeper.cache.patterns),
        "gates": {
            "/".join(family): {"labels": seen, "is_fitted": keeper.cache.gates.has_gate(family)}
            for family, seen, _ in gates.lessons()
        },
        "not_kept": dict(keeper.refused),
        "workers": len(keeper.heard),
        "encoder": keeper.encoder,
        "deltas": keeper.log.last,
    }
