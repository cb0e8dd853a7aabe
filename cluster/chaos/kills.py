"""Kills what providers are doing in the middle of it, again and again, wherever the calls are.

A call goes to another provider when its own is killed, and stays there, so the kills follow: they
strike whoever does the work at the moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from cluster.chaos.emulators import Emulators
from cluster.chaos.faults import SERVICES, Role
from cluster.chaos.lines import Lines

# From one to the next: what was killed is made up for before.
APART_S = (2.0, 4.0)
_STRUCK_WITHIN_S = 2.5
_LOOK_EVERY_S = 0.1
# The messages of an answer after which it is cut, at random.
_MESSAGES: Mapping[Role, tuple[int, int]] = {"think": (2, 14), "speak": (1, 9)}


class Kills:
    """See the top of this file.

    Args:
        emulators: Of all rows.
        lines: The callers.
        random: When, and after how many messages.

    Attributes:
        count: Streams killed in the middle of their work.
    """

    def __init__(self, emulators: Emulators, lines: Lines, random: Random) -> None:
        self._emulators = emulators
        self._lines = lines
        self._random = random
        self.count = 0

    async def run(self, role: Role, wanted: int, tell: Callable[[int], None]) -> None:
        """Kill until ``wanted`` streams were killed; ``tell`` is told how many they are."""
        while self.count < wanted:
            if role == "recognise":
                await asyncio.sleep(self._random.uniform(*APART_S))
                struck = await self._kill_ears()
            else:
                struck = await self._kill_answer(role)
            self.count += struck
            tell(self.count)

    async def _kill_ears(self) -> int:
        """Reset the connections of the recogniser that most calls use; callers in mid-word."""
        services = list(enumerate(SERVICES["recognise"]))
        open_now = [await self._emulators.connections(row, name) for row, name in services]
        row, service = services[open_now.index(max(open_now))]
        # Until somebody is in the middle of a word: between two words there is nothing to lose.
        while not (struck := self._lines.in_mid_word()):
            await asyncio.sleep(0.02)
        await self._emulators.drop(row, service)
        return struck

    async def _kill_answer(self, role: Role) -> int:
        """Cut one answer after some messages, of whoever gives the next one."""
        for row, service in enumerate(SERVICES[role][:2]):
            after = self._random.randint(*_MESSAGES[role])
            fault: dict[str, Any] = {"drop_after_messages": after, "times": 1}
            await self._emulators.set(row, service, fault)
            if await self._has_struck(row, service):
                return 1
            await self._emulators.set(row, service, {})
        return 0

    async def _has_struck(self, row: int, service: str) -> bool:
        deadline = asyncio.get_running_loop().time() + _STRUCK_WITHIN_S
        while asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(_LOOK_EVERY_S)
            if not await self._emulators.is_set(row, service, "drop_after_messages"):
                return True
        return False
