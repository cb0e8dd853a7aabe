"""The loop's thread is raised, and nothing that it starts."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from actors.loop_priority import raise_this_thread

T = TypeVar("T")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="niceness by thread is Linux'")


def in_a_thread(work: Callable[[], T]) -> T:
    """A thread of its own, for what it does to itself stays."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(work).result()


def nice() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_the_thread_is_raised_where_that_is_allowed_and_else_stays_as_it_was() -> None:
    before = nice()

    def work() -> tuple[bool, int]:
        return raise_this_thread(5), nice()

    is_raised, after = in_a_thread(work)
    assert after == (max(before - 5, -20) if is_raised else before)
    assert nice() == before, "of this thread only"


def test_what_a_raised_thread_starts_is_not_raised() -> None:
    def work() -> tuple[int, int]:
        raise_this_thread(20)
        return nice(), in_a_thread(nice)

    raised, started = in_a_thread(work)
    assert raised == nice() or started == 0, "as an ordinary thread, or nothing was allowed"


def test_no_steps_change_nothing() -> None:
    def work() -> tuple[bool, int]:
        return raise_this_thread(0), os.sched_getscheduler(0)

    assert in_a_thread(work) == (False, os.sched_getscheduler(0))


def test_a_process_that_may_not_goes_on_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refuse)
    before = nice()
    assert in_a_thread(lambda: (raise_this_thread(5), nice())) == (False, before)
