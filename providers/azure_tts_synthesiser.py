"""One synthesiser of Azure text-to-speech, between the SDK's threads and the event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

from providers.azure_tts_segment import Segment
from providers.azure_tts_wire import ConnectionChanged, SdkEvent
from providers.settings import AzureTtsConfig

Key = tuple[str, str]
"""Voice and language."""


class Session(Protocol):
    """What is needed of ``SdkSynthesiser``; everything may block."""

    def connect(self) -> None:
        """Begin to open the socket."""

    def speak(self, text: str) -> None:
        """Have a text spoken."""

    def cancel(self) -> bool:
        """Cut it short; whether the synthesiser can be used again."""

    def close(self) -> None:
        """Stop and release."""


Build = Callable[[AzureTtsConfig, str, str, Callable[[SdkEvent], None]], Session]


class Synthesiser:
    """One synthesiser as the pool and the speaker see it.

    Attributes:
        key: Voice and language.
        building: Becomes the session.
        session: The same, once it is there.
        starting: The latest call of ``session.speak``.
        closing: The task that releases it, once there is one.
        segment: What is spoken now.
        is_used: It has spoken before, so its socket may have been closed over there unnoticed.
        opened: Set while its socket stands.
        idle_since_s: Loop time.
    """

    building: asyncio.Future[Session]
    session: Session

    def __init__(self, key: Key) -> None:
        self.key = key
        self.starting: asyncio.Future[None] | None = None
        self.closing: asyncio.Task[None] | None = None
        self.segment: Segment | None = None
        self.is_used = False
        self.opened = asyncio.Event()
        self.idle_since_s = 0.0
        self._loop = asyncio.get_running_loop()

    def post(self, event: SdkEvent) -> None:
        """Take an event from any thread."""
        # A loop that is closed has nobody left to tell.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._take, event)

    def _take(self, event: SdkEvent) -> None:
        if not isinstance(event, ConnectionChanged):
            if self.segment is not None:
                self.segment.take(event)
        elif event.is_open:
            self.opened.set()
        else:
            self.opened.clear()
