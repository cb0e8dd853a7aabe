"""Calls that somebody wants to be carried in another way, until they are.

Who asks does not know which replica has the call; the watch does, and its answer to a beat may get
lost. So a wish is told with every beat of whoever has the call, until the call is on another stream
than the one that it was asked of, is over, or has been asked of for too long. To be told twice does
no harm. Synchronous; ``now`` is loop time in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from actors.stream_watch import StreamWatch

KEPT_S = 120.0  # a turn may take long, and it is waited for


@dataclass(frozen=True, slots=True)
class _Wish:
    mode: str
    stream: int  # resume number
    at: float


class SwitchWishes:
    """Of all calls.

    Args:
        watch: Knows who has which call.
    """

    def __init__(self, watch: StreamWatch) -> None:
        self._watch = watch
        self._wishes: dict[str, _Wish] = {}

    def ask(self, call_id: str, mode: str, *, now: float) -> bool:
        """Have this call carried like this; False when no replica has it."""
        owned = self._watch.owner_of(call_id)
        if owned is None:
            return False
        self._wishes[call_id] = _Wish(mode, owned[1].epoch[0], now)
        return True

    def of_replica(self, replica_id: str, *, now: float) -> dict[str, str]:
        """What this replica is to be told: call id to mode."""
        told: dict[str, str] = {}
        for call_id, wish in list(self._wishes.items()):
            owned = self._watch.owner_of(call_id)
            is_done = owned is None or owned[1].epoch[0] != wish.stream
            if is_done or now - wish.at > KEPT_S:
                del self._wishes[call_id]
            elif owned is not None and owned[0] == replica_id:
                told[call_id] = wish.mode
        return told
