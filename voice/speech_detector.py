"""From scored frames to stretches of speech.

Rules:

1. QUIET -> STARTING at a speech frame; STARTING -> SPEAKING after ``start_frames`` speech frames;
   two frames without speech in a row lead back to QUIET (one missing frame is tolerated).
2. SPEAKING -> STOPPING at a frame without speech; back at the next speech frame, unless the pause
   is ``click_gap_frames`` old already: then two speech frames in a row are needed, so that a click
   does not prolong the utterance.
3. STOPPING -> QUIET after ``hangover_frames`` without speech. The end of speech is the end of the
   last speech frame, not the moment of the decision.

Time is media time, counted in frames of 20 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from voice.ports import FRAME_S


class SpeechState(Enum):
    """Where the detector is; see the rules on top of this file."""

    QUIET = "quiet"
    STARTING = "starting"
    SPEAKING = "speaking"
    STOPPING = "stopping"


class SpeechEdge(Enum):
    """What the last frame has shown."""

    STARTED = "started"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """Counts of 20 ms frames; see the rules on top of this file."""

    start_frames: int = 3
    hangover_frames: int = 8
    click_gap_frames: int = 3


class SpeechDetector:
    """Follows one call's frames; a few hundred nanoseconds a frame.

    Attributes:
        state: Where it is.
        frames: Frames seen so far.
        start_frame: Number of the first frame of the running or last stretch of speech.
        end_frame: Number of frames up to the end of the last confirmed speech frame.
    """

    __slots__ = ("_config", "_gap", "_run", "end_frame", "frames", "start_frame", "state")

    def __init__(self, config: DetectorConfig | None = None) -> None:
        self._config = config or DetectorConfig()
        self._gap = 0
        self._run = 0
        self.state = SpeechState.QUIET
        self.frames = 0
        self.start_frame = 0
        self.end_frame = 0

    @property
    def is_speaking(self) -> bool:
        """True while the last frames were confirmed speech."""
        return self.state is SpeechState.SPEAKING

    @property
    def start_s(self) -> float:
        """Media time at which the running or last stretch of speech began."""
        return self.start_frame * FRAME_S

    @property
    def end_s(self) -> float:
        """Media time at which the last confirmed speech ended (so far)."""
        return self.end_frame * FRAME_S

    @property
    def silence_s(self) -> float:
        """Media seconds since the last confirmed speech frame."""
        return (self.frames - self.end_frame) * FRAME_S

    def receive(self, is_speech: bool) -> SpeechEdge | None:
        """Count one frame; returns an edge when speech was found to have begun or ended."""
        self.frames += 1
        state = self.state
        if state is SpeechState.QUIET:
            if is_speech:
                self.state = SpeechState.STARTING
                self._run, self._gap = 1, 0
            return None
        if state is SpeechState.STARTING:
            return self._starting(is_speech)
        return self._running(is_speech)

    def _starting(self, is_speech: bool) -> SpeechEdge | None:
        if not is_speech:
            self._gap += 1
            if self._gap >= 2:
                self.state = SpeechState.QUIET
            return None
        self._run += 1
        if self._run < self._config.start_frames:
            return None
        self.state = SpeechState.SPEAKING
        self.start_frame = self.frames - self._run - self._gap
        self.end_frame = self.frames
        self._gap = 0
        return SpeechEdge.STARTED

    def _running(self, is_speech: bool) -> SpeechEdge | None:
        if not is_speech:
            self._run = 0
            self._gap += 1
            self.state = SpeechState.STOPPING
            if self._gap < self._config.hangover_frames:
                return None
            self.state = SpeechState.QUIET
            return SpeechEdge.ENDED
        self._run += 1
        if self._gap >= self._config.click_gap_frames and self._run < 2:
            self._gap += 1
            return None
        self._gap = 0
        self.state = SpeechState.SPEAKING
        self.end_frame = self.frames
        return None
