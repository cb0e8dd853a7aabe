"""One tick for all calls, on virtual time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from actors.frame_clock import (
    BURST_FRAMES,
    SLICE_FRAMES,
    STALL_KEPT_S,
    STALL_S,
    FrameClock,
)
from tests.support.scripted_call import LoudScorer
from tests.support.virtual_time import VirtualTimeLoop, run
from voice.levels import EnergyScorer
from voice.ports import FRAME_S

QUIET, LOUD = b"\xff" * 160, b"\x00" * 160


class Call:
    def __init__(self, frames: int = 0) -> None:
        self.waiting = [QUIET] * frames
        self.scored: list[tuple[float, bool]] = []
        self.ticks: list[float] = []
        self.errors: list[Exception] = []
        self.fails_in = ""
        self.on_scored: Callable[[], object] = lambda: None

    def take_frame(self) -> bytes | None:
        return self.waiting.pop(0) if self.waiting else None

    def frame_scored(self, is_speech: bool, level_db: float, now: float) -> None:
        if self.fails_in == "frame_scored":
            raise ValueError("a machine that broke")
        self.scored.append((now, is_speech))
        self.on_scored()

    def tick(self, now: float) -> None:
        if self.fails_in == "tick":
            raise ValueError("a machine that broke")
        self.ticks.append(now)

    def broken(self, error: Exception) -> None:
        self.errors.append(error)


def clock(**options: Any) -> FrameClock:
    return FrameClock(LoudScorer(), **options)


def test_every_call_ticks_every_20_ms_and_no_task_is_left_when_all_have_gone() -> None:
    async def scene() -> None:
        before = asyncio.all_tasks()
        shared, calls = clock(), [Call() for _ in range(3)]
        slots = [shared.join(call) for call in calls]
        assert len(asyncio.all_tasks() - before) == 1
        await asyncio.sleep(1.001)
        for call in calls:
            assert len(call.ticks) == 50
            assert np.allclose(np.diff(call.ticks), FRAME_S)
        for slot in slots:
            shared.leave(slot)
            shared.leave(slot)
        await asyncio.sleep(0.1)
        assert asyncio.all_tasks() == before
        shared.join(calls[0])
        await asyncio.sleep(0.1)
        assert len(calls[0].ticks) > 50

    run(scene())


def test_a_stall_is_known_before_the_late_tick_and_for_a_while_after_it() -> None:
    async def scene() -> None:
        shared, loop = clock(), asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        assert not shared.has_stalled()
        slot = shared.join(Call())
        await asyncio.sleep(30.0)
        assert not shared.has_stalled()
        loop.stand_still(STALL_S)
        assert shared.has_stalled()
        await asyncio.sleep(STALL_KEPT_S - 1.0)
        assert shared.has_stalled()
        await asyncio.sleep(1.1)
        assert not shared.has_stalled()
        shared.leave(slot)
        await asyncio.sleep(5.0)
        slot = shared.join(Call())  # nobody ticked meanwhile, which is no stall
        assert not shared.has_stalled()
        shared.leave(slot)

    run(scene())


def test_to_be_unheard_is_a_stall_to_whoever_watches() -> None:
    async def scene() -> None:
        shared = clock()
        shared.unheard()
        assert shared.has_stalled()
        await asyncio.sleep(STALL_KEPT_S - 1.0)
        shared.unheard()
        await asyncio.sleep(STALL_KEPT_S - 1.0)
        assert shared.has_stalled()
        await asyncio.sleep(1.1)
        assert not shared.has_stalled()

    run(scene())


class DeafScorer(LoudScorer):
    """Cannot score anything for a while."""

    is_broken = True

    def score(self, frames: Any, slots: Any) -> Any:
        if self.is_broken:
            raise RuntimeError("a model that broke")
        return super().score(frames, slots)


def test_frames_that_cannot_be_scored_stop_no_call(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        scorer, call = DeafScorer(), Call(frames=30)
        shared = FrameClock(scorer)
        slot = shared.join(call)
        await asyncio.sleep(0.101)
        assert len(call.ticks) == 5
        assert caplog.text.count("cannot be scored") == 1
        scorer.is_broken = False
        await asyncio.sleep(0.1)
        assert len(call.scored) == 30 - 5
        shared.leave(slot)

    run(scene())


@pytest.mark.parametrize("fails_in", ["tick", "frame_scored"])
def test_of_fifty_calls_one_that_raises_is_told_and_the_others_go_on(
    fails_in: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        shared, calls = clock(), [Call() for _ in range(50)]
        for call in calls:
            shared.join(call)
        calls[7].fails_in = fails_in
        for _ in range(10):
            for call in calls:
                call.waiting.append(LOUD)
            await asyncio.sleep(FRAME_S)
        await asyncio.sleep(FRAME_S)
        assert [str(error) for error in calls[7].errors] == ["a machine that broke"]
        for call in calls[:7] + calls[8:]:
            assert [speech for _, speech in call.scored] == [True] * 10
            assert call.errors == []

    caplog.set_level(logging.ERROR)
    run(scene())
    (told,) = [record.message for record in caplog.records]
    assert told.startswith("a call failed in its tick; the others go on: ValueError\n")
    assert "ValueError: " not in told, "it may quote the caller"


def test_a_broken_call_keeps_its_slot_until_it_leaves() -> None:
    async def scene() -> None:
        shared, broken = clock(), Call()
        broken.fails_in = "tick"
        slot = shared.join(broken)
        await asyncio.sleep(0.1)
        assert shared.join(Call()) != slot
        shared.leave(slot)
        assert shared.join(Call()) == slot

    run(scene())


def test_the_bursts_of_all_calls_do_not_stop_the_loop_in_one_piece() -> None:
    async def scene() -> None:
        loop, seen = asyncio.get_running_loop(), [0]
        shared, calls = clock(), [Call(frames=BURST_FRAMES) for _ in range(20)]

        def note() -> None:
            seen.append(sum(len(call.scored) for call in calls))

        for call in calls:
            call.on_scored = lambda: loop.call_soon(note)
            shared.join(call)
        await asyncio.sleep(1.5 * FRAME_S)
        assert seen[-1] == 20 * BURST_FRAMES, "all in one tick"
        assert np.diff(seen).max() < SLICE_FRAMES + len(calls), "frames between two other steps"
        times = [at for at, _ in calls[0].scored]
        assert times == sorted(times)

    run(scene())


def test_a_call_that_leaves_in_the_middle_of_a_burst_hears_no_more() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        shared, calls = clock(), [Call(frames=BURST_FRAMES) for _ in range(20)]
        slots = [shared.join(call) for call in calls]
        calls[0].on_scored = lambda: loop.call_soon(shared.leave, slots[0])
        await asyncio.sleep(1.5 * FRAME_S)
        assert 0 < len(calls[0].scored) < BURST_FRAMES, "it left before the burst was over"
        assert [len(call.scored) for call in calls[1:]] == [BURST_FRAMES] * 19

    run(scene())


def test_a_backlog_is_heard_in_bursts_and_holds_nobody_up() -> None:
    async def scene() -> None:
        shared, late, other = clock(), Call(frames=25), Call()
        shared.join(late)
        shared.join(other)
        await asyncio.sleep(FRAME_S * 3.5)
        times = [at for at, _ in late.scored]
        assert [times.count(at) for at in sorted(set(times))] == [BURST_FRAMES, BURST_FRAMES, 5]
        assert len(other.ticks) == 3

    run(scene())


def test_lag_is_told_and_a_stall_is_not_raced_after() -> None:
    async def scene() -> None:
        lags: list[float] = []
        shared, call = clock(on_lag=lags.append), Call()
        shared.join(call)
        await asyncio.sleep(0.05)
        asyncio.get_running_loop()._jumping.now_s += 3.0  # type: ignore[attr-defined]
        ticks = len(call.ticks)
        await asyncio.sleep(0.101)
        assert len(call.ticks) - ticks <= 6
        assert max(lags) > 2.9

    run(scene())


def test_more_calls_than_the_scorer_was_made_for_are_scored_all_the_same() -> None:
    """A stream that takes a call over needs a slot while the older one still holds its own."""

    async def scene() -> None:
        shared, calls = FrameClock(EnergyScorer(2)), [Call(frames=3) for _ in range(5)]
        for call in calls:
            shared.join(call)
        await asyncio.sleep(0.1)
        assert [len(call.scored) for call in calls] == [3] * 5

    run(scene())
