"""One desk over several owners of the response cache: people need not know how many there are."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from cache.shards import shard_of
from cluster.response_cache_desk import Desk

_ADDED_UP: Final = ("entries", "size_bytes", "served", "states", "deltas")
_COUNTS: Final = ("by_status", "by_provenance", "by_agent", "checked", "not_kept")


class ShardedDesk:
    """``cluster.response_cache_desk.Desk``.

    Args:
        desks: Of each owner, in order.
    """

    def __init__(self, desks: Sequence[Desk]) -> None:
        self._desks = tuple(desks)

    async def summary(self) -> dict[str, Any]:
        """Numbers about all of it."""
        parts = await asyncio.gather(*(desk.summary() for desk in self._desks))
        return merged(parts)

    async def look(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Some entries, those of the first owner first."""
        limit, offset = plain.get("limit", 100), plain.get("offset", 0)
        rows: list[Any] = []
        total = 0
        for desk in self._desks:
            wanted = {**plain, "limit": max(0, limit - len(rows)), "offset": max(0, offset - total)}
            found = await desk.look(wanted)
            rows += found["rows"]
            total += found["total"]
        return {"v": 1, "rows": rows, "total": total}

    async def remove(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Remove entries, wherever they are; a tag is invalidated everywhere."""
        parts = await asyncio.gather(*(desk.remove(plain) for desk in self._desks))
        return {"v": 1, "removed": sum(part["removed"] for part in parts)}

    async def bring(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Import answers: at the owner of their agent."""
        scope = plain.get("scope")
        known = scope if isinstance(scope, Mapping) else {}
        tenant_id, agent_id = (str(known.get(name, "")) for name in ("tenant_id", "agent_id"))
        return await self._desks[shard_of(tenant_id, agent_id, len(self._desks))].bring(plain)


def merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The summaries of all owners as one; what is the same everywhere is that of the first."""
    every = list(parts)
    found: dict[str, Any] = dict(every[0])
    for name in _ADDED_UP:
        found[name] = sum(part[name] for part in every)
    for name in _COUNTS:
        found[name] = dict(sum((Counter(part[name]) for part in every), Counter()))
    found["gates"] = {name: gate for part in every for name, gate in part["gates"].items()}
    found["is_saved"] = all(part["is_saved"] for part in every)
    found["trouble"] = "; ".join(dict.fromkeys(filter(None, (part["trouble"] for part in every))))
    found["processes"] = max(part["processes"] for part in every)
    found["workers"] = max(part["workers"] for part in every)
    return found
