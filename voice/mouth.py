"""The reply that is being prepared or spoken: its segments, from text to the ear.

Rules:

1. One reply at a time, named by ``(turn_id, guess)``. ``owns`` is the one guard: what does not
   belong to the open reply never gets past it, so nothing of an abandoned guess is ever sent.
2. A held reply has its first segment synthesised and keeps the audio; ``release`` queues what
   came. A released reply has at most ``segments_ahead`` synthesised beyond the one being sent.
3. ``truncate`` ends a reply before a segment that cannot be had: what came before it is still
   said, nothing behind it is asked for or taken in.
"""

from __future__ import annotations

from collections.abc import Callable

from voice.config import VoiceConfig
from voice.events import Output, Synthesise
from voice.heard import SpokenSegment, heard_text
from voice.playout import Playout, SegmentKey
from voice.ports import TextMark
from voice.words import has_words, join_words


class _Segment:
    """One piece of the reply."""

    __slots__ = ("audio", "is_cut", "is_requested", "is_whole", "marks", "received", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.is_requested = False
        self.is_whole = False
        self.is_cut = False  # nothing more will come, but not all of the text was spoken
        self.audio = b""  # held until the reply is released
        self.received = 0
        self.marks: tuple[TextMark, ...] = ()


class Mouth:
    """Prepares and speaks one reply after another.

    Args:
        config: Pacing and look-ahead.
        emit: Takes the outputs.

    Attributes:
        playout: What is under way to the ear.
        requested_at: Loop time at which the reply's first segment was given to synthesis.
        first_byte_at: Loop time at which its first audio came.
        progress_at: Loop time at which the reply last came a step further.
        is_truncated: True after ``truncate``.
    """

    __slots__ = (
        "_ahead",
        "_emit",
        "_is_open",
        "_is_planned",
        "_is_released",
        "_key",
        "_reply_wait_s",
        "_segments",
        "_sending",
        "first_byte_at",
        "is_truncated",
        "playout",
        "progress_at",
        "requested_at",
    )

    def __init__(self, config: VoiceConfig, emit: Callable[[Output], None]) -> None:
        self._ahead = config.segments_ahead
        self._reply_wait_s = config.reply_wait_s
        self._emit = emit
        self.playout = Playout(config.playout, emit)
        self._key = (0, 0)
        self._is_open = False
        self._segments: list[_Segment] = []
        self._sending = 0
        self._is_planned = False
        self._is_released = False
        self.is_truncated = False
        self.requested_at: float | None = None
        self.first_byte_at: float | None = None
        self.progress_at = 0.0

    def owns(self, turn_id: int, guess: int) -> bool:
        """True for the open reply while it still takes something in."""
        return self._is_open and self._key == (turn_id, guess)

    @property
    def planned_text(self) -> str:
        """All the reply means to say, as far as it is known."""
        return join_words(segment.text for segment in self._segments)

    @property
    def has_segments(self) -> bool:
        """True when something was planned."""
        return bool(self._segments)

    @property
    def first_missing(self) -> int:
        """Index of the first segment whose audio is not all there, planned or not."""
        whole = (at for at, segment in enumerate(self._segments) if not segment.is_whole)
        return next(whole, len(self._segments))

    def has_speech_before(self, index: int) -> bool:
        """True when there is something to say even if segment ``index`` will not come."""
        return index > 0 or any(segment.received for segment in self._segments[:1])

    @property
    def is_audible(self) -> bool:
        """True once some of the reply was sent."""
        return self.playout.first_out_at is not None

    @property
    def is_complete(self) -> bool:
        """True when all of the reply was planned, has arrived and was sent."""
        return self.is_all_there and self._is_released and not self.playout.has_unsent

    @property
    def is_all_there(self) -> bool:
        """True when nothing more is expected from mind or synthesis, sent or not."""
        return self._is_planned and all(segment.is_whole for segment in self._segments)

    def begin(self, turn_id: int, guess: int, *, now: float) -> None:
        """Open a reply and hold it."""
        self._key = (turn_id, guess)
        self._is_open = True
        self.playout.begin_reply()
        self._segments = []
        self._sending = 0
        self._is_planned = self._is_released = self.is_truncated = False
        self.requested_at = self.first_byte_at = None
        self.progress_at = now

    def close(self) -> None:
        """The open reply is over: nothing more is taken in or sent for it."""
        self._is_open = False
        self.playout.discard()

    def plan(self, index: int, text: str, *, now: float) -> None:
        """Segment ``index`` shall say ``text``; anything but the next index is ignored.

        Text without a single word needs no audio.
        """
        if index != len(self._segments) or self._is_planned:
            return
        segment = _Segment(text)
        segment.is_requested = segment.is_whole = not has_words(text)
        self._segments.append(segment)
        self.progress_at = now
        if self._is_released:
            self.playout.open(self._playout_key(index))
            if segment.is_whole:
                self.playout.finish(self._playout_key(index))
        self.pump(now=now)

    def finish_plan(self, *, now: float) -> None:
        """No more segments will come."""
        self._is_planned = True
        self.progress_at = now

    def arrive(self, index: int, ulaw: bytes, marks: tuple[TextMark, ...], *, now: float) -> None:
        """Audio of a requested segment."""
        segment = self._requested(index)
        if segment is None:
            return
        segment.marks += marks
        segment.received += len(ulaw)
        if ulaw and self.first_byte_at is None:
            self.first_byte_at = now
        self.progress_at = now
        if self._is_released:
            self.playout.append(self._playout_key(index), ulaw)
            self.pump(now=now)
        else:
            segment.audio += ulaw

    def finish_segment(self, index: int, *, now: float) -> bool:
        """All audio of a requested segment has arrived; False when there was none at all."""
        segment = self._requested(index)
        if segment is None:
            return True
        if segment.received == 0:
            return False
        segment.is_whole = True
        self.progress_at = now
        if self._is_released:
            self.playout.finish(self._playout_key(index))
            self.pump(now=now)
        return True

    def release(self, *, now: float) -> None:
        """The reply is wanted: what was held goes out, the rest follows as it comes."""
        self._is_released = True
        self.progress_at = now
        for index, segment in enumerate(self._segments):
            key = self._playout_key(index)
            self.playout.open(key)
            self.playout.append(key, segment.audio)
            segment.audio = b""
            if segment.is_whole:
                self.playout.finish(key)
        self.pump(now=now)

    def truncate(self, index: int, *, now: float) -> None:
        """Segment ``index`` and what follows will not come; audio it already has is kept."""
        self._is_planned = self.is_truncated = True
        for number, segment in enumerate(self._segments[index:], index):
            segment.is_cut = segment.is_cut or not segment.is_whole
            segment.is_whole = True
            if self._is_released:
                self.playout.finish(self._playout_key(number))
        said = [at for at, segment in enumerate(self._segments) if at < index or segment.received]
        del self._segments[said[-1] + 1 if said else 0 :]
        self.pump(now=now)

    def pump(self, *, now: float) -> None:
        """Send what is due and ask for the segments that come next."""
        sent_before = self.playout.first_out_at
        self.playout.pump(now=now)
        if self.playout.first_out_at is not sent_before:
            self.progress_at = now
        while self._sending < len(self._segments) and self.playout.is_sent(
            self._playout_key(self._sending)
        ):
            self._sending += 1
        self._request(now)

    def heard_text(self, *, now: float) -> str:
        """What of the open or last reply has reached the ear."""
        return heard_text(
            SpokenSegment(
                segment.text,
                segment.marks,
                self.playout.heard_samples(self._playout_key(index), now=now),
                segment.received,
                segment.is_whole and not segment.is_cut,
            )
            for index, segment in enumerate(self._segments)
        )

    def is_stuck(self, *, now: float) -> bool:
        """True when a released reply has not come a step further for too long."""
        return now >= self._stuck_at() - 1e-6

    def next_deadline(self) -> float | None:
        """Loop time at which a released reply has something to send, was heard, or is stuck."""
        if self.is_complete:
            return self.playout.heard_all_at
        send_at = self.playout.next_deadline()
        if self.is_all_there:
            return send_at
        stuck_at = self._stuck_at()
        return stuck_at if send_at is None else min(send_at, stuck_at)

    def _stuck_at(self) -> float:
        if self.is_all_there:
            return float("inf")
        return max(self.progress_at, self.playout.reply_end) + self._reply_wait_s

    def _playout_key(self, index: int) -> SegmentKey:
        return SegmentKey(*self._key, index)

    def _requested(self, index: int) -> _Segment | None:
        if not 0 <= index < len(self._segments):
            return None
        segment = self._segments[index]
        return segment if segment.is_requested and not segment.is_whole else None

    def _request(self, now: float) -> None:
        if not self._is_open:
            return
        last = self._sending + self._ahead if self._is_released else 0
        for index in range(min(last + 1, len(self._segments))):
            segment = self._segments[index]
            if segment.is_requested:
                continue
            segment.is_requested = True
            if self.requested_at is None:
                self.requested_at = now
            self._emit(Synthesise(*self._key, index, segment.text))
