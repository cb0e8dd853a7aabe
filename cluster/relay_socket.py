"""``WS /twilio/relay`` as a raw ASGI application: a door, then a pump.

Behind the door of every socket (``call_socket.py``) it waits for ``setup`` and checks the one-time
token in its parameters. Where the carrier opens lost sockets again by itself
(``applicationReconnect``), the path holds a token that says which call it is: nobody knows whether
``setup`` comes again, so the first message may be any. Such a socket takes the call up again,
unless the CallActor has never seen the call: then it is the first one.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from time import monotonic

from actors.errors import MindLostError
from actors.relay_opening import RelayOpening
from actors.wire import CallState
from cluster.call_registry import LiveCall
from cluster.call_socket import CallSocket, Message, Receive, Send, let_in, pump
from cluster.edge import Edge, ReplicaFullRefusal, StreamRefusal
from cluster.errors import NoCapacityError
from cluster.logs import SeldomLine
from cluster.voice_routes import RELAY_PATH
from telephony.errors import StreamRefused, TokenRefused
from telephony.relay_messages import RelayMessage, Setup
from telephony.relay_stream import SETUP_TIMEOUT_S, RelayStream
from telephony.stream_events import ProtocolWarning
from telephony.stream_token import StreamClaims

logger = logging.getLogger(__name__)

END_WITHIN_S = 2.0  # the carrier closes a session that it was told to end


@dataclass(frozen=True, slots=True)
class _Opened:
    """A socket whose call is known.

    Attributes:
        first: The first message that was read.
        again: The claims of the path; None when it holds none.
    """

    stream: RelayStream
    first: RelayMessage
    again: StreamClaims | None


class RelaySocket:
    """The ASGI application of the relay socket.

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
        token = str(scope["path"]).removeprefix(RELAY_PATH).strip("/")
        try:
            opened = await self._open(socket, token)
            call = None if opened is None else await self._begin(socket, opened)
        except StreamRefusal as refusal:
            logger.warning("relay socket closed: %s", refusal)
            is_full = isinstance(refusal, ReplicaFullRefusal)
            self._edge.count("streams_turned_away" if is_full else "streams_refused", 1)
            await socket.close(refusal.close_code)
            return
        if call is not None:
            await pump(call, socket, peer_closes_within_s=END_WITHIN_S)

    async def _open(self, socket: CallSocket, token: str) -> _Opened | None:
        """Wait for the first message that says which call it is; None if the peer went away."""
        loop = asyncio.get_running_loop()
        again = self._claims_of(token) if token else None
        stream = RelayStream(now=loop.time(), call_sid=again.call_sid if again else "")
        try:
            async with asyncio.timeout(SETUP_TIMEOUT_S):
                while True:
                    text = await socket.receive()
                    if text is None:
                        return None
                    try:
                        message = stream.receive(text, now=loop.time())
                    except StreamRefused as error:
                        raise StreamRefusal(str(error)) from None
                    if not isinstance(message, ProtocolWarning):
                        return _Opened(stream, message, again)
                    self._edge.count("protocol_warnings", 1)
                    logger.info("before setup: message ignored: %s", message.error)
        except TimeoutError:
            raise StreamRefusal(f"no setup within {SETUP_TIMEOUT_S:.0f} s") from None

    def _claims_of(self, token: str) -> StreamClaims:
        try:
            return self._edge.places.read(token, "action")
        except TokenRefused as error:
            raise StreamRefusal(f"token of the path: {error}") from None

    async def _begin(self, socket: CallSocket, opened: _Opened) -> LiveCall:
        """The call of this socket, with whatever was read of it already."""
        edge, first = self._edge, opened.first
        setup = first if isinstance(first, Setup) else None
        parameters = dict(setup.custom_parameters) if setup is not None else {}
        is_again = False
        try:
            if opened.again is not None:
                if edge.registry.full and edge.registry.owner_of(opened.again.call_sid) is None:
                    raise ReplicaFullRefusal("every place of this replica is taken")
                again = await edge.ends.moves.current(opened.again)
                state = await self._state_of(again)
                is_again = setup is None or state is None or state.known
                if is_again:
                    parameters["token"] = await self._token_again(again, state)
            claims = edge.places.read(parameters.get("token", ""), "stream")
        except TokenRefused as error:
            raise StreamRefusal(f"stream token: {error}") from None
        call_sid = setup.call_sid if setup is not None else claims.call_sid
        return edge.begin_relay(
            RelayOpening(opened.stream, call_sid, parameters, is_again, None if setup else first),
            claims,
            socket.send_text,
        )

    async def _state_of(self, claims: StreamClaims) -> CallState | None:
        pool = self._edge.parts.pool
        try:
            return await pool.call_state(claims.actor, claims.call_id)
        except MindLostError:
            pool.report_lost(claims.actor)
            return None

    async def _token_again(self, claims: StreamClaims, state: CallState | None) -> str:
        """A token for a call whose socket the carrier has opened again."""
        edge = self._edge
        if await edge.ends.is_planned(claims, state):
            raise StreamRefusal("the call has ended")
        try:
            placement = await edge.places.place_resumed(claims, actor_alive=state is not None)
        except NoCapacityError as error:
            raise ReplicaFullRefusal(str(error)) from None
        edge.count("streams_reconnected", 1)
        if state is None or not state.known:
            await edge.recall.remind(claims, placement.actor, {})
        return placement.stream_token
