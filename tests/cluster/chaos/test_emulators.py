"""The switches of real emulators, over their control routes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import httpx
import pytest

import cluster.chaos.kills as kills_module
from cluster.chaos.emulators import Emulators
from cluster.chaos.faults import BY_NAME, ROLES, strikes
from cluster.chaos.kills import Kills
from simulation.providers import ProvidersConfig, RunningProviders, run_providers
from simulation.voice_sound import HummingVoice

pytestmark = pytest.mark.e2e
QUESTION = {
    "model": "gpt-6-luna",
    "stream": True,
    "messages": [{"role": "user", "content": "What time do you close on Sunday?"}],
}


@contextlib.asynccontextmanager
async def rows(count: int = 2) -> AsyncIterator[tuple[list[RunningProviders], Emulators]]:
    async with contextlib.AsyncExitStack() as stack:
        running = [
            await stack.enter_async_context(run_providers(ProvidersConfig(voice=HummingVoice())))
            for _ in range(count)
        ]
        urls = [each.twilio_api_base_url for each in running]
        yield running, await stack.enter_async_context(Emulators(urls))


def test_a_fault_strikes_one_row_and_goes_again() -> None:
    async def scene() -> None:
        async with rows() as ((first, second), emulators):
            await emulators.strike(strikes(BY_NAME["errors"], "think"))
            assert first.board.of("openai").status == 503
            assert second.board.of("openai").status == 0
            await emulators.mend()
            assert first.board.of("openai").status == 0

    asyncio.run(scene())


def test_open_connections_are_counted_and_reset_and_the_switches_stay_in_reach() -> None:
    async def scene() -> None:
        async with rows(1) as ((only,), emulators):
            _, writer = await asyncio.open_connection("127.0.0.1", only.azure_port)
            while await emulators.connections(0, "azure") != 1:
                await asyncio.sleep(0)
            assert await emulators.drop(0, "azure") == 1
            assert await emulators.connections(0, "azure") == 0
            writer.close()

    asyncio.run(scene())


class Nobody:
    """Callers who are always in the middle of a word."""

    def in_mid_word(self) -> int:
        return 4


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kills_module, "APART_S", dict.fromkeys(ROLES, (0.0, 0.0)))


async def _read_until_cut(url: str, cut: list[int]) -> None:
    """Ask again and again; each answer that breaks off is noted."""
    async with httpx.AsyncClient(trust_env=False) as http:
        while True:
            got = 0
            try:
                async with http.stream(
                    "POST",
                    f"{url}/chat/completions",
                    json=QUESTION,
                    headers={"authorization": "Bearer k"},
                ) as answer:
                    async for _ in answer.aiter_lines():
                        got += 1
            except httpx.HTTPError:
                cut.append(got)


def test_answers_are_killed_in_the_middle_wherever_they_are_given() -> None:
    async def scene() -> None:
        async with rows(3) as ((_, second, _), emulators):
            lines: Any = Nobody()
            kills, cut, told = Kills(emulators, lines, Random(1)), list[int](), list[int]()
            asking = asyncio.create_task(_read_until_cut(second.openai_base_url, cut))
            await kills.run("think", 2, told.append)
            asking.cancel()
            assert kills.count == 2
            assert told[-1] == 2
            assert len(cut) == 2, "the first row was not asked, so the second was struck"

    asyncio.run(scene())


def test_who_is_left_is_not_struck_since_only_probes_are_there() -> None:
    async def scene() -> None:
        async with rows(3) as ((first, second, _), emulators):
            lines: Any = Nobody()
            cut: dict[str, list[int]] = {"first": [], "second": []}
            asking = [
                asyncio.create_task(_read_until_cut(first.openai_base_url, cut["first"])),
                asyncio.create_task(_read_until_cut(second.openai_base_url, cut["second"])),
            ]

            async def left() -> set[str]:
                return {"openai"}

            kills = Kills(emulators, lines, Random(1), left)
            await kills.run("think", 2, lambda count: None)
            for task in asking:
                task.cancel()
            assert cut["first"] == []
            assert len(cut["second"]) == 2

    asyncio.run(scene())


def test_of_recognisers_those_break_that_most_calls_use_and_their_share_of_callers_counts() -> None:
    async def scene() -> None:
        async with rows() as ((first, second), emulators):
            lines: Any = Nobody()
            ports = [first.azure_port, *[second.deepgram_port] * 3]
            writers = [(await asyncio.open_connection("127.0.0.1", port))[1] for port in ports]
            while await emulators.connections(1, "deepgram") != 3:
                await asyncio.sleep(0)
            while await emulators.connections(0, "azure") != 1:
                await asyncio.sleep(0)
            kills = Kills(emulators, lines, Random(1))
            await kills.run("recognise", 3, lambda count: None)
            assert kills.count == 3, "of four in mid-word, three quarters of the streams"
            assert await emulators.connections(1, "deepgram") == 0
            assert await emulators.connections(0, "azure") == 1
            for writer in writers:
                writer.close()

    asyncio.run(scene())
