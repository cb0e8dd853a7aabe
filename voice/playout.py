"""Audio on its way to the ear: queued, sent a little ahead of time, and accounted for.

Rules:

1. The carrier plays what it has without pause. ``play_end`` is the loop time at which it will run
   dry; sending n samples moves it by n / 8,000 s, from now if it was dry. All pacing follows this
   absolute clock, so delays do not add up, and after a stall no more than the lead goes out.
2. At most ``lead_s`` is sent ahead: the first message fills the lead, then ``chunk_frames`` at a
   time. Messages are whole frames; the last frame of a segment is padded with mu-law silence.
3. A mark follows each segment and about every ``mark_every_s`` within it. Names are never reused.
4. Heard is what was sent less what the carrier still holds by the clock; an echoed mark proves
   more, a late one shows the carrier to be behind. After a clear marks under way prove nothing.
5. A dry ear inside a reply is an underrun: it is counted and its length added up.
6. A filler is a sound in front of all that waits, and no part of the reply: it does not make the
   reply audible, is not heard text, and once begun is said to its end unless it is cleared.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from voice.config import PlayoutConfig
from voice.events import ClearPlayout, Output, SendAudio, SendMark
from voice.ports import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HZ

ULAW_SILENCE = 0xFF
_ROUNDING = 1e-6
_LATE_TOLERANCE_S = 0.1
_LATE_LIMIT_S = 2.0
_FIRST_ECHO_S = 0.5
_LOW_WATER_S = 2 * FRAME_S


class SegmentKey(NamedTuple):
    """Which segment of which attempt at which turn."""

    turn_id: int
    guess: int
    segment: int


class _Track:
    """One segment's audio: what waits, what was sent, and where in the stream it began."""

    __slots__ = (
        "is_filler",
        "is_whole",
        "key",
        "marked",
        "marks",
        "pauses",
        "sent",
        "stream_at",
        "waiting",
    )

    def __init__(self, key: SegmentKey, *, is_filler: bool = False) -> None:
        self.key = key
        self.is_filler = is_filler
        self.pauses: list[tuple[int, int]] = []  # (sent before, samples of a filler)
        self.waiting = bytearray()
        self.is_whole = False
        self.sent = 0
        self.stream_at = 0
        self.marked = 0
        self.marks = 0


class Playout:
    """The mouth's clock and queue for one call.

    Args:
        config: Lead and chunk size.
        emit: Takes ``SendAudio``, ``SendMark`` and ``ClearPlayout``.

    Attributes:
        is_paused: While True nothing is sent.
        first_out_at: Loop time at which the running reply's first audio was sent.
        first_audible_at: Loop time at which the caller begins to hear it, about.
        reply_end: Loop time at which what was sent of replies ends; fillers do not count.
        reply_samples: Samples of replies sent so far, over the whole call.
        underruns: Times the ear ran dry inside a reply, over the whole call.
        underrun_s: How long in all.
    """

    __slots__ = (
        "_config",
        "_echo_s",
        "_emit",
        "_fillers",
        "_in_reply",
        "_late_s",
        "_marks",
        "_play_end",
        "_proven",
        "_queue",
        "_sent",
        "_tracks",
        "first_audible_at",
        "first_out_at",
        "is_paused",
        "reply_end",
        "reply_samples",
        "underrun_s",
        "underruns",
    )

    def __init__(self, config: PlayoutConfig, emit: Callable[[Output], None]) -> None:
        self._config = config
        self._emit = emit
        self._queue: deque[_Track] = deque()
        self._tracks: dict[SegmentKey, _Track] = {}
        self._marks: dict[str, tuple[int, float]] = {}
        self._sent = 0
        self._proven = 0
        self._play_end = 0.0
        self._late_s = 0.0
        self._echo_s: float | None = None
        self._in_reply = False
        self._fillers = 0
        self.is_paused = False
        self.first_out_at: float | None = None
        self.first_audible_at: float | None = None
        self.reply_end = 0.0
        self.reply_samples = 0
        self.underruns = 0
        self.underrun_s = 0.0

    @property
    def has_unsent(self) -> bool:
        """True while some opened segment is not sent to its end."""
        return any(track.waiting or not track.is_whole for track in self._queue)

    @property
    def heard_all_at(self) -> float:
        """Loop time at which everything sent so far will have been heard."""
        return self._play_end + self._late_s

    def begin_reply(self) -> None:
        """Forget the segments of the reply before; its audio must have been heard or cleared."""
        self.discard()
        self._tracks.clear()
        self._in_reply = False
        self.is_paused = False
        self.first_out_at = self.first_audible_at = None

    def open(self, key: SegmentKey) -> None:
        """Queue a segment behind those opened before; a second call does nothing."""
        if key not in self._tracks:
            track = self._tracks[key] = _Track(key)
            self._queue.append(track)

    def append(self, key: SegmentKey, ulaw: bytes) -> None:
        """More audio of an opened segment."""
        self._tracks[key].waiting += ulaw

    def finish(self, key: SegmentKey) -> None:
        """All audio of an opened segment is there."""
        self._tracks[key].is_whole = True

    def insert_filler(self, ulaw: bytes, turn_id: int, guess: int, *, now: float) -> None:
        """Send a whole sound before anything that waits."""
        self._fillers += 1
        filler = _Track(SegmentKey(turn_id, guess, -self._fillers), is_filler=True)
        filler.waiting += ulaw
        filler.is_whole = True
        if self._queue and self._queue[0].sent:
            frames = -(-len(ulaw) // FRAME_SAMPLES)
            self._queue[0].pauses.append((self._queue[0].sent, frames * FRAME_SAMPLES))
        self._queue.appendleft(filler)
        self.pump(now=now)

    def discard(self) -> None:
        """Send nothing more of what was opened, but the rest of a filler."""
        rest = [track for track in self._queue if track.is_filler and track.sent]
        self._queue = deque(rest)

    def is_sent(self, key: SegmentKey) -> bool:
        """True when the segment was sent to its end."""
        track = self._tracks.get(key)
        return track is not None and track.is_whole and not track.waiting

    def heard_samples(self, key: SegmentKey, *, now: float) -> int:
        """Samples of the segment that have reached the ear by ``now``."""
        track = self._tracks.get(key)
        if track is None:
            return 0
        heard = self._heard(now) - track.stream_at
        for before, samples in track.pauses:
            if heard > before:
                heard = max(before, heard - samples)
        return min(max(heard, 0), track.sent)

    def is_all_heard(self, *, now: float) -> bool:
        """True when everything sent so far has reached the ear."""
        return self._proven >= self._sent or now >= self.heard_all_at - _ROUNDING

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

    def clear(self, *, now: float) -> None:
        """Drop the queue and tell the carrier to do the same with what it holds."""
        self._sent = self._heard(now)
        self._proven = min(self._proven, self._sent)
        self._play_end = now
        self._late_s = 0.0
        self._queue.clear()
        self._tracks.clear()
        self._marks.clear()
        self._in_reply = False
        self.reply_end = min(self.reply_end, now)
        self._emit(ClearPlayout())

    def pump(self, *, now: float) -> None:
        """Send what is due."""
        while self._queue and not self.is_paused:
            track = self._queue[0]
            frames = self._frames_due(track, now)
            if frames:
                self._send(track, frames, now)
            if track.is_whole and not track.waiting:
                self._queue.popleft()
                if track.sent > track.marked:
                    self._mark(track)
            elif not frames:
                return

    def next_deadline(self) -> float | None:
        """Loop time at which ``pump`` has something to send if nothing else comes; or None."""
        if self.is_paused or not self._queue:
            return None
        track = self._queue[0]
        ready = len(track.waiting) // FRAME_SAMPLES
        if track.is_whole or ready >= self._config.chunk_frames:
            return self._play_end - self._config.lead_s + self._config.chunk_frames * FRAME_S
        return self._play_end - _LOW_WATER_S if ready else None

    def _heard(self, now: float) -> int:
        held_s = self.heard_all_at - now
        held = 0 if held_s <= _ROUNDING else int(held_s * SAMPLE_RATE_HZ + 0.5)
        return max(self._sent - held, self._proven, 0)

    def _frames_due(self, track: _Track, now: float) -> int:
        ready, rest = divmod(len(track.waiting), FRAME_SAMPLES)
        if rest and track.is_whole:
            ready += 1
        ahead_s = max(self._play_end - now, 0.0)
        room = int((self._config.lead_s - ahead_s) / FRAME_S + _ROUNDING)
        if ahead_s > 0.0 and room < self._config.chunk_frames:
            return 0
        is_short = ready < self._config.chunk_frames and not track.is_whole
        if is_short and ahead_s > _LOW_WATER_S + _ROUNDING:
            return 0
        return min(ready, room)

    def _send(self, track: _Track, frames: int, now: float) -> None:
        if track.sent == 0:
            track.stream_at = self._sent
        size = frames * FRAME_SAMPLES
        ulaw = bytes(track.waiting[:size])
        del track.waiting[:size]
        ulaw += bytes((ULAW_SILENCE,)) * (size - len(ulaw))
        start = max(now, self._play_end)
        if self._in_reply and now > self._play_end + _ROUNDING:
            self.underruns += 1
            self.underrun_s += now - self._play_end
        if not self._in_reply and not track.is_filler:
            self._in_reply = True
            self.first_out_at, self.first_audible_at = now, start
        self._play_end = start + frames * FRAME_S
        if not track.is_filler:
            self.reply_end = self._play_end
            self.reply_samples += size
        self._sent += size
        track.sent += size
        self._emit(SendAudio(ulaw))
        is_end = track.is_whole and not track.waiting
        if not is_end and track.sent - track.marked >= self._config.mark_every_s * SAMPLE_RATE_HZ:
            self._mark(track)

    def _mark(self, track: _Track) -> None:
        key = track.key
        name = f"{key.turn_id}.{key.guess}/{key.segment}.{track.marks}"
        track.marks += 1
        track.marked = track.sent
        self._marks[name] = (self._sent, self._play_end)
        self._emit(SendMark(name))
