"""The reply that is being spoken: its segments, from text to the ear.

Rules:

1. One reply at a time, named by ``(turn_id, guess)``. ``owns`` is the one guard: what does not
   belong to the open reply never gets past it, so nothing of an abandoned guess is ever sent.
2. What a reply has when it is opened is queued at once, in the same breath; the rest follows as it
   comes. At most ``segments_ahead`` are synthesised beyond the one being sent.
3. For as long as the caller may turn out not to have finished, the audio is kept, within bounds:
   ``take_back`` then gives the reply back whole, to be held again.
"""

from __future__ import annotations

from collections.abc import Callable

from voice.config import VoiceConfig
from voice.events import Output, Synthesise
from voice.heard import heard_text
from voice.playout import Playout, SegmentKey
from voice.ports import TextMark
from voice.reply import Reply

_KEPT_WHILE_SPOKEN = 3  # times what a held reply may take: its audio comes in faster now


class Mouth:
    """Speaks one reply after another.

    Args:
        config: Pacing and look-ahead.
        emit: Takes the outputs.

    Attributes:
        playout: What is under way to the ear.
        reply: What is or was spoken last.
        progress_at: Loop time at which the reply last came a step further.
    """

    __slots__ = (
        "_ahead",
        "_emit",
        "_is_open",
        "_kept_bytes",
        "_kept_s",
        "_reply_wait_s",
        "_sending",
        "playout",
        "progress_at",
        "reply",
    )

    def __init__(self, config: VoiceConfig, emit: Callable[[Output], None]) -> None:
        self._ahead = config.segments_ahead
        self._reply_wait_s = config.reply_wait_s
        self._kept_bytes = config.speculation.held_bytes * _KEPT_WHILE_SPOKEN
        self._kept_s = config.went_on_heard_s
        self._emit = emit
        self.playout = Playout(config.playout, emit)
        self.reply = Reply((0, 0), 0)
        self._is_open = False
        self._sending = 0
        self.progress_at = 0.0

    def owns(self, turn_id: int, guess: int) -> bool:
        """True for the open reply while it still takes something in."""
        return self._is_open and self.reply.key == (turn_id, guess)

    @property
    def is_audible(self) -> bool:
        """True once some of the reply was sent."""
        return self.playout.first_out_at is not None

    @property
    def is_complete(self) -> bool:
        """True when all of the reply was planned, has arrived and was sent."""
        return self.reply.is_all_there and not self.playout.has_unsent

    def speak(self, reply: Reply, *, now: float) -> None:
        """Open a reply: what it has goes out, the rest follows as it comes."""
        self.reply = reply
        self._is_open = True
        self._sending = 0
        self.progress_at = now
        self.playout.begin_reply()
        for index, segment in enumerate(reply.segments):
            key = self._playout_key(index)
            self.playout.open(key)
            for chunk in segment.chunks:
                self.playout.append(key, chunk)
            if segment.is_whole:
                self.playout.finish(key)
        self.pump(now=now)

    def close(self) -> None:
        """The open reply is over: nothing more is taken in or sent for it."""
        self._is_open = False
        self.playout.discard()
        self.reply.forget_audio()

    def take_back(self) -> Reply | None:
        """The open reply as if it had never begun, its audio still to be cleared; or None.

        None if not all of its audio was kept: then it stays as it is.
        """
        if not self._is_open or not self.reply.is_kept:
            return None
        reply, self.reply = self.reply, Reply(self.reply.key, 0)
        self._is_open = False
        self.playout.discard()
        return reply

    def plan(self, index: int, text: str, *, now: float) -> None:
        """Segment ``index`` shall say ``text``; anything but the next index is ignored."""
        segment = self.reply.plan(index, text)
        if segment is None:
            return
        self.progress_at = now
        self.playout.open(self._playout_key(index))
        if segment.is_whole:
            self.playout.finish(self._playout_key(index))
        self.pump(now=now)

    def wait_longer(self, for_s: float, *, now: float) -> None:
        """The mind is busy with something else for so long at the most; 0 when it is back."""
        self.reply.work(for_s)
        self.progress_at = now

    def finish_plan(self, *, now: float) -> None:
        """No more segments will come."""
        self.reply.is_planned = True
        self.progress_at = now

    def arrive(self, index: int, ulaw: bytes, marks: tuple[TextMark, ...], *, now: float) -> None:
        """Audio of a requested segment."""
        if self.reply.arrive(index, ulaw, marks, now=now) is None:
            return
        if self.reply.kept_bytes > self._kept_bytes:
            self.reply.forget_audio()
        self.progress_at = now
        self.playout.append(self._playout_key(index), ulaw)
        self.pump(now=now)

    def finish_segment(self, index: int, *, now: float) -> bool:
        """All audio of a requested segment has arrived; False when there was none at all."""
        segment = self.reply.finish_segment(index)
        if segment is None:
            return True
        if not segment.is_whole:
            return False
        self.progress_at = now
        self.playout.finish(self._playout_key(index))
        self.pump(now=now)
        return True

    def truncate(self, index: int, *, now: float) -> None:
        """Segment ``index`` and what follows will not come; audio it already has is kept."""
        for number in self.reply.truncate(index):
            self.playout.finish(self._playout_key(number))
        self.pump(now=now)

    def pump(self, *, now: float) -> None:
        """Send what is due and ask for the segments that come next."""
        playout, reply = self.playout, self.reply
        sent_before = playout.first_out_at
        playout.pump(now=now)
        if playout.first_out_at is not sent_before:
            self.progress_at = now
        while self._sending < len(reply.segments) and playout.is_sent(
            self._playout_key(self._sending)
        ):
            self._sending += 1
        if not self._is_open:
            return
        for index, text in reply.requests(self._sending + self._ahead, now=now):
            self._emit(Synthesise(*reply.key, index, text))
        audible_at = playout.first_audible_at
        if reply.is_kept and audible_at is not None and now > audible_at + self._kept_s:
            reply.forget_audio()

    def heard_text(self, *, now: float) -> str:
        """What of the open or last reply has reached the ear."""
        return heard_text(
            self.reply.spoken(index, self.playout.heard_samples(self._playout_key(index), now=now))
            for index in range(len(self.reply.segments))
        )

    def is_stuck(self, *, now: float) -> bool:
        """True when a reply has not come a step further for too long."""
        return now >= self._stuck_at() - 1e-6

    def next_deadline(self) -> float | None:
        """Loop time at which a reply has something to send, was heard, or is stuck."""
        if self.is_complete:
            return self.playout.heard_all_at
        send_at = self.playout.next_deadline()
        if self.reply.is_all_there:
            return send_at
        stuck_at = self._stuck_at()
        return stuck_at if send_at is None else min(send_at, stuck_at)

    def _stuck_at(self) -> float:
        if self.reply.is_all_there:
            return float("inf")
        working_s = 0.0 if self.reply.is_planned else self.reply.working_s
        wait_s = max(self._reply_wait_s, working_s)
        return max(self.progress_at, self.playout.reply_end) + wait_s

    def _playout_key(self, index: int) -> SegmentKey:
        return SegmentKey(*self.reply.key, index)
