"""Logging of our processes: one line an event, no transcript, number or key in any of them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_ROOMS = ("actors", "cache", "cluster", "dialogue", "providers", "records", "telephony", "voice")


def configure_logging(level: str) -> None:
    """Log our rooms to standard error at ``level``; other libraries stay as they are."""
    # Ray Serve puts its own logger in the place of sys.stderr, a line a write: go round it.
    handler = logging.StreamHandler(sys.__stderr__)
    handler.setFormatter(logging.Formatter(_FORMAT))
    for room in _ROOMS:
        logger = logging.getLogger(room)
        logger.setLevel(level.upper())
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(handler)


class SeldomLine:
    """A line of the log that strangers can cause, so that they cannot fill the disk with it.

    Args:
        say: Logs, such as ``logger.warning``.
        now: Seconds of a clock that does not jump.
        every_s: One line in so long; the next one says how many there would have been.
    """

    def __init__(
        self, say: Callable[[str], None], now: Callable[[], float], every_s: float = 10.0
    ) -> None:
        self._say = say
        self._now = now
        self._every_s = every_s
        self._last: float | None = None
        self._left_out = 0

    def __call__(self, text: str) -> None:
        """Say it, unless it was said just now."""
        now = self._now()
        if self._last is not None and now - self._last < self._every_s:
            self._left_out += 1
            return
        more = f" ({self._left_out} more since the last line)" if self._left_out else ""
        self._last, self._left_out = now, 0
        self._say(text + more)
