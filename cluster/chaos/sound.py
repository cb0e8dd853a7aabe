"""What a caller heard of the agent, by its level: when there was sound, and when there was none."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulation.hearing import LOUD_AMPLITUDE, WINDOW_BYTES, WINDOW_S
from simulation.recording import Recording

_LOUD_SAMPLES = WINDOW_BYTES // 8  # as ``simulation.hearing`` judges


class HeardSound:
    """The agent's side of one call.

    Args:
        recording: Both channels of it.
        zero_s: Loop time that counts as 0.
    """

    def __init__(self, recording: Recording, zero_s: float) -> None:
        samples = recording.samples()[:, 1]
        whole = len(samples) - len(samples) % WINDOW_BYTES
        windows = np.abs(samples[:whole].astype(np.int32)).reshape(-1, WINDOW_BYTES)
        loud = (windows >= LOUD_AMPLITUDE).sum(axis=1) >= _LOUD_SAMPLES
        start_s = recording.start_s - zero_s
        self.loud_s: NDArray[np.floating] = np.flatnonzero(loud) * WINDOW_S + start_s
        self._runs = [(begin - zero_s, end - zero_s) for begin, end in recording.agent_runs()]

    def dead_air_s(self, from_s: float, until_s: float) -> float:
        """The longest silence between two moments; what follows the last sound does not count.

        Where there is no sound at all, all of it is silence.
        """
        loud = self.loud_s[(self.loud_s >= from_s) & (self.loud_s < until_s)]
        if not len(loud):
            return max(0.0, until_s - from_s)
        gaps = np.diff(loud) - WINDOW_S
        return float(max(loud[0] - from_s, gaps.max(initial=0.0)))

    def hole_s(self, from_s: float, until_s: float) -> float:
        """The longest time without any audio inside what was played between two moments."""
        return longest_hole_s([run for run in self._runs if from_s <= run[0] < until_s])


def longest_hole_s(runs: Sequence[tuple[float, float]]) -> float:
    """The longest gap between stretches of audio, ``(begin, end)`` each, in order."""
    return max((after[0] - before[1] for before, after in itertools.pairwise(runs)), default=0.0)
