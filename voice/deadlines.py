"""Of several timers the one that is due first."""

from __future__ import annotations


def earliest(*deadlines: float | None) -> float | None:
    """The first of these loop times; None where none is due."""
    return min((at for at in deadlines if at is not None), default=None)
