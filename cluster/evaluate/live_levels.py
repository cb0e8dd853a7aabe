"""When the agent was turned down and up again, read off the recording of a live call.

The emulated voice of such a run is a tone of one level (``simulation.steady_voice``), so that
anything softer at the caller's ear was made softer by the product. A dip of less than 15 ms is the
ramp with which a segment begins, and nobody's doing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from simulation.steady_voice import RMS

RATE_HZ = 8_000
_WINDOW = 40
_WINDOW_S = _WINDOW / RATE_HZ
_FULL = 0.9
_RUN = 3  # windows


class AgentLevels:
    """How loud the agent was, in windows of 5 ms; 1.0 is as it was synthesised.

    Args:
        samples: What the caller heard: int16, 8 kHz.
        start_s: When its first sample was heard, on the clock of the questions below.
    """

    def __init__(self, samples: npt.NDArray[np.int16], start_s: float) -> None:
        whole = samples[: len(samples) // _WINDOW * _WINDOW].astype(np.float64)
        levels = np.sqrt(np.square(whole).reshape(-1, _WINDOW).mean(axis=1)) / RMS
        self._is_full: Sequence[bool] = (levels >= _FULL).tolist()
        self._start_s = start_s

    def duck_s(self, onset_s: float, until_s: float) -> float | None:
        """From the onset to the first moment below full level; None when there is none.

        None too when the agent was not at full level at the onset: what follows is no answer to it.
        """
        if not self._holds(onset_s - _RUN * _WINDOW_S, True):
            return None
        found = self._first(onset_s, until_s, False)
        return None if found is None else max(0.0, found - onset_s)

    def resume_s(self, end_s: float, until_s: float) -> float | None:
        """From the end of a sound to full level, 0 when it was there; None when it never was."""
        if self._holds(end_s, True):
            return 0.0
        found = self._first(end_s, until_s, True)
        return None if found is None else max(0.0, found - end_s)

    def _first(self, from_s: float, until_s: float, is_full: bool) -> float | None:
        last = min(self._at(until_s), len(self._is_full) - _RUN)
        for at in range(max(0, self._at(from_s)), last + 1):
            if all(self._is_full[at + n] is is_full for n in range(_RUN)):
                return self._start_s + at * _WINDOW_S
        return None

    def _holds(self, at_s: float, is_full: bool) -> bool:
        at = self._at(at_s)
        part = self._is_full[max(0, at) : at + _RUN]
        return len(part) == _RUN and any(each is is_full for each in part)

    def _at(self, at_s: float) -> int:
        return int((at_s - self._start_s) / _WINDOW_S)
