"""A phone leg as the carrier runs it: webhook, TwiML, stream, call-backs, until somebody hangs up.

Rules (the numbers are Twilio's error codes)
- The first request says ``ringing``, later ones ``in-progress``. When it fails, the fallback URL is
  asked with ``ErrorCode`` and ``ErrorUrl``; without one the call is ``failed``.
- ``<Connect>`` blocks. When its stream ends, or could not be opened: ``action`` is asked if there
  is one, else the next verb runs, else the call is over.
- When the caller hung up, ``action`` is asked all the same with ``completed``, its answer ignored.
- A closed stream is never opened again by the carrier; only new TwiML opens another.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urljoin

from simulation.carrier_callbacks import Callbacks
from simulation.carrier_errors import CarrierError, StreamRefused
from simulation.carrier_messages import Violation
from simulation.carrier_signature import PublicAddress
from simulation.carrier_socket import ABNORMAL_CLOSE, NORMAL_CLOSE, SocketAddress
from simulation.carrier_stream import (
    CarrierStream,
    Findings,
    Opener,
    Person,
    StreamEnd,
    StreamSetup,
)
from simulation.carrier_ticker import Ticker
from simulation.carrier_webhooks import CallIdentity, Webhooks, call_form, new_sid
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
# About how fast the carrier's own voice speaks; <Say> takes its time, so that a caller waits.
SAY_CHARS_PER_S = 15.0
PLAY_LENGTH_S = 1.0


@dataclass(frozen=True, slots=True)
class CarrierConfig:
    """Which server a carrier calls and how it is configured for the number.

    Attributes:
        url: Where the server listens, ``http://HOST:PORT``.
        auth_token: The account's token, which signs everything.
        public_url: The name the server goes by (``https://voice.example.com``); ``url`` if empty.
        voice_path: The voice webhook, possibly with connection overrides in a fragment.
        status_path: The call status call-back; none when empty.
        status_events: Which states are reported there. A number's own call-back reports ends.
        fallback_url: Public URL asked when the voice webhook fails; none when empty.
        account_sid: ``AC...``.
    """

    url: str
    auth_token: str
    public_url: str = ""
    voice_path: str = "/twilio/voice"
    status_path: str = "/twilio/status"
    status_events: tuple[str, ...] = ("completed", "busy", "failed", "no-answer")
    fallback_url: str = ""
    account_sid: str = "AC" + "0" * 31 + "1"


@dataclass(frozen=True, slots=True)
class LegParts:
    """What a leg uses and shares with the other legs of the process.

    Attributes:
        allow_insecure: The server is on this machine: ``ws://`` streams are let through.
        opener: Opens media sockets.
    """

    config: CarrierConfig
    address: PublicAddress
    webhooks: Webhooks
    ticker: Ticker
    random: Random
    tls: ssl.SSLContext | None
    allow_insecure: bool
    opener: Opener


@dataclass(slots=True)
class LegReport:
    """What happened on one leg; times in seconds.

    Attributes:
        call_sid: The carrier's id of the call.
        status: ``completed``, ``busy``, ``no-answer`` or ``failed``.
        ended_by: ``caller``, ``agent`` or ``error``.
        violations: What the server did against the protocol.
        errors: What the carrier would log otherwise: 11200, 31920, 31921, 31903 ...
        webhook_s: How long the voice webhook took.
        handshake_s: How long each upgrade took, up to ``start`` sent.
        stream_gaps_s: From the end of a stream to ``start`` of the next one.
        streams: How many streams were opened.
        said: Texts of ``<Say>``.
    """

    call_sid: str
    status: str = "failed"
    ended_by: str = "error"
    violations: Findings = field(default_factory=Findings)
    errors: Findings = field(default_factory=Findings)
    webhook_s: float | None = None
    handshake_s: list[float] = field(default_factory=list)
    stream_gaps_s: list[float] = field(default_factory=list)
    streams: int = 0
    frames_sent: int = 0
    media_received: int = 0
    heard_s: float = 0.0
    cleared_s: float = 0.0
    underruns_s: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    callbacks_refused: int = 0
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Fetch:
    url: str
    method: str = "POST"


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
        self._last_stream_end_s: float | None = None
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
            fetch: _Fetch | None = _Fetch(
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
        report.duration_s = self._loop.time() - started_s
        self._callbacks.call_status(report.status, report.duration_s)
        await self._callbacks.delivered()
        report.callbacks_refused = self._callbacks.refused
        return report

    async def _run_one(self, fetch: _Fetch) -> _Fetch | None:
        config = self._parts.config
        status = "in-progress" if self._answered else "ringing"
        webhooks = self._parts.webhooks
        form = call_form(self.identity, status, self._parts.random)
        try:
            answer = await webhooks.fetch(fetch.url, form, fetch.method)
            document = self._read(answer.body)
        except CarrierError as error:
            if not config.fallback_url or self._answered:
                raise
            self.report.errors.note(Violation(error.code, error.message))
            failed = (("ErrorCode", str(error.code)), ("ErrorUrl", fetch.url))
            answer = await webhooks.fetch(config.fallback_url, (*form, *failed))
            document = self._read(answer.body)
        if self.report.webhook_s is None:
            self.report.webhook_s = answer.took_s
        for warning in document.warnings:
            self.report.violations.note(warning)
        return await self._run_verbs(document.verbs, answer.url)

    def _read(self, body: bytes) -> Document:
        return read_twiml(body, allow_insecure=self._parts.allow_insecure)

    async def _run_verbs(self, verbs: Sequence[Verb], base_url: str) -> _Fetch | None:
        for verb in verbs:
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
                    return _Fetch(urljoin(base_url, url), method)
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

    async def _connect(self, connect: Connect, base_url: str) -> _Fetch | None:
        """Run a stream; returns where to go next, if ``action`` says so."""
        action = urljoin(base_url, connect.action) if connect.action is not None else None
        try:
            end = await self._run_stream(connect.stream)
        except StreamRefused as error:
            self.report.errors.note(Violation(error.code, error.message))
        else:
            self._note_close(end)
            self._hung_up = end.hung_up
        if action is None:
            return None
        if self._hung_up:
            self._callbacks.action_after_hang_up(action, connect.method)
            return None
        return _Fetch(action, connect.method)

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
        self.report.streams += 1
        self.report.handshake_s.append(stream.started_s - opening_s)
        if self._last_stream_end_s is not None:
            self.report.stream_gaps_s.append(stream.started_s - self._last_stream_end_s)
        self._callbacks.stream_status(noun, setup.stream_sid, "stream-started")
        try:
            end = await stream.ended()
        finally:
            stream.drop()
            self._count(stream)
        self._last_stream_end_s = end.at_s
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
