"""Whisper's log-mel spectrogram of the last 8 s of a call, with numpy alone.

By the definition of Radford et al. (2022), section 2.2, and the mel scale of Slaney's Auditory
Toolbox (1998), as the encoder was trained with them: 16 kHz, windows of 25 ms (Hann, periodic)
every 10 ms, centred and mirrored at the edges, 80 triangles of equal area from 0 to 8 kHz; base-10
logarithm of the power, at most 8 (80 dB) under its maximum, shifted and scaled to about -1 to 1.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

RATE_HZ: Final = 16_000
SAMPLES: Final = 8 * RATE_HZ
MELS: Final = 80
FRAMES: Final = 800

_WINDOW = 400
_HOP = 160
_BINS = _WINDOW // 2 + 1
_LEAST_POWER = 1e-10
_RANGE = 8.0
_AT_ONCE = 20  # windows: all 800 would take 9 MB for a moment
_EPSILON = 1e-7

Floats = npt.NDArray[np.float32]


def _hz_of_mel(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Slaney's scale: even up to 1,000 Hz (15 mel), from there 27 steps for a factor of 6.4."""
    even = mel * (200.0 / 3.0)
    return np.where(mel < 15.0, even, 1_000.0 * 6.4 ** ((mel - 15.0) / 27.0))


def _triangles() -> npt.NDArray[np.float32]:
    """How much of each frequency each mel band takes: shape (80, 201)."""
    highest_mel = 15.0 + 27.0 * np.log(RATE_HZ / 2 / 1_000.0) / np.log(6.4)
    corners_hz = _hz_of_mel(np.linspace(0.0, highest_mel, MELS + 2))
    low, peak, high = (corners_hz[at : at + MELS, None] for at in range(3))
    hz = np.linspace(0.0, RATE_HZ / 2, _BINS)[None, :]
    shape = np.minimum((hz - low) / (peak - low), (high - hz) / (high - peak))
    return (np.maximum(shape, 0.0) * 2.0 / (high - low)).astype(np.float32)


_TRIANGLES = _triangles()
_HANN = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32)


class LogMel:
    """Makes spectrograms, one after another, in memory of its own.

    What is computed on the way takes 2 MB. Taken anew for each spectrogram it lay now here and now
    there between what calls hold, and the heap of a process grew by as much from time to time. So
    it is taken once. For one thread at a time.
    """

    def __init__(self) -> None:
        self._mirrored = np.empty(SAMPLES + _WINDOW, np.float32)
        self._cuts = np.lib.stride_tricks.sliding_window_view(self._mirrored, _WINDOW)
        self._windows = np.empty((_AT_ONCE, _WINDOW), np.float32)
        self._power = np.empty((FRAMES, _BINS), np.float32)
        self._levels = np.empty((MELS, FRAMES), np.float32)

    def of(self, wave: Floats) -> Floats:
        """The spectrogram of 8 s.

        Args:
            wave: float32, shape ``(128000,)``, any level: it is brought to mean 0, variance 1.

        Returns:
            float32, shape ``(80, 800)``; the next spectrogram overwrites it.

        Raises:
            ValueError: Another length.
        """
        if wave.shape != (SAMPLES,):
            raise ValueError(f"a spectrogram is of {SAMPLES} samples, not {wave.shape}")
        self._even_out(wave)
        power, levels = self._power, self._levels
        for at in range(0, FRAMES, _AT_ONCE):
            cuts = self._cuts[at * _HOP : (at + _AT_ONCE) * _HOP : _HOP]
            spectrum = np.fft.rfft(np.multiply(cuts, _HANN, out=self._windows), axis=1)
            power[at : at + _AT_ONCE] = spectrum.real**2 + spectrum.imag**2
        np.matmul(_TRIANGLES, power.T, out=levels)
        np.log10(np.maximum(levels, _LEAST_POWER, out=levels), out=levels)
        np.maximum(levels, levels.max() - _RANGE, out=levels)
        levels += 4.0
        levels /= 4.0
        return levels

    def _even_out(self, wave: Floats) -> None:
        """Mean 0 and variance 1, half a window of it mirrored at each edge."""
        side = _WINDOW // 2
        even = self._mirrored[side:-side]
        np.subtract(wave, wave.mean(), out=even)
        squares = self._power.reshape(-1)[:SAMPLES]  # not needed yet
        variance = np.multiply(even, even, out=squares).mean()
        even /= np.sqrt(variance + _EPSILON)
        self._mirrored[:side] = even[side:0:-1]
        self._mirrored[-side:] = even[-2 : -side - 2 : -1]
