"""Segments on their way: what waits, what was sent of them, and what can still be taken back."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from voice.ports import SAMPLE_RATE_HZ

_KEPT_SAMPLES = 2 * SAMPLE_RATE_HZ  # a carrier is never thought to be further behind
_ULAW_SILENCE = b"\xff"


class SegmentKey(NamedTuple):
    """Which segment of which attempt at which turn."""

    turn_id: int
    guess: int
    segment: int


class Track:
    """One segment's audio.

    Attributes:
        waiting: What was not sent.
        is_whole: True when nothing more will come.
        sent: Samples sent and not taken back, with the padding of the last frame.
        stream_at: Position of its first sample in the stream.
        marked: ``sent`` at its last mark.
        pauses: Where other sounds lie within it: samples sent before, and their length.
        host: For a filler, the segment that it interrupts.
        dies_away: True for a filler that is the end of a voice, and not said again.
    """

    __slots__ = (
        "dies_away",
        "host",
        "is_filler",
        "is_whole",
        "key",
        "marked",
        "pauses",
        "sent",
        "stream_at",
        "waiting",
    )

    def __init__(self, key: SegmentKey, *, is_filler: bool = False) -> None:
        self.key = key
        self.is_filler = is_filler
        self.host: Track | None = None
        self.dies_away = False
        self.pauses: list[tuple[int, int]] = []
        self.waiting = bytearray()
        self.is_whole = False
        self.sent = 0
        self.stream_at = 0
        self.marked = 0

    @classmethod
    def filler(cls, key: SegmentKey, ulaw: bytes, host: Track | None, samples: int) -> Track:
        """A whole sound in front of what waits of ``host``; ``samples`` long when it is sent."""
        track = cls(key, is_filler=True)
        track.waiting += ulaw
        track.is_whole = True
        if host is not None and host.sent:
            track.host = host
            host.pauses.append((host.sent, samples))
        return track

    def mark(self, number: int) -> str:
        """The name of the call's mark ``number``, behind what was sent so far."""
        self.marked = self.sent
        return f"{self.key.turn_id}.{self.key.guess}/{self.key.segment}.{number}"

    def heard(self, position: int) -> int:
        """How many of its samples were heard when the stream was heard up to ``position``."""
        heard = position - self.stream_at
        for before, samples in self.pauses:
            if heard > before:
                heard = max(before, heard - samples)
        return min(max(heard, 0), self.sent)

    def drop(self) -> None:
        """A filler that is not said after all, or not to its end: its host closes up."""
        self.waiting.clear()
        if self.host is not None:
            before, _ = self.host.pauses.pop()
            if self.sent:
                self.host.pauses.append((before, self.sent))


@dataclass(frozen=True, slots=True)
class Piece:
    """Audio of one message.

    Attributes:
        ulaw: What the segment holds, without padding and before it was made louder or softer.
        size: Samples in the message.
        start: Position in the stream.
    """

    track: Track
    ulaw: bytes
    size: int
    start: int

    @classmethod
    def of(cls, track: Track, size: int, start: int) -> Piece:
        """Take the next ``size`` samples of a track; fewer are padded when it is sent."""
        ulaw = bytes(track.waiting[:size])
        del track.waiting[:size]
        track.sent += size
        return cls(track, ulaw, size, start)

    @property
    def padded(self) -> bytes:
        """The audio as long as the message."""
        return self.ulaw + _ULAW_SILENCE * (self.size - len(self.ulaw))

    def first(self, samples: int) -> Piece:
        """Its beginning; the rest goes back to its track."""
        track = self.track
        track.waiting[:0] = self.ulaw[samples:]
        track.sent -= self.size - samples
        track.marked = min(track.marked, track.sent)
        return Piece(track, self.ulaw[:samples], samples, self.start)


class TrackQueue:
    """The tracks of a reply, and fillers before them, in the order in which they are heard."""

    __slots__ = ("_fillers", "_queue", "_sent", "_tracks")

    def __init__(self) -> None:
        self._queue: deque[Track] = deque()
        self._tracks: dict[SegmentKey, Track] = {}
        self._sent: deque[Piece] = deque()  # of late, oldest first; may still lie with the carrier
        self._fillers = 0

    @property
    def head(self) -> Track | None:
        """What is sent next."""
        return self._queue[0] if self._queue else None

    @property
    def has_unsent(self) -> bool:
        """True while some track is not sent to its end."""
        for track in self._queue:  # noqa: SIM110 - at every frame of a call: no generator
            if track.waiting or not track.is_whole:
                return True
        return False

    def find(self, key: SegmentKey) -> Track | None:
        """The track of a segment of this reply."""
        return self._tracks.get(key)

    def open(self, key: SegmentKey) -> None:
        """Queue a segment behind those opened before; a second call does nothing."""
        if key not in self._tracks:
            track = self._tracks[key] = Track(key)
            self._queue.append(track)

    def begin_reply(self) -> None:
        """Forget the reply before."""
        self.discard()
        self._tracks.clear()

    def discard(self) -> None:
        """What was opened is neither sent nor taken back any more, but the rest of a filler."""
        self._queue = deque(track for track in self._queue if track.is_filler and track.sent)
        self._sent = deque(piece for piece in self._sent if piece.track.is_filler)

    def clear(self) -> None:
        """Forget everything."""
        self._queue.clear()
        self._tracks.clear()
        self._sent.clear()

    def filler(self, ulaw: bytes, turn_id: int, guess: int, samples: int) -> Track:
        """A whole sound in front of what waits, not yet queued; ``samples`` long when sent."""
        self._fillers += 1
        return Track.filler(SegmentKey(turn_id, guess, -self._fillers), ulaw, self.head, samples)

    def put_first(self, track: Track) -> None:
        """Send this before anything else."""
        self._queue.appendleft(track)

    def pop(self) -> None:
        """The head was sent to its end."""
        self._queue.popleft()

    def take(self, track: Track, size: int, position: int, *, heard: int) -> Piece:
        """The next ``size`` samples of a track, sent at ``position`` of the stream."""
        piece = Piece.of(track, size, position)
        sent = self._sent
        sent.append(piece)
        while sent[0].start + sent[0].size < heard - _KEPT_SAMPLES:
            sent.popleft()
        return piece

    def take_back(self, position: int) -> int:
        """What was sent behind ``position`` waits again; returns how much of it was of replies.

        A filler of which nothing was heard is dropped, and so is the rest of one that dies away.
        """
        taken = 0
        sent = self._sent
        while sent and sent[-1].start + sent[-1].size > position:
            piece = sent.pop()
            track = piece.track
            kept = piece.first(max(position - piece.start, 0))
            if not track.is_filler:
                taken += piece.size - kept.size
            if track in self._queue:
                self._queue.remove(track)
            if track.is_filler and (track.dies_away or not track.sent):
                track.drop()
            else:
                self._queue.appendleft(track)
            if kept.size:
                sent.append(kept)
                break
        return taken
