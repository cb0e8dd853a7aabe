"""Is the caller stopping the agent?

Speech during playout is added up within a sliding window, so that a cough or a click is not enough
and a stammer is. What is decided here is only "how much"; what follows (stop, or the caller had not
finished) is the session's.
"""

from __future__ import annotations

from voice.ports import FRAME_S


class BargeIn:
    """Adds up the caller's speech within the last ``window_s`` seconds."""

    __slots__ = ("_bits", "_mask")

    def __init__(self, window_s: float) -> None:
        self._mask = (1 << max(round(window_s / FRAME_S), 1)) - 1
        self._bits = 0

    @property
    def speech_s(self) -> float:
        """Speech within the window."""
        return self._bits.bit_count() * FRAME_S

    def receive(self, is_speech: bool) -> None:
        """Count one frame."""
        self._bits = ((self._bits << 1) | is_speech) & self._mask

    def reset(self) -> None:
        """Forget what was counted: the agent begins to speak or was stopped."""
        self._bits = 0
