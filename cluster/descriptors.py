"""Descriptors of this process: are there enough for the calls that it may carry?

A replica that runs out of them can take no connection: callers of new calls hear nothing until the
carrier gives up, and a recogniser that is lost is not opened again. Better said at the start.
"""

from __future__ import annotations

import contextlib
import os
import resource

OF_ITS_OWN = 200
"""Libraries, log files, Ray's connections, the database, pooled providers' sockets."""
PER_CALL = 4
"""The carrier's socket, a recogniser and its spare, part of a voice's socket."""


RESERVED = 32
"""Left to the calls in progress, which open some again, and to webhooks that are refused."""


def descriptors_needed(calls: int) -> int:
    """That a replica with so many calls may have open."""
    return OF_ITS_OWN + PER_CALL * calls


def limit() -> int | None:
    """How many this process may have open; None without a limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def left() -> int | None:
    """How many more this process can open; None where nobody says."""
    available = limit()
    if available is None:
        return None
    try:
        return max(
            0, available - len(os.listdir("/proc/self/fd")) + 1
        )  # one to look is closed again
    except FileNotFoundError:
        return None
    except OSError:  # to look takes one, too
        return 0


def are_short() -> bool:
    """Whether those that are left belong to the calls in progress."""
    free = left()
    return free is not None and free < RESERVED


def raise_limit() -> int | None:
    """Take as many as the system lets this process have; as ``limit`` then."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # a system that has a smaller one of its own
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return limit()


def complaints(calls: int, available: int | None) -> list[str]:
    """What is wrong with the limit of a replica; empty when it suffices.

    Args:
        calls: That it may carry (CALLCLUSTER_CALLS_PER_REPLICA).
        available: Descriptors that it may have; None without a limit.
    """
    needed = descriptors_needed(calls)
    if available is None or available >= needed:
        return []
    return [
        f"this process may open {available} descriptors, and {calls} calls need some {needed}: "
        f"beyond it nobody new is heard. Raise 'ulimit -n' to {max(65_536, needed)} before 'ray "
        "start' on this node, or lower CALLCLUSTER_CALLS_PER_REPLICA."
    ]


def shortage() -> list[str]:
    """That they have run out, for a person; empty while they have not."""
    if not are_short():
        return []
    return [
        f"{limit()} descriptors are nearly all open: new calls are refused until some are closed. "
        "Raise 'ulimit -n' before 'ray start' on this node; 'ls -l /proc/PID/fd' shows them."
    ]
