"""Frames of the link between an ingress replica and a CallActor (``actors.mind_link``).

A frame is its length, four bytes in network order, and a JSON array whose first entry names it:

    ["hello", token, version]          the client's first; nothing else is read before it
    ["welcome", version]               the server's first
    ["ask", number, method, argument]  a question; numbers are the client's own, each used once
    ["stop", number]                   nobody wants more answers to it
    ["is", number, answer]             the answer, or one of a stream of them
    ["end", number]                    no more of a stream
    ["error", number, reason]          it failed; no more answers
"""

from __future__ import annotations

import json
import struct
from typing import Any, Final

VERSION: Final = 1
HELLO: Final = "hello"
WELCOME: Final = "welcome"
ASK: Final = "ask"
STOP: Final = "stop"
IS: Final = "is"
END: Final = "end"
ERROR: Final = "error"

# A turn log of two hours is some 200 kB.
MOST_BYTES: Final = 16 * 1024 * 1024
MOST_BYTES_OF_A_STRANGER: Final = 1024

_LENGTH = struct.Struct("!I")
_NUMBERED = frozenset({STOP, IS, END, ERROR})


class LinkFrameError(ValueError):
    """These bytes are no frame of this link."""


def encode(*parts: Any) -> bytes:
    """One frame of JSON values; half a character, which a model may write, becomes ``?``.

    Raises:
        LinkFrameError: It would be longer than ``MOST_BYTES``.
    """
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    body = text.encode("utf-8", "replace")
    if len(body) > MOST_BYTES:
        raise LinkFrameError(f"a frame of {len(body)} bytes is over {MOST_BYTES}")
    return _LENGTH.pack(len(body)) + body


class FrameReader:
    """Bytes as they come off a socket, to frames."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[list[Any]]:
        """The frames that are complete now, in order.

        Raises:
            LinkFrameError: Too long, or not a frame. Nothing after it can be read.
        """
        self._buffer += data
        frames: list[list[Any]] = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > self.most_bytes:
                raise LinkFrameError(f"a frame of {length} bytes is over {self.most_bytes}")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            frames.append(_parsed(bytes(self._buffer[_LENGTH.size : end])))
            del self._buffer[:end]
        return frames


def _parsed(body: bytes) -> list[Any]:
    try:
        frame = json.loads(body)
    except (ValueError, RecursionError):
        raise LinkFrameError("a frame is not JSON") from None
    if not isinstance(frame, list) or not frame or not isinstance(frame[0], str):
        raise LinkFrameError("a frame is an array that begins with its name")
    name, *rest = frame
    if name in _NUMBERED:
        fits = len(rest) == (1 if name in {STOP, END} else 2) and _is_number(rest[0])
    elif name == ASK:
        fits = len(rest) == 3 and _is_number(rest[0]) and isinstance(rest[1], str)
    elif name == HELLO:
        fits = len(rest) == 2 and isinstance(rest[0], str) and _is_number(rest[1])
    else:
        fits = name == WELCOME and len(rest) == 1 and _is_number(rest[0])
    if not fits:
        raise LinkFrameError(f"a frame {name[:20]!r} does not look like this")
    return frame


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
