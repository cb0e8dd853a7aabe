"""Who has to be heard before a directory that was started again knows the cluster.

Rules
1. It finds CallActors by their names (``found``), and knows nothing of their seats and nodes until
   each has reported, or is given up as lost. Until then nobody is retired: who could follow him,
   and who is to go, is not known.
2. Replicas are answered once all those have reported, and ``HEARD_WITHIN_S`` after the start at
   the earliest: by then every replica that lives has told what it holds. It is heard at once, and
   goes on with what it has in hand, as while the directory was away.
3. Nobody waits longer than ``ANSWERED_WITHIN_S``: a CallActor that hangs would keep every caller.
4. A directory that finds nobody is the first one, and answers at once.

The machine reads no clock and does no I/O; ``now`` is loop time in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Collection

HEARD_WITHIN_S = 1.25  # replicas ask again every second (``lease_sync.RETRY_EVERY_S``)
ANSWERED_WITHIN_S = 2.0  # less than replicas wait for an answer (``ray_mind_pool.SYNC_TIMEOUT_S``)


class RollCall:
    """See the rules at the top of this file."""

    def __init__(self) -> None:
        self._missing: set[str] = set()
        self._began_at = -math.inf

    @property
    def has_all(self) -> bool:
        """Every CallActor that was found has reported, or is lost."""
        return not self._missing

    def found(self, names: Collection[str], *, now: float) -> None:
        """These CallActors were there before this directory."""
        if names:
            self._missing.update(names)
            self._began_at = now

    def heard(self, name: str) -> bool:
        """It has reported, or is lost; True when it was the last one."""
        if name not in self._missing:
            return False
        self._missing.remove(name)
        return self.has_all

    def is_over(self, *, now: float) -> bool:
        """Whether replicas can be answered."""
        waited_s = now - self._began_at
        return waited_s >= (HEARD_WITHIN_S if self.has_all else ANSWERED_WITHIN_S)
