"""A phone leg as the carrier runs it: webhook, TwiML, stream, call-backs, until somebody hangs up.

Rules (the numbers are Twilio's error codes)
- The first request says ``ringing``, later ones ``in-progress``. When it fails, the fallback URL is
  asked with ``ErrorCode`` and ``ErrorUrl``; without one the call is ``failed``.
- ``<Connect>`` blocks. When its stream ends, or could not be opened: ``action`` is asked if there
  is one, else the next verb runs, else the call is over.
- When the caller hung up, ``action`` is asked all the same with ``completed``, its answer ignored.
- A closed stream is never opened again by the carrier; only new TwiML opens another.
- ``update`` (REST in mid-call) replaces what the call does: the stream gets its ``stop``, the old
  document and its ``action`` are forgotten, the new one runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from simulation.carrier_callbacks import Callbacks
from simulation.carrier_errors import CarrierError, StreamRefused
from simulation.carrier_line import ABNORMAL_CLOSE, NORMAL_CLOSE, SocketAddress
from simulation.carrier_messages import Violation
from simulation.carrier_parts import LegParts, LegReport
from simulation.carrier_stream import CarrierStream, Person, StreamEnd, StreamSetup
from simulation.carrier_webhooks import CallIdentity, call_form, new_sid
from simulation.twiml_run import (
    Connect,
    Document,
    Hangup,
    Pause,
    Play,
    Redirect,
    Reject,
    Say,
    Stream,
    Verb,
    read_twiml,
)

MAX_DOCUMENTS = 100
# What is wrong with a <Stream> of the TwiML; see twiml_run.py.
STREAM_CODES = range(31900, 32000)
# About how fast the carrier's own voice speaks; <Say> takes its time, so that a caller waits.
SAY_CHARS_PER_S = 15.0
PLAY_LENGTH_S = 1.0


@dataclass(frozen=True, slots=True)
class _Next:
    """What to run: the document at ``url``, or ``body`` (whose relative URLs start there)."""

    url: str
    method: str = "POST"
    body: bytes | None = None


class PhoneLeg:
    """One call from its first webhook to its last call-back.

    Args:
        parts: Shared by all calls.
        identity: Who calls whom.
        person: Holds the phone.
    """

    def __init__(self, parts: LegParts, identity: CallIdentity, person: Person) -> None:
        self.identity = identity
        self.stream: CarrierStream | None = None
        self.report = LegReport(identity.call_sid)
        self._parts = parts
        self._person = person
        self._loop = asyncio.get_running_loop()
        self._answered = False
        self._hung_up = False
        self._over = False
        self._replacement: bytes | None = None
        status_path = parts.config.status_path
        self._callbacks = Callbacks(
            parts.webhooks,
            identity,
            parts.address.public_origin + status_path if status_path else "",
            parts.config.status_events,
            parts.random,
        )

    async def run(self) -> LegReport:
        """Carry the call to its end; never raises for what the server does."""
        started_s = self._loop.time()
        report = self.report
        try:
            self._callbacks.call_status("ringing")
            fetch: _Next | None = _Next(
                self._parts.address.public_origin + self._parts.config.voice_path
            )
            for _ in range(MAX_DOCUMENTS):
                if fetch is None:
                    break
                fetch = await self._run_one(fetch)
            else:
                raise CarrierError(12400, "the documents of this call never end")
            if report.status == "failed":
                report.status = "completed"
                report.ended_by = "caller" if self._hung_up else "agent"
        except CarrierError as error:
            report.errors.note(Violation(error.code, error.message))
            report.status = "completed" if self._answered else "failed"
            report.ended_by = "error"
        self._over = True
        report.duration_s = self._loop.time() - started_s
        self._callbacks.call_status(report.status, report.duration_s)
        await self._callbacks.delivered()
        report.callbacks_refused = self._callbacks.refused
        return report

    def update(self, twiml: bytes) -> bool:
        """Replace what the call is doing, as ``POST Calls/{sid}.json`` with ``Twiml`` does.

        A ``<Say>`` or ``<Pause>`` that is running is finished first.

        Returns:
            False when the call is not in progress (21220).
        """
        if not self._answered or self._over or self._hung_up:
            return False
        self._replacement = twiml
        if self.stream is not None:
            self.stream.hang_up()
        return True

    def _replaced(self) -> _Next | None:
        body, self._replacement = self._replacement, None
        if body is None:
            return None
        return _Next(self._parts.address.public_origin + "/", body=body)

    async def _run_one(self, following: _Next) -> _Next | None:
        if following.body is None:
            document, url = await self._ask(following)
        else:
            document, url = self._read(following.body), following.url
        for warning in document.warnings:
            self.report.violations.note(warning)
            # A stream that the carrier will not run was asked for all the same: no refusal.
            self.report.stream_asked |= warning.code in STREAM_CODES
        after = await self._run_verbs(document.verbs, url)
        # An update counts whatever the document had in mind.
        return self._replaced() or after

    async def _ask(self, where: _Next) -> tuple[Document, str]:
        config, webhooks = self._parts.config, self._parts.webhooks
        status = "in-progress" if self._answered else "ringing"
        form = call_form(self.identity, status, self._parts.random)
        try:
            answer = await webhooks.fetch(where.url, form, where.method)
            document = self._read(answer.body)
        except CarrierError as error:
            if not config.fallback_url or self._answered:
                raise
            self.report.errors.note(Violation(error.code, error.message))
            failed = (("ErrorCode", str(error.code)), ("ErrorUrl", where.url))
            answer = await webhooks.fetch(config.fallback_url, (*form, *failed))
            document = self._read(answer.body)
        if self.report.webhook_s is None:
            self.report.webhook_s = answer.took_s
        return document, answer.url

    def _read(self, body: bytes) -> Document:
        return read_twiml(body, allow_insecure=self._parts.allow_insecure)

    async def _run_verbs(self, verbs: Sequence[Verb], base_url: str) -> _Next | None:
        for verb in verbs:
            if self._replacement is not None:
                return None
            if isinstance(verb, Reject):
                if not self._answered:
                    self.report.status = "busy" if verb.reason == "busy" else "no-answer"
                    self.report.ended_by = "agent"
                return None
            self._answer()
            match verb:
                case Hangup():
                    return None
                case Redirect(url=url, method=method):
                    return _Next(urljoin(base_url, url), method)
                case Connect():
                    fetch = await self._connect(verb, base_url)
                    if self._hung_up or fetch is not None:
                        return fetch
                case Say() | Play() | Pause():
                    await self._wait_through(verb)
        return None

    def _answer(self) -> None:
        if not self._answered:
            self._answered = True
            self._callbacks.call_status("in-progress")

    async def _wait_through(self, verb: Say | Play | Pause) -> None:
        # loop="0" means for ever; a simulated caller listens to it a few times.
        match verb:
            case Say(text=text, loop=loop):
                self.report.said.append(text)
                await asyncio.sleep(len(text) / SAY_CHARS_PER_S * min(loop or 3, 3))
            case Play(loop=loop):
                await asyncio.sleep(PLAY_LENGTH_S * min(loop or 3, 3))
            case Pause(length_s=length_s):
                await asyncio.sleep(length_s)

    async def _connect(self, connect: Connect, base_url: str) -> _Next | None:
        """Run a stream; returns where to go next, if ``action`` says so."""
        self.report.stream_asked = True
        action = urljoin(base_url, connect.action) if connect.action is not None else None
        try:
            end = await self._run_stream(connect.stream)
        except StreamRefused as error:
            self.report.errors.note(Violation(error.code, error.message))
        else:
            if self._replacement is not None:
                return None
            self._note_close(end)
            self._hung_up = end.hung_up
        if action is None:
            return None
        if self._hung_up:
            self._callbacks.action_after_hang_up(action, connect.method)
            return None
        return _Next(action, connect.method)

    async def _run_stream(self, noun: Stream) -> StreamEnd:
        parts = self._parts
        setup = StreamSetup(
            address=SocketAddress(noun.url, parts.address.route(noun.url)),
            auth_token=parts.config.auth_token,
            account_sid=self.identity.account_sid,
            call_sid=self.identity.call_sid,
            stream_sid=new_sid("MZ", parts.random),
            parameters=noun.parameters,
            first_timestamp_ms=parts.random.randrange(80, 180),
            tls=parts.tls,
        )
        stream = CarrierStream(
            setup, self._person, parts.ticker, self.report.violations, parts.opener
        )
        opening_s = self._loop.time()
        try:
            await stream.open()
        except StreamRefused as error:
            self._callbacks.stream_status(noun, setup.stream_sid, "stream-error", error.message)
            raise
        self.stream = stream
        report = self.report
        report.streams += 1
        if report.first_stream_s is None:
            report.first_stream_s = stream.started_s
        if self._replacement is not None:
            # Updated while the socket was opening.
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

    def _count(self, stream: CarrierStream) -> None:
        report, playout = self.report, stream.playout
        report.frames_sent += stream.frames_sent
        report.media_received += stream.media_received
        report.heard_s += playout.heard_s
        report.cleared_s += playout.cleared_bytes / 8_000
        report.underruns_s += [underrun.length_s for underrun in playout.underruns]

    def _note_close(self, end: StreamEnd) -> None:
        if end.hung_up or end.close_code == NORMAL_CLOSE:
            return
        if end.close_code == ABNORMAL_CLOSE:
            self.report.errors.note(Violation(31903, "the server vanished without a close frame"))
        else:
            self.report.errors.note(
                Violation(31921, f"the server closed with code {end.close_code}")
            )
