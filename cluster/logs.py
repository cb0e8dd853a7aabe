"""Logging of our processes: one line an event, no transcript, number or key in any of them."""

from __future__ import annotations

import logging
import sys

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
