"""The last seconds of one caller's audio, so that a new socket can be told them again."""

from __future__ import annotations

_SLACK_BYTES = 4_000  # what is forgotten is given back half a second at a time


class AudioRing:
    """Audio by its position in the stream; what is older than ``capacity_bytes`` is forgotten.

    Takes as much memory as it holds, and half a second more.

    Args:
        capacity_bytes: At most; mu-law has 8,000 a second.

    Attributes:
        end: Position behind the newest byte: how much was ever appended.
        start: Position of the oldest byte that is still there.
    """

    __slots__ = ("_bytes", "_capacity", "end", "start")

    def __init__(self, capacity_bytes: int) -> None:
        self._bytes = bytearray()
        self._capacity = capacity_bytes
        self.start = 0
        self.end = 0

    def append(self, audio: bytes) -> None:
        """Add audio of any length."""
        self._bytes += audio
        self.end += len(audio)
        oldest = self.end - self._capacity
        if oldest > self.start:
            self.forget(oldest)

    def forget(self, before: int) -> None:
        """Nobody will ask for what is older than ``before``, a position; never goes back."""
        if before <= self.start:
            return
        self.start = min(before, self.end)
        unused = self.start - (self.end - len(self._bytes))
        if unused >= _SLACK_BYTES:
            del self._bytes[:unused]

    def release(self) -> None:
        """Nobody will ask for anything that was appended until now."""
        self._bytes = bytearray()
        self.start = self.end

    def read(self, at: int, count: int) -> bytes:
        """``count`` bytes from position ``at``; fewer at the end.

        Raises:
            IndexError: ``at`` is older than ``start``.
        """
        if at < self.start:
            raise IndexError(f"position {at} is forgotten; the oldest is {self.start}")
        begin = at - (self.end - len(self._bytes))
        return bytes(self._bytes[begin : begin + count])
