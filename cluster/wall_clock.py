"""The one place where the time of day is read; everything else counts loop time."""

from __future__ import annotations

import time


def wall_clock_us() -> int:
    """UTC microseconds."""
    return time.time_ns() // 1_000
