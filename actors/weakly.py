"""Callbacks that do not keep alive whom they call.

What an object owns may call it back. Held the usual way the two are a circle, which only the
garbage collector frees: of a call that has ended everything waits for it, with all that it knows.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def weakly(method: Callable[P, R]) -> Callable[P, R]:
    """``method``, a bound one, for somebody whom its object owns.

    Raises:
        ReferenceError: When it is called after its object has gone.
    """
    held, name = weakref.WeakMethod(method), method.__qualname__

    def call(*args: P.args, **named: P.kwargs) -> R:
        bound = held()
        if bound is None:
            raise ReferenceError(f"{name}: its object has gone")
        return bound(*args, **named)

    return call
