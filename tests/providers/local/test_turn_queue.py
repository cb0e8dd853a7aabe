"""Pauses that wait for a model, on virtual time: the model takes as long as it is told to."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable

import pytest

from providers.errors import ProviderBusy, ProviderError
from providers.local.errors import TurnModelBusy, TurnModelFailed
from providers.local.turn_queue import TurnQueue, WorkerThread
from tests.support import virtual_time

SOUND = b"\xff" * 160


class SlowModel:
    """Answers with the length of the audio, after a time that passes in ``run``."""

    def __init__(self, takes_s: float = 0.08) -> None:
        self.takes_s = takes_s
        self.judged: list[int] = []
        self.fails = False

    def finished_ratio(self, ulaw: bytes) -> float:
        self.judged.append(len(ulaw))
        if self.fails:
            raise RuntimeError("a network that broke")
        return len(ulaw) / 1_000

    def queue(self) -> TurnQueue:
        return TurnQueue(self, SlowRunner(self), deadline_s=0.25, most_waiting=2)


class SlowRunner:
    def __init__(self, model: SlowModel) -> None:
        self.model = model
        self.is_closed = False

    async def __call__(self, work: Callable[[], float]) -> float:
        await asyncio.sleep(self.model.takes_s)
        return work()

    def close(self) -> None:
        self.is_closed = True


async def answer(queue: TurnQueue, size: int = 500) -> float | str:
    try:
        return await queue.judge(b"\x00" * size)
    except ProviderError as error:
        return type(error).__name__


def test_an_answer_comes_back_to_who_asked() -> None:
    async def scene() -> None:
        model = SlowModel()
        queue = model.queue()
        assert await asyncio.gather(answer(queue, 100), answer(queue, 200)) == [0.1, 0.2]
        assert model.judged == [100, 200]
        assert (queue.judged, queue.refused) == (2, 0)
        assert await answer(queue, 300) == 0.3  # after a time without work

    virtual_time.run(scene())


def test_when_too_many_wait_the_one_that_waited_longest_goes() -> None:
    async def scene() -> None:
        model = SlowModel(0.05)
        queue = model.queue()
        asked = [asyncio.create_task(answer(queue, size)) for size in (100, 200, 300, 400, 500)]
        said = await asyncio.gather(*asked)
        assert said == ["TurnModelBusy", "TurnModelBusy", 0.3, 0.4, 0.5]

        first = asyncio.create_task(answer(queue, 100))
        await asyncio.sleep(0.01)  # it is being judged
        more = [asyncio.create_task(answer(queue, size)) for size in (200, 300, 400)]
        assert await asyncio.gather(first, *more) == [0.1, "TurnModelBusy", 0.3, 0.4]

    virtual_time.run(scene())


def test_nobody_waits_beyond_the_deadline() -> None:
    async def scene() -> None:
        model = SlowModel(3.0)
        queue = model.queue()
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(TurnModelBusy, match="250 ms") as caught:
            await queue.judge(SOUND)
        assert loop.time() - began == pytest.approx(0.25)
        assert isinstance(caught.value, ProviderBusy)
        assert caught.value.retryable
        assert queue.refused == 1

    virtual_time.run(scene())


def test_what_cannot_be_ready_in_time_is_not_begun() -> None:
    """The second would be ready after 320 ms; the model is spared it, and knows so beforehand."""

    async def scene() -> None:
        model = SlowModel(0.16)
        queue = model.queue()
        for _ in range(20):
            await answer(queue, 1)  # it learns how long it takes
        model.judged.clear()
        assert await asyncio.gather(answer(queue, 100), answer(queue, 200)) == [
            0.1,
            "TurnModelBusy",
        ]
        assert model.judged == [100]

    virtual_time.run(scene())


def test_a_model_that_was_slow_once_is_asked_again() -> None:
    async def scene() -> None:
        model = SlowModel(2.0)
        queue = model.queue()
        assert await answer(queue) == "TurnModelBusy"
        await asyncio.sleep(3)
        model.takes_s = 0.05
        said = [await answer(queue) for _ in range(5)]
        assert said[-1] == 0.5

    virtual_time.run(scene())


def test_who_does_not_care_any_more_costs_nothing() -> None:
    async def scene() -> None:
        model = SlowModel()
        queue = model.queue()
        first = asyncio.create_task(answer(queue, 100))
        second = asyncio.create_task(answer(queue, 200))
        await asyncio.sleep(0.01)
        second.cancel()
        first.cancel()
        await asyncio.sleep(0)
        assert await answer(queue, 300) == 0.3
        assert model.judged == [100, 300]

    virtual_time.run(scene())


def test_it_is_warmed_however_long_that_takes() -> None:
    async def scene() -> None:
        model = SlowModel(4.0)
        queue = model.queue()
        await queue.warm(SOUND)
        assert model.judged == [160]
        model.takes_s = 0.05
        assert await answer(queue, 300) == 0.3
        model.fails = True
        with pytest.raises(TurnModelFailed):
            await queue.warm(SOUND)

    virtual_time.run(scene())


def test_a_failure_is_told_and_the_next_is_judged() -> None:
    async def scene() -> None:
        model = SlowModel()
        model.fails = True
        queue = model.queue()
        with pytest.raises(TurnModelFailed, match="RuntimeError"):
            await queue.judge(SOUND)
        model.fails = False
        assert await answer(queue, 300) == 0.3

    virtual_time.run(scene())


def test_closing_leaves_nobody_waiting() -> None:
    async def scene() -> None:
        runner = SlowRunner(SlowModel())
        queue = TurnQueue(runner.model, runner)
        asked = [asyncio.create_task(answer(queue)) for _ in range(2)]
        await asyncio.sleep(0.01)
        await queue.aclose()
        assert await asyncio.gather(*asked) == ["TurnModelBusy"] * 2
        await queue.aclose()
        assert runner.is_closed

    virtual_time.run(scene())


def test_the_worker_is_one_thread_that_steps_back() -> None:
    async def scene() -> list[tuple[int, int]]:
        worker = WorkerThread()
        seen: list[tuple[int, int]] = []

        def work() -> float:
            thread = threading.get_native_id()
            seen.append((thread, os.getpriority(os.PRIO_PROCESS, thread)))
            return 1.0

        await asyncio.gather(worker(work), worker(work))
        worker.close()
        return seen

    seen = asyncio.run(scene())
    mine = threading.get_native_id()
    assert len({thread for thread, _ in seen}) == 1
    assert seen[0][0] != mine
    if os.uname().sysname == "Linux":
        assert seen[0][1] == min(os.getpriority(os.PRIO_PROCESS, mine) + 5, 19)


def test_a_model_that_has_had_its_share_is_not_asked_until_it_is_made_up_for() -> None:
    async def scene() -> None:
        model = SlowModel(0.08)
        queue = TurnQueue(model, SlowRunner(model), deadline_s=0.25, most_waiting=2, share=0.25)
        said = [await answer(queue) for _ in range(10)]  # half a second, and what came in meanwhile
        assert said == [0.5] * 9 + ["TurnModelBusy"]
        await asyncio.sleep(0.3)
        assert await answer(queue) == 0.5
        await queue.aclose()

    virtual_time.run(scene())
