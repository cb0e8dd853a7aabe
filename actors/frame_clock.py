"""One tick of 20 ms for all calls of a process: hear every call's frame, then run its deadlines.

A timer and a task for each call would cost more than the work itself; one numpy batch scores the
frames of all calls at once. Frames that came in a burst are heard one after another in the same
tick, so that media time keeps its order; at most ``BURST_FRAMES`` a call and tick, so that one
call's backlog cannot hold up the others. After ``SLICE_FRAMES`` of them everything else on the loop
gets a turn: the bursts of all calls, after the process had to wait for a core, would be another
stop as long as the first. A call that raises is told so and takes no more part; frames that cannot
be scored are not heard, and the tick goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from providers.traces import trace_of
from telephony import g711
from voice.ports import FRAME_S, FRAME_SAMPLES

logger = logging.getLogger(__name__)

BURST_FRAMES = 10
SLICE_FRAMES = 32  # of all calls together: some 2 ms of work
STALL_S = 1.0  # whoever watches this process may take it for hung soon (``actors.stream_watch``)
STALL_KEPT_S = 15.0  # and takes its calls elsewhere until then, though it has come round


class Scorer(Protocol):
    """Tells speech from silence for many calls at once (``voice.levels``)."""

    def score(
        self, frames: npt.NDArray[np.int16], slots: npt.NDArray[np.intp]
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
        """Frames (n, 160) and their slots (n,): is it speech (n,), level in dBFS (n,)."""

    def reset(self, slot: int) -> None:
        """Forget what was learnt for this slot."""


class TickedCall(Protocol):
    """What the clock asks of a call."""

    def take_frame(self) -> bytes | None:
        """The oldest unheard frame of 160 bytes, or None."""

    def frame_scored(self, is_speech: bool, level_db: float, now: float) -> None:
        """The frame just taken, scored."""

    def tick(self, now: float) -> None:
        """20 ms have passed: run what is due."""

    def broken(self, error: Exception) -> None:
        """The call has raised ``error`` in one of the above and is left out from now on."""


class FrameClock:
    """The shared tick.

    Args:
        scorer: Scores frames; owns its state by slot.
        on_lag: Told how late each tick began, seconds: the event loop's lag.
    """

    def __init__(self, scorer: Scorer, on_lag: Callable[[float], None] | None = None) -> None:
        self._scorer = scorer
        self._on_lag = on_lag
        self._calls: dict[int, TickedCall] = {}
        self._free: list[int] = []
        self._next_slot = 0
        self._ticked_at = 0.0
        self._stalled_until = 0.0
        self._task: asyncio.Task[None] | None = None

    def join(self, call: TickedCall) -> int:
        """Take part in the tick from now on; returns the slot to leave with."""
        if self._free:
            slot = self._free.pop()
        else:
            slot = self._next_slot
            self._next_slot += 1
        self._scorer.reset(slot)
        self._calls[slot] = call
        if self._task is None or self._task.done():
            self._ticked_at = asyncio.get_running_loop().time()
            self._task = asyncio.get_running_loop().create_task(self._run())
        return slot

    def leave(self, slot: int) -> None:
        """Take no more part."""
        if self._calls.pop(slot, None) is not None:
            self._free.append(slot)

    def unheard(self) -> None:
        """Whoever watches this process does not hear it: that is a stall to him."""
        self._stalled_until = asyncio.get_running_loop().time() + STALL_KEPT_S

    def has_stalled(self) -> bool:
        """Whether this process stood still for ``STALL_S`` in the last ``STALL_KEPT_S`` seconds.

        Or was unheard. A stall that has just ended is seen before the tick that comes late by it.
        """
        now = asyncio.get_running_loop().time()
        is_late = bool(self._calls) and now - self._ticked_at >= STALL_S
        return is_late or now < self._stalled_until

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due, trouble = loop.time() + FRAME_S, ""
        while self._calls:
            delay = due - loop.time()
            if delay > 0:
                await asyncio.sleep(delay)
            now = loop.time()
            if now - self._ticked_at >= STALL_S:
                self._stalled_until = now + STALL_KEPT_S
            self._ticked_at = now
            if self._on_lag is not None:
                self._on_lag(max(0.0, now - due))
            try:
                await self._hear_all(now)
            except Exception as error:  # noqa: BLE001 - no call would ever tick again
                if trouble != (trouble := trace_of(error)):
                    logger.error("the frames of all calls cannot be scored: %s", trouble)
            self._tick(loop.time())
            due += FRAME_S
            if now - due > 5 * FRAME_S:  # after a stall: go on from here, do not race
                due = now + FRAME_S
            elif due <= loop.time():
                await asyncio.sleep(0)

    async def _hear_all(self, now: float) -> None:
        heard = 0
        for _ in range(BURST_FRAMES):
            taken = [
                (slot, call, frame)
                for slot, call in self._calls.items()
                if (frame := call.take_frame()) is not None
            ]
            if heard >= SLICE_FRAMES and taken:
                heard = 0
                await asyncio.sleep(0)
                now = asyncio.get_running_loop().time()
                taken = [each for each in taken if self._calls.get(each[0]) is each[1]]
            if not taken:
                break
            self._hear(taken, now)
            heard += len(taken)

    def _tick(self, now: float) -> None:
        for slot, call in list(self._calls.items()):
            try:
                call.tick(now)
            except Exception as error:  # noqa: BLE001 - one call's trouble stays its own
                self._leave_out(slot, call, error)

    def _hear(self, taken: list[tuple[int, TickedCall, bytes]], now: float) -> None:
        ulaw = np.frombuffer(b"".join([frame for _, _, frame in taken]), dtype=np.uint8)
        frames = g711.decode(ulaw).reshape(-1, FRAME_SAMPLES)
        slots = np.fromiter((slot for slot, _, _ in taken), dtype=np.intp, count=len(taken))
        speech, levels = self._scorer.score(frames, slots)
        for (slot, call, _), is_speech, level in zip(
            taken, speech.tolist(), levels.tolist(), strict=True
        ):
            try:
                call.frame_scored(is_speech, level, now)
            except Exception as error:  # noqa: BLE001 - one call's trouble stays its own
                self._leave_out(slot, call, error)

    def _leave_out(self, slot: int, call: TickedCall, error: Exception) -> None:
        logger.error("a call failed in its tick; the others go on: %s", trace_of(error))
        # Its slot stays taken until the call leaves: nobody else may sit in it meanwhile.
        self._calls[slot] = _Broken()
        call.broken(error)


class _Broken:
    """Keeps the place of a call that has failed."""

    def take_frame(self) -> None:
        """Nothing to hear."""

    def frame_scored(self, is_speech: bool, level_db: float, now: float) -> None:
        """Nothing was taken."""

    def tick(self, now: float) -> None:
        """Nothing is due."""

    def broken(self, error: Exception) -> None:
        """It is."""
