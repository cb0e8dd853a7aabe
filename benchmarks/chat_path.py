"""What a turn costs at the language model: our way beside the two ways of the OpenAI SDK.

All three ask the same emulator, in a process of its own and without lags, over one kept connection,
in turn within each round: what else the machine does meets them all. CPU is that of this process,
from the request to the end of the reply; *first text* is the wait for the first piece of it.

``python -m benchmarks.chat_path`` prints the table alone; ``make bench`` includes it.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.report import table
from cluster.demo_children import Child, clean_environment, free_ports
from cluster.emulator_ports import UNASKED
from dialogue.ports import Message, ReplyDelta, ThinkRequest
from providers.chat_endpoint import openai_endpoint
from providers.chat_stream import ChatStream
from providers.openai_body import blame_of, request_body
from providers.settings import OpenAIConfig

HISTORY_TURNS = (2, 20)
ROUNDS = 8
TURNS_A_ROUND = 20
WARM_TURNS = 5
EMULATOR_WITHIN_S = 30.0
OURS = "client.post, read raw (ours)"
_LAGS = ("--first-token-s=0", "--per-token-s=0")
_PROMPT = "You are the receptionist of a hotel. Be brief and kind. " * 12

Way = Callable[[ThinkRequest], AsyncIterator[str]]


def measure() -> list[dict[str, Any]]:
    """One row for each way and length of history: medians over all rounds, milliseconds."""
    try:
        import uvloop  # what a CallActor runs on, where it is installed
    except ImportError:
        return asyncio.run(_measure())
    return uvloop.run(_measure())


def render(rows: list[dict[str, Any]]) -> str:
    """The rows as a section; empty without rows."""
    if not rows:
        return ""
    ours = {row["history_turns"]: row for row in rows if row["way"] == OURS}
    cells = [
        (
            row["way"],
            row["history_turns"],
            row["cpu_ms"],
            f"{row['cpu_ms'] / ours[row['history_turns']]['cpu_ms']:.1f} x",
            row["first_text_ms"],
            f"{row['first_text_ms'] / ours[row['history_turns']]['first_text_ms']:.1f} x",
        )
        for row in rows
    ]
    header = ("way", "turns before", "CPU ms a turn", "ours is 1", "first text ms", "ours is 1")
    return "### Chat path, one turn at the language model\n\n" + table(header, cells)


async def _measure() -> list[dict[str, Any]]:
    rows = []
    async with _emulator() as base_url, _ways(base_url) as ways:
        for history_turns in HISTORY_TURNS:
            request = _request(history_turns)
            for way in ways.values():
                for _ in range(WARM_TURNS):
                    await _turn(way, request)
            cpu_s: dict[str, list[float]] = {name: [] for name in ways}
            first_s: dict[str, list[float]] = {name: [] for name in ways}
            for _ in range(ROUNDS):
                for name, way in ways.items():
                    began_s = time.process_time()
                    first_s[name] += [await _turn(way, request) for _ in range(TURNS_A_ROUND)]
                    cpu_s[name].append((time.process_time() - began_s) / TURNS_A_ROUND)
            rows += [
                {
                    "way": name,
                    "history_turns": history_turns,
                    "turns": ROUNDS * TURNS_A_ROUND,
                    "cpu_ms": round(statistics.median(cpu_s[name]) * 1e3, 3),
                    "first_text_ms": round(statistics.median(first_s[name]) * 1e3, 3),
                }
                for name in ways
            ]
    return rows


async def _turn(way: Way, request: ThinkRequest) -> float:
    """Ask and read to the end; seconds to the first text."""
    began_s = time.perf_counter()
    first_s: float | None = None
    async for _ in way(request):
        if first_s is None:
            first_s = time.perf_counter() - began_s
    if first_s is None:
        raise ValueError("the emulator answered without text")
    return first_s


def _request(history_turns: int) -> ThinkRequest:
    messages = [Message("system", _PROMPT)]
    for number in range(history_turns):
        messages.append(Message("user", f"And what about room number {number}, is that free?"))
        messages.append(Message("assistant", f"Room {number} is free from Monday to Thursday."))
    messages.append(Message("user", "My cat can play the piano, and on sundays it likes to sing."))
    return ThinkRequest("call", tuple(messages), max_tokens=200)


@asynccontextmanager
async def _ways(base_url: str) -> AsyncIterator[dict[str, Way]]:
    import openai  # half a second: not for those who only read a table

    from providers.openai_chat import OpenAIThinker

    config = OpenAIConfig(openai_endpoint("emulated", base_url))
    thinker = OpenAIThinker(config)
    client = openai.AsyncOpenAI(base_url=base_url, api_key="emulated", max_retries=0)

    async def objects(request: ThinkRequest) -> AsyncIterator[str]:
        async for chunk in await client.chat.completions.create(**request_body(config, request)):
            if chunk.choices and (text := chunk.choices[0].delta.content):
                yield text

    async def raw(request: ThinkRequest) -> AsyncIterator[str]:
        create = client.chat.completions.with_streaming_response.create
        stream = ChatStream(blame_of(config))
        async with create(**request_body(config, request)) as response:
            async for piece in response.http_response.aiter_raw():
                for event in stream.feed(piece):
                    if isinstance(event, ReplyDelta):
                        yield event.text

    async def ours(request: ThinkRequest) -> AsyncIterator[str]:
        async with aclosing(thinker.reply(request)) as events:  # type: ignore[type-var]
            async for event in events:
                if isinstance(event, ReplyDelta):
                    yield event.text

    try:
        yield {
            "chat.completions.create, its objects": objects,
            "chat.completions.create, read raw": raw,
            OURS: ours,
        }
    finally:
        await thinker.aclose()
        await client.close()


@asynccontextmanager
async def _emulator() -> AsyncIterator[str]:
    """Yield the base URL of an emulated OpenAI that answers at once."""
    (chat,) = free_ports(1)
    ports = (*UNASKED, f"--openai-port={chat}")
    folder = Path(tempfile.mkdtemp(prefix="ccb-"))
    child: Child | None = None
    try:
        child = await Child.start(
            "the emulators",
            ("simulate", "providers", "--first-served", *ports, *_LAGS),
            environment=clean_environment(os.environ, {}),
            log_path=folder / "emulators.log",
            cwd=folder,
        )
        yield await child.said(_base_url, EMULATOR_WITHIN_S)
    finally:
        if child is not None:
            await child.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _base_url(log: str) -> str | None:
    for line in log.splitlines():
        if line.startswith("{"):
            try:
                return str(json.loads(line)["openai_base_url"])
            except (ValueError, KeyError):
                return None  # half a line: the rest is on its way
    return None


if __name__ == "__main__":
    print(render(measure()))
