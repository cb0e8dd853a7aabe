"""From the telephone's 8,000 Hz to the 16,000 Hz of speech models: a half-band filter.

Every second output is an input as it was; those between are the sum of 24 inputs around them, a
Kaiser-windowed sinc (47 taps with the zeros between). It passes 3,400 Hz within 0.03 dB; the mirror
image is 69 dB down for all below 3,000 Hz, and 50 dB for 3,400 Hz, where telephone lines end.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_SIDE = 12
_AT_ONCE = 8_000  # samples: what is needed on the way stays small
_KAISER_BETA = 6.0


def _taps() -> npt.NDArray[np.float32]:
    offsets = np.arange(-_SIDE, _SIDE) + 0.5
    window = np.i0(_KAISER_BETA * np.sqrt(1.0 - (offsets / _SIDE) ** 2))
    taps = np.sinc(offsets) * window
    scaled: npt.NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return scaled


_TAPS = _taps()


def doubled(
    wave: npt.NDArray[np.float32], out: npt.NDArray[np.float32] | None = None
) -> npt.NDArray[np.float32]:
    """Twice as many samples a second: shape ``(n,)`` to ``(2 n,)``; silence is around it.

    Args:
        wave: Of any length.
        out: Where it is written; a new array without.
    """
    out = np.empty(2 * len(wave), np.float32) if out is None else out
    out[0::2] = wave
    for at in range(0, len(wave), _AT_ONCE):
        end = min(at + _AT_ONCE, len(wave))
        first, last = at - (_SIDE - 1), end + _SIDE
        around = wave[max(first, 0) : last]
        silence = (max(-first, 0), max(last - len(wave), 0))
        out[2 * at + 1 : 2 * end : 2] = np.convolve(np.pad(around, silence), _TAPS, mode="valid")
    return out
