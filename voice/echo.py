"""Is the caller's sound our own voice coming back from a loudspeaker?

There is no echo canceller on a telephone line. What we sent is known, so two envelopes in dB, one
value each 20 ms, are compared: what was heard of us and what the caller's side sends.

Rules:

1. For each lag of 40 to 440 ms the correlation of both envelopes is followed over what we said
   (not over our pauses: that somebody begins to speak when we do proves nothing), with a memory of
   some seconds. The best lag is *coherent* above ``_RATIO``, or above ``_EARLY_RATIO`` as long as
   little was compared.
2. A coherent lag predicts how loud the echo of a frame is. A frame at most ``_EXCESS_DB`` louder is
   explained by the echo; anything louder is the caller, even over an echo.
3. Frames that are much louder do not teach what the echo is like, for at most ``_DOUBLE_FRAMES``.

Nothing is muted here: whoever asks decides what an explained frame is worth.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from voice.ducking import levels
from voice.ports import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HZ

FLOOR_DB = -60.0
"""Anything softer counts as this."""

_SLOTS = 128
_FIRST_LAG, _LAGS = 2, 21
_ALL_LAGS = np.arange(_FIRST_LAG, _FIRST_LAG + _LAGS)
_FLOOR_LEVEL = np.float32(FLOOR_DB)
_LEARN_EVERY = 2  # frames: syllables are slower than that
_MEMORY = 0.986  # of a frame that was learnt: half of it is gone after 2 s
_SPEAKING_DB = -45.0
_FEWEST, _ENOUGH = 10.0, 25.0  # frames learnt: half a second of what we said, and a second and more
_EARLY_RATIO, _RATIO = 0.72, 0.6
_LEAST_VARIANCE = 6.0
_EXCESS_DB = 6.0
_DOUBLE_DB = 10.0
_DOUBLE_FRAMES = 50
_ORIGIN_DRIFT_S = 2e-5

_POWER = ((levels() / 32768.0) ** 2).astype(np.float32)
_SILENCE = b"\xff" * FRAME_SAMPLES
_SILENCE_POWER = np.float32(10.0 ** (FLOOR_DB / 10.0))


class SentLevels:
    """How loud what we sent is in each 20 ms of loop time; bounded."""

    __slots__ = ("_last", "_levels_db", "_slots")

    def __init__(self) -> None:
        self._levels_db = np.full(_SLOTS, FLOOR_DB, np.float32)
        self._slots = np.full(_SLOTS, -1, np.int64)
        self._last = -1

    def note(self, ulaw: bytes, start_s: float) -> None:
        """Mu-law that begins to be heard at ``start_s``; what is no whole frame comes first."""
        rest = -len(ulaw) % FRAME_SAMPLES
        codes = np.frombuffer(_SILENCE[:rest] + ulaw, np.uint8)
        power = _POWER[codes].reshape(-1, FRAME_SAMPLES).mean(axis=1)
        slots = _slot(start_s - rest / SAMPLE_RATE_HZ) + np.arange(len(power))
        self._levels_db[slots % _SLOTS] = 10.0 * np.log10(np.maximum(power, _SILENCE_POWER))
        self._slots[slots % _SLOTS] = slots
        self._last = int(slots[-1])

    def cut(self, now: float) -> None:
        """What would be heard after ``now`` is not."""
        self._slots[self._slots > _slot(now)] = -1

    def is_recent(self, at_s: float) -> bool:
        """True when an echo of what we sent may be heard at ``at_s``."""
        return _slot(at_s) <= self._last + _FIRST_LAG + _LAGS

    def before(self, at_s: float) -> npt.NDArray[np.float32]:
        """Levels 40, 60, ... 440 ms before ``at_s``, dBFS; shape (21,)."""
        wanted = _slot(at_s) - _ALL_LAGS
        at = wanted % _SLOTS
        return np.where(self._slots[at] == wanted, self._levels_db[at], _FLOOR_LEVEL)


def _slot(at_s: float) -> int:
    return int(at_s / FRAME_S + 0.5)


class EchoGate:
    """Tells one call's frames that our own voice explains from the caller's.

    Args:
        sent: What was heard of us.

    Attributes:
        is_coherent: True when the last speech was found in step with what was heard of us.
        coherent_at: Loop time at which that was so last; minus infinity if never.
    """

    __slots__ = (
        "_double",
        "_frames",
        "_new",
        "_origin_s",
        "_sent",
        "_sums",
        "coherent_at",
        "is_coherent",
    )

    def __init__(self, sent: SentLevels) -> None:
        self._sent = sent
        self._frames = 0
        self._origin_s: float | None = None
        # Of each lag: weight, x, xx, y, yy, xy; x is the caller's side, y is ours.
        self._sums = np.zeros((6, _LAGS))
        self._new = np.zeros((6, _LAGS))
        self._double = 0
        self.is_coherent = False
        self.coherent_at = float("-inf")

    def hear(self, level_db: float, *, is_speech: bool, now: float) -> bool:
        """Take one frame of the caller; True when it is speech that an echo explains.

        Args:
            level_db: Its level, dBFS.
            is_speech: Whether it was found to be speech.
            now: Loop time; frames may come in bursts, their true times are reckoned from it.
        """
        at_s = self._frame_time(now)
        learns = self._frames % _LEARN_EVERY == 0
        if not (learns or is_speech) or not self._sent.is_recent(at_s):
            return False
        ours = self._sent.before(at_s) - FLOOR_DB
        theirs = max(level_db - FLOOR_DB, 0.0)
        above_db = self._above_echo_db(theirs, ours, now) if is_speech else 0.0
        if is_speech and self.is_coherent and above_db > _DOUBLE_DB:
            self._double += 1
            learns = learns and self._double > _DOUBLE_FRAMES
        else:
            self._double = 0
        if learns:
            self._learn(theirs, ours)
        return is_speech and self.is_coherent and above_db <= _EXCESS_DB

    def _frame_time(self, now: float) -> float:
        """When the frame really came: the earliest arrivals set the clock of all."""
        self._frames += 1
        origin_s = now - self._frames * FRAME_S
        if self._origin_s is None or origin_s < self._origin_s:
            self._origin_s = origin_s
        else:
            self._origin_s = min(self._origin_s + _ORIGIN_DRIFT_S, origin_s)
            if origin_s - self._origin_s > 1.0:  # the line was dead in between
                self._origin_s = origin_s
        return self._origin_s + self._frames * FRAME_S

    def _learn(self, theirs: float, ours: npt.NDArray[np.float32]) -> None:
        new = self._new
        is_ours = ours > _SPEAKING_DB - FLOOR_DB
        new[0] = is_ours
        np.multiply(new[0], theirs, out=new[1])
        np.multiply(new[1], theirs, out=new[2])
        np.multiply(ours, is_ours, out=new[3])
        np.multiply(new[3], ours, out=new[4])
        np.multiply(new[3], theirs, out=new[5])
        self._sums *= _MEMORY
        self._sums += new

    def _above_echo_db(self, theirs: float, ours: npt.NDArray[np.float32], now: float) -> float:
        """How far the frame stands above the predicted echo; sets ``is_coherent``."""
        weight = np.maximum(self._sums[0], 1.0)
        mean_x, mean_xx, mean_y, mean_yy, mean_xy = self._sums[1:] / weight
        variance_x = mean_xx - mean_x * mean_x
        variance_y = np.maximum(mean_yy - mean_y * mean_y, _LEAST_VARIANCE)
        covariance = mean_xy - mean_x * mean_y
        is_known = (weight >= _FEWEST) & (variance_x >= _LEAST_VARIANCE)
        ratios = covariance / np.sqrt(np.maximum(variance_x, _LEAST_VARIANCE) * variance_y)
        ratios[~is_known] = 0.0
        best = int(ratios.argmax())
        needed = _EARLY_RATIO if weight[best] < _ENOUGH else _RATIO
        self.is_coherent = bool(ratios[best] >= needed)
        if not self.is_coherent:
            return 0.0
        self.coherent_at = now
        slope = covariance[best] / variance_y[best]
        predicted = mean_x[best] + slope * (ours[best] - mean_y[best])
        return float(theirs - predicted)
