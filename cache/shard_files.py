"""The files of several owners in one folder, also when there were more or fewer of them before.

``responses.cache`` is that of the only owner, ``responses-2-of-4.cache`` that of the third of four.
An owner whose file is there and is the newest of all layouts reads it. Otherwise the number of
owners was changed: each takes what is its own from the files of the newest other layout, which stay
as they are. All methods block: off the event loop.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from cache.deltas import Delta, Gate, Put, Space, Vouch
from cache.errors import SnapshotBroken
from cache.shards import first_id, shard_of
from cache.snapshot import Snapshot, SnapshotFile, snapshot_of

_NAME: Final = re.compile(r"responses(?:-(\d+)-of-(\d+))?\.cache")


def file_name(shard: int, shards: int) -> str:
    """The name of an owner's file."""
    return "responses.cache" if shards == 1 else f"responses-{shard}-of-{shards}.cache"


@dataclass(slots=True)
class ShardFile:
    """Where one of several owners is kept: ``actors.cache_saver.SnapshotKeeper``.

    Attributes:
        folder: Of all of them.
        shard: Which one, from 0.
        shards: How many there are.
        trouble: What was wrong with the files that were read last; empty when nothing was.
    """

    folder: Path
    shard: int = 0
    shards: int = 1
    trouble: str = field(default="", init=False)

    @property
    def path(self) -> Path:
        """Of its own file."""
        return self.folder / file_name(self.shard, self.shards)

    def write(self, data: bytes) -> None:
        """Replace its own file. Raises ``OSError``; the old one is whole then."""
        SnapshotFile(self.path).write(data)

    def read(self, aside_name: str) -> Snapshot | None:
        """Its own file, or its part of those of another layout; None when there is none.

        Args:
            aside_name: Under which name a broken file of its own is set aside.
        """
        self.trouble = ""
        others = self._others()
        if self.path.exists() and _changed_at([self.path]) >= _changed_at(others):
            own = SnapshotFile(self.path)
            found = own.read(aside_name)
            self.trouble = own.trouble
            return found
        return self._taken_over(others) if others else None

    def _others(self) -> list[Path]:
        """The files of the newest layout with another number of owners."""
        layouts: dict[int, list[Path]] = {}
        for path in self.folder.glob("responses*.cache"):
            if match := _NAME.fullmatch(path.name):
                layouts.setdefault(int(match.group(2) or 1), []).append(path)
        layouts.pop(self.shards, None)
        return max(layouts.values(), key=_changed_at, default=[])

    def _taken_over(self, paths: Iterable[Path]) -> Snapshot | None:
        parts: list[Snapshot] = []
        for path in sorted(paths):
            try:
                parts.append(snapshot_of(path.read_bytes()))
            except (SnapshotBroken, OSError) as error:
                self.trouble = f"{path.name} of before: {error}"
        if not parts:
            return None
        first = parts[0]
        last_id = max(part.next_id for part in parts)
        state = [delta for part in parts for delta in part.of_model(first.model).state]
        return replace(
            first,
            next_id=first_id(self.shard, after=last_id),
            state=tuple(self._own(state)),
            lessons=tuple(
                lesson for part in parts for lesson in part.lessons if self._is_own(*lesson.family)
            ),
            heard=(),
            stamp=(0, 0),
        )

    def _own(self, state: Iterable[Delta]) -> Iterable[Delta]:
        """What belongs to an agent of another owner is left; what has no agent is for all."""
        deltas = list(state)
        keys = {
            delta.entry.scope.key()
            for delta in deltas
            if isinstance(delta, Put)
            and self._is_own(delta.entry.scope.tenant_id, delta.entry.scope.agent_id)
        }
        for delta in deltas:
            match delta:
                case Put(entry):
                    scope = entry.scope
                    is_own = self._is_own(scope.tenant_id, scope.agent_id)
                case Space(scope):
                    is_own = self._is_own(scope.tenant_id, scope.agent_id)
                case Gate(family):
                    is_own = self._is_own(*family)
                case Vouch(scope_key):
                    is_own = scope_key in keys
                case _:
                    is_own = True
            if is_own:
                yield delta

    def _is_own(self, tenant_id: str, agent_id: str, _language: str = "") -> bool:
        return shard_of(tenant_id, agent_id, self.shards) == self.shard


def _changed_at(paths: Iterable[Path]) -> float:
    return max((path.stat().st_mtime for path in paths), default=0.0)
