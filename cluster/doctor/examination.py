"""Run all checks at once; none can raise, hang, or hold up another.

Whatever may block (files of a lost network disk, a process table) runs in a daemon thread of its
own, so that the doctor can end while it still hangs.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cluster.doctor.finding import Finding, skipped, warn
from cluster.doctor.place import Place

T = TypeVar("T")
Findings = Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the doctor looks at.

    Attributes:
        title: Of its part of the report.
        examine: Finds out; says in typed findings what is wrong.
        needs_network: Left out offline.
        timeout_s: After which the report goes on without it.
    """

    title: str
    examine: Callable[[Place], Awaitable[Findings]]
    needs_network: bool = False
    timeout_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Examined:
    """A check and what it found."""

    title: str
    findings: tuple[Finding, ...]


def examine(checks: Sequence[Check], place: Place) -> list[Examined]:
    """Run every check; the result has their order. Never raises."""
    return asyncio.run(examine_all(checks, place))


async def examine_all(checks: Sequence[Check], place: Place) -> list[Examined]:
    """``examine`` on a loop that runs already."""
    return list(await asyncio.gather(*(_examine(check, place) for check in checks)))


async def _examine(check: Check, place: Place) -> Examined:
    if check.needs_network and place.is_offline:
        return Examined(check.title, (skipped(check.title, "--offline"),))
    try:
        async with asyncio.timeout(check.timeout_s):
            findings = tuple(await check.examine(place))
    except TimeoutError:
        findings = (
            warn(
                check.title,
                f"no answer within {check.timeout_s:.0f} s",
                "this is not known",
                "try again; if it stays so, what it asks hangs",
            ),
        )
    except Exception as error:  # noqa: BLE001 - a broken check must not hide the others
        findings = (
            warn(
                check.title,
                f"the check itself broke: {type(error).__name__}: {error}",
                "this is not known",
                "please report it",
            ),
        )
    return Examined(check.title, findings)


async def in_thread(work: Callable[[], T]) -> T:
    """Run blocking ``work`` in a daemon thread; a thread that never ends keeps nobody waiting."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(report: Callable[[], None]) -> None:
        if not done.done():
            report()

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - raised again in whoever waits
            failure = error
            _call_soon(loop, lambda: tell(lambda: done.set_exception(failure)))
        else:
            _call_soon(loop, lambda: tell(lambda: done.set_result(result)))

    threading.Thread(target=run, daemon=True, name="doctor").start()
    return await done


def _call_soon(loop: asyncio.AbstractEventLoop, report: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(report)
