"""``WS /twilio/media`` as a raw ASGI application: a door, then a pump.

The door checks the signature of the handshake before accepting (a refusal is HTTP 403), then waits
for ``start`` and checks the one-time token in its parameters. From then on messages are pumped into
the call's driver, which lives in a task of its own; once that has ended, or the stream was shut,
nothing more is fed to it. A replica that is full accepts the socket and closes it, so that the
carrier asks the ``action`` URL for another place; a handshake that failed would end the call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from time import monotonic
from typing import Any

from cluster.call_registry import LiveCall
from cluster.edge import Edge, ReplicaFullRefusal, StreamRefusal
from cluster.logs import SeldomLine
from cluster.voice_routes import MEDIA_PATH
from telephony.errors import StreamRefused, TokenRefused
from telephony.media_stream import MediaStream
from telephony.stream_events import ProtocolWarning, StreamStarted

logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

START_WITHIN_S = 5.0
CLOSE_NORMAL = 1000
CLOSE_POLICY = 1008
CLOSE_INTERNAL = 1011
CLOSE_TRY_AGAIN = 1013
CLOSE_WITHIN_S = 2.0  # a peer that reads nothing takes no close frame either
GOODBYE_WITHIN_S = 5.0  # for the peer to answer our close


class MediaSocket:
    """The ASGI application of the media socket.

    Args:
        edge: The parts and the state of this replica.
    """

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._refused = SeldomLine(logger.warning, monotonic)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one socket."""
        message = await receive()
        if message["type"] != "websocket.connect":
            return
        headers = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
        }
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        query = scope.get("query_string", b"").decode("latin-1")
        if not self._edge.handshake_allowed(path + (f"?{query}" if query else ""), headers):
            self._edge.count("handshakes_refused", 1)
            self._refused(
                "media socket refused: wrong or missing X-Twilio-Signature. The signed address "
                f"must be {self._edge.origin.stream_url(MEDIA_PATH)} (PUBLIC_URL) and the key "
                "TWILIO_AUTH_TOKEN."
            )
            await send({"type": "websocket.close", "code": CLOSE_POLICY})
            return
        await send({"type": "websocket.accept"})
        socket = _Socket(receive, send)
        if self._edge.registry.full:
            self._edge.count("streams_turned_away", 1)
            await socket.close(CLOSE_TRY_AGAIN)
            return
        try:
            call = await self._open(socket)
        except StreamRefusal as refusal:
            logger.warning("media socket closed: %s", refusal)
            is_full = isinstance(refusal, ReplicaFullRefusal)
            self._edge.count("streams_turned_away" if is_full else "streams_refused", 1)
            await socket.close(refusal.close_code)
            return
        if call is not None:
            await self._pump(call, socket)

    async def _open(self, socket: _Socket) -> LiveCall | None:
        """Wait for ``start``, check the token, begin the call; None if the peer went away."""
        loop = asyncio.get_running_loop()
        stream = MediaStream(now=loop.time())
        started: StreamStarted | None = None
        try:
            async with asyncio.timeout(START_WITHIN_S):
                while started is None:
                    text = await socket.receive()
                    if text is None:
                        return None
                    try:
                        stream.receive(text, now=loop.time())
                    except StreamRefused as error:
                        raise StreamRefusal(str(error)) from None
                    while started is None and (event := stream.next_event()) is not None:
                        if isinstance(event, StreamStarted):
                            started = event
                        elif isinstance(event, ProtocolWarning):
                            self._edge.count("protocol_warnings", 1)
                            logger.info("before start: message ignored: %s", event.error)
        except TimeoutError:
            raise StreamRefusal(f"no start within {START_WITHIN_S:.0f} s") from None
        try:
            return self._edge.begin_call(stream, started, socket.send_text)
        except TokenRefused as error:
            raise StreamRefusal(f"stream token: {error}") from None

    async def _pump(self, call: LiveCall, socket: _Socket) -> None:
        """Messages into the driver until either side ends; the call's task goes on by itself."""
        reader = asyncio.get_running_loop().create_task(self._read(call, socket))
        try:
            await asyncio.wait([reader, call.task], return_when=asyncio.FIRST_COMPLETED)
            if not reader.done():
                await socket.close(_close_code(call))
                await asyncio.wait([reader], timeout=GOODBYE_WITHIN_S)
        finally:  # also when the server cancels us because the peer has gone
            reader.cancel()
            call.driver.disconnected(socket.code or 1006)

    async def _read(self, call: LiveCall, socket: _Socket) -> None:
        """Until the peer has gone; what follows the end of the call is thrown away."""
        driver, is_fed = call.driver, True
        while (text := await socket.receive()) is not None:
            if not is_fed or call.task.done():
                continue
            try:
                driver.received(text)
            except StreamRefused as error:
                logger.warning("call %s: stream shut: %s", call.call_id, error)
                driver.shut(f"protocol: {type(error).__name__}", CLOSE_POLICY)
                is_fed = False
            except Exception as error:
                logger.exception("call %s: a message broke its driver", call.call_id)
                driver.shut(f"internal: {type(error).__name__}", CLOSE_INTERNAL)
                is_fed = False


def _close_code(call: LiveCall) -> int:
    """What the carrier is told when the call has ended from our side."""
    if call.task.cancelled() or call.task.exception() is not None:
        return CLOSE_INTERNAL
    return call.task.result().close_code


class _Socket:
    """An accepted ASGI WebSocket: text in, text out, one close."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.code = 0

    async def receive(self) -> str | bytes | None:
        """The next message; None once the peer has gone (see ``code``)."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self.code = int(message.get("code") or 1006)
            return None
        text = message.get("text")
        if text is not None:
            return str(text)
        return bytes(message.get("bytes") or b"")

    async def send_text(self, text: str) -> None:
        """Send one text frame. Raises ``OSError`` or ``RuntimeError`` when the peer has gone."""
        await self._send({"type": "websocket.send", "text": text})

    async def close(self, code: int) -> None:
        """Close; a peer that has gone meanwhile, or takes nothing any more, is no fault."""
        if self.code:
            return
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self._send({"type": "websocket.close", "code": code})
        except (OSError, RuntimeError) as error:  # a timeout is an OSError
            logger.debug("close after the peer had gone: %s", type(error).__name__)
