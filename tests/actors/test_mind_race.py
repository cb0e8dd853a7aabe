"""The cache and the model: who has something to say first, and what becomes of the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from actors.consultation import Consultation
from actors.mind_answers import CallAnswers
from actors.mind_calls import MindConfig
from actors.mind_race import HEAD_START_S
from actors.mind_reply import MOST_LIKELY_SEGMENTS, Question, Reply
from actors.wire import TurnEntry, TurnItem
from cache.entry import StorageClass
from cache.outcomes import Miss, MissReason
from dialogue.agent import Agent
from dialogue.ports import ReplyDone, ThinkRequest, ToolCallRequested
from dialogue.session import CallIdentity, DialogueSession
from dialogue.tools import Tool
from tests.support.fake_answers import NOTHING, FakeAnswers, hit
from tests.support.fake_thinker import HANG, FakeThinker, Step
from tests.support.virtual_time import run

AGENT = Agent("t", "a", "v1", "en-US", "You are Ann.", "Hello!", "voice")
CALL = CallIdentity("t", "a", "v1", "c", "CA")
CACHED = "We close at nine. On Sundays we are closed."
KEY = (1, 1)


class Scene:
    """One reply with a cache and a model behind it."""

    def __init__(
        self, cache: FakeAnswers, script: tuple[Step, ...] = (0.3, "At nine."), agent: Agent = AGENT
    ) -> None:
        self.cache = cache
        self.thinker = FakeThinker(script)
        self.session = DialogueSession[TurnEntry](agent, CALL)
        request = self.session.begin_turn(*KEY, "caller", "When do you close?")
        assert isinstance(request, ThinkRequest)
        answers = CallAnswers(agent, CALL)
        consultation = answers.consult(KEY, "caller", "When do you close?", ())
        assert consultation is not None
        self.consultation: Consultation = consultation
        self.clock = asyncio.get_running_loop().time
        self.began_at = self.clock()
        question = Question(KEY, request, self.thinker, self.began_at, cache, consultation)
        self.reply = Reply(self.session, question, MindConfig())

    async def drained(self) -> list[TurnItem]:
        items = [await self.reply.next_item()]
        while items[-1].type == "segment":
            items.append(await self.reply.next_item())
        return items

    @property
    def took_s(self) -> float:
        return round(self.clock() - self.began_at, 6)


def play(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        await body()
        await asyncio.sleep(1.0)
        assert len(asyncio.all_tasks()) <= 2, "nothing is left behind"

    run(whole())


def texts(items: list[TurnItem]) -> list[str]:
    return [item.text for item in items if item.type == "segment"]


def test_a_quick_hit_is_the_reply_and_no_model_is_asked() -> None:
    async def body() -> None:
        scene = Scene(FakeAnswers(hit(CACHED), delay_s=HEAD_START_S / 2))
        items = await scene.drained()
        assert texts(items) == ["We close at nine.", "On Sundays we are closed."]
        assert all(item.keep for item in items[:-1])
        assert items[0].cache["outcome"] == items[-1].cache["outcome"] == "hit"
        assert (items[-1].type, items[-1].usage, items[-1].hang_up) == ("finished", {}, False)
        assert scene.thinker.requests == []
        assert scene.took_s == HEAD_START_S / 2

    play(body)


def test_after_a_quick_miss_the_model_answers_and_the_miss_is_told() -> None:
    async def body() -> None:
        scene = Scene(FakeAnswers(NOTHING))
        items = await scene.drained()
        assert texts(items) == ["At nine."]
        assert not items[0].keep
        assert items[0].cache["reason"] == items[-1].cache["reason"] == "empty_scope"
        assert scene.consultation.said == ["At nine."]
        assert scene.consultation.is_complete

    play(body)


def test_a_slow_lookup_is_not_waited_for_but_may_still_win() -> None:
    async def body() -> None:
        scene = Scene(FakeAnswers(hit(CACHED), delay_s=0.1))
        items = await scene.drained()
        assert texts(items)[0] == "We close at nine."
        assert scene.took_s == 0.1
        await asyncio.wait([scene.reply.task])
        assert (len(scene.thinker.requests), scene.thinker.cancelled) == (1, 1)

    play(body)


@pytest.mark.parametrize("late_s", [0.31, 1.0, HANG])
def test_words_of_the_model_that_are_on_their_way_are_not_taken_back(late_s: float) -> None:
    async def body() -> None:
        cache = FakeAnswers(hit(CACHED), delay_s=late_s)
        scene = Scene(cache, (0.3 - HEAD_START_S, "At nine. ", 0.2, "Bye."))
        items = await scene.drained()
        assert texts(items) == ["At nine.", "Bye."]
        assert scene.took_s == 0.5
        assert items[0].cache == {"outcome": "miss", "reason": "late"}
        assert not scene.consultation.is_served
        await asyncio.wait([scene.reply.task])
        assert cache.cancelled == (late_s > 0.5)

    play(body)


def test_a_dead_cache_costs_its_head_start_and_nothing_else() -> None:
    async def body() -> None:
        scene = Scene(FakeAnswers(hit(CACHED), delay_s=HANG))
        assert texts(await scene.drained()) == ["At nine."]
        assert scene.took_s == round(0.3 + HEAD_START_S, 6)

    play(body)


@pytest.mark.parametrize("delay_s", [0.0, 0.1])
@pytest.mark.parametrize("error", [RuntimeError("secret words"), asyncio.CancelledError()])
def test_a_cache_that_breaks_has_found_nothing(error: BaseException, delay_s: float) -> None:
    async def body() -> None:
        cache = FakeAnswers(delay_s=delay_s)
        cache.error = error
        items = await Scene(cache).drained()
        assert texts(items) == ["At nine."]
        is_broken = isinstance(error, RuntimeError)
        assert items[-1].cache["reason"] == ("broke" if is_broken else "late")
        assert "secret" not in str(items[-1])

    play(body)


@pytest.mark.parametrize(
    "found",
    [hit("  "), hit("***"), hit("<end_call>"), hit("Book {day}.", storage=StorageClass.PLAN)],
)
def test_a_hit_that_cannot_be_spoken_is_thought_about(found: Any) -> None:
    async def body() -> None:
        items = await Scene(FakeAnswers(found)).drained()
        assert texts(items) == ["At nine."]
        assert items[-1].cache["outcome"] == "refusal"

    play(body)


def test_a_mark_in_an_answer_of_the_cache_ends_no_call() -> None:
    async def body() -> None:
        items = await Scene(FakeAnswers(hit("Goodbye. <end_call>"))).drained()
        assert texts(items) == ["Goodbye."]
        assert (items[-1].hang_up, items[-1].action) == (False, {})

    play(body)


@pytest.mark.parametrize("after_s", [0.0, HEAD_START_S / 2, 0.05])
def test_a_reply_that_nobody_waits_for_ends_both(after_s: float) -> None:
    async def body() -> None:
        scene = Scene(FakeAnswers(hit(CACHED), delay_s=HANG), (HANG,))
        await asyncio.sleep(after_s)
        scene.reply.cancel("abandoned")
        assert [item.refusal for item in await scene.drained()] == ["abandoned"]
        await asyncio.wait([scene.reply.task])
        assert scene.thinker.open_replies == 0

    play(body)


def test_a_guess_that_was_dropped_says_nothing() -> None:
    async def body() -> None:
        scene = Scene(FakeAnswers(hit(CACHED), delay_s=HEAD_START_S / 2))
        scene.session.abandon(*KEY)
        await asyncio.wait([scene.reply.task])
        assert scene.thinker.requests == []
        assert not scene.consultation.is_served

    play(body)


PHONE = replace(AGENT, tools=(Tool("transfer", "sales", "To buy.", to="+14155550123"),))


@pytest.mark.parametrize(
    ("script", "uses_tool", "is_complete"),
    [
        (("One moment.", ToolCallRequested("c1", "sales", "{}")), True, True),
        (("Bye. <end_call>",), True, True),
        (("We close at", ReplyDone("length")), False, False),
        (("We close at nine.", ReplyDone("stop")), False, True),
    ],
)
def test_what_decides_whether_a_reply_may_be_kept(
    script: tuple[Step, ...], uses_tool: bool, is_complete: bool
) -> None:
    async def body() -> None:
        outcome = Miss(MissReason.NOT_LIKE_ANYTHING, 3, 0.2)
        scene = Scene(FakeAnswers(outcome), script, PHONE)
        await scene.drained()
        assert scene.consultation.uses_tool is uses_tool
        assert scene.consultation.is_complete is is_complete

    play(body)


def test_what_is_likely_next_goes_with_the_end_of_a_recited_reply() -> None:
    async def body() -> None:
        cache = FakeAnswers(hit(CACHED))
        cache.likely = (hit("Delivery is free. It takes a day.").answer, hit("Out back.").answer)
        scene = Scene(cache)
        items = await scene.drained()
        assert items[-1].likely == ("Delivery is free.", "It takes a day.", "Out back.")
        assert [item.likely for item in items[:-1]] == [()] * (len(items) - 1)
        assert scene.consultation.likely == cache.likely

    play(body)


def test_what_is_prepared_is_bounded() -> None:
    async def body() -> None:
        cache = FakeAnswers(hit(CACHED))
        cache.likely = (hit("This is one of many sentences. " * 40).answer,)
        items = await Scene(cache).drained()
        assert len(items[-1].likely) == MOST_LIKELY_SEGMENTS

    play(body)
