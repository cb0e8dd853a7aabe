"""What dead processes have counted outlives the MetricsActor too: the ingress replicas keep it.

The living tell a restarted actor everything anew; the dead cannot. So the actor hands what the dead
have counted (see ``MergedMetrics.estate``) to some of the replicas that are shown the view, which
offer it to any actor that they have not met before. What is lost is what a process counted and
nobody was told before it died, and a process that died within some seconds of the actor.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from telemetry.errors import SnapshotInvalid
from telemetry.merged import MergedMetrics

logger = logging.getLogger(__name__)

SETTLE_S = 15.0  # every replica has offered its copy by then
HOLDERS = 5  # replicas that keep one


@dataclass(frozen=True, slots=True)
class Estate:
    """A copy of what the dead have counted.

    Attributes:
        number: The larger one is the newer one, over restarts of the actor.
        actor: The incarnation of the actor that made it.
        blob: JSON, compressed by zlib.
    """

    number: int
    actor: int
    blob: bytes

    def to_plain(self) -> dict[str, Any]:
        """As it crosses."""
        return {"number": self.number, "actor": self.actor, "blob": self.blob}

    @classmethod
    def from_plain(cls, plain: Any) -> Estate | None:
        """What ``to_plain`` wrote; None when it is something else."""
        if not isinstance(plain, Mapping):
            return None
        number, actor, blob = plain.get("number"), plain.get("actor"), plain.get("blob")
        if type(number) is int and type(actor) is int and isinstance(blob, bytes):
            return cls(number, actor, blob)
        return None


class EstateMaker:
    """The estate of one MetricsActor.

    Args:
        merged: What it has been told.
        actor: Its incarnation; numbers go on from there.
    """

    def __init__(self, merged: MergedMetrics, actor: int) -> None:
        self._merged = merged
        self._actor = actor
        self._inherited = 0
        self._began_at: float | None = None
        self._contents: object = ((), 0)  # nobody is dead
        self._newest: Estate | None = None
        self._holders: set[str] = set()

    def inherit(self, plain: object) -> tuple[str, ...]:
        """Take a predecessor's, if it is newer than any other; the names of its processes."""
        offered = Estate.from_plain(plain)
        if offered is None or not self._inherited < offered.number < self._actor:
            return ()
        if self._merged.forgotten:
            logger.warning("what processes had counted before a restart comes too late to be added")
            return ()
        try:
            names = self._merged.inherit(json.loads(zlib.decompress(offered.blob)))
        except (SnapshotInvalid, ValueError, zlib.error) as error:
            logger.warning("what dead processes had counted cannot be read: %s", error)
            return ()
        self._inherited = offered.number
        return names

    def is_settled(self, *, now: float) -> bool:
        """Whether no predecessor's copy will come any more; ``now`` is loop time."""
        if self._began_at is None:
            self._began_at = now
        return now - self._began_at >= SETTLE_S

    def update(self, doubtful: Collection[str], *, now: float) -> None:
        """Make it anew if its contents have changed; call it about once a second.

        Args:
            doubtful: Names of processes that have not been heard for a while.
            now: Loop time.
        """
        self._holders.difference_update(doubtful)
        if not self.is_settled(now=now):
            return
        contents = (self._merged.departed(doubtful), self._merged.forgotten)
        if contents != self._contents:
            self._contents = contents
            plain = json.dumps(self._merged.estate(doubtful), separators=(",", ":"))
            number = max(self._actor, self._newest.number if self._newest else 0) + 1
            self._newest = Estate(number, self._actor, zlib.compress(plain.encode(), 1))

    def copy_for(self, replica: str, held: object) -> Estate | None:
        """What this replica, which has number ``held``, shall keep; None when it need not."""
        if self._newest is None or (replica not in self._holders and self._is_full):
            return None
        self._holders.add(replica)
        return self._newest if self._newest.number != held else None

    def left(self, replica: str) -> None:
        """It keeps nothing any more."""
        self._holders.discard(replica)

    @property
    def _is_full(self) -> bool:
        return len(self._holders) >= HOLDERS


class EstateCopy:
    """What one replica keeps of it."""

    def __init__(self) -> None:
        self._held: Estate | None = None
        self._offered_to = 0

    @property
    def number(self) -> int:
        """Of the copy; 0 when there is none."""
        return self._held.number if self._held is not None else 0

    def offer(self, actor: int) -> dict[str, Any] | None:
        """The copy, for an actor that neither made it nor was offered it; plain data."""
        held = self._held
        if held is None or actor in {0, held.actor, self._offered_to}:
            return None
        return held.to_plain()

    def offered(self, actor: int) -> None:
        """This actor has it."""
        self._offered_to = actor

    def take(self, plain: object, actor: int) -> None:
        """Keep a newer one, unless ours was not yet offered to whoever sends it."""
        estate = Estate.from_plain(plain)
        if estate is not None and estate.number > self.number and self.offer(actor) is None:
            self._held = estate
