"""Kills what providers are doing in the middle of it, again and again, wherever the calls are.

A call goes to another provider when its own is killed, so the kills follow.

Rules
1. One answer at a time: the faults lie in wait at every provider that is in use, and the first that
   strikes takes the others away. What nobody uses any more is not struck: only probes are there.
2. Of recognisers all streams of the most used one break at once. Those callers count who were in
   the middle of a word, by the share of all streams that broke.
3. Then there is a pause, in which what was killed is made up for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any, Final

from cluster.chaos.emulators import Emulators
from cluster.chaos.faults import PROVIDERS, SERVICES, Role
from cluster.chaos.lines import Lines

# From one to the next, seconds. A caller is in the middle of a word every few seconds.
APART_S: Final[Mapping[Role, tuple[float, float]]] = {
    "recognise": (3.5, 5.5),
    "think": (0.6, 1.2),
    "speak": (0.6, 1.2),
}
_STRUCK_WITHIN_S: Final = 5.0
_LOOK_EVERY_S: Final = 0.05
# The messages of an answer after which it is cut, at random.
_MESSAGES: Final[Mapping[Role, tuple[int, int]]] = {"think": (2, 14), "speak": (1, 9)}


async def _nobody() -> set[str]:
    return set()


class Kills:
    """See the top of this file.

    Args:
        emulators: Of all rows.
        lines: The callers.
        random: When, and after how many messages.
        left: Names of the providers that calls do not ask at the moment.

    Attributes:
        count: Streams killed in the middle of their work.
    """

    def __init__(
        self,
        emulators: Emulators,
        lines: Lines,
        random: Random,
        left: Callable[[], Awaitable[set[str]]] = _nobody,
    ) -> None:
        self._emulators = emulators
        self._lines = lines
        self._random = random
        self._left = left
        self.count = 0

    async def run(self, role: Role, wanted: int, tell: Callable[[int], None]) -> None:
        """Kill until ``wanted`` streams were killed; ``tell`` is told how many they are."""
        while self.count < wanted:
            await asyncio.sleep(self._random.uniform(*APART_S[role]))
            if role == "recognise":
                self.count += await self._kill_ears()
            else:
                self.count += await self._kill_answer(role)
            tell(self.count)

    async def _kill_ears(self) -> int:
        """Reset the connections of the recogniser that most calls use; callers in mid-word."""
        services = list(enumerate(SERVICES["recognise"]))
        open_now = [await self._emulators.connections(row, name) for row, name in services]
        row, service = services[open_now.index(max(open_now))]
        # Until somebody is in the middle of a word: between two words there is nothing to lose.
        while not (struck := self._lines.in_mid_word()):
            await asyncio.sleep(0.02)
        dropped = await self._emulators.drop(row, service)
        return min(dropped, round(struck * max(open_now) / max(1, sum(open_now))))

    async def _kill_answer(self, role: Role) -> int:
        """Cut one answer after some messages, of whoever gives the next one."""
        left = await self._left()
        rows = list(enumerate(SERVICES[role]))
        used = [each for each in rows if PROVIDERS[role][each[0]] not in left] or rows
        for row, service in used:
            after = self._random.randint(*_MESSAGES[role])
            fault: dict[str, Any] = {"drop_after_messages": after, "times": 1}
            await self._emulators.set(row, service, fault)
        try:
            return await self._struck(used)
        finally:
            for row, service in used:
                await self._emulators.set(row, service, {})

    async def _struck(self, used: list[tuple[int, str]]) -> int:
        """How many struck, as soon as one has; 0 after a while."""
        deadline = asyncio.get_running_loop().time() + _STRUCK_WITHIN_S
        while asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(_LOOK_EVERY_S)
            waits = [
                await self._emulators.is_set(row, service, "drop_after_messages")
                for row, service in used
            ]
            if not all(waits):
                return waits.count(False)
        return 0
