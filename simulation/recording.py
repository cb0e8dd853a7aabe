"""A call as a stereo sound file: left what the caller said, right what the caller heard."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from simulation.hearing import decode_ulaw

SAMPLE_RATE_HZ = 8_000
# Shorter gaps are the rounding of two clocks.
SHORTEST_GAP_S = 0.001


class Recording:
    """Gathers both channels by loop time and lays them on one clock.

    Sample 0 is the earliest audio of either channel. Where nothing was said or played there is
    silence; audio placed over other audio of its channel replaces it.
    """

    def __init__(self) -> None:
        self._caller: list[tuple[float, bytes]] = []
        self._agent: list[tuple[float, bytes]] = []

    @property
    def start_s(self) -> float:
        """Loop time of sample 0; 0.0 when nothing was recorded."""
        firsts = [track[0][0] for track in (self._caller, self._agent) if track]
        return min(firsts, default=0.0)

    def add_caller(self, at_s: float, ulaw: bytes) -> None:
        """The caller said this; ``at_s`` is the loop time of its first sample."""
        self._caller.append((at_s, ulaw))

    def add_agent(self, at_s: float, ulaw: bytes) -> None:
        """The caller heard this; ``at_s`` is the loop time of its first sample."""
        self._agent.append((at_s, ulaw))

    def agent_runs(self) -> list[tuple[float, float]]:
        """Stretches of what the caller heard without a gap: loop times of start and end.

        A stretch begins when its first audio arrived, unless something was still playing.
        """
        runs: list[tuple[float, float]] = []
        for at_s, ulaw in self._agent:
            end_s = at_s + len(ulaw) / SAMPLE_RATE_HZ
            if runs and at_s - runs[-1][1] < SHORTEST_GAP_S:
                runs[-1] = (runs[-1][0], end_s)
            else:
                runs.append((at_s, end_s))
        return runs

    def samples(self) -> NDArray[np.int16]:
        """Both channels: int16, shape ``(n_samples, 2)``, 8 kHz; left is the caller."""
        start_s = self.start_s
        tracks = [_lay(track, start_s) for track in (self._caller, self._agent)]
        stereo = np.zeros((max(len(track) for track in tracks), 2), np.int16)
        for channel, track in enumerate(tracks):
            stereo[: len(track), channel] = track
        return stereo

    def write(self, target: Path | BinaryIO) -> None:
        """Write a WAV: 8 kHz, 16 bits, two channels."""
        with wave.open(str(target) if isinstance(target, Path) else target, "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE_HZ)
            file.writeframes(self.samples().astype("<i2").tobytes())


def _lay(track: list[tuple[float, bytes]], start_s: float) -> NDArray[np.int16]:
    placed = [(round((at_s - start_s) * SAMPLE_RATE_HZ), ulaw) for at_s, ulaw in track]
    length = max((at + len(ulaw) for at, ulaw in placed), default=0)
    samples = np.zeros(length, np.int16)
    for at, ulaw in placed:
        samples[at : at + len(ulaw)] = decode_ulaw(ulaw)
    return samples
