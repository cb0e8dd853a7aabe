"""Starts shared actors anew that hang.

Ray starts an actor again whose process dies. One that is held, or whose loop spins, lives as far as
Ray can tell: calls do without it (nothing in a turn waits for a shared actor), but nobody would end
it either.

Rules
1. Each is asked every ``ASK_EVERY_S`` whether it is there, and has ``ANSWER_WITHIN_S`` to answer.
2. One that has not answered ``MISSES`` times in a row is ended, and Ray starts it anew. It is then
   left alone for ``GRACE_S``.
3. When none of several answers, it is we who hear nothing: nobody is ended.
4. Who is not there at all is not missed: it is started by those who need it.

An asyncio driver without Ray.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from actors.rounds import for_ever

logger = logging.getLogger(__name__)

ASK_EVERY_S = 4.0
ANSWER_WITHIN_S = 3.0
MISSES = 3
GRACE_S = 20.0

Answer = Literal["there", "silent", "absent"]

AskActor = Callable[[str], Awaitable[Answer]]
"""Whether an actor answers within ``ANSWER_WITHIN_S``. Never raises."""

RestartActor = Callable[[str], Awaitable[None]]
"""End an actor's process, so that it is started anew. Never raises."""


class SharedWatch:
    """Watches shared actors.

    Args:
        names: Of the actors.
        ask: See ``AskActor``.
        restart: See ``RestartActor``.
    """

    def __init__(self, names: Sequence[str], ask: AskActor, restart: RestartActor) -> None:
        self._names = tuple(names)
        self._ask = ask
        self._restart = restart
        self._missed = dict.fromkeys(self._names, 0)
        self._left_alone_until = dict.fromkeys(self._names, 0.0)
        self.restarted: list[str] = []

    async def run(self) -> None:
        """Watch until cancelled."""
        await asyncio.sleep(ASK_EVERY_S)
        await for_ever(self.look, ASK_EVERY_S, "the watch of shared actors")

    async def look(self) -> None:
        """Ask all of them once."""
        loop = asyncio.get_running_loop()
        names = [name for name in self._names if self._left_alone_until[name] <= loop.time()]
        answers = await asyncio.gather(*(self._ask(name) for name in names))
        found = dict(zip(names, answers, strict=True))
        silent = [name for name, answer in found.items() if answer == "silent"]
        if len(silent) > 1 and "there" not in found.values():
            return
        for name in names:
            self._missed[name] = self._missed[name] + 1 if name in silent else 0
            if self._missed[name] >= MISSES:
                logger.error("%s hangs: it is started anew", name)
                self._missed[name] = 0
                self._left_alone_until[name] = loop.time() + GRACE_S
                self.restarted.append(name)
                await self._restart(name)
