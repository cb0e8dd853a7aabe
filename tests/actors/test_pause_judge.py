"""What a call asks the end-of-turn model, and what becomes of the answers, on virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any, cast

import pytest

from actors.call_parts import CallParts
from actors.pause_judge import PauseJudge
from actors.recogniser_feed import RecogniserFeed
from providers.errors import ProviderError
from providers.failover.ears import Ears
from providers.local.errors import TurnModelBusy, TurnModelFailed
from tests.support import virtual_time
from tests.support.fake_ear_and_mouth import FakeRecogniser
from tests.support.scripted_call import AGENT, Stage, play
from voice.events import Input, TurnJudged


class SlowTurnModel:
    """Answers after a while; keeps what it was given."""

    def __init__(self, takes_s: float = 0.08, ratio: float = 0.9) -> None:
        self.takes_s = takes_s
        self.ratio = ratio
        self.error: ProviderError | None = None
        self.heard: list[bytes] = []
        self.cancelled = 0

    async def judge(self, ulaw: bytes) -> float:
        self.heard.append(ulaw)
        try:
            await asyncio.sleep(self.takes_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return self.ratio


class Ear:
    def turn_audio(self) -> bytes:
        return b"\x00\xff"


class Bench:
    def __init__(self, model: SlowTurnModel | None) -> None:
        self.counts: Counter[str] = Counter()
        self.fed: list[Input] = []
        nothing = cast(Any, None)
        parts = CallParts(nothing, nothing, nothing, nothing, self.count, nothing, turn_model=model)
        self.judge = PauseJudge(parts, cast(RecogniserFeed, Ear()), self.fed.append)

    def count(self, name: str, amount: float) -> None:
        self.counts[name] += int(amount)


def test_an_answer_is_told_with_the_pause_it_is_about() -> None:
    async def scene() -> None:
        model = SlowTurnModel(ratio=0.7)
        bench = Bench(model)
        bench.judge.ask(4)
        assert bench.fed == []
        await asyncio.sleep(0.1)
        assert bench.fed == [TurnJudged(4, 0.7)]
        assert model.heard == [b"\x00\xff"]
        assert bench.counts == {"pauses_judged": 1}

    virtual_time.run(scene())


@pytest.mark.parametrize(
    ("error", "counted"),
    [
        (TurnModelBusy("others were first"), "pauses_not_judged"),
        (TurnModelFailed("it broke"), "turn_model_failed"),
    ],
)
def test_no_answer_is_no_evidence(error: ProviderError, counted: str) -> None:
    async def scene() -> None:
        model = SlowTurnModel()
        model.error = error
        bench = Bench(model)
        bench.judge.ask(1)
        await asyncio.sleep(0.1)
        assert bench.fed == []
        assert bench.counts == {counted: 1}

    virtual_time.run(scene())


def test_a_new_pause_takes_the_place_of_the_one_before_and_a_longer_one_does_not() -> None:
    async def scene() -> None:
        model = SlowTurnModel()
        bench = Bench(model)
        bench.judge.ask(1)
        await asyncio.sleep(0.02)
        bench.judge.ask(1)
        await asyncio.sleep(0.07)
        assert bench.fed == [TurnJudged(1, 0.9)]
        bench.judge.ask(2)
        await asyncio.sleep(0.1)
        assert bench.fed == [TurnJudged(1, 0.9), TurnJudged(2, 0.9)]
        assert model.cancelled == 1

    virtual_time.run(scene())


def test_a_call_that_is_over_asks_for_nothing() -> None:
    async def scene() -> None:
        model = SlowTurnModel()
        bench = Bench(model)
        bench.judge.ask(1)
        await asyncio.sleep(0.01)
        bench.judge.cancel()
        await asyncio.sleep(0.1)
        assert (bench.fed, model.cancelled) == ([], 1)

    virtual_time.run(scene())


def test_without_a_model_nothing_is_asked() -> None:
    async def scene() -> None:
        before = asyncio.all_tasks()
        bench = Bench(None)
        bench.judge.ask(1)
        assert asyncio.all_tasks() == before

    virtual_time.run(scene())


def test_the_last_eight_seconds_are_those_that_recognisers_replay() -> None:
    """No second copy of the caller's audio: the ring that a new recogniser is told from."""

    async def scene() -> None:
        feed = RecogniserFeed(
            Ears([FakeRecogniser()]), AGENT, "call-1", lambda _event: None, on_lost=print
        )
        assert feed.turn_audio() == b""
        feed.write(b"\x01" * 4_000)
        assert feed.turn_audio() == b"\x01" * 4_000
        for second in range(12):
            feed.write(bytes([second]) * 8_000)
        assert feed.turn_audio() == b"".join(bytes([second]) * 8_000 for second in range(4, 12))
        await feed.close()
        assert feed.turn_audio() == b"", "an ended call keeps no audio"

    virtual_time.run(scene())


def test_the_turn_before_is_not_judged_again() -> None:
    async def scene() -> None:
        feed = RecogniserFeed(
            Ears([FakeRecogniser()]), AGENT, "call-1", lambda _event: None, on_lost=print
        )
        feed.write(b"\x01" * 4_000)
        feed.turn_taken(now=0.5)
        assert feed.turn_audio() == b""
        feed.write(b"\x02" * 4_000)
        assert feed.turn_audio() == b"\x02" * 4_000
        feed.turn_taken(now=1.0)
        feed.turn_given_back()
        feed.write(b"\x03" * 160)
        assert feed.turn_audio() == b"\x02" * 4_000 + b"\x03" * 160
        feed.turn_taken(now=1.5)
        feed.turn_settled()
        feed.turn_given_back()
        assert feed.turn_audio() == b"", "a settled turn stays taken"
        await feed.close()

    virtual_time.run(scene())


def test_a_call_asks_about_its_pauses() -> None:
    model = SlowTurnModel()

    def stage() -> Stage:
        made = Stage()
        made.parts = replace(made.parts, turn_model=model)
        return made

    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("what do you have")
        await phone.until(lambda: len(phone.log) == 2)
        assert stage.counters["pauses_judged"] >= 1
        assert b"\x00" * 1_600 in model.heard[0]
        assert model.heard[0].endswith(b"\xff" * 160)

    play(scene, stage)
