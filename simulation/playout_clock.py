"""What the phone leg plays and when: one queue of audio and marks against a clock.

Written from the published behaviour of Media Streams, on purpose not from the product's own model,
so that the two check each other.

Rules
- Audio and marks share one queue, in order. Audio plays at 8,000 bytes a second.
- Audio that arrives while the queue is dry starts at once; otherwise it joins the end.
- A mark is echoed when all audio queued before it has played; with nothing queued, at once.
- ``clear`` drops what has not played and echoes every outstanding mark, in order, at once.
- At most ten minutes are queued. What is over is dropped (31931, reported once a stream).
- Only what has played was heard. ``take_heard`` gives it with the time of its first sample.
- The queue running dry and being fed again within ``UNDERRUN_WINDOW_S``, while the caller did not
  speak and nothing was cleared, is an underrun: a hole inside a reply.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

BYTES_PER_S = 8_000
CAP_BYTES = 600 * BYTES_PER_S
UNDERRUN_WINDOW_S = 1.0
# Holes shorter than this are the rounding of two clocks, not a hole an ear can find.
SHORTEST_UNDERRUN_S = 0.001
# Far below one sample (125 us): makes "exactly when the last sample has played" mean that.
_EPSILON_S = 1e-6


@dataclass(frozen=True, slots=True)
class Heard:
    """Audio that reached the ear.

    Attributes:
        start_s: Loop time of the first sample.
        audio: G.711 mu-law, 8 kHz, mono.
    """

    start_s: float
    audio: bytes

    @property
    def end_s(self) -> float:
        """Loop time just after the last sample."""
        return self.start_s + len(self.audio) / BYTES_PER_S


@dataclass(frozen=True, slots=True)
class Underrun:
    """A hole inside a reply: nothing to play from ``at_s`` for ``length_s``."""

    at_s: float
    length_s: float


class PlayoutClock:
    """The queue of one stream. ``now`` is loop time in seconds and never goes back."""

    def __init__(self) -> None:
        self._audio: deque[bytes] = deque()
        self._head_offset = 0
        self._queued_bytes = 0
        # A run is audio without a gap: times are counted in bytes from its start, so that adding
        # twenty thousand chunks adds no rounding.
        self._run_start_s = 0.0
        self._run_bytes = 0
        self._played_bytes = 0
        self._has_run = False
        self._broken = True
        # Marks with the position in bytes (of the whole stream) that must have played first.
        self._marks: deque[tuple[int, str]] = deque()
        self._total_queued = 0
        self._total_played = 0
        self._heard: list[Heard] = []
        self.underruns: list[Underrun] = []
        self.overflowed = False
        self.dropped_bytes = 0
        self.cleared_bytes = 0

    @property
    def queued_s(self) -> float:
        """Seconds of audio not yet played (as of the last call)."""
        return self._queued_bytes / BYTES_PER_S

    @property
    def heard_s(self) -> float:
        """Seconds of audio played so far."""
        return self._total_played / BYTES_PER_S

    @property
    def marks_outstanding(self) -> int:
        """How many marks wait for audio before them."""
        return len(self._marks)

    def media(self, audio: bytes, *, now: float) -> bool:
        """Queue audio; False when some of it was dropped because ten minutes are queued."""
        self._play(now)
        room = CAP_BYTES - self._queued_bytes
        fits = len(audio) <= room
        if not fits:
            self.overflowed = True
            self.dropped_bytes += len(audio) - room
            audio = audio[:room]
        if not audio:
            return fits
        if not self._queued_bytes:
            self._start_run(now)
        self._audio.append(audio)
        self._queued_bytes += len(audio)
        self._run_bytes += len(audio)
        self._total_queued += len(audio)
        return fits

    def mark(self, name: str, *, now: float) -> list[str]:
        """Queue a mark; returns the names to echo now (itself, when nothing is queued)."""
        self._play(now)
        self._marks.append((self._total_queued, name))
        return self._due_marks()

    def clear(self, *, now: float) -> list[str]:
        """Drop what has not played; returns every outstanding mark, in order."""
        self._play(now)
        names = [name for _, name in self._marks]
        self._marks.clear()
        self._audio.clear()
        self._head_offset = 0
        self.cleared_bytes += self._queued_bytes
        self._total_queued -= self._queued_bytes
        self._run_bytes -= self._queued_bytes
        self._queued_bytes = 0
        self._broken = True
        return names

    def advance(self, *, now: float) -> list[str]:
        """Play up to ``now``; returns the marks whose audio has all played, in order."""
        if self._queued_bytes:
            self._play(now)
        return self._due_marks() if self._marks else []

    def caller_spoke(self) -> None:
        """The caller spoke: what comes next is another reply, not a hole in this one."""
        self._broken = True

    def take_heard(self) -> list[Heard]:
        """What was played since the last call, oldest first."""
        heard, self._heard = self._heard, []
        return heard

    def _start_run(self, now: float) -> None:
        end_s = self._run_start_s + self._run_bytes / BYTES_PER_S
        gap_s = now - end_s
        if self._has_run and not self._broken:
            if gap_s < SHORTEST_UNDERRUN_S:
                # In time for the ear: the run goes on where it stopped.
                return
            if gap_s < UNDERRUN_WINDOW_S:
                self.underruns.append(Underrun(end_s, gap_s))
        self._run_start_s = now
        self._run_bytes = 0
        self._played_bytes = 0
        self._has_run = True
        self._broken = False

    def _play(self, now: float) -> None:
        elapsed_bytes = int((now - self._run_start_s + _EPSILON_S) * BYTES_PER_S)
        due = min(elapsed_bytes - self._played_bytes, self._queued_bytes)
        while due > 0:
            chunk = self._audio[0]
            take = min(due, len(chunk) - self._head_offset)
            start_s = self._run_start_s + self._played_bytes / BYTES_PER_S
            piece = chunk[self._head_offset : self._head_offset + take]
            self._heard.append(Heard(start_s, piece))
            self._head_offset += take
            if self._head_offset == len(chunk):
                self._audio.popleft()
                self._head_offset = 0
            self._played_bytes += take
            self._total_played += take
            self._queued_bytes -= take
            due -= take

    def _due_marks(self) -> list[str]:
        names = []
        while self._marks and self._marks[0][0] <= self._total_played:
            names.append(self._marks.popleft()[1])
        return names
