"""How long the caller has been silent, in media time.

Rules:

1. Silence counts from the end of the last confirmed speech frame, in frames.
2. When no frame has come for ``stall_s``, loop time stands in for the frames.
3. Words that the detector has no speech for count as speech at their arrival (``missed``).
"""

from __future__ import annotations

from voice.ports import FRAME_S
from voice.speech_detector import SpeechDetector, SpeechState

_ROUNDING_S = 1e-6


class Silence:
    """The caller's silence in one call.

    Args:
        stall_s: Without frames for so long, loop time counts.

    Attributes:
        detector: The stretches of speech.
        frame_at: Loop time of the last frame; None before the first.
        speech_at: Loop time of the last confirmed speech frame; None before the first.
        missed_at: Loop time of words that came without speech; None when there are none.
    """

    __slots__ = ("_stall_s", "detector", "frame_at", "missed_at", "speech_at")

    def __init__(self, stall_s: float) -> None:
        self._stall_s = stall_s
        self.detector = SpeechDetector()
        self.frame_at: float | None = None
        self.speech_at: float | None = None
        self.missed_at: float | None = None

    def media_s(self, now: float) -> float:
        """Media time, as far as it is known."""
        return self.detector.frames * FRAME_S + self._stalled_s(now)

    def acoustic_s(self, now: float) -> float:
        """Silence by the frames alone; infinite before any speech."""
        if self.speech_at is None:
            return float("inf")
        return self.detector.silence_s + self._stalled_s(now)

    def length_s(self, now: float) -> float:
        """Silence by all that is known; rounded up a little, so that it can be compared."""
        silence_s = self.acoustic_s(now)
        if self.missed_at is not None:
            silence_s = min(silence_s, now - self.missed_at)
        return silence_s + _ROUNDING_S

    def is_broken(self, now: float) -> bool:
        """True while the caller speaks, or may have begun to."""
        state = self.detector.state
        is_on = state is SpeechState.SPEAKING or state is SpeechState.STARTING
        return is_on and self._stalled_s(now) == 0.0

    def began_at(self, now: float) -> float:
        """Loop time of the last speech, or of the words where no speech was noticed."""
        if self.missed_at is not None:
            return self.missed_at
        return self.speech_at if self.speech_at is not None else now

    def stalls_at(self, otherwise: float | None) -> float | None:
        """Loop time from which on the frames are missed; counted from ``otherwise`` at first."""
        last_at = self.frame_at if self.frame_at is not None else otherwise
        return None if last_at is None else last_at + self._stall_s

    def _stalled_s(self, now: float) -> float:
        if self.frame_at is None:
            return 0.0
        gap_s = now - self.frame_at
        return gap_s if gap_s >= self._stall_s - _ROUNDING_S else 0.0
