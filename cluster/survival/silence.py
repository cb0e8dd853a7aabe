"""The silences that a caller heard: when nobody spoke, and the agent should have.

Rules
1. Silence is the time from one loud moment on the line, of either side, to the next.
2. It is the agent's when the agent ends it. When the caller ends it, it is the caller's own pause,
   unless it lasted longer than a caller waits who has heard a whole reply: then nothing came.
3. What follows the last sound of a call counts by the same rule, as if the caller ended it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.hearing import LOUD_AMPLITUDE, WINDOW_BYTES, WINDOW_S
from simulation.recording import Recording

SHORTEST_S = 0.2  # what is shorter is a pause between words


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence for which the agent is to blame.

    Attributes:
        from_s: When it began, on the clock that was asked for.
        until_s: When it ended.
    """

    from_s: float
    until_s: float

    @property
    def lasted_s(self) -> float:
        """Seconds."""
        return self.until_s - self.from_s


def silences(recording: Recording, zero_s: float, patience_s: float) -> list[Silence]:
    """All of a call, in order.

    Args:
        recording: Both channels.
        zero_s: Loop time that counts as 0.
        patience_s: How long a caller waits after a reply that was whole.
    """
    samples = recording.samples()
    if not len(samples):
        return []
    caller, agent = _loud(samples[:, 0]), _loud(samples[:, 1])
    start_s = recording.start_s - zero_s
    at = np.flatnonzero(caller | agent)
    if not len(at):
        return []
    ends = np.append(at, len(caller))[1:]
    found = []
    for begin, end in zip((at + 1).tolist(), ends.tolist(), strict=True):
        lasted_s = (end - begin) * WINDOW_S
        if lasted_s < SHORTEST_S:
            continue
        is_of_agent = end < len(agent) and bool(agent[end])
        if is_of_agent or lasted_s > patience_s:
            found.append(Silence(start_s + begin * WINDOW_S, start_s + end * WINDOW_S))
    return found


def _loud(samples: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Which windows of 10 ms are loud, as ``simulation.hearing`` judges."""
    whole = len(samples) - len(samples) % WINDOW_BYTES
    windows = np.abs(samples[:whole].astype(np.int32)).reshape(-1, WINDOW_BYTES)
    loud: NDArray[np.bool_] = (windows >= LOUD_AMPLITUDE).sum(axis=1) >= WINDOW_BYTES // 8
    return loud
