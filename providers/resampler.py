"""From a provider's sample rate to the telephone's 8,000 Hz, as the audio arrives.

A polyphase low-pass filter: one row of taps for each position an output can have between two
inputs. It is a Kaiser-windowed sinc of 3 ms on each side, so an output waits for 3 ms of input and
no more; it passes up to 3,300 Hz and lets nothing above 4,000 Hz through that would fold back.

Taps are whole numbers: every sum is exact in double precision in whatever order it is added, so the
same audio gives the same samples on every machine and however it was cut into chunks.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from voice.ports import SAMPLE_RATE_HZ

Samples = npt.NDArray[np.int16]

DELAY_S = 0.003
"""How much input an output sample waits for beyond its own instant."""

_MOST_HZ = 48_000
_KAISER_BETA = 6.3  # 66 dB down in the stop band, 680 Hz from pass to stop with 3 ms a side
_CUTOFF_HZ = 3_655.0
_SCALE_BITS = 18


@lru_cache(maxsize=8)
def _filter_rows(rate_hz: int) -> tuple[npt.NDArray[np.float64], int, int, int]:
    """The filter of one input rate.

    Returns:
        ``rows`` of shape ``(up, taps)``; ``up`` and ``down``, by which the rates relate (output
        ``n`` stands at input ``n * down / up``); and the taps on each side of that.
    """
    divisor = math.gcd(rate_hz, SAMPLE_RATE_HZ)
    up, down = SAMPLE_RATE_HZ // divisor, rate_hz // divisor
    side = math.floor(DELAY_S * rate_hz)
    # Row r serves outputs that stand r / up after an input: taps from `side - 1` before that input
    # to `side` after it.
    offsets = np.arange(1 - side, side + 1)[None, :] - np.arange(up)[:, None] / up
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1.0 - (offsets / side) ** 2, 0.0, None)))
    rows = np.sinc(2 * _CUTOFF_HZ / rate_hz * offsets) * window
    rows = np.rint(rows * (1 << _SCALE_BITS) / rows.sum(axis=1, keepdims=True))
    # Rounding must not move the level: the largest tap takes what is missing.
    largest = np.abs(rows).argmax(axis=1)
    rows[np.arange(up), largest] += (1 << _SCALE_BITS) - rows.sum(axis=1)
    return rows, up, down, side


class Resampler:
    """Converts one stream to 8,000 Hz; keeps what the next chunk needs.

    Args:
        rate_hz: Of the input, 8,000 (passed through) to 48,000.

    Raises:
        ValueError: Another rate.
    """

    def __init__(self, rate_hz: int) -> None:
        if not SAMPLE_RATE_HZ <= rate_hz <= _MOST_HZ:
            raise ValueError(f"rate_hz is {SAMPLE_RATE_HZ} to {_MOST_HZ}, not {rate_hz}")
        self._same = rate_hz == SAMPLE_RATE_HZ
        self._rows, self._up, self._down, self._side = _filter_rows(rate_hz)
        # Inputs from `_begin` on, counted from the first sample; those before it were silence.
        self._begin = 1 - self._side
        self._kept = np.zeros(self._side - 1, dtype=np.int16)
        self._received = 0
        self._made = 0

    def push(self, samples: Samples) -> Samples:
        """Take input, shape ``(n,)``; returns the outputs that need no more than was given."""
        if self._same:
            return samples
        self._received += len(samples)
        kept = np.concatenate((self._kept, samples))
        # Output n stands after input n * down // up and needs `side` inputs beyond that one.
        ready = -(-(self._received - self._side) * self._up // self._down)
        return self._convert(kept, max(ready, self._made))

    def finish(self) -> Samples:
        """The last outputs; the input is taken to be silent from here on.

        Altogether ``ceil(n * 8,000 / rate_hz)`` samples came out for ``n`` that went in.
        """
        if self._same:
            return np.zeros(0, dtype=np.int16)
        kept = np.concatenate((self._kept, np.zeros(self._side, dtype=np.int16)))
        return self._convert(kept, -(-self._received * self._up // self._down))

    def _convert(self, kept: Samples, until: int) -> Samples:
        """Make outputs ``_made`` to ``until`` from the inputs ``kept``; drop what is used up."""
        up, down, side = self._up, self._down, self._side
        if until == self._made:
            self._kept = kept
            return np.zeros(0, dtype=np.int16)
        numbers = np.arange(self._made, until)
        firsts = numbers * down // up + 1 - side - self._begin
        windows = np.lib.stride_tricks.sliding_window_view(kept, 2 * side)[firsts]
        if up == 1:
            sums = windows @ self._rows[0]
        else:
            sums = np.einsum("ij,ij->i", windows, self._rows[numbers * down % up])
        rounded = np.floor(sums / (1 << _SCALE_BITS) + 0.5)
        clipped: Samples = np.clip(rounded, -32_768, 32_767).astype(np.int16)
        self._made = until
        used = min(until * down // up + 1 - side - self._begin, len(kept))
        self._kept, self._begin = kept[used:].copy(), self._begin + used
        return clipped
