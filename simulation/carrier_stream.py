"""One media stream of a phone leg: frames out on the ticker, audio and marks in, until it ends.

Rules
- ``connected``, ``start``, then one ``media`` each 20 ms with marks and digits between them.
- Audio of the server goes through the playout clock; marks come back when their audio has played.
- What the server may not send is noted, and the stream goes on.
- When the server reads too slowly, the caller's frames are dropped (31930, once a stream).
- The caller's hang-up is ``stop`` and a close; if the server closes or vanishes there is no stop.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from simulation.carrier_line import ABNORMAL_CLOSE, LineSocket, Opener, SocketAddress, SocketEars
from simulation.carrier_messages import (
    BINARY,
    CONNECTED,
    MessageWriter,
    ServerClear,
    ServerMark,
    ServerMedia,
    Violation,
    read_server_message,
)
from simulation.carrier_socket import open_socket
from simulation.carrier_ticker import Ticker
from simulation.playout_clock import Heard, PlayoutClock

_KEPT_DETAILS = 20
# Some three seconds of frames, on top of what the kernel holds: nobody is reading any more.
STALLED_BYTES = 64 * 1024
HANG_UP_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class Press:
    """The caller presses a key: ``0`` to ``9``, ``*``, ``#``."""

    digit: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """The caller hangs up."""


class Person(Protocol):
    """Whoever holds the phone. All calls are synchronous; times are loop times in seconds."""

    @property
    def speaking(self) -> bool:
        """True while a clip is being spoken."""

    def stream_opened(self, *, now: float) -> None:
        """The line carries sound from now on."""

    def stream_closed(self, heard: Sequence[Heard], *, now: float) -> None:
        """The line carries no sound any more, perhaps not for ever; what waited is lost."""

    def playout_cleared(self, heard: Sequence[Heard], *, now: float) -> None:
        """The server took back what had not been played; ``heard`` is what was played before."""

    def tick(
        self, due_s: float, now: float, heard: Sequence[Heard]
    ) -> tuple[str | None, Sequence[Press | HangUp]]:
        """One frame later.

        Args:
            due_s: When this frame was due; its samples were spoken in the 20 ms before.
            now: When it really is.
            heard: What has been played to the ear since the last tick.

        Returns:
            The frame as base64 of 160 mu-law bytes (None: no packet this time), and what else the
            person does.
        """


class Findings:
    """Violations and errors of a call, counted by code; the first few in words."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()
        self.details: list[Violation] = []

    def note(self, violation: Violation) -> None:
        """Count one."""
        self.counts[violation.code] += 1
        if len(self.details) < _KEPT_DETAILS:
            self.details.append(violation)


@dataclass(frozen=True, slots=True)
class StreamSetup:
    """What a stream is opened with.

    Attributes:
        address: Where to sign for and where to connect.
        auth_token: Signs the upgrade.
        account_sid: ``AC...``.
        call_sid: ``CA...``.
        stream_sid: ``MZ...``; a new one for each stream.
        parameters: Become ``customParameters``.
        first_timestamp_ms: Of the first frame; observed between 80 and 180.
        tls: For ``wss`` connections; the default context when None.
    """

    address: SocketAddress
    auth_token: str
    account_sid: str
    call_sid: str
    stream_sid: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    first_timestamp_ms: int = 120
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How a stream ended.

    Attributes:
        at_s: Loop time.
        hung_up: The caller ended it.
        close_code: Of the server's close frame; 1006 when none came.
    """

    at_s: float
    hung_up: bool
    close_code: int


class CarrierStream:
    """A stream between a person and a server.

    Args:
        setup: See ``StreamSetup``.
        person: Speaks and listens.
        ticker: The process's 20 ms clock.
        findings: Where violations are noted.
        opener: Opens the socket; the network's unless a test brings its own.
    """

    def __init__(
        self,
        setup: StreamSetup,
        person: Person,
        ticker: Ticker,
        findings: Findings,
        opener: Opener = open_socket,
    ) -> None:
        self.setup = setup
        self.writer = MessageWriter(
            setup.account_sid, setup.call_sid, setup.stream_sid, setup.first_timestamp_ms
        )
        self.playout = PlayoutClock()
        self.socket: LineSocket | None = None
        self.frames_sent = 0
        self.frames_dropped = 0
        self.media_received = 0
        self.first_media_s: float | None = None
        self.started_s = 0.0
        self._person = person
        self._ticker = ticker
        self._findings = findings
        self._opener = opener
        self._loop = asyncio.get_running_loop()
        self._first_due_s: float | None = None
        self._muted_until_s = 0.0
        self._hung_up = False
        self._ended: asyncio.Future[StreamEnd] = self._loop.create_future()

    async def open(
        self, *, greet: bool = True, parameters: Mapping[str, str] | None = None
    ) -> None:
        """Connect, upgrade, send ``connected`` and ``start``, and begin to tick.

        Args:
            greet: False sends nothing and does not tick: for faults that begin otherwise.
            parameters: Instead of those of the setup: for faults with a wrong token.

        Raises:
            StreamRefused: The server did not accept the socket.
        """
        ears = SocketEars(self._take_text, self._take_binary, self._take_closed)
        setup = self.setup
        self.socket = await self._opener(setup.address, setup.auth_token, ears, setup.tls)
        if greet:
            self.socket.send_text(CONNECTED)
            self.start(parameters)

    def start(self, parameters: Mapping[str, str] | None = None) -> None:
        """Send ``start`` and begin to send frames."""
        self.send(self.writer.start(self.setup.parameters if parameters is None else parameters))
        self.started_s = self._loop.time()
        if not self._ended.done():
            self._person.stream_opened(now=self.started_s)
            self._ticker.add(self._tick)

    async def ended(self) -> StreamEnd:
        """Wait until the stream is over."""
        return await asyncio.shield(self._ended)

    def send(self, text: str) -> None:
        """Send a message as it is."""
        if self.socket is not None:
            self.socket.send_text(text)

    def mute(self, duration_s: float) -> None:
        """Send no frames for a while; timestamps go on, so that the gap shows."""
        self._muted_until_s = self._loop.time() + duration_s

    def hang_up(self) -> None:
        """The caller hangs up: ``stop``, then the socket is closed."""
        if self._hung_up or self._ended.done():
            return
        self._hung_up = True
        self._ticker.remove(self._tick)
        self.send(self.writer.stop())
        if self.socket is not None:
            self.socket.close()
        # A server that never answers the close must not hold the caller on the line.
        self._loop.call_later(HANG_UP_GRACE_S, self._finish, ABNORMAL_CLOSE)

    def drop(self) -> None:
        """Lose the connection without a word, as a network does."""
        if self.socket is not None:
            self.socket.abort()
        self._finish(ABNORMAL_CLOSE)

    def _tick(self, due_s: float, now: float) -> None:
        for name in self.playout.advance(now=now):
            self.send(self.writer.mark(name))
        if self._person.speaking:
            self.playout.caller_spoke()
        payload, actions = self._person.tick(due_s, now, self.playout.take_heard())
        if self._first_due_s is None:
            self._first_due_s = due_s
        if payload is not None and now >= self._muted_until_s and not self._is_stalled():
            self.send(self.writer.media(payload, round((due_s - self._first_due_s) * 1_000)))
            self.frames_sent += 1
        for action in actions:
            if isinstance(action, HangUp):
                self.hang_up()
            else:
                self.send(self.writer.dtmf(action.digit))

    def _is_stalled(self) -> bool:
        if self.socket is None or self.socket.unsent_bytes < STALLED_BYTES:
            return False
        if not self.frames_dropped:
            self._findings.note(Violation(31930, "the server reads too slowly: frames dropped"))
        self.frames_dropped += 1
        return True

    def _take_text(self, text: str) -> None:
        now = self._loop.time()
        message = read_server_message(text, self.setup.stream_sid)
        match message:
            case ServerMedia(audio=audio):
                self.media_received += 1
                if self.first_media_s is None:
                    self.first_media_s = now
                overflowed = self.playout.overflowed
                if not self.playout.media(audio, now=now) and not overflowed:
                    self._findings.note(Violation(31931, "more than ten minutes of audio queued"))
            case ServerMark(name=name):
                for echo in self.playout.mark(name, now=now):
                    self.send(self.writer.mark(echo))
            case ServerClear():
                for echo in self.playout.clear(now=now):
                    self.send(self.writer.mark(echo))
                self._person.playout_cleared(self.playout.take_heard(), now=now)
            case Violation():
                self._findings.note(message)

    def _take_binary(self, _length: int) -> None:
        self._findings.note(Violation(BINARY, "a binary frame"))

    def _take_closed(self, code: int, _clean: bool) -> None:
        self._finish(code)

    def _finish(self, code: int) -> None:
        if self._ended.done():
            return
        now = self._loop.time()
        self._ticker.remove(self._tick)
        self.playout.clear(now=now)
        self._person.stream_closed(self.playout.take_heard(), now=now)
        self._ended.set_result(StreamEnd(now, self._hung_up, code))
        if self.socket is not None and (self._hung_up or code == ABNORMAL_CLOSE):
            self.socket.abort()
