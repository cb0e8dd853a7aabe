"""Of several timers the one that is due first."""

from __future__ import annotations


def earliest(*deadlines: float | None) -> float | None:
    """The first of these loop times; None where none is due."""
    first: float | None = None
    for at in deadlines:  # it is asked at every frame of every call: no generator
        if at is not None and (first is None or at < first):
            first = at
    return first
