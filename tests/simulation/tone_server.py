"""A server that speaks Media Streams minimally: greets with a tone, answers speech with a tone.

Its delays are known, so that what a simulated caller measures can be compared with the truth. Runs
in a test, or alone for measuring the caller: ``python -m tests.simulation.tone_server``.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import uvicorn

from simulation.hearing import is_loud

FRAME_S = 0.02
# 250 Hz square wave, well above any threshold: 16 samples up, 16 down.
TONE_FRAME = (b"\x9c" * 16 + b"\x1c" * 16) * 5
QUIET_FRAME = b"\xff" * 160

Message = MutableMapping[str, Any]


@dataclass
class ToneConfig:
    """How the tone agent behaves; seconds."""

    endpoint_s: float = 0.1
    leading_silence_s: float = 0.06
    reply_s: float = 0.3
    greet_s: float = 0.1
    drop_after_frames: int = 0
    close_after_frames: int = 0
    hang_up_on_action: bool = False


@dataclass
class ToneServer:
    """The application, and what it saw."""

    config: ToneConfig = field(default_factory=ToneConfig)
    port: int = 0
    requests: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    upgrades: list[list[tuple[str, str]]] = field(default_factory=list)
    messages: list[str | bytes] = field(default_factory=list)
    keep_messages: bool = True
    transports: list[Any] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        headers = [(k.decode(), v.decode()) for k, v in scope["headers"]]
        if scope["type"] == "http":
            await self._webhook(scope["path"], dict(headers), receive, send)
        elif scope["type"] == "websocket":
            self.upgrades.append(headers)
            await receive()
            await send({"type": "websocket.accept"})
            await ToneCall(self, receive, send).run()

    async def _webhook(self, path: str, headers: dict[str, str], receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        self.requests.append((path, form, headers))
        twiml = "<Response/>"
        if path == "/twilio/voice" or not self.config.hang_up_on_action:
            twiml = (
                '<Response><Connect action="/twilio/after">'
                f'<Stream url="ws://127.0.0.1:{self.port}/twilio/media" name="main">'
                '<Parameter name="tok" value="t1"/></Stream></Connect></Response>'
            )
        start = {"type": "http.response.start", "status": 200}
        await send({**start, "headers": [(b"content-type", b"text/xml")]})
        await send({"type": "http.response.body", "body": twiml.encode()})


class ToneCall:
    """One stream."""

    def __init__(self, server: ToneServer, receive: Any, send: Any) -> None:
        self._server = server
        self._config = server.config
        self._receive = receive
        self._send = send
        self._sid = ""
        self._spoke = False
        self._quiet_frames = 0
        self._frames = 0

    async def run(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if self._server.keep_messages:
                self._server.messages.append(text if text is not None else message["bytes"])
            try:
                event = json.loads(text or "{}")
            except ValueError:
                continue
            if isinstance(event, dict) and not await self._take(event):
                return

    async def _take(self, event: dict[str, Any]) -> bool:
        if event.get("event") == "start":
            self._sid = event["start"]["streamSid"]
            await self._say(self._config.greet_s)
        elif event.get("event") == "media" and self._sid:
            self._frames += 1
            if self._frames == self._config.close_after_frames:
                await self._send({"type": "websocket.close", "code": 1000})
                return False
            await self._listen(event["media"]["payload"])
        return True

    async def _listen(self, payload: str) -> None:
        frame = base64.b64decode(payload + "===")
        if any(is_loud(frame[at : at + 80]) for at in range(0, len(frame), 80)):
            self._spoke, self._quiet_frames = True, 0
            return
        self._quiet_frames += 1
        if self._spoke and self._quiet_frames * FRAME_S >= self._config.endpoint_s - 1e-9:
            self._spoke = False
            await self._say(self._config.reply_s, self._config.leading_silence_s)

    async def _say(self, tone_s: float, silence_s: float = 0.0) -> None:
        audio = QUIET_FRAME * round(silence_s / FRAME_S) + TONE_FRAME * round(tone_s / FRAME_S)
        for at in range(0, len(audio), 1_600):
            media = {"payload": base64.b64encode(audio[at : at + 1_600]).decode()}
            await self._text({"event": "media", "streamSid": self._sid, "media": media})
        await self._text({"event": "mark", "streamSid": self._sid, "mark": {"name": "said"}})

    async def _text(self, message: dict[str, Any]) -> None:
        await self._send({"type": "websocket.send", "text": json.dumps(message)})


@contextlib.asynccontextmanager
async def tone_server(config: ToneConfig | None = None) -> AsyncIterator[ToneServer]:
    """A tone server on a free loopback port."""
    app = ToneServer(config or ToneConfig())
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    app.port = listener.getsockname()[1]
    settings = uvicorn.Config(
        app,
        lifespan="off",
        log_level="critical",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(settings)
    task = asyncio.get_running_loop().create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield app
    finally:
        server.should_exit = True
        await task


async def _alone(duration_s: float) -> None:
    async with tone_server() as server:
        server.keep_messages = False
        sys.stdout.write(server.url + "\n")
        sys.stdout.flush()
        await asyncio.sleep(duration_s)


if __name__ == "__main__":
    asyncio.run(_alone(float(sys.argv[1])))
