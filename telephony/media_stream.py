"""One bidirectional Media Stream, read into events: the machine behind one WebSocket.

The rules:

1. Order: connected, start, then anything, then stop. ``connected`` may be missing (reported, not
   punished). A message out of its place (media before start, a second start, another stream's sid)
   is dropped, counted and reported as a ``ProtocolWarning``; after stop everything is ignored.
2. Bad messages (malformed or out of place) do not end a call, but fifty in a row do: ``receive``
   raises ``TooManyBadMessages``. Likewise a format other than mu-law/8000/1 and a ``start`` that
   does not come within 5 s. After a fatal error every call raises it again.
3. The sequence number decides what is new (``message_order.py``). Late keys and marks still count,
   late audio does not, since its place has been filled; duplicates are dropped.
4. Audio comes out in whole 20 ms frames that keep the time of Twilio's timestamps
   (``media_time.py``); what does not fill a frame is padded at stop.
5. When nothing comes for 0.4 s (silence suppression somewhere on the way), silence comes out in
   real time from ``handle_deadline``, so that whoever waits for the end of a turn sees it. A
   deadline handled more than 0.1 s late means that this process was asleep and that the audio may
   be waiting in the socket: then nothing is made up until it has been read.

Nothing here does I/O or reads a clock; ``now`` is loop time in seconds.
"""

from __future__ import annotations

from collections import deque
from typing import assert_never

from telephony.errors import (
    MalformedMessage,
    OutOfPlace,
    RemoteProtocolError,
    StartOverdue,
    StreamRefused,
    TooManyBadMessages,
    UnsupportedFormat,
)
from telephony.media_time import MediaTime
from telephony.message_order import MessageOrder
from telephony.messages import (
    Connected,
    Dtmf,
    Mark,
    Media,
    MediaFormat,
    Message,
    Start,
    Stop,
    UnknownEvent,
    parse,
    read_media,
)
from telephony.stream_events import (
    AudioReceived,
    DtmfReceived,
    MarkReceived,
    ProtocolWarning,
    StreamEvent,
    StreamStarted,
    StreamStats,
    StreamStopped,
)

START_TIMEOUT_S = 5.0
QUIET_S = 0.4
ASLEEP_S = 0.1
MAX_BAD_IN_A_ROW = 50

_FRAME_S = 0.02
_FORMAT = MediaFormat("audio/x-mulaw", 8_000, 1)


class MediaStream:
    """Reads one stream.

    Args:
        now: Loop time when the socket was accepted; ``start`` is due 5 s later.

    Attributes:
        stats: Counters; read them at any time.
        stream_sid: Empty until ``start``.
    """

    def __init__(self, *, now: float) -> None:
        self.stats = StreamStats()
        self.stream_sid = ""
        self._events: deque[StreamEvent] = deque()
        self._connected = False
        self._is_live = False
        self._stopped = False
        self._failure: StreamRefused | None = None
        self._bad_in_a_row = 0
        self._order = MessageOrder(self.stats)
        self._media_time = MediaTime(self.stats)
        # Loop time up to which there is audio; when silence is to be made up, or start is due.
        self._audio_until = now
        self._deadline: float | None = now + START_TIMEOUT_S

    def receive(self, message: str | bytes, *, now: float) -> None:
        """Take one WebSocket message in; then drain ``next_event``.

        Args:
            message: Text of a text frame, or the bytes of a binary one (which is a bad message).
            now: Loop time.

        Raises:
            StreamRefused: The stream cannot go on; close the socket with ``close_code``.
        """
        self._hand_out(self.receive_audio(message, now=now))

    def receive_audio(self, message: str | bytes, *, now: float) -> AudioReceived | None:
        """As ``receive``; what is nothing but audio comes back at once and is no event.

        Returns:
            Whole frames; None when there are none, or there is more to it: drain ``next_event``.

        Raises:
            StreamRefused: See ``receive``.
        """
        if self._is_live and isinstance(message, str):
            media = read_media(message)
            # The road of nearly every message. Whatever is not plain takes the other one.
            if (
                media is not None
                and media[0] == self._order.next_sequence
                and media[1] == self.stream_sid
            ):
                self._order.next_sequence += 1
                self._bad_in_a_row = 0
                self._heard(now)
                audio = self._media_time.take(media[2], media[3])
                if not self._events:
                    return audio
                self._hand_out(audio)
                return None
        self._receive_any(message, now)
        return None

    def next_event(self) -> StreamEvent | None:
        """The oldest event not yet handed out; None when there is none."""
        return self._events.popleft() if self._events else None

    def next_deadline(self) -> float | None:
        """Loop time at which ``handle_deadline`` is due; None after the end of the stream."""
        return self._deadline

    def handle_deadline(self, *, now: float) -> None:
        """Make up silence for a quiet stream, or give up on one that did not start.

        Does nothing before the deadline. Read what waits in the socket first.

        Raises:
            StreamRefused: ``start`` did not come in time, or the stream failed before.
        """
        if self._failure is not None:
            raise self._failure
        if self._deadline is None or now < self._deadline:
            return
        if not self.stream_sid:
            raise self._fail(StartOverdue(f"no start within {START_TIMEOUT_S:g} s"))
        if now > self._deadline + ASLEEP_S:
            self._deadline = now + ASLEEP_S
            self._audio_until = now
            return
        # A hundredth of a frame, so that rounding of loop times never costs a frame.
        frames = int((now - self._audio_until) / _FRAME_S + 0.01)
        self._audio_until += frames * _FRAME_S
        self._deadline = self._audio_until + _FRAME_S
        self._hand_out(self._media_time.fill(frames))

    # --- messages ---------------------------------------------------------------------------------

    def _receive_any(self, message: str | bytes, now: float) -> None:
        if self._failure is not None:
            raise self._failure
        if self._stopped:
            self.stats.after_stop += 1
            return
        try:
            self._take(parse(message), now)
        except MalformedMessage as error:
            self.stats.malformed += 1
            self._report(error)
        except OutOfPlace as error:
            self.stats.out_of_place += 1
            self._report(error)
        else:
            self._bad_in_a_row = 0

    def _report(self, error: RemoteProtocolError) -> None:
        self._events.append(ProtocolWarning(error))
        self._bad_in_a_row += 1
        if self._bad_in_a_row >= MAX_BAD_IN_A_ROW:
            raise self._fail(
                TooManyBadMessages(f"{MAX_BAD_IN_A_ROW} bad messages in a row, the last: {error}")
            )

    def _fail(self, error: StreamRefused) -> StreamRefused:
        self._failure = error
        self._is_live = False
        self._deadline = None
        return error

    def _take(self, message: Message, now: float) -> None:
        match message:
            case Connected():
                if self._connected or self.stream_sid:
                    raise OutOfPlace("a second connected")
                self._connected = True
            case Start():
                self._start(message, now)
            case UnknownEvent():
                self.stats.unknown += 1
            case Media() | Dtmf() | Mark() | Stop():
                self._take_from_stream(message, now)
            case _:
                assert_never(message)

    def _start(self, start: Start, now: float) -> None:
        if self.stream_sid:
            raise OutOfPlace("a second start: one socket carries one stream")
        if start.media_format != _FORMAT:
            raise self._fail(
                UnsupportedFormat(f"{start.media_format} where only {_FORMAT} is spoken")
            )
        if not self._connected:
            self._events.append(ProtocolWarning(OutOfPlace("start without connected")))
        self.stream_sid = start.stream_sid
        self._is_live = True
        self._order.next_sequence = start.sequence + 1
        self._heard(now)
        self._events.append(
            StreamStarted(
                start.stream_sid,
                start.call_sid,
                start.account_sid,
                start.custom_parameters,
                start.media_format,
            )
        )

    def _take_from_stream(self, message: Media | Dtmf | Mark | Stop, now: float) -> None:
        name = type(message).__name__.lower()
        if not self.stream_sid:
            raise OutOfPlace(f"{name} before start")
        if message.stream_sid != self.stream_sid:
            raise OutOfPlace(f"{name} of another stream")
        is_in_order = self._order.place(message.sequence)
        if is_in_order is None:
            return
        match message:
            case Media():
                if message.track != "inbound":
                    self.stats.other_track += 1
                elif is_in_order:
                    self._take_audio(message.timestamp_ms, message.ulaw, now)
            case Dtmf():
                self._events.append(DtmfReceived(message.digit))
            case Mark():
                self._events.append(MarkReceived(message.name))
            case Stop():
                self._stop()
            case _:
                assert_never(message)

    def _stop(self) -> None:
        self._hand_out(self._media_time.flush())
        self._stopped = True
        self._is_live = False
        self._deadline = None
        self._events.append(StreamStopped())

    # --- audio ------------------------------------------------------------------------------------

    def _take_audio(self, timestamp_ms: int, ulaw: bytes, now: float) -> None:
        self._heard(now)
        self._hand_out(self._media_time.take(timestamp_ms, ulaw))

    def _heard(self, now: float) -> None:
        self._audio_until = now
        self._deadline = now + QUIET_S

    def _hand_out(self, audio: AudioReceived | None) -> None:
        if audio is not None:
            self._events.append(audio)
