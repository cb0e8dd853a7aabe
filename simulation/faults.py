"""What can be made to go wrong at an emulated service, at its start or in the middle of a call.

Over HTTP, on every emulator's port (``simulation.control``)::

    POST /_control/faults  {"service": "elevenlabs", "drop_after_messages": 3, "times": 1}

Rules
1. A service has one set of faults at a time; setting a new one replaces it, ``{}`` clears it.
2. Message counts start anew on every connection, and on open ones when faults are set, so
   ``drop_after_messages: 0`` cuts a running call at its next message.
3. With ``times`` the faults go away after they have struck that often.
4. A connection that was stalled or cut stays so, whatever is set afterwards.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from simulation.errors import FaultsInvalid

SERVICES = (
    "azure",
    "azure_tts",
    "deepgram",
    "openai",
    "openai_tts",
    "openai_realtime",
    "elevenlabs",
    "cartesia",
    "openai_transcription",
    "scribe",
    "google",
    "google_tts",
    "twilio",
)


SILENT_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Faults:
    """One service's faults. All off by default.

    Attributes:
        refuse_connection: Reset the TCP connection at the first byte.
        status: Answer requests and handshakes with this HTTP status, 400 to 599; 0 is off.
        status_ratio: Share of them that is answered so, 0 to 1.
        retry_after_s: ``Retry-After`` beside ``status``; 0 sends none.
        handshake_delay_s: Wait before a request or handshake is looked at.
        hang_after_accept: Accept, then never say a word.
        first_byte_delay_s: Added to the first output of each answer.
        silent_ratio: Share of answers of which nothing ever comes, 0 to 1. An answer is a response,
            the speech for one text, one turn of a recogniser.
        chunk_delay_s: Added before each further message or chunk.
        chunk_jitter_s: Random extra of up to this much on each.
        stall_after_messages: Go silent after this many messages; the connection stays open.
        drop_after_messages: Close the TCP connection instead of sending one more, without a proper
            end of the stream or of the WebSocket.
        drop_after_received_bytes: The same, once the client has sent this much.
        garbage_after_messages: Replace the next message by one that is not the protocol.
        wrong_request_id: Answer under an id the client never used.
        lose_answer: Carry a plain request out, then reset the connection instead of answering.
        never_end: Leave out the end of each answer (``turn.end``, ``EndOfTurn``, ``[DONE]``,
            ``isFinal``).
        times: Strike this often, then be off; 0 is for ever.
    """

    refuse_connection: bool = False
    status: int = 0
    status_ratio: float = 1.0
    retry_after_s: float = 0.0
    handshake_delay_s: float = 0.0
    hang_after_accept: bool = False
    first_byte_delay_s: float = 0.0
    silent_ratio: float = 0.0
    chunk_delay_s: float = 0.0
    chunk_jitter_s: float = 0.0
    stall_after_messages: int | None = None
    drop_after_messages: int | None = None
    drop_after_received_bytes: int | None = None
    garbage_after_messages: int | None = None
    wrong_request_id: bool = False
    lose_answer: bool = False
    never_end: bool = False
    times: int = 0

    @classmethod
    def parse(cls, wire: dict[str, Any]) -> Faults:
        """From JSON fields. Raises ``FaultsInvalid`` for an unknown name or a wrong value."""
        known = {field.name: str(field.type) for field in fields(cls)}
        for name, value in wire.items():
            if name not in known:
                raise FaultsInvalid(f"no fault {name!r}; there are: {', '.join(known)}")
            if not _fits(known[name], value):
                raise FaultsInvalid(f"{name} takes {known[name]}, not below 0; got {value!r}")
        faults = cls(**wire)
        if faults.status and not 400 <= faults.status <= 599:
            raise FaultsInvalid(f"status takes 400 to 599, or 0 for off; got {faults.status}")
        for name in ("status_ratio", "silent_ratio"):
            if (ratio := getattr(faults, name)) > 1:
                raise FaultsInvalid(f"{name} takes 0 to 1; got {ratio}")
        return faults

    def first_delay_s(self) -> float:
        """What the first output of the next answer is late by."""
        is_silent = self.silent_ratio > 0 and random.random() < self.silent_ratio
        return self.first_byte_delay_s + (SILENT_S if is_silent else 0.0)


def _fits(kind: str, value: object) -> bool:
    if kind == "bool" or isinstance(value, bool):
        return kind == "bool" and isinstance(value, bool)
    if value is None:
        return "None" in kind
    if isinstance(value, int):
        return value >= 0
    return kind == "float" and isinstance(value, float) and 0 <= value < float("inf")


NO_FAULTS = Faults()


class FaultBoard:
    """The faults of every service, shared by all emulators of a process."""

    def __init__(self) -> None:
        self._faults: dict[str, Faults] = {}
        self._struck: dict[str, int] = {}
        self.version = 0  # changes whenever faults are set

    def of(self, service: str) -> Faults:
        """The faults of ``service`` now."""
        return self._faults.get(service, NO_FAULTS)

    def set(self, service: str, faults: Faults) -> None:
        """Replace the faults of ``service``. Raises ``FaultsInvalid`` for an unknown service."""
        if service not in SERVICES:
            raise FaultsInvalid(f"no service {service!r}; there are: {', '.join(SERVICES)}")
        self._faults[service] = faults
        if faults == NO_FAULTS:
            del self._faults[service]
        self._struck[service] = 0
        self.version += 1

    def clear(self) -> None:
        """Everything works again."""
        self._faults.clear()
        self.version += 1

    def strike(self, service: str) -> None:
        """Count one fault that was carried out; the last of ``times`` clears them."""
        faults = self.of(service)
        self._struck[service] = self._struck.get(service, 0) + 1
        if faults.times and self._struck[service] >= faults.times:
            self._faults.pop(service, None)


def _reached(limit: int | None, count: int) -> bool:
    return limit is not None and count >= limit


class FaultyOutbound:
    """The way of one connection's messages to the client, through the faults.

    Args:
        service: Whose faults apply.
        board: Where they are set.
        write: Sends bytes.
        cut: Closes the TCP connection after what was written, without a proper end.
        garbage: What is sent in place of a message that turns to garbage.
    """

    def __init__(
        self,
        service: str,
        board: FaultBoard,
        write: Callable[[bytes], None],
        cut: Callable[[], None],
        garbage: bytes,
    ) -> None:
        self._service = service
        self._board = board
        self._write = write
        self._cut = cut
        self._garbage = garbage
        self._version = board.version
        self._sent = 0
        self._received_bytes = 0
        self._silent = False
        self._free_at = 0.0  # loop time when the last delayed message leaves

    def send(self, data: bytes) -> None:
        """Send one whole message, now or as late as the faults want it; order is kept."""
        faults = self._board.of(self._service)
        if faults is NO_FAULTS and self._free_at == 0.0 and not self._silent:
            self._write(data)
            return
        self._send_through(faults, data)

    def _send_through(self, faults: Faults, data: bytes) -> None:
        self._follow_board()
        if self._silent:
            return
        if _reached(faults.drop_after_messages, self._sent):
            self._board.strike(self._service)
            self._silent = True
            self._cut()
            return
        if _reached(faults.stall_after_messages, self._sent):
            self._board.strike(self._service)
            self._silent = True
            return
        if _reached(faults.garbage_after_messages, self._sent):
            self._board.strike(self._service)
            data = self._garbage
        self._sent += 1
        self._write_later(faults.chunk_delay_s + faults.chunk_jitter_s * random.random(), data)

    def _write_later(self, delay_s: float, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._free_at = max(self._free_at, now) + delay_s
        if self._free_at <= now:
            self._free_at = 0.0
            self._write(data)
        else:
            loop.call_at(self._free_at, self._write, data)

    def received(self, count: int) -> None:
        """Count bytes from the client; may reset the connection."""
        limit = self._board.of(self._service).drop_after_received_bytes
        if limit is None or self._silent:
            return
        self._follow_board()
        self._received_bytes += count
        if self._received_bytes >= limit:
            self._board.strike(self._service)
            self._silent = True
            self._cut()

    def _follow_board(self) -> None:
        if self._version != self._board.version:
            self._version = self._board.version
            self._sent = 0
            self._received_bytes = 0
