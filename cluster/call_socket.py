"""A socket of the carrier: the door in front of it, and the pump between it and a call's driver.

The door checks the signature of the handshake before accepting (a refusal is HTTP 403). A replica
that is full accepts the socket and closes it, so that the carrier asks the ``action`` URL for
another place; a handshake that failed would end the call.

The driver lives in a task of its own; once that has ended, or the socket was shut, nothing more is
fed to it. Ray Serve cancels the handler of a socket the moment the peer is gone: the pump may be
cut off anywhere, the call goes on until it is told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from cluster.accepted_socket import CallSocket as CallSocket
from cluster.accepted_socket import Message as Message
from cluster.accepted_socket import Receive as Receive
from cluster.accepted_socket import Send as Send
from cluster.call_registry import LiveCall
from cluster.edge import Edge
from providers.traces import trace_of
from telephony.errors import StreamRefused

logger = logging.getLogger(__name__)

CLOSE_POLICY = 1008
CLOSE_INTERNAL = 1011
CLOSE_TRY_AGAIN = 1013
GOODBYE_WITHIN_S = 5.0  # for the peer to answer our close


async def let_in(
    edge: Edge, scope: Message, receive: Receive, send: Send, refused: Callable[[str], None]
) -> CallSocket | None:
    """Check who knocks, and accept; None when there is no socket to serve.

    Args:
        edge: Of this replica.
        scope: Of the ASGI server.
        receive: Likewise.
        send: Likewise.
        refused: Takes a line about a handshake with a wrong signature.
    """
    message = await receive()
    if message["type"] != "websocket.connect":
        return None
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
    path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    query = scope.get("query_string", b"").decode("latin-1")
    if not edge.handshake_allowed(path + (f"?{query}" if query else ""), headers):
        edge.count("handshakes_refused", 1)
        # Of the path only its beginning: the rest may be the token of a call.
        signed = edge.origin.stream_url("/".join(scope["path"].split("/")[:3]))
        refused(
            "a socket was refused: wrong or missing X-Twilio-Signature. The signed address must "
            f"be {signed} (PUBLIC_URL) and the key TWILIO_AUTH_TOKEN."
        )
        await send({"type": "websocket.close", "code": CLOSE_POLICY})
        return None
    await send({"type": "websocket.accept"})
    client = scope.get("client")
    socket = CallSocket(receive, send, str(client[0]) if client else "")
    if edge.registry.is_leaving:  # one that is full may be meant for a call that is here
        edge.count("streams_turned_away", 1)
        await socket.close(CLOSE_TRY_AGAIN)
        return None
    return socket


async def pump(call: LiveCall, socket: CallSocket, *, peer_closes_within_s: float = 0.0) -> None:
    """Messages into the driver until either side ends; the call's task goes on by itself.

    Args:
        call: Of this socket.
        socket: Accepted.
        peer_closes_within_s: How long a peer that was told of a planned end has to close first.
    """
    call.road = socket.peer
    reader = socket.listen(_Feeder(call).take)
    try:
        await asyncio.wait([reader, call.task], return_when=asyncio.FIRST_COMPLETED)
        if not reader.done() and peer_closes_within_s and _is_planned(call):
            await asyncio.wait([reader], timeout=peer_closes_within_s)
        if not reader.done():
            await socket.close(_close_code(call))
            await asyncio.wait([reader], timeout=GOODBYE_WITHIN_S)
    finally:  # also when the server cancels us because the peer has gone
        socket.leave()
        call.driver.disconnected(socket.code or 1006)


class _Feeder:
    """Feeds the driver of one call; what follows the end of the call is thrown away."""

    __slots__ = ("_call", "_is_fed")

    def __init__(self, call: LiveCall) -> None:
        self._call = call
        self._is_fed = True

    def take(self, text: str | bytes) -> None:
        """One message of the peer; never raises."""
        call = self._call
        if not self._is_fed or call.task.done():
            return
        try:
            call.driver.received(text)
        except StreamRefused as error:
            logger.warning("call %s: stream shut: %s", call.call_id, error)
            call.driver.shut(f"protocol: {type(error).__name__}", CLOSE_POLICY)
            self._is_fed = False
        except Exception as error:  # noqa: BLE001 - the message of one call is its own trouble
            logger.error("call %s: a message broke its driver: %s", call.call_id, trace_of(error))
            call.driver.shut(f"internal: {type(error).__name__}", CLOSE_INTERNAL)
            self._is_fed = False


def _has_failed(call: LiveCall) -> bool:
    return call.task.cancelled() or call.task.exception() is not None


def _is_planned(call: LiveCall) -> bool:
    return not _has_failed(call) and call.task.result().planned


def _close_code(call: LiveCall) -> int:
    """What the carrier is told when the call has ended from our side."""
    return CLOSE_INTERNAL if _has_failed(call) else call.task.result().close_code
