"""The last changes of the owner, numbered, for those who ask what is new since they asked last."""

from __future__ import annotations

from collections import deque
from typing import Final

MOST_BYTES: Final = 16 << 20
MOST_DELTAS: Final = 20_000


class DeltaLog:
    """Lines of ``replica_reports.DELTAS`` with numbers that grow by one; the oldest are forgotten.

    Args:
        most_bytes: Kept in memory.
        most_deltas: Likewise.
    """

    def __init__(self, *, most_bytes: int = MOST_BYTES, most_deltas: int = MOST_DELTAS) -> None:
        self._most_bytes, self._most_deltas = most_bytes, most_deltas
        self._lines: deque[bytes] = deque()
        self._size_bytes = 0
        self._last = 0

    @property
    def last(self) -> int:
        """Number of the newest delta; 0 before the first."""
        return self._last

    def append(self, line: bytes) -> None:
        """One more, without the end of its line."""
        self._lines.append(line)
        self._last += 1
        self._size_bytes += len(line)
        while self._size_bytes > self._most_bytes or len(self._lines) > self._most_deltas:
            self._size_bytes -= len(self._lines.popleft())

    def since(self, number: int, most_bytes: int) -> tuple[bytes, int] | None:
        """The lines after ``number`` and the number of the last of them.

        Args:
            number: What the other side has.
            most_bytes: About so much at once, but one line at least; the rest is for the next time.

        Returns:
            None when some of them are forgotten, or never were: a snapshot is needed.
        """
        missing = self._last - number
        if not 0 <= missing <= len(self._lines):
            return None
        taken: list[bytes] = []
        size = 0
        for index in range(len(self._lines) - missing, len(self._lines)):
            size += len(self._lines[index])
            if taken and size > most_bytes:
                break
            taken.append(self._lines[index])
        return b"".join(line + b"\n" for line in taken), number + len(taken)
