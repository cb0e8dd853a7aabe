"""Connections to an emulated Deepgram without sockets, for tests on virtual time."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable
from typing import Any

from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from providers.errors import ProviderError
from simulation.clip_library import load_library
from simulation.deepgram_flux_settings import FluxSettings, settings_of_configure
from simulation.deepgram_flux_turns import FluxTurns
from simulation.fingerprint import ClipIndex, Fingerprint

REQUEST_ID = "6f1f4d2c-0000-4000-8000-000000000001"
HUNG_UP = ConnectionClosedError(None, None)
SETTINGS = FluxSettings(eager_eot_threshold=0.4, eot_timeout_ms=1_000)


def as_wire(body: dict[str, Any], request_id: str = REQUEST_ID) -> str:
    """With the ids that a socket adds."""
    return json.dumps(body | {"request_id": request_id, "sequence_id": 0})


def connected(request_id: str = REQUEST_ID) -> str:
    """The first message of a socket."""
    return as_wire({"type": "Connected"}, request_id)


def closed(code: int, reason: str = "") -> ConnectionClosedError:
    """The service closes with this."""
    return ConnectionClosedError(Close(code, reason), Close(code, reason), rcvd_then_sent=True)


@functools.cache
def _index() -> ClipIndex:
    return ClipIndex([load_library().clip(name) for name in ("goforward", "hes_en_um")])


class Transport:
    """Tells its connection that it was dropped."""

    def __init__(self, wire: FluxWire) -> None:
        self._wire = wire

    def abort(self) -> None:
        self._wire.break_off()


class FluxWire:
    """One connection; recognises the project's clips unless it is told to be silent.

    Attributes:
        sent: What the client sent, audio and text.
        cut_after_bytes: Of audio; then it breaks. None for never.
        is_deaf: Takes audio and says nothing.
    """

    def __init__(self, *, greets: bool = True) -> None:
        self.sent: list[str | bytes] = []
        self.audio_bytes = 0
        self.cut_after_bytes: int | None = None
        self.is_deaf = False
        self.is_open = True
        self.transport = Transport(self)
        self.turns = FluxTurns(SETTINGS, Fingerprint(_index()))
        self._inbox: asyncio.Queue[str | bytes | Exception] = asyncio.Queue()
        if greets:
            self.says(connected())

    def says(self, message: str | bytes | Exception) -> None:
        """The service sends a message, or closes."""
        self._inbox.put_nowait(message)

    def break_off(self, how: Exception = HUNG_UP) -> None:
        """The connection is gone."""
        if self.is_open:
            self.is_open = False
            self.says(how)

    @property
    def texts(self) -> list[dict[str, Any]]:
        """The control messages that the client sent."""
        return [json.loads(message) for message in self.sent if isinstance(message, str)]

    async def send(self, message: str | bytes) -> None:
        if not self.is_open:
            raise HUNG_UP
        self.sent.append(message)
        if isinstance(message, str):
            body = json.loads(message)
            if body["type"] == "Configure":
                self.turns.settings = settings_of_configure(self.turns.settings, body)
            return
        self.audio_bytes += len(message)
        if self.cut_after_bytes is not None and self.audio_bytes >= self.cut_after_bytes:
            self.break_off()
        elif not self.is_deaf:
            for info in self.turns.receive_audio(message):
                self.says(as_wire(info))

    async def recv(self) -> str | bytes:
        message = await self._inbox.get()
        if isinstance(message, Exception):
            self._inbox.put_nowait(message)
            raise message
        return message

    async def close(self) -> None:
        self.break_off()


class FluxWires:
    """Opens connections and remembers them.

    Attributes:
        error: What an attempt to connect fails with.
        prepare: Called with each new connection and its number, from 0.
    """

    def __init__(self) -> None:
        self.made: list[FluxWire] = []
        self.urls: list[str] = []
        self.error: ProviderError | None = None
        self.prepare: Callable[[FluxWire, int], None] = lambda _wire, _number: None

    async def connect(self, url: str, _api_key: str, _timeout_s: float) -> FluxWire:
        self.urls.append(url)
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        wire = FluxWire()
        self.prepare(wire, len(self.made))
        self.made.append(wire)
        return wire

    @property
    def open(self) -> list[FluxWire]:
        """Those that are not closed."""
        return [wire for wire in self.made if wire.is_open]
