"""The calls of one ingress replica: one owner for each ``CallSid``, counted, in tasks of their own.

Ray Serve cancels a WebSocket handler the moment the peer is gone; the call must outlive it long
enough to settle its turn and tell its mind. So the call runs in a task that the registry holds, and
the handler is only a pump into it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from actors.call_parts import CallEnd, LiveDriver
from providers.traces import trace_of
from telephony.stream_token import StreamClaims

logger = logging.getLogger(__name__)

CLOSE_OWNED_ELSEWHERE = 1000


@dataclass(slots=True)
class LiveCall:
    """One call of this replica, the task that holds it, and the claims of its stream's token.

    Attributes:
        told: What the watch knows of it (``watched_calls``), and with whom its mind was then.
        road: Address of the node whose HAProxy its stream comes through; empty when not known.
    """

    call_sid: str
    call_id: str
    epoch: tuple[int, int]
    driver: LiveDriver
    task: asyncio.Task[CallEnd]
    claims: StreamClaims | None = None
    told: tuple[tuple[str, tuple[int, int]], dict[str, Any]] | None = None
    road: str = ""


class CallRegistry:
    """Who is on the line here.

    Args:
        maximum: Calls this replica carries at most.
        on_end: Told of every call that ended.
    """

    def __init__(self, maximum: int, on_end: Callable[[LiveCall, CallEnd], None]) -> None:
        self.maximum = maximum
        self._on_end = on_end
        self._calls: dict[str, LiveCall] = {}
        self._closing: set[asyncio.Task[CallEnd]] = set()
        self._is_leaving = False

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def is_leaving(self) -> bool:
        """True when this process is about to end."""
        return self._is_leaving

    @property
    def full(self) -> bool:
        """True when no further call fits, or this process is about to end."""
        return self._is_leaving or len(self._calls) >= self.maximum

    def __iter__(self) -> Iterator[LiveCall]:
        """The calls in progress."""
        return iter(list(self._calls.values()))

    def owner_of(self, call_sid: str) -> LiveCall | None:
        """The live call with this sid."""
        return self._calls.get(call_sid)

    def begin(
        self,
        call_sid: str,
        call_id: str,
        epoch: tuple[int, int],
        driver: LiveDriver,
        claims: StreamClaims | None = None,
    ) -> LiveCall:
        """Hold a call in a task of its own; an older stream of the same call is shut.

        The caller has checked that ``epoch`` is newer than that of ``owner_of(call_sid)``.
        """
        older = self._calls.pop(call_sid, None)
        if older is not None:
            logger.info("call %s: a newer stream took over", call_id)
            older.driver.shut("newer_stream", CLOSE_OWNED_ELSEWHERE)
        task = asyncio.get_running_loop().create_task(driver.run(), name=f"call {call_id}")
        call = LiveCall(call_sid, call_id, epoch, driver, task, claims)
        self._calls[call_sid] = call
        self._closing.add(task)
        task.add_done_callback(lambda done: self._ended(call, done))
        return call

    def overtaken(self, call_id: str, epoch: tuple[int, int]) -> None:
        """Another replica has this call under ``epoch``: an older stream of it here is shut."""
        for call in self:
            if call.call_id == call_id and call.driver.mind.epoch < epoch:
                logger.warning("call %s: another replica has it", call_id)
                call.driver.shut("owned_elsewhere", CLOSE_OWNED_ELSEWHERE)

    def _ended(self, call: LiveCall, task: asyncio.Task[CallEnd]) -> None:
        self._closing.discard(task)
        if self._calls.get(call.call_sid) is call:
            del self._calls[call.call_sid]
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            logger.error("call %s failed: %s", call.call_id, trace_of(error))
            self._on_end(call, CallEnd(False, f"internal: {type(error).__name__}", 1011))
        else:
            self._on_end(call, task.result())

    async def leave(self, reason: str, close_code: int, wait_s: float) -> None:
        """This process ends and others stay: nobody new, and who has come late is sent to them.

        Their streams end unplanned: to be hung up on is not what they have called for.
        """
        self._is_leaving = True
        for call in self:
            call.driver.shut(reason, close_code)
        if self._closing:
            await asyncio.wait(self._closing, timeout=wait_s)

    async def drain(self, farewell: str | None, wait_s: float) -> None:
        """Ask every call to end politely and wait for them, at most ``wait_s``."""
        for call in list(self._calls.values()):
            call.driver.hang_up("shutting_down", farewell)
        if self._closing:
            await asyncio.wait(self._closing, timeout=wait_s)
