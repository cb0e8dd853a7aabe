"""The ConversationRelay sessions of one leg, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from simulation.carrier_errors import StreamRefused
from simulation.carrier_line import SocketAddress
from simulation.carrier_messages import Violation
from simulation.carrier_parts import LegParts, LegReport
from simulation.carrier_stream import Person
from simulation.carrier_webhooks import CallIdentity, Form, new_sid
from simulation.relay_line import RelayLine
from simulation.relay_session import RelayEnd, RelaySetup
from simulation.twiml_relay import Relay


class RelayTalk:
    """Runs sessions between a phone and a server, and counts what happens in them.

    Args:
        parts: Shared by all calls.
        identity: Whose call it is.
        report: Where it is counted.
    """

    def __init__(self, parts: LegParts, identity: CallIdentity, report: LegReport) -> None:
        self.line: RelayLine | None = None
        self._parts = parts
        self._identity = identity
        self._report = report
        self._loop = asyncio.get_running_loop()

    async def run(
        self, noun: Relay, person: Person, is_wanted: Callable[[], bool]
    ) -> tuple[RelayEnd, Form]:
        """Open a session and carry it to its end; returns what ``action`` is told.

        Args:
            noun: The TwiML.
            person: Holds the phone.
            is_wanted: False when the call was updated or ended while the socket was opening.
        """
        parts, report = self._parts, self._report
        setup = RelaySetup(
            noun=noun,
            address=SocketAddress(noun.url, parts.address.route(noun.url)),
            auth_token=parts.config.auth_token,
            identity=self._identity,
            session_id=new_sid("VX", parts.random),
            tls=parts.tls,
            timing=parts.config.relay,
        )
        line = RelayLine(setup, person, parts.ticker, report.violations, parts.opener)
        opening_s = self._loop.time()
        try:
            await line.open()
        except StreamRefused as error:
            report.errors.note(Violation(error.code, error.message))
            end = RelayEnd(self._loop.time(), "failed", (error.code, error.message))
            return end, end.fields(setup.session_id, 0.0)
        self.line = line
        report.streams += 1
        report.relays += 1
        if report.first_stream_s is None:
            report.first_stream_s = line.started_s
        if not is_wanted():
            line.hang_up()
        report.handshake_s.append(line.started_s - opening_s)
        if report.last_stream_end_s is not None:
            report.stream_gaps_s.append(line.started_s - report.last_stream_end_s)
        try:
            end = await line.ended()
        finally:
            self.line = None
            line.drop()
            report.keys += line.keys
            report.relay_sockets += line.sockets
            report.heard_s += line.voice.playout.heard_s
            report.cleared_s += line.voice.playout.cleared_bytes / 8_000
        if end.status == "failed":
            report.errors.note(Violation(*end.error))
        report.last_stream_end_s = end.at_s
        return end, end.fields(setup.session_id, end.at_s - line.started_s)

    def hang_up(self) -> None:
        """End the session that runs, if one does, as a caller's hang-up would."""
        if self.line is not None:
            self.line.hang_up()
