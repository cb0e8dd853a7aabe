"""The shell of a CallActor without Ray: what it does to its own process as it starts."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from actors.call_actor import CallActor
from actors.loop_priority import raise_this_thread


class PaperParts:
    """Nothing that needs a provider."""

    driver = None

    async def start(self) -> None:
        """Is started."""

    async def aclose(self) -> None:
        """Is closed."""


async def build(_settings: dict[str, Any]) -> PaperParts:
    return PaperParts()


def nice() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def raised_by(steps: int) -> int:
    """Steps of niceness by which the thread of a CallActor's loop is raised."""

    async def whole() -> int:
        before = nice()
        settings = {"loop_priority": steps, "mind_link": False}
        actor = CallActor("paper", f"{__name__}:build", settings)
        await actor._start()
        await actor.aclose()
        return before - nice()

    with ThreadPoolExecutor(1) as threads:  # what a thread does to itself stays
        try:
            return threads.submit(asyncio.run, whole()).result()
        finally:
            gc.unfreeze()


def may_raise() -> bool:
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(raise_this_thread, 1).result()


@pytest.mark.skipif(sys.platform != "linux", reason="niceness by thread is Linux'")
@pytest.mark.parametrize("steps", [0, 3])
def test_its_loop_comes_before_other_threads_where_that_is_allowed(steps: int) -> None:
    assert raised_by(steps) == (steps if may_raise() else 0)
