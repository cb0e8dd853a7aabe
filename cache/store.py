"""The entries of the response cache: found by key, aged out, invalidated, purged.

A machine: it takes ``now_s`` and does no I/O. A replica is the same thing, fed with ``put`` and
``remove`` in the order in which the owner made its changes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from cache.encoder import Vector
from cache.entry import QUORUM, Entry
from cache.outcomes import RefusalReason
from cache.scope import Scope
from cache.shelf import Shelf
from cache.tenant_room import TenantRoom

_VECTOR_BYTES = 4 + 4 / 32  # a number and its sign, of each dimension


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept; what goes first is the least used of who has most (``tenant_room``).

    Attributes:
        entries: Of all scopes together.
        size_bytes: Likewise; the clips of the answers are counted by ``cache.clips``.
    """

    entries: int = 10_000
    size_bytes: int = 64 << 20


class ResponseStore:
    """All entries, least recently used first."""

    def __init__(self, dimension: int, limits: Limits | None = None) -> None:
        self._dimension = dimension
        self._limits = limits or Limits()
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._room = TenantRoom(self._limits.entries, self._limits.size_bytes)
        self._bare: dict[int, None] = {}
        self._exact: dict[tuple[bytes, str], int] = {}
        self._shelves: dict[bytes, tuple[Scope, Shelf]] = {}
        self._callers: dict[tuple[bytes, str], set[bytes]] = {}
        self._uses: dict[tuple[bytes, str], set[int]] = {}
        self._generations: dict[tuple[str, str], int] = {}
        self._size_bytes = 0.0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def ids(self) -> list[int]:
        """Of all entries, least recently used first."""
        return list(self._entries)

    def without_vector(self) -> list[int]:
        """Of the entries whose question the semantic tier does not know."""
        return list(self._bare)

    @property
    def size_bytes(self) -> int:
        """About what the entries and their vectors take."""
        return int(self._size_bytes)

    def get(self, entry_id: int) -> Entry | None:
        """The entry of that id, served or not."""
        return self._entries.get(entry_id)

    def has_vector(self, entry: Entry) -> bool:
        """Whether the semantic tier knows its question."""
        shelf = self.shelf(entry.scope)
        return shelf is not None and entry.entry_id in shelf

    def vector(self, entry: Entry) -> Vector | None:
        """A copy of the vector of its question; None when it has none."""
        shelf = self.shelf(entry.scope)
        return shelf.vector(entry.entry_id) if shelf else None

    def exact(self, scope: Scope, question: str) -> Entry | None:
        """The entry of that very question."""
        entry_id = self._exact.get((scope.key(), question))
        return None if entry_id is None else self._entries[entry_id]

    def shelf(self, scope: Scope) -> Shelf | None:
        """What the semantic tier searches for this scope."""
        found = self._shelves.get(scope.key())
        return found[1] if found else None

    def plan(self, scope: Scope, plan_id: str) -> Entry | None:
        """The youngest entry of that answer, whatever was asked."""
        ids = self._uses.get((scope.key(), plan_id))
        return self._entries[max(ids)] if ids else None

    def shelves(self) -> Iterator[tuple[Scope, Shelf]]:
        """All of them with their scopes, in no order."""
        return iter(self._shelves.values())

    def put(self, entry: Entry, vector: Vector | None) -> list[int]:
        """Keep an entry in place of one with the same question; what had to go for it.

        Raises:
            ValueError: The vector has another dimension than the encoder of this store.
        """
        if vector is not None and vector.shape != (self._dimension,):
            raise ValueError(f"a vector of {vector.shape}, not of {self._dimension} numbers")
        key = entry.scope.key()
        use = (key, entry.answer.answer_id)
        callers = self._callers.get(use, set())  # outlives what is replaced
        if entry.entry_id in self._entries:
            self.remove(entry.entry_id)
        if vector is not None:
            _, shelf = self._shelves.get(key) or (entry.scope, Shelf(self._dimension))
            shelf.put(entry.entry_id, entry.question, entry.answer.answer_id, vector)
            self._shelves[key] = (entry.scope, shelf)
        else:
            self._bare[entry.entry_id] = None
        before = self._exact.get((key, entry.question))
        self._entries[entry.entry_id] = entry
        self._exact[key, entry.question] = entry.entry_id
        self._uses.setdefault(use, set()).add(entry.entry_id)
        self._callers[use] = callers
        takes = self._takes(entry)
        self._size_bytes += takes
        self._room.put(entry.scope.tenant_id, entry.entry_id, takes)
        gone = []
        if before is not None:
            self.remove(before)
            gone.append(before)
        while len(self._entries) > 1 and (
            len(self._entries) > self._limits.entries or self._size_bytes > self._limits.size_bytes
        ):
            last = self._room.to_go(keeping=entry.entry_id)
            self.remove(last)
            gone.append(last)
        return gone

    def remove(self, entry_id: int) -> None:
        """Take an entry out of everything; nothing happens when it is not there."""
        if (entry := self._entries.pop(entry_id, None)) is None:
            return
        self._bare.pop(entry_id, None)
        key = entry.scope.key()
        if self._exact.get((key, entry.question)) == entry_id:
            del self._exact[key, entry.question]
        if key in self._shelves:
            _, shelf = self._shelves[key]
            shelf.remove(entry_id)
            if not len(shelf):
                del self._shelves[key]
        use = (key, entry.answer.answer_id)
        self._uses[use].discard(entry_id)
        if not self._uses[use]:
            del self._uses[use]
            self._callers.pop(use, None)
        takes = self._takes(entry)
        self._size_bytes -= takes
        self._room.remove(entry.scope.tenant_id, entry_id, takes)

    def touch(self, entry_id: int) -> None:
        """It was used: it goes last."""
        if entry_id in self._entries:
            self._entries.move_to_end(entry_id)
            self._room.touch(self._entries[entry_id].scope.tenant_id, entry_id)

    def produced(self, scope_key: bytes, answer_id: str, caller: bytes) -> bool:
        """This caller was given this answer, not by the cache; whether that was news.

        Args:
            scope_key: ``Scope.key``.
            answer_id: In that scope.
            caller: ``cache.scope.caller_mark``.
        """
        callers = self._callers.setdefault((scope_key, answer_id), set())
        if len(callers) >= QUORUM or caller in callers:
            return False
        callers.add(caller)
        return True

    def of_answer(self, scope: Scope, answer_id: str) -> tuple[Entry, ...]:
        """The entries that lead to this answer."""
        ids = self._uses.get((scope.key(), answer_id), set())
        return tuple(self._entries[entry_id] for entry_id in ids)

    def callers_of(self, entry: Entry) -> frozenset[bytes]:
        """Who was given the answer of this entry, as far as the quorum needs to know."""
        return frozenset(self._callers.get((entry.scope.key(), entry.answer.answer_id), ()))

    def invalidate(self, tenant_id: str, tag: str) -> int:
        """Everything of this tenant with this tag ends now, in one step; the new generation."""
        number = self._generations.get((tenant_id, tag), 0) + 1
        self._generations[tenant_id, tag] = number
        return number

    def set_generation(self, tenant_id: str, tag: str, number: int) -> None:
        """What the owner of this replica says of a tag."""
        self._generations[tenant_id, tag] = number

    def generations(self, tenant_id: str, tags: frozenset[str]) -> tuple[tuple[str, int], ...]:
        """The counters that an entry with these tags is stamped with."""
        return tuple((tag, self._generations.get((tenant_id, tag), 0)) for tag in sorted(tags))

    def all_generations(self) -> Iterator[tuple[str, str, int]]:
        """Tenant, tag and counter of each tag that was ever invalidated."""
        return ((tenant, tag, number) for (tenant, tag), number in self._generations.items())

    def has_ended(self, entry: Entry, now_s: float) -> bool:
        """Whether it will never be served again, whatever happens."""
        return self.objection(entry, now_s) in (RefusalReason.EXPIRED, RefusalReason.INVALIDATED)

    def objection(self, entry: Entry, now_s: float) -> RefusalReason | None:
        """Why an entry may not be served now; None when it may."""
        if now_s >= entry.expires_s:
            return RefusalReason.EXPIRED
        tenant_id = entry.scope.tenant_id
        if any(self._generations.get((tenant_id, tag), 0) != was for tag, was in entry.generations):
            return RefusalReason.INVALIDATED
        if entry.is_quarantined:
            return RefusalReason.QUARANTINED
        if entry.scope.is_public and not entry.answer.provenance.is_trusted:
            callers = self._callers.get((entry.scope.key(), entry.answer.answer_id), ())
            if len(callers) < QUORUM:
                return RefusalReason.QUORUM
        return None

    def _takes(self, entry: Entry) -> float:
        return entry.size_bytes + self._dimension * _VECTOR_BYTES
