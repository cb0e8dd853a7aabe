"""Which cores a process may use: the product apart from those who measure it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


def halves() -> tuple[frozenset[int], frozenset[int]]:
    """The last core for the product, all others for emulators and callers.

    Raises:
        ValueError: This process may use one core only, or the system does not pin processes.
    """
    if not hasattr(os, "sched_getaffinity"):
        raise ValueError("this system pins no process to a core: use --no-pin")
    mine = sorted(os.sched_getaffinity(0))
    if len(mine) < 2:
        raise ValueError("there is one core only, product and callers share it: use --no-pin")
    return frozenset(mine[-1:]), frozenset(mine[:-1])


@contextmanager
def pinned(cores: frozenset[int]) -> Iterator[None]:
    """What is started inside stays on ``cores``, its children too; none named: anywhere."""
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
