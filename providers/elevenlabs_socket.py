"""One socket of one voice, and the segments that are spoken over it.

Rules:
1. A segment is one context. It is opened with a space, its text is sent with ``flush``, and it is
   closed only when its first audio has arrived: a ``close_context`` that overtakes the synthesis
   ends the context without a sound. Once closed, the service finishes the audio and sends
   ``isFinal``; that is the end of the segment, and there is no other sign of it.
2. A context counts against the five of the socket until its ``isFinal``, whether anybody still
   listens or not. Ids are never used twice, so late audio of a dropped segment finds nobody.
3. A socket that dies fails its own segments and nothing else. A socket that keeps a segment waiting
   too long, or does not confirm a close, is retired: it takes no new segment and is closed when
   the others on it are done. So is one whose audio for one segment is none.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Coroutine
from typing import Protocol

from websockets.asyncio.client import connect as websocket_connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)

from providers import elevenlabs_wire as wire
from providers.elevenlabs_segment import Segment
from providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.settings import ELEVENLABS_BASE_URL, ElevenLabsConfig
from providers.speech_segment import SpeechSegment
from providers.tls import tls_options

_LONGEST_MESSAGE_BYTES = 8 << 20
_CLOSE_CONFIRM_S = 10.0
_CLOSE_TIMEOUT_S = 1.0


class Connection(Protocol):
    """The part of a websocket that is used here."""

    async def send(self, message: str) -> None:
        """Send one text message; raises ``ConnectionClosed``."""

    async def recv(self) -> str | bytes:
        """The next message; raises ``ConnectionClosed``."""

    async def close(self) -> None:
        """Close; idempotent."""


async def connect(url: str, api_key: str, timeout_s: float) -> Connection:
    """Open a socket.

    Raises:
        ProviderError: Typed by what went wrong; 401, 403, 404, 429 at the handshake included.
    """
    try:
        return await websocket_connect(
            url,
            additional_headers={"xi-api-key": api_key},
            compression=None,
            open_timeout=timeout_s,
            close_timeout=_CLOSE_TIMEOUT_S,
            max_size=_LONGEST_MESSAGE_BYTES,
            # A segment is small and wanted at once: nothing is gained by making the server wait.
            max_queue=None,
            **tls_options(url),
        )
    except InvalidStatus as error:
        response = error.response
        headers = {name.lower(): value for name, value in response.headers.raw_items()}
        raise wire.error_of_handshake(
            response.status_code, headers, bytes(response.body or b"")
        ) from None
    except TimeoutError:
        raise ProviderTimeout("no handshake in time", wire.PROVIDER) from None
    except InvalidURI:
        raise ProviderRejected("not an address", wire.PROVIDER, ELEVENLABS_BASE_URL) from None
    except InvalidHandshake as error:
        if isinstance(error.__cause__, EOFError | OSError):
            raise ProviderUnavailable(
                "hung up at the handshake", wire.PROVIDER, ELEVENLABS_BASE_URL
            ) from None
        raise ProviderProtocolError(
            f"no websocket there ({type(error).__name__})", wire.PROVIDER, ELEVENLABS_BASE_URL
        ) from None
    except (OSError, EOFError, WebSocketException) as error:
        raise ProviderUnavailable(
            f"no connection ({type(error).__name__})", wire.PROVIDER, ELEVENLABS_BASE_URL
        ) from None


class VoiceSocket:
    """An open connection of one voice.

    Args:
        connection: Already open.
        config: Deadlines and voice settings.
        key: Voice and language, as the pool knows them.
    """

    def __init__(
        self, connection: Connection, config: ElevenLabsConfig, key: tuple[str, str]
    ) -> None:
        self.key = key
        self.config = config
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._ids = itertools.count(1)
        self._segments: dict[str, Segment] = {}
        self._closing: dict[str, float] = {}
        self._sends: set[asyncio.Task[None]] = set()
        self._retired = False
        self._error: ProviderError | None = None
        self._used_s = self._loop.time()
        self._sent_s = self._used_s
        self._served = 0
        self._reader = asyncio.create_task(self._read())

    @property
    def usable(self) -> bool:
        """Open, and not given up."""
        return not (self.dead or self._retired)

    @property
    def room(self) -> int:
        """How many more segments it can take now."""
        return wire.MAX_CONTEXTS - len(self._segments) - len(self._closing) if self.usable else 0

    @property
    def dead(self) -> bool:
        """Closed: to be forgotten."""
        return self._error is not None

    @property
    def error(self) -> ProviderError | None:
        """Why it is dead; None before."""
        return self._error

    @property
    def idle(self) -> bool:
        """Nobody waits for audio of it."""
        return not self._segments

    def idle_for_s(self, now: float) -> float:
        """Seconds since a segment was last begun or ended."""
        return 0.0 if self._segments else now - self._used_s

    def begin(self, text: str) -> Segment:
        """Take one of the five places; ``send`` has to follow."""
        context_id = f"s{next(self._ids)}"
        segment = Segment(context_id, text, self.config, self.drop, fresh=self._served == 0)
        self._served += 1
        self._segments[context_id] = segment
        self._used_s = self._loop.time()
        return segment

    async def send(self, segment: Segment, text: str) -> None:
        """Ask for the audio. A broken connection shows in the segment, not here."""
        try:
            await self._connection.send(
                wire.begin_context(segment.context_id, dict(self.config.voice_settings))
            )
            await self._connection.send(wire.speak_text(segment.context_id, text))
        except ConnectionClosed:
            self._segments.pop(segment.context_id, None)
            self.retire()
            segment.fail(ProviderUnavailable("the socket was closed", wire.PROVIDER))
        self._sent_s = self._loop.time()

    def drop(self, segment: SpeechSegment, suspect: bool) -> None:
        """Stop a segment; its place is free again when the service confirms.

        Args:
            segment: One of this socket's.
            suspect: It was kept waiting too long, so the socket gets no more.
        """
        if self._segments.pop(segment.context_id, None) is not None:
            if not segment.heard:
                self._post(wire.close_context(segment.context_id))
            self._closing[segment.context_id] = self._loop.time()
        self._used_s = self._loop.time()
        if suspect:
            self.retire()

    def retire(self) -> None:
        """Take no more segments; close once the last one is done."""
        self._retired = True
        if not self._segments and not self.dead:
            self._spawn(self._connection.close())

    def tend(self, now: float) -> None:
        """To be called every second or so: keeps an idle socket open and sees a lost close."""
        if self.dead:
            return
        if any(now - since_s > _CLOSE_CONFIRM_S for since_s in self._closing.values()):
            self.retire()
        elif self.usable and self.idle and now - self._sent_s >= self.config.keep_alive_s:
            # A whole empty context: the one message that is defined for an idle socket would need
            # an open context, and would hold it.
            context_id = f"k{next(self._ids)}"
            self._closing[context_id] = now
            self._post(wire.begin_context(context_id, {}))
            self._post(wire.close_context(context_id))

    async def aclose(self) -> None:
        """Close the connection; segments still running fail as unavailable."""
        self._retired = True
        await self._connection.close()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader

    async def _read(self) -> None:
        error: ProviderError = ProviderUnavailable("the socket was closed", wire.PROVIDER)
        try:
            while True:
                self._take(await self._connection.recv())
        except ConnectionClosed as closed:
            received = closed.rcvd
            if received is not None and received.code not in (1000, 1001):
                error = ProviderUnavailable(
                    f"the socket was closed with code {received.code}", wire.PROVIDER
                )
        except ProviderError as violation:
            error = violation
        finally:
            self._error = error
            segments = list(self._segments.values())
            self._segments.clear()
            self._closing.clear()
            for segment in segments:
                segment.fail(error)
        await self._connection.close()

    def _take(self, raw: str | bytes) -> None:
        message = wire.parse(raw)
        if message.get("error"):
            raise wire.error_of_message(message["error"])
        context_id = message.get("contextId")
        if not isinstance(context_id, str):
            return
        segment = self._segments.get(context_id)
        encoded = message.get("audio")
        if segment is not None and encoded:
            self._give(segment, encoded, message.get("alignment"))
        if message.get("isFinal"):
            self._closing.pop(context_id, None)
            if segment is not None:
                del self._segments[context_id]
                self._used_s = self._loop.time()
                segment.finish()
            if self._retired and not self._segments:
                self._spawn(self._connection.close())

    def _give(self, segment: Segment, encoded: object, alignment: object) -> None:
        is_first = not segment.heard
        try:
            segment.take(encoded, alignment)
        except ProviderProtocolError as error:
            # Its own affair: the others on this socket are whole, and go on.
            self.drop(segment, True)
            segment.fail(error)
            return
        if is_first:
            self._post(wire.close_context(segment.context_id))

    def _post(self, message: str) -> None:
        self._sent_s = self._loop.time()
        self._spawn(self._send_quietly(message))

    async def _send_quietly(self, message: str) -> None:
        # The reader sees the same close and reports it to whoever waits.
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(message)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = self._loop.create_task(work)
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)
