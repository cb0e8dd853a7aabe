"""Connections to emulated services without sockets, for tests on virtual time."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from providers.errors import ProviderError
from simulation.clip_library import load_library
from simulation.faults import FaultBoard
from simulation.fingerprint import ClipIndex
from simulation.openai_transcription import OpenAITranscriptionEmulator, TranscriptionConfig
from simulation.scribe import ScribeConfig, ScribeEmulator
from simulation.wire_http import parse_head

HUNG_UP = ConnectionClosedError(None, None)


def closed(code: int, reason: str = "") -> ConnectionClosedError:
    """The service closes with this."""
    return ConnectionClosedError(Close(code, reason), Close(code, reason), rcvd_then_sent=True)


@functools.cache
def index() -> ClipIndex:
    """Knows two clips."""
    return ClipIndex([load_library().clip(name) for name in ("goforward", "hes_en_um")])


def scribe_service() -> ScribeEmulator:
    """Scribe."""
    return ScribeEmulator(ScribeConfig(), index(), FaultBoard())


def openai_service() -> OpenAITranscriptionEmulator:
    """OpenAI's transcription."""
    return OpenAITranscriptionEmulator(TranscriptionConfig(), index(), FaultBoard())


class Transport:
    """Tells its connection that it was dropped."""

    def __init__(self, wire: EmulatedWire) -> None:
        self._wire = wire

    def abort(self) -> None:
        self._wire.break_off()


class EmulatedWire:
    """One connection; what comes from the other end is an emulator's session.

    Attributes:
        sent: What the client sent.
        cut_after_bytes: Of messages; then it breaks. None for never.
        is_deaf: Takes everything and says nothing.
    """

    def __init__(self, service: Any, url: str, headers: Mapping[str, str]) -> None:
        self.sent: list[str] = []
        self.cut_after_bytes: int | None = None
        self.is_deaf = False
        self.is_open = True
        self.transport = Transport(self)
        self._bytes = 0
        self._inbox: asyncio.Queue[str | bytes | Exception] = asyncio.Queue()
        parts = urlsplit(url)
        head = [f"GET {parts.path}?{parts.query} HTTP/1.1"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        request = parse_head("\r\n".join(head).encode())
        service.check(request)
        self.session = service.open(request, self)

    # --- the service's side -----------------------------------------------------------------------

    def send_text(self, message: str) -> None:
        """The session sends."""
        if not self.is_deaf:
            self.says(message)

    def says(self, message: str | bytes | Exception) -> None:
        """Something comes."""
        self._inbox.put_nowait(message)

    def break_off(self, how: Exception = HUNG_UP) -> None:
        """The connection is gone."""
        if self.is_open:
            self.is_open = False
            self.session.closed()
            self.says(how)

    # --- the client's side ------------------------------------------------------------------------

    async def send(self, message: str | bytes) -> None:
        if not self.is_open:
            raise HUNG_UP
        assert isinstance(message, str)
        self.sent.append(message)
        self._bytes += len(message)
        if self.cut_after_bytes is not None and self._bytes >= self.cut_after_bytes:
            self.break_off()
        else:
            self.session.receive_text(message)

    async def recv(self) -> str | bytes:
        message = await self._inbox.get()
        if isinstance(message, Exception):
            self._inbox.put_nowait(message)
            raise message
        return message

    def close(self, code: int | None = None, reason: str = "") -> Awaitable[None]:
        """By the client, who waits for it, or by the session, which does not."""
        self.break_off(HUNG_UP if code is None else closed(code, reason))
        over = asyncio.get_running_loop().create_future()
        over.set_result(None)
        return over


class Wires:
    """Opens connections to one service and remembers them.

    Attributes:
        error: What an attempt to connect fails with.
        prepare: Called with each new connection and its number, from 0.
    """

    def __init__(self, service: Any) -> None:
        self.service = service
        self.made: list[EmulatedWire] = []
        self.urls: list[str] = []
        self.error: ProviderError | None = None
        self.prepare: Callable[[EmulatedWire, int], None] = lambda _wire, _number: None

    async def connect(self, url: str, headers: dict[str, str], _timeout_s: float) -> EmulatedWire:
        self.urls.append(url)
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        wire = EmulatedWire(self.service, url, headers)
        self.prepare(wire, len(self.made))
        self.made.append(wire)
        return wire

    @property
    def open(self) -> list[EmulatedWire]:
        """Those that are not closed."""
        return [wire for wire in self.made if wire.is_open]
