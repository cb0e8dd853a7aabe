"""How late and how whole the caller's frames arrive.

Media Streams is TCP: what is lost there comes late, and everything behind it with it. What is lost
before, on the telephone's own way, is concealed: the last frame again, at half its level.
"""

from __future__ import annotations

from random import Random
from typing import Literal

import numpy as np
import numpy.typing as npt

NetworkKind = Literal["clean", "jitter", "stalls", "loss"]
NETWORKS: tuple[NetworkKind, ...] = ("clean", "jitter", "stalls", "loss")
# Share of calls in a mixed run.
MIX: dict[NetworkKind, float] = {"clean": 0.6, "jitter": 0.2, "stalls": 0.1, "loss": 0.1}
_JITTER_MEAN_S = 0.008
_JITTER_MOST_S = 0.08
_STALL_EVERY_S = 8.0
_STALL_S = (0.08, 0.3)
_LOSS_RATIO = 0.015
_LOSS_GOES_ON = 0.4


def draw_network(random: Random) -> NetworkKind:
    """The network of one call."""
    return random.choices(list(MIX), list(MIX.values()))[0]


class Network:
    """The way of one call's frames."""

    def __init__(self, kind: NetworkKind, random: Random) -> None:
        self._kind = kind
        self._random = random
        self._stalled_until_s = 0.0
        self._next_stall_s = random.expovariate(1 / _STALL_EVERY_S)
        self._arrived_s = 0.0
        self._last: npt.NDArray[np.int16] | None = None
        self._is_losing = False

    def arrival_s(self, sent_s: float) -> float:
        """When a frame that was sent then arrives; never before the one that was sent before."""
        at_s = sent_s
        if self._kind == "jitter":
            at_s += min(self._random.expovariate(1 / _JITTER_MEAN_S), _JITTER_MOST_S)
        elif self._kind == "stalls":
            if sent_s >= self._next_stall_s:
                self._stalled_until_s = sent_s + self._random.uniform(*_STALL_S)
                self._next_stall_s = sent_s + self._random.expovariate(1 / _STALL_EVERY_S)
            at_s = max(at_s, self._stalled_until_s)
        self._arrived_s = max(self._arrived_s, at_s)
        return self._arrived_s

    def carried(self, frame: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """The frame as it comes out at the other end."""
        if self._kind != "loss":
            return frame
        ratio = _LOSS_GOES_ON if self._is_losing else _LOSS_RATIO
        self._is_losing = self._random.random() < ratio
        if self._is_losing and self._last is not None:
            frame = (self._last // 2).astype(np.int16)
        self._last = frame
        return frame
