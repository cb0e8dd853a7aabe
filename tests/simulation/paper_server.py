"""A server in memory: webhooks and sockets without a network, for calls on virtual time."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx

from simulation.caller_script import PreparedClip
from simulation.carrier import Carrier, CarrierConfig
from simulation.carrier_line import NORMAL_CLOSE, SocketAddress, SocketEars
from simulation.carrier_messages import encode_frames
from simulation.hearing import is_loud

LOUD = (b"\x9c" * 16 + b"\x1c" * 16) * 5
QUIET = b"\xff" * 160
CONNECT = (
    '<Response><Connect action="/twilio/after">'
    '<Stream url="wss://voice.example.com/twilio/media" name="main"'
    ' statusCallback="https://voice.example.com/twilio/stream">'
    '<Parameter name="tok" value="t1"/></Stream></Connect></Response>'
)


def tone_clip(name: str = "tone", speech_s: float = 0.4, tail_s: float = 0.2) -> PreparedClip:
    """A clip that is loud for ``speech_s``, then quiet; four words of equal length."""
    ulaw = LOUD * round(speech_s / 0.02) + QUIET * round(tail_s / 0.02)
    ends = tuple(speech_s * (n + 1) / 4 for n in range(4))
    return PreparedClip(name, f"words of {name}", encode_frames(ulaw), 0.0, speech_s, ends)


def media_text(sid: str, audio: bytes) -> str:
    payload = base64.b64encode(audio).decode()
    return json.dumps({"event": "media", "streamSid": sid, "media": {"payload": payload}})


class PaperSocket:
    """One stream to the agent; a ``carrier_line.LineSocket``."""

    def __init__(self, ears: SocketEars, agent: PaperAgent) -> None:
        self.ears = ears
        self.agent = agent
        self.open = True
        self.received: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.unsent_bytes = 0
        self.sid = ""
        self.spoke = False
        self.quiet = 0

    def send_text(self, text: str) -> None:
        if not self.open:
            return
        message = json.loads(text)
        self.received.append(message)
        self.times.append(asyncio.get_running_loop().time())
        self.agent.take(self, message)

    def send_binary(self, data: bytes) -> None:
        self.received.append({"event": "binary", "length": len(data)})

    def close(self, code: int = NORMAL_CLOSE) -> None:
        if self.open:
            self.open = False
            asyncio.get_running_loop().call_soon(self.ears.on_closed, code, True)

    def abort(self) -> None:
        self.open = False

    def pause_reading(self) -> None:
        """Nothing is in flight in memory."""

    def resume_reading(self) -> None:
        """Nothing is in flight in memory."""

    # The server's side

    def deliver(self, text: str) -> None:
        if self.open:
            self.ears.on_text(text)

    def say(self, audio: bytes) -> None:
        for at in range(0, len(audio), 1_600):
            self.deliver(media_text(self.sid, audio[at : at + 1_600]))

    def end(self, code: int = NORMAL_CLOSE) -> None:
        self.open = False
        self.ears.on_closed(code, code != 1006)

    def of(self, event: str) -> list[dict[str, Any]]:
        return [each for each in self.received if each["event"] == event]


@dataclass
class PaperAgent:
    """Greets, and answers speech ``endpoint_s`` of quiet after it with silence and a tone."""

    greeting: bytes = LOUD * 5
    reply: bytes = QUIET * 3 + LOUD * 15
    endpoint_s: float = 0.1
    answers: bool = True
    stops_when_interrupted: bool = True
    on_frame: Callable[[PaperSocket, int], None] | None = None
    sockets: list[PaperSocket] = field(default_factory=list)

    async def opener(
        self, address: SocketAddress, _token: str, ears: SocketEars, _tls: ssl.SSLContext | None
    ) -> PaperSocket:
        socket = PaperSocket(ears, self)
        self.sockets.append(socket)
        return socket

    def take(self, socket: PaperSocket, message: dict[str, Any]) -> None:
        if message["event"] == "start":
            socket.sid = message["streamSid"]
            socket.say(self.greeting)
        elif message["event"] == "media":
            if self.on_frame is not None:
                self.on_frame(socket, int(message["media"]["chunk"]))
            self._listen(socket, base64.b64decode(message["media"]["payload"]))

    def _listen(self, socket: PaperSocket, frame: bytes) -> None:
        if is_loud(frame[:80]):
            if self.stops_when_interrupted and not socket.spoke:
                socket.deliver(json.dumps({"event": "clear", "streamSid": socket.sid}))
            socket.spoke, socket.quiet = True, 0
            return
        socket.quiet += 1
        if self.answers and socket.spoke and socket.quiet >= round(self.endpoint_s / 0.02):
            socket.spoke = False
            socket.say(self.reply)


@dataclass
class PaperWeb:
    """Answers webhooks: TwiML by path, in order, the last for ever; keeps what was asked."""

    answers: dict[str, Sequence[str | int]] = field(
        default_factory=lambda: {"/twilio/voice": [CONNECT], "/twilio/after": ["<Response/>"]}
    )
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        before = sum(each.url.path == path for each in self.requests)
        self.requests.append(request)
        script = self.answers.get(path, ["<Response/>"])
        answer = script[min(before, len(script) - 1)]
        if isinstance(answer, int):
            return httpx.Response(answer, headers={"location": "/elsewhere"})
        return httpx.Response(200, text=answer, headers={"content-type": "text/xml"})

    def forms(self, path: str) -> list[dict[str, str]]:
        return [
            dict(parse_qsl(each.content.decode(), keep_blank_values=True))
            for each in self.requests
            if each.url.path == path
        ]


def paper_carrier(agent: PaperAgent, web: PaperWeb, seed: int = 0, **config: Any) -> Carrier:
    """A carrier whose network is the two."""
    return Carrier(
        CarrierConfig(
            url="http://127.0.0.1:1",
            auth_token="12345",
            public_url="https://voice.example.com",
            **config,
        ),
        seed,
        transport=httpx.MockTransport(web),
        opener=agent.opener,
    )
