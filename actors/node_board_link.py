"""One listener a machine: ``HealthLink`` for all processes of a machine over one long poll.

Without it the keeper answers every process of the cluster itself, 0.7 ms each: with 10,000 calls
that makes a quarter of a second from one process that sees a failure to the last one that knows.

Rules
1. Who enters the empty *room* of the machine is its listener; all others join it there. The room is
   left by dying: there is nothing to elect, to renew or to clean up. Then the others meet anew.
2. The listener polls the keeper, names those who have joined (so that the keeper may ask them for
   probes), and hands every answer on before it uses it.
3. Whoever finds no listener, or hears nothing of it for ``PATIENCE_S``, polls the keeper itself. So
   a listener that hangs, or a machine without rooms, costs the keeper messages and nobody news.
4. Reports do not go through the room: what a process has seen does not depend on another one.

Nobody in a call waits for any of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from actors.board_share import BEAT_S, VERSION, BoardShare
from actors.provider_health_reporter import HealthLink
from providers.health.board import Stamp, whole
from providers.health.errors import HealthDataInvalid

logger = logging.getLogger(__name__)

MEET_TIMES = 5
MEET_AGAIN_S = 0.02
ALONE_FOR_S = 5.0
"""After meeting nobody so often, a process is alone for so long."""
_BEAT: dict[str, Any] = {"v": VERSION}
_MOST_UNITS = 2_000


class Pipe(Protocol):
    """The way between the listener and one other process; messages keep their order."""

    def send(self, message: Mapping[str, Any]) -> None:
        """Never waits and never raises; a peer that does not read is cut off."""

    async def receive(self) -> Any:
        """The next message; None when the other side is gone."""

    def close(self) -> None:
        """Idempotent."""


class Room(Protocol):
    """Where the processes of a machine meet."""

    async def enter(self, joined: Callable[[Pipe], None]) -> Callable[[], None] | None:
        """Enter it as the listener, who is told of everybody who joins.

        Returns:
            What leaves it; None when there is a listener already.
        """

    async def join(self) -> Pipe | None:
        """The way to the listener; None when there is none."""


class _Member:
    """Who has joined the listener."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self.reporter = ""
        self.units: list[str] = []


class NodeBoardLink:
    """See the top of this file.

    Args:
        link: The way to the keeper.
        room: Of this machine.
    """

    def __init__(self, link: HealthLink, room: Room) -> None:
        self._link = link
        self._room = room
        self._share = BoardShare()
        self._leave: Callable[[], None] | None = None
        self._members: set[_Member] = set()
        self._pipe: Pipe | None = None
        self._told: list[str] | None = None
        self._news = asyncio.Event()
        self._joined_at = self._alone_until = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._beating: asyncio.Task[None] | None = None

    @property
    def is_listener(self) -> bool:
        """Whether this process listens for its machine."""
        return self._leave is not None

    async def report(self, plain: dict[str, Any]) -> None:
        """Hand over a report. Raises ``HealthAwayError``."""
        await self._link.report(plain)

    async def probed(self, plain: dict[str, Any]) -> None:
        """Hand over the answer to a probe. Raises ``HealthAwayError``."""
        await self._link.probed(plain)

    async def watch(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Wait for news, from whoever listens. Raises ``HealthAwayError``."""
        while True:
            if self._leave is None and self._pipe is None and _now() >= self._alone_until:
                await self._meet()
            if self._leave is not None:
                return await self._listen(plain)
            if self._pipe is None:
                return await self._link.watch(plain)
            self._introduce(self._pipe, plain)
            answer = await self._hear(plain)
            if answer is not None:
                return answer

    async def aclose(self) -> None:
        """Leave the room; the others meet anew."""
        self._alone_until = float("inf")
        self._end_listening()
        if self._pipe is not None:
            self._pipe.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- meeting ---------------------------------------------------------------------------------

    async def _meet(self) -> None:
        for attempt in range(MEET_TIMES):
            if attempt:
                await asyncio.sleep(MEET_AGAIN_S)
            self._leave = await self._room.enter(self._joined)
            if self._leave is not None:
                self._beating = self._spawn(self._beat())
                return
            pipe = await self._room.join()
            if pipe is not None:
                self._pipe, self._told = pipe, None
                self._share.heard_at_s = self._joined_at = _now()
                self._spawn(self._read(pipe))
                return
        self._alone_until = _now() + ALONE_FOR_S

    # --- the listener ----------------------------------------------------------------------------

    async def _listen(self, plain: Mapping[str, Any]) -> dict[str, Any]:
        poll = {
            **plain,
            "seen": list(self._share.seen(_seen_of(plain))),
            "also": {member.reporter: member.units for member in self._members if member.reporter},
        }
        answer = await self._link.watch(poll)
        also = answer.get("also")
        if not isinstance(also, Mapping):
            # A keeper of an earlier version would never ask the others for probes.
            logger.info("the keeper of providers' health answers one process at a time")
            self._end_listening()
            self._alone_until = float("inf")
            return answer
        message = self._share.answered(answer)
        for member in tuple(self._members):
            member.pipe.send(message)
            if probes := also.get(member.reporter):
                member.pipe.send({"v": VERSION, "probes": probes})
        return answer

    def _joined(self, pipe: Pipe) -> None:
        member = _Member(pipe)
        self._members.add(member)
        if (message := self._share.whole()) is not None:
            pipe.send(message)
        self._spawn(self._meet_member(member))

    async def _meet_member(self, member: _Member) -> None:
        try:
            while (told := await member.pipe.receive()) is not None:
                member.reporter, member.units = _introduced(told)
        except HealthDataInvalid as error:
            logger.warning("a process of this machine was sent away: %s", error)
        finally:
            self._members.discard(member)
            member.pipe.close()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            for member in tuple(self._members):
                member.pipe.send(_BEAT)

    def _end_listening(self) -> None:
        if self._leave is not None:
            self._leave()
            self._leave = None
        if self._beating is not None:
            self._beating.cancel()
        for member in tuple(self._members):
            member.pipe.close()
        self._members.clear()

    # --- everybody else --------------------------------------------------------------------------

    def _introduce(self, pipe: Pipe, plain: Mapping[str, Any]) -> None:
        units = list(plain.get("can_probe", ()))
        if units != self._told:
            self._told = units
            pipe.send({"v": VERSION, "reporter": plain.get("reporter"), "can_probe": units})

    async def _hear(self, plain: dict[str, Any]) -> dict[str, Any] | None:
        """What the listener says next; None when it is gone."""
        seen = _seen_of(plain)
        while self._pipe is not None:
            answer = self._share.next_answer(seen)
            if answer is not None:
                return answer
            if not self._share.is_patient(now=_now()):
                return await self._link.watch(plain)
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    await self._news.wait()
        return None

    async def _read(self, pipe: Pipe) -> None:
        try:
            while (message := await pipe.receive()) is not None:
                if self._share.take(message, now=_now()):
                    self._news.set()
        except HealthDataInvalid as error:
            logger.warning("the listener of this machine is not understood: %s", error)
            self._alone_until = _now() + ALONE_FOR_S
        finally:
            pipe.close()
            self._pipe = None
            if self._share.heard_at_s == self._joined_at:  # sent away, or nobody there after all
                self._alone_until = _now() + ALONE_FOR_S
            self._news.set()

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _now() -> float:
    return asyncio.get_running_loop().time()


def _seen_of(plain: Mapping[str, Any]) -> Stamp:
    seen = plain.get("seen")
    if not isinstance(seen, list | tuple) or len(seen) != 2:
        raise HealthDataInvalid("seen is a term and a version")
    return (whole(seen[0]), whole(seen[1]))


def _introduced(told: Any) -> tuple[str, list[str]]:
    units = told.get("can_probe") if isinstance(told, Mapping) else None
    reporter = told.get("reporter") if isinstance(told, Mapping) else None
    if not isinstance(reporter, str) or not isinstance(units, list) or len(units) > _MOST_UNITS:
        raise HealthDataInvalid("who joins says its name and what it can probe")
    return reporter, [str(unit) for unit in units]
