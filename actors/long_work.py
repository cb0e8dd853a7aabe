"""Work that takes long in a process that has calls: in slices on the loop, or in a thread.

What holds the interpreter for more than a few milliseconds stops every call of the process, in a
thread too: one call of C, and the collector, which walks all that was just made.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterable
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


async def gathered(slices: Iterable[list[T]]) -> list[T]:
    """All of them together; between two the loop goes on."""
    found: list[T] = []
    for part in slices:
        found += part
        await asyncio.sleep(0)
    return found


def used_up(things: list[T], use: Callable[[list[T]], S]) -> S:
    """Make something of them in a thread, and let go of them there: that takes long too."""
    try:
        return uncollected(lambda: use(things))
    finally:
        things.clear()


def uncollected(work: Callable[[], T], *, lasts: bool = False) -> T:
    """Do it without the collector, which would stop the calls for 100 ms to walk what is new.

    Args:
        work: Runs in a thread.
        lasts: What it makes lives long: it is kept out of every later collection too.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return work()
    finally:
        if lasts:
            gc.freeze()
        if was_enabled:
            gc.enable()
