"""The end of a running product that cuts nobody off: new calls are refused, others go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

ASK_WITHIN_S = 2.0
LOOK_EVERY_S = 0.5
SAY_EVERY_S = 30.0
UNKNOWN_S = 6.0
LONGEST_S = 14_400.0  # as long as a call may last


def begin_drain() -> int | None:
    """Have every ingress replica refuse new calls; the calls in progress, None when unknown.

    Asking again does no harm, and tells how many are left.
    """
    import ray

    from actors.placement import BACK_OFFICE_NAME, NAMESPACE

    try:
        office: Any = ray.get_actor(BACK_OFFICE_NAME, namespace=NAMESPACE)
        left: int | None = ray.get(office.drain.remote(), timeout=ASK_WITHIN_S)
    except (ValueError, ray.exceptions.RayError):
        return None
    return left


def wait_for_calls(
    drain: Callable[[], int | None],
    at_once: threading.Event,
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Wait until the last call is over, or somebody does not want to wait.

    Args:
        drain: See ``begin_drain``.
        at_once: Set when calls in progress are to be cut.
        say: Told how many calls are left, whenever that changes, and now and then.
        clock: Seconds.
    """
    if at_once.is_set():
        return
    began = clock()
    while (left := drain()) is None and clock() - began < UNKNOWN_S:
        if at_once.wait(LOOK_EVERY_S):  # who counts them may be about to start
            return
    if left is None:
        say("how many calls are in progress is not known: nobody is waited for")
        return
    if left:
        say(f"no new calls; waiting for {_calls(left)} to end. Ctrl-C once more ends them now")
    began = said_at = known_at = clock()
    while left and clock() - began < LONGEST_S:
        if at_once.wait(LOOK_EVERY_S):
            say(f"ending {_calls(left)}")
            return
        now_left = drain()
        if now_left is None:  # who counts them may be starting again
            if clock() - known_at >= UNKNOWN_S:
                say("the calls in progress cannot be counted any more: nobody is waited for")
                return
            continue
        known_at = clock()
        if now_left != left or clock() - said_at >= SAY_EVERY_S:
            said_at = clock()
            say(f"{_calls(now_left)} left" if now_left else "the last call is over")
        left = now_left


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"
