"""Functions that agents of tests have for tools."""

from __future__ import annotations

import asyncio
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


NOT_CALLABLE = 5
