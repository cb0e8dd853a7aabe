"""Logging of our processes: one line an event, no transcript, number or key in any of them."""

from __future__ import annotations

import copy
import logging
import sys
from collections.abc import Callable
from typing import Any

from providers.traces import trace_of

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_ROOMS = ("actors", "cache", "cluster", "dialogue", "providers", "records", "telephony", "voice")
_ASYNCIO = "asyncio"


class WithoutValues(logging.Formatter):
    """Shows where an exception was raised, and nothing that it quotes (``providers.traces``).

    Of asyncio's own lines only the first is shown: the others hold the exception itself.
    """

    def format(self, record: logging.LogRecord) -> str:
        """See ``logging.Formatter``."""
        record = copy.copy(record)
        record.exc_text = None  # another formatter may have left the whole of it here
        if record.name == _ASYNCIO:
            record.msg, record.args = record.getMessage().partition("\n")[0], None
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - as the library calls it
        """See ``logging.Formatter``."""
        return trace_of(ei[1]) if ei[1] is not None else ""


def configure_logging(level: str) -> None:
    """Log our rooms, and asyncio, to standard error at ``level``; other libraries stay as is."""
    # Ray Serve puts its own logger in the place of sys.stderr, a line a write: go round it.
    handler = logging.StreamHandler(sys.__stderr__)
    handler.setFormatter(WithoutValues(_FORMAT))
    for room in (*_ROOMS, _ASYNCIO):
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
