"""The media streams of one leg, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from simulation.carrier_callbacks import Callbacks
from simulation.carrier_errors import StreamRefused
from simulation.carrier_line import ABNORMAL_CLOSE, NORMAL_CLOSE, SocketAddress
from simulation.carrier_messages import Violation
from simulation.carrier_parts import LegParts, LegReport
from simulation.carrier_stream import CarrierStream, Person, StreamEnd, StreamSetup
from simulation.carrier_webhooks import CallIdentity, new_sid
from simulation.twiml_verbs import Stream


class StreamTalk:
    """Runs streams between a phone and a server, and counts what happens on them.

    Args:
        parts: Shared by all calls.
        identity: Whose call it is.
        report: Where it is counted.
        callbacks: Told of each stream's beginning and end.
    """

    def __init__(
        self, parts: LegParts, identity: CallIdentity, report: LegReport, callbacks: Callbacks
    ) -> None:
        self.stream: CarrierStream | None = None
        self._parts = parts
        self._identity = identity
        self._report = report
        self._callbacks = callbacks
        self._loop = asyncio.get_running_loop()

    async def run(self, noun: Stream, person: Person, is_wanted: Callable[[], bool]) -> StreamEnd:
        """Open a stream and carry it to its end.

        Args:
            noun: The TwiML.
            person: Holds the phone.
            is_wanted: False when the call was updated or ended while the socket was opening.

        Raises:
            StreamRefused: It could not be opened.
        """
        parts, report = self._parts, self._report
        setup = StreamSetup(
            address=SocketAddress(noun.url, parts.address.route(noun.url)),
            auth_token=parts.config.auth_token,
            account_sid=self._identity.account_sid,
            call_sid=self._identity.call_sid,
            stream_sid=new_sid("MZ", parts.random),
            parameters=noun.parameters,
            first_timestamp_ms=parts.random.randrange(80, 180),
            tls=parts.tls,
        )
        stream = CarrierStream(setup, person, parts.ticker, report.violations, parts.opener)
        opening_s = self._loop.time()
        try:
            await stream.open()
        except StreamRefused as error:
            self._callbacks.stream_status(noun, setup.stream_sid, "stream-error", error.message)
            raise
        self.stream = stream
        report.streams += 1
        if report.first_stream_s is None:
            report.first_stream_s = stream.started_s
        if not is_wanted():
            stream.hang_up()
        report.handshake_s.append(stream.started_s - opening_s)
        if report.last_stream_end_s is not None:
            report.stream_gaps_s.append(stream.started_s - report.last_stream_end_s)
        self._callbacks.stream_status(noun, setup.stream_sid, "stream-started")
        try:
            end = await stream.ended()
        finally:
            self.stream = None
            stream.drop()
            self._count(stream)
        report.last_stream_end_s = end.at_s
        self._callbacks.stream_status(noun, setup.stream_sid, "stream-stopped")
        return end

    def hang_up(self) -> None:
        """End the stream that runs, if one does, as a caller's hang-up would."""
        if self.stream is not None:
            self.stream.hang_up()

    def note_close(self, end: StreamEnd) -> None:
        """Count a close that was not a clean one."""
        if end.hung_up or end.close_code == NORMAL_CLOSE:
            return
        if end.close_code == ABNORMAL_CLOSE:
            error = Violation(31903, "the server vanished without a close frame")
        else:
            error = Violation(31921, f"the server closed with code {end.close_code}")
        self._report.errors.note(error)

    def _count(self, stream: CarrierStream) -> None:
        report, playout = self._report, stream.playout
        report.frames_sent += stream.frames_sent
        report.media_received += stream.media_received
        if report.first_media_s is None:
            report.first_media_s = stream.first_media_s
        report.heard_s += playout.heard_s
        report.cleared_s += playout.cleared_bytes / 8_000
        report.underruns_s += [underrun.length_s for underrun in playout.underruns]
