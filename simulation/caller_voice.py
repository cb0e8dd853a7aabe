"""The mouth of a simulated caller: which 20 ms frame is due now."""

from __future__ import annotations

import base64

from simulation.caller_script import PreparedClip
from simulation.carrier_ticker import FRAME_S
from simulation.recording import Recording


class Mouth:
    """Speaks clips bit for bit, and carries the line's quiet noise between them.

    Args:
        noise: Frames sent between clips, base64, used in turn. None at all: the far side
            suppresses silence, and there are gaps without packets.
        recording: What is sent is recorded there, if given.
    """

    def __init__(self, noise: tuple[str, ...], recording: Recording | None = None) -> None:
        self._noise = noise
        self._recording = recording
        self._clip: PreparedClip | None = None
        self._clip_due_s = 0.0
        self._frames = 0

    def speak(self, clip: PreparedClip, due_s: float) -> None:
        """The first frame of ``clip`` is the one due at ``due_s``."""
        self._clip, self._clip_due_s = clip, due_s

    def frame(self, due_s: float) -> str | None:
        """The frame due at ``due_s``, base64; None when no packet is sent.

        By time and not by count: what was said into a dead line is not said again.
        """
        payload = self._spoken(due_s)
        if not payload:
            if not self._noise:
                return None
            payload = self._noise[self._frames % len(self._noise)]
        self._frames += 1
        if self._recording is not None:
            # The frame leaves when its last sample has been spoken.
            self._recording.add_caller(due_s - FRAME_S, base64.b64decode(payload))
        return payload

    def _spoken(self, due_s: float) -> str:
        if self._clip is None:
            return ""
        index = round((due_s - self._clip_due_s) / FRAME_S)
        if index < len(self._clip.payloads):
            return self._clip.payloads[index]
        self._clip = None
        return ""
