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
# Windows that are transformed at once. All 800 would take 9 MB for a moment, which the allocator
# gives back or does not: a process with calls seemed larger by as much whenever one was judged.
_AT_ONCE = 50
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


def log_mel(wave: Floats) -> Floats:
    """The spectrogram of 8 s.

    Args:
        wave: float32, shape ``(128000,)``, any level: it is brought to mean 0, variance 1.

    Returns:
        float32, shape ``(80, 800)``.

    Raises:
        ValueError: Another length.
    """
    if wave.shape != (SAMPLES,):
        raise ValueError(f"log_mel takes {SAMPLES} samples, not {wave.shape}")
    even = (wave - wave.mean()) / np.sqrt(wave.var() + _EPSILON)
    mirrored = np.pad(even, _WINDOW // 2, mode="reflect")
    cuts = np.lib.stride_tricks.sliding_window_view(mirrored, _WINDOW)[: FRAMES * _HOP : _HOP]
    power = np.empty((FRAMES, _BINS), np.float32)
    for at in range(0, FRAMES, _AT_ONCE):
        spectrum = np.fft.rfft(cuts[at : at + _AT_ONCE] * _HANN, axis=1)
        power[at : at + _AT_ONCE] = spectrum.real**2 + spectrum.imag**2
    levels = np.log10(np.maximum(_TRIANGLES @ power.T, _LEAST_POWER))
    levels = np.maximum(levels, levels.max() - _RANGE)
    scaled: Floats = ((levels + 4.0) / 4.0).astype(np.float32)
    return scaled
