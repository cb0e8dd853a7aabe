"""From a turn that the cache has answered to its check, through the driver of the calls."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from actors.hit_checks import REST_S, HitChecks
from actors.mind_calls import MindConfig
from actors.mind_driver import MindDriver
from actors.wire import OpenCall, SettleTurns, TakeTurn, TurnEntry
from cache.entry import Provenance
from cache.lookup import Question
from cache.outcomes import Outcome
from dialogue.agent import Agent
from dialogue.session import CallIdentity
from providers.errors import ProviderUnavailable
from tests.actors.test_mind_driver import EPOCH, FakeRecorder
from tests.support.fake_answers import NOTHING, FakeAnswers, hit
from tests.support.fake_thinker import FakeThinker
from tests.support.virtual_time import run

AGENT = Agent("t1", "a1", "v7", "en-US", "You are Ann.", "Hello!", "voice", thinker="fake")
ASKED, ANSWER = "When do you close?", "We close at nine."


class Stage:
    """A driver with a cache that knows one answer, and checks of all its hits."""

    def __init__(self, *script: Any) -> None:
        self.results: list[str] = []
        self.thinker = FakeThinker(script)
        found = hit(ANSWER)
        answer = found.answer.__class__(found.answer.answer_id, ANSWER, provenance=Provenance.MODEL)
        served = found.__class__(found.tier, 7, answer, 1.0, 1.0)

        def outcome(question: Question) -> Outcome:
            return served if "close" in question.text else NOTHING

        self.cache = FakeAnswers(outcome)
        self.checks = HitChecks(
            self.cache,
            {"fake": self.thinker}.get,
            self,
            lambda: 0.0,
            is_busy=lambda: self.driver.is_thinking,
        )
        self.driver = MindDriver(
            {("t1", "a1"): AGENT},
            {"fake": self.thinker},
            FakeRecorder(),
            MindConfig(),
            lambda: 77,
            self.cache,
            self.checks,
        )

    def checked(self, call: CallIdentity, result: str) -> None:
        self.results.append(f"{call.call_id} {result}")

    def units_used(self, call: CallIdentity, usage: Mapping[str, float]) -> None:
        assert usage["checked_prompt_tokens"] == usage["prompt_tokens"]

    async def open(self) -> None:
        opened = OpenCall("t1", "a1", "v7", "call-1", "CA1", EPOCH)
        await self.driver.open_call(opened.to_plain())

    async def turn(self, turn_id: int, text: str = ASKED) -> str:
        message = TakeTurn("t1", "call-1", EPOCH, turn_id, 1, "caller", text)
        items = [item async for item in self.driver.take_turn(message.to_plain())]
        return str(items[-1]["type"])

    async def settle(self, turn_id: int, outcome: str = "heard") -> None:
        turn = TurnEntry(turn_id, "caller", ASKED, ANSWER, ANSWER, outcome=outcome, guess=1)
        message = SettleTurns("t1", "call-1", EPOCH, (turn,))
        await self.driver.settle(message.to_plain())

    async def aclose(self) -> None:
        await self.driver.aclose()
        await self.checks.aclose()


def test_a_heard_answer_is_asked_again_and_a_difference_silences_it() -> None:
    async def story() -> None:
        stage = Stage("We close at eight.")
        await stage.open()
        assert await stage.turn(1) == "finished"
        assert stage.thinker.requests == []
        await stage.settle(1)
        assert [one.entry_id for one in stage.cache.spoken] == [7]
        await asyncio.sleep(5.0)
        (request,) = stage.thinker.requests
        assert request.messages[-1].text.endswith(ASKED)
        assert stage.results == ["call-1 different"]
        assert stage.cache.checks == [(False, 1.0, True)]
        await stage.aclose()

    run(story())


def test_what_nobody_heard_is_neither_counted_nor_asked_again() -> None:
    async def story() -> None:
        stage = Stage("We close at eight.")
        await stage.open()
        await stage.turn(1)
        await stage.settle(1, outcome="dropped")
        await asyncio.sleep(5.0)
        assert (stage.cache.spoken, stage.thinker.requests) == ([], [])
        await stage.aclose()

    run(story())


def test_a_model_that_fails_callers_is_not_asked_for_more() -> None:
    async def story() -> None:
        stage = Stage(ProviderUnavailable("down", "fake"))
        await stage.open()
        assert await stage.turn(1, "Do you have parking?") == "failed"
        await stage.turn(2)
        await stage.settle(2)
        assert stage.results == ["call-1 unwell"]
        await asyncio.sleep(REST_S)
        assert len(stage.thinker.requests) == 1
        await stage.aclose()

    run(story())
