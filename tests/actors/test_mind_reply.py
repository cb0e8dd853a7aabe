"""One running reply: exactly one end, and the provider is told."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator
from dataclasses import replace

from actors.mind_calls import MindConfig
from actors.mind_reply import Question, Reply
from actors.wire import TurnEntry, TurnItem
from dialogue.agent import Agent
from dialogue.ports import (
    ReplyDelta,
    ReplyDone,
    ThinkEvent,
    ThinkRequest,
    ToolCallBegan,
    ToolCallRequested,
)
from dialogue.session import CallIdentity, DialogueSession
from dialogue.tools import Tool
from tests.support.fake_thinker import HANG, FakeThinker, Step
from tests.support.uncollected import no_collector
from tests.support.virtual_time import run

AGENT = Agent("t", "a", "v1", "en-US", "You are Ann.", "Hello!", "voice")


class DeafThinker(FakeThinker):
    """Does not let go of a request that is closed."""

    async def reply(self, request: ThinkRequest) -> AsyncIterator[ThinkEvent]:
        try:
            yield ReplyDelta("Of course, I ")
            await asyncio.sleep(HANG)
        finally:
            await asyncio.sleep(HANG)


def begun(thinker: FakeThinker, agent: Agent = AGENT) -> Reply:
    session = DialogueSession[TurnEntry](agent, CallIdentity("t", "a", "v1", "c", "CA"))
    request = session.begin_turn(1, 1, "caller", "Hi")
    assert isinstance(request, ThinkRequest)
    received_at = asyncio.get_running_loop().time()
    return Reply(session, Question((1, 1), request, thinker, received_at), MindConfig())


async def drained(reply: Reply) -> list[TurnItem]:
    items = [await reply.next_item()]
    while items[-1].type == "segment":
        items.append(await reply.next_item())
    return items


def test_cancelling_twice_ends_it_once() -> None:
    async def play() -> None:
        reply = begun(FakeThinker((HANG,)))
        await asyncio.sleep(1.0)
        reply.cancel("abandoned")
        reply.cancel("stale_turn")
        assert [item.refusal for item in await drained(reply)] == ["abandoned"]
        await asyncio.wait_for(reply.task, 1.0)

    run(play())


def test_a_cancelled_reply_is_freed_without_the_collector() -> None:
    async def play() -> None:
        reply = begun(FakeThinker((HANG,)))
        held = weakref.ref(reply)
        await asyncio.sleep(1.0)
        reply.cancel("abandoned")
        await asyncio.wait([reply.task])
        del reply
        await asyncio.sleep(0.1)
        assert held() is None

    with no_collector():
        run(play())


def test_whoever_cancels_the_task_itself_is_told_so() -> None:
    async def play() -> None:
        reply = begun(FakeThinker((HANG,)))
        await asyncio.sleep(1.0)
        reply.task.cancel()
        await asyncio.wait([reply.task])
        assert reply.task.cancelled()

    run(play())


def test_cancelling_a_finished_reply_changes_nothing() -> None:
    async def play() -> None:
        reply = begun(FakeThinker(("Sure.",)))
        await asyncio.sleep(1.0)
        reply.cancel("abandoned")
        assert [item.type for item in await drained(reply)] == ["segment", "finished"]

    run(play())


def test_a_provider_that_does_not_let_go_holds_nobody_up() -> None:
    async def play() -> None:
        clock = asyncio.get_running_loop().time
        start = clock()
        reply = begun(DeafThinker(()))
        await asyncio.sleep(1.0)
        reply.cancel("abandoned")
        assert (await drained(reply))[-1].refusal == "abandoned"
        assert clock() - start == 1.0

    run(play())


def test_tokens_of_a_stand_in_are_told_under_its_name() -> None:
    async def play() -> None:
        done = ReplyDone("stop", 10, 5, stand_in="openrouter")
        items = await drained(begun(FakeThinker(("Sure.", done))))
        assert items[-1].usage == {
            "prompt_tokens@openrouter": 10,
            "completion_tokens@openrouter": 5,
        }

    run(play())


PHONE = replace(AGENT, tools=(Tool("transfer", "sales", "To buy.", to="+14155550123"),))


def test_an_invented_tool_costs_a_second_request_in_the_same_reply() -> None:
    def script(request: ThinkRequest) -> tuple[Step, ...]:
        if request.messages[-1].role == "tool":
            return ("One moment.", ToolCallRequested("c2", "sales", "{}"))
        return ("Let me see.", ToolCallRequested("c1", "operator", "{}"))

    async def play() -> None:
        thinker = FakeThinker(script)
        items = await drained(begun(thinker, PHONE))
        assert [item.text for item in items if item.type == "segment"] == [
            "Let me see.",
            "One moment.",
        ]
        assert [item.index for item in items if item.type == "segment"] == [0, 1]
        assert items[-1].action["to"] == "+14155550123"
        assert items[-1].usage["prompt_tokens"] == 22
        assert len(thinker.requests) == 2
        await asyncio.sleep(0)
        assert thinker.open_replies == 0

    run(play())


def test_a_model_that_only_invents_fails_in_the_end() -> None:
    async def play() -> None:
        thinker = FakeThinker((ToolCallRequested("c1", "operator", "{}"),))
        items = await drained(begun(thinker, PHONE))
        assert [(item.type, item.refusal) for item in items] == [("failed", "empty_reply")]
        assert len(thinker.requests) == 3

    run(play())


def test_a_tool_call_that_is_being_written_is_a_sign_of_life() -> None:
    async def play() -> None:
        wanted = ToolCallRequested("c1", "sales", "{}")
        thinker = FakeThinker((4.0, ToolCallBegan(), 4.0, wanted))
        items = await drained(begun(thinker, PHONE))
        assert items[-1].type == "finished"
        assert items[-1].action["to"] == "+14155550123"

    run(play())
