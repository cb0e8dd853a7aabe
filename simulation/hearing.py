"""What a person on the phone would call "the agent is talking": decided by level, not by bytes.

Rules
- Audio is judged in windows of 10 ms. A window is loud when at least an eighth of its samples reach
  ``LOUD_AMPLITUDE`` (about -45 dBFS of speech): line noise and digital silence never do, soft
  consonants do.
- The agent starts to be heard at the first of two loud windows that lie within 60 ms: a click is
  no answer, leading silence in a reply is no answer.
- The agent has stopped when nothing was loud for ``stop_gap_s``; the time that counts is the end of
  the last loud window, not the moment of deciding. After the playout was cleared ``CLEARED_GAP_S``
  suffices, unless the agent is heard on: what was cleared may be sent again, softer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.playout_clock import BYTES_PER_S, Heard

WINDOW_BYTES = 80
WINDOW_S = WINDOW_BYTES / BYTES_PER_S
LOUD_AMPLITUDE = 256
_LOUD_SAMPLES = WINDOW_BYTES // 8
CLEARED_GAP_S = 0.1
_CONFIRM_S = 0.06
_SAME_RUN_S = 0.001


def _decode_table() -> NDArray[np.int16]:
    """The 256 linear values of mu-law (ITU-T G.711; all bits are inverted on the wire)."""
    codes = ~np.arange(256) & 0xFF
    magnitude = (((codes & 0x0F) << 3) + 0x84 << ((codes >> 4) & 7)) - 0x84
    return np.where(codes & 0x80, -magnitude, magnitude).astype(np.int16)


ULAW_TO_LINEAR = _decode_table()
# bytes.translate with these deleted leaves only loud samples: one C call a window.
_QUIET_CODES = bytes(np.flatnonzero(np.abs(ULAW_TO_LINEAR) < LOUD_AMPLITUDE).astype(np.uint8))


def decode_ulaw(audio: bytes) -> NDArray[np.int16]:
    """Linear samples of mu-law audio: int16, shape ``(len(audio),)``, 8 kHz mono."""
    return ULAW_TO_LINEAR[np.frombuffer(audio, np.uint8)]


def is_loud(window: bytes) -> bool:
    """True when a window of up to 10 ms of mu-law is loud enough to be noticed."""
    return len(window.translate(None, _QUIET_CODES)) >= _LOUD_SAMPLES


def speech_bounds_s(audio: bytes) -> tuple[float, float] | None:
    """First loud onset and last loud end in a clip, in seconds; None when nothing is loud."""
    ear = Ear(stop_gap_s=float("inf"))
    ear.listen(Heard(0.0, audio))
    if ear.onset_s is None:
        return None
    return ear.onset_s, ear.last_loud_s


@dataclass(frozen=True, slots=True)
class AgentStarted:
    """The agent became audible at ``at_s`` (loop time)."""

    at_s: float


@dataclass(frozen=True, slots=True)
class AgentStopped:
    """The agent fell silent: its last audible window ended at ``at_s`` (loop time)."""

    at_s: float


class Ear:
    """Turns heard audio into "started" and "stopped".

    Args:
        stop_gap_s: Silence that separates two stretches of agent speech.
    """

    def __init__(self, stop_gap_s: float = 0.3) -> None:
        self._stop_gap_s = stop_gap_s
        self._rest = b""
        self._rest_start_s = 0.0
        self._candidate_s: float | None = None
        self._cleared_s = float("-inf")
        self.onset_s: float | None = None
        self.last_loud_s = float("-inf")

    @property
    def speaking(self) -> bool:
        """True from an onset until the silence after it was long enough."""
        return self.onset_s is not None

    def listen(self, heard: Heard) -> list[AgentStarted | AgentStopped]:
        """Judge audio that has just been played; it must follow what came before in time."""
        events: list[AgentStarted | AgentStopped] = []
        audio, start_s = heard.audio, heard.start_s
        if self._rest:
            if abs(self._rest_start_s + len(self._rest) / BYTES_PER_S - start_s) < _SAME_RUN_S:
                audio, start_s = self._rest + audio, self._rest_start_s
            else:
                self._judge(self._rest, self._rest_start_s, events)
        whole = len(audio) - len(audio) % WINDOW_BYTES
        for offset in range(0, whole, WINDOW_BYTES):
            window = audio[offset : offset + WINDOW_BYTES]
            self._judge(window, start_s + offset / BYTES_PER_S, events)
        self._rest = audio[whole:]
        self._rest_start_s = start_s + whole / BYTES_PER_S
        return events

    def advance(self, *, now: float) -> list[AgentStarted | AgentStopped]:
        """Let time pass without audio: decides that the agent has stopped."""
        events: list[AgentStarted | AgentStopped] = []
        if self.onset_s is not None and now - self.last_loud_s >= self._gap_s:
            self._stop(events)
        return events

    def cleared(self, *, now: float) -> None:
        """What waited was taken back; perhaps it is sent again."""
        self._cleared_s = now

    @property
    def _gap_s(self) -> float:
        is_cut = self.last_loud_s <= self._cleared_s + CLEARED_GAP_S
        return CLEARED_GAP_S if is_cut else self._stop_gap_s

    def cut(self) -> list[AgentStarted | AgentStopped]:
        """Nothing more will be heard: the agent stopped at its last loud window."""
        events: list[AgentStarted | AgentStopped] = []
        if self.onset_s is not None:
            self._stop(events)
        return events

    def _judge(self, window: bytes, at_s: float, events: list[AgentStarted | AgentStopped]) -> None:
        if not is_loud(window):
            if self.onset_s is not None and at_s - self.last_loud_s >= self._gap_s:
                self._stop(events)
            return
        end_s = at_s + len(window) / BYTES_PER_S
        if self.onset_s is not None:
            if at_s - self.last_loud_s >= self._gap_s:
                self._stop(events)
            else:
                self.last_loud_s = end_s
                return
        if self._candidate_s is not None and at_s - self._candidate_s <= _CONFIRM_S:
            self.onset_s, self._candidate_s = self._candidate_s, None
            self.last_loud_s = end_s
            events.append(AgentStarted(self.onset_s))
        else:
            self._candidate_s = at_s

    def _stop(self, events: list[AgentStarted | AgentStopped]) -> None:
        events.append(AgentStopped(self.last_loud_s))
        self.onset_s = None
        self._candidate_s = None
