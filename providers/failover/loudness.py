"""Two voices in one sentence, equally loud."""

from __future__ import annotations

import functools

import numpy as np

from providers.telephone_audio import decode_ulaw, encode_ulaw

MOST_DB = 9.0
_LEAST_LEVEL_DB = -45.0  # below this it is no voice
_FRAME = 160


class Loudness:
    """How loud the voiced parts of what was spoken are.

    Attributes:
        level_db: RMS over voiced frames in dBFS; None before there are any.
    """

    def __init__(self) -> None:
        self._power = 0.0
        self._frames = 0

    @property
    def level_db(self) -> float | None:
        """See the class."""
        if self._frames == 0:
            return None
        return 10.0 * float(np.log10(self._power / self._frames))

    def hear(self, ulaw: bytes) -> None:
        """Take mu-law audio into account; parts of frames are left out."""
        whole = len(ulaw) // _FRAME * _FRAME
        if not whole:
            return
        frames = decode_ulaw(ulaw[:whole]).reshape(-1, _FRAME).astype(np.float64) / 32_768
        powers = (frames**2).mean(axis=1)
        voiced = powers[powers > 10 ** (_LEAST_LEVEL_DB / 10)]
        self._power += float(voiced.sum())
        self._frames += len(voiced)


def gain_db(before: Loudness, after: Loudness) -> float:
    """What makes ``after`` as loud as ``before``, within ``MOST_DB``; 0 while unknown."""
    if before.level_db is None or after.level_db is None:
        return 0.0
    return min(max(before.level_db - after.level_db, -MOST_DB), MOST_DB)


def amplified(ulaw: bytes, by_db: float) -> bytes:
    """Mu-law made louder or softer, in whole decibels."""
    steps = round(by_db)
    return ulaw.translate(_table(steps)) if steps else ulaw


@functools.cache
def _table(by_db: int) -> bytes:
    pcm = decode_ulaw(bytes(range(256))).astype(np.float64) * 10 ** (by_db / 20)
    return encode_ulaw(np.clip(np.round(pcm), -32_768, 32_767).astype(np.int16))
