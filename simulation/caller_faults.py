"""Things a caller or its network can do wrong, one function each, against any server.

Those that take an open ``CarrierStream`` misbehave on it; those that take a ``StreamSetup`` open a
socket of their own. ``stream_setup`` asks a server's voice webhook for one.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import replace

from simulation.caller_script import line_noise
from simulation.carrier import Carrier
from simulation.carrier_errors import TwimlRejected
from simulation.carrier_line import SocketAddress
from simulation.carrier_messages import CONNECTED
from simulation.carrier_stream import CarrierStream, Findings, HangUp, Press, StreamSetup
from simulation.carrier_ticker import Ticker
from simulation.carrier_webhooks import Answer, CallIdentity, call_form, new_sid
from simulation.playout_clock import Heard
from simulation.twiml_run import read_twiml
from simulation.twiml_verbs import Connect, Stream


class QuietPerson:
    """Holds the phone, says nothing, and keeps what it hears. A ``carrier_stream.Person``."""

    speaking = False

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self._noise = line_noise()
        self._frames = 0

    def stream_opened(self, *, now: float) -> None:
        """Nothing to do."""

    def stream_closed(self, heard: Sequence[Heard], *, now: float) -> None:
        """Keep what was heard last."""
        self.heard.extend(heard)

    def playout_cleared(self, heard: Sequence[Heard], *, now: float) -> None:
        """Keep what was heard before."""
        self.heard.extend(heard)

    def tick(
        self, due_s: float, now: float, heard: Sequence[Heard]
    ) -> tuple[str | None, Sequence[Press | HangUp]]:
        """The next frame of line noise."""
        self.heard.extend(heard)
        self._frames += 1
        return self._noise[self._frames % len(self._noise)], ()


async def stream_setup(carrier: Carrier, identity: CallIdentity) -> StreamSetup:
    """Ask the voice webhook, and read from its TwiML how to open the stream.

    Raises:
        WebhookFailed: There was no answer.
        TwimlRejected: The answer holds no stream.
    """
    answer = await _ask_voice_webhook(carrier, identity, None)
    for verb in read_twiml(answer.body, allow_insecure=carrier.on_loopback).verbs:
        if isinstance(verb, Connect) and isinstance(verb.stream, Stream):
            return StreamSetup(
                address=SocketAddress(verb.stream.url, carrier.address.route(verb.stream.url)),
                auth_token=carrier.config.auth_token,
                account_sid=identity.account_sid,
                call_sid=identity.call_sid,
                stream_sid=new_sid("MZ", carrier.random),
                parameters=verb.stream.parameters,
                tls=carrier.tls,
            )
    raise TwimlRejected(12100, "the voice webhook's TwiML holds no <Connect><Stream>")


def quiet_stream(setup: StreamSetup, ticker: Ticker) -> tuple[CarrierStream, QuietPerson]:
    """A stream, not yet open, with a person who says nothing."""
    person = QuietPerson()
    return CarrierStream(setup, person, ticker, Findings()), person


# On an open stream


def stop_sending(stream: CarrierStream, duration_s: float) -> None:
    """No frames for a while; timestamps jump over the gap."""
    stream.mute(duration_s)


async def read_slowly(stream: CarrierStream, pause_s: float, times: int = 1) -> None:
    """Take nothing from the socket for ``pause_s``, ``times`` over, so that its windows fill."""
    for _ in range(times):
        if stream.socket is not None:
            stream.socket.pause_reading()
        await asyncio.sleep(pause_s)
        if stream.socket is not None:
            stream.socket.resume_reading()
        # One turn of the loop to take what has gathered.
        await asyncio.sleep(0)


def send_malformed_json(stream: CarrierStream) -> None:
    """A text frame that is not JSON."""
    stream.send('{"event":"media","media":{')


def send_non_object(stream: CarrierStream) -> None:
    """JSON, but not an object."""
    stream.send('["media"]')


def send_binary_frame(stream: CarrierStream, data: bytes = b"\xff" * 160) -> None:
    """Audio as a binary frame."""
    if stream.socket is not None:
        stream.socket.send_binary(data)


def send_unknown_event(stream: CarrierStream) -> None:
    """An event that is not documented; a server must live with it."""
    sid = stream.setup.stream_sid
    stream.send(f'{{"event":"weather","streamSid":"{sid}","weather":{{"rain":true}}}}')


def send_bad_base64(stream: CarrierStream) -> None:
    """A payload that is not base64."""
    stream.send(stream.writer.media("*** not base64 ***", 0))


def send_odd_payloads(
    stream: CarrierStream, sizes_bytes: Sequence[int] = (0, 1, 159, 161, 8_000)
) -> None:
    """Payloads of other sizes than 160 bytes; 20 ms was never promised."""
    for size in sizes_bytes:
        stream.send(stream.writer.media(base64.b64encode(b"\xff" * size).decode("ascii"), 0))


def start_twice(stream: CarrierStream) -> None:
    """A second ``start`` on the same socket."""
    stream.send(stream.writer.start(stream.setup.parameters))


def lose_connection(stream: CarrierStream) -> None:
    """The connection is gone without a close frame."""
    stream.drop()


# On a socket of their own


async def say_nothing(setup: StreamSetup, ticker: Ticker) -> CarrierStream:
    """Connect and never send ``start``, as a scanner does."""
    stream, _ = quiet_stream(setup, ticker)
    await stream.open(greet=False)
    return stream


async def send_media_before_start(setup: StreamSetup, ticker: Ticker) -> CarrierStream:
    """Audio first, then ``start`` as if nothing had happened."""
    stream, _ = quiet_stream(setup, ticker)
    await stream.open(greet=False)
    stream.send(CONNECTED)
    stream.send(stream.writer.media(line_noise()[0], 0))
    stream.start()
    return stream


async def use_wrong_token(setup: StreamSetup, ticker: Ticker) -> CarrierStream:
    """Every custom parameter altered: a replayed or invented stream."""
    stream, _ = quiet_stream(setup, ticker)
    wrong = {name: value[::-1] + "x" for name, value in setup.parameters.items()}
    await stream.open(parameters=wrong)
    return stream


async def sign_wrongly(setup: StreamSetup, ticker: Ticker) -> CarrierStream:
    """An upgrade signed with another key.

    Raises:
        StreamRefused: 31920, from every server that checks.
    """
    stream, _ = quiet_stream(replace(setup, auth_token=setup.auth_token + "x"), ticker)
    await stream.open()
    return stream


async def open_second_socket(setup: StreamSetup, carrier: Carrier) -> CarrierStream:
    """Another stream for the same call with the same parameters, and its own ``streamSid``."""
    second = replace(setup, stream_sid=new_sid("MZ", carrier.random))
    stream, _ = quiet_stream(second, carrier.ticker)
    await stream.open()
    return stream


# At the webhook


async def repeat_webhook(carrier: Carrier, identity: CallIdentity) -> tuple[Answer, Answer]:
    """The voice webhook twice with one idempotency token, as after a lost answer."""
    token = f"{carrier.random.getrandbits(128):032x}"
    first = await _ask_voice_webhook(carrier, identity, token)
    return first, await _ask_voice_webhook(carrier, identity, token)


async def _ask_voice_webhook(carrier: Carrier, identity: CallIdentity, token: str | None) -> Answer:
    url = carrier.address.public_origin + carrier.config.voice_path
    form = call_form(identity, "ringing", carrier.random)
    return await carrier.webhooks.fetch(url, form, token=token)
