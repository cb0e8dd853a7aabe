"""Twilio's REST interface (2010-04-01) over HTTP, for the unmodified official client.

| path below ``/2010-04-01/Accounts/{AC}`` | methods |
|---|---|
| ``.json`` | GET |
| ``/Calls.json`` | GET (filters To, From, Status, ParentCallSid; pages), POST |
| ``/Calls/{CA}.json`` | GET, POST (Url, Twiml or Status) |
| ``/Calls/{CA}/Recordings.json`` | GET, POST |
| ``/Calls/{CA}/Recordings/{RE}.json`` | GET, POST (Status), DELETE |
| ``/Recordings.json``, ``/Recordings/{RE}.json`` | GET; GET, DELETE |
| ``/Recordings/{RE}``, ``/Recordings/{RE}.wav`` | GET: the sound |
| ``/IncomingPhoneNumbers.json`` | GET (filter PhoneNumber; pages) |
| ``/IncomingPhoneNumbers/{PN}.json`` | GET, POST |

The sid of a recording may be ``Twilio.CURRENT``. Basic authentication with the account's sid and
token. A pause of a recording is silence in it (``PauseBehavior`` is not looked at).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import Callable

from simulation.exchange import Exchange
from simulation.twilio_resources import CURRENT, Answer, Sids, TwilioResources
from simulation.twilio_wire import MESSAGES, ApiError
from simulation.wire_http import Reply, Request
from simulation.wire_server import Refusal
from simulation.wire_socket import Socket, SocketSession

_CALL = r"/Calls/(CA[0-9a-f]{32})"
_RECORDING = r"/Recordings/(RE[0-9a-f]{32})"
_ACCOUNT = re.compile(r"/2010-04-01/Accounts/(AC[0-9a-zA-Z]{32})(/.*|\.json)")

_Route = Callable[[Request, Sids], Answer]


class TwilioRestApi:
    """The REST interface of one account; a ``wire_server.Service``.

    Args:
        exchange: The account.
    """

    name = "twilio"

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._requests = 0
        resources = TwilioResources(exchange)
        self._routes: list[tuple[re.Pattern[str], dict[str, _Route]]] = [
            (re.compile(r"\.json"), {"GET": resources.account}),
            (
                re.compile(r"/Calls\.json"),
                {"GET": resources.list_calls, "POST": resources.create_call},
            ),
            (
                re.compile(_CALL + r"\.json"),
                {"GET": resources.fetch_call, "POST": resources.update_call},
            ),
            (
                re.compile(_CALL + r"/Recordings\.json"),
                {"GET": resources.list_recordings, "POST": resources.start_recording},
            ),
            (
                re.compile(_CALL + rf"/Recordings/(RE[0-9a-f]{{32}}|{re.escape(CURRENT)})\.json"),
                {
                    "GET": resources.fetch_call_recording,
                    "POST": resources.change_recording,
                    "DELETE": resources.delete_recording,
                },
            ),
            (re.compile(r"/Recordings\.json"), {"GET": resources.list_recordings}),
            (
                re.compile(_RECORDING + r"\.json"),
                {"GET": resources.fetch_recording, "DELETE": resources.delete_recording},
            ),
            (re.compile(_RECORDING + r"(?:\.wav)?"), {"GET": resources.sound}),
            (re.compile(r"/IncomingPhoneNumbers\.json"), {"GET": resources.list_numbers}),
            (
                re.compile(r"/IncomingPhoneNumbers/(PN[0-9a-f]{32})\.json"),
                {"GET": resources.fetch_number, "POST": resources.change_number},
            ),
        ]

    # Service

    def open(self, request: Request, socket: Socket) -> SocketSession:
        """There are no sockets here."""
        raise Refusal(404, self.error_body(404, ""))

    def check(self, request: Request) -> None:
        """Everything is checked where it is answered."""

    def error_body(self, status: int, message: str) -> bytes:
        """See ``Service``."""
        return json.dumps(ApiError(status, 0, MESSAGES.get(status, message)).body()).encode()

    async def answer(self, request: Request, reply: Reply) -> None:
        """Answer one request."""
        self._requests += 1
        headers = {
            "twilio-concurrent-requests": "1",
            "twilio-request-id": f"RQ{self._requests:032x}",
        }
        try:
            status, body = self._find(request)
        except ApiError as error:
            if error.status == 401:
                headers["www-authenticate"] = 'Basic realm="Twilio API"'
            reply.json(error.status, error.body(), headers)
            return
        if isinstance(body, bytes):
            reply.whole(status, body, {**headers, "content-type": "audio/x-wav"})
        elif body is None:
            reply.whole(status, b"", headers)
        else:
            reply.json(status, body, headers)

    def _find(self, request: Request) -> Answer:
        account_sid, token = _credentials(request)
        config = self._exchange.config
        is_known = hmac.compare_digest(
            f"{account_sid}:{token}".encode(), f"{config.account_sid}:{config.auth_token}".encode()
        )
        match = _ACCOUNT.fullmatch(request.path)
        if not is_known or (match is not None and match.group(1) != config.account_sid):
            raise ApiError(401)
        missing = ApiError(404, 0, f"The requested resource {request.path} was not found")
        if match is None:
            raise missing
        for pattern, methods in self._routes:
            found = pattern.fullmatch(match.group(2))
            if found is not None:
                route = methods.get(request.method)
                if route is None:
                    raise ApiError(405)
                try:
                    return route(request, found.groups())
                except LookupError:
                    raise missing from None
        raise missing


def _credentials(request: Request) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    account_sid, colon, token = text.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise ApiError(401, 0, "Authentication Error - No credentials provided")
    return account_sid, token
