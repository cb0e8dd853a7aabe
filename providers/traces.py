"""Exceptions of other people's code in our logs: what they say may quote a caller or hold a key."""

from __future__ import annotations

import traceback


def place_of(error: BaseException) -> str:
    """The kind of an exception and the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + where


def trace_of(error: BaseException) -> str:
    """The kind of an exception and the way to it, for a log; several lines."""
    return "".join([type(error).__name__, "\n", *traceback.format_tb(error.__traceback__)]).rstrip()
