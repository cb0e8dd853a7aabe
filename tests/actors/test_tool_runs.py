"""Tools that bring a result, over both halves of a call: run once, whoever dies; virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from actors.mind_client import MindClient, TurnQuestion
from actors.mind_messages import turn_message
from actors.tool_questions import TOOL_KIND, question_of
from actors.tool_runs import ToolRuns
from actors.wire import OpenCall, TurnEntry, TurnItem
from dialogue.agent import Agent
from dialogue.ports import ThinkRequest, ToolCallRequested
from dialogue.session import CallIdentity
from dialogue.tool_use import Plain, status_of
from dialogue.tools import Tool
from tests.support import virtual_time
from tests.support.fake_thinker import FakeThinker, Step
from tests.support.local_mind_pool import LocalMindPool
from tests.support.scripted_call import AGENT

BOOK = Tool("http", "book", "Books a table.", longest_s=10.0, filler_after_s=0.8)
LOOK = replace(BOOK, name="look", is_idempotent=True, announce="Let me see.")
QUIET_LOOK = replace(LOOK, announce="")
NOTE = Tool("remember", "remember", "Notes a fact.")
AGENT_WITH_TOOLS = replace(AGENT, tools=(BOOK, LOOK, NOTE))
DONE = '{"status": "done", "answer": "table 7"}'


class Shop:
    """Runs tools: after ``wait_s``, and as often as it is asked, which is counted."""

    def __init__(self) -> None:
        self.used: list[tuple[str, str, str]] = []
        self.wait_s = 0.1
        self.result = DONE
        self.why = ""

    def refusal(self, tool: Tool, arguments: Mapping[str, Any]) -> str:
        return self.why

    async def run(self, tool: Tool, arguments: Mapping[str, Any], *, key: str) -> str:
        self.used.append((tool.name, json.dumps(arguments), key))
        await asyncio.sleep(self.wait_s)
        return self.result


class Journal:
    """What was written down, in order; a slow one holds nothing up for ever."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, Plain]] = []

    async def write(
        self, call: CallIdentity, turn_id: int, use: Plain, *, at_us: int, within_s: float
    ) -> None:
        self.rows.append((turn_id, use))


def answers(
    request: ThinkRequest, *, tool: str = "book", first: str = "One second."
) -> Sequence[Step]:
    """Asks for a tool, and then says its result."""
    last = request.messages[-1]
    if last.role == "tool":
        return [0.1, f"It says {status_of({'result': last.text})}."]
    call = ToolCallRequested("c1", tool, '{"day": "monday"}')
    return [0.1, *([first] if first else []), call]


class Stage:
    """A call at ``ann``; ``bob`` is there too."""

    def __init__(
        self,
        script: Callable[[ThinkRequest], Sequence[Step]] = answers,
        agent: Agent = AGENT_WITH_TOOLS,
    ) -> None:
        self.shops = {name: Shop() for name in ("ann", "bob")}
        self.journals = {name: Journal() for name in ("ann", "bob")}
        self.thinker = FakeThinker(script)
        ids = count(1)

        def tools(name: str) -> ToolRuns:
            return ToolRuns(
                self.shops[name], self.journals[name], lambda: 7, lambda: f"use-{next(ids)}"
            )

        self.pool = LocalMindPool(
            {"a1": agent}, {"fake": self.thinker}, ("ann", "bob"), tools=tools
        )
        self.mind = self.client((0, 10))
        self.at: list[float] = []

    def client(self, epoch: tuple[int, int]) -> MindClient:
        call = OpenCall("t1", "a1", "v1", "call-1", "CA1", epoch=epoch)
        return MindClient(
            self.pool,
            "ann",
            call,
            actor_timeout_s=1.0,
            wall_clock_us=lambda: int(asyncio.get_running_loop().time() * 1e6),
        )

    async def ask(
        self, turn_id: int = 1, *, text: str = "book", guess: int = 1, speculative: bool = False
    ) -> list[TurnItem]:
        question = TurnQuestion(turn_id, guess, "caller", text, speculative)
        items = []
        self.at.clear()
        async for item in self.mind.take_turn(question):
            items.append(item)
            self.at.append(asyncio.get_running_loop().time())
        return items

    def settle(self, turn_id: int = 1, *, outcome: str = "heard", guess: int = 1) -> TurnEntry:
        entry = TurnEntry(turn_id, "caller", "book", "a", "a", outcome=outcome, guess=guess)
        return self.mind.settle(entry)

    @property
    def used(self) -> list[str]:
        """Names of the tools that were run, by whomever."""
        return [name for shop in self.shops.values() for name, _, _ in shop.used]


def play(scene: Callable[[Stage], Awaitable[None]], **options: Any) -> None:
    async def whole() -> None:
        before = asyncio.all_tasks()
        stage = Stage(**options)
        await stage.mind.open()
        await scene(stage)
        await stage.pool.aclose()
        await asyncio.sleep(1.1)  # an actor that hangs is told goodbye for no longer
        assert not {task for task in asyncio.all_tasks() - before if not task.done()}

    virtual_time.run(whole())


def said(items: list[TurnItem]) -> list[str]:
    return [item.text or item.type for item in items]


def test_a_reply_goes_on_with_what_came_of_its_tool() -> None:
    async def scene(stage: Stage) -> None:
        items = await stage.ask()
        assert said(items) == [
            "accepted", "One second.", "tool", "tool", "It says done.", "finished",
        ]  # fmt: skip
        assert stage.shops["ann"].used == [("book", '{"day": "monday"}', "use-1")]
        (use,) = stage.settle().tools
        assert (use["name"], use["arguments"]) == ("book", '{"day":"monday"}')
        assert status_of(use) == "done"
        begun, ended = stage.journals["ann"].rows
        assert ("result" in begun[1], ended[1]["result"]) == (False, DONE)

    play(scene)


def test_the_next_turn_knows_what_was_done() -> None:
    async def scene(stage: Stage) -> None:
        await stage.ask()
        stage.settle()
        await stage.ask(2)
        told = stage.thinker.requests[2].messages
        assert [message.role for message in told[-4:]] == ["assistant", "tool", "assistant", "user"]
        assert told[-3].text == DONE

    play(scene)


def test_a_guess_runs_nothing_before_its_turn_is_taken() -> None:
    async def scene(stage: Stage) -> None:
        asking = asyncio.ensure_future(stage.ask(speculative=True))
        await asyncio.sleep(5)
        assert stage.used == []
        stage.mind.grants.take(1, 1)
        assert said(await asking)[-2:] == ["It says done.", "finished"]
        assert stage.used == ["book"]

    play(scene)


def test_a_guess_that_is_dropped_runs_nothing_at_all() -> None:
    async def scene(stage: Stage) -> None:
        asking = asyncio.ensure_future(stage.ask(speculative=True))
        await asyncio.sleep(5)
        stage.mind.grants.drop(1, 1)
        asking.cancel()
        await asyncio.wait([asking])
        await stage.ask(guess=2, text="no")
        assert len(stage.used) == 1
        assert stage.journals["ann"].rows[0][1]["id"] == "use-2"

    play(scene)


def test_two_guesses_at_one_turn_run_a_tool_once() -> None:
    async def scene(stage: Stage) -> None:
        first = asyncio.ensure_future(stage.ask(speculative=True))
        second = asyncio.ensure_future(stage.ask(guess=2, speculative=True))
        await asyncio.sleep(5)
        stage.mind.grants.take(1, 1)
        await asyncio.sleep(0.05)  # it runs; the caller had not finished, and says the same again
        stage.mind.grants.take_back(1, 1)
        stage.mind.grants.take(1, 2)
        items = await asyncio.gather(first, second)
        assert [said(one)[-2] for one in items] == ["It says done."] * 2
        assert stage.used == ["book"]

    play(scene)


def test_a_caller_who_speaks_meanwhile_takes_nothing_back_and_the_result_is_told_later() -> None:
    async def scene(stage: Stage) -> None:
        stage.shops["ann"].wait_s = 3.0
        asking = asyncio.ensure_future(stage.ask())
        await asyncio.sleep(1)
        stage.mind.grants.drop(1, 1)
        asking.cancel()
        await asyncio.wait([asking])
        (use,) = stage.settle(outcome="interrupted").tools
        assert status_of(use) == "unknown"
        await stage.mind.flush()
        await asyncio.sleep(5)
        await stage.ask(2)
        assert any(message.text == DONE for message in stage.thinker.requests[-2].messages)
        uses = stage.settle(2).tools
        assert [status_of(one) for one in uses] == ["done", "done"]
        assert [one.get("of_turn") for one in uses] == [None, 1]
        assert stage.used == ["book", "book"]

    play(scene)


@pytest.mark.parametrize("fault", ["kill", "hang"])
def test_a_tool_that_was_begun_is_not_begun_again_by_the_next_actor(fault: str) -> None:
    async def scene(stage: Stage) -> None:
        stage.shops["ann"].wait_s = 100.0
        asking = asyncio.ensure_future(stage.ask(text="book"))
        await asyncio.sleep(0.5)
        assert stage.used == ["book"]
        getattr(stage.pool, fault)("ann")
        stage.thinker._script = lambda request: answers(request, first="")
        if fault == "hang":
            asking.cancel()  # its pool would find out; this one waits for ever
            await asyncio.wait([asking])
            stage.settle(outcome="failed")
            await stage.mind.flush()
        else:
            assert said(await asking)[-1] == "failed"  # words were said: the reply ends there
        items = await stage.ask(2)
        assert stage.mind.actor == "bob"
        assert said(items)[-1] == "finished"
        assert stage.shops["bob"].used[:1] in ([], [("book", '{"day": "monday"}', "use-2")])
        assert stage.used in (["book"], ["book", "book"])
        told = stage.thinker.requests[1].messages
        assert any("unknown" in message.text for message in told if message.role == "tool")

    play(scene)


def test_a_turn_that_is_asked_again_does_not_run_its_tool_again() -> None:
    """Nothing was said before the actor died: the next one gets the same question."""

    async def scene(stage: Stage) -> None:
        stage.shops["ann"].wait_s = 100.0
        asking = asyncio.ensure_future(stage.ask())
        await asyncio.sleep(0.5)
        assert stage.used == ["book"]
        stage.pool.kill("ann")
        items = await asking
        assert said(items)[-2:] == ["It says unknown.", "finished"]
        assert stage.used == ["book"]
        assert stage.mind.actor == "bob"
        (use,) = stage.settle().tools
        assert status_of(use) == "unknown"

    play(scene, script=lambda request: answers(request, first=""))


def test_an_idempotent_tool_is_run_again_under_the_same_key() -> None:
    async def scene(stage: Stage) -> None:
        stage.shops["ann"].wait_s = 100.0
        asking = asyncio.ensure_future(stage.ask())
        await asyncio.sleep(0.5)
        assert stage.used == ["look"]
        stage.pool.kill("ann")
        assert said(await asking)[-2] == "It says done."
        keys = {key for shop in stage.shops.values() for _, _, key in shop.used}
        assert (stage.used, keys) == (["look", "look"], {"use-1"})

    def script(request: ThinkRequest) -> Sequence[Step]:
        return answers(request, tool="look", first="")

    play(scene, script=script, agent=replace(AGENT_WITH_TOOLS, tools=(QUIET_LOOK,)))


def test_a_stream_that_was_lost_leaves_its_tool_running_and_the_next_one_knows() -> None:
    async def scene(stage: Stage) -> None:
        stage.shops["ann"].wait_s = 3.0
        asking = asyncio.ensure_future(stage.ask())
        await asyncio.sleep(1)
        asking.cancel()  # the ingress dies
        await asyncio.wait([asking])
        stage.mind = stage.client((1, 20))
        await stage.mind.open()
        await asyncio.sleep(5)
        items = await stage.ask()  # the caller asks once more
        assert said(items)[-2:] == ["It says done.", "finished"]
        assert stage.used == ["book"]
        assert [status_of(use) for use in stage.settle().tools] == ["unknown"]
        await stage.mind.flush()
        await stage.ask(2)
        assert [use["of_turn"] for use in stage.settle(2).tools if "of_turn" in use] == [1]

    play(scene)


def test_a_slow_tool_is_filled_with_words_and_again() -> None:
    async def scene(stage: Stage) -> None:
        stage.shops["ann"].wait_s = 9.8
        items = await stage.ask()
        assert said(items) == [
            "accepted", "One second.", "tool",
            AGENT.phrases.one_moment, AGENT.phrases.one_moment,
            "tool", "It says done.", "finished",
        ]  # fmt: skip
        assert items[2].tools[0]["wait_s"] > 10.0
        assert [item.index for item in items if item.type == "segment"] == [0, 1, 2, 3]
        begun_at, filled_at = stage.at[2], stage.at[3]
        assert 0.8 <= filled_at - begun_at <= 3.0  # what was said before is still being heard

    play(scene)


def test_a_quick_tool_needs_no_filler_and_its_announcement_is_said_for_a_silent_model() -> None:
    async def scene(stage: Stage) -> None:
        assert said(await stage.ask())[:2] == ["accepted", "Let me see."]

    play(scene, script=lambda request: answers(request, tool="look", first=""))


def test_a_tool_that_takes_for_ever_has_a_result_all_the_same() -> None:
    async def scene(stage: Stage) -> None:
        stage.shops["ann"].wait_s = 1e5
        assert said(await stage.ask())[-2] == "It says timeout."

    play(scene)


def test_wrong_arguments_run_nothing_and_the_model_is_told() -> None:
    async def scene(stage: Stage) -> None:
        stage.shops["ann"].why = "the argument day is wrong"
        items = await stage.ask()
        assert [item.type for item in items].count("tool") == 0
        assert stage.used == []
        assert "the argument day is wrong" in stage.thinker.requests[-1].messages[-1].text
        assert stage.settle().tools == ()

    play(scene)


def test_a_model_that_never_stops_asking_is_made_to_answer() -> None:
    async def scene(stage: Stage) -> None:
        items = await stage.ask()
        assert len(stage.used) == 4
        assert stage.thinker.requests[-1].tool_choice == "none"
        assert items[-1].type == "finished"

    def script(request: ThinkRequest) -> Sequence[Step]:
        if request.tool_choice == "none":
            return ["Enough."]
        asked = len(request.messages)
        return [ToolCallRequested("c", "book", json.dumps({"n": asked}))]

    play(scene, script=script)


def test_an_ingress_that_grants_nothing_has_nothing_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "actors.mind_client.turn_message",
        lambda *parts: replace(turn_message(*parts), grants=False),
    )

    async def scene(stage: Stage) -> None:
        assert said(await stage.ask())[-2] == "It says unknown."
        assert stage.used == []

    play(scene)


def test_a_model_that_speaks_by_itself_has_its_tools_run_by_the_same_piece() -> None:
    async def scene(stage: Stage) -> None:
        stage.shops["ann"].wait_s = 2.0
        call = ToolCallRequested("c1", "book", '{"day": "monday"}')
        question = TurnQuestion(1, 1, TOOL_KIND, question_of(call), False)
        items = [item async for item in stage.mind.take_turn(question)]
        assert [item.type for item in items] == ["accepted", "tool", "segment", "tool", "finished"]
        assert items[-1].text == DONE
        (use,) = stage.settle().tools
        assert status_of(use) == "done"

    play(scene)


def test_a_fact_is_noted_and_in_the_prompt_from_then_on() -> None:
    async def scene(stage: Stage) -> None:
        assert said(await stage.ask()) == ["accepted", "Hello Ann.", "finished"]
        (use,) = stage.settle().tools
        assert (use["fact"], use["value"]) == ("name", "Ann")
        await stage.ask(2)
        assert "- name: Ann" in stage.thinker.requests[-1].messages[0].text
        stage.settle(2, guess=5)  # another guess was spoken, which noted nothing
        await stage.ask(3)
        assert "- name: Ann" in stage.thinker.requests[-1].messages[0].text

    def script(request: ThinkRequest) -> Sequence[Step]:
        note = ToolCallRequested("c", "remember", '{"name": "name", "value": "Ann"}')
        return ["Hello Ann.", note]

    play(scene, script=script)


def test_what_was_noted_before_the_first_word_is_told_with_it() -> None:
    """A caller who cuts the reply ends it there: its end, which tells it too, never comes."""

    async def scene(stage: Stage) -> None:
        items = await stage.ask()
        segments = [item for item in items if item.type == "segment"]
        assert [use["fact"] for use in segments[0].tools] == ["name"]
        assert all(item.tools == () for item in segments[1:])

    def script(request: ThinkRequest) -> Sequence[Step]:
        if request.messages[-1].role == "tool":
            return ["Hello Ann. ", "What can I do for you?"]
        return [ToolCallRequested("c", "remember", '{"name": "name", "value": "Ann"}')]

    play(scene, script=script)
