"""How a socket of Deepgram's recognition is opened, and how one socket's messages are read.

Rules:
1. The first message has to be ``Connected``. A later one with another ``request_id`` is not about
   this caller: the socket is given up, and nothing of the message is used.
2. ``websockets`` sends pings, and an idle socket stays open by them: the service closes one that is
   silent for a minute, and knows no keep-alive message here.
"""

from __future__ import annotations

import logging

from providers import websocket
from providers.deepgram_errors import PROVIDER
from providers.deepgram_messages import Connected, FluxMessage, TurnInfo, parse
from providers.deepgram_wire import PEER
from providers.errors import ProviderProtocolError
from providers.websocket import Connection

_log = logging.getLogger(__name__)


async def connect(url: str, api_key: str, timeout_s: float) -> Connection:
    """Open a connection.

    Raises:
        ProviderError: Typed by what went wrong; a refusal at the handshake included.
    """
    headers = {"Authorization": f"Token {api_key}"}
    return await websocket.connect(url, headers, timeout_s, PEER)


class FluxReader:
    """Reads the messages of one socket, from its first one on."""

    def __init__(self) -> None:
        self._request_id = ""

    def read(self, raw: str | bytes) -> FluxMessage:
        """One message.

        Raises:
            ProviderProtocolError: It does not follow the protocol, or is about another request.
            ProviderError: It reports a fatal error; typed by its code.
        """
        message = parse(raw)
        if isinstance(message, TurnInfo):
            if message.request_id != self._request_id:
                raise ProviderProtocolError("a message of another request", PROVIDER)
        elif isinstance(message, Connected):
            self._request_id = self._request_id or message.request_id
        elif message.type in ("ConfigureFailure", "Warning"):
            # It goes on as it was: without the keyterms, for one.
            _log.warning("%s: %s %s", PROVIDER, message.type, message.code)
        return message
