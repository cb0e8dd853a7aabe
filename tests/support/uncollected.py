"""What is freed without the garbage collector, which comes to an old object once in many calls."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collector() -> Iterator[None]:
    """Objects go when nobody holds them, or not at all."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
