"""How much of a segment's audio is sound and how much is pause, as it comes."""

from __future__ import annotations

import numpy as np

from voice.ducking import levels
from voice.ports import FRAME_S, FRAME_SAMPLES

_SOUND_DBFS = -48.0
_POWER = ((levels() / 32768.0) ** 2).astype(np.float32)
_SOUND_POWER = np.float32(10.0 ** (_SOUND_DBFS / 10.0))


class Sounding:
    """One bit for each 20 ms of a segment; 50 bytes a second."""

    __slots__ = ("_frames", "_rest")

    def __init__(self) -> None:
        self._frames = bytearray()
        self._rest = b""

    def receive(self, ulaw: bytes) -> None:
        """The next audio of the segment, any length."""
        ulaw = self._rest + ulaw
        whole = len(ulaw) // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = ulaw[whole:]
        if whole:
            codes = np.frombuffer(ulaw, np.uint8, whole).reshape(-1, FRAME_SAMPLES)
            self._frames += (_POWER[codes].mean(axis=1) > _SOUND_POWER).tobytes()

    @property
    def total_s(self) -> float:
        """Sound in all that came, seconds."""
        return self._frames.count(1) * FRAME_S

    def until_s(self, samples: int) -> float:
        """Sound in the first ``samples`` of it, seconds."""
        frames, rest = divmod(samples, FRAME_SAMPLES)
        part = rest / FRAME_SAMPLES if self._frames[frames : frames + 1] == b"\x01" else 0.0
        return (self._frames.count(1, 0, frames) + part) * FRAME_S
