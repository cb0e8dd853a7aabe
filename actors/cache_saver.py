"""When and how the owner of the response cache is written to disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from actors.long_work import used_up
from cache.snapshot import Snapshot

logger = logging.getLogger(__name__)

SAVE_EVERY_S: Final = 5.0
_SAVE_SHARE: Final = 0.05  # of the time, at most, something is being written

Aside = Callable[[Callable[[], Any]], Awaitable[Any]]


class SnapshotKeeper(Protocol):
    """Where a snapshot is kept; ``cache.snapshot.SnapshotFile``. Both methods block."""

    trouble: str

    def write(self, data: bytes) -> None:
        """Replace what is kept. Raises ``OSError``."""

    def read(self, aside_name: str) -> Snapshot | None:
        """What is kept."""


class CacheSaver:
    """Writes when something has changed, not too often, and says once what goes wrong.

    Args:
        file: None keeps nothing.
        aside: Runs a function in a thread.

    Attributes:
        trouble: Why it could not be written; empty when it could.
    """

    def __init__(self, file: SnapshotKeeper | None, aside: Aside) -> None:
        self._file = file
        self._aside = aside
        self._written = -1
        self._due_at = 0.0
        self.trouble = ""

    def is_saved(self, number: int) -> bool:
        """Whether what was known at that delta is on disk."""
        return self._file is not None and self._written == number

    async def read(self, aside_name: str) -> Snapshot | None:
        """What is kept; a broken file is set aside under that name, and it is said."""
        if (file := self._file) is None:
            return None
        found: Snapshot | None = await self._aside(lambda: file.read(aside_name))
        if file.trouble:
            logger.warning("the response cache begins with nothing: its file: %s", file.trouble)
        return found

    async def write(
        self, number: int, snapshot: Callable[[], Awaitable[Snapshot]], *, now: bool
    ) -> None:
        """Write, if there is something new.

        Args:
            number: Of the last delta.
            snapshot: Makes one.
            now: Also when it was written a moment ago.
        """
        loop = asyncio.get_running_loop()
        file, began = self._file, loop.time()
        if file is None or self.is_saved(number) or not (now or began >= self._due_at):
            return
        made = [await snapshot()]
        try:
            await self._aside(
                lambda: used_up(made, lambda snapshots: file.write(snapshots[0].to_bytes()))
            )
        except OSError as error:
            if self.trouble != (why := error.strerror or type(error).__name__):
                self.trouble = why
                logger.error("the response cache cannot be saved: %s", why)
        else:
            self._written, self.trouble = number, ""
        took_s = loop.time() - began
        self._due_at = loop.time() + max(SAVE_EVERY_S, took_s / _SAVE_SHARE)
