"""The little of HTTP/1.1 that the emulated services speak: requests in, replies and streams out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from simulation.errors import WireViolation

MAX_HEAD_BYTES = 65_536
MAX_BODY_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names in lower case, the path decoded, the last of repeated fields.

    Attributes:
        fields: The query again, repeated fields included, in order.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    fields: tuple[tuple[str, str], ...] = ()

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises ``WireViolation``."""
        try:
            parsed = json.loads(self.body)
        except ValueError as error:
            raise WireViolation("the body is not JSON") from error
        if not isinstance(parsed, dict):
            raise WireViolation("the body is not a JSON object")
        return parsed

    @property
    def is_upgrade(self) -> bool:
        """Whether the client asks for a WebSocket."""
        return self.headers.get("upgrade", "").lower() == "websocket"


def parse_head(head: bytes) -> Request:
    """Parse request line and headers, without the blank line. Raises ``WireViolation``."""
    try:
        lines = head.decode("latin-1").split("\r\n")
        method, target, version = lines[0].split(" ")
        url = urlsplit(target)
        path = unquote(url.path)
    except ValueError as error:
        raise WireViolation("not an HTTP request") from error
    if not version.startswith("HTTP/1."):
        raise WireViolation("not HTTP/1.1")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise WireViolation("a header line without a colon")
        headers[name.strip().lower()] = value.strip()
    fields = tuple(parse_qsl(url.query, keep_blank_values=True))
    return Request(method, path, dict(fields), headers, fields=fields)


def body_length(request: Request) -> int:
    """Bytes of body to wait for. Raises ``WireViolation`` when it cannot be known or is huge."""
    if "transfer-encoding" in request.headers:
        raise WireViolation("send Content-Length; chunked request bodies are not taken")
    stated = request.headers.get("content-length", "0")
    if not (stated.isascii() and stated.isdigit()) or int(stated) > MAX_BODY_BYTES:
        raise WireViolation("Content-Length is not a number, or too large")
    return int(stated)


def format_head(status: int, headers: dict[str, str]) -> bytes:
    """Serialise a status line and headers."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Reply:
    """The answer to one request: whole, or as a chunked stream.

    Args:
        write: Sends bytes of the head and of whole answers.
        send: Sends one chunk of a stream, through the faults.
        writable: Set while the client keeps up; a stream waits for it.
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        send: Callable[[bytes], None],
        writable: asyncio.Event,
    ) -> None:
        self._write = write
        self._send = send
        self._writable = writable
        self.started = False

    def whole(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Answer at once."""
        self.started = True
        fields = {"content-type": "application/json", **(headers or {})}
        self._write(format_head(status, {**fields, "content-length": str(len(body))}) + body)

    def json(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        """Answer at once with JSON."""
        self.whole(status, json.dumps(body, ensure_ascii=False).encode(), headers)

    def start(self, headers: dict[str, str]) -> None:
        """Begin a stream."""
        self.started = True
        self._write(format_head(200, {**headers, "transfer-encoding": "chunked"}))

    async def chunk(self, data: bytes) -> None:
        """Send one piece of the stream, as soon as the client takes it."""
        if not self._writable.is_set():
            await self._writable.wait()
        self._send(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        """End the stream."""
        self._send(b"0\r\n\r\n")
