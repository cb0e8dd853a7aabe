"""Sample-rate conversion by a polyphase low-pass filter, the same bytes on every machine.

The filter is a Kaiser-windowed sinc with integer coefficients. Samples and coefficients are whole
numbers below 2**16, so every sum stays far below 2**53 and the double-precision matrix product is
exact in whatever order a processor adds: caller and recogniser derive identical mu-law.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

_SCALE_BITS = 15
_SIDE_PERIODS = 24  # filter length on each side, in periods of the lower rate
_KAISER_BETA = 7.0  # about 70 dB below in the stop band
_CUTOFF_RATIO = 0.455  # of the lower rate: 3,640 Hz for 8 kHz, stopped at 4,000 Hz
_LEAST_BLOCK_OUTPUTS = 32


@lru_cache(maxsize=8)
def _filter_block(up: int, down: int) -> tuple[npt.NDArray[np.float64], int, int, int]:
    """The filter as one matrix for a block of outputs.

    Returns:
        ``matrix`` of shape ``(span, outputs)``, the inputs a block advances by, the outputs of a
        block, and the inputs that lie before a block's first one.
    """
    repeats = max(1, -(-_LEAST_BLOCK_OUTPUTS // up))
    outputs, advance = up * repeats, down * repeats
    side = math.ceil(_SIDE_PERIODS * max(1.0, down / up))
    span = advance + 2 * side
    # Position of each input against each output, in input samples.
    offsets = (np.arange(span) - side)[:, None] - (np.arange(outputs) * down / up)[None, :]
    cutoff = 2 * _CUTOFF_RATIO * min(1.0, up / down)
    inside = np.clip(1.0 - (offsets / side) ** 2, 0.0, None)
    window = np.i0(_KAISER_BETA * np.sqrt(inside)) / np.i0(np.array(_KAISER_BETA))
    taps = cutoff * np.sinc(cutoff * offsets) * window * (np.abs(offsets) <= side)
    matrix = np.rint(taps * (1 << _SCALE_BITS)).astype(np.float64)
    return matrix, advance, outputs, side


def resample(samples: npt.NDArray[np.int16], from_hz: int, to_hz: int) -> npt.NDArray[np.int16]:
    """Convert ``samples`` (shape ``(n,)``) from ``from_hz`` to ``to_hz``.

    Returns:
        ``ceil(n * to_hz / from_hz)`` samples, without delay, clipped to 16 bits.

    Raises:
        ValueError: A rate is not positive.
    """
    if from_hz <= 0 or to_hz <= 0:
        raise ValueError(f"sample rates must be positive, got {from_hz} and {to_hz}")
    if from_hz == to_hz or len(samples) == 0:
        return samples.astype(np.int16, copy=True)
    divisor = math.gcd(from_hz, to_hz)
    up, down = to_hz // divisor, from_hz // divisor
    matrix, advance, outputs, side = _filter_block(up, down)
    wanted = -(-len(samples) * up // down)
    blocks = -(-wanted // outputs)
    padded = np.zeros(blocks * advance + 2 * side, dtype=np.float64)
    kept = min(len(samples), len(padded) - side)
    padded[side : side + kept] = samples[:kept]
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(matrix))[::advance]
    sums = (windows[:blocks] @ matrix).reshape(-1)[:wanted].astype(np.int64)
    rounded = (sums + (1 << (_SCALE_BITS - 1))) >> _SCALE_BITS
    clipped: npt.NDArray[np.int16] = np.clip(rounded, -32_768, 32_767).astype(np.int16)
    return clipped
