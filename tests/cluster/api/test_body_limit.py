"""Bodies that are too long never reach the application."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cluster.api.body_limit import BodyLimit, Send
from cluster.request_body import Message, Receive
from tests.support.virtual_time import run

MAX = 10


class Application:
    """Keeps the body that it gets, and what it hears afterwards."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.after: list[str] = []

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        self.bodies.append(body)
        self.after.append((await receive())["type"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def serve(*pieces: bytes, is_cut_off: bool = False) -> tuple[Application, list[Any], int]:
    """What was sent for a body that comes in pieces; and how many pieces were not read."""
    messages: list[Message] = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces) or is_cut_off}
        for number, piece in enumerate(pieces, 1)
    ]
    messages.append({"type": "http.disconnect"})
    sent: list[Any] = []
    application = Application()

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    asyncio.run(BodyLimit(application, MAX)(scope, receive, send))
    return application, sent, len(messages)


@given(st.lists(st.binary(max_size=6), min_size=1, max_size=6))
def test_the_body_comes_whole_or_not_at_all(pieces: list[bytes]) -> None:
    application, sent, _ = serve(*pieces)
    if len(b"".join(pieces)) <= MAX:
        assert application.bodies == [b"".join(pieces)]
        assert application.after == ["http.disconnect"]
        assert sent[0]["status"] == 204
    else:
        assert application.bodies == []
        assert sent[0]["status"] == 413
        assert json.loads(sent[1]["body"])["error"]["code"] == "too_large"


def test_the_rest_of_a_body_that_is_too_long_is_not_read() -> None:
    _, sent, unread = serve(b"x" * 11, b"x" * 11, b"x" * 11)
    assert unread == 3  # two pieces, and the end
    assert (b"connection", b"close") in sent[0]["headers"]


def test_a_request_that_is_cut_off_is_not_served() -> None:
    application, sent, _ = serve(b"{", is_cut_off=True)
    assert (application.bodies, sent) == ([], [])


def test_a_body_that_does_not_end_is_refused_in_time() -> None:
    sent: list[Any] = []

    async def receive() -> Message:
        await asyncio.sleep(0.5)
        return {"type": "http.request", "body": b"", "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    application = Application()
    scope = {"type": "http", "method": "GET", "path": "/docs", "headers": []}
    run(BodyLimit(application, MAX)(scope, receive, send))
    assert application.bodies == []
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    assert json.loads(sent[1]["body"])["error"]["code"] == "too_slow"


def test_other_than_http_passes() -> None:
    seen: list[str] = []

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def nothing(*_message: Message) -> Any:
        raise AssertionError("nobody asks")

    asyncio.run(BodyLimit(application, MAX)({"type": "lifespan"}, nothing, nothing))
    assert seen == ["lifespan"]
