"""From frames of 20 ms to windows of 32 ms: when each call's next window is due, and its state.

A call is *watched* while its gate is open. When it opens, the window that ends with the newest
sample is due at once, and the ``LEAD_IN_WINDOWS`` before it, from which the state learns how the
line sounds now; from then on one is due every 256 samples. While the gate is closed nothing is
computed, and the state waits.

The network goes deaf when it is given long silence, noise or music, most at 8 kHz: with 6 s of
soft music between utterances it missed one in ten. So its state is cleared after ``FRESH_S`` of
watching, as soon as ``CALM_WINDOWS`` in a row were clearly no speech; never in the middle of words.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from providers.local.silero import (
    CONTEXT_SAMPLES,
    STATE_LAYERS,
    STATE_SIZE,
    WINDOW_SAMPLES,
    Floats,
)
from voice.levels import Frames, Slots
from voice.ports import FRAME_SAMPLES, SAMPLE_RATE_HZ

LEAD_IN_WINDOWS: Final = 1
FRESH_S: Final = 2.0
CALM_WINDOWS: Final = 5
CALM_PROBABILITY: Final = 0.1

_RING_FRAMES = 8  # 1,280 samples: the window, the one before, what comes before both
_RING_SAMPLES = _RING_FRAMES * FRAME_SAMPLES
_FRESH_WINDOWS = round(FRESH_S * SAMPLE_RATE_HZ / WINDOW_SAMPLES)
_SPAN = np.arange(-CONTEXT_SAMPLES - WINDOW_SAMPLES, 0)
_TO_UNITS = np.float32(1.0 / 32_768.0)


class SpeechNetwork(Protocol):
    """``silero.SileroVad``."""

    def probabilities(self, windows: Floats, states: Floats) -> tuple[Floats, Floats]:
        """Windows ``(n, 288)`` and states ``(2, n, 128)``: probabilities ``(n,)``, new states."""


class SpeechWindows:
    """What the network has seen and said of each slot.

    Args:
        network: The network.
        capacity: Slots to begin with. A slot takes 3.6 kB.

    Attributes:
        windows: How many the network was given so far.
    """

    def __init__(self, network: SpeechNetwork, capacity: int) -> None:
        self._network = network
        self.windows = 0
        self._ring = np.zeros((capacity, _RING_FRAMES, FRAME_SAMPLES), np.int16)
        self._heard = np.zeros(capacity, np.int64)  # frames
        self._due = np.zeros(capacity, np.int64)  # the sample with which the next window ends
        self._states = np.zeros((STATE_LAYERS, capacity, STATE_SIZE), np.float32)
        self._probability = np.zeros(capacity, np.float32)
        self._since_fresh = np.zeros(capacity, np.int32)
        self._calm = np.zeros(capacity, np.int32)

    def reset(self, slot: int) -> None:
        """A new call sits in ``slot``."""
        for memory in (self._ring, self._heard, self._due, self._probability):
            memory[slot] = 0
        self._clear(np.array([slot]))

    def hear(self, frames: Frames, slots: Slots) -> None:
        """Keep one frame of each of ``n`` calls: int16 ``(n, 160)``, slots ``(n,)``, none twice."""
        heard = self._heard[slots]
        self._ring[slots, heard % _RING_FRAMES] = frames
        self._heard[slots] = heard + 1

    def open(self, slots: Slots) -> None:
        """Watch these from the frame on that was heard last."""
        self._due[slots] = self._heard[slots] * FRAME_SAMPLES - LEAD_IN_WINDOWS * WINDOW_SAMPLES

    def close(self, slots: Slots) -> None:
        """Watch these no more."""
        self._probability[slots] = 0.0

    def hears(self, slots: Slots) -> npt.NDArray[np.bool_]:
        """Whether the newest window of each was more than clearly no speech."""
        hears: npt.NDArray[np.bool_] = self._probability[slots] > CALM_PROBABILITY
        return hears

    def watch(self, slots: Slots) -> Floats:
        """Run what is due of these open slots; the newest probability of speech, ``(n,)``."""
        due = self._due[slots]
        newest = self._heard[slots] * FRAME_SAMPLES
        while (is_due := due <= newest).any():
            self._run(slots[is_due], due[is_due])
            due += WINDOW_SAMPLES * is_due
        self._due[slots] = due
        probability: Floats = self._probability[slots]
        return probability

    def grow_to(self, size: int) -> None:
        """Make room for ``size`` slots."""
        more = size - len(self._heard)
        self._ring = np.concatenate([self._ring, np.zeros((more, *self._ring.shape[1:]), np.int16)])
        self._heard = np.concatenate([self._heard, np.zeros(more, np.int64)])
        self._due = np.concatenate([self._due, np.zeros(more, np.int64)])
        fresh = np.zeros((STATE_LAYERS, more, STATE_SIZE), np.float32)
        self._states = np.concatenate([self._states, fresh], axis=1)
        self._probability = np.concatenate([self._probability, np.zeros(more, np.float32)])
        self._since_fresh = np.concatenate([self._since_fresh, np.zeros(more, np.int32)])
        self._calm = np.concatenate([self._calm, np.zeros(more, np.int32)])

    def _run(self, slots: Slots, ends: npt.NDArray[np.int64]) -> None:
        at = (ends[:, None] + _SPAN) % _RING_SAMPLES
        windows = self._ring.reshape(-1, _RING_SAMPLES)[slots[:, None], at] * _TO_UNITS
        found, states = self._network.probabilities(windows, self._states[:, slots])
        self._states[:, slots] = states
        self._probability[slots] = found
        self.windows += len(slots)
        self._freshen(slots, found)

    def _freshen(self, slots: Slots, found: Floats) -> None:
        calm = (self._calm[slots] + 1) * (found < CALM_PROBABILITY)
        self._calm[slots] = calm
        since = self._since_fresh[slots] + 1
        self._since_fresh[slots] = since
        is_due = (since >= _FRESH_WINDOWS) & (calm >= CALM_WINDOWS)
        if is_due.any():
            self._clear(slots[is_due])

    def _clear(self, slots: Slots) -> None:
        self._states[:, slots] = 0.0
        self._since_fresh[slots] = 0
        self._calm[slots] = 0
