"""One running reply: exactly one end, and the provider is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from actors.mind_calls import MindConfig
from actors.mind_reply import Question, Reply
from actors.wire import TurnEntry, TurnItem
from dialogue.agent import Agent
from dialogue.ports import ReplyDelta, ThinkEvent, ThinkRequest
from dialogue.session import CallIdentity, DialogueSession
from tests.support.fake_thinker import HANG, FakeThinker
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


def begun(thinker: FakeThinker) -> Reply:
    session = DialogueSession[TurnEntry](AGENT, CallIdentity("t", "a", "v1", "c", "CA"))
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
