"""The last seconds of one caller's audio, so that a new socket can be told them again."""

from __future__ import annotations


class AudioRing:
    """Audio by its position in the stream; what is older than ``capacity_bytes`` is forgotten.

    Args:
        capacity_bytes: Allocated at once; mu-law has 8,000 a second.

    Attributes:
        end: Position behind the newest byte: how much was ever appended.
    """

    __slots__ = ("_bytes", "end")

    def __init__(self, capacity_bytes: int) -> None:
        self._bytes = bytearray(capacity_bytes)
        self.end = 0

    @property
    def start(self) -> int:
        """Position of the oldest byte that is still there."""
        return max(0, self.end - len(self._bytes))

    def append(self, audio: bytes) -> None:
        """Add audio of any length."""
        capacity = len(self._bytes)
        self.end += len(audio)
        kept = audio[-capacity:]
        at = (self.end - len(kept)) % capacity
        first = min(len(kept), capacity - at)
        self._bytes[at : at + first] = kept[:first]
        self._bytes[: len(kept) - first] = kept[first:]

    def read(self, at: int, count: int) -> bytes:
        """``count`` bytes from position ``at``; fewer at the end.

        Raises:
            IndexError: ``at`` is older than ``start``.
        """
        if at < self.start:
            raise IndexError(f"position {at} is forgotten; the oldest is {self.start}")
        count = min(count, self.end - at)
        capacity = len(self._bytes)
        begin = at % capacity
        first = min(count, capacity - begin)
        return bytes(self._bytes[begin : begin + first]) + bytes(self._bytes[: count - first])
