"""What is to become of a call: ended by somebody, or given other TwiML, at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from simulation.carrier_webhooks import Form

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Following:
    """What to run next: the document at ``url``, asked with ``more`` parameters, or ``body``."""

    url: str = ""
    method: str = "POST"
    body: bytes | None = None
    more: Form = ()


class Steering:
    """Breaks off what a call is doing. Whoever waits for something waits for ``off`` as well.

    Attributes:
        off: Set when what runs is to stop.
        ended_by: ``caller`` or ``agent``, once one of them has ended the call.
        on_stop: Called when what runs is to stop, for what cannot wait for ``off``.
    """

    def __init__(self) -> None:
        self.off = asyncio.Event()
        self.ended_by = ""
        self.on_stop: Callable[[], None] | None = None
        self._replacement: Following | None = None

    @property
    def is_replaced(self) -> bool:
        """There is other TwiML to run."""
        return self._replacement is not None

    def replace(self, following: Following) -> None:
        """Run this instead."""
        self._replacement = following
        self._stop()

    def end(self, by: str) -> bool:
        """End the call; False when it has been ended before."""
        if self.ended_by:
            return False
        self.ended_by = by
        self._stop()
        return True

    def take(self) -> Following | None:
        """What there is to run instead, once."""
        following, self._replacement = self._replacement, None
        if not self.ended_by:
            self.off.clear()
        return following

    async def unless_off(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do something that does not look at ``off``; None when it was broken off."""
        loop = asyncio.get_running_loop()
        task, off = loop.create_task(work), loop.create_task(self.off.wait())
        try:
            await asyncio.wait({task, off}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            off.cancel()

    def _stop(self) -> None:
        self.off.set()
        if self.on_stop is not None:
            self.on_stop()
