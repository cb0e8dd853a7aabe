"""Audio on its way to the ear: queued, sent a little ahead of time, taken back when it must wait.

Rules:

1. All pacing follows the absolute clock of ``carrier_clock.py``, so delays do not add up, and after
   a stall no more than the lead goes out. At most ``lead_s`` is sent ahead: the first message fills
   the lead, then ``chunk_frames`` at a time. Messages are whole frames, but for one that begins
   with the rest of a frame taken back; the last frame of a segment is padded with mu-law silence.
2. A mark follows each segment and about every ``mark_every_s`` within it. Names are never reused.
3. What was sent and not heard can be taken back: the carrier is told to clear, and the audio waits
   again, from the exact sample. So the voice is turned down (``duck``) or falls silent (``pause``)
   at once, whatever the lead is, and goes on (``resume``) where it was. While it is turned down
   only ``ducked_lead_s`` is sent ahead, so that it can be turned up (``restore``) soon as well.
4. A dry ear inside a reply is an underrun: it is counted and its length added up.
5. A filler is a sound in front of all that waits, and no part of the reply: it does not make the
   reply audible, is not heard text, and once begun is said to its end unless it is cleared.
"""

from __future__ import annotations

from collections.abc import Callable

from voice.carrier_clock import CarrierClock
from voice.config import PlayoutConfig
from voice.ducking import SILENT_DB, Gain
from voice.echo import SentLevels
from voice.events import ClearPlayout, Output, SendAudio, SendMark
from voice.ports import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HZ
from voice.tracks import SegmentKey, Track, TrackQueue

__all__ = ["ULAW_SILENCE", "Playout", "SegmentKey"]

ULAW_SILENCE = 0xFF
_ROUNDING = 1e-6
_LOW_WATER_S = 2 * FRAME_S


class Playout:
    """The mouth's clock and queue for one call.

    Args:
        config: Lead, chunk size, and how the voice is turned down.
        emit: Takes ``SendAudio``, ``SendMark`` and ``ClearPlayout``.

    Attributes:
        is_paused: While True nothing is sent.
        levels: How loud what was sent is, by the time at which it is heard.
        first_out_at: Loop time at which the running reply's first audio was sent.
        first_audible_at: Loop time at which the caller begins to hear it, about.
        reply_end: Loop time at which what was sent of replies ends; fillers do not count.
        reply_samples: Samples of replies sent so far, over the whole call.
        underruns: Times the ear ran dry inside a reply, over the whole call.
        underrun_s: How long in all.
    """

    __slots__ = (
        "_clock",
        "_config",
        "_emit",
        "_gain",
        "_is_flowing",
        "_marks",
        "_queue",
        "first_audible_at",
        "first_out_at",
        "is_paused",
        "levels",
        "reply_end",
        "reply_samples",
        "underrun_s",
        "underruns",
    )

    def __init__(self, config: PlayoutConfig, emit: Callable[[Output], None]) -> None:
        self._config = config
        self._emit = emit
        self._clock = CarrierClock()
        self._gain = Gain()
        self._queue = TrackQueue()
        self._is_flowing = False
        self._marks = 0
        self.levels = SentLevels()
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
        return self._queue.has_unsent

    @property
    def heard_all_at(self) -> float:
        """Loop time at which everything sent so far will have been heard."""
        return self._clock.heard_all_at

    # --- the queue --------------------------------------------------------------------------------

    def begin_reply(self) -> None:
        """Forget the segments of the reply before; its audio must have been heard or cleared."""
        self._queue.begin_reply()
        self._is_flowing = False
        self.is_paused = False
        self._gain.jump(0.0)
        self.first_out_at = self.first_audible_at = None

    def open(self, key: SegmentKey) -> None:
        """Queue a segment behind those opened before; a second call does nothing."""
        self._queue.open(key)

    def append(self, key: SegmentKey, ulaw: bytes) -> None:
        """More audio of an opened segment."""
        self._track(key).waiting += ulaw

    def finish(self, key: SegmentKey) -> None:
        """All audio of an opened segment is there."""
        self._track(key).is_whole = True

    def insert_filler(self, ulaw: bytes, turn_id: int, guess: int, *, now: float) -> None:
        """Send a whole sound before anything that waits."""
        size = -(-len(ulaw) // FRAME_SAMPLES) * FRAME_SAMPLES
        self._queue.put_first(self._queue.filler(ulaw, turn_id, guess, size))
        self.pump(now=now)

    def discard(self) -> None:
        """Send nothing more of what was opened, but the rest of a filler."""
        self._queue.discard()

    def is_sent(self, key: SegmentKey) -> bool:
        """True when the segment was sent to its end."""
        track = self._queue.find(key)
        return track is not None and track.is_whole and not track.waiting

    # --- what was heard ---------------------------------------------------------------------------

    def heard_samples(self, key: SegmentKey, *, now: float) -> int:
        """Samples of the segment that have reached the ear by ``now``."""
        track = self._queue.find(key)
        return 0 if track is None else track.heard(self._clock.heard(now))

    def is_all_heard(self, *, now: float) -> bool:
        """True when everything sent so far has reached the ear."""
        return self._clock.is_all_heard(now)

    def mark_played(self, name: str, *, now: float) -> None:
        """The carrier echoed a mark; unknown and cleared ones are ignored."""
        self._clock.mark_played(name, now=now)

    # --- louder, softer, silent -------------------------------------------------------------------

    def duck(self, *, now: float) -> None:
        """Turn the voice down at once; it goes on speaking."""
        self._take_back(now)
        self._gain.ramp(self._config.duck_db, self._config.duck_ramp_s)
        self.pump(now=now)

    def restore(self, *, now: float) -> None:
        """Turn it up again, from what was not sent yet on."""
        self._gain.ramp(0.0, self._config.restore_ramp_s)
        self.pump(now=now)

    def pause(self, *, now: float) -> None:
        """Fall silent at once; what was not heard waits, from the exact sample."""
        self._take_back(now)
        self._fade_out(now)
        self.is_paused = True

    def resume(self, *, now: float) -> None:
        """Go on after a ``pause``."""
        self.is_paused = False
        self._rise()
        self.pump(now=now)

    def clear(self, *, now: float) -> None:
        """Drop the queue and tell the carrier to do the same with what it holds."""
        self._cut(now)
        self._queue.clear()

    # --- sending ----------------------------------------------------------------------------------

    def pump(self, *, now: float) -> None:
        """Send what is due."""
        while not self.is_paused and (track := self._queue.head) is not None:
            frames = self._frames_due(track, now)
            if frames:
                self._send(track, frames * FRAME_SAMPLES - track.sent % FRAME_SAMPLES, now)
            if track.is_whole and not track.waiting:
                self._queue.pop()
                if track.sent > track.marked:
                    self._mark(track)
            elif not frames:
                return

    def next_deadline(self) -> float | None:
        """Loop time at which ``pump`` has something to send if nothing else comes; or None."""
        track = self._queue.head
        if self.is_paused or track is None:
            return None
        ready = len(track.waiting) // FRAME_SAMPLES
        if track.is_whole or ready >= self._config.chunk_frames:
            return self._clock.play_end - self._lead_s + self._config.chunk_frames * FRAME_S
        return self._clock.play_end - self._low_water_s if ready else None

    @property
    def _lead_s(self) -> float:
        if self._gain.target_db == 0.0:
            return self._config.lead_s
        shortest_s = self._config.chunk_frames * FRAME_S
        return min(self._config.lead_s, max(self._config.ducked_lead_s, shortest_s))

    @property
    def _low_water_s(self) -> float:
        """What the carrier holds when less than a chunk is sent rather than nothing."""
        return min(_LOW_WATER_S, self._lead_s - self._config.chunk_frames * FRAME_S)

    def _frames_due(self, track: Track, now: float) -> int:
        ready, rest = divmod(track.sent % FRAME_SAMPLES + len(track.waiting), FRAME_SAMPLES)
        if rest and track.waiting and track.is_whole:
            ready += 1
        ahead_s = self._clock.ahead_s(now)
        room = int((self._lead_s - ahead_s) / FRAME_S + _ROUNDING)
        if ahead_s > 0.0 and room < self._config.chunk_frames:
            return 0
        is_short = ready < self._config.chunk_frames and not track.is_whole
        if is_short and ahead_s > self._low_water_s + _ROUNDING:
            return 0
        return min(ready, room)

    def _send(self, track: Track, size: int, now: float) -> None:
        if track.sent == 0:
            track.stream_at = self._clock.sent
        if self._is_flowing and now > self._clock.play_end + _ROUNDING:
            self._note_hole(now)
        piece = self._queue.take(track, size, self._clock.sent, heard=self._clock.heard(now))
        start = self._clock.send(piece.size, now=now)
        if not track.is_filler:
            self._is_flowing = True
            if self.first_out_at is None:
                self.first_out_at, self.first_audible_at = now, start
            self.reply_end = self._clock.play_end
            self.reply_samples += piece.size
        sound = piece.padded if track.is_filler else self._gain.apply(piece.padded)
        self.levels.note(sound, start)
        self._emit(SendAudio(sound, track.key.turn_id, track.key.guess))
        is_end = track.is_whole and not track.waiting
        if not is_end and track.sent - track.marked >= self._config.mark_every_s * SAMPLE_RATE_HZ:
            self._mark(track)

    def _note_hole(self, now: float) -> None:
        self.underruns += 1
        self.underrun_s += now - self._clock.play_end
        if self._gain.target_db == 0.0:
            self._rise()

    def _rise(self) -> None:
        """What goes on in the middle of a sound begins softly."""
        self._gain.jump(SILENT_DB if self._config.join_s else 0.0)
        self._gain.ramp(0.0, self._config.join_s)

    def _mark(self, track: Track) -> None:
        name = track.mark(self._marks)  # a reply that was taken back has its segments once more
        self._marks += 1
        self._clock.note_mark(name)
        self._emit(SendMark(name))

    # --- taking back ------------------------------------------------------------------------------

    def _cut(self, now: float) -> int:
        """Tell the carrier to clear; returns the position up to which the stream was heard."""
        position = self._clock.cut(now=now)
        self._is_flowing = False
        self.reply_end = min(self.reply_end, now)
        self.levels.cut(now)
        self._emit(ClearPlayout())
        return position

    def _take_back(self, now: float) -> None:
        self.reply_samples -= self._queue.take_back(self._cut(now))

    def _fade_out(self, now: float) -> None:
        """What would have come next dies away; it is not counted as heard."""
        track = self._queue.head
        frames = round(self._config.fade_s / FRAME_S)
        if track is None or track.is_filler or frames == 0:
            return
        size = frames * FRAME_SAMPLES - track.sent % FRAME_SAMPLES
        if len(track.waiting) < size:
            return
        self._gain.ramp(SILENT_DB, size / SAMPLE_RATE_HZ)
        sound = self._gain.apply(bytes(track.waiting[:size]))
        tail = self._queue.filler(sound, track.key.turn_id, track.key.guess, size)
        tail.dies_away = True
        self._send(tail, size, now)

    def _track(self, key: SegmentKey) -> Track:
        track = self._queue.find(key)
        if track is None:
            raise KeyError(key)
        return track
