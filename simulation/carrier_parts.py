"""What a phone leg is given, and what it reports."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from simulation.callee import Phones
from simulation.carrier_line import Opener
from simulation.carrier_record import CallLog
from simulation.carrier_recording import RecordingOrder
from simulation.carrier_signature import PublicAddress
from simulation.carrier_stream import Findings
from simulation.carrier_ticker import DEFAULT_SLOTS, Ticker
from simulation.carrier_webhooks import Webhooks
from simulation.relay_timing import RelayTiming

# How a server turns a call away without any error.
# reject_busy, reject: <Reject>, for which nobody pays; the caller hears the busy tone, or an
# announcement that the number is not in service.
# say_hangup: a text in the carrier's own voice, then the end of the call.
# other: <Hangup>, <Play>, an empty document, a verb that leads elsewhere.
RefusalKind = Literal["reject_busy", "reject", "say_hangup", "other"]


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
        slots: Over how many moments inside the 20 ms of a frame the calls are spread.
        relay: How quick the carrier's half of a relayed call is.
    """

    url: str
    auth_token: str
    public_url: str = ""
    voice_path: str = "/twilio/voice"
    status_path: str = "/twilio/status"
    status_events: tuple[str, ...] = ("completed", "busy", "failed", "no-answer")
    fallback_url: str = ""
    account_sid: str = "AC" + "0" * 31 + "1"
    slots: int = DEFAULT_SLOTS
    relay: RelayTiming = field(default_factory=RelayTiming)


@dataclass(frozen=True, slots=True)
class LegParts:
    """What a leg uses and shares with the other legs of the process.

    Attributes:
        allow_insecure: The server is on this machine: ``ws://`` streams are let through.
        opener: Opens media sockets.
        phones: Whoever may be rung.
        log: Recordings, and calls that a call has dialled.
    """

    config: CarrierConfig
    address: PublicAddress
    webhooks: Webhooks
    ticker: Ticker
    random: Random
    tls: ssl.SSLContext | None
    allow_insecure: bool
    opener: Opener
    phones: Phones
    log: CallLog

    def plan(self) -> CallPlan:
        """How a call to the configured number is handled."""
        config, origin = self.config, self.address.public_origin
        return CallPlan(
            url=origin + config.voice_path,
            fallback_url=config.fallback_url,
            status_url=origin + config.status_path if config.status_path else "",
            status_states=config.status_events,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionOrder:
    """Machine detection of a call out.

    Attributes:
        mode: ``Enable`` or ``DetectMessageEnd``.
        is_async: The call goes on before the result is known.
        callback: Told the result of an asynchronous detection; nobody when empty.
    """

    mode: str = "Enable"
    is_async: bool = False
    callback: str = ""
    callback_method: str = "POST"
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOut:
    """How a phone is rung.

    Attributes:
        timeout_s: How long it rings.
        send_digits: Pressed on answer.
        detection: None: nobody listens for a machine.
        recording: None: nothing is recorded from the answer on.
    """

    timeout_s: float = 60.0
    send_digits: str = ""
    detection: DetectionOrder | None = None
    recording: RecordingOrder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlan:
    """How one call is handled.

    Attributes:
        url: Asked for the first document.
        twiml: Run instead, when there is any.
        fallback_url: Asked when the first document cannot be had; nobody when empty.
        status_url: Told of ``status_states``; nobody when empty.
        time_limit_s: The call is ended after this long.
        out: For a call that we place; None for one that comes in.
    """

    url: str = ""
    method: str = "POST"
    twiml: bytes = b""
    fallback_url: str = ""
    fallback_method: str = "POST"
    status_url: str = ""
    status_method: str = "POST"
    status_states: tuple[str, ...] = ()
    time_limit_s: float = 14_400.0
    out: CallOut | None = None


@dataclass(slots=True)
class LegReport:
    """What happened on one leg; times in seconds.

    Attributes:
        call_sid: The carrier's id of the call.
        status: ``completed``, ``busy``, ``no-answer``, ``failed`` or ``canceled``, as the carrier's
            own records have it: there a call that heard a refusal and a goodbye is ``completed``.
        ended_by: ``caller``, ``agent`` or ``error``.
        violations: What the server did against the protocol.
        errors: What the carrier would log otherwise: 11200, 31920, 31921, 31903 ...
        webhook_s: How long the voice webhook took.
        handshake_s: How long each upgrade took, up to ``start`` sent.
        stream_gaps_s: From the end of a stream to ``start`` of the next one.
        stream_asked: Some TwiML held a ``<Stream>``, even one that could not be run.
        streams: How many streams were opened, relay sessions included.
        relays: How many of them were relay sessions.
        relay_sockets: How many sockets these needed.
        first_stream_s: Loop time at which the first one began; None without a stream.
        last_stream_end_s: Loop time at which the latest one ended; None while there was none.
        first_media_s: Loop time at which the server's first audio came; None when none did.
        said: Texts of ``<Say>``.
        keys: What the phone has heard pressed: ``<Play digits>``, keys of the other side.
        played: URLs of ``<Play>``.
    """

    call_sid: str
    status: str = "failed"
    ended_by: str = "error"
    violations: Findings = field(default_factory=Findings)
    errors: Findings = field(default_factory=Findings)
    webhook_s: float | None = None
    handshake_s: list[float] = field(default_factory=list)
    stream_gaps_s: list[float] = field(default_factory=list)
    stream_asked: bool = False
    streams: int = 0
    relays: int = 0
    relay_sockets: int = 0
    first_stream_s: float | None = None
    last_stream_end_s: float | None = None
    first_media_s: float | None = None
    frames_sent: int = 0
    media_received: int = 0
    heard_s: float = 0.0
    cleared_s: float = 0.0
    underruns_s: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    keys: str = ""
    played: list[str] = field(default_factory=list)
    callbacks_refused: int = 0
    duration_s: float = 0.0

    @property
    def admitted(self) -> bool:
        """True when a stream was opened: the server took the call."""
        return self.streams > 0

    @property
    def refusal(self) -> RefusalKind | None:
        """How the server turned the call away; None when it took it, or when something failed.

        A refusal is an answer without a stream and without an error.
        """
        if self.stream_asked or self.streams or self.errors.counts or self.status == "failed":
            return None
        match self.status:
            case "busy":
                return "reject_busy"
            case "no-answer":
                return "reject"
        return "say_hangup" if self.said else "other"
