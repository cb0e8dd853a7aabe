"""The last seconds of a caller, for a recogniser that has to begin in the middle.

A new stream is sent everything since the last finished phrase. Where the caller was quiet about
then it begins in that quiet, so that no word is cut and none comes twice; where the caller spoke on
it begins ``OVERLAP_S`` earlier, and what comes twice is for the reader to drop.

Media time is counted in samples from the beginning of the call.
"""

from __future__ import annotations

import itertools
from collections import deque

from voice.ports import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HZ

RING_S = 8
OVERLAP_S = 0.3
_HARDLY_S = 0.16  # how far the end of a final may be before the end of its last word
_LEAD_IN_S = 0.1
_QUIET_FRAMES = 3  # about the shortest pause between two words
_RING_BYTES = RING_S * SAMPLE_RATE_HZ


class ReplayRing:
    """mu-law of one caller, ``RING_S`` seconds of it, and when the caller spoke.

    Attributes:
        samples: Audio taken so far.
    """

    __slots__ = ("_audio", "_committed", "_scored", "_speech", "samples")

    def __init__(self) -> None:
        self._audio = bytearray()
        self._speech: deque[bool] = deque(maxlen=round(RING_S / FRAME_S))
        self._scored = 0
        self._committed = 0
        self.samples = 0

    def write(self, ulaw: bytes) -> None:
        """More of the caller."""
        self._audio += ulaw
        self.samples += len(ulaw)
        if len(self._audio) > _RING_BYTES + 50 * FRAME_SAMPLES:  # a second at a time
            del self._audio[: len(self._audio) - _RING_BYTES]

    def score(self, *, is_speech: bool) -> None:
        """The next frame of 20 ms, in order, is speech or not."""
        self._speech.append(is_speech)
        self._scored += 1

    def speech_s(self, after: int) -> float:
        """How long the caller spoke after this sample, of what was scored and is still there."""
        frames = self._scored - max(0, -(-after // FRAME_SAMPLES))
        latest = itertools.islice(reversed(self._speech), max(0, frames))
        return sum(latest) * FRAME_S

    def commit(self, samples: int) -> None:
        """All words up to here are known for good; going back changes nothing."""
        self._committed = max(self._committed, min(samples, self.samples))

    @property
    def committed(self) -> int:
        """How far the words are known for good."""
        return self._committed

    def replay_from(self) -> tuple[int, bool]:
        """Where a new stream begins, and whether that is in the quiet.

        Returns:
            Media time in samples; False when words before the commit point may come again.
        """
        since = max(self._committed, self._oldest())
        pause = self._pause_near(since)
        if pause is None:
            overlap = round(OVERLAP_S * SAMPLE_RATE_HZ) if self._committed else 0
            return max(since - overlap, self._oldest()), self._committed == 0
        begin, end = pause
        start = max(begin, end - round(_LEAD_IN_S * SAMPLE_RATE_HZ))
        return max(start, self._oldest()), end >= since

    def read(self, start: int) -> bytes:
        """Everything from ``start`` on, as far as it is there."""
        oldest = self._oldest()
        return bytes(self._audio[max(start, oldest) - oldest :])

    @property
    def lost_samples(self) -> int:
        """Audio after the commit point that is no longer there."""
        return max(0, self._oldest() - self._committed)

    def _oldest(self) -> int:
        return self.samples - len(self._audio)

    def _pause_near(self, since: int) -> tuple[int, int] | None:
        """The last pause that begins before ``since`` or hardly after it, and is not long over."""
        first = self._scored - len(self._speech)
        last_begin = (since + round(_HARDLY_S * SAMPLE_RATE_HZ)) // FRAME_SAMPLES
        earliest_end = (since - round(OVERLAP_S * SAMPLE_RATE_HZ)) // FRAME_SAMPLES
        found: tuple[int, int] | None = None
        begin: int | None = None
        for at in range(max(earliest_end - _QUIET_FRAMES, first), self._scored + 1):
            is_quiet = at < self._scored and not self._speech[at - first]
            if is_quiet:
                begin = at if begin is None else begin
            elif begin is not None:
                if begin <= last_begin and at - begin >= _QUIET_FRAMES and at > earliest_end:
                    found = (begin * FRAME_SAMPLES, at * FRAME_SAMPLES)
                begin = None
            if begin is None and at > last_begin:
                break
        return found
