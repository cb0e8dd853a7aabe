"""``WS /twilio/media`` as a raw ASGI application: a door, then a pump.

Behind the door of every socket (``call_socket.py``) it waits for ``start`` and checks the one-time
token in its parameters. From then on messages are pumped into the call's driver.
"""

from __future__ import annotations

import asyncio
import logging
from time import monotonic

from cluster.call_registry import LiveCall
from cluster.call_socket import CallSocket, Message, Receive, Send, let_in, pump
from cluster.edge import Edge, ReplicaFullRefusal, StreamRefusal
from cluster.logs import SeldomLine
from telephony.errors import StreamRefused, TokenRefused
from telephony.media_stream import MediaStream
from telephony.stream_events import ProtocolWarning, StreamStarted

logger = logging.getLogger(__name__)

START_WITHIN_S = 5.0


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
        socket = await let_in(self._edge, scope, receive, send, self._refused)
        if socket is None:
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
            await pump(call, socket)

    async def _open(self, socket: CallSocket) -> LiveCall | None:
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
