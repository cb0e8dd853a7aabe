"""The last seconds of a caller, for a recogniser that has to begin in the middle.

A new stream is sent everything since the last finished phrase. Where the caller was quiet about
then it begins in that quiet, so that no word is cut and none comes twice; where the caller spoke on
it begins ``OVERLAP_S`` earlier, and what comes twice is for the reader to drop.

Media time is counted in samples from the beginning of the call.
"""

from __future__ import annotations

from voice.ports import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HZ

RING_S = 8
OVERLAP_S = 0.3
_HARDLY_S = 0.16  # how far the end of a final may be before the end of its last word
_LEAD_IN_S = 0.1
_QUIET_FRAMES = 3  # about the shortest pause between two words
_RING_BYTES = RING_S * SAMPLE_RATE_HZ
_RING_FRAMES = round(RING_S / FRAME_S)
_BLOCK_BYTES = SAMPLE_RATE_HZ // 2
_WHOLE_BLOCKS = _RING_BYTES // _BLOCK_BYTES
# How far before the commit point a new stream may begin: see ``replay_from``.
_REACH_SAMPLES = round((OVERLAP_S + _LEAD_IN_S) * SAMPLE_RATE_HZ) + FRAME_SAMPLES


class ReplayRing:
    """mu-law of one caller, at most ``RING_S`` seconds of it, and when the caller spoke.

    The audio lies in blocks of half a second, of which the oldest goes when a new one is whole: a
    buffer in one piece would be moved about once a second, 80 kB that leave holes in the heap of a
    process with many calls. When each frame was spoken is one byte a frame, in a circle.

    Attributes:
        samples: Audio taken so far.
    """

    __slots__ = ("_blocks", "_committed", "_newest", "_scored", "_speech", "samples")

    def __init__(self) -> None:
        self._blocks: list[bytes] = []  # oldest first
        self._newest = bytearray()
        self._speech = bytearray(_RING_FRAMES)
        self._scored = 0
        self._committed = 0
        self.samples = 0

    def write(self, ulaw: bytes) -> None:
        """More of the caller, of any length."""
        self._newest += ulaw
        self.samples += len(ulaw)
        if len(self._newest) >= _BLOCK_BYTES:
            self._close_blocks()

    def score(self, *, is_speech: bool) -> None:
        """The next frame of 20 ms, in order, is speech or not."""
        self._speech[self._scored % _RING_FRAMES] = 1 if is_speech else 0
        self._scored += 1

    def speech_s(self, after: int) -> float:
        """How long the caller spoke after this sample, of what was scored and is still there."""
        since = max(-(-after // FRAME_SAMPLES), self._oldest_scored(), 0)
        spoken = sum(self._speech[at % _RING_FRAMES] for at in range(since, self._scored))
        return spoken * FRAME_S

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
        if start >= self.samples:
            return b""
        at, after = divmod(max(start - self._oldest(), 0), _BLOCK_BYTES)
        if at >= len(self._blocks):
            return bytes(self._newest[after:])
        first, *others = self._blocks[at:]
        return b"".join((first[after:], *others, self._newest))

    def forget(self, before: int) -> None:
        """Nobody will ``read`` what is older than ``before``, but a new stream may be sent it.

        So nothing goes that ``replay_from`` could name, now or later.
        """
        if not self._committed:
            return
        needed = min(before, self._committed - _REACH_SAMPLES)
        unused = (needed - self._oldest()) // _BLOCK_BYTES
        del self._blocks[: max(unused, 0)]

    def release(self) -> None:
        """Nobody will ask for what was written until now: its memory is free for other calls."""
        self._blocks.clear()
        self._newest = bytearray()

    @property
    def lost_samples(self) -> int:
        """Audio after the commit point that is no longer there."""
        return max(0, self._oldest() - self._committed)

    def _oldest(self) -> int:
        return self.samples - len(self._newest) - len(self._blocks) * _BLOCK_BYTES

    def _close_blocks(self) -> None:
        rest = self._newest
        for at in range(0, len(rest) - _BLOCK_BYTES + 1, _BLOCK_BYTES):
            self._blocks.append(bytes(rest[at : at + _BLOCK_BYTES]))
        self._newest = rest[len(rest) // _BLOCK_BYTES * _BLOCK_BYTES :]
        del self._blocks[:-_WHOLE_BLOCKS]

    def _oldest_scored(self) -> int:
        return max(0, self._scored - _RING_FRAMES)

    def _pause_near(self, since: int) -> tuple[int, int] | None:
        """The last pause that begins before ``since`` or hardly after it, and is not long over."""
        first = self._oldest_scored()
        last_begin = (since + round(_HARDLY_S * SAMPLE_RATE_HZ)) // FRAME_SAMPLES
        earliest_end = (since - round(OVERLAP_S * SAMPLE_RATE_HZ)) // FRAME_SAMPLES
        found: tuple[int, int] | None = None
        begin: int | None = None
        for at in range(max(earliest_end - _QUIET_FRAMES, first), self._scored + 1):
            is_quiet = at < self._scored and not self._speech[at % _RING_FRAMES]
            if is_quiet:
                begin = at if begin is None else begin
            elif begin is not None:
                if begin <= last_begin and at - begin >= _QUIET_FRAMES and at > earliest_end:
                    found = (begin * FRAME_SAMPLES, at * FRAME_SAMPLES)
                begin = None
            if begin is None and at > last_begin:
                break
        return found
