"""Functions that agents of tests have for tools."""

from __future__ import annotations

import asyncio
import itertools
import threading
from typing import Any

from providers.tools.errors import ToolFailed

LET_GO = threading.Event()
WHERE: list[str] = []


def add(first: int, second: int) -> dict[str, int]:
    WHERE.append(threading.current_thread().name)
    return {"sum": first + second}


async def add_later(first: int, second: int) -> dict[str, int]:
    await asyncio.sleep(0)
    return {"sum": first + second}


def keyed(idempotency_key: str) -> str:
    return idempotency_key


def hang() -> None:
    LET_GO.wait(20)


async def hang_politely() -> None:
    await asyncio.sleep(20)


def fail() -> None:
    raise ToolFailed("the shop is closed")


def break_down() -> None:
    raise RuntimeError("".join(("hun", "ter2")))


def end_it_all() -> None:
    raise SystemExit(3)


def nonsense() -> Any:
    return {1, 2}


def flood() -> str:
    return "x" * 100_000


class Watched(dict[str, int]):
    """Remembers which thread asked what is in it."""

    def items(self) -> Any:
        WHERE.append(threading.current_thread().name)
        return super().items()


def watched() -> Watched:
    return Watched(sum=5)


class Endless(dict[str, int]):
    """Has one more entry, however many were read."""

    def items(self) -> Any:
        return ((str(number), number) for number in itertools.count())


def endless() -> Endless:
    return Endless(sum=5)


def complain() -> None:
    raise ToolFailed("no " * 1_000_000)


NOT_CALLABLE = 5
