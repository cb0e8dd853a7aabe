"""Hits that are asked again behind the caller's back, on virtual time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

import pytest

from actors.hit_checks import EVERY_S, MOST_WAITING, QUIET_WITHIN_S, REST_S, CheckConfig, HitChecks
from actors.hit_examination import ServedHit
from actors.wire import TurnEntry
from cache.entry import Provenance
from cache.outcomes import Tier
from cache.scope import Scope
from dialogue.agent import Agent
from dialogue.ports import Message, ReplyDone, ThinkRequest, ToolCallRequested
from dialogue.session import CallIdentity
from providers.errors import ProviderUnavailable
from tests.support.fake_answers import FakeAnswers, hit
from tests.support.fake_thinker import DONE, HANG, FakeThinker, Step
from tests.support.virtual_time import run

AGENT = Agent(
    "t", "a", "v1", "en-US", "You are Ann.", "Hello!", "voice", thinker="fake", model="large"
)
CALL = CallIdentity("t", "a", "v1", "call-1", "CA")
SCOPE = Scope("t", "a", "v1", "", "", "en-US", "open")
SAID = "We close at nine."
REQUEST = ThinkRequest("call-1", (Message("user", "When do you close?"),), model="large")


def served(said: str = SAID, *, tier: Tier = Tier.EXACT, is_written: bool = False) -> ServedHit:
    found = hit(said, tier=tier)
    provenance = Provenance.FAQ if is_written else Provenance.MODEL
    found = replace(found, answer=replace(found.answer, provenance=provenance), right_ratio=0.96)
    return ServedHit(CALL, AGENT, REQUEST, "When do you close?", said, found, SCOPE)


class Scene:
    """Checks with a model that writes one text after the other."""

    def __init__(self, *said: Step, **more: Any) -> None:
        left = list(said)
        self.thinker = FakeThinker(lambda _request: _steps(left))
        self.cache = FakeAnswers()
        self.results: list[str] = []
        self.used: list[Mapping[str, float]] = []
        self.draws: list[float] = []
        self.checks = HitChecks(
            self.cache,
            {"fake": self.thinker}.get,
            self,
            lambda: self.draws.pop(0) if self.draws else 0.0,
            **more,
        )
        self.turns(40)

    def checked(self, call: CallIdentity, result: str) -> None:
        self.results.append(result)

    def units_used(self, call: CallIdentity, usage: Mapping[str, float]) -> None:
        self.used.append(usage)

    def turns(self, count: int, wasted: float = 0.0) -> None:
        for number in range(count):
            turn = TurnEntry(number, "caller", usage={"wasted_calls": wasted})
            self.checks.turn_over(AGENT, CALL, turn, None)

    @property
    def systems(self) -> int:
        """How often a judge was asked."""
        return sum(one.messages[0].role == "system" for one in self.thinker.requests)


def _steps(left: list[Step]) -> list[Step]:
    step = left.pop(0)
    return list(step) if isinstance(step, tuple) else [step]


def play(body: Callable[[], Coroutine[Any, Any, Scene]]) -> None:
    async def whole() -> None:
        scene = await body()
        await scene.checks.aclose()
        assert scene.thinker.open_replies == 0
        assert len(asyncio.all_tasks()) <= 2, "nothing is left behind"

    run(whole())


@pytest.mark.parametrize(
    ("said", "result", "judged"),
    [
        (["We close at 9."], "same", 0),
        (["We close at ten."], "different", 0),
        (["Our doors shut then.", "yes"], "same", 1),
        (["Ask at the desk.", "no", "no"], "different", 2),
        (["Ask at the desk.", "no", "yes"], "unclear", 2),
        (["Ask at the desk.", "No, since the first says nine."], "unclear", 1),
        ([("We close", ReplyDone("length"))], "unclear", 0),
        (["Good bye <end_call>"], "unclear", 0),
        ([ToolCallRequested("1", "transfer", "{}")], "unclear", 0),
        ([ProviderUnavailable("gone", "fake")], "failed", 0),
        ([RuntimeError("We close at nine")], "failed", 0),
        ([(float(HANG), "too late")], "failed", 0),
    ],
)
def test_what_comes_of_an_answer_of_a_model(
    said: list[Any], result: str, judged: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def body() -> Scene:
        scene = Scene(*said)
        assert scene.checks.offer(served())
        assert scene.thinker.requests == [], "nothing begins in the step of a turn"
        await asyncio.sleep(60.0)
        assert scene.results == [result]
        assert scene.systems == judged
        assert scene.thinker.requests[0] == REQUEST, "the same question in the same words"
        is_right = {"same": True, "different": False}.get(result)
        wanted = [] if is_right is None else [(is_right, 1.0, True)]
        assert scene.cache.checks == wanted
        assert "nine" not in caplog.text, "no log has words of a call"
        return scene

    play(body)


@pytest.mark.parametrize(
    ("said", "result"),
    [
        (["yes"], "same"),
        (["no", "yes"], "different"),
        (["no", "no"], "unclear"),
        (["perhaps"], "unclear"),
    ],
)
def test_what_a_person_wrote_is_never_silenced_by_a_model(said: list[str], result: str) -> None:
    async def body() -> Scene:
        scene = Scene(*said)
        scene.cache.ratio = 0.03
        assert scene.checks.offer(served(tier=Tier.SEMANTIC, is_written=True))
        await asyncio.sleep(5.0)
        assert scene.results == [result]
        assert scene.systems == len(scene.thinker.requests), "nobody answers it anew"
        assert all(not silences for _, _, silences in scene.cache.checks)
        assert len(scene.cache.checks) == (result != "unclear")
        return scene

    play(body)


def test_what_a_person_wrote_for_this_question_is_not_doubted() -> None:
    async def body() -> Scene:
        scene = Scene()
        assert not scene.checks.offer(served(is_written=True))
        return scene

    play(body)


def test_so_many_are_chosen_as_the_setting_says() -> None:
    async def body() -> Scene:
        scene = Scene(*["We close at nine."] * 10, config=CheckConfig(0.02))
        for draw, is_chosen in ((0.019, True), (0.021, False)):
            scene.draws = [draw]
            assert scene.checks.offer(served()) is is_chosen
        near = served(tier=Tier.SEMANTIC)
        for doubt, draw, is_chosen in (
            (0.30, 0.19, True),  # nearly refused: ten times as likely as others
            (0.30, 0.21, False),
            (0.005, 0.009, True),  # quite sure, and half as likely as others all the same
            (0.005, 0.011, False),
        ):
            scene.cache.ratio, scene.draws = doubt, [draw]
            assert scene.checks.offer(near) is is_chosen
        await asyncio.sleep(30.0)
        assert [told for _, told, _ in scene.cache.checks] == [1.0, 0.30, 0.015]
        return scene

    play(body)


def test_none_where_the_setting_is_zero() -> None:
    async def body() -> Scene:
        scene = Scene(config=CheckConfig(0.0))
        assert not scene.checks.offer(served())
        return scene

    play(body)


def test_one_after_the_other_and_callers_first() -> None:
    async def body() -> Scene:
        busy = True
        scene = Scene(*["We close at nine."] * 2, is_busy=lambda: busy)
        for _ in range(2):
            assert scene.checks.offer(served())
        await asyncio.sleep(QUIET_WITHIN_S / 2)
        assert scene.thinker.requests == [], "somebody waits for a reply"
        busy = False
        await asyncio.sleep(EVERY_S)
        assert len(scene.thinker.requests) == 1
        await asyncio.sleep(EVERY_S)
        assert len(scene.thinker.requests) == 2
        return scene

    play(body)


def test_a_process_that_is_never_quiet_does_it_after_a_while() -> None:
    async def body() -> Scene:
        scene = Scene("We close at nine.", is_busy=lambda: True)
        assert scene.checks.offer(served())
        await asyncio.sleep(QUIET_WITHIN_S + EVERY_S + 1.0)
        assert scene.results == ["same"]
        return scene

    play(body)


def test_what_is_too_much_is_dropped() -> None:
    async def body() -> Scene:
        scene = Scene(is_busy=lambda: True)
        taken = [scene.checks.offer(served()) for _ in range(MOST_WAITING + 1)]
        assert taken == [True] * MOST_WAITING + [False]
        assert scene.results == ["busy"]
        return scene

    play(body)


def test_a_model_that_is_not_well_is_left_alone() -> None:
    async def body() -> Scene:
        is_well = False
        scene = Scene("We close at nine.", is_well=lambda _agent: is_well)
        assert not scene.checks.offer(served())
        is_well = True
        scene.checks.troubled(AGENT)
        assert not scene.checks.offer(served())
        await asyncio.sleep(REST_S)
        assert scene.checks.offer(served())
        is_well = False  # it fell ill while the check was waiting
        await asyncio.sleep(5.0)
        assert scene.results == ["unwell"] * 3
        assert scene.thinker.requests == []
        return scene

    play(body)


def test_a_failure_rests_the_model() -> None:
    async def body() -> Scene:
        scene = Scene(ProviderUnavailable("gone", "fake"), "We close at nine.")
        for _ in range(2):
            assert scene.checks.offer(served())
        await asyncio.sleep(10.0)
        assert scene.results == ["failed", "unwell"]
        return scene

    play(body)


def test_a_tenant_that_has_wasted_enough_pays_for_no_checks() -> None:
    async def body() -> Scene:
        scene = Scene(*["We close at nine."] * 9)
        scene.turns(40, wasted=1.0)
        assert not scene.checks.offer(served())
        assert scene.results == ["spent"]
        scene.turns(40)
        assert scene.checks.offer(served())
        await asyncio.sleep(5.0)
        assert scene.results[-1] == "same"
        return scene

    play(body)


def test_checks_are_waste_themselves() -> None:
    async def body() -> Scene:
        scene = Scene(*["We close at nine."] * 20)
        for _ in range(20):
            scene.checks.offer(served())
            await asyncio.sleep(5.0)
        assert "spent" in scene.results
        assert scene.results.count("same") < 10
        return scene

    play(body)


def test_what_it_took_is_told_by_model() -> None:
    async def body() -> Scene:
        scene = Scene("Ask at the desk.", "yes", config=CheckConfig(judge="small"))
        assert scene.checks.offer(served())
        await asyncio.sleep(5.0)
        assert [one.model for one in scene.thinker.requests] == ["large", "small"]
        own = {"prompt_tokens": DONE.prompt_tokens, "completion_tokens": DONE.completion_tokens}
        units = {**own, **{f"{unit}@small": tokens for unit, tokens in own.items()}}
        assert scene.used == [{**units, **{f"checked_{unit}": n for unit, n in units.items()}}]
        return scene

    play(body)


def test_nothing_goes_on_after_the_end() -> None:
    async def body() -> Scene:
        scene = Scene((float(HANG), "late"))
        assert scene.checks.offer(served())
        await asyncio.sleep(3.0)
        assert scene.thinker.open_replies == 1
        return scene

    play(body)
