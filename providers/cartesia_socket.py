"""One socket of Cartesia's, and the segments that are spoken over it.

Rules:
1. A segment is one context, asked for as a whole; ``done`` is its end.
2. A segment that is given up is cancelled. What is being generated may still come: it counts
   against the room of the socket until it is done, or for ``_CANCEL_CONFIRM_S``, since a cancelled
   context is not promised an answer. Ids are never used twice, so late audio finds nobody.
3. An error that names a context is that segment's alone. A socket that dies fails its own segments
   and nothing else; one that keeps a segment waiting too long is retired: it takes no new segment
   and is closed when the others on it are done.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Coroutine

from websockets.exceptions import ConnectionClosed

from providers import cartesia_wire as wire
from providers.azure_tts_wire import WordTracker
from providers.cartesia_wire import PEER, PROVIDER
from providers.errors import ProviderError, ProviderProtocolError, ProviderUnavailable
from providers.socket_settings import CartesiaConfig
from providers.speech_segment import SpeechSegment
from providers.websocket import Connection, error_of_end
from voice.ports import SAMPLE_RATE_HZ, SpeakRequest, TextMark

_CANCEL_CONFIRM_S = 5.0


class VoiceSegment(SpeechSegment):
    """One context of Cartesia's; see ``SpeechSegment``."""

    def __init__(
        self,
        context_id: str,
        text: str,
        config: CartesiaConfig,
        socket: VoiceSocket,
        *,
        fresh: bool,
    ) -> None:
        super().__init__(
            context_id,
            text,
            provider=PROVIDER,
            first_byte_timeout_s=config.first_byte_timeout_s,
            stall_timeout_s=config.stall_timeout_s,
            drop=socket.drop,
            fresh=fresh,
        )
        self._says = any(char.isalnum() for char in text)
        self._tracker = WordTracker(text)
        self._marks: tuple[TextMark, ...] = ()

    def take(self, ulaw: bytes) -> None:
        """More audio. Raises ``ProviderProtocolError``."""
        if not ulaw:
            return
        if not self.heard:
            wire.check_beginning(ulaw)
        marks, self._marks = self._marks, ()
        self.push(ulaw, marks)

    def take_words(self, words: tuple[tuple[str, float], ...]) -> None:
        """Where words end."""
        for word, end_s in words:
            self._marks += self._tracker.take(word, end_s)

    def done(self) -> None:
        """All has come."""
        if self.heard:
            self.finish(self._marks + self._tracker.finish(self.samples / SAMPLE_RATE_HZ))
        elif self._says:
            self.finish()
        else:  # nothing to be said aloud is no failure
            self.push(b"", ())
            self.finish()


class VoiceSocket:
    """An open connection, for any voice.

    Args:
        connection: Already open.
        config: Deadlines, and how many segments it carries.
    """

    def __init__(self, connection: Connection, config: CartesiaConfig) -> None:
        self._connection = connection
        self._config = config
        self._loop = asyncio.get_running_loop()
        self._ids = itertools.count(1)
        self._segments: dict[str, VoiceSegment] = {}
        self._leaving: dict[str, float] = {}
        self._sends: set[asyncio.Task[None]] = set()
        self._retired = False
        self._error: ProviderError | None = None
        self._served = 0
        self._used_s = self._loop.time()
        self._reader = self._loop.create_task(self._read())

    @property
    def usable(self) -> bool:
        """Open, and not given up."""
        return not (self.dead or self._retired)

    @property
    def room(self) -> int:
        """How many more segments it can take now."""
        taken = len(self._segments) + len(self._leaving)
        return self._config.contexts_per_socket - taken if self.usable else 0

    @property
    def dead(self) -> bool:
        """Closed: to be forgotten."""
        return self._error is not None

    @property
    def error(self) -> ProviderError | None:
        """Why it is dead; None before."""
        return self._error

    def idle_for_s(self, now: float) -> float:
        """Seconds since a segment was last begun or ended."""
        return 0.0 if self._segments else now - self._used_s

    async def begin(self, request: SpeakRequest) -> VoiceSegment:
        """Ask for a segment. A broken connection shows in the segment, not here.

        Raises:
            ProviderRejected: The voice is missing, or the language is not spoken.
        """
        context_id = f"s{next(self._ids)}"
        message = wire.speak(context_id, request, self._config.model)
        fresh = self._served == 0
        segment = VoiceSegment(context_id, request.text, self._config, self, fresh=fresh)
        self._served += 1
        self._segments[context_id] = segment
        self._used_s = self._loop.time()
        try:
            await self._connection.send(message)
        except ConnectionClosed:
            self._segments.pop(context_id, None)
            self.retire()
            segment.fail(ProviderUnavailable("the socket was closed", PROVIDER))
        except BaseException:
            segment.abandon()
            raise
        return segment

    def drop(self, segment: SpeechSegment, suspect: bool) -> None:
        """Stop a segment.

        Args:
            segment: One of this socket's.
            suspect: It was kept waiting too long, so the socket gets no more.
        """
        if self._segments.pop(segment.context_id, None) is not None:
            self._spawn(self._send_quietly(wire.cancel(segment.context_id)))
            self._leaving[segment.context_id] = self._loop.time()
        self._used_s = self._loop.time()
        if suspect:
            self.retire()
        self._close_when_done()

    def retire(self) -> None:
        """Take no more segments; close once the last one is done."""
        self._retired = True
        self._close_when_done()

    def tend(self, now: float) -> None:
        """To be called every second or so: forgets contexts whose cancelling was not answered."""
        for context_id, since_s in list(self._leaving.items()):
            if now - since_s > _CANCEL_CONFIRM_S:
                del self._leaving[context_id]

    async def aclose(self) -> None:
        """Close the connection; segments still running fail as unavailable."""
        self._retired = True
        await self._connection.close()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader

    async def _read(self) -> None:
        error: ProviderError = ProviderUnavailable("the socket was closed", PROVIDER)
        try:
            while True:
                self._take(wire.parse(await self._connection.recv()))
        except ConnectionClosed as closed:
            error = error_of_end(closed, PEER)
        except ProviderError as violation:
            error = violation
        finally:
            self._error = error
            segments = list(self._segments.values())
            self._segments.clear()
            self._leaving.clear()
            for segment in segments:
                segment.fail(error)
        await self._connection.close()

    def _take(self, message: wire.CartesiaMessage) -> None:
        match message:
            case wire.AudioMade(context_id=context_id, ulaw=ulaw):
                self._give(context_id, ulaw)
            case wire.WordsTimed(context_id=context_id, words=words):
                if (segment := self._segments.get(context_id)) is not None:
                    segment.take_words(words)
            case wire.Done(context_id=context_id):
                if (segment := self._end(context_id)) is not None:
                    segment.done()
                self._close_when_done()
            case wire.Failed(context_id=context_id, error=error):
                if isinstance(error, ProviderProtocolError):
                    self._give_up(context_id, error)
                elif (segment := self._end(context_id)) is not None:
                    segment.fail(error)
                self._close_when_done()
            case wire.Remark():
                pass

    def _give(self, context_id: str, ulaw: bytes) -> None:
        segment = self._segments.get(context_id)
        if segment is None:
            return
        try:
            segment.take(ulaw)
        except ProviderProtocolError as error:
            self._give_up(context_id, error)

    def _give_up(self, context_id: str, error: ProviderError) -> None:
        # Its own affair: the others on this socket are whole, and go on.
        segment = self._segments.get(context_id)
        if segment is not None:
            self.drop(segment, True)
            segment.fail(error)

    def _end(self, context_id: str) -> VoiceSegment | None:
        self._leaving.pop(context_id, None)
        segment = self._segments.pop(context_id, None)
        self._used_s = self._loop.time()
        return segment

    def _close_when_done(self) -> None:
        if self._retired and not self._segments and not self.dead:
            self._spawn(self._connection.close())

    async def _send_quietly(self, message: str) -> None:
        # The reader sees the same close and reports it to whoever waits.
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(message)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = self._loop.create_task(work)
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)
