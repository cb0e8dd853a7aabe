"""How loud our own voice is: turned down, up and off without leaving mu-law.

Each gain is a table of 256 bytes, so a frame costs one ``bytes.translate``. Gains lie on steps of
``STEP_DB``; a change is a ramp in decibels of ``_PIECE_SAMPLES`` a step, short enough to be smooth.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from voice.ports import SAMPLE_RATE_HZ

STEP_DB = 1.5
SILENT_DB = -60.0
"""From here on down everything is silence."""

_ULAW_SILENCE = 0xFF
_PIECE_SAMPLES = 8


def levels() -> npt.NDArray[np.int32]:
    """Linear value of each of the 256 codes of mu-law (ITU-T G.711), +-32,124."""
    codes = ~np.arange(256) & 0xFF
    magnitude = ((((codes & 0x0F) << 3) + 0x84) << ((codes >> 4) & 7)) - 0x84
    return np.where(codes & 0x80, -magnitude, magnitude).astype(np.int32)


def at_gain(ulaw: bytes, gain_db: float) -> bytes:
    """The same audio at another level, rounded to ``STEP_DB``; at most 0 dB.

    Args:
        ulaw: Any length.
        gain_db: 0 changes nothing, ``SILENT_DB`` and below is silence.
    """
    steps = round(-gain_db / STEP_DB)
    return ulaw if steps <= 0 else ulaw.translate(_table(steps))


@lru_cache(maxsize=64)
def _table(steps: int) -> bytes:
    """Every code ``steps`` steps down, rounded to the nearest code."""
    if steps * STEP_DB >= -SILENT_DB:
        return bytes((_ULAW_SILENCE,)) * 256
    linear = levels()
    order = np.argsort(linear, kind="stable")
    ranked = linear[order]
    wanted = linear * 10.0 ** (-steps * STEP_DB / 20.0)
    above = np.clip(np.searchsorted(ranked, wanted), 1, len(ranked) - 1)
    is_lower = wanted - ranked[above - 1] <= ranked[above] - wanted
    codes = order[np.where(is_lower, above - 1, above)].astype(np.uint8)
    codes[np.abs(linear[codes]) == 0] = _ULAW_SILENCE  # one zero only
    return bytes(codes)


class Gain:
    """The level of one voice over time; the clock is the audio that passes through.

    Attributes:
        target_db: Where it is going, or is.
    """

    __slots__ = ("_db", "_step_db", "target_db")

    def __init__(self) -> None:
        self._db = 0.0
        self._step_db = 0.0
        self.target_db = 0.0

    @property
    def now_db(self) -> float:
        """The level of the next sample."""
        return self._db

    def jump(self, gain_db: float) -> None:
        """Go there at once, for what begins anew."""
        self._db = self.target_db = gain_db

    def ramp(self, gain_db: float, ramp_s: float) -> None:
        """Go there evenly within ``ramp_s`` of audio."""
        pieces = ramp_s * SAMPLE_RATE_HZ / _PIECE_SAMPLES
        if pieces < 1.0:
            self.jump(gain_db)
            return
        self.target_db = gain_db
        self._step_db = abs(gain_db - self._db) / pieces

    def apply(self, ulaw: bytes) -> bytes:
        """The next piece of audio at its level; as many bytes."""
        if self._db == self.target_db:
            return at_gain(ulaw, self._db)
        parts = []
        at = 0
        while at < len(ulaw) and self._db != self.target_db:
            if self._db < self.target_db:
                self._db = min(self._db + self._step_db, self.target_db)
            else:
                self._db = max(self._db - self._step_db, self.target_db)
            parts.append(at_gain(ulaw[at : at + _PIECE_SAMPLES], self._db))
            at += _PIECE_SAMPLES
        if at < len(ulaw):
            parts.append(at_gain(ulaw[at:], self._db))
        return b"".join(parts)
