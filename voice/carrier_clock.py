"""What the carrier holds of our audio and what of it was heard, by the clock and by its marks.

Rules:

1. The carrier plays what it has without pause. ``play_end`` is the loop time at which it will run
   dry; sending n samples moves it by n / 8,000 s, from now if it was dry.
2. Positions count the samples of the stream. Heard is what was sent less what the carrier still
   holds by the clock; an echoed mark proves more, a late one shows the carrier to be behind.
3. ``cut`` is a ``clear``: what was not heard was never sent, and is no longer in the stream. Marks
   that are under way then prove nothing, nor does an echo that comes twice.

A ``clear`` travels as long as the audio before it did, so what the carrier has played when it comes
there is what it had played by this clock when it was sent.
"""

from __future__ import annotations

from voice.ports import SAMPLE_RATE_HZ

_ROUNDING_S = 1e-6
_LATE_TOLERANCE_S = 0.1
_LATE_LIMIT_S = 2.0
_FIRST_ECHO_S = 0.5


class CarrierClock:
    """The carrier's buffer as this side knows it.

    Attributes:
        sent: Position of the next sample that is sent.
        play_end: Loop time at which the carrier runs dry if it is not behind.
    """

    __slots__ = ("_echo_s", "_late_s", "_marks", "_proven", "play_end", "sent")

    def __init__(self) -> None:
        self._marks: dict[str, tuple[int, float]] = {}
        self._proven = 0
        self._late_s = 0.0
        self._echo_s: float | None = None
        self.sent = 0
        self.play_end = 0.0

    @property
    def heard_all_at(self) -> float:
        """Loop time at which everything sent so far will have been heard."""
        return self.play_end + self._late_s

    def ahead_s(self, now: float) -> float:
        """Audio that the carrier holds."""
        return max(self.play_end - now, 0.0)

    def send(self, samples: int, *, now: float) -> float:
        """Count what goes out now; returns the loop time at which it begins to be heard."""
        start = max(now, self.play_end)
        self.play_end = start + samples / SAMPLE_RATE_HZ
        self.sent += samples
        return start

    def note_mark(self, name: str) -> None:
        """A mark goes out behind everything sent so far."""
        self._marks[name] = (self.sent, self.play_end)

    def mark_played(self, name: str, *, now: float) -> None:
        """The carrier echoed a mark; unknown and cleared ones are ignored."""
        mark = self._marks.pop(name, None)
        if mark is None:
            return
        position, due_at = mark
        self._proven = max(self._proven, position)
        echo_s = max(now - due_at, 0.0)
        self._echo_s = min(echo_s, _FIRST_ECHO_S if self._echo_s is None else self._echo_s)
        late_s = echo_s - self._echo_s
        self._late_s = min(late_s, _LATE_LIMIT_S) if late_s > _LATE_TOLERANCE_S else 0.0

    def heard(self, now: float) -> int:
        """Position up to which the stream was heard."""
        held_s = self.heard_all_at - now
        held = 0 if held_s <= _ROUNDING_S else int(held_s * SAMPLE_RATE_HZ + 0.5)
        return max(self.sent - held, self._proven)

    def is_all_heard(self, now: float) -> bool:
        """True when everything sent so far has reached the ear."""
        return self._proven >= self.sent or now >= self.heard_all_at - _ROUNDING_S

    def cut(self, *, now: float) -> int:
        """The carrier is told to throw away what it holds; returns what was heard until then."""
        self.sent = self._proven = self.heard(now)
        self.play_end = now
        self._late_s = 0.0
        self._marks.clear()
        return self.sent
