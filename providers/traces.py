"""Exceptions in our logs: where they were raised, and nothing that they quote.

What an exception says may hold a caller's words, a number or a key: the client of a database tells
the row that it could not write, a parser the text that it could not read. So of its message only
that of a typed error of our own is told, which was written to be read (``errors.py`` of each room).
"""

from __future__ import annotations

import traceback
from typing import Final

_ROOMS: Final = frozenset(
    ("actors", "cache", "cluster", "dialogue", "providers", "records", "telephony", "voice")
)


def place_of(error: BaseException) -> str:
    """The kind of an exception and the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + where


def trace_of(error: BaseException) -> str:
    """The kind of an exception and the way to it, for a log; several lines.

    What it was raised from comes first, as Python shows it.
    """
    told: list[str] = []
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        told.insert(0, "".join([_said(at), "\n", *traceback.format_tb(at.__traceback__)]).rstrip())
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return "\nthen ".join(told)


def _said(error: BaseException) -> str:
    kind = type(error)
    room, _, module = kind.__module__.partition(".")
    is_ours = room in _ROOMS and module.split(".")[-1] == "errors"
    return f"{kind.__name__}: {error}" if is_ours else kind.__name__
