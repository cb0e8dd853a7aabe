"""What is new on one stream, by the sequence numbers of its messages.

A skipped number that turns up later is *late*, a number seen before a *duplicate*. A number far
behind is a count that has started over.
"""

from __future__ import annotations

from telephony.stream_events import StreamStats

REORDER_WINDOW = 64
"""How many skipped numbers are remembered, counted back from the newest."""
RESTART_DISTANCE = 500
"""A number further behind than this is taken for a count that has started over."""


class MessageOrder:
    """Places the messages of one stream.

    Args:
        stats: Where skipped, late and duplicate messages are counted.

    Attributes:
        next_sequence: The number that is due. A message that has it may be taken without
            ``place``; then count it up by one.
    """

    __slots__ = ("_skipped", "_stats", "next_sequence")

    def __init__(self, stats: StreamStats) -> None:
        self.next_sequence = 1
        self._stats = stats
        self._skipped: set[int] = set()

    @property
    def remembered(self) -> int:
        """How many skipped numbers may still come late; at most ``REORDER_WINDOW``."""
        return len(self._skipped)

    def place(self, sequence: int) -> bool | None:
        """True for a new message, False for a late one, None for a duplicate."""
        ahead = sequence - self.next_sequence
        if ahead >= 0:
            self.next_sequence = sequence + 1
            if ahead:
                self._stats.skipped += ahead
                oldest = sequence - REORDER_WINDOW
                self._skipped = {number for number in self._skipped if number >= oldest}
                self._skipped.update(range(max(oldest, sequence - ahead), sequence))
            return True
        if sequence in self._skipped:
            self._skipped.discard(sequence)
            self._stats.late += 1
            return False
        if ahead < -RESTART_DISTANCE:
            self.next_sequence = sequence + 1
            self._skipped.clear()
            self._stats.clock_jumps += 1
            return True
        self._stats.duplicates += 1
        return None
