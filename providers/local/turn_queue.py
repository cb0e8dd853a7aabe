"""Pauses of many calls wait for one end-of-turn model: briefly, few at a time, off the event loop.

An answer is worth something only while the pause lasts. So a pause that could not be answered by
its deadline is not begun, the one that has waited longest goes when too many wait, and whoever asks
learns at the deadline at the latest that there will be no answer. A pause whose call does not care
any more is told by cancelling ``judge``, and costs nothing if it was still waiting.

The model has its share of one core and no more (``processor_share``): with few calls every pause is
judged, with many only some, and the others end by their words and their silence. Audio comes first.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import sys
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from providers.errors import ProviderError
from providers.local.errors import TurnModelBusy, TurnModelFailed
from providers.local.processor_share import ProcessorShare
from providers.traces import trace_of

logger = logging.getLogger(__name__)

DEADLINE_S: Final = 0.25
MOST_WAITING: Final = 3
_FIRST_GUESS_S = 0.08
_SHARE_OF_NEWEST = 0.2
_MOST_OF_IT = 0.9
_NICER = 5
_NICEST = 19


class BlockingTurnModel(Protocol):
    """``smart_turn.SmartTurn``."""

    def finished_ratio(self, ulaw: bytes) -> float:
        """How likely the turn is over at the end of this audio, 0 to 1."""


class Runner(Protocol):
    """Runs what blocks where it holds up nobody."""

    def __call__(self, work: Callable[[], float]) -> Awaitable[float]:
        """Run ``work`` and give back what it returns."""

    def close(self) -> None:
        """Begin nothing more."""


class WorkerThread:
    """One thread with less claim to the processor than the event loop; a ``Runner``.

    The network lets go of the interpreter while it computes.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "turn-model", initializer=_step_back)

    def __call__(self, work: Callable[[], float]) -> Awaitable[float]:
        """Run ``work`` there."""
        return asyncio.get_running_loop().run_in_executor(self._executor, work)

    def close(self) -> None:
        """Begin nothing more; what runs ends by itself."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _step_back() -> None:
    """Make this thread nicer. Only Linux counts niceness by thread."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        nice = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(nice + _NICER, _NICEST))


@dataclass(slots=True, eq=False)
class _Pause:
    ulaw: bytes
    due: float
    answer: asyncio.Future[float]

    def refuse(self, why: str) -> None:
        """There will be no answer."""
        self.fail(TurnModelBusy(why, provider="turn model"))

    def fail(self, error: ProviderError) -> None:
        """Tell whoever still waits."""
        if not self.answer.done():
            self.answer.set_exception(error)


class TurnQueue:
    """A ``voice.ports.TurnModel`` over a model that blocks.

    Args:
        model: The model.
        run: Where it runs; closed with the queue.
        deadline_s: After which an answer is of no use.
        most_waiting: Pauses that wait at a time, besides the one that is being judged.
        share: Of one core that the model may use.

    Attributes:
        judged: Answers given so far.
        refused: Pauses without an answer in time so far, the model's failures among them.
    """

    def __init__(
        self,
        model: BlockingTurnModel,
        run: Runner,
        *,
        deadline_s: float = DEADLINE_S,
        most_waiting: int = MOST_WAITING,
        share: float = 1.0,
    ) -> None:
        self._model = model
        self._run = run
        self._deadline_s = deadline_s
        self._most_waiting = most_waiting
        self._share = ProcessorShare(share)
        self._waiting: deque[_Pause] = deque()
        self._work: asyncio.Task[None] | None = None
        self._usual_s = _FIRST_GUESS_S
        self._is_judging = False
        self.judged = 0
        self.refused = 0

    async def judge(self, ulaw: bytes) -> float:
        """How likely the turn is over, 0 to 1, at the end of this audio.

        Raises:
            TurnModelBusy: There is no answer within the deadline.
            TurnModelFailed: The model has failed.
        """
        loop = asyncio.get_running_loop()
        pause = _Pause(ulaw, loop.time() + self._deadline_s, loop.create_future())
        self._waiting.append(pause)
        if len(self._waiting) > self._most_waiting + (not self._is_judging):
            self._waiting.popleft().refuse("more pauses wait than it can judge in time")
        if self._work is None or self._work.done():
            self._work = loop.create_task(self._judge_waiting())
        try:
            async with asyncio.timeout_at(pause.due):
                answer = await pause.answer
        except TimeoutError:
            self.refused += 1
            raise TurnModelBusy(
                f"no answer within {self._deadline_s * 1_000:.0f} ms", provider="turn model"
            ) from None
        except ProviderError:
            self.refused += 1
            raise
        finally:
            pause.answer.cancel()
        self.judged += 1
        return answer

    async def warm(self, ulaw: bytes) -> None:
        """Judge once, however long it takes. Raises ``TurnModelFailed``."""
        loop = asyncio.get_running_loop()
        pause = _Pause(ulaw, math.inf, loop.create_future())
        await self._judge(pause)
        await pause.answer

    async def aclose(self) -> None:
        """Judge nothing more; who waits is refused."""
        while self._waiting:
            self._waiting.popleft().refuse("it is being closed")
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])
        self._run.close()

    async def _judge_waiting(self) -> None:
        while self._waiting:
            pause = self._waiting.popleft()
            if pause.answer.done():  # its call does not care any more
                continue
            now = asyncio.get_running_loop().time()
            if now + self._usual_s > pause.due:
                pause.refuse("its turn came too late")
                continue
            if not self._share.may_begin(now=now):
                pause.refuse("it has had its share of the processor")
                continue
            self._is_judging = True
            try:
                await self._judge(pause)
            finally:
                self._is_judging = False
                self._share.took(asyncio.get_running_loop().time() - now)

    async def _judge(self, pause: _Pause) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            answer = await self._run(partial(self._model.finished_ratio, pause.ulaw))
        except Exception as error:  # noqa: BLE001 - a turn without its answer is taken all the same
            logger.error("the end-of-turn model has failed: %s", trace_of(error))
            pause.fail(TurnModelFailed(f"{type(error).__name__} in it", provider="turn model"))
            return
        took_s = min(loop.time() - began, self._deadline_s * _MOST_OF_IT)  # or none would be begun
        self._usual_s += _SHARE_OF_NEWEST * (took_s - self._usual_s)
        if not pause.answer.done():
            pause.answer.set_result(answer)
