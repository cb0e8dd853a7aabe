"""One recogniser on the event loop: from its connection to its last event.

Rules:
1. ``post`` may be called by any thread, everything else by the loop's. Events gather in a list and
   one wake-up of the loop takes all of them.
2. Before a stream is attached, a line is being connected (somebody waits in ``wait_connected``) or
   lies ready in the pool; a connection lost there is told to the pool.
3. While a stream is attached, its sink gets every event, and at most one ``RecogniserFailed``,
   which is the last. ``detach`` ends it at once: what is still on the way is dropped.
4. A connection lost meanwhile is the SDK's to mend: it waits for a quarter of a second, connects,
   and sends again what it lost. The sink is told, for somebody else may be quicker.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from providers.azure_sdk import PROVIDER, Cancelled, Connected, Disconnected, SdkEvent
from providers.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from voice.ports import RecogniserEvent, RecogniserFailed, RecogniserInterrupted

Sink = Callable[[RecogniserEvent], None]


class Session(Protocol):
    """What is needed of ``SdkRecogniser``; all but ``write`` may block."""

    def preopen(self) -> None:
        """Start to connect."""

    def start(self, phrases: tuple[str, ...]) -> None:
        """Start to recognise."""

    def write(self, ulaw: bytes) -> None:
        """Hand over audio."""

    def stop(self) -> None:
        """Stop and release."""


class Line:
    """One recogniser, as the pool and the stream see it.

    Args:
        languages: BCP-47 tags.
        connect_timeout_s: Longest wait for a connection.
        lost: Called when the connection breaks while nobody uses it.

    Attributes:
        building: Becomes the session; set by the pool at once.
        session: The same, once it is there.
        releasing: The task that stops it, once there is one.
    """

    building: asyncio.Future[Session]
    session: Session

    def __init__(
        self, languages: tuple[str, ...], connect_timeout_s: float, lost: Callable[[Line], None]
    ) -> None:
        self.languages = languages
        self.releasing: asyncio.Task[None] | None = None
        self._connect_timeout_s = connect_timeout_s
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._inbox: deque[SdkEvent] = deque()
        self._scheduled = False
        self._connected = False
        self._detached = False
        self._pooled = False
        self._failure: ProviderError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._sink: Sink | None = None
        self._late: asyncio.TimerHandle | None = None

    @property
    def streaming(self) -> bool:
        """A stream is attached and has not failed."""
        return self._sink is not None

    def post(self, event: SdkEvent) -> None:
        """Take an event from any thread."""
        self._inbox.append(event)
        if not self._scheduled:
            self._scheduled = True
            try:
                self._loop.call_soon_threadsafe(self._drain)
            except RuntimeError:
                # The loop is closed: there is nobody left to tell.
                self._inbox.clear()

    async def wait_connected(self) -> None:
        """Wait for the connection.

        Raises:
            ProviderError: It was refused, or does not come in time.
        """
        if not self._connected and self._failure is None:
            self._waiter = self._loop.create_future()
            try:
                async with asyncio.timeout(self._connect_timeout_s):
                    await self._waiter
            except TimeoutError:
                raise ProviderTimeout("no connection in time", PROVIDER) from None
            finally:
                self._waiter = None
        if self._failure is not None:
            raise self._failure
        self._pooled = True

    def attach(self, sink: Sink) -> None:
        """From now on events go to ``sink``, which has to be told of a missing connection too."""
        self._sink = sink
        if not self._connected:
            self._late = self._loop.call_later(
                self._connect_timeout_s,
                self._fail,
                ProviderTimeout("no connection in time", PROVIDER),
            )

    def detach(self) -> None:
        """Nothing is delivered any more."""
        self._detached = True
        self._sink = None
        self._connection_settled()

    def _drain(self) -> None:
        # Cleared first: an event that comes while we drain schedules another, perhaps empty, drain.
        self._scheduled = False
        while self._inbox:
            event = self._inbox.popleft()
            if not self._detached:
                self._take(event)

    def _take(self, event: SdkEvent) -> None:
        match event:
            case Connected():
                self._connected = True
                self._connection_settled()
                self._wake()
            case Disconnected():
                was_connected, self._connected = self._connected, False
                if self._sink is None:
                    self._fail(ProviderUnavailable("the connection was closed", PROVIDER))
                elif was_connected:
                    self._sink(RecogniserInterrupted())
            case Cancelled(error):
                self._fail(error)
            case _:
                if self._sink is not None:
                    self._sink(event)

    def _fail(self, error: ProviderError) -> None:
        if self._sink is not None:
            sink = self._sink
            self.detach()
            sink(RecogniserFailed(str(error), error.retryable, error))
        elif self._pooled:
            self.detach()
            self._lost(self)
        else:
            self._failure = error
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _connection_settled(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class LineStream:
    """A ``RecogniserStream`` over a line.

    Args:
        line: With a sink attached.
        release: Stops the line and frees its place.
    """

    def __init__(self, line: Line, release: Callable[[Line], Awaitable[None]]) -> None:
        self._line = line
        self._release = release

    def write(self, ulaw: bytes) -> None:
        """See ``voice.ports.RecogniserStream``; dropped after a failure or ``close``."""
        line = self._line
        if not line.streaming:
            return
        try:
            line.session.write(ulaw if type(ulaw) is bytes else bytes(ulaw))
        except RuntimeError:
            line.post(Cancelled(ProviderUnavailable("the SDK takes no audio", PROVIDER)))

    async def close(self) -> None:
        """See ``voice.ports.RecogniserStream``; returns when the recogniser has stopped."""
        await self._release(self._line)
