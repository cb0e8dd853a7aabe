"""Callbacks that do not keep alive whom they call.

What an object owns may call it back. Held the usual way the two are a circle, which only the
garbage collector frees: of a call that has ended everything waits for it, with all that it knows.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")


def weakly(owner: T, method: Callable[Concatenate[T, P], R]) -> Callable[P, R]:
    """``method`` of ``owner``, for somebody whom ``owner`` owns.

    Args:
        owner: Is not kept alive.
        method: Of its class.

    Raises:
        ReferenceError: When it is called after ``owner`` has gone.
    """
    held = weakref.ref(owner)  # one for all callbacks of an object

    def call(*args: P.args, **named: P.kwargs) -> R:
        found = held()
        if found is None:
            raise ReferenceError(f"{method.__qualname__}: its object has gone")
        return method(found, *args, **named)

    return call
